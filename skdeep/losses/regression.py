"""Regression losses.

``value_and_slope`` is a function of the prediction and works with any output activation.
Losses with a canonical one override ``value_and_gradient`` with a stable formula for both.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import kl_div, xlogy

from skdeep.hyperparameters import POSITIVE, Spec, field_of
from skdeep.losses.base import Loss, RegressionLoss, total
from skdeep.losses.output_activations import OUTPUT_ACTIVATIONS, OutputActivation
from skdeep.losses.quantile import QuantileLoss

# Lower bound of predictions in deviances, which divide by them: softplus and the logistic
# function underflow to 0, and 1 / prediction^2 has to fit float32.
SMALLEST_MEAN = 1e-12


@dataclass(frozen=True)
class ActivatedLoss(RegressionLoss):
    """A regression loss with another output activation than its own."""

    loss: RegressionLoss
    output_activation: OutputActivation

    @property
    def averages_columns(self):
        return self.loss.averages_columns

    @property
    def stacks(self):
        return self.loss.stacks

    @property
    def start_is_best(self):
        return self.loss.start_is_best

    def value_and_gradient(self, y, raw, weight, out, scratch):
        prediction = self.output_activation.forward(raw)
        np.copyto(scratch, prediction)
        value = self.loss.value_and_slope(y, scratch, weight, out)
        self.output_activation.backward(prediction, out)
        out *= weight
        return value

    def check_targets(self, y):
        self.loss.check_targets(y)

    def center(self, y, share):
        # The best constant prediction does not depend on the output activation.
        return self.loss.output(self.loss.baseline(y, share))


class HalfSquaredError(RegressionLoss):
    """(p - y)^2 / 2."""

    def value_and_slope(self, y, prediction, weight, out):
        np.subtract(prediction, y, out=out)
        np.multiply(out, out, out=prediction)
        return 0.5 * total(weight, prediction)

    def center(self, y, share):
        return (share * y).sum(axis=0)


class AbsoluteError(RegressionLoss):
    """abs(p - y); its derivative at 0 is taken as 0."""

    def value_and_slope(self, y, prediction, weight, out):
        prediction -= y
        np.sign(prediction, out=out)
        np.abs(prediction, out=prediction)
        return total(weight, prediction)


@dataclass(frozen=True)
class HuberLoss(RegressionLoss):
    """With e = p - y: e^2 / 2 for abs(e) <= delta, else delta (abs(e) - delta / 2).

    Parameters
    ----------
    delta : float, default=1.0
        Absolute error above which the loss is linear, in (0, inf).
    """

    delta: float = 1.0
    start_is_best = False

    def value_and_slope(self, y, prediction, weight, out):
        # With c = clip(e, -delta, delta) both parts are c (2 e - c) / 2.
        prediction -= y
        np.clip(prediction, -self.delta, self.delta, out=out)
        prediction *= 2
        prediction -= out
        prediction *= out
        return 0.5 * total(weight, prediction)


class LogCosh(RegressionLoss):
    """log(cosh(p - y)): about (p - y)^2 / 2 near 0, abs(p - y) - log(2) far from it."""

    start_is_best = False

    def value_and_slope(self, y, prediction, weight, out):
        # log(cosh(e)) = log(exp(e) + exp(-e)) - log(2)
        np.subtract(prediction, y, out=out)
        np.negative(out, out=prediction)
        np.logaddexp(out, prediction, out=prediction)
        prediction -= math.log(2)
        np.tanh(out, out=out)
        return total(weight, prediction)


class HalfPoissonLoss(RegressionLoss):
    """Half the Poisson deviance, p - y log(p) + y log(y) - y, with the log link."""

    output_activation = OUTPUT_ACTIVATIONS["exp"]
    needs_positive = True
    averages_columns = False  # as in scikit-learn's MLP

    def value_and_gradient(self, y, raw, weight, out, scratch):
        # p = exp(raw): exp(raw) - y raw + y log(y) - y
        xlogy(y, y, out=scratch)
        scratch -= y
        np.exp(raw, out=out)
        scratch += out
        raw *= y
        scratch -= raw
        out -= y
        out *= weight
        return total(weight, scratch)

    def value_and_slope(self, y, prediction, weight, out):
        np.maximum(prediction, SMALLEST_MEAN, out=prediction)
        np.divide(y, prediction, out=out)
        np.subtract(1, out, out=out)
        kl_div(y, prediction, out=prediction)  # the same formula
        return total(weight, prediction)

    def check_targets(self, y):
        if (y < 0).any():
            raise ValueError(
                f"loss='poisson' needs y >= 0, but y holds {y.min()}. Use "
                "loss='squared_error' for targets that may be negative."
            )

    def center(self, y, share):
        return (share * y).sum(axis=0)


class HalfGammaLoss(RegressionLoss):
    """Half the gamma deviance, y / p - log(y / p) - 1, with the log link; y > 0."""

    output_activation = OUTPUT_ACTIVATIONS["exp"]
    needs_positive = True

    def value_and_gradient(self, y, raw, weight, out, scratch):
        # With t = raw - log(y) and g = 1 - exp(-t): the loss is t - g, its derivative g.
        np.log(y, out=scratch)
        np.subtract(raw, scratch, out=scratch)
        np.negative(scratch, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)
        scratch -= out
        out *= weight
        return total(weight, scratch)

    def value_and_slope(self, y, prediction, weight, out):
        np.maximum(prediction, SMALLEST_MEAN, out=prediction)
        np.divide(y, prediction, out=out)
        kl_div(1, out, out=out)  # r - log(r) - 1
        value = total(weight, out)
        np.divide(y, prediction, out=out)
        np.subtract(1, out, out=out)
        out /= prediction
        return value

    def check_targets(self, y):
        if (y <= 0).any():
            raise ValueError(
                f"loss='gamma' needs y > 0, but y holds {y.min()}. Use loss='poisson' for "
                "targets that may be 0, or loss='squared_error' for targets that may be "
                "negative."
            )

    def center(self, y, share):
        return (share * y).sum(axis=0)


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
    >>> from skdeep.losses import PointwiseLoss
    >>> class Asymmetric:
    ...     def loss(self, y_true, y_pred):
    ...         return np.where(y_pred > y_true, 3, 1) * (y_pred - y_true) ** 2
    ...     def gradient(self, y_true, y_pred):
    ...         return np.where(y_pred > y_true, 6, 2) * (y_pred - y_true)
    >>> loss = PointwiseLoss(Asymmetric())
    >>> loss.baseline(np.array([[1.0], [2.0]])).round(6).tolist()  # below the mean
    [1.25]
    """

    spec: Any
    stacks = False
    start_is_best = False

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


