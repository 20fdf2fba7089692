"""A layer: forward, and right under it, backward.

A layer's spec holds its shape. ``bind`` joins it to the views and buffers of one batch
size and gives the object that works: ``forward(x)`` writes the layer's output,
``backward()`` assigns the gradients of its parameters and of its input. Norm, dropout and
skip are stages of their own behind the dense one, bound only where a layer has them.
Arrays are ``(*models, rows, columns)`` throughout; nothing here asks how many models there
are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.norms import Norm
from skdeep.activations import Activation, Identity


@dataclass(frozen=True)
class Dense:
    """out = dropout(activation(norm(x @ weights + bias))) + x, with what is asked for.

    Parameters
    ----------
    n_in, n_out : int
        Number of columns of input and output.
    activation : Activation
        Applied to each element.
    bias : bool, default=True
        Whether a bias is added.
    norm : Norm, default=None
        Between the weighted sums and the activation.
    dropout : bool, default=False
        Whether training drops elements of the activation's output. The rate is no part
        of the spec: it may differ between the models of a stack.
    residual : bool, default=False
        Whether x is added, which needs ``n_in == n_out``. Dropout comes before the sum,
        so that x goes through whole.
    drops_input : bool, default=False
        Whether training drops elements of x; for a network's first layer.
    """

    n_in: int
    n_out: int
    activation: Activation
    bias: bool = True
    norm: Norm | None = None
    dropout: bool = False
    residual: bool = False
    drops_input: bool = False

    def bind(
        self, weights: Array, bias: Array | None, z: Array, out: Array, sparse: bool = False
    ) -> "BoundDense":
        """Join the weighted sums to their parameters and to buffers of one batch size.

        The activation comes with them, unless a norm stands between.

        Parameters
        ----------
        weights : ndarray of shape (*models, n_in, n_out)
        bias : ndarray of shape (*models, 1, n_out), or None
        z, out : ndarray of shape (*models, rows, n_out)
            Buffers before and after the activation: one array where it is `in_place`.
        sparse : bool
            Whether the input comes as SciPy CSR.
        """
        kind = BoundSparseDense if sparse else BoundDense
        activation = Identity() if self.norm else self.activation
        return kind(activation, weights, bias, z, out)


class BoundDense:
    """A dense layer joined to its parameters and to buffers of one batch size."""

    def __init__(
        self,
        activation: Activation,
        weights: Array,
        bias: Array | None,
        z: Array,
        out: Array,
    ) -> None:
        self.activation = activation
        self.weights = weights
        self.bias = bias
        self.z = z
        self.out = out
        self.x: Any = None

    def bind_gradients(
        self, d_weights: Array, d_bias: Array | None, delta: Array, d_x: Array | None
    ) -> None:
        """Join the layer to what `backward` reads and assigns.

        Parameters
        ----------
        d_weights : ndarray of shape (*models, n_in, n_out)
        d_bias : ndarray of shape (*models, 1, n_out), or None
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
        if self.bias is not None:
            np.add(self.z, self.bias, out=self.z)
        self.activation.forward(self.z, self.out)
        return self.out

    def backward(self) -> None:
        self.activation.backward(self.z, self.out, self.delta)
        self._assign_weight_gradient()
        if self.d_bias is not None:
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


class BoundResidual:
    """out = branch(x) + x: the stages of a layer, and a way around them [1]_.

    Parameters
    ----------
    stages : list
        The branch.
    out : ndarray of shape (*models, rows, columns)
    delta, branch_delta : ndarray of shape (*models, rows, columns) or None
        The gradient with respect to `out`, and a buffer of the same gradient that the
        branch works on; None where nothing goes backward.
    d_x : ndarray of shape (*models, rows, columns) or None
        Receives the gradient with respect to the input; None in the first layer.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, "Deep residual learning for image recognition",
       CVPR 2016.
    """

    def __init__(
        self,
        stages: list[Any],
        out: Array,
        delta: Array | None,
        branch_delta: Array | None,
        d_x: Array | None,
    ) -> None:
        self.stages = stages
        self.out = out
        self.delta: Any = delta
        self.branch_delta: Any = branch_delta
        self.d_x = d_x

    def forward(self, x: Any) -> Array:
        branch = x
        for stage in self.stages:
            branch = stage.forward(branch)
        return np.add(branch, x.toarray() if hasattr(x, "toarray") else x, out=self.out)

    def backward(self) -> None:
        np.copyto(self.branch_delta, self.delta)
        for stage in reversed(self.stages):
            stage.backward()
        if self.d_x is not None:
            self.d_x += self.delta
