"""Rows of the training set into the batch buffers.

The training set itself is never copied, shuffled or cast as a whole: rows are gathered,
and converted to the dtype of computation, when their turn comes: a batch, or as many as
fit the cache. So a table may be a ``np.memmap`` larger than memory, or hold 8-bit pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.reader import Reader

# Bytes of input that are gathered at once: where batches are small, a call for each would
# cost more than its rows, and a quarter of a common L2 cache leaves room for the step.
BLOCK_BYTES = 1 << 18


class RowOrder:
    """Which row each model takes when: the order of the rows, laid out in batches.

    Models of a stack may differ in the length of their batches, but have equally many of
    them. Row numbers are kept as (*models, n_slots), where the batches of all models
    begin at the same slots, and a slot that a shorter batch leaves empty counts nothing.

    Parameters
    ----------
    orders : sequence of ndarray of int
        Row numbers of each model.
    batch_sizes : sequence of int
        Rows of a batch, one a model.
    models : tuple of int

    Attributes
    ----------
    batch_size : int
        Slots of a batch.
    n_slots : int
    rows : ndarray of int of shape (*models, n_slots)
    filled : ndarray of bool of shape (*models, n_slots, 1)
        Which slots count.
    full : bool
        Whether all do.
    """

    def __init__(
        self, orders: Sequence[Array], batch_sizes: Sequence[int], models: tuple[int, ...]
    ) -> None:
        self.orders = list(orders)
        lengths = [len(order) for order in orders]
        n_batches = {-(-n // size) for n, size in zip(lengths, batch_sizes, strict=True)}
        (self.n_batches,) = n_batches
        self.batch_size = max(batch_sizes)
        self._slots = [
            _slots(n, size, self.batch_size)
            for n, size in zip(lengths, batch_sizes, strict=True)
        ]
        self.n_slots = max(int(slots[-1]) for slots in self._slots) + 1
        self.rows = np.zeros((*models, self.n_slots), np.intp)
        self._rows_of = self.rows.reshape(-1, self.n_slots, copy=False)
        self.full = all(n == self.n_slots for n in lengths)
        self.filled = np.full((*models, self.n_slots, 1), self.full)
        if not self.full:
            for own, slots in zip(
                self.filled.reshape(-1, self.n_slots), self._slots, strict=True
            ):
                own[slots] = True
        self._lay_out()

    def shuffle(self, generators: Sequence[np.random.RandomState]) -> None:
        """Permute each model's rows as scikit-learn's MLP does, by its generator.

        A single batch keeps its order, so that dropout's draws meet the same rows wherever
        the model is trained; its generator moves all the same.
        """
        for i, generator in enumerate(generators):
            permutation = np.arange(len(self.orders[i]))
            generator.shuffle(permutation)
            if self.n_batches > 1:
                self.orders[i] = self.orders[i][permutation]
        if self.n_batches > 1:
            self._lay_out()

    def _lay_out(self) -> None:
        for own, slots, order in zip(self._rows_of, self._slots, self.orders, strict=True):
            own[slots] = order


def _slots(n_rows: int, size: int, distance: int) -> Array:
    # Slots of a model's rows, where its batches of `size` rows begin `distance` apart.
    rows = np.arange(n_rows)
    return rows if size == distance else rows // size * distance + rows % size


@dataclass(slots=True)
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
    share : ndarray of shape (*models,)
        Share of the batch in the epoch's rows.
    """

    x: Any
    y: Array
    weight: Array
    scale: Array
    n_rows: int
    share: Array | float = 1.0


