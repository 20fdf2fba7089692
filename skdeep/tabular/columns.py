"""Reads tables, of whatever container, as columns of one of five kinds.

`fit` decides what a column holds from its dtype, or from its distinct values if they are
Python objects. Later tables are read as what `fit` saw, so the same values give the same
numbers whether they come from pandas, polars, NumPy or lists, and what cannot be read so is
refused by name.
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from scipy.sparse import issparse
from sklearn.utils import check_array

NUMBER, BOOLEAN, CATEGORY, DATE, DURATION = KINDS = (
    "number",
    "boolean",
    "category",
    "date",
    "duration",
)

# Kinds of NumPy's dtypes that hold values rather than Python objects.
TYPED = {"b": BOOLEAN, "i": NUMBER, "u": NUMBER, "f": NUMBER, "M": DATE, "m": DURATION}

# Types of the values in columns of Python objects. A column is of the first kind that all of
# its values have; pandas' types are subclasses.
TYPES: dict[str, tuple[type, ...]] = {
    BOOLEAN: (bool, np.bool_),
    NUMBER: (Real, Decimal, np.bool_),
    DATE: (datetime.date, np.datetime64),
    DURATION: (datetime.timedelta, np.timedelta64),
}

# Types of numbers of which lists become arrays.
PLAIN = {int, float}


class Column:
    """A column of a table; `values` is an array of numbers or times, or a list of objects."""

    def __init__(self, name: str, values: np.ndarray | list[Any], *, is_categorical: bool):
        self.name = name
        self.values = values
        self.is_categorical = is_categorical  # by its dtype

    def kind(self) -> str:
        """Return what the column holds, as far as the values tell."""
        if isinstance(self.values, np.ndarray):
            return TYPED[self.values.dtype.kind]
        present = [value for value in self.distinct[0] if not _is_missing(value)]
        if not present:
            return NUMBER
        if any(isinstance(value, datetime.time) for value in present):
            raise ValueError(
                f"Column {self.name} holds times of day, without a date: convert them to "
                "durations since midnight."
            )
        kinds = (kind for kind in TYPES if all(_is_a(value, kind) for value in present))
        return next(kinds, CATEGORY)

    @cached_property
    def distinct(self) -> tuple[list[Any], np.ndarray]:
        """The distinct values, and the place of each row's value among them."""
        if isinstance(self.values, np.ndarray):
            distinct, codes = np.unique(self.values, return_inverse=True)
            # Times as they are: of nanoseconds, tolist would make integers.
            return list(distinct) if distinct.dtype.kind in "mM" else distinct.tolist(), codes
        try:
            places = {value: place for place, value in enumerate(dict.fromkeys(self.values))}
        except TypeError:
            kinds = sorted({type(value).__name__ for value in self.values})
            raise ValueError(
                f"Column {self.name} holds values of type {', '.join(kinds)}, of which at "
                "least one is not a number, string, boolean, date or duration: convert or "
                "drop the column."
            ) from None
        codes = np.fromiter(map(places.__getitem__, self.values), np.int32, len(self.values))
        self.values = []  # a million strings take more than their codes
        return list(places), codes

    def floats(self, kind: str) -> np.ndarray:
        """Return numbers, booleans, or durations in seconds, as float64; NaN is missing."""
        values = self.values
        if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and kind != DURATION:
            return values.astype(np.float64)
        if isinstance(values, np.ndarray) and values.dtype.kind == "m" and kind == DURATION:
            return _seconds(values)
        distinct, codes = self.distinct
        self._check_types(kind)
        return np.array([_to_float(value) for value in distinct], np.float64)[codes]

    def dates(self) -> np.ndarray:
        """Return dates as datetime64[us], in the wall time of their zone."""
        if isinstance(self.values, np.ndarray) and self.values.dtype.kind == "M":
            return self.values.astype("datetime64[us]")
        distinct, codes = self.distinct
        self._check_types(DATE)
        return np.array([_to_date(v) for v in distinct], "datetime64[us]")[codes]

    def texts(self) -> tuple[list[str | None], np.ndarray]:
        """Return the distinct values as texts, None if missing, and each row's place."""
        distinct, codes = self.distinct
        return [None if _is_missing(value) else _to_text(value) for value in distinct], codes

    def _check_types(self, kind: str) -> None:
        # Raise ValueError unless all values are of the types that `kind` takes.
        allowed = NUMBER if kind == BOOLEAN else kind
        wrong = [v for v in self.distinct[0] if not _is_missing(v) and not _is_a(v, allowed)]
        if wrong:
            raise ValueError(
                f"Column {self.name} held {kind}s in fit, but now holds other values, such as "
                f"{wrong[0]!r}: convert the column to {kind}s."
            )


def _is_a(value: Any, kind: str) -> bool:
    # NumPy's durations are integers, too.
    is_duration = isinstance(value, TYPES[DURATION])
    return isinstance(value, TYPES[kind]) and (kind == DURATION or not is_duration)


