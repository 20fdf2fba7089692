"""What looks at a fit while it runs: a validation set, and scikit-learn's callbacks."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skdeep._arrays import Array
from skdeep.losses import Loss

# What scorers raise for a target or an estimator that they are not for.
REFUSALS = (ValueError, TypeError, AttributeError)


class ValidationSet:
    """Score and loss on rows that are not trained on, after each epoch.

    Parameters
    ----------
    raw_output : callable
        theta -> raw output on the rows, of shape (n_rows, n_outputs).
    encoded : ndarray of shape (n_rows, n_outputs)
        Targets as the network is trained on them.
    weight : ndarray of shape (n_rows,), or None
        Sample weights.
    loss : Loss
    score : callable or None
        (theta, encoded, raw, weight) -> score, higher is better; None takes the loss's
        negative.
    """

    def __init__(
        self,
        raw_output: Callable[[Array], Array],
        encoded: Array,
        weight: Array | None,
        loss: Loss,
        score: Callable[[Array, Array, Array, Array | None], float] | None,
    ) -> None:
        self.raw_output = raw_output
        self.encoded = encoded
        self.weight = weight
        self.loss = loss
        self.score = score

    def __call__(self, theta: Array) -> tuple[float, float]:
        raw = self.raw_output(theta)
        if not np.isfinite(raw).all():
            return np.nan, np.nan
        score = None
        if self.score is not None:
            score = self.score(theta, self.encoded, raw, self.weight)
        loss = self._loss(raw)
        return -loss if score is None else float(score), loss

    def _loss(self, raw: Array) -> float:
        # Columns behind one another, as losses take them; the raw output is theirs.
        raw = np.asfortranarray(raw)
        y = np.asfortranarray(self.encoded, raw.dtype)
        weight = np.ones(len(raw)) if self.weight is None else self.weight
        share = (weight / weight.sum()).astype(raw.dtype)[:, None]
        value = self.loss.value_and_gradient(
            y, raw, share, np.empty_like(raw), np.empty_like(raw)
        )
        return float(value) / (raw.shape[1] if self.loss.averages_columns else 1)


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
