"""Base classes of loss functions.

A loss is a function of the raw output of the last layer: ``value_and_gradient`` is what
training minimizes, and ``output`` converts raw output to predictions.

Arrays are ``(*models, rows, columns)``. Weights are ``(*models, rows, 1)`` and already
divided by their sum, so that the sum over rows is the weighted mean.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from skdeep._arrays import Array
from skdeep.losses.output_activations import OUTPUT_ACTIVATIONS, OutputActivation


@dataclass(frozen=True)
class Loss:
    """A loss function, summed over output columns and averaged over rows."""

    @property
    def out_activation(self) -> str:
        """Name of the output activation."""
        raise NotImplementedError

    @property
    def averages_columns(self) -> bool:
        """True if the reported value is the mean over columns, not the minimized sum."""
        return False

    @property
    def stacks(self) -> bool:
        """True if arrays may have a leading axis of models."""
        return True

    @property
    def start_is_best(self) -> bool:
        """True if `start` minimizes the loss exactly."""
        return True

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array, out: Array, scratch: Array
    ) -> Array:
        """Compute the loss, of shape (*models,), and write its gradient to `out`.

        The gradient is with respect to `raw`, which is overwritten; `scratch` is a buffer. All
        arrays but `weight` have one shape; `y` may lack the axis of models.
        """
        raise NotImplementedError

    def output(self, raw: Array) -> Array:
        """Convert raw output to predictions, in place, and return it."""
        raise NotImplementedError

    def check_targets(self, y: Array) -> None:
        """Raise ValueError if the loss is not defined for `y`."""

    def start(self, y: Array, share: Array) -> Array:
        """Initial raw output for `baseline`, of shape (columns,)."""
        raise NotImplementedError

    def baseline(self, y: Array, weight: Array | None = None) -> Array:
        """Constant raw output that minimizes the loss: float64 of shape (columns,).

        It is finite even if the loss has no minimum: a class that does not occur gets a
        probability of about 1e-9. Weights of shape (rows, 1) may be on any scale.
        """
        y = np.asarray(y, float)
        share = np.ones((len(y), 1)) if weight is None else np.asarray(weight, float)
        share = share / share.sum()
        start = self.start(y, share)
        return start if self.start_is_best else _best_constant(self, y, share, start)


class RegressionLoss(Loss):
    """A regression loss, computed for each prediction separately.

    Attributes
    ----------
    output_activation : OutputActivation
        The identity, unless a subclass sets another.
    needs_positive : bool
        True if predictions must be positive.
    """

    output_activation: OutputActivation = OUTPUT_ACTIVATIONS["identity"]
    needs_positive = False

    @property
    def out_activation(self):
        return self.output_activation.name

    @property
    def averages_columns(self):
        return True  # as scikit-learn's regression metrics do

    def value_and_slope(self, y: Array, prediction: Array, weight: Array, out: Array) -> Array:
        """Compute the loss, of shape (*models,), and write its unweighted derivative to `out`.

        The derivative is with respect to `prediction`, which is overwritten.
        """
        raise NotImplementedError

    def value_and_gradient(self, y, raw, weight, out, scratch):
        value = self.value_and_slope(y, raw, weight, out)
        out *= weight
        return value

    def output(self, raw):
        return self.output_activation.forward(raw)

    def center(self, y: Array, share: Array) -> Array:
        """Constant prediction of shape (columns,); the best one if `start_is_best`."""
        return weighted_quantiles(y, share, 0.5)

    def start(self, y, share):
        return self.output_activation.link(self.center(y, share))


def _best_constant(loss: Loss, y: Array, share: Array, start: Array) -> Array:
    raw, gradient, scratch = np.empty((3, len(start), len(y))).mT

    def value_and_gradient(constant: Array) -> tuple[float, Array]:
        raw[:] = constant
        value = loss.value_and_gradient(y, raw, share, gradient, scratch)
        return float(value), gradient.sum(axis=0)

    with np.errstate(all="ignore"):
        before = value_and_gradient(start)[0]
        options = {"ftol": 0.0, "gtol": 1e-10}
        best = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    return best.x if best.fun < before and np.isfinite(best.x).all() else start


def dot(a: Array, b: Array) -> Array:
    # Sum of products over rows and columns: (*models, rows, columns) -> (*models,). Buffers
    # are stored column by column, so that .mT can be flattened without a copy.
    flat = (*a.shape[:-2], -1)
    return np.vecdot(a.mT.reshape(flat), b.mT.reshape(flat))


def total(weight: Array, elements: Array) -> Array:
    # Weighted sum over rows and columns: (*models, rows, columns) -> (*models,).
    return np.add.reduce(np.vecdot(weight.mT, elements.mT), -1)


def weighted_quantiles(y: Array, share: Array, q: Any) -> Array:
    # Quantiles of each column, which minimize the pinball loss.
    return np.quantile(y, q, axis=0, weights=share[:, 0], method="inverted_cdf")
