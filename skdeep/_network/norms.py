"""Batch and layer normalization: forward, and right below it, backward.

Both compute y = scale * (z - mean) / sqrt(var + eps) + shift, with a scale and a shift for
each column. Batch norm takes mean and variance over the rows of a batch, layer norm over the
columns of a row. In training, batch norm uses the statistics of the batch and updates running
averages of them; in prediction it uses the running averages. ``bind`` chooses between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.activations import Activation

# Added to the variance, as in PyTorch.
EPS = 1e-5


@dataclass(frozen=True)
class Norm:
    """Base class of norms.

    `starts` has the initial values of a layer's arrays, of shape (*models, 1, n_out): scale,
    shift and, for batch norm, running mean and running variance.
    """

    starts: ClassVar[tuple[float, ...]] = (1.0, 0.0)

    def bind(
        self,
        activation: Activation,
        arrays: Sequence[Array],
        y: Array,
        out: Array,
        training: bool,
    ) -> "BoundNorm":
        """Connect the norm and the activation after it to parameters and buffers.

        `y` and `out`, of shape (*models, rows, n_out), are the buffers before and after the
        activation: the same array if it is `in_place`.
        """
        raise NotImplementedError


class LayerNorm(Norm):
    """Normalization over the columns of each row, in training and prediction [1]_.

    .. [1] Ba, Kiros & Hinton, "Layer normalization", arXiv:1607.06450, 2016.
    """

    def bind(self, activation, arrays, y, out, training):
        return BoundLayerNorm(activation, arrays, y, out)


class BatchNorm(Norm):
    """Normalization over the rows of a batch; in prediction, by running averages [1]_.

    Running averages follow PyTorch: running <- 0.9 running + 0.1 batch. The batch is
    normalized by its biased variance (divided by n), while the running variance averages the
    unbiased one (divided by n - 1). Sample weights are ignored. A batch of one row, which has
    no variance, is normalized by the running averages and does not change them.

    .. [1] Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
       reducing internal covariate shift", ICML 2015.
    """

    starts: ClassVar[tuple[float, ...]] = (1.0, 0.0, 0.0, 1.0)

    def bind(self, activation, arrays, y, out, training):
        bound_class = BoundBatchNorm if training and y.shape[-2] > 1 else BoundRunningNorm
        return bound_class(activation, arrays, y, out)


class BoundNorm:
    """A norm and its activation, connected to parameters and to buffers of one batch size."""

    def __init__(
        self, activation: Activation, arrays: Sequence[Array], y: Array, out: Array
    ) -> None:
        self.activation = activation
        self.scale, self.shift, *self.running = arrays
        self.y = y
        self.out = out

    def bind_gradients(self, d_scale: Array, d_shift: Array, delta: Array) -> None:
        """Connect the norm to the arrays that `backward` reads and assigns.

        `delta` is the gradient with respect to `out` and, after `backward`, to `z`.
        """
        self.d_scale = d_scale
        self.d_shift = d_shift
        self.delta = delta
        self.ones = np.ones((1, delta.shape[-2]), delta.dtype)

    def forward(self, z: Array) -> Array:
        """Normalize `z` in place and apply the activation."""
        self.normalized = z
        self._normalize(z)
        np.multiply(z, self.scale, out=self.y)
        self.y += self.shift
        self.activation.forward(self.y, self.out)
        return self.out

    def backward(self) -> None:
        self.activation.backward(self.y, self.out, self.delta)
        # `y` is not needed any more, and serves as scratch.
        np.matmul(self.ones, self.delta, out=self.d_shift)
        np.multiply(self.delta, self.normalized, out=self.y)
        np.matmul(self.ones, self.y, out=self.d_scale)
        self.delta *= self.scale
        self._normalize_backward(self.normalized, self.delta)

    def _normalize(self, z: Array) -> None:
        raise NotImplementedError

    def _normalize_backward(self, normalized: Array, delta: Array) -> None:
        # Turns the gradient with respect to `normalized` into that with respect to z.
        raise NotImplementedError


class _BoundStatisticsNorm(BoundNorm):
    """Normalizes by the mean and variance of its input."""

    mean: Array
    inv_std: Array
    dot: Array

    def _normalize(self, z: Array) -> None:
        self._mean(z, self.mean)
        z -= self.mean
        np.square(z, out=self.y)
        self._mean(self.y, self.inv_std)
        self._update_running()
        self.inv_std += EPS
        np.sqrt(self.inv_std, out=self.inv_std)
        np.reciprocal(self.inv_std, out=self.inv_std)
        z *= self.inv_std

    def _normalize_backward(self, normalized: Array, delta: Array) -> None:
        # dz = (g - mean(g) - normalized mean(g normalized)) / std, with g the gradient.
        self._mean(delta, self.mean)
        np.multiply(delta, normalized, out=self.y)
        self._mean(self.y, self.dot)
        delta -= self.mean
        normalized *= self.dot
        delta -= normalized
        delta *= self.inv_std

    def _mean(self, values: Array, out: Array) -> None:
        # As a matrix product: BLAS is faster than a NumPy reduction.
        raise NotImplementedError

    def _update_running(self) -> None:
        pass


class BoundLayerNorm(_BoundStatisticsNorm):
    """Statistics of each row, of shape (*models, rows, 1)."""

    def __init__(self, activation, arrays, y, out):
        super().__init__(activation, arrays, y, out)
        self.mean, self.inv_std, self.dot = (np.empty_like(y[..., :1]) for _ in range(3))
        n_columns = y.shape[-1]
        self.share = np.full((n_columns, 1), 1 / n_columns, y.dtype)

    def _mean(self, values: Array, out: Array) -> None:
        np.matmul(values, self.share, out=out)


class BoundBatchNorm(_BoundStatisticsNorm):
    """Statistics of each column over the batch, of shape (*models, 1, n_out)."""

    momentum = 0.1

    def __init__(self, activation, arrays, y, out):
        super().__init__(activation, arrays, y, out)
        self.mean, self.inv_std, self.dot = (np.empty_like(y[..., :1, :]) for _ in range(3))
        n_rows = y.shape[-2]
        self.share = np.full((1, n_rows), 1 / n_rows, y.dtype)
        self.to_unbiased = n_rows / (n_rows - 1)

    def _mean(self, values: Array, out: Array) -> None:
        np.matmul(self.share, values, out=out)

    def _update_running(self) -> None:
        # At this point `inv_std` holds the biased variance.
        for running, batch, factor in zip(
            self.running, (self.mean, self.inv_std), (1.0, self.to_unbiased), strict=True
        ):
            running *= 1 - self.momentum
            np.multiply(batch, self.momentum * factor, out=self.dot)
            running += self.dot


class BoundRunningNorm(BoundNorm):
    """Normalizes by the running mean and variance, which are constants here."""

    def _normalize(self, z: Array) -> None:
        mean, variance = self.running
        z -= mean
        self.inv_std = 1 / np.sqrt(variance + EPS)
        z *= self.inv_std

    def _normalize_backward(self, normalized: Array, delta: Array) -> None:
        delta *= self.inv_std
