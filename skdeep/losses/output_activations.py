"""Output activations: from the raw output of a network to predictions within bounds.

Each has three methods: ``forward``, its derivative ``backward``, and its inverse ``link``,
which is the link function of a generalized linear model. The derivatives are computed from
the prediction, so nothing else is stored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, logit

from skdeep._arrays import Array

# Distance that `link` keeps from the ends of the range, so that raw outputs are finite.
MARGIN = 1e-9


@dataclass(frozen=True)
class OutputActivation:
    """An increasing function from raw output to prediction, applied to each element.

    Attributes
    ----------
    name : str
        Name, as in the estimators' ``out_activation_``.
    is_positive : bool
        True if predictions are positive for any raw output.
    """

    name: ClassVar[str]
    is_positive = False

    def forward(self, raw: Array) -> Array:
        """Convert raw output to predictions, in place, and return it."""
        raise NotImplementedError

    def backward(self, prediction: Array, delta: Array) -> None:
        """Multiply `delta` by the derivative, in place; overwrites `prediction`."""
        raise NotImplementedError

    def link(self, prediction: Array) -> Array:
        """Raw output of a prediction, after clipping it to the open range."""
        raise NotImplementedError


class Identity(OutputActivation):
    """p = z."""

    name = "identity"

    def forward(self, raw):
        return raw

    def backward(self, prediction, delta):
        pass

    def link(self, prediction):
        return prediction


class Logistic(OutputActivation):
    """p = 1 / (1 + exp(-z)) in (0, 1), p' = p (1 - p)."""

    name = "logistic"
    is_positive = True

    def forward(self, raw):
        return expit(raw, out=raw)

    def backward(self, prediction, delta):
        delta *= prediction
        np.subtract(1, prediction, out=prediction)
        delta *= prediction

    def link(self, prediction):
        return logit(np.clip(prediction, MARGIN, 1 - MARGIN))


class Tanh(OutputActivation):
    """p = tanh(z) in (-1, 1), p' = 1 - p^2."""

    name = "tanh"

    def forward(self, raw):
        return np.tanh(raw, out=raw)

    def backward(self, prediction, delta):
        np.square(prediction, out=prediction)
        np.subtract(1, prediction, out=prediction)
        delta *= prediction

    def link(self, prediction):
        return np.arctanh(np.clip(prediction, MARGIN - 1, 1 - MARGIN))


class Softplus(OutputActivation):
    """p = log(1 + exp(z)) > 0, p' = 1 - exp(-p)."""

    name = "softplus"
    is_positive = True

    def forward(self, raw):
        return np.logaddexp(raw, 0, out=raw)

    def backward(self, prediction, delta):
        np.negative(prediction, out=prediction)
        np.expm1(prediction, out=prediction)
        np.negative(prediction, out=prediction)
        delta *= prediction

    def link(self, prediction):
        # log(exp(p) - 1) = p + log(1 - exp(-p)), which does not overflow.
        prediction = np.maximum(prediction, MARGIN)
        return prediction + np.log(-np.expm1(-prediction))


class Exp(OutputActivation):
    """p = exp(z) > 0, p' = p."""

    name = "exp"
    is_positive = True

    def forward(self, raw):
        return np.exp(raw, out=raw)

    def backward(self, prediction, delta):
        delta *= prediction

    def link(self, prediction):
        return np.log(np.maximum(prediction, MARGIN))


OUTPUT_ACTIVATIONS: dict[str, OutputActivation] = {
    each.name: each for each in (Identity(), Logistic(), Tanh(), Softplus(), Exp())
}
