"""Flat vectors of shape (*models, n), and hyperparameters as columns of shape (*models, 1).

Vectors are processed in blocks that fit the cache. Columns have one entry per model, so that
the same code serves one network and a stack.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray

# Elements per block. An update touches up to four arrays at a time: 512 kB in float32, half
# of a common L2 cache.
BLOCK = 1 << 15


def column(values: Sequence[float], models: tuple[int, ...], dtype: np.dtype) -> Array:
    """One number per model, as an array of shape (*models, 1)."""
    return np.array(values, dtype).reshape(*models, 1)


def plain(column: Array) -> Array:
    """`column`, as a 0-d array if it has one entry: NumPy is faster with these."""
    return column.reshape(()) if column.size == 1 else column


def blocks(shape: tuple[int, ...], start: int, stop: int) -> list[Any]:
    """Indices that split elements `start` to `stop` of flat vectors into blocks that fit.

    The vectors have the given shape (*models, n).
    """
    width = max(1, BLOCK * shape[-1] // max(prod(shape), 1))
    return [np.s_[..., i : min(i + width, stop)] for i in range(start, stop, width)]
