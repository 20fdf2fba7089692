"""Rows of the training set into the batch buffers.

The training set itself is never copied, shuffled or cast as a whole: a batch is
gathered, and converted to the dtype of computation, when its turn comes. So a table may
be a ``np.memmap`` larger than memory, or hold 8-bit pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray


class Reader:
    """Reads rows of a table, or of one table for each model, as batches of one dtype.

    Parameters
    ----------
    tables : sequence of ndarray or CSR matrix of shape (n_samples, n_columns)
        One for all models, or one a model.
    models : tuple of int
        Leading shape of what is read.
    capacity : int
        Rows of the largest batch.
    dtype : dtype
        Of what is read.
    columns_first : bool, default=False
        Whether the columns of a batch lie behind one another in memory, as the network's
        buffers do.
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
        self.sparse = hasattr(tables[0], "tocsr")
        self.n_columns = tables[0].shape[1]
        if self.sparse:
            return
        size = prod(models) * capacity * self.n_columns
        self._out = np.empty(size, dtype)
        self._columns_first = columns_first and self.n_columns > 1
        # np.take writes straight only into rows of its own dtype: cast in a second step.
        same = tables[0].dtype == dtype and not self._columns_first
        self._staged = self._out if same else np.empty(size, tables[0].dtype)

    def read(self, rows: Array | slice) -> Any:
        """Batch of the given rows.

        Parameters
        ----------
        rows : ndarray of int of shape (*models, n_rows), or slice
            A slice is the same for all models of a single table.

        Returns
        -------
        batch : ndarray of shape (*models, n_rows, n_columns), or CSR matrix
            Lives until the next call. A slice of one table, which all models share,
            has no models axis.
        """
        if self.sparse:
            return self.tables[0][rows].astype(self.dtype, copy=False)
        if isinstance(rows, slice):
            return self._slice(self.tables[0][rows])
        shape = (*rows.shape, self.n_columns)
        staged = self._staged[: prod(shape)].reshape(shape, copy=False)
        if len(self.tables) == 1:
            np.take(self.tables[0], rows, axis=0, out=staged, mode="clip")
        else:
            for table, own_rows, out in zip(self.tables, rows, staged, strict=True):
                np.take(table, own_rows, axis=0, out=out, mode="clip")
        return self._cast(staged)

    def _slice(self, view: Array) -> Array:
        return view if view.dtype == self.dtype else self._cast(view)

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


@dataclass
class Batch:
    """Rows that one step learns from.

    Attributes
    ----------
    x : ndarray or CSR matrix of shape (*models, n_rows, n_in)
    y : ndarray of shape (*models, n_rows, n_out)
    weight : ndarray of shape (*models, n_rows, 1)
        Share of each row in the mean over the batch.
    scale : ndarray of shape (*models,)
        One over the sum of the sample weights.
    n_rows : int
    """

    x: Any
    y: Array
    weight: Array
    scale: Array
    n_rows: int


