"""Validation rows: given by the user, or a share of the training rows."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.losses import Loss

# X_val, y_val and sample_weight_val.
Validation = tuple[Any, Any, Any]


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


def check_validation_fraction(fraction: float, n_samples: int) -> None:
    """Raise ValueError where a split leaves too few rows to validate or to train on."""
    n_held_out = math.ceil(fraction * n_samples)
    if n_held_out < 2 or n_held_out >= n_samples:
        raise ValueError(
            f"The validation set of early_stopping is too small or too large: "
            f"validation_fraction={fraction} of {n_samples} rows is {n_held_out}, but at least "
            "2 rows are needed to validate and 1 to train on. Change validation_fraction, "
            "give more data, or set early_stopping=False."
        )
