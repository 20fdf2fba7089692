"""A sequence of layers whose parameters are stored in one flat vector.

The vector holds all weights, then all biases, then the scales and shifts of norms, and last
the running means and variances of batch norms. So what is penalized is one slice, and what
is trained is another. ``Network.views`` gives the matrices as views, with any leading axis of
models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from skdeep._arrays import Array
from skdeep._network.layers import Dense
from skdeep._network.norms import BatchNorm, LayerNorm, Norm
from skdeep.activations import ACTIVATIONS, Activation
from skdeep.initializers import GlorotUniform, Initializer


def floating(arrays: Sequence[Array]) -> np.dtype:
    """Dtype in which to compute with the given parameters: float64 for integers."""
    return np.result_type(np.float32, *arrays)


class Parameters(NamedTuple):
    """Parameters of a network, or their gradients, as matrices.

    Attributes
    ----------
    weights : list of ndarray of shape (*models, n_in, n_out)
    biases : list of ndarray of shape (*models, 1, n_out)
        Empty if the network has no biases.
    norms : list of ndarray of shape (*models, 1, n_out)
        For each layer with a norm: scale, shift and, for batch norm, running mean and
        running variance. Gradients have scale and shift only.
    """

    weights: Sequence[Array]
    biases: Sequence[Array]
    norms: Sequence[Array] = ()


@dataclass(frozen=True)
class Network:
    """A sequence of layers, and where their parameters are in the flat vector.

    Parameters
    ----------
    layers : tuple of Dense
        The `n_out` of each layer is the `n_in` of the next.
    """

    layers: tuple[Dense, ...]

    @classmethod
    def perceptron(
        cls,
        widths: Sequence[int],
        activations: Activation | Sequence[Activation],
        *,
        bias: bool = True,
        batch_norm: bool = False,
        layer_norm: bool = False,
        dropout: Sequence[bool] = (),
        residual: bool = False,
    ) -> "Network":
        """Multilayer perceptron; the last layer has no activation.

        Parameters
        ----------
        widths : sequence of int
            Number of columns of the input, of each hidden layer and of the output.
        activations : Activation or sequence of Activation
            One for all hidden layers, or one for each.
        bias : bool, default=True
            If True, layers have biases.
        batch_norm, layer_norm : bool, default=False
            Norm of the hidden layers, applied before the activation; at most one of the two.
        dropout : sequence of bool, default=()
            Whether dropout applies to the input, then to the output of each hidden layer;
            () means no dropout.
        residual : bool, default=False
            If True, hidden layers as wide as their input add it to their output.
        """
        if batch_norm and layer_norm:
            raise ValueError("A layer has one norm: choose batch_norm or layer_norm.")
        n_hidden = len(widths) - 2
        if isinstance(activations, Activation):
            activations = [activations] * n_hidden
        drops_input, *drops = dropout or (False,) * (n_hidden + 1)
        norm: Norm | None = BatchNorm() if batch_norm else LayerNorm() if layer_norm else None
        pairs = list(pairwise(widths))
        hidden = [
            Dense(n_in, n_out, activation, bias, norm, drop, residual and n_in == n_out)
            for (n_in, n_out), activation, drop in zip(
                pairs[:-1], activations, drops, strict=True
            )
        ]
        layers = [*hidden, Dense(*pairs[-1], ACTIVATIONS["identity"], bias)]
        if drops_input:
            layers[0] = replace(layers[0], drops_input=True)
        return cls(tuple(layers))

    def with_shapes(self, shapes: Sequence[tuple[int, ...]]) -> "Network":
        """The same network with the widths that weights of the given shapes imply."""
        if [(layer.n_in, layer.n_out) for layer in self.layers] == list(shapes):
            return self
        pairs = zip(self.layers, shapes, strict=True)
        return Network(tuple(replace(layer, n_in=n, n_out=m) for layer, (n, m) in pairs))

    @cached_property
    def n_weights(self) -> int:
        """Number of weights, the first part of the flat vector."""
        return sum(layer.n_in * layer.n_out for layer in self.layers)

    @cached_property
    def n_trained(self) -> int:
        """Number of trained parameters, the first part of the flat vector."""
        biases = sum(layer.n_out for layer in self.layers if layer.bias)
        norms = sum(2 * layer.n_out for layer in self.layers if layer.norm)
        return self.n_weights + biases + norms

    @cached_property
    def n_params(self) -> int:
        """Length of the flat vector, running means and variances included."""
        norms = [(len(layer.norm.starts) - 2, layer) for layer in self.layers if layer.norm]
        return self.n_trained + sum(n * layer.n_out for n, layer in norms)

    @property
    def largest_product(self) -> int:
        """Multiplications per row in the largest layer."""
        return max(layer.n_in * layer.n_out for layer in self.layers)

    @property
    def stacks(self) -> bool:
        """Whether the network can be trained in a stack: custom activations cannot."""
        return all(layer.activation.stacks for layer in self.layers)

    @property
    def needs_equal_batches(self) -> bool:
        """Whether all models of a stack must have batches of the same length.

        Shorter batches are padded with rows of weight 0, which would change the statistics
        of batch norm and the draws of dropout.
        """
        return any(
            isinstance(layer.norm, BatchNorm) or layer.dropout or layer.drops_input
            for layer in self.layers
        )

    @property
    def n_out(self) -> int:
        """Number of columns of the output."""
        return self.layers[-1].n_out

    def views(self, theta: Array) -> Parameters:
        """Matrices that are views of the flat vector.

        Parameters
        ----------
        theta : ndarray of shape (*models, n_params) or (*models, n_trained)
            Parameters, or a gradient, which has the trained parameters only.
        """
        models, length = theta.shape[:-1], theta.shape[-1]
        return Parameters(
            *[
                [
                    theta[..., start:stop].reshape(models + shape, copy=False)
                    for start, stop, shape in slices
                    if stop <= length
                ]
                for slices in self._layout
            ]
        )

    @cached_property
    def _layout(self) -> tuple[list[tuple[int, int, tuple[int, int]]], ...]:
        # Start, stop and shape of each matrix in the flat vector: weights, biases, norms.
        stop = 0

        def place(*shape: int) -> tuple[int, int, tuple[int, int]]:
            nonlocal stop
            start, stop = stop, stop + prod(shape)
            return start, stop, shape  # type: ignore[return-value]

        weights = [place(layer.n_in, layer.n_out) for layer in self.layers]
        biases = [place(1, layer.n_out) for layer in self.layers if layer.bias]
        normed = [layer for layer in self.layers if layer.norm]
        trained = [[place(1, layer.n_out) for _ in range(2)] for layer in normed]
        running = [
            [place(1, layer.n_out) for _ in layer.norm.starts[2:]]  # type: ignore[union-attr]
            for layer in normed
        ]
        # By layer: scale, shift, running mean, running variance.
        norms = [
            array
            for pair in zip(trained, running, strict=True)
            for part in pair
            for array in part
        ]
        return weights, biases, norms

    def initial(
        self,
        generator: np.random.RandomState,
        gain: float,
        dtype: np.dtype,
        initializer: Initializer | Sequence[Array] | None = None,
    ) -> Array:
        """Initial parameters, a flat vector of shape (n_params,).

        Parameters
        ----------
        generator : RandomState
        gain : float
            Gain of `GlorotUniform`, the default initializer.
        dtype : dtype
        initializer : Initializer or sequence of ndarray, default=None
            Initializer, or the weights of each layer. None means `GlorotUniform(gain)`.
        """
        theta = np.zeros(self.n_params, dtype)
        params = self.views(theta)
        if initializer is None or isinstance(initializer, Initializer):
            initializer = initializer or GlorotUniform(gain)
            biases = iter(params.biases)
            for layer, view in zip(self.layers, params.weights, strict=True):
                view[...], bias = initializer.draw(
                    generator, layer.n_in, layer.n_out, layer.bias
                )
                if layer.bias:
                    next(biases)[...] = bias
        else:
            for view, array in zip(params.weights, initializer, strict=True):
                view[...] = array
        starts = [start for layer in self.layers if layer.norm for start in layer.norm.starts]
        for view, start in zip(params.norms, starts, strict=True):
            view[...] = start
        return theta

    def pack(self, params: Parameters) -> Array:
        """Copy the parameters to a new flat vector."""
        theta = np.empty(self.n_params, floating(params.weights))
        for views, arrays in zip(self.views(theta), params, strict=True):
            for view, array in zip(views, arrays, strict=True):
                view[...] = array
        return theta

    def checksum(self, params: Parameters) -> float:
        """A number that changes with the parameters."""
        return float(sum(np.sum(array, dtype=float) for part in params for array in part))
