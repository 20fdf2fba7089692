"""Activation functions of the hidden layers, each with its derivative right below it.

``forward(z, out)`` writes f(z) to ``out``; ``backward(z, out, delta)`` multiplies ``delta``
by f'(z). Both work in place on arrays of any shape. If a derivative can be computed from
f(z) alone, ``z`` and ``out`` are the same array (``in_place``). Otherwise they are two
arrays, and ``backward`` may overwrite both. All formulas are stable in float32 for
\\|z\\| up to 1e4.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from skdeep._arrays import Array


@dataclass(frozen=True)
class Activation:
    """Base class of activations: a differentiable function of each element.

    Attributes
    ----------
    in_place : bool
        If True, ``z`` and ``out`` are the same array: ``backward`` needs f(z) only.
    stacks : bool
        If True, networks with this activation can be trained as a stack, on arrays with a
        leading axis of models.
    """

    in_place = True
    stacks = True

    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) to `out`."""
        raise NotImplementedError

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        """Multiply `delta` by f'(z); may overwrite `z` and `out`."""
        raise NotImplementedError


class Identity(Activation):
    """f(z) = z."""

    def forward(self, z: Array, out: Array) -> None:
        pass

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        pass


def _logistic(z: Array, out: Array) -> None:
    # (1 + tanh(z / 2)) / 2: NumPy's tanh is vectorized and cannot overflow.
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), f' = f (1 - f)."""

    def forward(self, z: Array, out: Array) -> None:
        _logistic(z, out)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        delta *= out
        np.subtract(1, out, out=out)
        delta *= out


class Tanh(Activation):
    """f(z) = tanh(z), f' = 1 - f^2."""

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.square(out, out=out)
        np.subtract(1, out, out=out)
        delta *= out


class ReLU(Activation):
    """f(z) = max(z, 0), f' = 1 if z > 0, else 0 [1]_.

    References
    ----------
    .. [1] Nair & Hinton, "Rectified linear units improve restricted Boltzmann
       machines", ICML 2010.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        # (z + |z|) / 2 is exact, and faster: NumPy vectorizes these three passes, but not the
        # maximum of an array and a scalar.
        np.abs(z, out)
        out += z
        out *= 0.5

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.greater(z, 0, z)
        delta *= z


class LeakyReLU(Activation):
    """f(z) = max(z, 0.01 z) [1]_.

    References
    ----------
    .. [1] Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic
       models", ICML 2013.
    """

    in_place = False
    slope = 0.01

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, self.slope, out=out)
        np.maximum(z, out, out=out)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.greater(z, 0, out=out)
        out *= 1 - self.slope
        out += self.slope
        delta *= out


class ELU(Activation):
    """f(z) = z for z > 0, else exp(z) - 1; f' = exp(min(z, 0)) [1]_.

    References
    ----------
    .. [1] Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network learning
       by exponential linear units (ELUs)", ICLR 2016, with alpha = 1.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        np.minimum(z, 0, out=out)
        np.expm1(out, out=out)
        np.maximum(z, out, out=out)  # exp(z) - 1 >= z, with equality only at 0

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.minimum(z, 0, out=out)
        np.exp(out, out=out)
        delta *= out


class SELU(Activation):
    """f(z) = s z for z > 0, else s a (exp(z) - 1), with s = 1.0507..., a = 1.6732... [1]_.

    References
    ----------
    .. [1] Klambauer, Unterthiner, Mayr & Hochreiter, "Self-normalizing neural
       networks", NeurIPS 2017.
    """

    in_place = False
    alpha = 1.6732632423543772
    scale = 1.0507009873554805

    def forward(self, z: Array, out: Array) -> None:
        np.minimum(z, 0, out=out)
        np.expm1(out, out=out)
        out *= self.alpha
        np.maximum(z, 0, out=z)
        out += z
        out *= self.scale

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        # z holds max(z, 0); below 0, f' = s a exp(z) = f + s a.
        saturation = self.scale * self.alpha
        np.greater(z, 0, out=z)
        z *= self.scale - saturation
        z += saturation
        np.minimum(out, 0, out=out)
        out += z
        delta *= out


