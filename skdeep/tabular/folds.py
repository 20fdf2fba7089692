"""The fold of each member: the rows that it does not train on, but chooses its epoch by."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from skdeep._arrays import Array

# Members of fewer folds would train on too small a part of the rows.
MIN_FOLDS = 5


def folds_of(
    cv: Any,
    n_members: int,
    n_rows: int,
    y: Array,
    strata: Array | None,
    groups: Any,
    generator: np.random.RandomState,
) -> list[tuple[Array, Array]]:
    """Rows to train and to validate on, for each fold.

    `cv` is a number of folds, a splitter, an iterable of splits, or None for one fold per
    member, and at least five. Folds of a number are shuffled and stratified by `strata`, if not
    None; unlike those of ``StratifiedKFold``, they admit classes of any size.
    """
    if cv is None or isinstance(cv, Integral):
        if groups is not None:
            raise ValueError(
                f"groups is given, but cv={cv!r} does not use them: pass a splitter that does, "
                "such as cv=GroupKFold(8)."
            )
        return _shuffled(_n_folds(cv, n_members, n_rows), n_rows, strata, generator)
    splits = list(check_cv(cv).split(np.zeros((n_rows, 1)), y, groups))
    for rows, held_out in splits:
        if not len(rows) or not len(held_out):
            raise ValueError(
                f"cv={cv!r} gives a split of {len(rows)} rows to train and {len(held_out)} to "
                "validate on: both need at least one."
            )
    if not splits:
        raise ValueError(f"cv={cv!r} gives no split.")
    return [(np.asarray(rows), np.asarray(held_out)) for rows, held_out in splits]


def _n_folds(cv: Any, n_members: int, n_rows: int) -> int:
    if n_rows < 2:
        raise ValueError(
            f"n_samples={n_rows}: training needs at least 2 rows, one of which is held out."
        )
    if cv is None:
        return min(max(n_members, MIN_FOLDS), n_rows)
    if not 2 <= cv <= n_rows:
        raise ValueError(f"cv={cv!r} must be from 2 to the number of rows, {n_rows}.")
    return int(cv)


def _shuffled(
    n_folds: int, n_rows: int, strata: Array | None, generator: np.random.RandomState
) -> list[tuple[Array, Array]]:
    # Dealt out in turn, class by class: sizes differ by one row at most, also within a class.
    order = generator.permutation(n_rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(n_rows, int)
    fold[order] = np.arange(n_rows) % n_folds
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
