"""Encoders: each turns columns of one kind into numbers near zero.

Each says the names of what it makes, as (column, suffix): `numeric` of columns that a
numerical embedding can embed, `other` of the rest, such as indicators and angles. `write`
fills matrices of these columns. Fitted encoders are plain data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from skdeep.tabular.columns import BOOLEAN, Column, Table
from skdeep.tabular.scaling import RobustScale

# Number of elements that are scaled at once.
CHUNK = 1 << 18

CONSTANT = "constant"
MISSING = "all values are missing"

Names = list[tuple[int, str]]


class Encoder(Protocol):
    """What all encoders have."""

    numeric: Names
    other: Names

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write the encoded columns, each matrix of shape (n_rows, n_names)."""


def _indicator(is_missing: np.ndarray) -> RobustScale:
    # Missing values are marked like a level of a category.
    return RobustScale.of_indicators(
        np.count_nonzero(is_missing, axis=-1), is_missing.shape[-1]
    )


@dataclass
class Numbers:
    """All columns of numbers and durations: scaled, and an indicator of missing values."""

    columns: np.ndarray
    kinds: list[str]
    scale: RobustScale
    marked: np.ndarray
    marks: RobustScale
    numeric: Names = field(init=False)
    other: Names = field(init=False)

    def __post_init__(self) -> None:
        self.numeric = [(int(c), "") for c in self.columns[self.scale.width > 0]]
        self.other = [(int(c), "_missing") for c in self.columns[self.marked]]

    @classmethod
    def fit(
        cls, table: Table, columns: Sequence[int], kinds: list[str]
    ) -> tuple[Self, dict[int, str]]:
        """Measure columns; return the encoder, and reasons to drop columns."""
        indices = np.array(columns, dtype=np.intp)
        median, width, n_missing = (np.zeros(len(indices)) for _ in range(3))
        varies = np.zeros(len(indices), dtype=bool)
        for part in _blocks(len(indices), table.n_rows):
            values = table.floats(indices[part], kinds[part])
            scale = RobustScale.fit(values)
            median[part], width[part] = scale.median, scale.width
            n_missing[part] = np.count_nonzero(np.isnan(values), axis=-1)
            varies[part] = np.fmin.reduce(values, axis=-1) < np.fmax.reduce(values, axis=-1)
        # Infinity beside one other value says something, at any scale.
        width[(width == 0) & varies] = 1.0
        marked = (n_missing > 0) & (n_missing < table.n_rows)
        dropped = {
            int(indices[i]): MISSING if n_missing[i] else CONSTANT
            for i in np.flatnonzero((width == 0) & ~marked)
        }
        kept = (width > 0) | marked
        marks = RobustScale.of_indicators(n_missing[marked], table.n_rows)
        scale = RobustScale(median[kept], width[kept])
        kept_kinds = [kind for kind, keep in zip(kinds, kept, strict=True) if keep]
        return cls(indices[kept], kept_kinds, scale, marked[kept], marks), dropped

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write the numbers and the indicators."""
        scaled = self.scale.width > 0
        # Places of the columns of `numeric` and `other`.
        numbers, marks = np.cumsum(scaled) - 1, np.cumsum(self.marked) - 1
        for part in _blocks(len(self.columns), table.n_rows):
            values = table.floats(self.columns[part], self.kinds[part])
            keep, marked = scaled[part], self.marked[part]
            at = marks[part][marked]
            other[:, at] = self.marks[at].apply(1.0 * np.isnan(values[marked])).T
            numeric[:, numbers[part][keep]] = self.scale[part][keep].apply(values[keep]).T


def _blocks(n_columns: int, n_rows: int) -> list[slice]:
    size = max(1, CHUNK // max(1, n_rows))
    return [slice(start, start + size) for start in range(0, n_columns, size)]


@dataclass
class Booleans:
    """A column of booleans as -1 and 1; missing values are 0, and have an indicator."""

    column: int
    marks: RobustScale | None
    numeric: Names = field(init=False)
    other: Names = field(init=False)
    is_constant: bool = False

    def __post_init__(self) -> None:
        self.numeric = []
        self.other = [] if self.is_constant else [(self.column, "")]
        self.other += [] if self.marks is None else [(self.column, "_missing")]

    @classmethod
    def fit(cls, index: int, column: Column) -> Self | str:
        """Return the encoder, or why the column is dropped."""
        values = column.floats(BOOLEAN)
        is_missing = np.isnan(values)
        present = values[~is_missing]
        is_constant = bool((present == present[:1]).all())
        if is_constant and len(present) in (0, len(values)):
            return CONSTANT if len(present) else MISSING
        marks = _indicator(is_missing[None]) if is_missing.any() else None
        return cls(index, marks, is_constant)

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write the signs and the indicator."""
        column = table.column(self.column)
        values = column.floats(BOOLEAN)
        is_missing = np.isnan(values)
        wrong = ~is_missing & (values != 0) & (values != 1)
        if wrong.any():
            raise ValueError(
                f"Column {column.name} held booleans in fit, but now holds other numbers, such "
                f"as {values[wrong][0]:g}: convert the column to booleans."
            )
        if not self.is_constant:
            other[:, 0] = np.where(is_missing, 0.0, 2 * values - 1)
        if self.marks is not None:
            other[:, -1] = self.marks.apply(1.0 * is_missing[None])[0]


