"""Robust scaling and smooth clipping: RealMLP's, of every column.

z = (x - median) / (q75 - q25), and x / sqrt(1 + (z / 3)^2), which lies in [-3, 3]. If the
quartiles are equal, half the range takes the place of their distance. Infinities become
-3 and 3, and missing values 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

LIMIT = 3.0

# Beyond this, a number of scales is as good as infinity. Its square does not overflow.
FAR = 1e15

# Everything is computed of quarters, so that no difference of float64 numbers overflows.
QUARTER = 0.25


@dataclass
class RobustScale:
    """Medians and widths, each of shape (n_columns,), of the quarters of columns."""

    median: np.ndarray
    width: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray) -> Self:
        """Measure columns, shape (n_columns, n_rows), in which NaN is missing.

        The width of a column of one finite value, or none, is 0: it is scaled to 0.
        """
        ordered = np.where(np.isfinite(values), values, np.nan)
        ordered *= QUARTER
        ordered.sort(axis=-1)  # NaN last
        n_finite = np.maximum(np.count_nonzero(~np.isnan(ordered), axis=-1), 1)

        def value(place: np.ndarray) -> np.ndarray:
            return np.nan_to_num(np.take_along_axis(ordered, place[:, None], -1)[:, 0])

        return cls._of(n_finite, value)

    @classmethod
    def of_indicators(cls, n_ones: np.ndarray, n_rows: int) -> Self:
        """Measure columns of zeros and ones, of which the numbers of ones are given."""
        n_zeros = n_rows - np.asarray(n_ones)
        return cls._of(np.full(n_zeros.shape, n_rows), lambda at: (at >= n_zeros) * QUARTER)

    @classmethod
    def _of(cls, n: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> Self:
        # `value` gives the values at places of the ordered columns, which have `n` values.
        def quantile(share: float) -> np.ndarray:
            place = share * (n - 1)
            low = place.astype(np.intp)
            part = place - low
            lower = value(low)
            return lower + (value(np.minimum(low + 1, n - 1)) - lower) * part

        median, width = quantile(0.5), quantile(0.75) - quantile(0.25)
        half_range = value(n - 1) * 0.5 - value(np.zeros_like(n)) * 0.5
        return cls(median, np.where(width > 0, width, half_range))

    def __getitem__(self, columns: np.ndarray | slice) -> Self:
        return type(self)(self.median[columns], self.width[columns])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale and clip columns, shape (n_columns, n_rows); return them as float64."""
        width = np.where(self.width > 0, self.width, np.inf)[:, None]
        with np.errstate(over="ignore", invalid="ignore"):  # inf / inf of a constant
            z = (values * QUARTER - self.median[:, None]) / width
        np.clip(z, -FAR, FAR, out=z)
        z /= np.sqrt(1 + (z / LIMIT) ** 2)
        np.nan_to_num(z, copy=False)
        return z
