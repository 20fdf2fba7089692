"""A sequence of layers whose parameters are stored in one flat vector.

The vector holds all weights, then all biases, then the scales and shifts of norms, then the
parameters of input layers, and last what is not trained: the running means and variances of
batch norms, and the fixed arrays of input layers. So what is penalized is one slice, and what
is trained is another. ``Network.views`` gives the matrices as views, with any leading axis of
models.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skdeep._arrays import Array
from skdeep._network.input_layers import InputLayer
from skdeep._network.layers import Dense
from skdeep._network.norms import BatchNorm, LayerNorm, Norm
from skdeep.activations import Activation, Identity
from skdeep.initializers import GlorotUniform, Initializer


def floating(arrays: Sequence[Array]) -> np.dtype:
    """Dtype in which to compute with the given parameters: float64 for integers."""
    return np.result_type(np.float32, *arrays)


class Parameters(NamedTuple):
    """Parameters of a network, or their gradients, as matrices.

    Weights have shape (*models, n_in, n_out), all others (*models, 1, n_out). The list of norms
    has, for each layer with a norm: scale, shift and, for batch norm, running mean and
    running variance. `inputs` has the trained arrays of each input layer, then its fixed ones.
    Gradients have what is trained only.
    """

    weights: Sequence[Array]
    biases: Sequence[Array]
    norms: Sequence[Array] = ()
    inputs: Sequence[Array] = ()


class Part(NamedTuple):
    """A slice of the flat vector that is trained in its own way.

    `rate` and `decay` multiply the learning rate and the weight decay of the solver.
    """

    start: int
    stop: int
    rate: float = 1.0
    decay: float = 1.0


@dataclass(frozen=True)
class Network:
    """A sequence of layers, and where their parameters are in the flat vector."""

    layers: tuple[Dense, ...]
    inputs: tuple[InputLayer, ...] = ()

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
        inputs: Sequence[InputLayer] = (),
    ) -> "Network":
        """Multilayer perceptron; the last layer has no activation.

        `widths` are those of the input, of each hidden layer and of the output, `activations`
        one for all hidden layers or one for each. `dropout` is for the input, then for the
        output of each hidden layer; () means none. With `residual`, hidden layers as wide as
        their input add it to their output. `inputs` are the layers before the first hidden one.
        """
        if batch_norm and layer_norm:
            raise ValueError("A layer has one norm: choose batch_norm or layer_norm.")
        n_hidden = len(widths) - 2
        if isinstance(activations, Activation):
            activations = [activations] * n_hidden
        drops_input, *drops = dropout or (False,) * (n_hidden + 1)
        norm: Norm | None = BatchNorm() if batch_norm else LayerNorm() if layer_norm else None
        n_in = inputs[-1].n_out if inputs else widths[0]
        *pairs, last = pairwise([n_in, *widths[1:]])
        layers = [
            Dense(n_in, n_out, activation, bias, norm, drop, residual and n_in == n_out)
            for (n_in, n_out), activation, drop in zip(pairs, activations, drops, strict=True)
        ]
        layers.append(Dense(*last, Identity(), bias))
        if drops_input:
            layers[0] = replace(layers[0], drops_input=True)
        return cls(tuple(layers), tuple(inputs))

    def with_shapes(self, shapes: Sequence[tuple[int, ...]]) -> "Network":
        """The same network with the widths that weights of the given shapes imply."""
        if [(layer.n_in, layer.n_out) for layer in self.layers] == list(shapes):
            return self
        pairs = zip(self.layers, shapes, strict=True)
        layers = [replace(layer, n_in=n, n_out=m) for layer, (n, m) in pairs]
        return replace(self, layers=tuple(layers))

    @cached_property
    def n_weights(self) -> int:
        """Number of weights, the first part of the flat vector."""
        return sum(layer.n_in * layer.n_out for layer in self.layers)

    @cached_property
    def n_trained(self) -> int:
        """Number of trained parameters, the first part of the flat vector."""
        widths = [layer.n_out * (layer.bias + 2 * bool(layer.norm)) for layer in self.layers]
        inputs = [prod(shape) for layer in self.inputs for shape in layer.shapes]
        return self.n_weights + sum(widths) + sum(inputs)

    @cached_property
    def n_params(self) -> int:
        """Length of the flat vector, including what is not trained."""
        norms = [(len(layer.norm.starts) - 2, layer) for layer in self.layers if layer.norm]
        fixed = [prod(shape) for layer in self.inputs for shape in layer.fixed_shapes]
        return self.n_trained + sum(n * layer.n_out for n, layer in norms) + sum(fixed)

    @property
    def n_in(self) -> int:
        """Number of columns of the input."""
        return self.inputs[0].n_in if self.inputs else self.layers[0].n_in

    @property
    def widest(self) -> int:
        """Number of columns of the widest buffer."""
        dense = [max(layer.n_in, layer.n_out) for layer in self.layers]
        return max(dense + [layer.n_buffer for layer in self.inputs])

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
        of batch norm.
        """
        return any(isinstance(layer.norm, BatchNorm) for layer in self.layers)

    @property
    def n_out(self) -> int:
        """Number of columns of the output."""
        return self.layers[-1].n_out

    @property
    def slices(self) -> dict[str, list[tuple[int, int]]]:
        """Start and stop of each array in the flat vector, by the fields of `Parameters`."""
        names = zip(Parameters._fields, self._layout, strict=True)
        return {name: [place[:2] for place in places] for name, places in names}

    def views(self, theta: Array) -> Parameters:
        """Matrices that are views of the flat vector.

        `theta` has shape (*models, n_params), or (*models, n_trained) if it is a gradient.
        """
        models, length = theta.shape[:-1], theta.shape[-1]
        found = []
        for slices in self._layout:  # no generator: each partial_fit comes here four times
            found.append(
                [
                    theta[..., start:stop].reshape(models + shape, copy=False)
                    for start, stop, shape in slices
                    if stop <= length
                ]
            )
        return Parameters(*found)

    @cached_property
    def _layout(self) -> tuple[list[tuple[int, int, tuple[int, int]]], ...]:
        # Start, stop and shape of each matrix in the flat vector, as in `Parameters`.
        stop = 0

        def place(n_rows: int, n_columns: int) -> tuple[int, int, tuple[int, int]]:
            nonlocal stop
            start, stop = stop, stop + n_rows * n_columns
            return start, stop, (n_rows, n_columns)

        weights = [place(layer.n_in, layer.n_out) for layer in self.layers]
        biases = [place(1, layer.n_out) for layer in self.layers if layer.bias]
        normed = [(layer.n_out, layer.norm) for layer in self.layers if layer.norm]
        trained = [[place(1, width) for _ in norm.starts[:2]] for width, norm in normed]
        inputs = [[place(*shape) for shape in layer.shapes] for layer in self.inputs]
        running = [[place(1, width) for _ in norm.starts[2:]] for width, norm in normed]
        fixed = [[place(*shape) for shape in layer.fixed_shapes] for layer in self.inputs]
        return weights, biases, _by_layer(trained, running), _by_layer(inputs, fixed)

    def initial(
        self,
        generator: np.random.RandomState,
        gain: float,
        dtype: np.dtype,
        initializer: Initializer | Sequence[Array] | None = None,
        X: Array | None = None,
    ) -> Array:
        """Initial parameters, a flat vector of shape (n_params,).

        `initializer` may also be the weights of each layer; None means `GlorotUniform(gain)`.
        `X`, of shape (n_rows, n_in), is a sample of rows, for input layers that need one.
        """
        theta = np.zeros(self.n_params, dtype)
        params = self.views(theta)
        if initializer is None:
            initializer = GlorotUniform(gain)
        if isinstance(initializer, Initializer):
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
        arrays = [array for layer in self.inputs for array in layer.initial(generator, X)]
        for view, array in zip(params.inputs, arrays, strict=True):
            view[...] = array
        return theta

    def pack(self, params: Parameters) -> Array:
        """Copy the parameters to a new flat vector."""
        theta = np.empty(self.n_params, floating(params.weights))
        for views, arrays in zip(self.views(theta), params, strict=True):
            for view, array in zip(views, arrays, strict=True):
                view[...] = array
        return theta

    def checksum(self, params: Parameters) -> int:
        """A number that changes with the parameters."""
        return zlib.crc32(b"".join(array.tobytes() for part in params for array in part))


def _by_layer(trained: list[list[Any]], others: list[list[Any]]) -> list[Any]:
    # The trained arrays of each layer, followed by its other ones.
    return list(chain(*chain(*zip(trained, others, strict=True))))
