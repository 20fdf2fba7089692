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
    y: Array,
    weight: Array | None,
    strata: Array | None,
    groups: Any,
    generator: np.random.RandomState,
) -> list[tuple[Array, Array]]:
    """Rows to train and to validate on, for each fold.

    `cv` is a number of folds, a splitter, an iterable of splits, or None for one fold per
    member, and at least five. Folds of a number are shuffled and stratified by `strata`, if not
    None; unlike those of ``StratifiedKFold``, they admit classes of any size. Rows whose
    `weight`, of shape (n_rows, 1), is 0 are held out, but not trained on.
    """
    counts = np.ones(len(y), bool) if weight is None else weight[:, 0] > 0
    if groups is not None and not hasattr(cv, "split"):
        raise ValueError(
            f"groups is given, but cv={cv!r} does not use them: pass a splitter that does, "
            "such as cv=GroupKFold(8)."
        )
    if cv is None or isinstance(cv, Integral):
        n_folds = _n_folds(cv, n_members, int(counts.sum()))
        splits = _shuffled(n_folds, counts, strata, generator)
    else:
        given = check_cv(cv).split(np.zeros((len(y), 1)), y, groups)
        splits = [_checked(cv, len(y), k, *split) for k, split in enumerate(given)]
    splits = [(rows[counts[rows]], held_out) for rows, held_out in splits]
    for k, (rows, held_out) in enumerate(splits):
        n_held_out = np.count_nonzero(counts[held_out])
        if not len(rows) or not n_held_out:
            above = "" if weight is None else " of weight above 0"
            raise ValueError(
                f"Split {k} of cv={cv!r} has {len(rows)} rows{above} to train and {n_held_out} "
                "to validate on: both need at least one."
            )
    if not splits:
        raise ValueError(f"cv={cv!r} gives no split.")
    return splits


def _n_folds(cv: Any, n_members: int, n_rows: int) -> int:
    if n_rows < 2:
        raise ValueError(
            f"n_samples={n_rows}, not counting rows of weight 0: training needs at least 2 "
            "rows, one of which is held out."
        )
    if cv is None:
        return min(max(n_members, MIN_FOLDS), n_rows)
    if not 2 <= cv <= n_rows:
        raise ValueError(
            f"cv={cv!r} must be from 2 to the number of rows of weight above 0, {n_rows}."
        )
    return int(cv)


def _shuffled(
    n_folds: int, counts: Array, strata: Array | None, generator: np.random.RandomState
) -> list[tuple[Array, Array]]:
    # Dealt out in turn, class by class: sizes differ by one row at most, also within a class.
    order = generator.permutation(len(counts))
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    order = order[np.argsort(~counts[order], kind="stable")]
    fold = np.empty(len(order), int)
    fold[order] = np.arange(len(order)) % n_folds
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]


def _checked(cv: Any, n_rows: int, k: int, rows: Any, held_out: Any) -> tuple[Array, Array]:
    # A split of the user as numbers of rows; it may consist of masks.
    try:
        rows, held_out = (np.arange(n_rows)[part] for part in (rows, held_out))
    except IndexError as error:
        raise ValueError(
            f"Split {k} of cv={cv!r} does not fit {n_rows} rows: {error}."
        ) from error
    n_both = len(np.intersect1d(rows, held_out))
    if n_both:
        raise ValueError(
            f"Split {k} of cv={cv!r} has {n_both} rows both to train and to validate on: "
            "out-of-fold predictions need rows that a member has not seen."
        )
    return rows, held_out
