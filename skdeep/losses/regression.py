"""Losses of regression: a kernel on the prediction, and a link to the raw output.

The kernel (``value_and_slope``) goes with any link; where link and kernel are a natural
pair, one stable formula stands for both.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import kl_div, xlogy

from skdeep._arrays import Array
from skdeep.hyperparameters import POSITIVE, Spec, field_of
from skdeep.losses.base import Loss, total, weighted_quantiles
from skdeep.losses.output_activations import OUTPUT_ACTIVATIONS, OutputActivation
from skdeep.losses.quantile import QuantileLoss

# Means are kept above this before a deviance divides by them: a softplus or a logistic
# function underflows to 0, and 1 / mean^2 has to fit float32.
SMALLEST_MEAN = 1e-12


class RegressionLoss(Loss):
    """A loss of each prediction by itself; here with the identity as link.

    Attributes
    ----------
    link : OutputActivation
        From raw output to prediction.
    needs_positive : bool
        Whether predictions must be above 0.
    """

    link: OutputActivation = OUTPUT_ACTIVATIONS["identity"]
    needs_positive = False

    @property
    def out_activation(self):
        """Name of the function from raw output to prediction."""
        return self.link.name

    @property
    def averages_columns(self):
        """True: scikit-learn's measures of regression are means over targets."""
        return True

    def value_and_slope(self, y: Array, prediction: Array, weight: Array, out: Array) -> Array:
        """Loss over the rows; assigns each element's derivative, without its weight.

        Parameters
        ----------
        y : ndarray of shape (*models, rows, columns)
        prediction : ndarray of shape (*models, rows, columns)
            Its content is lost.
        weight : ndarray of shape (*models, rows, 1)
        out : ndarray of shape (*models, rows, columns)
            Receives the derivative with respect to the prediction.

        Returns
        -------
        value : ndarray of shape (*models,)
        """
        raise NotImplementedError

    def value_and_gradient(self, y, raw, weight, out, scratch):
        value = self.value_and_slope(y, raw, weight, out)
        out *= weight
        return value

    def output(self, raw):
        return self.link.forward(raw)

    def centre(self, y: Array, share: Array) -> Array:
        """A constant prediction, of shape (columns,): the best, where `start_is_best`."""
        return weighted_quantiles(y, share, 0.5)

    def start(self, y, share):
        return self.link.inverse(self.centre(y, share))


@dataclass(frozen=True)
class LinkedLoss(RegressionLoss):
    """A loss of regression behind another link than its own.

    Parameters
    ----------
    loss : RegressionLoss
    link : OutputActivation
    """

    loss: RegressionLoss
    link: OutputActivation

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
        prediction = self.link.forward(raw)
        np.copyto(scratch, prediction)
        value = self.loss.value_and_slope(y, scratch, weight, out)
        self.link.backward(prediction, out)
        out *= weight
        return value

    def check_targets(self, y):
        self.loss.check_targets(y)

    def centre(self, y, share):
        # The best prediction is the same behind every link that can make it.
        return self.loss.output(self.loss.baseline(y, share))


@dataclass(frozen=True)
class HalfSquaredError(RegressionLoss):
    """(p - y)^2 / 2."""

    def value_and_slope(self, y, prediction, weight, out):
        np.subtract(prediction, y, out=out)
        np.multiply(out, out, out=prediction)
        return 0.5 * total(weight, prediction)

    def centre(self, y, share):
        return (share * y).sum(axis=0)


@dataclass(frozen=True)
class AbsoluteError(RegressionLoss):
    """abs(p - y); its derivative at 0 is taken as 0."""

    def value_and_slope(self, y, prediction, weight, out):
        prediction -= y
        np.sign(prediction, out=out)
        np.abs(prediction, out=prediction)
        return total(weight, prediction)


