"""From an estimator's parameters to the core's specs: network, dropout rates, solver."""

from numbers import Real
from typing import Any

import numpy as np

from skdeep._checks.parameters import check_hidden_layer_sizes, check_spec
from skdeep._network.network import Network
from skdeep.activations import ACTIVATIONS, Activation, Custom
from skdeep.hyperparameters import Spec
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver


def network_of(estimator: Any, n_in: int, n_out: int, rates: tuple[float, ...]) -> Network:
    """The network that the parameters describe, from `n_in` to `n_out` columns.

    `rates` are those of `dropout_of`.
    """
    hidden = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    return Network.perceptron(
        [n_in, *hidden, n_out],
        _activations(estimator.activation, len(hidden)),
        bias=bool(estimator.bias),
        batch_norm=estimator.norm == "batch",
        layer_norm=estimator.norm == "layer",
        dropout=[rate > 0 for rate in rates],
        residual=bool(estimator.residual),
    )


def batch_size_of(estimator: Any) -> int:
    """Number of rows in a batch, if there are as many."""
    return 200 if estimator.batch_size == "auto" else estimator.batch_size


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
    """Dropout rates of the input and of each hidden layer; () if all are 0."""
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


def trains_on_all_rows(estimator: Any) -> bool:
    """Whether the solver, by name or as an object, is L-BFGS."""
    return estimator.solver == "lbfgs" or isinstance(estimator.solver, LBFGS)


def solver_of(estimator: Any) -> StochasticSolver | LBFGS:
    """The solver, checked. One given by name shares hyperparameters with the estimator."""
    solver = estimator.solver
    if not isinstance(solver, str):
        check_spec(solver)
        return solver
    # The parameters that they share are checked with the estimator's.
    if isinstance(estimator.learning_rate, Spec):
        check_spec(estimator.learning_rate)
    spec = SOLVERS[solver]
    return spec(**{name: getattr(estimator, name) for name in spec.shared_names()})
