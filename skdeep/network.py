"""A chain of dense layers whose parameters lie in one flat vector.

The vector holds the weights of all layers, then the biases of all layers, so that what
is penalised is one slice. ``views`` cuts it into matrices without copying, with any
leading axis of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod

import numpy as np

from skdeep.activations import ACTIVATIONS, Activation
from skdeep.batches import Reader
from skdeep.initializers import glorot_uniform
from skdeep.layers import BoundDense, Dense
from skdeep.threads import blas_threads_for

Array = np.ndarray

# Elements that a chunk's widest buffer holds in a forward pass over many rows: few enough
# to bound memory (8 MB of float64), enough for products at full speed.
CHUNK = 1 << 20


def floating(arrays: Sequence[Array]) -> np.dtype:
    """Dtype to compute in with the given parameters: float64 for integers."""
    return np.result_type(np.float32, *arrays)


@dataclass(frozen=True)
class Network:
    """A chain of dense layers.

    Parameters
    ----------
    layers : tuple of Dense
        In order; each one's `n_out` is the next one's `n_in`.
    """

    layers: tuple[Dense, ...]

    @classmethod
    def perceptron(cls, widths: Sequence[int], activation: Activation) -> "Network":
        """Layers between the given widths; the last one's output stays raw."""
        n_hidden = len(widths) - 2
        chosen = [activation] * n_hidden + [ACTIVATIONS["identity"]]
        return cls(
            tuple(
                Dense(n_in, n_out, function)
                for (n_in, n_out), function in zip(pairwise(widths), chosen, strict=True)
            )
        )

    @cached_property
    def n_weights(self) -> int:
        """Number of weights, which come first in the flat vector."""
        return sum(layer.n_in * layer.n_out for layer in self.layers)

    @cached_property
    def n_params(self) -> int:
        """Length of the flat vector."""
        return self.n_weights + sum(layer.n_out for layer in self.layers)

    @property
    def largest_product(self) -> int:
        """Multiplications that one row costs in the widest layer."""
        return max(layer.n_in * layer.n_out for layer in self.layers)

    def chunk_rows(self, n_rows: int) -> int:
        """Rows that a pass over `n_rows` takes at a time, so that buffers stay small."""
        widest = max(max(layer.n_in, layer.n_out) for layer in self.layers)
        return max(1, min(n_rows, CHUNK // widest))

    @property
    def n_out(self) -> int:
        """Number of columns of the raw output."""
        return self.layers[-1].n_out

    def views(self, theta: Array) -> tuple[list[Array], list[Array]]:
        """Weights and biases of each layer as views of the flat vector.

        Parameters
        ----------
        theta : ndarray of shape (*models, n_params)

        Returns
        -------
        weights : list of ndarray of shape (*models, n_in, n_out)
        biases : list of ndarray of shape (*models, 1, n_out)
        """
        models = theta.shape[:-1]
        views = [
            theta[..., start:stop].reshape(models + shape, copy=False)
            for start, stop, shape in self._layout
        ]
        return views[: len(self.layers)], views[len(self.layers) :]

    @cached_property
    def _layout(self) -> list[tuple[int, int, tuple[int, int]]]:
        # Start, stop and shape of each matrix in the flat vector.
        shapes = [(layer.n_in, layer.n_out) for layer in self.layers]
        shapes += [(1, layer.n_out) for layer in self.layers]
        stops = list(accumulate(map(prod, shapes)))
        return list(zip([0, *stops[:-1]], stops, shapes, strict=True))

    def initial(self, generator: np.random.RandomState, gain: float, dtype: np.dtype) -> Array:
        """Draw a start: flat vector of shape (n_params,)."""
        theta = np.empty(self.n_params, dtype)
        for layer, weights, bias in zip(self.layers, *self.views(theta), strict=True):
            weights[...], bias[...] = glorot_uniform(generator, layer.n_in, layer.n_out, gain)
        return theta

    def pack(self, weights: Sequence[Array], biases: Sequence[Array]) -> Array:
        """Copy of the given weights and biases as one flat vector."""
        theta = np.empty(self.n_params, floating(weights))
        for ours, theirs in zip(self.views(theta), (weights, biases), strict=True):
            for view, array in zip(ours, theirs, strict=True):
                view[...] = array
        return theta

    def raw_output(
        self,
        weights: Sequence[Array],
        biases: Sequence[Array],
        X: Array,
        rows: Array | None = None,
    ) -> Array:
        """Forward pass of one network over a table, chunk by chunk.

        Parameters
        ----------
        weights, biases : sequence of ndarray
            As `views` gives them, or with flat biases.
        X : ndarray or CSR matrix of shape (n_samples, n_in)
        rows : ndarray of int, default=None
            Which rows of `X`; all where None.

        Returns
        -------
        raw : ndarray of shape (n_rows, n_out)
        """
        n_rows = X.shape[0] if rows is None else len(rows)
        dtype = floating(weights)
        step = self.chunk_rows(n_rows)
        reader = Reader([X], (), step, dtype)
        workspace = Workspace(self, weights, biases, (), step, dtype, reader.sparse)
        raw = np.empty((n_rows, self.n_out), dtype)
        with blas_threads_for(step * self.largest_product):
            for start in range(0, n_rows, step):
                chunk = slice(start, min(start + step, n_rows))
                x = reader.read(chunk if rows is None else rows[chunk])
                raw[chunk] = workspace.bind(x.shape[0]).forward(x)
        return raw


class Pass:
    """A network joined to its parameters and to buffers of one batch size.

    Attributes
    ----------
    delta, scratch : ndarray of shape (*models, rows, n_out)
        For the loss: where it assigns its gradient, and room beside it. Not there in a
        pass that goes forward only.
    """

    def __init__(self, layers: list[BoundDense], scratch: Array) -> None:
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
        """Assign all gradients, from the last layer's `delta` down."""
        for layer in reversed(self.layers):
            layer.backward()


class Workspace:
    """Every buffer of a network's passes, made once and cut to each batch size.

    Parameters
    ----------
    network : Network
    weights, biases : sequence of ndarray
        Parameters, read at every pass.
    models : tuple of int
        Leading shape: () for one network, (n_models,) for a stack.
    capacity : int
        Rows of the largest batch.
    dtype : dtype
        Of computation.
    sparse : bool
        Whether batches come as SciPy CSR.
    gradients : tuple of lists of ndarray, default=None
        Where `backward` assigns the gradients, as `views` cuts them; without them the
        passes go forward only.
    """

    def __init__(
        self,
        network: Network,
        weights: Sequence[Array],
        biases: Sequence[Array],
        models: tuple[int, ...],
        capacity: int,
        dtype: np.dtype,
        sparse: bool = False,
        gradients: tuple[list[Array], list[Array]] | None = None,
    ) -> None:
        self.network = network
        self.weights = weights
        self.biases = [bias[..., None, :] if bias.ndim == 1 else bias for bias in biases]
        self.models = models
        self.sparse = sparse
        self.gradients = gradients
        self._passes: dict[int, Pass] = {}

        def flat(width: int) -> Array:
            return np.empty(prod(models) * capacity * width, dtype)

        self._outs = [flat(layer.n_out) for layer in network.layers]
        self._zs = [
            out if layer.activation.in_place else flat(layer.n_out)
            for layer, out in zip(network.layers, self._outs, strict=True)
        ]
        if gradients:
            self._deltas = [flat(layer.n_out) for layer in network.layers]
            self._scratch = flat(network.n_out)

    def _cut(self, flat: Array, n_rows: int, n_columns: int, raw: bool) -> Array:
        # The head of a flat buffer as (*models, n_rows, n_columns), always contiguous.
        # Products are fastest into rows; but the columns of the raw output lie behind one
        # another, so that a softmax, which goes over each row, runs along whole columns.
        head = flat[: prod(self.models) * n_rows * n_columns]
        if raw:
            return head.reshape(*self.models, n_columns, n_rows, copy=False).mT
        return head.reshape(*self.models, n_rows, n_columns, copy=False)

    def bind(self, n_rows: int) -> Pass:
        """The pass over batches of `n_rows` rows; made once for each size."""
        if n_rows not in self._passes:
            self._passes[n_rows] = self._bind(n_rows)
        return self._passes[n_rows]

    def _bind(self, n_rows: int) -> Pass:
        layers = self.network.layers
        n_layers = len(layers)

        def cut(buffers: list[Array]) -> list[Array]:
            return [
                self._cut(flat, n_rows, layer.n_out, raw=i == n_layers - 1)
                for i, (flat, layer) in enumerate(zip(buffers, layers, strict=True))
            ]

        outs = cut(self._outs)
        zs = [
            out if layer.activation.in_place else z
            for layer, out, z in zip(layers, outs, cut(self._zs), strict=True)
        ]
        bound = [
            layer.bind(weights, bias, z, out, self.sparse and i == 0)
            for i, (layer, weights, bias, z, out) in enumerate(
                zip(layers, self.weights, self.biases, zs, outs, strict=True)
            )
        ]
        if self.gradients is None:
            return Pass(bound, outs[-1][..., :0])
        deltas = cut(self._deltas)
        for i, (d_weights, d_bias) in enumerate(zip(*self.gradients, strict=True)):
            d_x = deltas[i - 1] if i else None
            bound[i].bind_gradients(d_weights, d_bias, deltas[i], d_x)
        return Pass(bound, self._cut(self._scratch, n_rows, self.network.n_out, raw=True))
