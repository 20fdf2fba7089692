"""Batches of a table's rows in one dtype; the table is never copied or cast as a whole."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from skdeep._arrays import Array

# Share of nonzero values from which on rows of a CSR matrix are gathered into a dense buffer:
# BLAS then multiplies all values sooner than SciPy those that are not 0.
DENSE_FROM = 0.1


def stays_sparse(table: Any) -> bool:
    """True if batches of a table are CSR matrices, as most of their values are 0."""
    return hasattr(table, "tocsr") and table.nnz < DENSE_FROM * prod(table.shape)


class Reader:
    """Reads batches of up to `capacity` rows in one dtype.

    `tables` are ndarrays or CSR matrices of shape (n_samples, n_columns): one for all models,
    or one per model. With `columns_first`, batches are in column-major order, as the buffers
    of the network's output. Batches are dense unless the table `stays_sparse`.
    """

    def __init__(
        self,
        tables: Sequence[Any],
        models: tuple[int, ...],
        capacity: int,
        dtype: np.dtype,
        columns_first: bool = False,
    ) -> None:
        self.tables = tables
        self.models = models
        self.dtype = dtype
        self.sparse = stays_sparse(tables[0])
        self.n_columns = tables[0].shape[1]
        if self.sparse:
            return
        size = prod(models) * capacity * self.n_columns
        self._out = np.empty(size, dtype)
        self._columns_first = columns_first and self.n_columns > 1
        # take() needs an output of the table's dtype and row-major order: cast afterwards.
        same = tables[0].dtype == dtype and not self._columns_first
        self._staged = self._out if same else np.empty(size, tables[0].dtype)

    def read(self, rows: Array | slice) -> Any:
        """A batch of shape (*models, n_rows, n_columns), valid until the next call.

        `rows` have shape (*models, n_rows), or are a slice for all models. A slice of a table
        shared by all models has no models axis.
        """
        if self.sparse:
            return self.tables[0][rows].astype(self.dtype, copy=False)
        if hasattr(self.tables[0], "tocsr"):
            part = self.tables[0][rows]
            staged = self._staged[: prod(part.shape)].reshape(part.shape, copy=False)
            return self._cast(part.toarray(out=staged))
        if isinstance(rows, slice):
            return self._slice(rows)
        shape = (*rows.shape, self.n_columns)
        staged = self._staged[: prod(shape)].reshape(shape, copy=False)
        shared = len(self.tables) == 1
        places = [(rows, staged)] if shared else zip(rows, staged, strict=True)
        for table, (model_rows, out) in zip(self.tables, places, strict=True):
            # take() is faster, but copies the whole table first unless that is row-major: the
            # array of a data frame is not.
            if table.flags.c_contiguous:
                table.take(model_rows, 0, out, "clip")
            else:
                out[...] = table[model_rows]
        return self._cast(staged)

    def _slice(self, rows: slice) -> Array:
        if len(self.tables) == 1:
            view = self.tables[0][rows]
            return view if view.dtype == self.dtype else self._cast(view)
        shape = (*self.models, rows.stop - rows.start, self.n_columns)
        staged = self._staged[: prod(shape)].reshape(shape, copy=False)
        for table, out in zip(self.tables, staged, strict=True):
            out[...] = table[rows]
        return self._cast(staged)

    def _cast(self, staged: Array) -> Array:
        if self._staged is self._out:
            return staged
        out = self._out[: staged.size]
        if self._columns_first:
            *models, n_rows, n_columns = staged.shape
            out = out.reshape(*models, n_columns, n_rows, copy=False).mT
        else:
            out = out.reshape(staged.shape, copy=False)
        np.copyto(out, staged, casting="unsafe")
        return out
