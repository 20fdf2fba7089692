"""Regression losses defined by the user."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep.losses.base import RegressionLoss, total


@dataclass(frozen=True)
class PointwiseLoss(RegressionLoss):
    """A custom regression loss, from an object with two methods.

    ``loss(y_true, y_pred)`` and ``gradient(y_true, y_pred)``, its derivative with respect to
    ``y_pred``, return an array with one number per element. They receive read-only arrays of
    shape (rows, columns). Inside :class:`~skdeep.lockstep`, networks with a custom loss are
    trained one by one.

    Parameters
    ----------
    spec : object
        Object with the methods ``loss`` and ``gradient``.

    Examples
    --------
    Predicting too much costs three times as much as predicting too little:

    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from skdeep.losses import PointwiseLoss
    >>> @dataclass(frozen=True)
    ... class Asymmetric:
    ...     above: float = 3.0
    ...     def factor(self, error):
    ...         return np.where(error > 0, self.above, 1.0)
    ...     def loss(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return self.factor(error) * error**2
    ...     def gradient(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return 2 * self.factor(error) * error
    >>> loss = PointwiseLoss(Asymmetric())
    >>> y = np.array([[1.0], [2.0]])
    >>> raw, share, gradient = np.full((2, 1), 1.5), np.full((2, 1), 0.5), np.empty((2, 1))
    >>> float(loss.value_and_gradient(y, raw, share, gradient, np.empty((2, 1))))
    0.5
    >>> gradient.ravel().tolist()
    [1.5, -0.5]
    >>> loss.baseline(y).round(6).tolist()  # below the mean
    [1.25]
    """

    spec: Any
    stacks = False
    start_is_best = False

    def __eq__(self, other):
        return isinstance(other, PointwiseLoss) and bool(self._key() == other._key())

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        try:
            hash(self.spec)
        except TypeError:
            return id(self.spec)
        return self.spec

    def value_and_slope(self, y, prediction, weight, out):
        # y may lack the axis of models.
        y_true = np.broadcast_to(y, prediction.shape)
        y_pred = prediction.view()
        y_pred.flags.writeable = False
        out[...] = self._elements("gradient", y_true, y_pred)
        prediction[...] = self._elements("loss", y_true, y_pred)
        return total(weight, prediction)

    def _elements(self, method, y_true, y_pred):
        values = getattr(self.spec, method)(y_true, y_pred)
        if np.shape(values) != y_pred.shape:
            raise ValueError(
                f"{type(self.spec).__name__}.{method}(y_true, y_pred) returned shape "
                f"{np.shape(values)} for arrays of shape {y_pred.shape}: return one number per "
                "element, without sum or mean."
            )
        return values
