"""Dropout: forward, and right below it, backward."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdeep._arrays import Array


class Dropout(NamedTuple):
    """Dropout rates and random generators.

    `rates`, of shape (*models, n_layers), are those of the input, then of each hidden layer's
    output. There is one generator per model, so that a model draws the same masks in a stack
    as alone.
    """

    rates: Array
    generators: Sequence[np.random.Generator]


class BoundDropout:
    """out = x * mask, where each element of mask is 0 or 1 / (1 - rate) [1]_.

    This "inverted" dropout preserves the mean in training, so that prediction needs no
    scaling. A new mask is drawn at each step. `rate` has shape (*models, 1, 1); the buffers
    `mask` (contiguous), `out` and `delta` have the shape of x. `delta` is the gradient with
    respect to `out` and, after `backward`, to x; None if it is not needed.

    .. [1] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014, section 10.
    """

    def __init__(
        self,
        rate: Array,
        generators: Sequence[np.random.Generator],
        mask: Array,
        out: Array,
        delta: Array | None,
    ) -> None:
        self.rate = rate
        self.factor = 1 / (1 - rate)
        self.mask = mask
        self.out = out
        self.delta = delta
        n_models = len(generators)
        self.draws = list(zip(generators, mask.reshape(n_models, -1, copy=False), strict=True))

    def forward(self, x: Array) -> Array:
        for generator, mask in self.draws:
            generator.random(out=mask, dtype=mask.dtype)
        np.greater_equal(self.mask, self.rate, out=self.mask)
        self.mask *= self.factor
        np.multiply(x, self.mask, out=self.out)
        return self.out

    def backward(self) -> None:
        if self.delta is not None:
            self.delta *= self.mask


class BoundSparseDropout:
    """Dropout of a SciPy CSR input of one network; draws for the stored elements only."""

    def __init__(self, rate: Array, generators: Sequence[np.random.Generator]) -> None:
        self.rate = rate.item()
        self.generator = generators[0]

    def forward(self, x: Any) -> Any:
        kept = self.generator.random(x.nnz, x.dtype) >= self.rate
        data = x.data * kept
        data /= 1 - self.rate
        return type(x)((data, x.indices, x.indptr), x.shape)

    def backward(self) -> None:
        pass