class Batches:
    """The batches of an epoch, in a new order each time.

    Parameters
    ----------
    X, y : sequence of tables
        See `Reader`.
    sample_weight : sequence of ndarray of shape (n_samples, 1), or None
        One for all models, or one a model.
    rows : ndarray of int of shape (*models, n_rows), or None
        Which rows of the tables; all where None.
    generators : sequence of RandomState, or None
        One a model, for the order; None keeps the order of the rows.
    models : tuple of int
    batch_size : int
    dtype : dtype
    share_of_epoch : bool, default=False
        Whether weights and scale are shares of all rows instead of the batch's, so that
        the batches of an epoch add up to its mean.
    """

    def __init__(
        self,
        X: Sequence[Any],
        y: Sequence[Array],
        sample_weight: Sequence[Array] | None,
        *,
        rows: Array | None,
        generators: Sequence[np.random.RandomState] | None,
        models: tuple[int, ...],
        batch_size: int,
        dtype: np.dtype,
        share_of_epoch: bool = False,
    ) -> None:
        self.n_rows = X[0].shape[0] if rows is None else rows.shape[-1]
        self.batch_size = min(batch_size, self.n_rows)
        self.generators = generators
        self._models = models
        self._x = Reader(X, models, self.batch_size, dtype)
        self._y = Reader(y, models, self.batch_size, dtype, columns_first=True)
        self._ones = np.ones((*models, self.batch_size, 1), dtype)
        self._weight = (
            None
            if sample_weight is None
            else Reader(sample_weight, models, self.batch_size, dtype)
        )
        self._weight_out = np.empty_like(self._ones)
        one_table = len(X) == len(y) == 1
        in_order = generators is None or self.batch_size == self.n_rows
        if rows is None and not (one_table and in_order):
            rows = np.arange(self.n_rows)
        # None: each batch is a slice of the one table, and nobody needs row numbers.
        self._rows = (
            None if rows is None else np.broadcast_to(rows, (*models, self.n_rows)).copy()
        )
        self._only: Batch | None = None
        self._uniform: dict[int, tuple[Array, Array]] = {}
        self._epoch_scale = self._whole_scale(sample_weight) if share_of_epoch else None

    def epoch(self) -> Iterator[Batch]:
        """Shuffle where asked, then go through all rows."""
        self._shuffle()
        if self._only is not None:
            yield self._only
            return
        for start in range(0, self.n_rows, self.batch_size):
            batch = self._gather(start, min(start + self.batch_size, self.n_rows))
            if batch.n_rows == self.n_rows:
                self._only = batch  # all rows in one batch: gathered once a fit
            yield batch

    def order(self, model: int) -> Array | None:
        """Row numbers of one model as the last epoch took them; None in table order."""
        return None if self._rows is None else self._rows.reshape(-1, self.n_rows)[model]

    @property
    def sparse(self) -> bool:
        """Whether `x` comes as SciPy CSR."""
        return self._x.sparse

    def _shuffle(self) -> None:
        # Drawn as scikit-learn's MLP draws it, even where a single batch makes the order
        # idle: a generator that the caller shares then goes on as it would there.
        for i, generator in enumerate(self.generators or ()):
            permutation = np.arange(self.n_rows)
            generator.shuffle(permutation)
            if self._rows is not None:
                order = self._rows.reshape(-1, self.n_rows, copy=False)[i]
                order[...] = order[permutation]

    def _gather(self, start: int, stop: int) -> Batch:
        rows = slice(start, stop) if self._rows is None else self._rows[..., start:stop]
        if self._weight is None:
            weight, scale = self._uniform_shares(stop - start)
        else:
            raw = self._weight.read(rows)
            weight, scale = self._shares(raw, self._weight_out[..., : stop - start, :])
        return Batch(self._x.read(rows), self._y.read(rows), weight, scale, stop - start)

    def _uniform_shares(self, n_rows: int) -> tuple[Array, Array]:
        if n_rows not in self._uniform:
            ones = self._ones[..., :n_rows, :]
            self._uniform[n_rows] = self._shares(ones, np.empty_like(ones))
        return self._uniform[n_rows]

    def _shares(self, weight: Array, out: Array) -> tuple[Array, Array]:
        scale = self._epoch_scale
        if scale is None:
            scale = _reciprocal(weight.sum(axis=-2, keepdims=True))
        np.multiply(weight, scale, out=out)
        return out, scale[..., 0, 0]

    def _whole_scale(self, sample_weight: Sequence[Array] | None) -> Array:
        if sample_weight is None:
            total = np.full((*self._models, 1, 1), self.n_rows, self._ones.dtype)
        else:
            totals = [weight.sum(dtype=self._ones.dtype) for weight in sample_weight]
            total = np.reshape(np.array(totals), (-1, 1, 1) if self._models else (1, 1))
        return _reciprocal(total)


def _reciprocal(total: Array) -> Array:
    # A batch whose rows all weigh nothing teaches nothing: 0 instead of 1 / 0.
    return np.divide(1, total, out=np.zeros_like(total), where=total > 0)
