"""Initial weights and biases that suit a sample of rows, so that every unit is in use."""

from dataclasses import replace

import numpy as np

from skdeep._arrays import Array
from skdeep._network.inference import raw_output
from skdeep._network.layers import Dense
from skdeep._network.network import Network, Parameters
from skdeep.activations import Identity

# Rows whose sums are combined to a bias.
N_COMBINED = 5


def start_from_data(
    network: Network, theta: Array, X: Array, generator: np.random.RandomState
) -> None:
    """Rescale weights and set biases in place, layer by layer [1]_.

    The weights of a unit are divided by the standard deviation of its sums over the rows of X,
    of shape (n_rows, n_in); a unit whose sums are constant keeps its weights. Its bias is minus
    a random convex combination of its sums at five random rows, so that the unit changes from
    inactive to active within the data. The network has biases and no norms.

    .. [1] Holzmueller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, appendix A ("he+5").
    """
    params = network.views(theta)
    biases = iter(params.biases)
    for i, layer in enumerate(network.layers):
        # The network up to the weighted sums of this layer, without bias.
        bias = next(biases)
        bias[...] = 0
        sums = raw_output(*_head(network, params, i), X)
        std = sums.std(axis=0)
        # The sums of a constant unit may differ by rounding.
        std[std <= 1e-6 * np.abs(sums).max(axis=0)] = 1
        params.weights[i][...] /= std
        shape = (layer.n_out, N_COMBINED)
        rows = generator.randint(len(X), size=shape)
        shares = generator.exponential(size=shape)
        shares /= shares.sum(axis=1, keepdims=True)
        picked = sums[rows, np.arange(layer.n_out)[:, None]] / std[:, None]
        bias[...] = -(shares * picked).sum(axis=1)


def _head(network: Network, params: Parameters, i: int) -> tuple[Network, Parameters]:
    # The network whose output are the weighted sums of layer i.
    n_in, n_out = params.weights[i].shape
    layers = (*network.layers[:i], Dense(n_in, n_out, Identity(), bias=False))
    return replace(network, layers=layers), params._replace(
        weights=params.weights[: i + 1], biases=params.biases[:i]
    )
