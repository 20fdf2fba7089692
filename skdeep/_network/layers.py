"""Dense layers and skip connections: forward, and right below it, backward.

``Dense`` is the specification of a layer. ``Dense.bind`` connects it to parameters and to
buffers of one batch size: ``forward(x)`` writes the output, ``backward()`` assigns the
gradients of the parameters and of the input. Norm, dropout and skip connection are separate
stages after the dense one, bound only if a layer has them. Arrays have shape
``(*models, rows, columns)``, whatever the number of models.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.norms import Norm
from skdeep.activations import Activation, Identity


@dataclass(frozen=True)
class Dense:
    """out = dropout(activation(norm(x @ weights + bias))) + x; most parts are optional.

    Parameters
    ----------
    n_in, n_out : int
        Number of columns of input and output.
    activation : Activation
    bias : bool, default=True
        If True, add a bias.
    norm : Norm, default=None
        Applied between the weighted sums and the activation.
    dropout : bool, default=False
        If True, apply dropout to the output of the activation in training. The rate is not
        part of the layer: it may differ between the models of a stack.
    residual : bool, default=False
        If True, add x to the output, after dropout; requires ``n_in == n_out``.
    drops_input : bool, default=False
        If True, apply dropout to x in training; for the first layer of a network.
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
        """Connect the weighted sums to their parameters and to buffers of one batch size.

        The activation is included, unless a norm comes between.

        Parameters
        ----------
        weights : ndarray of shape (*models, n_in, n_out)
        bias : ndarray of shape (*models, 1, n_out), or None
        z, out : ndarray of shape (*models, rows, n_out)
            Buffers before and after the activation: the same array if it is `in_place`.
        sparse : bool
            If True, the input is SciPy CSR.
        """
        bound_class = BoundSparseDense if sparse else BoundDense
        activation = Identity() if self.norm else self.activation
        return bound_class(activation, weights, bias, z, out)


class BoundDense:
    """A dense layer connected to its parameters and to buffers of one batch size."""

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
        """Connect the layer to the arrays that `backward` reads and assigns.

        Parameters
        ----------
        d_weights : ndarray of shape (*models, n_in, n_out)
        d_bias : ndarray of shape (*models, 1, n_out), or None
        delta : ndarray of shape (*models, rows, n_out)
            Gradient of the loss with respect to `out`, assigned by the next layer.
        d_x : ndarray of shape (*models, rows, n_in) or None
            Output buffer for the gradient with respect to x; None in the first layer.
        """
        self.d_weights = d_weights
        self.d_bias = d_bias
        self.delta = delta
        self.d_x = d_x
        # Sums over rows as matrix products: BLAS is faster than a NumPy reduction.
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
    """out = branch(x) + x: the stages of a layer and a skip connection around them [1]_.

    Parameters
    ----------
    stages : list
        Stages of the branch.
    out : ndarray of shape (*models, rows, columns)
    delta, branch_delta : ndarray of shape (*models, rows, columns) or None
        Gradient with respect to `out`, and a copy that the branch may overwrite; None in
        prediction.
    d_x : ndarray of shape (*models, rows, columns) or None
        Output buffer for the gradient with respect to x; None in the first layer.

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