@dataclass(frozen=True)
class HuberLoss(RegressionLoss):
    """With e = p - y: e^2 / 2 for abs(e) <= delta, else delta (abs(e) - delta / 2) [1]_.

    Parameters
    ----------
    delta : float, default=1.0
        Above 0: from where on the loss is linear, in the unit of y.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964.
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


@dataclass(frozen=True)
class LogCosh(RegressionLoss):
    """log(cosh(p - y)): half a square near 0, abs(p - y) - log(2) far away."""

    start_is_best = False

    def value_and_slope(self, y, prediction, weight, out):
        # log(cosh(e)) = log(exp(e) + exp(-e)) - log(2)
        np.subtract(prediction, y, out=out)
        np.negative(out, out=prediction)
        np.logaddexp(out, prediction, out=prediction)
        prediction -= math.log(2)
        np.tanh(out, out=out)
        return total(weight, prediction)


@dataclass(frozen=True)
class HalfPoissonLoss(RegressionLoss):
    """Half the Poisson deviance, p - y log(p) + y log(y) - y, with the log link."""

    link = OUTPUT_ACTIVATIONS["exp"]
    needs_positive = True
    averages_columns = False  # as scikit-learn's MLP has it

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
        kl_div(y, prediction, out=prediction)  # SciPy's name for this very formula
        return total(weight, prediction)

    def check_targets(self, y):
        if (y < 0).any():
            raise ValueError(
                f"loss='poisson' needs y >= 0, but y holds {y.min()}. Use "
                "loss='squared_error' for targets that may be negative."
            )

    def centre(self, y, share):
        return (share * y).sum(axis=0)


@dataclass(frozen=True)
class HalfGammaLoss(RegressionLoss):
    """Half the gamma deviance, y / p - log(y / p) - 1, with the log link; y > 0."""

    link = OUTPUT_ACTIVATIONS["exp"]
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

    def centre(self, y, share):
        return (share * y).sum(axis=0)


@dataclass(frozen=True)
class PointwiseLoss(RegressionLoss):
    """A user's own loss of regression, from an object with two methods.

    ``loss(y_true, y_pred)`` and ``gradient(y_true, y_pred)``, the derivative of the former
    with respect to ``y_pred``, return a number for each element. Arrays are read-only and of
    shape (rows, columns): inside :class:`~skdeep.lockstep`, networks with a loss of your own
    are trained one by one.

    Parameters
    ----------
    spec : object
        Has these two methods.

    Examples
    --------
    An error above costs three times as much as the same error below:

    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from skdeep.losses import PointwiseLoss
    >>> @dataclass(frozen=True)
    ... class Dear:
    ...     above: float = 3.0
    ...     def factor(self, error):
    ...         return np.where(error > 0, self.above, 1.0)
    ...     def loss(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return self.factor(error) * error**2
    ...     def gradient(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return 2 * self.factor(error) * error
    >>> loss = PointwiseLoss(Dear())
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
        # Broadcast, so that elements pair up where y has no models' axis.
        y_true = np.broadcast_to(y, prediction.shape)
        y_pred = prediction.view()
        y_pred.flags.writeable = False
        out[...] = self._elements("gradient", y_true, y_pred)
        prediction[...] = self._elements("loss", y_true, y_pred)
        return total(weight, prediction)

    def _elements(self, method, y_true, y_pred):
        found = getattr(self.spec, method)(y_true, y_pred)
        if np.shape(found) != y_pred.shape:
            raise ValueError(
                f"{type(self.spec).__name__}.{method}(y_true, y_pred) returned shape "
                f"{np.shape(found)} for arrays of shape {y_pred.shape}: return a number for "
                "each element, without sum or mean."
            )
        return found


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

    Parameters
    ----------
    loss : str, Huber or object
        A key of `REGRESSION_LOSSES`, a Huber loss, or an object as `PointwiseLoss` takes;
        'huber' is ``Huber()``.
    output_activation : str, default=None
        A key of `OUTPUT_ACTIVATIONS`. If None, that of the loss.
    quantiles : tuple of float, default=(0.5,)
        For the quantile loss, ascending.

    Returns
    -------
    loss : Loss

    Raises
    ------
    ValueError
        If `loss` does not support `output_activation`, or is an object without the methods.
    """
    kernel = _kernel(loss)
    if isinstance(kernel, QuantileLoss):
        if output_activation not in (None, "identity"):
            raise ValueError(
                "loss='quantile' orders its predictions and supports no output_activation; got "
                f"{output_activation!r}: leave it at None."
            )
        return QuantileLoss(tuple(quantiles))
    if output_activation is None or output_activation == kernel.link.name:
        return kernel
    if kernel.needs_positive and not OUTPUT_ACTIVATIONS[output_activation].is_positive:
        positive = [name for name, other in OUTPUT_ACTIVATIONS.items() if other.is_positive]
        raise ValueError(
            f"loss={loss!r} needs predictions above 0, which "
            f"output_activation={output_activation!r} does not guarantee: use one of "
            f"{positive}, or None."
        )
    return LinkedLoss(kernel, OUTPUT_ACTIVATIONS[output_activation])


def _kernel(loss: Any) -> RegressionLoss | QuantileLoss:
    if isinstance(loss, str):
        return REGRESSION_LOSSES[loss]
    return HuberLoss(float(loss.delta)) if isinstance(loss, Huber) else _own_loss(loss)


def _own_loss(spec: Any) -> PointwiseLoss:
    lacking = [name for name in ("loss", "gradient") if not callable(getattr(spec, name, None))]
    if lacking or isinstance(spec, type):
        raise ValueError(
            f"loss must be one of {list(REGRESSION_LOSSES)} or an object with methods "
            f"loss(y_true, y_pred) and gradient(y_true, y_pred); got {spec!r}"
            + (f", which lacks {lacking}." if lacking else ", a class: give an instance.")
        )
    return PointwiseLoss(spec)
