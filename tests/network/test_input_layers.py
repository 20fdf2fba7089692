"""Input layers in closed form, and initial weights chosen by data."""

from dataclasses import replace

import numpy as np
import pytest

from skdeep._network.data_driven import start_from_data
from skdeep._network.inference import raw_output
from skdeep._network.input_layers import PiecewiseLinearEmbedding
from skdeep._network.network import Network
from tests.network.test_layers import EACH_KIND, IDENTITY, X, network_of, random_theta


def test_bins_are_quantiles():
    layer = PiecewiseLinearEmbedding(3, 2, n_basis=4, n_components=4)
    table = np.column_stack([np.arange(101.0), np.repeat([0.0, 5.0], [50, 51]), np.ones(101)])
    network = Network.perceptron((3, 1), [], inputs=(layer,))
    theta = network.initial(np.random.RandomState(0), 6.0, np.dtype(float), X=table)
    network.views(theta).biases[0][...] = 0
    components, biases, lower, reciprocals = network.views(theta).inputs
    components[...] = np.tile(np.eye(4), (2, 1))  # the bins themselves
    biases[...] = 0
    np.testing.assert_allclose(lower[:4, 0], [0, 25, 50, 75])
    np.testing.assert_allclose(reciprocals[:4, 0], 1 / 25)
    # Two distinct values make one bin; the others stay 0.
    np.testing.assert_allclose(reciprocals[4:, 0], [1 / 5, 0, 0, 0])
    # Column by column: 30 is above the first bin and in a fifth of the second.
    weights = network.views(theta).weights[0]
    outputs = []
    for k in range(layer.n_out):
        weights[...] = np.eye(layer.n_out)[:, k : k + 1]
        outputs.append(raw_output(network, network.views(theta), np.array([[30.0, 2, 7]]))[0])
    expected = [1, 0.2, 0, 0, 0.4, 0, 0, 0, 30, 2, 7]
    np.testing.assert_allclose(np.ravel(outputs), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["plain", "periodic, scaling, dropout", "piecewise, scaling"])
def test_start_from_data_gives_every_unit_variance_one(name):
    network = network_of(name)
    generator = np.random.RandomState(0)
    theta = network.initial(generator, 6.0, np.dtype(float), X=X)
    start_from_data(network, theta, X, generator)
    params = network.views(theta)
    for i, layer in enumerate(network.layers):
        head = replace(
            network, layers=(*network.layers[:i], replace(layer, activation=IDENTITY))
        )
        part = params._replace(weights=params.weights[: i + 1], biases=params.biases[: i + 1])
        sums = raw_output(head, part, X)
        np.testing.assert_allclose(sums.std(axis=0), 1, rtol=1e-6)
        # Some rows are on either side of the unit's threshold, as it is a mean over rows.
        assert ((sums > 0).any(axis=0) & (sums < 0).any(axis=0)).all()


def test_a_unit_without_variance_keeps_its_weights():
    network = network_of("plain")
    generator = np.random.RandomState(0)
    theta = network.initial(generator, 6.0, np.dtype(float))
    before = network.views(theta.copy()).weights
    start_from_data(network, theta, np.ones((7, 4)), generator)
    np.testing.assert_array_equal(network.views(theta).weights[0], before[0])
    assert np.isfinite(theta).all()


@EACH_KIND
def test_raw_output_of_a_stack(name):
    network = network_of(name)
    theta = random_theta(network, (3,))
    raw = raw_output(network, network.views(theta), X)
    assert raw.shape == (3, 50, 2)
    for one, member in zip(raw, theta, strict=True):
        np.testing.assert_allclose(one, raw_output(network, network.views(member), X), 1e-10)
