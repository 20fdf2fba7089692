"""Whether a fitted TableTransformer fits together: what ``__sklearn_validate_model__`` checks.

Each column of the table is of one encoder or dropped, and what an encoder has measured has
the shapes that its columns and levels ask for.
"""

from dataclasses import fields
from typing import Any

import numpy as np

from skdeep._checks.fitted import require, require_array, require_count, require_type
from skdeep.estimators.consistency import check_columns
from skdeep.tabular.columns import DURATION, NUMBER
from skdeep.tabular.encoders import (
    PERIODS,
    Booleans,
    Categories,
    Dates,
    Frequencies,
    Numbers,
)
from skdeep.tabular.scaling import RobustScale
from skdeep.tabular.target_means import TargetMeans


def check_transformer(transformer: Any) -> None:
    """Raise ValueError unless a fitted transformer is usable."""
    check_columns(transformer)
    n_features, encoders = transformer.n_features_in_, transformer._encoders
    dropped = list(transformer.dropped_)
    names = list(getattr(transformer, "feature_names_in_", range(n_features)))
    require(set(dropped) <= set(names), "dropped_", "columns of the table", dropped)
    columns = [names.index(name) for name in dropped]
    for i, encoder in enumerate(encoders):
        name = f"encoders[{i}]"
        require_type(name, encoder, *CHECKS)
        CHECKS[type(encoder)](name, encoder)
        again = type(encoder)(*(getattr(encoder, f.name) for f in fields(encoder) if f.init))
        for made in ("numeric", "other"):
            needed, given = getattr(again, made), getattr(encoder, made)
            require(needed == given, f"{name}.{made}", f"{needed}", given)
        columns += encoder.columns.tolist() if type(encoder) is Numbers else [encoder.column]
    is_whole = sorted(columns) == list(range(n_features))
    require(is_whole, "columns of encoders and dropped_", f"{n_features}, each once", columns)
    n_levels = [len(one.levels) for one in encoders if type(one) is Frequencies]
    require(
        transformer.n_levels_ == n_levels, "n_levels_", f"{n_levels}", transformer.n_levels_
    )
    targets, means = transformer._target_names, transformer.target_means_
    is_text = type(targets) is list and all(type(one) is str for one in targets)
    require(is_text, "names of targets", "strings", targets)
    require_type("target_means_", means, type(None) if not targets else TargetMeans)
    if means is not None:
        check_target_means("target_means_", means, n_levels, len(targets))
    n_numeric = len(n_levels) * len(targets) + sum(len(one.numeric) for one in encoders)
    given = transformer.n_numeric_
    require(given == n_numeric, "n_numeric_", f"{n_numeric}", given)
    n_out = n_numeric + sum(len(one.other) for one in encoders)
    require(n_out > 0, "encoders", "of a column at least", n_out)


def check_target_means(name: str, means: Any, n_levels: list[int], n_targets: int) -> None:
    """Raise ValueError unless these are means of columns of the given numbers of levels."""
    require_type(name, means, TargetMeans)
    require(0 <= means.alpha < np.inf, f"{name}.alpha", "0 or more and finite", means.alpha)
    require_count(f"{name}.n_folds", means.n_folds, 1)
    n = len(n_levels)
    require(len(means.means) == n > 0, f"{name}.means", f"{n} arrays", len(means.means))
    for j, array in enumerate(means.means):
        require_array(f"{name}.means[{j}]", array, (n_levels[j] + 1, n_targets), "float64")
    _check_scale(f"{name}.scale", means.scale, n * n_targets)


def _check_scale(name: str, scale: Any, n: int) -> None:
    require_type(name, scale, RobustScale)
    for part in ("median", "width"):
        require_array(f"{name}.{part}", getattr(scale, part), (n,), "float64")
    require((scale.width >= 0).all(), f"{name}.width", "0 or more", scale.width)


def _check_optional_scale(name: str, scale: Any, n: int, needed: bool) -> None:
    require_type(name, scale, RobustScale if needed else type(None))
    if needed:
        _check_scale(name, scale, n)


def _check_levels(name: str, levels: Any) -> None:
    is_text = type(levels) is list and all(type(level) is str for level in levels)
    is_set = is_text and 0 < len(levels) == len(set(levels))
    require(is_set, f"{name}.levels", "distinct strings, one at least", levels)


def _check_numbers(name: str, encoder: Numbers) -> None:
    n = len(encoder.kinds)
    require_array(f"{name}.columns", encoder.columns, (n,), "int64", "int32")
    known = set(encoder.kinds) <= {NUMBER, DURATION}
    require(known, f"{name}.kinds", f"{NUMBER!r} or {DURATION!r}", encoder.kinds)
    require_array(f"{name}.marked", encoder.marked, (n,), "bool")
    _check_scale(f"{name}.scale", encoder.scale, n)
    _check_scale(f"{name}.marks", encoder.marks, int(np.count_nonzero(encoder.marked)))


def _check_booleans(name: str, encoder: Booleans) -> None:
    require_count(f"{name}.column", encoder.column)
    require_type(f"{name}.is_constant", encoder.is_constant, bool)
    _check_optional_scale(f"{name}.marks", encoder.marks, 1, encoder.marks is not None)


def _check_categories(name: str, encoder: Categories) -> None:
    require_count(f"{name}.column", encoder.column)
    _check_levels(name, encoder.levels)
    group = encoder.group
    require_array(f"{name}.group", group, (len(encoder.levels),), "int64", "int32")
    found = np.unique(group).tolist()
    n = len(found)
    require(found == list(range(n)), f"{name}.group", "0, 1, ... without gaps", group)
    require_type(f"{name}.has_infrequent", encoder.has_infrequent, bool)
    _check_optional_scale(f"{name}.scale", encoder.scale, n, n > 2)
    _check_optional_scale(f"{name}.marks", encoder.marks, 1, n == 1)


def _check_frequencies(name: str, encoder: Frequencies) -> None:
    require_count(f"{name}.column", encoder.column)
    _check_levels(name, encoder.levels)
    shape = (len(encoder.levels) + 1,)
    require_array(f"{name}.log_counts", encoder.log_counts, shape, "float64")
    _check_scale(f"{name}.scale", encoder.scale, 1)


def _check_dates(name: str, encoder: Dates) -> None:
    require_count(f"{name}.column", encoder.column)
    require_array(f"{name}.kept", encoder.kept, (2 + 2 * len(PERIODS),), "bool")
    _check_scale(f"{name}.scale", encoder.scale, 2)
    _check_optional_scale(f"{name}.marks", encoder.marks, 1, encoder.marks is not None)


CHECKS: dict[type, Any] = {
    Numbers: _check_numbers,
    Booleans: _check_booleans,
    Categories: _check_categories,
    Frequencies: _check_frequencies,
    Dates: _check_dates,
}
