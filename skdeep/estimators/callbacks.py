"""What looks at a fit while it runs: a validation set, and scikit-learn's callbacks."""

import copy
import time
from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator

from skdeep._arrays import Array

# What scorers raise for a target or an estimator that they are not for.
REFUSALS = (ValueError, TypeError, AttributeError)


class CallbackBridge:
    """Tells scikit-learn's callbacks of each epoch.

    Parameters
    ----------
    context : CallbackContext
        The fit's.
    estimator : estimator
        The one that is fitted.
    fitted_attributes : callable
        theta -> attributes of the estimator as if the fit had stopped there.
    X, y : array-like
        What is trained on.
    metadata : dict
        Sample weights.
    max_iter : int
    """

    def __init__(
        self,
        context: Any,
        estimator: BaseEstimator,
        fitted_attributes: Callable[[Array], dict[str, Any]],
        X: Any,
        y: Any,
        metadata: dict[str, Any],
        max_iter: int,
    ) -> None:
        self._context = context
        self._estimator = estimator
        self._fitted_attributes = fitted_attributes
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._max_iter = max_iter
        self._begin()

    def _begin(self) -> None:
        self._epoch = self._context.subcontext("epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def __call__(self, epoch: int, loss: float, score: float | None, theta: Array) -> bool:
        """End an epoch and begin the next; whether a callback asks to stop."""
        stop = self._epoch.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=lambda: self._fitted_attributes(theta.copy()),
            **self._data,
        )
        self._epoch = None
        if not stop and epoch < self._max_iter:
            self._begin()
        return stop

    def close(self) -> None:
        """End the epoch that was begun and never came."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)


def snapshot(estimator: BaseEstimator, attributes: dict[str, Any]) -> BaseEstimator:
    """The estimator as if its fit had stopped with these attributes, for a scorer.

    Validation rows come without column names, so it has none to compare them with.
    """
    found = copy.copy(estimator)
    for name, value in attributes.items():
        setattr(found, name, value)
    vars(found).pop("feature_names_in_", None)
    return found


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

    def __call__(self, epoch: int, loss: float, score: float | None, theta: object) -> None:
        """Print one row."""
        elapsed = time.perf_counter() - self.start
        end = "" if score is None else f"  {score:>10.6f}"
        print(f"{epoch:>{self.width}}  {elapsed:>8.2f}s  {loss:>14.8g}{end}")
