"""Normalisation of what goes into an activation: forward, and right under it, backward.

Both kinds subtract a mean and divide by a standard deviation, then scale and shift each
column: y = scale * (z - mean) / sqrt(var + eps) + shift. They differ in what mean and
variance are taken over: the rows of a batch, or the columns of a row. In training, batch
normalisation takes the batch's own figures and keeps a running account of them; in
prediction it takes the account. Which of the two is bound is settled once, in ``bind``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.activations import Activation

# Added to the variance, as PyTorch does.
EPS = 1e-5


@dataclass(frozen=True)
class Norm:
    """What is normalised how.

    Attributes
    ----------
    starts : tuple of float
        Where the arrays of a layer start: scale, shift and, where there is an account of
        the batches seen, its mean and variance.
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
        """Join the norm and the activation behind it to parameters and buffers.

        Parameters
        ----------
        activation : Activation
        arrays : sequence of ndarray of shape (*models, 1, n_out)
            Scale, shift and whatever else `starts` speaks of.
        y, out : ndarray of shape (*models, rows, n_out)
            Buffers before and after the activation: one array where it is `in_place`.
        training : bool
            Whether a backward pass follows the forward pass.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class LayerNorm(Norm):
    """Over the columns of each row, in training as in prediction [1]_.

    References
    ----------
    .. [1] Ba, Kiros & Hinton, "Layer normalization", arXiv:1607.06450, 2016.
    """

    def bind(self, activation, arrays, y, out, training):
        return BoundLayerNorm(activation, arrays, y, out)


@dataclass(frozen=True)
class BatchNorm(Norm):
    """Over the rows of a batch; in prediction by a running mean and variance [1]_.

    Running figures follow PyTorch: running <- 0.9 running + 0.1 batch, where the batch is
    normalised with the biased variance (a division by n) and the account is kept of the
    unbiased one (by n - 1). Every row counts once, whatever its sample weight. A batch of
    one row, which has no variance, is normalised by the running figures, and leaves them.

    References
    ----------
    .. [1] Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
       reducing internal covariate shift", ICML 2015.
    """

    starts: ClassVar[tuple[float, ...]] = (1.0, 0.0, 0.0, 1.0)

    def bind(self, activation, arrays, y, out, training):
        kind = BoundBatchNorm if training and y.shape[-2] > 1 else BoundRunningNorm
        return kind(activation, arrays, y, out)


class BoundNorm:
    """A norm and its activation, joined to parameters and to buffers of one batch size."""

    def __init__(
        self, activation: Activation, arrays: Sequence[Array], y: Array, out: Array
    ) -> None:
        self.activation = activation
        self.scale, self.shift, *self.running = arrays
        self.y = y
        self.out = out

    def bind_gradients(self, d_scale: Array, d_shift: Array, delta: Array) -> None:
        """Join the norm to what `backward` reads and assigns.

        Parameters
        ----------
        d_scale, d_shift : ndarray of shape (*models, 1, n_out)
        delta : ndarray of shape (*models, rows, n_out)
            The gradient with respect to `out`, and after `backward` with respect to `z`.
        """
        self.d_scale = d_scale
        self.d_shift = d_shift
        self.delta = delta
        self.ones = np.ones((1, delta.shape[-2]), delta.dtype)

    def forward(self, z: Array) -> Array:
        """Normalise `z`, in place, and apply the activation."""
        self.normalised = z
        self._normalise(z)
        np.multiply(z, self.scale, out=self.y)
        self.y += self.shift
        self.activation.forward(self.y, self.out)
        return self.out

    def backward(self) -> None:
        self.activation.backward(self.y, self.out, self.delta)
        # From here on `y` is scratch.
        np.matmul(self.ones, self.delta, out=self.d_shift)
        np.multiply(self.delta, self.normalised, out=self.y)
        np.matmul(self.ones, self.y, out=self.d_scale)
        self.delta *= self.scale
        self._through_normalise(self.normalised, self.delta)

    def _normalise(self, z: Array) -> None:
        raise NotImplementedError

    def _through_normalise(self, normalised: Array, delta: Array) -> None:
        # From the gradient with respect to the normalised to that with respect to z.
        raise NotImplementedError


class _OwnFigures(BoundNorm):
    """Normalises by mean and variance of what it is given."""

    mean: Array
    spread: Array  # one over the standard deviation
    dot: Array

    def _normalise(self, z: Array) -> None:
        self._average(z, self.mean)
        z -= self.mean
        np.square(z, out=self.y)
        self._average(self.y, self.spread)
        self._keep_account()
        self.spread += EPS
        np.sqrt(self.spread, out=self.spread)
        np.reciprocal(self.spread, out=self.spread)
        z *= self.spread

    def _through_normalise(self, normalised: Array, delta: Array) -> None:
        # dz = (g - mean(g) - normalised mean(g normalised)) / std, with g the gradient.
        self._average(delta, self.mean)
        np.multiply(delta, normalised, out=self.y)
        self._average(self.y, self.dot)
        delta -= self.mean
        normalised *= self.dot
        delta -= normalised
        delta *= self.spread

    def _average(self, values: Array, out: Array) -> None:
        # As a product: BLAS is faster at it than a reduction.
        raise NotImplementedError

    def _keep_account(self) -> None:
        pass


class BoundLayerNorm(_OwnFigures):
    """Figures of each row, of shape (*models, rows, 1)."""

    def __init__(self, activation, arrays, y, out):
        super().__init__(activation, arrays, y, out)
        self.mean, self.spread, self.dot = (np.empty_like(y[..., :1]) for _ in range(3))
        n_columns = y.shape[-1]
        self.share = np.full((n_columns, 1), 1 / n_columns, y.dtype)

    def _average(self, values: Array, out: Array) -> None:
        np.matmul(values, self.share, out=out)


class BoundBatchNorm(_OwnFigures):
    """Figures of each column over the batch, of shape (*models, 1, n_out)."""

    momentum = 0.1

    def __init__(self, activation, arrays, y, out):
        super().__init__(activation, arrays, y, out)
        self.mean, self.spread, self.dot = (np.empty_like(y[..., :1, :]) for _ in range(3))
        n_rows = y.shape[-2]
        self.share = np.full((1, n_rows), 1 / n_rows, y.dtype)
        self.to_unbiased = n_rows / (n_rows - 1)

    def _average(self, values: Array, out: Array) -> None:
        np.matmul(self.share, values, out=out)

    def _keep_account(self) -> None:
        # `spread` still holds the biased variance.
        for account, seen, factor in zip(
            self.running, (self.mean, self.spread), (1.0, self.to_unbiased), strict=True
        ):
            account *= 1 - self.momentum
            np.multiply(seen, self.momentum * factor, out=self.dot)
            account += self.dot


class BoundRunningNorm(BoundNorm):
    """Normalises by the running mean and variance, which are constants here."""

    def _normalise(self, z: Array) -> None:
        mean, variance = self.running
        z -= mean
        self.spread = 1 / np.sqrt(variance + EPS)
        z *= self.spread

    def _through_normalise(self, normalised: Array, delta: Array) -> None:
        delta *= self.spread
