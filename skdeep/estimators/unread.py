"""Parameters that are set but have no effect: some are refused, others get a warning."""

import inspect
import warnings
from functools import cache
from typing import Any

import numpy as np

from skdeep.hyperparameters import SHARED
from skdeep.solvers import LBFGS, SOLVERS

# Stack level of warnings from a function that `_fit` calls through one other: the user's line
# that calls `fit`.
CALLER = 7

# Used with stochastic solvers only, without being hyperparameters of theirs.
OF_BATCHES_AND_EPOCHS = (
    "batch_size",
    "shuffle",
    "early_stopping",
    "validation_fraction",
    "validation_scoring",
    "restore_best",
    "n_iter_no_change",
)


def refuse_with_lbfgs(estimator: Any, dropout: tuple[float, ...], validated: bool) -> None:
    """Raise ValueError if a parameter needs batches or epochs, which L-BFGS does not use."""
    is_set = {
        "dropout": bool(dropout),
        "norm='batch'": estimator.norm == "batch",
        "max_norm": estimator.max_norm is not None,
        "clip_norm": estimator.clip_norm is not None,
        "weight_averaging": estimator.weight_averaging > 0,
        "X_val or y_val": validated,
    }
    for name in [name for name, is_on in is_set.items() if is_on]:
        raise ValueError(
            f"{name} is not supported with solver='lbfgs', which trains on all rows at once: "
            f"use a stochastic solver, such as 'adam', or leave {name} out."
        )


def warn_of_unread(estimator: Any, validated: bool, incremental: bool) -> None:
    """Warn, once, about all parameters that are not at their defaults and have no effect."""
    defaults = _defaults(type(estimator))  # type: ignore[arg-type]
    reasons = _unread_of_fit(estimator, validated) | _unread_of_solver(estimator)
    if incremental:  # validation rows may come with a later call
        for name in ("validation_scoring", "restore_best"):
            reasons.pop(name, None)
    lines = [
        f"{name}={_short(value)} is not read {reason}"
        for name, reason in reasons.items()
        if name in defaults  # a subclass may have fewer
        and not _is_same(value := getattr(estimator, name), defaults[name])
    ]
    if lines:
        warnings.warn("\n".join(lines), UserWarning, stacklevel=CALLER)


def _is_same(value: Any, default: Any) -> bool:
    # No default is an array, and arrays compare element by element.
    same = value == default
    return value is default or (isinstance(same, bool | np.bool_) and bool(same))


@cache
def _defaults(kind: type) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.items()
    return {name: one.default for name, one in parameters if one.default is not one.empty}


def _unread_of_solver(estimator: Any) -> dict[str, str]:
    # Parameters that only other solvers read: name -> why, and what to write.
    solver = estimator.solver
    spec = SOLVERS[solver] if isinstance(solver, str) else type(solver)
    is_name = isinstance(solver, str)
    with_solver = f"with solver={repr(solver) if is_name else f'{spec.__name__}(...)'}"
    reasons = {}
    for name in SHARED:
        if is_name and name in spec.shared_names():
            continue
        if name in spec.field_names():
            own = f"{spec.__name__}({name}={_short(getattr(estimator, name))})"
            reasons[name] = f"{with_solver}, which has its own: write solver={own}."
        else:
            readers = [key for key, kind in SOLVERS.items() if name in kind.shared_names()]
            several = len(readers) > len(SOLVERS) / 2
            whose = "stochastic solvers" if several else " or ".join(map(repr, readers))
            reasons[name] = f"{with_solver}, only with {whose}."
    if issubclass(spec, LBFGS):
        reason = f"{with_solver}, which trains on all rows at once: leave it out."
        reasons |= dict.fromkeys(OF_BATCHES_AND_EPOCHS, reason)
    elif "power_t" not in reasons and estimator.learning_rate != "invscaling":
        rate = _short(estimator.learning_rate)
        reasons["power_t"] = f"with learning_rate={rate}, only with 'invscaling'."
    return reasons


def _unread_of_fit(estimator: Any, validated: bool) -> dict[str, str]:
    # The same for validation, penalty and loss.
    reasons = {}
    if validated:
        reasons["validation_fraction"] = "with X_val, which are the validation rows."
    elif not estimator.early_stopping:
        reasons["validation_fraction"] = "without early_stopping=True."
        reasons |= dict.fromkeys(
            ("validation_scoring", "restore_best"),
            "without validation rows: set early_stopping=True, or give fit X_val and y_val.",
        )
    if estimator.alpha == 0:
        reasons["l1_ratio"] = "with alpha=0, which is no penalty."
    if not (isinstance(estimator.loss, str) and estimator.loss == "quantile"):
        reasons["quantile"] = f"with loss={_short(estimator.loss)}, only with 'quantile'."
    return reasons


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
