"""All initializers: moments, bounds, biases; and the initial parameters of a network."""

import numpy as np
import pytest

from skdeep._network.network import Network
from skdeep.activations import ACTIVATIONS
from skdeep.initializers import INITIALIZERS, GlorotUniform, Normal, Uniform

FAN_IN, FAN_OUT = 300, 200
EACH = {**INITIALIZERS, "uniform": Uniform(-0.2, 0.6), "normal": Normal(0.3, 0.1)}
# Mean, variance and, for uniform distributions, bound.
MOMENTS = {
    "glorot_uniform": (0, 2 / 500, (6 / 500) ** 0.5),
    "glorot_normal": (0, 2 / 500, np.inf),
    "he_uniform": (0, 2 / 300, (6 / 300) ** 0.5),
    "he_normal": (0, 2 / 300, np.inf),
    "lecun_normal": (0, 1 / 300, np.inf),
    "orthogonal": (0, 1 / 300, np.inf),
    "uniform": (0.2, 0.64 / 12, 0.6),
    "normal": (0.3, 0.01, np.inf),
}
EACH_INITIALIZER = pytest.mark.parametrize("name", EACH)
DOUBLE = np.dtype(float)


@EACH_INITIALIZER
def test_moments_and_bounds(name):
    weights, bias = EACH[name].draw(np.random.RandomState(0), FAN_IN, FAN_OUT)
    mean, variance, bound = MOMENTS[name]
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert bias.shape == (1, FAN_OUT)
    # Four standard errors; for the variance, those of a normal distribution, the largest.
    assert weights.mean() == pytest.approx(mean, abs=4 * (variance / weights.size) ** 0.5)
    assert weights.var() == pytest.approx(variance, rel=4 * (2 / weights.size) ** 0.5)
    assert np.abs(weights).max() <= bound
    assert bias.any() == (name == "glorot_uniform")


@EACH_INITIALIZER
def test_draws_depend_on_the_generator_only(name):
    one, other = (EACH[name].weights(np.random.RandomState(3), 5, 4) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (7, 7), (1, 4)])
def test_orthogonal(shape):
    weights = INITIALIZERS["orthogonal"].weights(np.random.RandomState(0), *shape)
    assert weights.shape == shape
    tall = weights if shape[0] >= shape[1] else weights.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_matrices_are_uniformly_distributed():
    # Without sign correction, a QR decomposition gives a negative first entry every time.
    draw = INITIALIZERS["orthogonal"].weights
    signs = [draw(np.random.RandomState(seed), 3, 3)[0, 0] > 0 for seed in range(400)]
    assert np.mean(signs) == pytest.approx(0.5, abs=0.1)


def network(**options):
    return Network.perceptron((4, 5, 3), ACTIVATIONS["relu"], **options)


def test_initial_parameters_are_scikit_learns():
    generator = np.random.RandomState(1)
    params = network().views(network().initial(np.random.RandomState(1), 6.0, DOUBLE))
    for weights, bias in zip(params.weights, params.biases, strict=True):
        bound = np.sqrt(6 / sum(weights.shape))
        np.testing.assert_array_equal(weights, generator.uniform(-bound, bound, weights.shape))
        np.testing.assert_array_equal(bias, generator.uniform(-bound, bound, bias.shape))
    named = network().initial(np.random.RandomState(1), 0.0, DOUBLE, GlorotUniform(6.0))
    np.testing.assert_array_equal(network().pack(params), named)


def test_without_biases_none_are_drawn():
    net = network(bias=False)
    generator = np.random.RandomState(1)
    weights = net.views(net.initial(np.random.RandomState(1), 6.0, DOUBLE)).weights
    for array in weights:
        bound = np.sqrt(6 / sum(array.shape))
        np.testing.assert_array_equal(array, generator.uniform(-bound, bound, array.shape))


def test_given_weights():
    arrays = [np.arange(20.0).reshape(4, 5), np.ones((5, 3))]
    theta = network().initial(np.random.RandomState(0), 6.0, DOUBLE, arrays)
    np.testing.assert_array_equal(theta, np.r_[np.arange(20), np.ones(15), np.zeros(8)])
    with pytest.raises(ValueError, match="shorter"):
        network().initial(np.random.RandomState(0), 6.0, DOUBLE, arrays[:1])
