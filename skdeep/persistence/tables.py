"""Fitted TableTransformers as documents: the encoders of their columns, field by field."""

from dataclasses import fields
from typing import Any

import numpy as np

from skdeep.estimators.model import check_parameters
from skdeep.persistence.encoding import decode_params, encode_params
from skdeep.persistence.fields import Fields, decode_names
from skdeep.persistence.files import check_fields, short_repr
from skdeep.tabular import TableTransformer, TargetMeans
from skdeep.tabular.columns import DURATION, NUMBER
from skdeep.tabular.encoders import (
    PERIODS,
    Booleans,
    Categories,
    Dates,
    Encoder,
    Frequencies,
    Numbers,
)
from skdeep.tabular.fitted import FittedTable, make_transformer_fitted, table_of
from skdeep.tabular.scaling import RobustScale

SECTIONS = ("version", "estimator", "transformer")
TRANSFORMER = (
    "params", "n_features", "features", "encoders", "dropped", "target_names", "target_means",
)  # fmt: skip
SCALE = ("median", "width")
TARGET_MEANS = ("alpha", "n_folds", "means", "scale")


def document_of(transformer: Any) -> dict[str, Any]:
    """The sections of a fitted TableTransformer."""
    return {
        "estimator": type(transformer).__name__,
        "transformer": encode_transformer(transformer),
    }


def estimator_of(document: dict[str, Any], kind: type) -> Any:
    """A fitted TableTransformer."""
    check_fields(document, SECTIONS, SECTIONS, "the file")
    return decode_transformer(document["transformer"])


def determined_by_params(transformer: Any) -> dict[str, Any]:
    """What of a fit changes with the parameters: nothing, as all that it learnt is stored."""
    return {}


def encode_transformer(transformer: Any) -> dict[str, Any]:
    """A fitted TableTransformer."""
    table = table_of(transformer)
    means = table.target_means
    return {
        "params": encode_params(transformer),
        "n_features": table.n_features,
        "features": None if table.names is None else [str(name) for name in table.names],
        "encoders": [
            {"type": type(one).__name__, **_encode_fields(one)} for one in table.encoders
        ],
        "dropped": [[index, reason] for index, reason in table.dropped.items()],
        "target_names": table.target_names,
        "target_means": None if means is None else encode_target_means(means),
    }


def encode_target_means(means: TargetMeans) -> dict[str, Any]:
    """Fitted target means."""
    return {name: _plain(getattr(means, name)) for name in TARGET_MEANS}


def _encode_fields(encoder: Any) -> dict[str, Any]:
    return {name: _plain(getattr(encoder, name)) for name in _names_of(type(encoder))}


def _names_of(kind: Any) -> list[str]:
    # What an encoder is made of; the rest follows from it.
    return [field.name for field in fields(kind) if field.init]


def _plain(value: Any) -> Any:
    if isinstance(value, RobustScale):
        return {name: getattr(value, name) for name in SCALE}
    if isinstance(value, np.ndarray) and value.dtype.kind == "i":
        return value.astype("<i8")  # whatever the size of the machine's integers
    return value


def decode_transformer(tree: Any) -> TableTransformer:
    """A fitted TableTransformer from what `encode_transformer` returned."""
    read = Fields(tree, TRANSFORMER, "transformer")
    defaults = TableTransformer().get_params(deep=False)
    params = decode_params(read["params"], defaults, read.at("params"))
    transformer = TableTransformer(**params)
    check_parameters(transformer)
    n_features = read.count("n_features", 1)
    names = decode_names(read["features"], n_features, read.at("features"))
    encoders = [
        _encoder(one, f"{read.at('encoders')}.{i}")
        for i, one in enumerate(read.items("encoders"))
    ]
    dropped = _dropped(read)
    columns = [column for one in encoders for column in columns_of(one)]
    found = sorted([*columns, *dropped])
    if len(found) != n_features or found != list(range(n_features)):
        raise ValueError(
            f"transformer.encoders and transformer.dropped must have each of the {n_features} "
            f"columns once; they have {short_repr(found)}."
        )
    if not any(one.numeric or one.other for one in encoders):
        raise ValueError("transformer.encoders make no column.")
    target_names, means = read.texts("target_names"), None
    if read["target_means"] is None:
        if target_names:
            raise read.refusal("target_names", "empty without target_means")
    else:
        levels = n_levels_of(encoders)
        if not levels or not target_names:
            raise read.refusal("target_means", "null without columns of codes or target_names")
        path = read.at("target_means")
        means = decode_target_means(read["target_means"], path, levels, len(target_names))
    table = FittedTable(n_features, names, encoders, dropped, target_names, means)
    return make_transformer_fitted(transformer, table)


def n_levels_of(encoders: list[Encoder]) -> list[int]:
    """Number of levels of each column of codes."""
    return [len(one.levels) for one in encoders if isinstance(one, Frequencies)]


