"""Hidden layers' functions, each with its derivative right under it.

``forward(z, out)`` writes f(z) into ``out``; ``backward(z, out, delta)`` multiplies
``delta`` by f'(z). Both work in place on arrays of any shape. Where a function's
derivative follows from its value, ``z`` and ``out`` are one array (``in_place``); the
others are given two, and may use both as scratch: once ``backward`` is called, nobody
else needs them. No formula overflows or loses its limit for \\|z\\| up to 1e4 in float32.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from skdeep._arrays import Array


class Activation:
    """A differentiable function applied to each element.

    Attributes
    ----------
    in_place : bool
        Whether ``z`` and ``out`` are one array, because ``backward`` needs f(z) alone.
    stacks : bool
        Whether arrays may have the models of a stack in front.
    """

    in_place = True
    stacks = True

    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) into `out`."""
        raise NotImplementedError

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        """Multiply `delta` by f'(z); `z` and `out` are scratch from here on."""
        raise NotImplementedError


@dataclass(frozen=True)
class Identity(Activation):
    """f(z) = z."""

    def forward(self, z: Array, out: Array) -> None:
        pass

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        pass


def _logistic(z: Array, out: Array) -> None:
    # (1 + tanh(z / 2)) / 2: NumPy's tanh is vectorised and cannot overflow.
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


@dataclass(frozen=True)
class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), f' = f (1 - f)."""

    def forward(self, z: Array, out: Array) -> None:
        _logistic(z, out)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        delta *= out
        np.subtract(1, out, out=out)
        delta *= out


@dataclass(frozen=True)
class Tanh(Activation):
    """f(z) = tanh(z), f' = 1 - f^2."""

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.square(out, out=out)
        np.subtract(1, out, out=out)
        delta *= out


@dataclass(frozen=True)
class ReLU(Activation):
    """f(z) = max(z, 0), f' = 1 where z > 0, else 0 [1]_.

    References
    ----------
    .. [1] Nair & Hinton, "Rectified linear units improve restricted Boltzmann
       machines", ICML 2010.
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        # (z + |z|) / 2, which is exact: NumPy has vector instructions for these three
        # passes, and none for the maximum of an array and a number.
        np.abs(z, out)
        out += z
        out *= 0.5

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.greater(z, 0, z)
        delta *= z


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
        np.maximum(z, out, out=out)  # exp(z) - 1 >= z, with equality at 0 only

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        np.minimum(z, 0, out=out)
        np.exp(out, out=out)
        delta *= out


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class GELU(Activation):
    """f(z) = z Phi(z), f' = Phi(z) + z phi(z), with the normal law's exact Phi [1]_.

    References
    ----------
    .. [1] Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415;
       the exact form, not the tanh approximation.
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


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
    # From here on 2 / q is below float64's resolution of 1, and u^2 fits float32.
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


@dataclass(frozen=True)
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
    """An activation of the user's own.

    Parameters
    ----------
    spec : object
        With two methods, each from an array to an array of the same shape:
        ``value(z)`` gives f(z), ``derivative(z)`` gives f'(z), element by element. They
        must not write to ``z``.

    Notes
    -----
    Two are equal if they hold the same object, or hashable objects that are equal, such as
    instances of a frozen dataclass. Inside :class:`~skdeep.lockstep`, networks with an
    activation of your own are trained one by one, so ``z`` always has shape (rows, columns).

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
        if not isinstance(other, Custom):
            return NotImplemented
        same = self.spec is other.spec
        return same or (isinstance(self.spec, Hashable) and bool(self.spec == other.spec))

    def __hash__(self) -> int:
        # Of what the object is, not of what it holds, which need not be hashable.
        return hash((Custom, type(self.spec)))

    def __repr__(self) -> str:
        # Of an object that does not say what it is, the kind says more than its address.
        kind = type(self.spec)
        plain = kind.__repr__ is object.__repr__
        return f"Custom({kind.__name__}())" if plain else f"Custom({self.spec!r})"

    def forward(self, z: Array, out: Array) -> None:
        out[...] = self._elements("value", z)

    def backward(self, z: Array, out: Array, delta: Array) -> None:
        delta *= self._elements("derivative", z)

    def _elements(self, method: str, z: Array) -> Array:
        found = getattr(self.spec, method)(z)
        if np.shape(found) != z.shape:
            raise ValueError(
                f"{type(self.spec).__name__}.{method}(z) returned shape {np.shape(found)} for "
                f"z of shape {z.shape}: return one number for each element."
            )
        return found


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
