"""From an estimator's parameters to the core's specs: network, weights to start from, solver.

What a parameter cannot be is said here, in the words of the parameter.
"""

import inspect
import warnings
from numbers import Real
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._checks import (
    check_hidden_layer_sizes,
    check_spec,
)
from skdeep._network.network import Network
from skdeep.activations import ACTIVATIONS, Activation, Custom
from skdeep.initializers import INITIALIZERS
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver

# Read by the stochastic solvers only, without being fields of theirs.
OF_BATCHES_AND_EPOCHS = (
    "batch_size",
    "shuffle",
    "early_stopping",
    "validation_fraction",
    "validation_scoring",
    "restore_best",
    "n_iter_no_change",
)
# Read with one loss only.
OF_A_LOSS = {"focal_gamma": "focal", "huber_delta": "huber", "quantile": "quantile"}


def network_of(estimator: Any, n_in: int, n_out: int, rates: tuple[float, ...]) -> Network:
    """The network that the parameters describe, between `n_in` and `n_out` columns.

    `rates` are those of `dropout_of`.
    """
    hidden = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    if estimator.batch_norm and estimator.layer_norm:
        raise ValueError(
            "batch_norm and layer_norm are both True, but a layer has one norm: choose one."
        )
    return Network.perceptron(
        [n_in, *hidden, n_out],
        _activations(estimator.activation, len(hidden)),
        bias=bool(estimator.bias),
        batch_norm=bool(estimator.batch_norm),
        layer_norm=bool(estimator.layer_norm),
        dropout=[rate > 0 for rate in rates],
        residual=bool(estimator.residual),
    )


def _activations(given: Any, n_hidden: int) -> list[Activation]:
    several = isinstance(given, (list, tuple, np.ndarray))
    chosen = list(given) if several else [given] * n_hidden
    if len(chosen) != n_hidden:
        raise ValueError(
            f"activation has {len(chosen)} entries for {n_hidden} hidden layers: give one for "
            "all, or one for each hidden layer."
        )
    return [_activation(one) for one in chosen]


def _activation(given: Any) -> Activation:
    if isinstance(given, Activation):
        return given
    if isinstance(given, str) and given in ACTIVATIONS:
        return ACTIVATIONS[given]
    if not isinstance(given, (str, type)) and all(
        callable(getattr(given, name, None)) for name in ("value", "derivative")
    ):
        return Custom(given)
    raise ValueError(
        f"activation must be one of {sorted(ACTIVATIONS)}, an object with methods value(z) and "
        f"derivative(z), or a list of these; got {given!r}."
    )


def dropout_of(estimator: Any) -> tuple[float, ...]:
    """Rates for the input and each hidden layer; () where nothing is dropped."""
    given = estimator.dropout
    if isinstance(given, float) and given == 0:
        return ()
    n_hidden = len(check_hidden_layer_sizes(estimator.hidden_layer_sizes))
    rates = [0.0, *[given] * n_hidden] if isinstance(given, Real) else list(given)
    if len(rates) != n_hidden + 1 or not all(
        isinstance(rate, Real) and 0 <= float(rate) < 1 for rate in rates
    ):
        raise ValueError(
            "dropout must be a rate in [0, 1) for all hidden layers, or a list of "
            f"{n_hidden + 1}: of the input, then of each hidden layer; got {given!r}."
        )
    return tuple(float(rate) for rate in rates) if any(rates) else ()


def start_of(
    estimator: Any, network: Network, generator: np.random.RandomState, dtype: np.dtype
) -> Array:
    """Flat vector to start from, of shape (n_params,)."""
    given = estimator.weight_init
    # The gain of scikit-learn's MLP.
    gain = (
        2.0
        if isinstance(estimator.activation, str) and estimator.activation == "logistic"
        else 6.0
    )
    if isinstance(given, (list, tuple)):
        shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
        if [np.shape(array) for array in given] != shapes:
            raise ValueError(
                f"weight_init has arrays of shapes {[np.shape(array) for array in given]}, but "
                f"the layers need {shapes}."
            )
        if not all(np.isfinite(array).all() for array in given):
            raise ValueError("weight_init must hold finite numbers; some are not.")
        return network.initial(generator, gain, dtype, given)
    law = INITIALIZERS[given] if isinstance(given, str) else given
    return network.initial(generator, gain, dtype, law)


