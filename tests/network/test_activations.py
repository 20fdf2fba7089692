"""All activations: values, derivatives, and stability in float32."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from skdeep.activations import ACTIVATIONS, Custom

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _softplus(z):
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
    "selu": lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * math.expm1(z)),
    "gelu": lambda z: z * 0.5 * math.erfc(-z / math.sqrt(2)),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "mish": lambda z: z * math.tanh(_softplus(z)),
    "softplus": _softplus,
}


def value(name, z):
    """f(z), with buffers as a layer provides them."""
    activation = ACTIVATIONS[name]
    z = z.copy()
    out = z if activation.in_place else np.empty_like(z)
    activation.forward(z, out)
    return out


def derivative(name, z):
    """f'(z), with buffers as a layer provides them."""
    activation = ACTIVATIONS[name]
    z = z.copy()
    out = z if activation.in_place else np.empty_like(z)
    activation.forward(z, out)
    delta = np.ones_like(z)
    activation.backward(z, out, delta)
    return delta


def test_every_activation_has_a_formula():
    assert set(FORMULAS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value(name):
    z = np.linspace(-30, 30, 601)
    expected = [FORMULAS[name](x) for x in z]
    np.testing.assert_allclose(value(name, z), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_matches_finite_differences(name):
    rng = np.random.default_rng(0)
    z = rng.uniform(-8, 8, 500)
    z = z[np.abs(z) > 1e-3]  # away from the kinks
    step = 1e-5
    numeric = (value(name, z + step) - value(name, z - step)) / (2 * step)
    np.testing.assert_allclose(derivative(name, z), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_stable_in_float32(name):
    ends = np.array([1e4, 3e3, 500, 104, 89, 88, 40, 17, 10, 3, 1, 1e-3, 1e-20, 0], np.float32)
    z = np.concatenate([ends, -ends])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, slopes = value(name, z), derivative(name, z)
    wide = z.astype(np.float64)
    assert values.dtype == slopes.dtype == np.float32
    # The same as in float64, up to rounding.
    np.testing.assert_allclose(values, value(name, wide), rtol=1e-6, atol=3e-6)
    np.testing.assert_allclose(slopes, derivative(name, wide), rtol=1e-5, atol=3e-6)
    limit = {"logistic": 0, "tanh": 0}.get(name, SELU_SCALE if name == "selu" else 1)
    assert slopes[0] == pytest.approx(limit)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_memory_order(name):
    # Output buffers are column-major, and those of a stack have a third axis.
    z = np.random.default_rng(1).normal(size=(2, 3, 4))
    transposed = np.ascontiguousarray(z.mT).mT
    np.testing.assert_array_equal(value(name, z), value(name, transposed))
    np.testing.assert_array_equal(derivative(name, z), derivative(name, transposed))


@dataclass
class Snake:
    """z + sin(a z)^2 / a."""

    a: float = 1.0

    def value(self, z):
        return z + np.sin(self.a * z) ** 2 / self.a

    def derivative(self, z):
        return 1 + np.sin(2 * self.a * z)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_custom(dtype):
    activation = Custom(Snake(2.0))
    z = np.linspace(-3, 3, 12).astype(dtype).reshape(2, 3, 2)
    z_before, out, delta = z.copy(), np.empty_like(z), np.full_like(z, 3)
    activation.forward(z, out)
    np.testing.assert_allclose(out, z + np.sin(2 * z) ** 2 / 2, rtol=1e-5)
    activation.backward(z, out, delta)
    np.testing.assert_allclose(delta, 3 * (1 + np.sin(4 * z)), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(z, z_before)
    assert out.dtype == delta.dtype == dtype


def test_custom_hash_equality_and_repr():
    snake = Snake()
    assert Custom(snake) == Custom(snake)
    assert hash(Custom(snake)) == hash(Custom(snake))
    assert Custom(snake) != Custom(Snake())
    assert Custom(snake) != ACTIVATIONS["relu"]
    assert repr(Custom(snake)) == "Custom(Snake(a=1.0))"
