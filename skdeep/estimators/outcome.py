"""How training ended: raises if it diverged, warns about what the user should act on."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from skdeep._checks.data import far_larger_column
from skdeep._training.fit_task import FitResult, FitTask
from skdeep.estimators.task import training_targets, unit_of
from skdeep.estimators.unread import CALLER
from skdeep.estimators.validation_set import mean_loss
from skdeep.solvers import StochasticSolver

# A loss that rose by this factor gets a warning: more than a poor start of the solver, less
# than what no longer shows in any score.
RISE = 9

# From a loss that rose by this factor, training does not recover.
HOPELESS = 1e20

# A loss above this share of a constant prediction's has learned nothing.
NO_BETTER = 0.95


def check_outcome(estimator: Any, task: FitTask, result: FitResult, incremental: bool) -> None:
    """Raise ValueError if training diverged; warn if it ended in a way to act on."""
    _check_divergence(estimator, task, result)
    _warn(estimator, task, result, incremental)


def _check_divergence(estimator: Any, task: FitTask, result: FitResult) -> None:
    problem = _problem(task, result)
    if not problem:
        return
    advice = "scale X (StandardScaler)"
    if isinstance(estimator, RegressorMixin):
        advice += " and y (TransformedTargetRegressor)"
    if isinstance(task.solver, StochasticSolver):
        advice += ", and try a smaller learning_rate_init"
    raise ValueError(
        f"Training diverged in {unit_of(task.solver)} {result.n_iter or 1}: {problem}. To fix "
        f"this, {advice}. The estimator is left as it was before this call."
    )


def _problem(task: FitTask, result: FitResult) -> str:
    if result.outcome == "diverged":
        return "the loss or the squared norm of the weights is no longer finite"
    before = task.history.loss_curve
    resumed = before[len(before) - task.n_iter_before :]  # of a fit that was cut off
    curve = resumed + result.history.loss_curve
    restored = task.validate is not None and task.restore_best
    if result.n_iter == 0 or not curve or restored:
        return ""
    if curve[-1] > HOPELESS * max(abs(curve[0]), 1):
        return f"the loss rose from {curve[0]:.3g} to {curve[-1]:.3g}"
    return ""


def _warn(estimator: Any, task: FitTask, result: FitResult, incremental: bool) -> None:
    # Warns, and prints with `verbose`, why training ended if that calls for action.
    messages = [] if incremental else _about_limits(estimator, task.solver, result)
    if result.outcome == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=CALLER)
    history = result.history
    if history.validation_scores and not history.best_iter:
        warnings.warn(
            f"validation_scoring={estimator.validation_scoring!r} gave no finite score on the "
            f"validation rows in any epoch (the last is {history.validation_scores[-1]}), "
            "so the weights of the last epoch are kept. Use another score, or validation "
            "rows on which it is defined, such as some of every class.",
            stacklevel=CALLER,
        )
    if not incremental:
        messages += _about_loss(estimator, task, result)
    for message in messages:
        warnings.warn(message, ConvergenceWarning, stacklevel=CALLER)
    if estimator.verbose and not incremental:
        print(f"Ended after {result.n_iter} {unit_of(task.solver)}s: {result.outcome}.")


def _about_limits(estimator: Any, solver: Any, result: FitResult) -> list[str]:
    outcome = result.outcome
    limits = {
        "max_iter": f"Maximum iterations ({estimator.max_iter})",
        "max_time": f"Time limit (max_time={estimator.max_time} seconds)",
        "max_fun": f"Maximum number of loss evaluations ({getattr(solver, 'max_fun', None)})",
    }
    if outcome in limits:
        return [
            f"{limits[outcome]} reached and the optimization hasn't converged yet. Increase "
            f"{outcome}, or scale X (StandardScaler)."
        ]
    if outcome in ("converged", "stopped", "interrupted"):
        return []
    return [
        f"L-BFGS gave up after {result.n_iter} iteration(s): {outcome} Scale X "
        "(StandardScaler), or increase alpha."
    ]


def _about_loss(estimator: Any, task: FitTask, result: FitResult) -> list[str]:
    before, curve = task.history.loss_curve, result.history.loss_curve
    is_first = len(before) == task.n_iter_before
    unscaled = _about_scale(estimator, task, result) if is_first else []
    if unscaled:
        return unscaled
    first = next(iter(before or curve), math.nan)
    if curve and curve[-1] > first + RISE * abs(first):
        return [
            f"The loss rose from {first:.3g} to {curve[-1]:.3g}. Try a smaller "
            "learning_rate_init, or scale X (StandardScaler)."
        ]
    return []


def _about_scale(estimator: Any, task: FitTask, result: FitResult) -> list[str]:
    # Nothing was learned, and a column is far larger than the others.
    far_larger = far_larger_column(task.X) if result.outcome != "interrupted" else None
    if far_larger is None:
        return []
    y, weight = training_targets(task)
    raw = np.tile(task.loss.baseline(y, weight), (len(y), 1))
    constant = mean_loss(task.loss, y, raw, None if weight is None else weight[:, 0])
    if not result.loss >= constant - (1 - NO_BETTER) * abs(constant):
        return []
    column, size, median = far_larger
    names = getattr(estimator, "feature_names_in_", None)
    name = column if names is None else repr(names[column])
    return [
        f"X is not scaled: the mean absolute value of column {name} is {size:.2g}, that of "
        f"the median column {median:.2g}; and the loss, {result.loss:.3g}, is no better "
        f"than that of a constant prediction, {constant:.3g}. Scale X (StandardScaler; "
        "for long-tailed values, RobustScaler or QuantileTransformer)."
    ]
