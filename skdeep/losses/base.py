"""What a network is trained to make small, as a function of its raw output.

A loss is a numeric kernel and a link: ``value_and_gradient`` works on the raw output of
the last layer, and ``output`` turns that into what ``predict`` is made of. Those of
classification are in ``classification``, those of regression in ``regression``.

Arrays are ``(*models, rows, columns)``. Weights are ``(*models, rows, 1)`` and already
divided by their sum, so that values add over rows to the weighted mean.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize

from skdeep._arrays import Array


class Loss:
    """A loss, summed over output columns and averaged over rows."""

    @property
    def out_activation(self) -> str:
        """Name of the function from raw output to prediction."""
        raise NotImplementedError

    @property
    def averages_columns(self) -> bool:
        """Whether the value reported is the mean over columns, not the sum minimised."""
        return False

    @property
    def stacks(self) -> bool:
        """Whether arrays may have the models of a stack in front."""
        return True

    @property
    def start_is_best(self) -> bool:
        """Whether `start` is the minimiser itself."""
        return True

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array, out: Array, scratch: Array
    ) -> Array:
        """Loss over the rows, and its gradient with respect to the raw output.

        Parameters
        ----------
        y : ndarray of shape (*models, rows, columns)
            Targets, which are not written to.
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

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where the loss is not defined for `y`."""

    def start(self, y: Array, share: Array) -> Array:
        """Raw output of shape (columns,) from which `baseline` sets out."""
        raise NotImplementedError

    def baseline(self, y: Array, weight: Array | None = None) -> Array:
        """The constant raw output with the smallest loss over the rows.

        Parameters
        ----------
        y : ndarray of shape (rows, columns)
        weight : ndarray of shape (rows, 1), default=None
            Of the rows, on any scale; all the same where None.

        Returns
        -------
        raw : ndarray of shape (columns,)
            In float64, and finite even where the loss falls for ever: a class that
            never occurs has a probability of 1e-9 or so.
        """
        y = np.asarray(y, float)
        share = np.ones((len(y), 1)) if weight is None else np.asarray(weight, float)
        share = share / share.sum()
        start = self.start(y, share)
        return start if self.start_is_best else _best_constant(self, y, share, start)


def _best_constant(loss: Loss, y: Array, share: Array, start: Array) -> Array:
    raw, gradient, scratch = np.empty((3, len(start), len(y))).mT

    def value_and_gradient(constant: Array) -> tuple[float, Array]:
        raw[:] = constant
        value = loss.value_and_gradient(y, raw, share, gradient, scratch)
        return float(value), gradient.sum(axis=0)

    with np.errstate(all="ignore"):
        before = value_and_gradient(start)[0]
        options = {"ftol": 0.0, "gtol": 1e-10}
        found = minimize(
            value_and_gradient, start, jac=True, method="L-BFGS-B", options=options
        )
    better = found.fun < before and np.isfinite(found.x).all()
    return found.x if better else start


def dot(a: Array, b: Array) -> Array:
    # Sum of products over rows and columns: (*models, rows, columns) -> (*models,). The
    # buffers' columns lie behind one another, so that .mT makes flat views of them.
    flat = (*a.shape[:-2], -1)
    return np.vecdot(a.mT.reshape(flat), b.mT.reshape(flat))


def total(weight: Array, elements: Array) -> Array:
    # Weighted sum over rows and columns: (*models, rows, columns) -> (*models,).
    return np.add.reduce(np.vecdot(weight.mT, elements.mT), -1)


def weighted_quantiles(y: Array, share: Array, q: Any) -> Array:
    # Of each column: a point where as much weight lies below as the pinball loss asks.
    return np.quantile(y, q, axis=0, weights=share[:, 0], method="inverted_cdf")
