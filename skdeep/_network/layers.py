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

    `residual`, the addition of x, requires ``n_in == n_out``. Dropout applies in training,
    and with `drops_input`, for the first layer of a network, to x as well. Its rates are not
    part of the layer: they may differ between the models of a stack.
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

        The activation is included, unless a norm comes between. `weights` have shape
        (*models, n_in, n_out), `bias` (*models, 1, n_out); `z` and `out` of shape
        (*models, rows, n_out) are the buffers before and after the activation: the same array
        if it is `in_place`. `sparse` means that the input is SciPy CSR.
        """
        bound_class = BoundSparseDense if sparse else BoundDense
        activation = Identity() if self.norm else self.activation
        return bound_class(activation, weights, bias, z, out)


class BoundDense:
    """A dense layer connected to its parameters and to buffers of one batch size."""

    def __init__(
        self, activation: Activation, weights: Array, bias: Array | None, z: Array, out: Array
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

        `delta`, the gradient of the loss with respect to `out`, is assigned by the next layer;
        `d_x` is the buffer for the gradient with respect to x, None in the first layer.
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

    All arrays have the shape of x. The gradient `delta` and `branch_delta`, a copy that the
    branch may overwrite, are None in prediction; `d_x`, the buffer for the gradient with
    respect to x, also in the first layer.

    .. [1] He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016.
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