def codes_of(column: Column, levels: Sequence[str], unseen: int = -1) -> np.ndarray:
    """Return each row's place among the levels as int32, -1 if missing."""
    texts, codes = column.texts()
    places: dict[Any, int] = {level: place for place, level in enumerate(levels)} | {None: -1}
    return np.array([places.get(text, unseen) for text in texts], dtype=np.int32)[codes]


@dataclass
class Categories:
    """A column of few levels: one-hot columns, or -1 and 1 if there are two.

    `group` is each level's group of levels. The rare levels may share the last one, to which
    levels that `fit` has not seen belong too. Missing values belong to no group, as unseen
    ones do otherwise.
    """

    column: int
    levels: list[str]
    group: np.ndarray
    has_infrequent: bool
    scale: RobustScale | None
    marks: RobustScale | None
    numeric: Names = field(init=False)
    other: Names = field(init=False)

    def __post_init__(self) -> None:
        n_groups = int(self.group.max()) + 1
        names = [""] * n_groups
        for level, group in zip(self.levels, self.group, strict=True):
            names[group] = f"_{level}"
        if self.has_infrequent:
            names[-1] = "_infrequent"
        self.numeric = []
        self.other = [(self.column, name) for name in names[n_groups == 2 :]]
        if n_groups == 1:
            self.other = [(self.column, "_missing")]

    @classmethod
    def fit(
        cls, index: int, levels: list[str], group: np.ndarray, joined: bool, codes: np.ndarray
    ) -> Self | str:
        """Measure the groups; return the encoder, or why the column is dropped."""
        counts = np.bincount(group[codes[codes >= 0]], minlength=int(group.max()) + 1)
        n_missing = np.count_nonzero(codes < 0)
        scale = marks = None
        if len(counts) == 1:
            if not n_missing:
                return CONSTANT
            marks = RobustScale.of_indicators(np.array([n_missing]), len(codes))
        elif len(counts) > 2:
            scale = RobustScale.of_indicators(counts, len(codes))
        return cls(index, levels, group, joined, scale, marks)

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write one column for each group, or one for two."""
        unseen = len(self.levels)
        codes = codes_of(table.column(self.column), self.levels, unseen)
        # The last two are of unseen levels and missing values.
        infrequent = int(self.group.max()) if self.has_infrequent else -1
        groups = np.append(self.group, [infrequent, -1])[codes]
        if self.marks is not None:
            other[:, 0] = self.marks.apply(1.0 * (codes < 0)[None])[0]
        elif self.scale is None:
            other[:, 0] = np.array([-1.0, 1.0, 0.0])[groups]
        else:
            values = self.scale.apply(np.array([[0.0, 1.0]]).repeat(other.shape[1], axis=0))
            other[:] = values[:, 0]
            rows = np.flatnonzero(groups >= 0)
            other[rows, groups[rows]] = values[groups[rows], 1]


@dataclass
class Frequencies:
    """A column of many levels: the logarithm of how often `fit` has seen the level.

    `codes` are for the means of a target; see :class:`~skdeep.tabular.TargetMeans`.
    """

    column: int
    levels: list[str]
    log_counts: np.ndarray
    scale: RobustScale
    numeric: Names = field(init=False)
    other: Names = field(init=False)

    def __post_init__(self) -> None:
        self.numeric = [(self.column, "_count")] if self.scale.width[0] > 0 else []
        self.other = []

    @classmethod
    def fit(cls, index: int, levels: list[str], codes: np.ndarray) -> Self:
        """Count the levels."""
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        log_counts = np.append(np.log1p(counts), 0.0)  # of missing and unseen levels
        return cls(index, levels, log_counts, RobustScale.fit(log_counts[codes][None]))

    def codes(self, table: Table) -> np.ndarray:
        """Return each row's level, -1 if it is missing or `fit` has not seen it."""
        return codes_of(table.column(self.column), self.levels)

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write the logarithms of the counts."""
        if self.numeric:
            numeric[:, 0] = self.scale.apply(self.log_counts[self.codes(table)][None])[0]


# Parts of a date, as (suffix, period): angles of each become a sine and a cosine.
PERIODS = {"_month": 12, "_weekday": 7, "_dayofyear": 366, "_time": 86400}


@dataclass
class Dates:
    """A column of dates: year and time as numbers, and parts that recur as angles.

    The angles are those of the month, the weekday, the day of the year and the time of day.
    What is constant in `fit` is left out: `kept` says which of the two numbers and eight
    sines and cosines stay.
    """

    column: int
    scale: RobustScale
    kept: np.ndarray
    marks: RobustScale | None
    numeric: Names = field(init=False)
    other: Names = field(init=False)

    def __post_init__(self) -> None:
        numbers = ["_year", "_elapsed"]
        angles = [f"{part}_{curve}" for part in PERIODS for curve in ("sin", "cos")]
        named = [(self.column, name) for name in (*numbers, *angles)]
        kept = [name for name, keep in zip(named, self.kept, strict=True) if keep]
        self.numeric = kept[: np.count_nonzero(self.kept[:2])]
        self.other = kept[len(self.numeric) :]
        self.other += [] if self.marks is None else [(self.column, "_missing")]

    @classmethod
    def fit(cls, index: int, column: Column) -> Self | str:
        """Return the encoder, or why the column is dropped."""
        dates = column.dates()
        is_missing = np.isnat(dates)
        if is_missing.all():
            return MISSING
        numbers, angles = date_parts(dates)
        scale = RobustScale.fit(numbers)
        # The sines of months half a year apart differ by rounding only.
        spread = np.ptp(angles[:, ~is_missing], axis=-1) > 1e-9
        kept = np.append(scale.width > 0, spread)
        marks = _indicator(is_missing[None]) if is_missing.any() else None
        if not kept.any() and marks is None:
            return CONSTANT
        return cls(index, scale, kept, marks)

    def write(self, table: Table, numeric: np.ndarray, other: np.ndarray) -> None:
        """Write the numbers, the angles and the indicator."""
        dates = table.column(self.column).dates()
        numbers, angles = date_parts(dates)
        numeric[:] = self.scale.apply(numbers)[self.kept[:2]].T
        n_angles = np.count_nonzero(self.kept[2:])
        other[:, :n_angles] = angles[self.kept[2:]].T
        if self.marks is not None:
            other[:, -1] = self.marks.apply(1.0 * np.isnat(dates)[None])[0]


def date_parts(dates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a date is made of, as `Dates.kept` counts it.

    Numbers, shape (2, n_rows), are NaN if a date is missing; sines and cosines, shape
    (8, n_rows), are 0.
    """
    is_missing = np.isnat(dates)
    dates = np.where(is_missing, np.datetime64(0, "us"), dates)
    years, months, days = (dates.astype(f"datetime64[{unit}]") for unit in "YMD")
    numbers = np.array([years.astype(np.float64), dates.astype(np.float64)])
    numbers[:, is_missing] = np.nan
    parts = np.array(
        [
            months.astype(np.int64) % 12,
            (days.astype(np.int64) + 3) % 7,  # 0 is Monday; 1970 began on a Thursday
            (days - years.astype(days.dtype)).astype(np.int64),
            (dates - days) / np.timedelta64(1, "s"),
        ]
    )
    radians = parts * (2 * np.pi / np.array(list(PERIODS.values())))[:, None]
    angles = np.stack([np.sin(radians), np.cos(radians)], axis=1).reshape(8, -1)
    angles[:, is_missing] = 0.0
    return numbers, angles
