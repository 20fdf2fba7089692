"""Classification losses.

For more than two classes, the output activation is softmax; for two classes and for multi-label
targets, it is the logistic function. Targets may be probabilities, such as smoothed labels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from skdeep._arrays import Array
from skdeep.hyperparameters import NOT_NEGATIVE, Spec, field_of
from skdeep.losses.base import Loss, dot, total
from skdeep.losses.output_activations import MARGIN, OUTPUT_ACTIVATIONS

# Elements per chunk in formulas that need many temporary arrays.
CHUNK = 1024


class BinaryLoss(Loss):
    """A loss of p = 1 / (1 + exp(-raw)), summed over independent columns.

    One column is binary classification, several are multi-label. Targets are in [0, 1].
    """

    out_activation = "logistic"

    def output(self, raw):
        return expit(raw, out=raw)

    def start(self, y, share):
        return OUTPUT_ACTIVATIONS["logistic"].link((share * y).sum(axis=0))


class MultinomialLoss(Loss):
    """A loss of p = softmax(raw), with one column per class; rows of y sum to 1."""

    out_activation = "softmax"

    def output(self, raw):
        raw -= raw.max(axis=-1, keepdims=True)
        np.exp(raw, out=raw)
        raw /= raw.sum(axis=-1, keepdims=True)
        return raw

    def start(self, y, share):
        return np.log(np.maximum((share * y).sum(axis=0), MARGIN))


def _log_softmax(raw: Array, out: Array, column: Array) -> None:
    # Writes log(p) to raw and p to out. Few calls, as their overhead dominates for small
    # batches.
    np.maximum.reduce(raw, axis=-1, keepdims=True, out=column)
    raw -= column
    np.exp(raw, out)
    np.add.reduce(out, axis=-1, keepdims=True, out=column)
    out /= column
    np.log(column, column)
    raw -= column


class BinaryLogLoss(BinaryLoss):
    """log(1 + exp(raw)) - y raw in each column: the binary log-loss."""

    def value_and_gradient(self, y, raw, weight, out, scratch):
        # log(1 + exp(raw)) = max(raw, 0) + log1p(exp(-abs(raw)))
        np.abs(raw, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        np.maximum(raw, 0, out=scratch)
        out += scratch
        np.multiply(raw, y, out=scratch)
        np.subtract(out, scratch, out=scratch)  # the loss
        np.subtract(raw, out, out=out)  # log of the probability
        np.exp(out, out=out)
        out -= y
        out *= weight
        return total(weight, scratch)


class MultinomialLogLoss(MultinomialLoss):
    """log(sum_k exp(raw_k)) - sum_k y_k raw_k: the multinomial log-loss."""

    def value_and_gradient(self, y, raw, weight, out, scratch):
        _log_softmax(raw, out, scratch[..., :1])
        np.multiply(y, weight, scratch)
        out *= weight
        out -= scratch
        return -dot(scratch, raw)


class BinarySquaredError(BinaryLoss):
    """(p - y)^2 / 2 in each column: for two classes, a quarter of Brier's original score."""

    def value_and_gradient(self, y, raw, weight, out, scratch):
        expit(raw, out=out)
        np.subtract(out, y, out=scratch)
        np.subtract(1, out, out=raw)
        out *= raw
        out *= scratch
        out *= weight
        scratch *= scratch
        return 0.5 * total(weight, scratch)


class MultinomialSquaredError(MultinomialLoss):
    """sum_k (p_k - y_k)^2 / 2: half the Brier score [1]_.

    With e = p - y, the gradient is p_j (e_j - sum_k e_k p_k).

    References
    ----------
    .. [1] Brier, "Verification of forecasts expressed in terms of probability", Monthly
       Weather Review 78, 1950.
    """

    def value_and_gradient(self, y, raw, weight, out, scratch):
        _log_softmax(raw, out, scratch[..., :1])
        np.subtract(out, y, out=raw)  # e
        np.multiply(raw, raw, out=scratch)
        value = 0.5 * total(weight, scratch)
        np.vecdot(raw, out, out=scratch[..., 0])
        raw -= scratch[..., :1]
        out *= raw
        out *= weight
        return value