def decode_target_means(
    tree: Any, path: str, n_levels: list[int], n_targets: int
) -> TargetMeans:
    """Target means from what `encode_target_means` returned."""
    read = Fields(tree, TARGET_MEANS, path)
    alpha = read["alpha"]
    if type(alpha) is not float or alpha < 0:
        raise read.refusal("alpha", "a number of at least 0")
    means = TargetMeans(alpha, read.count("n_folds", 1))
    columns = {str(j): one for j, one in enumerate(read.items("means", len(n_levels)))}
    inner = Fields(columns, columns, read.at("means"))
    means.means = [
        inner.array(str(j), "<f8", (n + 1, n_targets)) for j, n in enumerate(n_levels)
    ]
    means.scale = _scale(read, "scale", len(n_levels) * n_targets)
    return means


def _dropped(read: Fields) -> dict[int, str]:
    pairs = read.items("dropped")
    for pair in pairs:
        if type(pair) is not list or [type(one) for one in pair] != [int, str]:
            raise read.refusal("dropped", "a list of [index, reason]")
    dropped = dict(pairs)
    if len(dropped) < len(pairs):
        raise read.refusal("dropped", "of distinct indices")
    return dropped


# Encoders


def _encoder(tree: Any, path: str) -> Any:
    name = tree.get("type") if type(tree) is dict else None
    if type(name) is not str or name not in ENCODERS:
        raise ValueError(
            f"{path}.type must be one of {list(ENCODERS)}; got {short_repr(name)}: upgrade "
            "skdeep if a newer version wrote it."
        )
    kind, decoder = ENCODERS[name]
    return decoder(Fields(tree, ("type", *_names_of(kind)), path))


def columns_of(encoder: Any) -> list[int]:
    """Indices of the columns that an encoder reads."""
    return encoder.columns.tolist() if isinstance(encoder, Numbers) else [encoder.column]


def _scale(read: Fields, name: str, n: int) -> RobustScale:
    inner = Fields(read[name], SCALE, read.at(name))
    median, width = (inner.array(one, "<f8", (n,)) for one in SCALE)
    if (width < 0).any():
        raise inner.refusal("width", "0 or more")
    return RobustScale(median, width)


def _optional_scale(
    read: Fields, name: str, n: int, needed: bool | None = None
) -> RobustScale | None:
    # The scale, or None; `needed` is None if both will do.
    is_null = read[name] is None
    if needed is not None and is_null == needed:
        raise read.refusal(name, "an object here" if needed else "null here")
    return None if is_null else _scale(read, name, n)


def _levels(read: Fields) -> list[str]:
    levels = read.texts("levels")
    if not levels or len(set(levels)) < len(levels):
        raise read.refusal("levels", "distinct strings, and at least one")
    return levels


def _numbers(read: Fields) -> Numbers:
    columns = read.array("columns", "<i8", (None,))
    n = len(columns)
    kinds = read.texts("kinds", n)
    if not set(kinds) <= {NUMBER, DURATION}:
        raise read.refusal("kinds", f"{NUMBER!r} or {DURATION!r} for each column")
    marked = read.array("marked", "|b1", (n,))
    marks = _scale(read, "marks", int(np.count_nonzero(marked)))
    scale = _scale(read, "scale", n)
    return Numbers(columns.astype(np.intp), kinds, scale, marked, marks)


def _booleans(read: Fields) -> Booleans:
    marks = _optional_scale(read, "marks", 1)
    return Booleans(read.count("column"), marks, is_constant=read.flag("is_constant"))


def _categories(read: Fields) -> Categories:
    levels = _levels(read)
    group = read.array("group", "<i8", (len(levels),))
    n_groups = len(np.unique(group))
    if group.min() != 0 or group.max() != n_groups - 1:
        raise read.refusal("group", "0, 1, ... without gaps")
    return Categories(
        read.count("column"),
        levels,
        group.astype(np.intp),
        read.flag("has_infrequent"),
        _optional_scale(read, "scale", n_groups, n_groups > 2),
        _optional_scale(read, "marks", 1, n_groups == 1),
    )


def _frequencies(read: Fields) -> Frequencies:
    levels = _levels(read)
    log_counts = read.array("log_counts", "<f8", (len(levels) + 1,))
    return Frequencies(read.count("column"), levels, log_counts, _scale(read, "scale", 1))


def _dates(read: Fields) -> Dates:
    kept = read.array("kept", "|b1", (2 + 2 * len(PERIODS),))
    scale = _scale(read, "scale", 2)
    return Dates(read.count("column"), scale, kept, _optional_scale(read, "marks", 1))


# The classes that a file can name, and their readers.
ENCODERS: dict[str, tuple[type, Any]] = {
    "Numbers": (Numbers, _numbers),
    "Booleans": (Booleans, _booleans),
    "Categories": (Categories, _categories),
    "Frequencies": (Frequencies, _frequencies),
    "Dates": (Dates, _dates),
}
