"""A chain of layers whose parameters lie in one flat vector.

The vector holds the weights of all layers, so that what is penalised is one slice; then
the biases; then the scales and shifts of norms; and last what is kept but not trained, the
running means and variances of batch norms, so that what is trained is one slice too.
``views`` cuts it into matrices without copying, with any leading axis of models.
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
    """Dtype to compute in with the given parameters: float64 for integers."""
    return np.result_type(np.float32, *arrays)


class Parameters(NamedTuple):
    """Parameters of a network, or their gradient, as matrices.

    Attributes
    ----------
    weights : list of ndarray of shape (*models, n_in, n_out)
    biases : list of ndarray of shape (*models, 1, n_out)
        Empty in a network without biases.
    norms : list of ndarray of shape (*models, 1, n_out)
        For each layer that has a norm, in order: scale and shift and, with batch norm,
        running mean and running variance. A gradient has scale and shift only.
    """

    weights: Sequence[Array]
    biases: Sequence[Array]
    norms: Sequence[Array] = ()


@dataclass(frozen=True)
class Network:
    """A chain of layers.

    Parameters
    ----------
    layers : tuple of Dense
        In order; each one's `n_out` is the next one's `n_in`.
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
        """Layers between the given widths; the last one's output stays raw.

        Parameters
        ----------
        widths : sequence of int
            Columns of the input, of each hidden layer's output and of the raw output.
        activations : Activation or sequence of Activation
            One for all hidden layers, or one for each.
        bias : bool, default=True
            Whether layers have biases.
        batch_norm, layer_norm : bool, default=False
            Which norm hidden layers have before their activation; one of the two.
        dropout : sequence of bool, default=()
            Whether training drops elements of the input, then of each hidden layer's
            output; () drops nowhere.
        residual : bool, default=False
            Whether hidden layers that are as wide as their input add it to their output.
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
        """The same layers between other widths, where weights of other shapes are given."""
        if [(layer.n_in, layer.n_out) for layer in self.layers] == list(shapes):
            return self
        pairs = zip(self.layers, shapes, strict=True)
        return Network(tuple(replace(layer, n_in=n, n_out=m) for layer, (n, m) in pairs))

    @cached_property
    def n_weights(self) -> int:
        """Number of weights, which come first in the flat vector."""
        return sum(layer.n_in * layer.n_out for layer in self.layers)

    @cached_property
    def n_trained(self) -> int:
        """Length of the flat vector's head that training moves."""
        biases = sum(layer.n_out for layer in self.layers if layer.bias)
        norms = sum(2 * layer.n_out for layer in self.layers if layer.norm)
        return self.n_weights + biases + norms

    @cached_property
    def n_params(self) -> int:
        """Length of the flat vector."""
        norms = [(len(layer.norm.starts) - 2, layer) for layer in self.layers if layer.norm]
        return self.n_trained + sum(n * layer.n_out for n, layer in norms)

    @property
    def largest_product(self) -> int:
        """Multiplications that one row costs in the widest layer."""
        return max(layer.n_in * layer.n_out for layer in self.layers)

    @property
    def stacks(self) -> bool:
        """Whether it can be trained in a stack: what users wrote sees one network at a time."""
        return all(layer.activation.stacks for layer in self.layers)

    @property
    def needs_equal_batches(self) -> bool:
        """Whether a stack's models must take equally many rows at a time.

        Batch norm's figures and dropout's draws are of a batch as it is, which may not be
        filled up with rows that count nothing.
        """
        return any(
            isinstance(layer.norm, BatchNorm) or layer.dropout or layer.drops_input
            for layer in self.layers
        )

    @property
    def n_out(self) -> int:
        """Number of columns of the raw output."""
        return self.layers[-1].n_out

    def views(self, theta: Array) -> Parameters:
        """Cut the flat vector into matrices, which are views of it.

        Parameters
        ----------
        theta : ndarray of shape (*models, n_params), or (*models, n_trained)
            A gradient has the trained parameters only.
        """
        models, length = theta.shape[:-1], theta.shape[-1]
        return Parameters(
            *[
                [
                    theta[..., start:stop].reshape(models + shape, copy=False)
                    for start, stop, shape in places
                    if stop <= length
                ]
                for places in self._layout
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
        kept = [
            [place(1, layer.n_out) for _ in layer.norm.starts[2:]]  # type: ignore[union-attr]
            for layer in normed
        ]
        norms = [at for own in zip(trained, kept, strict=True) for part in own for at in part]
        return weights, biases, norms

    def initial(
        self,
        generator: np.random.RandomState,
        gain: float,
        dtype: np.dtype,
        initializer: Initializer | Sequence[Array] | None = None,
    ) -> Array:
        """Draw a start: flat vector of shape (n_params,).

        Parameters
        ----------
        generator : RandomState
        gain : float
            See `GlorotUniform`; others do not read it.
        dtype : dtype
        initializer : Initializer or sequence of ndarray, default=None
            A law, or the weights of each layer. Where None, `GlorotUniform`, which alone
            draws biases as well.
        """
        theta = np.zeros(self.n_params, dtype)
        params = self.views(theta)
        if initializer is None or isinstance(initializer, Initializer):
            law = initializer or GlorotUniform(gain)
            biases = iter(params.biases)
            for layer, view in zip(self.layers, params.weights, strict=True):
                view[...], bias = law.draw(generator, layer.n_in, layer.n_out, layer.bias)
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
        """Copy of the given parameters as one flat vector."""
        theta = np.empty(self.n_params, floating(params.weights))
        for ours, theirs in zip(self.views(theta), params, strict=True):
            for view, array in zip(ours, theirs, strict=True):
                view[...] = array
        return theta

    def checksum(self, params: Parameters) -> float:
        """A number that changes with the parameters."""
        return float(sum(np.sum(array, dtype=float) for part in params for array in part))
