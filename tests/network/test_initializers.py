"""Laws for every initialiser: moments, bounds, biases of 0; and where a network starts."""

import numpy as np
import pytest

from skdeep._network.network import Network
from skdeep.activations import ACTIVATIONS
from skdeep.initializers import INITIALIZERS, GlorotUniform, Normal, Uniform

FAN_IN, FAN_OUT = 300, 200
LAWS = {**INITIALIZERS, "uniform": Uniform(-0.2, 0.6), "normal": Normal(0.3, 0.1)}
# Mean and variance, and the bound of uniform laws.
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
EACH_LAW = pytest.mark.parametrize("name", LAWS)
DOUBLE = np.dtype(float)


@EACH_LAW
def test_moments_and_bounds(name):
    weights, bias = LAWS[name].draw(np.random.RandomState(0), FAN_IN, FAN_OUT)
    mean, variance, bound = MOMENTS[name]
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert bias.shape == (1, FAN_OUT)
    # Four standard errors of the mean; of the variance of a normal law, the widest here.
    assert weights.mean() == pytest.approx(mean, abs=4 * (variance / weights.size) ** 0.5)
    assert weights.var() == pytest.approx(variance, rel=4 * (2 / weights.size) ** 0.5)
    assert np.abs(weights).max() <= bound
    assert bias.any() == (name == "glorot_uniform")


@EACH_LAW
def test_same_generator_same_draws(name):
    one, other = (LAWS[name].weights(np.random.RandomState(3), 5, 4) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (7, 7), (1, 4)])
def test_orthogonal(shape):
    weights = INITIALIZERS["orthogonal"].weights(np.random.RandomState(0), *shape)
    assert weights.shape == shape
    tall = weights if shape[0] >= shape[1] else weights.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_matrices_are_all_alike():
    # Without the signs, the QR decomposition gives a negative first entry each time.
    draw = INITIALIZERS["orthogonal"].weights
    signs = [draw(np.random.RandomState(seed), 3, 3)[0, 0] > 0 for seed in range(400)]
    assert np.mean(signs) == pytest.approx(0.5, abs=0.1)


def network(**options):
    return Network.perceptron((4, 5, 3), ACTIVATIONS["relu"], **options)


def test_a_network_starts_where_scikit_learns_does():
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
    for own in weights:
        bound = np.sqrt(6 / sum(own.shape))
        np.testing.assert_array_equal(own, generator.uniform(-bound, bound, own.shape))


def test_given_weights():
    arrays = [np.arange(20.0).reshape(4, 5), np.ones((5, 3))]
    theta = network().initial(np.random.RandomState(0), 6.0, DOUBLE, arrays)
    np.testing.assert_array_equal(theta, np.r_[np.arange(20), np.ones(15), np.zeros(8)])
    with pytest.raises(ValueError, match="shorter"):
        network().initial(np.random.RandomState(0), 6.0, DOUBLE, arrays[:1])
