"""Dropout: forward, and right below it, backward.

Masks are drawn from 16 random bits for each element, which rounds rates to multiples of 2^-16.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdeep._arrays import Array

# Random numbers of 64 bits, four elements each, drawn at once: 32 kB.
CHUNK = 1 << 12


class Dropout:
    """Dropout rates and random generators of a network, or of the models of a stack.

    `rates`, of shape (*models, n_layers), are those of the input, then of each hidden layer's
    output. There is one generator per model, so that a model draws the same masks in a stack
    as alone; each must have a bit generator of 64-bit numbers, such as SFC64.

    `counts` are the rows of each model in the batch; further rows are padding, for which
    nothing is drawn. None means that all models have all rows.
    """

    def __init__(self, rates: Array, generators: Sequence[np.random.Generator]) -> None:
        self.generators = list(generators)
        self.counts: Sequence[int] | None = None
        self.set_rates(rates)

    def set_rates(self, rates: Array) -> None:
        """Set the rates, numbers in [0, 1), from the next forward pass on."""
        by_model = np.reshape(rates, (len(self.generators), -1))
        dropped = np.minimum(np.rint(by_model * 2.0**16), 2**16 - 1)  # of 2^16 numbers
        # Elements whose number is at least the threshold are kept.
        self.thresholds = dropped.astype(np.uint16)
        # These preserve the mean. Python's floats take on the dtype of the mask.
        self.factors = (2**16 / (2**16 - dropped)).tolist()

    def draw(self, model: int, layer: int, out: Array) -> None:
        """Fill `out`, a flat array, with a mask of elements 0 or 1 / (1 - rate)."""
        draw = self.generators[model].bit_generator.random_raw
        threshold = self.thresholds[model, layer]
        for start in range(0, out.size, 4 * CHUNK):
            part = out[start : start + 4 * CHUNK]
            numbers = draw(-(-part.size // 4)).view(np.uint16)[: part.size]
            np.greater_equal(numbers, threshold, out=part)
        out *= self.factors[model][layer]


class BoundDropout:
    """out = x * mask, where each element of mask is 0 or 1 / (1 - rate) [1]_.

    This "inverted" dropout preserves the mean in training, so that prediction needs no
    scaling. A new mask is drawn at each step, with the rate numbered `layer` in `dropout`. The
    buffers `mask` (contiguous), `out` and `delta` have the shape of x. `delta` is the gradient
    with respect to `out` and, after `backward`, to x; None if it is not needed.

    .. [1] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014, section 10.
    """

    def __init__(
        self, dropout: Dropout, layer: int, mask: Array, out: Array, delta: Array | None
    ) -> None:
        self.dropout = dropout
        self.layer = layer
        self.mask = mask
        self.out = out
        self.delta = delta
        self.width = mask.shape[-1]
        self.model_masks = mask.reshape(len(dropout.generators), -1, copy=False)

    def forward(self, x: Array) -> Array:
        counts = self.dropout.counts
        for i, mask in enumerate(self.model_masks):
            n = mask.size if counts is None else counts[i] * self.width
            self.dropout.draw(i, self.layer, mask[:n])
            mask[n:] = 0
        np.multiply(x, self.mask, out=self.out)
        return self.out

    def backward(self) -> None:
        if self.delta is not None:
            self.delta *= self.mask


class BoundSparseDropout:
    """Dropout of a SciPy CSR input of one network; draws for the stored elements only."""

    def __init__(self, dropout: Dropout) -> None:
        self.dropout = dropout

    def forward(self, x: Any) -> Any:
        data = np.empty_like(x.data)
        self.dropout.draw(0, 0, data)
        data *= x.data
        return type(x)((data, x.indices, x.indptr), x.shape)

    def backward(self) -> None:
        pass
