"""How the predictions of members become one: weights of recipes, and calibration.

Both are chosen by out-of-fold predictions, which no member made for rows it was trained on.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from skdeep._arrays import Array
from skdeep.estimators.targets import ClassTarget, RegressionTarget, Target
from skdeep.estimators.validation_set import mean_loss
from skdeep.losses import QuantileLoss

# Rounds of the greedy selection: weights are multiples of its reciprocal.
N_ROUNDS = 40

# Probabilities are kept this far from 0, so that their logarithm is finite.
TINY = 1e-12


def greedy_weights(
    predictions: Sequence[Array] | Array, loss: Callable[[Array], float]
) -> Array:
    """Weights that minimize the loss of the average, of shape (n_predictions,) [1]_.

    Greedy selection with replacement: each round adds the prediction with which the average so
    far has the lowest loss. The weights are how often each was added in the best round.

    .. [1] Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble selection from libraries of
       models", ICML 2004.
    """
    counts = np.zeros(len(predictions))
    total = np.zeros_like(predictions[0])
    best, lowest = counts, np.inf
    for n in range(1, N_ROUNDS + 1):
        losses = [loss((total + one) / n) for one in predictions]
        k = int(np.argmin(losses))
        counts = counts + (np.arange(len(counts)) == k)
        total += predictions[k]
        if losses[k] < lowest:
            best, lowest = counts / n, losses[k]
    return best


def prediction_loss(target: Target, encoded: Array, prediction: Array, weight: Any) -> float:
    """Mean loss of predictions: log-loss of probabilities, the target's loss of numbers.

    `encoded` has shape (n_rows, n_outputs), `prediction` (n_rows, n_columns).
    """
    if not isinstance(target, RegressionTarget):
        log_p, shares = _choices(target, encoded, prediction)
        return -float(np.average(_row_sums(log_p * shares), weights=weight))
    loss: Any = target.loss
    if isinstance(loss, QuantileLoss):
        errors = encoded - prediction
        quantiles = np.array(loss.quantiles)
        losses = np.maximum(quantiles * errors, (quantiles - 1) * errors).sum(axis=1)
        return float(np.average(losses, weights=weight))
    return mean_loss(loss, encoded, loss.output_activation.link(prediction), weight)


def fit_temperature(
    target: Target, prediction: Array, encoded: Array, weight: Array | None
) -> float:
    """Exponent that minimizes the log-loss of p^exponent, normalized [1]_; 1 for numbers.

    The loss is convex, so that its derivative has one zero at most; the exponent stays within
    [1/16, 16].

    .. [1] Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    if isinstance(target, RegressionTarget) or not len(prediction):
        return 1.0
    log_p, shares = _choices(target, encoded, prediction)
    reached = _row_sums(log_p * shares)

    def slope(u: float) -> float:
        expected = _row_sums(log_p * softmax(math.exp(u) * log_p, axis=-1))
        return float(np.average(expected - reached, weights=weight))

    low, high = -math.log(16), math.log(16)
    if slope(low) >= 0:
        return math.exp(low)
    if slope(high) <= 0:
        return math.exp(high)
    return math.exp(brentq(slope, low, high, xtol=1e-4))


def with_temperature(target: Target, prediction: Array, temperature: float) -> Array:
    """Probabilities to the power of `temperature`, normalized; numbers as they are."""
    if isinstance(target, RegressionTarget) or temperature == 1:
        return prediction
    p = softmax(temperature * _log(_alternatives(target, prediction)), axis=-1)
    return p if isinstance(target, ClassTarget) else p[..., 1].reshape(prediction.shape)


def _alternatives(target: Target, prediction: Array) -> Array:
    # Probabilities of what excludes one another: the classes, or each label and its absence.
    if isinstance(target, ClassTarget):
        return prediction
    return np.stack([1 - prediction, prediction], axis=-1)


def _choices(target: Target, encoded: Array, prediction: Array) -> tuple[Array, Array]:
    # Log-probabilities and targets of each choice, of shape (n_rows, n_choices): labels are
    # choices of their own, and a row has the sum of their losses.
    log_p = _log(_alternatives(target, prediction))
    if encoded.shape == log_p.shape:
        return log_p, encoded
    shares = np.stack([1 - encoded, encoded], axis=-1)
    return log_p, shares.reshape(log_p.shape)


def _row_sums(values: Array) -> Array:
    return values.reshape(len(values), -1).sum(axis=1)


def _log(probabilities: Array) -> Array:
    return np.log(np.maximum(probabilities, TINY))
