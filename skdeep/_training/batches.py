"""Batches of the training set, in a new order each epoch.

The training set is never copied, shuffled or cast as a whole. Rows are gathered and cast to
the dtype of computation when needed: one batch, or as many as fit the cache. So X may be a
``np.memmap`` larger than memory, or 8-bit pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.reader import Reader, stays_sparse

# Bytes of input gathered at once. Gathering small batches one by one would cost more in calls
# than in rows; a quarter of a common L2 cache leaves room for the step.
BLOCK_BYTES = 1 << 18


class RowOrder:
    """Order in which each model of a stack visits its rows, padded to common batches.

    Models may differ in the length of their batches, but have the same number of batches.
    Shorter batches are padded with slots of weight 0, so that the batches of all models start
    at the same slots.
    """

    def __init__(
        self, orders: Sequence[Array], batch_sizes: Sequence[int], models: tuple[int, ...]
    ) -> None:
        self.orders = list(orders)
        lengths = [len(order) for order in orders]
        n_batches = {-(-n // size) for n, size in zip(lengths, batch_sizes, strict=True)}
        (self.n_batches,) = n_batches
        self.batch_size = max(batch_sizes)  # slots per batch
        self._slots = [
            _slots(n, size, self.batch_size)
            for n, size in zip(lengths, batch_sizes, strict=True)
        ]
        self.n_slots = max(int(slots[-1]) for slots in self._slots) + 1
        self.rows = np.zeros((*models, self.n_slots), np.intp)
        self._model_rows = self.rows.reshape(-1, self.n_slots, copy=False)
        self.full = all(n == self.n_slots for n in lengths)
        self.filled = np.full((*models, self.n_slots, 1), self.full)  # False in padding
        if not self.full:
            filled = self.filled.reshape(-1, self.n_slots)
            for model_filled, slots in zip(filled, self._slots, strict=True):
                model_filled[slots] = True
        self._assign_rows()

    def shuffle(self, generators: Sequence[np.random.RandomState]) -> None:
        """Permute the rows of each model with its generator, as scikit-learn's MLP does.

        A single batch keeps its order, so that dropout masks apply to the same rows alone and
        in a stack; the generator advances all the same.
        """
        for i, generator in enumerate(generators):
            permutation = np.arange(len(self.orders[i]))
            generator.shuffle(permutation)
            if self.n_batches > 1:
                self.orders[i] = self.orders[i][permutation]
        if self.n_batches > 1:
            self._assign_rows()

    def _assign_rows(self) -> None:
        for rows, slots, order in zip(self._model_rows, self._slots, self.orders, strict=True):
            rows[slots] = order


def _slots(n_rows: int, size: int, distance: int) -> Array:
    # Slots of a model's rows, if its batches of `size` rows start `distance` slots apart.
    rows = np.arange(n_rows)
    return rows if size == distance else rows // size * distance + rows % size


@dataclass(slots=True)
class Batch:
    """Rows of one training step."""

    x: Any  # ndarray or CSR matrix of shape (*models, n_rows, n_in)
    y: Array  # (*models, n_rows, n_out)
    weight: Array  # (*models, n_rows, 1): of each row in the mean over the batch
    scale: Array  # (*models,): reciprocal of the sum of sample weights
    n_rows: int
    share: Array | float = 1.0  # (*models,): the batch's fraction of the rows of the epoch
    counts: list[int] | None = None  # rows of each model, the first; None: all have n_rows


class Batches:
    """The batches of each epoch.

    `X`, `y` and `sample_weight` are tables as for `Reader`, with weights of shape
    (n_samples, 1). `rows`, `generators` and `batch_sizes` have one entry per model. Rows of
    None are all rows; if `generators` is None, rows are not shuffled.

    With `share_of_epoch`, weights and scale are relative to all rows instead of the batch, so
    that the losses of the batches add up to the mean over the epoch.
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
            np.arange(table.shape[0]) if model_rows is None else model_rows
            for table, model_rows in zip(tables, rows, strict=True)
        ]
        self._order = RowOrder(orders, batch_sizes, models)
        self.batch_size = self._order.batch_size
        self.generators = generators
        self.sparse = stays_sparse(X[0])
        batch_bytes = prod(models) * self.batch_size * X[0].shape[1] * np.dtype(dtype).itemsize
        n_gathered = 1 if self.sparse else max(1, BLOCK_BYTES // batch_bytes)
        self._block_size = min(n_gathered, self._order.n_batches) * self.batch_size
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
        # Slices replace row numbers if each batch is the same slice of every table.
        all_rows = all(model_rows is None for model_rows in rows)
        self._sliced = self._in_order and self._order.full and all_rows
        self._n_rows = np.array([len(order) for order in orders]).reshape(models)
        self._single_batch: Batch | None = None
        self._unweighted_cache: dict[int, tuple[Array, Array, Array, list[int] | None]] = {}
        self._epoch_scale = (
            self._scale_of_epoch(sample_weight, dtype) if share_of_epoch else None
        )

    @property
    def n_batches(self) -> int:
        """Number of batches per epoch."""
        return self._order.n_batches

    def order(self, model: int) -> Array | None:
        """Row numbers of one model in the order of the last epoch; None means all, in order."""
        return self._rows[model] if self._in_order else self._order.orders[model]

    def skip_epochs(self, n_epochs: int) -> None:
        """Shuffle as often as `n_epochs` epochs do."""
        if self.generators is not None:
            for _ in range(n_epochs):
                self._order.shuffle(self.generators)

    def epoch(self) -> Iterator[Batch]:
        """Shuffle, if there are generators, then iterate over the batches."""
        # A single batch draws too, so that a generator shared with the caller advances as it
        # does with scikit-learn's MLP.
        if self.generators is not None:
            self._order.shuffle(self.generators)
        if self._single_batch is not None:
            yield self._single_batch
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
            slots = slice(first, min(first + self.batch_size, stop))
            in_block = slice(slots.start - start, slots.stop - start)
            weight, scale, share, counts = self._unweighted(slots)
            if self._weight is not None:
                weight, scale = self._normalize(shares[..., in_block, :])
            if stop - start > self.batch_size:
                x_batch, y_batch = x[..., in_block, :], y[..., in_block, :]
            else:
                x_batch, y_batch = x, y
            batch = Batch(x_batch, y_batch, weight, scale, weight.shape[-2], share, counts)
            if self._order.n_batches == 1:
                self._single_batch = batch  # all rows in one batch: gathered once per fit
            yield batch

    def _unweighted(self, slots: slice) -> tuple[Array, Array, Array, list[int] | None]:
        # Weight, scale and share without sample weights, and counts of rows: the same for all
        # batches of one length, unless there is padding.
        key = slots.stop - slots.start if self._order.full else -slots.start
        if key not in self._unweighted_cache:
            ones = self._order.filled[..., slots, :].astype(self._shares_out.dtype)
            weight, scale = self._normalize(ones)
            n_filled = self._order.filled[..., slots, 0].sum(axis=-1)
            counts = None if self._order.full else n_filled.reshape(-1).tolist()
            self._unweighted_cache[key] = weight, scale, n_filled / self._n_rows, counts
        return self._unweighted_cache[key]

    def _normalize(self, weight: Array) -> tuple[Array, Array]:
        scale = self._epoch_scale
        if scale is None:
            scale = _reciprocal(weight.sum(axis=-2, keepdims=True))
        weight *= scale
        return weight, scale[..., 0, 0]

    def _scale_of_epoch(self, sample_weight: Sequence[Array] | None, dtype: np.dtype) -> Array:
        if sample_weight is None:
            total = self._n_rows[..., None, None].astype(dtype)
        else:
            totals = [weight.sum(dtype=dtype) for weight in sample_weight]
            total = np.reshape(totals, (*self._n_rows.shape, 1, 1))
        return _reciprocal(total)


def _reciprocal(total: Array) -> Array:
    # 0 instead of 1 / 0: a batch whose weights are all 0 gives a gradient of 0.
    return 1 / np.where(total > 0, total, np.inf).astype(total.dtype, copy=False)