class Batches:
    """The batches of an epoch, in a new order each time.

    Parameters
    ----------
    X, y : sequence of tables
        See `Reader`.
    sample_weight : sequence of ndarray of shape (n_samples, 1), or None
        One for all models, or one a model.
    rows : sequence of (ndarray of int or None)
        For each model, which rows of its table; all where None.
    generators : sequence of RandomState, or None
        One a model, for the order; None keeps the order of the rows.
    batch_sizes : sequence of int
        One a model.
    models : tuple of int
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
        rows: Sequence[Array | None],
        generators: Sequence[np.random.RandomState] | None,
        batch_sizes: Sequence[int],
        models: tuple[int, ...],
        dtype: np.dtype,
        share_of_epoch: bool = False,
    ) -> None:
        tables = list(X) * (len(rows) // len(X))
        orders = [
            np.arange(table.shape[0]) if own is None else own
            for table, own in zip(tables, rows, strict=True)
        ]
        self._order = RowOrder(orders, batch_sizes, models)
        self.batch_size = self._order.batch_size
        self.generators = generators
        self.sparse = hasattr(X[0], "tocsr")
        batch_bytes = prod(models) * self.batch_size * X[0].shape[1] * np.dtype(dtype).itemsize
        fitting = 1 if self.sparse else max(1, BLOCK_BYTES // batch_bytes)
        self._block_size = min(fitting, self._order.n_batches) * self.batch_size
        self._x = Reader(X, models, self._block_size, dtype)
        self._y = Reader(y, models, self._block_size, dtype, columns_first=True)
        self._weight = (
            None
            if sample_weight is None
            else Reader(sample_weight, models, self._block_size, dtype)
        )
        self._shares_out = np.empty((*models, self._block_size, 1), dtype)
        self._rows = rows
        self._in_order = generators is None or self._order.n_batches == 1
        # Row numbers are not needed where each batch is the same slice of every table.
        self._sliced = self._in_order and self._order.full and all(own is None for own in rows)
        self._n_rows = np.array([len(order) for order in orders]).reshape(models)
        self._only: Batch | None = None
        self._uniform: dict[int, tuple[Array, Array, Array]] = {}
        self._epoch_scale = self._whole_scale(sample_weight, dtype) if share_of_epoch else None

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return self._order.n_batches

    def order(self, model: int) -> Array | None:
        """Row numbers of one model as the last epoch took them; None for all in order."""
        return self._rows[model] if self._in_order else self._order.orders[model]

    def pass_over(self, n_epochs: int) -> None:
        """Shuffle as often as these epochs did, so that the next goes on from them."""
        if self.generators is not None:
            for _ in range(n_epochs):
                self._order.shuffle(self.generators)

    def epoch(self) -> Iterator[Batch]:
        """Shuffle where asked, then go through all rows."""
        # Drawn even where a single batch makes the order idle: a generator that the
        # caller shares then goes on as it would with scikit-learn's MLP.
        if self.generators is not None:
            self._order.shuffle(self.generators)
        if self._only is not None:
            yield self._only
            return
        for start in range(0, self._order.n_slots, self._block_size):
            yield from self._block(start, min(start + self._block_size, self._order.n_slots))

    def _block(self, start: int, stop: int) -> Iterator[Batch]:
        rows = slice(start, stop) if self._sliced else self._order.rows[..., start:stop]
        x, y = self._x.read(rows), self._y.read(rows)
        if self._weight is not None:
            shares = self._shares_out[..., : stop - start, :]
            filled = self._order.filled[..., start:stop, :]
            np.multiply(self._weight.read(rows), filled, out=shares)
        for first in range(start, stop, self.batch_size):
            place = slice(first, min(first + self.batch_size, stop))
            cut = slice(place.start - start, place.stop - start)
            weight, scale, share = self._unweighted(place)
            if self._weight is not None:
                weight, scale = self._normalise(shares[..., cut, :])
            if stop - start > self.batch_size:
                batch = Batch(
                    x[..., cut, :], y[..., cut, :], weight, scale, weight.shape[-2], share
                )
            else:
                batch = Batch(x, y, weight, scale, weight.shape[-2], share)
            if self._order.n_batches == 1:
                self._only = batch  # all rows in one batch: gathered once a fit
            yield batch

    def _unweighted(self, place: slice) -> tuple[Array, Array, Array]:
        # Batches of one length are alike unless models differ.
        key = place.stop - place.start if self._order.full else -place.start
        if key not in self._uniform:
            ones = self._order.filled[..., place, :].astype(self._shares_out.dtype)
            weight, scale = self._normalise(ones)
            n_filled = ones.shape[-2] if self._order.full else (ones[..., 0] > 0).sum(axis=-1)
            self._uniform[key] = weight, scale, n_filled / self._n_rows
        return self._uniform[key]

    def _normalise(self, weight: Array) -> tuple[Array, Array]:
        scale = self._epoch_scale
        if scale is None:
            scale = _reciprocal(weight.sum(axis=-2, keepdims=True))
        weight *= scale
        return weight, scale[..., 0, 0]

    def _whole_scale(self, sample_weight: Sequence[Array] | None, dtype: np.dtype) -> Array:
        if sample_weight is None:
            total = self._n_rows[..., None, None].astype(dtype)
        else:
            totals = [weight.sum(dtype=dtype) for weight in sample_weight]
            total = np.reshape(totals, (*self._n_rows.shape, 1, 1))
        return _reciprocal(total)


def _reciprocal(total: Array) -> Array:
    # A batch whose rows all weigh nothing teaches nothing: 0 instead of 1 / 0.
    return 1 / np.where(total > 0, total, np.inf).astype(total.dtype, copy=False)