def solver_of(estimator: Any) -> StochasticSolver | LBFGS:
    """The solver, checked. One given by name shares hyperparameters with the estimator."""
    solver = estimator.solver
    if isinstance(solver, str):
        spec = SOLVERS[solver]
        solver = spec(**{name: getattr(estimator, name) for name in spec.shared_names()})
    check_spec(solver)
    return solver


def refuse_with_lbfgs(estimator: Any, validated: bool) -> None:
    """Raise ValueError where a parameter needs batches or epochs, which L-BFGS has not."""
    asked = {
        "dropout": bool(dropout_of(estimator)),
        "batch_norm": estimator.batch_norm,
        "max_norm": estimator.max_norm is not None,
        "clip_norm": estimator.clip_norm is not None,
        "weight_averaging": estimator.weight_averaging > 0,
        "X_val or y_val": validated,
    }
    for name in [name for name, is_on in asked.items() if is_on]:
        raise ValueError(
            f"{name} does not go with solver='lbfgs', which looks at all rows at once: use a "
            f"stochastic solver, such as 'adam', or leave {name} out."
        )


def warn_of_unread(estimator: Any, validated: bool) -> None:
    """Warn, once, of all parameters that are not at their defaults and are not read."""
    defaults = inspect.signature(type(estimator)).parameters
    reasons = _unread_of_fit(estimator, validated) | _unread_of_solver(estimator)
    found = [
        f"{name}={_short(given)} is not read {reason}"
        for name, reason in reasons.items()
        if name in defaults  # a subclass may have fewer
        and (given := getattr(estimator, name)) is not defaults[name].default
        and not np.array_equal(given, defaults[name].default)
    ]
    if found:
        # The line of the user's that calls fit.
        warnings.warn("\n".join(found), UserWarning, stacklevel=7)


def _unread_of_solver(estimator: Any) -> dict[str, str]:
    # What only solvers read, where this one does not: name -> why, and what to write.
    solver = estimator.solver
    spec = SOLVERS[solver] if isinstance(solver, str) else type(solver)
    shown = repr(solver) if isinstance(solver, str) else f"{spec.__name__}(...)"
    with_solver = f"with solver={shown}"
    fields = dict.fromkeys(name for kind in SOLVERS.values() for name in kind.field_names())
    found = {}
    for name in fields:
        readers = [key for key, kind in SOLVERS.items() if name in kind.field_names()]
        if name not in spec.field_names():
            several = len(readers) > len(SOLVERS) / 2
            whose = "stochastic solvers" if several else " or ".join(map(repr, readers))
            found[name] = f"{with_solver}, only with {whose}."
        elif not isinstance(solver, str):
            own = f"{spec.__name__}({name}={_short(getattr(estimator, name))})"
            found[name] = f"{with_solver}, which has its own: write solver={own}."
    if issubclass(spec, LBFGS):
        reason = f"{with_solver}, which takes all rows at once: leave it out."
        found |= dict.fromkeys(OF_BATCHES_AND_EPOCHS, reason)
    elif "power_t" not in found and estimator.learning_rate != "invscaling":
        rate = _short(estimator.learning_rate)
        found["power_t"] = f"with learning_rate={rate}, only with 'invscaling'."
    return found


def _unread_of_fit(estimator: Any, validated: bool) -> dict[str, str]:
    # The same of validation, penalty and loss.
    found = {}
    if validated:
        found["validation_fraction"] = "with X_val, which are the validation rows."
    elif not estimator.early_stopping:
        found["validation_fraction"] = "without early_stopping=True."
        found |= dict.fromkeys(
            ("validation_scoring", "restore_best"),
            "without validation rows: set early_stopping=True, or give fit X_val and y_val.",
        )
    if estimator.alpha == 0:
        found["l1_ratio"] = "with alpha=0, which is no penalty."
    for name, loss in OF_A_LOSS.items():
        if hasattr(estimator, name) and estimator.loss != loss:
            found[name] = f"with loss={_short(estimator.loss)}, only with {loss!r}."
    return found


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
