"""A layer: forward, and right under it, backward.

A layer's spec holds its shape. ``bind`` joins it to the views and buffers of one batch
size and gives the object that works: ``forward(x)`` writes the layer's output,
``backward()`` assigns the gradients of its parameters and of its input. Arrays are
``(*models, rows, columns)`` throughout; nothing here asks how many models there are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep.activations import Activation

Array = np.ndarray


@dataclass(frozen=True)
class Dense:
    """out = activation(x @ weights + bias).

    Parameters
    ----------
    n_in, n_out : int
        Number of columns of input and output.
    activation : Activation
        Applied to each element.
    """

    n_in: int
    n_out: int
    activation: Activation

    def bind(
        self, weights: Array, bias: Array, z: Array, out: Array, sparse: bool = False
    ) -> "BoundDense":
        """Join the layer to its parameters and to buffers of one batch size.

        Parameters
        ----------
        weights : ndarray of shape (*models, n_in, n_out)
        bias : ndarray of shape (*models, 1, n_out)
        z, out : ndarray of shape (*models, rows, n_out)
            Buffers before and after the activation: one array where it is `in_place`.
        sparse : bool
            Whether the input comes as SciPy CSR.
        """
        kind = BoundSparseDense if sparse else BoundDense
        return kind(self.activation, weights, bias, z, out)


class BoundDense:
    """A dense layer joined to its parameters and to buffers of one batch size."""

    def __init__(
        self, activation: Activation, weights: Array, bias: Array, z: Array, out: Array
    ) -> None:
        self.activation = activation
        self.weights = weights
        self.bias = bias
        self.z = z
        self.out = out
        self.x: Any = None

    def bind_gradients(
        self, d_weights: Array, d_bias: Array, delta: Array, d_x: Array | None
    ) -> None:
        """Join the layer to what `backward` reads and assigns.

        Parameters
        ----------
        d_weights : ndarray of shape (*models, n_in, n_out)
        d_bias : ndarray of shape (*models, 1, n_out)
        delta : ndarray of shape (*models, rows, n_out)
            The loss's gradient with respect to `out`, given by the layer above.
        d_x : ndarray of shape (*models, rows, n_in) or None
            Receives the gradient with respect to the input; None in the first layer.
        """
        self.d_weights = d_weights
        self.d_bias = d_bias
        self.delta = delta
        self.d_x = d_x
        # The sum over rows as a product: BLAS is faster at it than a reduction.
        self.ones = np.ones((1, delta.shape[-2]), delta.dtype)

    def forward(self, x: Any) -> Array:
        self.x = x
        self._project(x)
        np.add(self.z, self.bias, out=self.z)
        self.activation.forward(self.z, self.out)
        return self.out

    def backward(self) -> None:
        self.activation.backward(self.z, self.out, self.delta)
        self._assign_weight_gradient()
        np.matmul(self.ones, self.delta, out=self.d_bias)
        if self.d_x is not None:
            np.matmul(self.delta, self.weights.mT, out=self.d_x)

    def _project(self, x: Any) -> None:
        np.matmul(x, self.weights, out=self.z)

    def _assign_weight_gradient(self) -> None:
        np.matmul(self.x.mT, self.delta, out=self.d_weights)


class BoundSparseDense(BoundDense):
    """A first layer whose input is SciPy CSR; for one network, not for a stack."""

    def _project(self, x: Any) -> None:
        self.z[...] = x @ self.weights

    def _assign_weight_gradient(self) -> None:
        self.d_weights[...] = self.x.T @ self.delta
