"""Categories: which columns hold them, and how each of those is encoded."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skdeep.tabular.columns import CATEGORY, Column
from skdeep.tabular.encoders import MISSING, Categories, Frequencies, codes_of

# Mean number of words of a level from which on a column of distinct texts is free text.
# Names of people have four or five ("Braund, Mr. Owen Harris").
WORDS_OF_TEXT = 6

# Levels up to which a column has few, and rows per level from which on more are one-hot: with
# fewer rows, a network learns less of a level than its mean says.
FEW_LEVELS = 40
ROWS_PER_LEVEL = 4

# Share of distinct values, among many, from which on a column is an identifier.
SHARE_OF_IDENTIFIER = 0.95


def chosen(
    categorical_features: Any, n_columns: int, names: Sequence[str] | None
) -> np.ndarray | None:
    """Return which columns the parameter names as a mask, None if it leaves it to dtypes."""
    if isinstance(categorical_features, str):
        return None
    mask = np.zeros(n_columns, dtype=bool)
    features = [] if categorical_features is None else list(categorical_features)
    if not features:
        return mask
    if all(isinstance(one, bool | np.bool_) for one in features):
        if len(features) != n_columns:
            raise ValueError(
                f"categorical_features is a mask of {len(features)} columns, but X has "
                f"{n_columns}."
            )
        return np.array(features, dtype=bool)
    if all(isinstance(one, str) for one in features):
        if names is None:
            raise ValueError(
                "categorical_features has names, but X has no names of columns: give "
                "indices or a boolean mask."
            )
        unknown = [one for one in features if one not in names]
        if unknown:
            raise ValueError(
                f"categorical_features has {unknown[0]!r}, which is no column of X: its "
                f"columns are {', '.join(map(repr, names[:20]))}."
            )
        mask[[list(names).index(one) for one in features]] = True
        return mask
    if not all(isinstance(one, Integral) for one in features):
        kinds = sorted({type(one).__name__ for one in features})
        raise ValueError(
            "categorical_features must be names, indices or a boolean mask, but has values "
            f"of type {', '.join(kinds)}."
        )
    if min(features) < 0 or max(features) >= n_columns:
        raise ValueError(
            f"categorical_features must be indices in [0, {n_columns - 1}], as X has "
            f"{n_columns} columns; got {features}."
        )
    mask[features] = True
    return mask


def kind_of(column: Column, is_chosen: bool | None) -> str:
    """Return what a column holds; dtypes decide where `is_chosen` is None."""
    return (
        CATEGORY
        if is_chosen or (is_chosen is None and column.is_categorical)
        else column.kind()
    )


def fit_categories(
    index: int, column: Column, *, max_onehot: int, min_frequency: int
) -> Categories | Frequencies | str:
    """Return the encoder of a column of categories, or why it is dropped."""
    levels = sorted({text for text in column.texts()[0] if text is not None})
    codes = codes_of(column, levels)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    n_present = int(counts.sum())
    if not n_present:
        return MISSING
    has_many = len(levels) > FEW_LEVELS and n_present < ROWS_PER_LEVEL * len(levels)
    if has_many:
        _check_no_text(column, levels, n_present)
        if len(levels) > SHARE_OF_IDENTIFIER * n_present:
            return f"identifier: {len(levels)} levels in {n_present} rows"
    is_rare = counts < min_frequency
    # A column whose rows are of rare levels for the most part would say too little if joined.
    joined = np.count_nonzero(is_rare) > 1 and counts[is_rare].sum() <= n_present / 2
    group = np.arange(len(levels))
    if joined:
        group[~is_rare] = np.arange(np.count_nonzero(~is_rare))
        group[is_rare] = np.count_nonzero(~is_rare)
    if has_many or group.max() >= max_onehot:
        return Frequencies.fit(index, levels, codes)
    return Categories.fit(index, levels, group, bool(joined), codes)


def _check_no_text(column: Column, levels: list[str], n_present: int) -> None:
    n_words = sum(len(level.split()) for level in levels) / len(levels)
    if len(levels) > n_present / 2 and n_words >= WORDS_OF_TEXT:
        raise ValueError(
            f"Column {column.name} looks like free text: {len(levels)} distinct texts of "
            f"{n_words:.0f} words in {n_present} rows, such as {levels[0][:40]!r}. Drop the "
            "column, or turn it into numbers first, with sklearn.feature_extraction.text."
            "TfidfVectorizer and TruncatedSVD, or with skrub's TextEncoder or TableVectorizer."
        )