@dataclass(frozen=True)
class BinaryFocalLoss(BinaryLoss):
    """-y (1 - p)^gamma log(p) - (1 - y) p^gamma log(1 - p) in each column: see `Focal`.

    Parameters
    ----------
    gamma : float, default=2.0
        Focusing parameter, in [0, inf); 0 is the log-loss.
    """

    gamma: float = 2.0
    start_is_best = False

    def value_and_gradient(self, y, raw, weight, out, scratch):
        value = np.zeros(raw.shape[:-2], raw.dtype)
        n_rows = raw.shape[-2]
        step = max(1, CHUNK * n_rows // raw.size)
        for first in range(0, n_rows, step):
            rows = (..., slice(first, first + step), slice(None))
            value += self._chunk(y[rows], raw[rows], weight[rows], out[rows])
        return value

    def _chunk(self, y, raw, weight, out):
        y = y.astype(raw.dtype, copy=False)
        log_p, log_q = log_expit(raw), log_expit(-raw)  # q = 1 - p
        p, q = np.exp(log_p), np.exp(log_q)
        positive = weight * y * q**self.gamma
        negative = weight * (1 - y) * p**self.gamma
        out[...] = positive * (self.gamma * p * log_p - q)
        out -= negative * (self.gamma * q * log_q - p)
        return -(positive * log_p + negative * log_q).sum(axis=(-2, -1))


@dataclass(frozen=True)
class MultinomialFocalLoss(MultinomialLoss):
    """-sum_k y_k (1 - p_k)^gamma log(p_k): `Focal` for several classes.

    The gradient is a_j - p_j sum_k a_k, where a_k is p_k times the derivative with respect
    to p_k: y_k (1 - p_k)^gamma (gamma p_k log(p_k) / (1 - p_k) - 1).

    Parameters
    ----------
    gamma : float, default=2.0
        Focusing parameter, in [0, inf); 0 is the log-loss.
    """

    gamma: float = 2.0
    start_is_best = False

    def value_and_gradient(self, y, raw, weight, out, scratch):
        _log_softmax(raw, out, scratch[..., :1])
        np.expm1(raw, out=out)
        np.negative(out, out=out)  # 1 - p
        np.power(out, self.gamma, out=scratch)
        scratch *= y
        scratch *= weight
        value = -dot(scratch, raw)
        # log(p) / (1 - p) tends to -1 as p tends to 1; at p = 1 its factor is 0.
        np.maximum(out, np.finfo(out.dtype).tiny, out=out)
        np.divide(raw, out, out=out)
        np.exp(raw, out=raw)  # p
        out *= raw
        out *= self.gamma
        out -= 1
        out *= scratch  # a
        column = scratch[..., :1]
        np.add.reduce(out, axis=-1, keepdims=True, out=column)
        raw *= column
        out -= raw
        return value


@dataclass(frozen=True)
class MultiOutputLoss(Loss):
    """Sum of `losses`, each on its own columns of raw output and y, `widths` in number."""

    losses: tuple[Loss, ...]
    widths: tuple[int, ...]

    @property
    def out_activation(self):
        return ", ".join(dict.fromkeys(loss.out_activation for loss in self.losses))

    def value_and_gradient(self, y, raw, weight, out, scratch):
        value = np.zeros(raw.shape[:-2], raw.dtype)
        for loss, group in self._groups():
            value += loss.value_and_gradient(
                y[group], raw[group], weight, out[group], scratch[group]
            )
        return value

    def output(self, raw):
        for loss, group in self._groups():
            loss.output(raw[group])
        return raw

    def baseline(self, y, weight=None):
        return np.hstack([loss.baseline(y[group], weight) for loss, group in self._groups()])

    def _groups(self):
        # Pairs of each loss and the index of its columns.
        end = 0
        for loss, width in zip(self.losses, self.widths, strict=True):
            yield loss, (..., slice(end, end + width))
            end += width


@dataclass
class Focal(Spec):
    r"""Focal loss: the log-loss with less weight on rows that are already well classified [1]_.

    With p the predicted probability of the true class, the loss of a row is

    .. math:: -(1 - p)^\gamma \log p

    For multi-label targets, this is summed over the labels.

    Parameters
    ----------
    gamma : float, default=2.0
        Focusing parameter, in [0, inf). The larger it is, the less well-classified rows count;
        with 0, this is the log-loss.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He & Dollar, "Focal loss for dense object detection",
       ICCV 2017; without its alpha, which is a class weight.

    Examples
    --------
    >>> from skdeep import DeepClassifier
    >>> from skdeep.losses import Focal
    >>> model = DeepClassifier(loss=Focal(gamma=1.0))
    >>> model.set_params(loss__gamma=3.0).loss
    Focal(gamma=3.0)
    """

    gamma: float = field_of(2.0, NOT_NEGATIVE)


CLASSIFICATION_LOSSES: dict[str, tuple[BinaryLoss, MultinomialLoss]] = {
    "log_loss": (BinaryLogLoss(), MultinomialLogLoss()),
    "squared_error": (BinarySquaredError(), MultinomialSquaredError()),
    "focal": (BinaryFocalLoss(), MultinomialFocalLoss()),
}


def classification_loss(loss: str | Focal, multinomial: bool) -> Loss:
    """Loss of a classifier, from a key of `CLASSIFICATION_LOSSES` or a focal loss.

    If `multinomial`, the columns are classes of which exactly one is true; if not, each column
    is a label of its own.
    """
    if isinstance(loss, Focal):
        kind = MultinomialFocalLoss if multinomial else BinaryFocalLoss
        return kind(float(loss.gamma))
    return CLASSIFICATION_LOSSES[loss][multinomial]
