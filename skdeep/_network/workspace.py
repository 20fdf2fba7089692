"""Buffers of a network's forward and backward passes, and the stages that use them.

Training and prediction bind different stages to the same formulas: the choice is made once,
by whether there are gradients to assign.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.dropout import BoundDropout, BoundSparseDropout, Dropout
from skdeep._network.input_layers import BoundInputLayer
from skdeep._network.layers import BoundResidual, Dense
from skdeep._network.network import Network, Parameters


class Pass:
    """A network connected to its parameters and to buffers of one batch size.

    The stages in `layers` have `forward(x)` and `backward()`; the last is a `BoundDense`. In
    training, the loss has two buffers of shape (*models, rows, n_out): `delta` for its
    gradient and `scratch` for intermediate results.
    """

    def __init__(self, layers: list[Any], scratch: Array) -> None:
        self.layers = layers
        self.scratch = scratch

    @property
    def delta(self) -> Array:
        return self.layers[-1].delta

    def forward(self, x: Array) -> Array:
        """Raw output, of shape (*models, rows, n_out)."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self) -> None:
        """Assign all gradients, given `delta`."""
        for layer in reversed(self.layers):
            layer.backward()


class Workspace:
    """All buffers of a network's passes, allocated once and sliced for each batch size.

    The leading shape `models` is () for one network, (n_models,) for a stack; the largest batch
    has `capacity` rows, and `sparse` means SciPy CSR. `backward` assigns `gradients`; None
    means prediction, with forward passes only. Training updates the running averages of batch
    norms in `params`.
    """

    def __init__(
        self,
        network: Network,
        params: Parameters,
        models: tuple[int, ...],
        capacity: int,
        dtype: np.dtype,
        sparse: bool = False,
        gradients: Parameters | None = None,
        dropout: Dropout | None = None,
    ) -> None:
        self.n_in = network.n_in
        self.inputs = network.inputs
        self.input_arrays = params.inputs
        self.d_input_arrays = () if gradients is None else gradients.inputs
        self.layers = layers = network.layers
        self.arrays = _by_layer(layers, params)
        self.d_arrays = (
            None if gradients is None else _by_layer(layers, gradients, trained=True)
        )
        self.models = models
        self.capacity = capacity
        self.dtype = dtype
        self.sparse = sparse
        self.dropout = dropout
        self._flat: dict[tuple[str, int], Array] = {}
        self._passes: dict[int, Pass] = {}

    def bind(self, n_rows: int) -> Pass:
        """The pass over batches of `n_rows` rows, made once for each size."""
        if n_rows not in self._passes:
            self._passes[n_rows] = self._bind(n_rows)
        return self._passes[n_rows]

    def _buffer(self, name: str, i: int, n_rows: int, n_columns: int) -> Array:
        # The head of a flat buffer, of shape (*models, n_rows, n_columns), contiguous.
        # Matrix products are fastest in row-major order. The output of the network is in
        # column-major order, so that a softmax, which reduces each row, runs along columns;
        # so are the buffers of input layers, which have negative numbers.
        size = prod(self.models) * n_columns
        if (name, i) not in self._flat:
            self._flat[name, i] = np.empty(size * self.capacity, self.dtype)
        head = self._flat[name, i][: size * n_rows]
        if i == len(self.layers) - 1 or i < 0:
            return head.reshape(*self.models, n_columns, n_rows, copy=False).mT
        return head.reshape(*self.models, n_rows, n_columns, copy=False)

    def _bind(self, n_rows: int) -> Pass:
        n_layers = len(self.layers)
        stages: list[Any] = []
        if self.dropout and self.layers[0].drops_input:
            stages.append(self._bind_input_dropout(self.dropout, n_rows))
        input_stages, delta = self._bind_inputs(n_rows)
        stages += input_stages
        for i in range(n_layers):
            layer_stages, delta = self._bind_layer(i, n_rows, delta)
            stages += layer_stages
        if self.d_arrays is None:
            return Pass(stages, stages[-1].out[..., :0])
        scratch = self._buffer("scratch", n_layers - 1, n_rows, self.layers[-1].n_out)
        return Pass(stages, scratch)

    def _bind_layer(
        self, i: int, n_rows: int, d_x: Array | None
    ) -> tuple[list[Any], Array | None]:
        # The stages of a layer, and the buffer for the gradient with respect to its output.
        layer = self.layers[i]
        training = self.d_arrays is not None

        def buffer(name: str) -> Array:
            return self._buffer(name, i, n_rows, layer.n_out)

        weights, bias, norm_arrays = self.arrays[i]
        out = buffer("out")
        z = out if layer.activation.in_place else buffer("z")
        stages: list[Any]
        if layer.norm:
            sums = buffer("sums")
            stages = [
                layer.bind(weights, bias, sums, sums, self.sparse and i == 0),
                layer.norm.bind(layer.activation, norm_arrays, z, out, training),
            ]
        else:
            stages = [layer.bind(weights, bias, z, out, self.sparse and i == 0)]
        delta = buffer("delta") if training else None
        # A branch overwrites its gradient, which the skip connection still needs.
        inner = buffer("inner delta") if training and layer.residual else delta
        if self.d_arrays is not None:
            d_weights, d_bias, d_norm = self.d_arrays[i]
            stages[0].bind_gradients(d_weights, d_bias, inner, d_x)
            if layer.norm:
                stages[1].bind_gradients(*d_norm, inner)
        if layer.dropout and self.dropout:
            mask, dropped = buffer("mask"), buffer("dropped")
            stages.append(BoundDropout(self.dropout, i + 1, mask, dropped, inner))
        if layer.residual:
            stages = [BoundResidual(stages, buffer("sum"), delta, inner, d_x)]
        return stages, delta

    def _bind_inputs(self, n_rows: int) -> tuple[list[BoundInputLayer], Array | None]:
        # The stages of the input layers, and the buffer for the gradient with respect to the
        # output of the last: None if there is no such layer or nothing is trained.
        stages: list[BoundInputLayer] = []
        d_x = None  # (*models, columns, rows)
        arrays, d_arrays = iter(self.input_arrays), iter(self.d_input_arrays)
        for j, layer in enumerate(self.inputs):

            def allocate(name: str, n_columns: int, j: int = j) -> Array:
                return self._buffer(name, -1 - j, n_rows, n_columns).mT

            own = [next(arrays) for _ in (*layer.shapes, *layer.fixed_shapes)]
            stages.append(layer.bind(own, allocate))
            if self.d_arrays is not None:
                delta = allocate("delta", layer.n_out)
                own = [next(d_arrays) for _ in layer.shapes]
                stages[-1].bind_gradients(own, delta, d_x)
                d_x = delta
        return stages, None if d_x is None else d_x.mT

    def _bind_input_dropout(
        self, dropout: Dropout, n_rows: int
    ) -> BoundDropout | BoundSparseDropout:
        if self.sparse:
            return BoundSparseDropout(dropout)
        mask = self._buffer("input mask", 0, n_rows, self.n_in)
        kept = self._buffer("kept input", 0, n_rows, self.n_in)
        return BoundDropout(dropout, 0, mask, kept, None)


def _by_layer(
    layers: Sequence[Dense], params: Parameters, trained: bool = False
) -> list[tuple[Array, Array | None, list[Array]]]:
    # Weights, bias and norm's arrays of each layer. Biases and norms of a fitted estimator
    # are one-dimensional.
    biases, norms = (
        iter([array[..., None, :] if array.ndim == 1 else array for array in arrays])
        for arrays in (params.biases, params.norms)
    )
    by_layer = []
    for layer, weights in zip(layers, params.weights, strict=True):
        n_norms = 0 if layer.norm is None else 2 if trained else len(layer.norm.starts)
        bias = next(biases) if layer.bias else None
        by_layer.append((weights, bias, [next(norms) for _ in range(n_norms)]))
    return by_layer