class GELU(Activation):
    """f(z) = z Phi(z), f' = Phi(z) + z phi(z), with the standard normal's Phi and phi [1]_.

    References
    ----------
    .. [1] Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415.
       The exact form, not the tanh approximation.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        ndtr(z, out=out)
        out *= z

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.square(z, out=out)
        out *= -0.5
        np.exp(out, out=out)
        out *= z
        out *= 1 / math.sqrt(2 * math.pi)
        ndtr(z, out=z)
        out += z
        delta *= out


class SiLU(Activation):
    """f(z) = z s(z), f' = s(z) (1 + z s(-z)), with s the logistic function [1]_.

    References
    ----------
    .. [1] Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units for neural network
       function approximation in reinforcement learning", Neural Networks 107, 2018.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        _logistic(z, out)
        out *= z

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        _logistic(z, out)
        delta *= out
        np.subtract(1, out, out=out)
        out *= z
        out += 1
        delta *= out


class Mish(Activation):
    """f(z) = z tanh(log(1 + exp(z))) [1]_.

    With u = 1 + exp(z) and q = u^2 + 1: f = z (1 - 2 / q) and
    f' = (4 z u (u - 1) / q + q - 2) / q.

    References
    ----------
    .. [1] Misra, "Mish: a self regularized non-monotonic activation function",
       BMVC 2020.
    """

    in_place = False
    # Above this, 2 / q is below the resolution of float64 at 1; u^2 still fits float32.
    linear_from = 20.0

    def forward(self, z: Array, out: Array) -> None:
        self._u(z, out)
        np.square(out, out=out)
        out += 1
        np.divide(-2, out, out=out)
        out += 1
        out *= z

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        self._u(z, out)
        z *= out
        out -= 1
        z *= out
        z *= 4
        out += 1
        np.square(out, out=out)
        out += 1
        z /= out
        z += out
        z -= 2
        z /= out
        delta *= z

    def _u(self, z: Array, out: Array) -> None:
        np.minimum(z, self.linear_from, out=out)
        np.exp(out, out=out)
        out += 1


class Softplus(Activation):
    """f(z) = log(1 + exp(z)) = max(z, 0) + log(1 + exp(-abs(z))), f' = 1 - exp(-f) [1]_.

    References
    ----------
    .. [1] Dugas et al., "Incorporating second-order functional knowledge for better
       option pricing", NeurIPS 2000.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        np.abs(z, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        np.maximum(z, 0, out=z)
        out += z

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.negative(out, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)
        delta *= out


class Custom(Activation):
    """User-defined activation.

    Parameters
    ----------
    spec : object
        An object with two elementwise methods, ``value(z)`` for f(z) and ``derivative(z)``
        for f'(z). Both return an array of the same shape as ``z`` and must not modify ``z``.

    Notes
    -----
    Inside :class:`~skdeep.lockstep`, networks with a custom activation are trained one at a
    time, so ``z`` always has shape (rows, columns).

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.activations import Custom
    >>> class Snake:
    ...     def value(self, z):
    ...         return z + np.sin(z) ** 2
    ...     def derivative(self, z):
    ...         return 1 + np.sin(2 * z)
    >>> snake = Custom(Snake())
    >>> z = np.array([[-1.0, 0.0, 1.0]])
    >>> out, delta = np.empty_like(z), np.ones_like(z)
    >>> snake.forward(z, out)
    >>> snake.backward(z, out, delta)
    >>> out.round(3), delta.round(3)
    (array([[-0.292,  0.   ,  1.708]]), array([[0.091, 1.   , 1.909]]))
    """

    in_place = False
    stacks = False

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def __eq__(self, other: object) -> bool:
        # By identity: the object itself may compare in any way.
        return isinstance(other, Custom) and self.spec is other.spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __repr__(self) -> str:
        # The default repr shows an address; the class name is more useful.
        cls = type(self.spec)
        has_default_repr = cls.__repr__ is object.__repr__
        return f"Custom({cls.__name__}())" if has_default_repr else f"Custom({self.spec!r})"

    def forward(self, z: Array, out: Array) -> None:
        out[...] = self._call("value", z)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        delta *= self._call("derivative", z)

    def _call(self, method: str, z: Array) -> Array:
        result = getattr(self.spec, method)(z)
        if np.shape(result) != z.shape:
            raise ValueError(
                f"{type(self.spec).__name__}.{method}(z) returned shape {np.shape(result)} for "
                f"z of shape {z.shape}: return one number for each element."
            )
        return result


ACTIVATIONS: dict[str, Activation] = {
    "identity": Identity(),
    "logistic": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "elu": ELU(),
    "selu": SELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "mish": Mish(),
    "softplus": Softplus(),
}
