"""Dropout of a layer's inputs: forward, and right under it, backward."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdeep._arrays import Array


class Dropout(NamedTuple):
    """How much is dropped, and by whose draws.

    Attributes
    ----------
    rates : ndarray of shape (*models, n_layers)
        Share of elements that become 0: of the input, then of each hidden layer's output.
    generators : sequence of Generator
        One a model, so that a model of a stack draws what it would draw alone.
    """

    rates: Array
    generators: Sequence[np.random.Generator]


class BoundDropout:
    """out = x * mask, with a new mask at each step: 0 or 1 / (1 - rate) [1]_.

    "Inverted": the mean is kept in training, so that prediction has nothing to do.

    Parameters
    ----------
    rate : ndarray of shape (*models, 1, 1)
    generators : sequence of Generator
    mask, out : ndarray of shape (*models, rows, columns)
        Buffers; `mask` is contiguous.
    delta : ndarray of shape (*models, rows, columns) or None
        The gradient with respect to `out`, and after `backward` with respect to `x`; None
        where nobody asks for it.

    References
    ----------
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
        for generator, own in self.draws:
            generator.random(out=own, dtype=own.dtype)
        np.greater_equal(self.mask, self.rate, out=self.mask)
        self.mask *= self.factor
        np.multiply(x, self.mask, out=self.out)
        return self.out

    def backward(self) -> None:
        if self.delta is not None:
            self.delta *= self.mask


class BoundSparseDropout:
    """Dropout of a SciPy CSR input, for one network: what is 0 need not be drawn for."""

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