def _is_missing(value: Any) -> bool:
    # None, NaN, NaT and pandas' NA, of which a comparison is NA again.
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _to_text(value: Any) -> str:
    # 3, 3.0 and "3" are one level: missing values turn integers into floats in pandas.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if _is_a(value, DATE):  # in the same words whatever its type
        return str(_to_date(value))
    if _is_a(value, DURATION):
        value = _to_float(value)
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def _to_float(value: Any) -> float:
    if _is_missing(value):
        return np.nan
    if isinstance(value, TYPES[DURATION]):
        return float(_seconds(np.array([value], "timedelta64[us]"))[0])
    try:
        return float(value)
    except OverflowError:  # of a large int
        return np.inf if value > 0 else -np.inf


def _to_date(value: Any) -> np.datetime64:
    if _is_missing(value):
        return np.datetime64("NaT", "us")
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None)
    return np.datetime64(value).astype("datetime64[us]")


def _seconds(durations: np.ndarray) -> np.ndarray:
    return durations / np.timedelta64(1, "s")


class Table:
    """A table as columns, which are read one by one; `names` are quoted, for messages."""

    def __init__(self, X: Any):
        if issparse(X):
            raise TypeError(
                "Sparse data is not supported, as tables are read column by column: use "
                "X.toarray()."
            )
        frame = _frame(X)
        self._source = _array(X) if frame is None else frame
        self.n_rows, self.n_columns = self._source.shape
        if frame is not None:
            self.names = [repr(name) for name in frame.columns]
            _check_shape(self.n_rows, self.n_columns)
        else:
            self.names = [str(column) for column in range(self.n_columns)]
        self._columns: dict[int, Column] = {}

    def column(self, index: int) -> Column:
        """Return a column; columns of objects are kept, as their distinct values are."""
        if index in self._columns:
            return self._columns[index]
        source, by_dtype = self._source[:, index], False
        if isinstance(source, nw.Series):
            by_dtype = source.dtype in (nw.Categorical, nw.Enum)
            values = _values(source)
        else:
            values = source if source.dtype.kind in TYPED else source.tolist()
        column = Column(self.names[index], values, is_categorical=by_dtype)
        if isinstance(values, list):
            self._columns[index] = column
        return column

    def floats(self, indices: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
        """Return columns of numbers or durations as float64, shape (n_columns, n_rows)."""
        source = self._source
        may_be_numbers = DURATION not in kinds
        if isinstance(source, np.ndarray) and source.dtype.kind in "biuf" and may_be_numbers:
            return np.array(source[:, indices].T, dtype=np.float64, order="C")
        out = np.empty((len(indices), self.n_rows))
        for row, index, kind in zip(out, indices, kinds, strict=True):
            row[:] = self.column(int(index)).floats(kind)
        return out


def _frame(X: Any) -> nw.DataFrame | None:
    # X as a narwhals frame, or None if it is no data frame.
    if isinstance(X, np.ndarray | list | tuple):
        return None
    try:
        frame = nw.from_native(X, pass_through=True)
    except DuplicateError as error:
        names = list(map(repr, X.columns))
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(
            f"Names of columns must be unique, but X has {', '.join(twice)} more than once: "
            "rename or drop columns."
        ) from error
    if isinstance(frame, nw.LazyFrame):
        raise TypeError("X is a lazy frame: pass X.collect().")
    return frame if isinstance(frame, nw.DataFrame) else None


def _values(series: nw.Series) -> np.ndarray | list[Any]:
    # An array of numbers, booleans or times, or a list.
    if isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.replace_time_zone(None)
    is_text = series.dtype in (nw.String, nw.Categorical, nw.Enum, nw.Object)
    if is_text or series.dtype.is_nested():
        return series.to_list()
    values = series.to_numpy()
    if values.dtype.kind == "c":
        raise ValueError(f"Column {series.name!r} is complex. Complex data not supported.")
    return values if values.dtype.kind in TYPED else series.to_list()


def _array(X: Any) -> np.ndarray:
    if isinstance(X, list | tuple) and not _has_numbers_only(X):
        # NumPy would turn the numbers of mixed rows into strings.
        X = np.array(X, dtype=object)
    if getattr(getattr(X, "dtype", None), "kind", None) in ("S", "U", "T"):
        X = X.astype(object)
    return check_array(X, dtype=None, ensure_all_finite=False)


def _has_numbers_only(rows: Sequence[Any]) -> bool:
    return all(
        isinstance(row, np.ndarray)
        or (isinstance(row, Sequence) and set(map(type, row)) <= PLAIN)
        for row in rows
    )


def _check_shape(n_rows: int, n_columns: int) -> None:
    # The words are scikit-learn's for arrays.
    for number, what in ((n_columns, "feature"), (n_rows, "sample")):
        if number == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape=({n_rows}, {n_columns})) while a "
                "minimum of 1 is required."
            )
