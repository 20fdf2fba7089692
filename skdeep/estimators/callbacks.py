"""What runs after each epoch: scikit-learn's callbacks, scorers, and the table of `verbose`."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator

from skdeep._arrays import Array
from skdeep._training.fit_task import FitResult, FitTask

# What scorers raise for a target or an estimator that they are not for.
REFUSALS = (ValueError, TypeError, AttributeError)


class CallbackBridge:
    """Tells scikit-learn's callbacks of the fit and of each of its epochs.

    Parameters
    ----------
    context : CallbackContext
        Of the fit.
    estimator : estimator
        The one being fitted.
    task : FitTask
    attributes : callable
        (result) -> all fitted attributes of the estimator, if its fit ended with this result.
    y : array-like
        Targets, as passed to `fit`.
    sample_weight : array-like or None
    """

    def __init__(
        self,
        context: Any,
        estimator: BaseEstimator,
        task: FitTask,
        attributes: Callable[[FitResult], dict[str, Any]],
        y: Any,
        sample_weight: Any,
    ) -> None:
        self._context = context
        self._estimator = estimator
        self._attributes = attributes
        self._data = {"X": task.X, "y": y, "metadata": {"sample_weight": sample_weight}}
        self._max_iter = task.max_iter
        start = FitResult(
            task.theta,
            task.solver_state,
            task.history.beginning(),
            task.n_iter_before,
            math.nan,
            "running",
        )
        context.call_on_fit_task_begin(
            estimator=estimator,
            # Only here, where nobody pickles the estimator: the data of the fit.
            reconstruction_attributes=lambda: {**attributes(start), "_task": task},
            **self._data,
        )
        self._begin()

    def _begin(self) -> None:
        self._epoch = self._context.subcontext("epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def __call__(
        self,
        epoch: int,
        loss: float,
        score: float | None,
        theta: Array,
        now: Callable[[], FitResult],
    ) -> bool:
        """End an epoch and begin the next. Returns True if a callback asks to stop."""
        stop = self._end(self._epoch, now)
        self._epoch = None
        if not stop and epoch < self._max_iter:
            self._begin()
        return stop

    def _end(self, context: Any, now: Callable[[], FitResult]) -> bool:
        return context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=lambda: self._snapshot(now()),
            **self._data,
        )

    def _snapshot(self, result: FitResult) -> dict[str, Any]:
        # Training goes on to change the generator.
        attributes = self._attributes(result)
        state = attributes["_training_state"]
        masks = copy.deepcopy(state.mask_generator)
        return {**attributes, "_training_state": replace(state, mask_generator=masks)}

    def close(self, result: FitResult) -> None:
        """End the fit, and the epoch that was begun but not trained."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        copied = replace(result, theta=result.theta.copy(), history=result.history.copy())
        self._end(self._context, lambda: copied)


def snapshot(estimator: BaseEstimator, attributes: dict[str, Any]) -> BaseEstimator:
    """The estimator as if its fit had stopped with these attributes, for a scorer.

    It has no column names, because validation rows come without them.
    """
    kind: Any = type(estimator)
    fitted = kind.__new__(kind)
    vars(fitted).update(vars(estimator) | attributes)
    vars(fitted).pop("feature_names_in_", None)
    return fitted


def score_with(
    scorer: Any, scoring: Any, estimator: BaseEstimator, X: Any, y: Any, weight: Array | None
) -> float:
    """Score of the validation rows; an error says that it comes from `validation_scoring`.

    Parameters
    ----------
    scorer : callable
        What `scoring`, the estimator's `validation_scoring`, stands for.
    scoring : str or callable
    estimator : estimator
        As `snapshot` gives it.
    X, y, weight
        The validation rows; `weight` may be None.
    """
    extra = {} if weight is None else {"sample_weight": weight}
    try:
        return float(scorer(estimator, X, y, **extra))
    except Exception as error:
        if isinstance(scoring, str) and isinstance(error, REFUSALS):
            raise ValueError(
                f"validation_scoring={scoring!r} cannot score the validation rows: {error}"
            ) from error
        error.add_note(f"It was raised by validation_scoring={scoring!r}.")
        raise


class EpochTable:
    """Prints each epoch, or iteration, as a row of a table to standard output.

    Parameters
    ----------
    with_score : bool
        Whether there is a column for the validation score.
    unit : str
        What a row is, such as 'Epoch'; heads the column of its number.
    """

    def __init__(self, with_score: bool, unit: str) -> None:
        self.start = time.perf_counter()
        self.width = max(6, len(unit))
        score = f"  {'Score':>10}" if with_score else ""
        print(f"{unit:>{self.width}}  {'Time':>9}  {'Loss':>14}{score}")

    def __call__(self, epoch: int, loss: float, score: float | None, *_: object) -> None:
        """Print one row."""
        elapsed = time.perf_counter() - self.start
        end = "" if score is None else f"  {score:>10.6f}"
        print(f"{epoch:>{self.width}}  {elapsed:>8.2f}s  {loss:>14.8g}{end}")