@dataclass
class Huber(Spec):
    r"""Huber loss: quadratic for small errors, linear for large ones [1]_.

    With :math:`e = \hat{y} - y`, the loss of a prediction is

    .. math::

        \begin{cases}
            e^2 / 2 & \text{if } \lvert e \rvert \le \delta \\
            \delta \left(\lvert e \rvert - \delta / 2\right) & \text{otherwise}
        \end{cases}

    Parameters
    ----------
    delta : float, default=1.0
        Absolute error above which the loss is linear, in (0, inf) and in the unit of y.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.losses import Huber
    >>> model = DeepRegressor(loss=Huber(delta=0.5))
    >>> model.set_params(loss__delta=2.0).loss
    Huber(delta=2.0)
    """

    delta: float = field_of(1.0, POSITIVE)


REGRESSION_LOSSES: dict[str, RegressionLoss | QuantileLoss] = {
    "squared_error": HalfSquaredError(),
    "absolute_error": AbsoluteError(),
    "huber": HuberLoss(),
    "log_cosh": LogCosh(),
    "poisson": HalfPoissonLoss(),
    "gamma": HalfGammaLoss(),
    "quantile": QuantileLoss(),
}


def regression_loss(
    loss: Any, output_activation: str | None = None, quantiles: tuple[float, ...] = (0.5,)
) -> Loss:
    """Loss of a regressor.

    `loss` is a key of `REGRESSION_LOSSES`, a `Huber` loss, or an object as `PointwiseLoss`
    takes; `output_activation` is a key of `OUTPUT_ACTIVATIONS`, or None for that of the loss.
    """
    kernel = _kernel(loss)
    if isinstance(kernel, QuantileLoss):
        if output_activation not in (None, "identity"):
            raise ValueError(
                "loss='quantile' orders its predictions and supports no output_activation; got "
                f"{output_activation!r}: leave it at None."
            )
        return QuantileLoss(tuple(quantiles))
    if output_activation is None or output_activation == kernel.output_activation.name:
        return kernel
    if kernel.needs_positive and not OUTPUT_ACTIVATIONS[output_activation].is_positive:
        positive = [name for name, other in OUTPUT_ACTIVATIONS.items() if other.is_positive]
        raise ValueError(
            f"loss={loss!r} needs predictions above 0, which "
            f"output_activation={output_activation!r} does not guarantee: use one of "
            f"{positive}, or None."
        )
    return ActivatedLoss(kernel, OUTPUT_ACTIVATIONS[output_activation])


def _kernel(loss: Any) -> RegressionLoss | QuantileLoss:
    if isinstance(loss, str):
        return REGRESSION_LOSSES[loss]
    if isinstance(loss, Huber):
        return HuberLoss(float(loss.delta))
    missing = [name for name in ("loss", "gradient") if not callable(getattr(loss, name, None))]
    if missing or isinstance(loss, type):
        raise ValueError(
            f"loss must be one of {list(REGRESSION_LOSSES)}, Huber(delta), or an object with "
            f"methods loss(y_true, y_pred) and gradient(y_true, y_pred); got {loss!r}"
            + (f", which lacks {missing}." if missing else ", a class: give an instance.")
        )
    return PointwiseLoss(loss)
