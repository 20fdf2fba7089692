"""What a network is trained to make small, as a function of its raw output.

A loss is a numeric kernel and a link: ``value_and_gradient`` works on the raw output of
the last layer, and ``output`` turns that into what ``predict`` is made of. Arrays are
``(*models, rows, columns)``. Weights are ``(*models, rows, 1)`` and already divided by
their sum, so that values add over rows to the weighted mean.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

Array = np.ndarray


class Loss:
    """A pointwise loss, summed over output columns and averaged over rows.

    Attributes
    ----------
    out_activation : str
        Name of the function from raw output to prediction.
    averages_columns : bool
        Whether the value *reported* is the mean over columns instead of the sum that
        is minimised (scikit-learn's habit for the squared error).
    """

    out_activation: str
    averages_columns = False

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array, out: Array, scratch: Array
    ) -> Array:
        """Loss over the rows, and its gradient with respect to the raw output.

        Parameters
        ----------
        y : ndarray of shape (*models, rows, columns)
            Targets.
        raw : ndarray of shape (*models, rows, columns)
            Raw output. Its content is lost.
        weight : ndarray of shape (*models, rows, 1)
            Share of each row in the mean.
        out : ndarray of shape (*models, rows, columns)
            Receives the gradient.
        scratch : ndarray of shape (*models, rows, columns)
            Room for what lies between.

        Returns
        -------
        value : ndarray of shape (*models,)
        """
        raise NotImplementedError

    def output(self, raw: Array) -> Array:
        """Turn the raw output into the prediction, in place, and return it."""
        raise NotImplementedError


def _dot(a: Array, b: Array) -> Array:
    # Sum of products over rows and columns: (*models, rows, columns) -> (*models,). The
    # buffers' columns lie behind one another, so that .mT makes flat views of them.
    flat = (*a.shape[:-2], -1)
    return np.vecdot(a.mT.reshape(flat), b.mT.reshape(flat))


def _total(weight: Array, elements: Array) -> Array:
    # Weighted sum over rows and columns: (*models, rows, columns) -> (*models,).
    return np.add.reduce(np.vecdot(weight.mT, elements.mT), -1)


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """(raw - y)^2 / 2, with the identity as link."""

    out_activation = "identity"
    averages_columns = True

    def value_and_gradient(self, y, raw, weight, out, scratch):
        raw -= y
        np.multiply(raw, weight, out=out)
        raw *= raw
        return 0.5 * _total(weight, raw)

    def output(self, raw):
        return raw


@dataclass(frozen=True)
class HalfPoissonLoss(Loss):
    """Half the Poisson deviance, exp(raw) - y raw + y log(y) - y, with the log link."""

    out_activation = "exp"

    def value_and_gradient(self, y, raw, weight, out, scratch):
        xlogy(y, y, out=scratch)
        scratch -= y
        np.exp(raw, out=out)
        scratch += out
        raw *= y
        scratch -= raw
        out -= y
        out *= weight
        return _total(weight, scratch)

    def output(self, raw):
        return np.exp(raw, out=raw)


@dataclass(frozen=True)
class BinaryLogLoss(Loss):
    """log(1 + exp(raw)) - y raw in each column, with the logistic function as link.

    One column is binary classification, several are multi-label.
    """

    out_activation = "logistic"

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
        return _total(weight, scratch)

    def output(self, raw):
        return expit(raw, out=raw)


@dataclass(frozen=True)
class MultinomialLogLoss(Loss):
    """log(sum_k exp(raw_k)) - sum_k y_k raw_k, with softmax as link; y sums to 1."""

    out_activation = "softmax"

    def value_and_gradient(self, y, raw, weight, out, scratch):
        # In few passes over small arrays: a call costs as much as what it computes.
        column = scratch[..., :1]
        np.maximum.reduce(raw, axis=-1, keepdims=True, out=column)
        raw -= column
        np.exp(raw, out)
        np.add.reduce(out, axis=-1, keepdims=True, out=column)
        out /= column
        np.log(column, column)
        raw -= column  # log of the probability
        np.multiply(y, weight, scratch)
        out *= weight
        out -= scratch
        return -_dot(scratch, raw)

    def output(self, raw):
        raw -= raw.max(axis=-1, keepdims=True)
        np.exp(raw, out=raw)
        raw /= raw.sum(axis=-1, keepdims=True)
        return raw


REGRESSION_LOSSES: dict[str, Loss] = {
    "squared_error": HalfSquaredError(),
    "poisson": HalfPoissonLoss(),
}
