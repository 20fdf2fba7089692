"""Fitted TableTransformers in ONNX graphs: columns as they come in, encoded columns out.

Numbers are computed in float64, as the transformer does, and cast in the end. What depends on
few values, such as levels and months, is looked up in tables that the encoders themselves make.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.persistence.onnx_graph import ML, ROWS, Graph
from skdeep.persistence.tables import columns_of
from skdeep.tabular.columns import Table
from skdeep.tabular.encoders import (
    PERIODS,
    Booleans,
    Categories,
    Dates,
    Encoder,
    Frequencies,
    Numbers,
    date_parts,
)
from skdeep.tabular.fitted import FittedTable, table_of
from skdeep.tabular.scaling import FAR, LIMIT, QUARTER, RobustScale

# Texts of missing values, unless they are levels: str() of what Python and pandas call missing.
MISSING_TEXTS = ("", "nan", "None", "NaT", "<NA>")

# What the inputs of columns hold; numbers have NaN where they are missing.
INPUTS: dict[type, Any] = {
    Numbers: np.float64,
    Booleans: np.float64,
    Categories: object,
    Frequencies: object,
    Dates: np.int64,  # microseconds
}

DAY = 86_400_000_000  # microseconds

# The calendar recurs after 400 years: the first days of those from 2000 on, since 1970; and all
# days of two years, of which the first is a leap year.
YEARS = np.arange("2000", "2401", dtype="datetime64[Y]")
FIRST_DAYS = YEARS.astype("datetime64[D]").astype(np.int64)
TWO_YEARS = np.arange("2000", "2002", dtype="datetime64[D]")


def table_columns(graph: Graph, transformer: Any) -> tuple[str, str]:
    """Add the inputs of a table, and what a fitted transformer makes of them.

    A column is an input of shape (n, 1), called as in `fit`, or x0, x1, ... without names.
    A table of numbers and booleans without names is one input X instead, of shape
    (n, n_features). Columns that `fit` has dropped are no inputs.

    - Numbers and booleans are float64, NaN where they are missing. Durations are seconds.
    - Categories are strings, whatever they held in `fit`, as str() writes them. Those of
      MISSING_TEXTS are missing, unless they were levels in `fit`.
    - Dates are int64, in microseconds since 1970 as of ``datetime64[us]``, NaT included.

    Returns
    -------
    shared : str
        The matrix that `transformer.encode` returns, in the graph's dtype.
    codes : str
        Its codes of levels as int64, "" if there are none.
    """
    table = table_of(transformer)
    columns = TableGraph(graph, table)
    for encoder in table.encoders:
        WRITERS[type(encoder)](columns, encoder)
    shared = graph.cast(columns.joined([*columns.numeric, *columns.other]), graph.dtype)
    return shared, columns.joined(columns.codes) if columns.codes else ""


class TableGraph:
    """The columns of a table as inputs, and the parts of the encoded matrix so far.

    Arrays in the graph have shape (n_rows, n_columns).
    """

    def __init__(self, graph: Graph, table: FittedTable) -> None:
        self.graph = graph
        self.numeric: list[str] = []
        self.other: list[str] = []
        self.codes: list[str] = []
        kinds = {i: INPUTS[type(one)] for one in table.encoders for i in columns_of(one)}
        self._inputs: dict[int, str] = {}
        self._matrix = ""
        if table.names is None and set(kinds.values()) == {np.float64}:
            self._matrix = graph.input("X", np.float64, (ROWS, table.n_features))
            return
        names = {i: f"x{i}" if table.names is None else table.names[i] for i in sorted(kinds)}
        if "" in names.values():
            raise ValueError(
                "The table has a column called '', but inputs of an ONNX graph need names: "
                "rename the column and fit again."
            )
        for i, name in names.items():
            self._inputs[i] = graph.input(name, kinds[i], (ROWS, 1))

    def joined(self, parts: Sequence[str]) -> str:
        """Matrices side by side."""
        return parts[0] if len(parts) == 1 else self.graph.node("Concat", *parts, axis=1)

    def column(self, index: int) -> str:
        """A column."""
        return self._columns([index])

    def _columns(self, indices: Sequence[int] | Array) -> str:
        if self._matrix:
            return self.graph.node("Gather", self._matrix, self._int(indices), axis=1)
        return self.joined([self._inputs[int(i)] for i in indices])

    def _float(self, value: Any) -> str:
        return self.graph.constant(value, np.float64)

    def _int(self, value: Any) -> str:
        return self.graph.constant(value, np.int64)

    # Encoders

    def write_numbers(self, encoder: Numbers) -> None:
        """Scaled numbers, and indicators of missing ones."""
        scaled = encoder.scale.width > 0
        if scaled.any():
            values = self._columns(encoder.columns[scaled])
            missing = self.graph.node("IsNaN", values)
            self.numeric.append(self._scaled(encoder.scale[scaled], values, missing))
        if encoder.marked.any():
            values = self._columns(encoder.columns[encoder.marked])
            self._mark(encoder.marks, self.graph.node("IsNaN", values))

    def write_booleans(self, encoder: Booleans) -> None:
        """Signs, and an indicator."""
        node, values = self.graph.node, self.column(encoder.column)
        missing = node("IsNaN", values)
        if not encoder.is_constant:
            twice = node("Mul", values, self._float(2.0))
            signs = node("Sub", twice, self._float(1.0))
            self.other.append(node("Where", missing, self._float(0.0), signs))
        self._mark(encoder.marks, missing)

    def write_categories(self, encoder: Categories) -> None:
        """The rows that the encoder makes of the groups of levels."""
        levels = encoder.levels
        unseen = max(levels) + "?"
        rows, places = np.unique(
            _encoded(encoder, [*levels, unseen, None]), axis=0, return_inverse=True
        )
        row = self._look_up(encoder, places[:-2], places[-2], places[-1])
        self.other.append(self._rows(rows, row))

    def write_frequencies(self, encoder: Frequencies) -> None:
        """The numbers that the encoder makes of the levels, and their codes."""
        levels = encoder.levels
        codes = self._look_up(encoder, np.arange(len(levels)), -1, -1)
        self.codes.append(codes)
        # The last row is of missing and unseen levels. If all levels are as frequent, rows
        # have no columns.
        self.numeric.append(self._rows(_encoded(encoder, [*levels, None]), codes))

    def write_dates(self, encoder: Dates) -> None:
        """Numbers, angles, and an indicator."""
        node, value = self.graph.node, self.column(encoder.column)
        nat = np.datetime64("NaT", "us").astype(np.int64)
        missing = node("Equal", value, self._int(nat))
        # NaT, the smallest integer, would overflow.
        value = node("Where", missing, self._int(0), value)
        day, time = self._divided(value, DAY)
        day = node("Sub", day, self._int(FIRST_DAYS[0]))
        year, of_two_years = self._years(day)
        if encoder.kept[:2].any():
            kept = np.array([year, value])[encoder.kept[:2]].tolist()
            numbers = self.graph.cast(self.joined(kept), np.float64)
            self.numeric.append(self._scaled(encoder.scale[encoder.kept[:2]], numbers, missing))
        if encoder.kept[2:].any():
            angles = self.joined(self._angles(day, of_two_years, time))
            places = self._int(np.flatnonzero(encoder.kept[2:]))
            angles = node("Gather", angles, places, axis=1)
            self.other.append(node("Where", missing, self._float(0.0), angles))
        self._mark(encoder.marks, missing)

    # Parts of encoders

    def _scaled(self, scale: RobustScale, values: str, missing: str) -> str:
        # As RobustScale.apply.
        node = self.graph.node
        z = node("Mul", values, self._float(QUARTER))
        z = node("Sub", z, self._float(scale.median))
        z = node("Div", z, self._float(scale.width))
        z = node("Clip", z, self._float(-FAR), self._float(FAR))
        part = node("Div", z, self._float(LIMIT))
        square = node("Mul", part, part)
        z = node("Div", z, node("Sqrt", node("Add", square, self._float(1.0))))
        return node("Where", missing, self._float(0.0), z)

    def _mark(self, marks: RobustScale | None, missing: str) -> None:
        if marks is not None:
            absent, present = marks.apply(np.tile([0.0, 1.0], (len(marks.width), 1))).T
            values = self._float(present), self._float(absent)
            self.other.append(self.graph.node("Where", missing, *values))

    def _look_up(self, encoder: Any, places: Array, unseen: int, missing: int) -> str:
        # The place of each row's level, shape (n, 1).
        known = dict.fromkeys(MISSING_TEXTS, int(missing))
        pairs = list(zip(encoder.levels, places.tolist(), strict=True))
        known |= {_as_float(level): place for level, place in pairs}
        known |= dict(pairs)
        return self.graph.node(
            "LabelEncoder",
            self.column(encoder.column),
            domain=ML,
            keys_strings=list(known),
            values_int64s=list(known.values()),
            default_int64=int(unseen),
        )

    def _rows(self, table: Array, places: str) -> str:
        # Rows of a table at places of shape (n, 1).
        flat = self.graph.node("Reshape", places, self._int([-1]))
        return self.graph.node("Gather", self._float(table), flat)

    def _divided(self, value: str, divisor: int) -> tuple[str, str]:
        # Quotient, rounded down, and remainder: Div alone rounds towards 0.
        node, by = self.graph.node, self._int(divisor)
        remainder = node("Mod", value, by)
        return node("Div", node("Sub", value, remainder), by), remainder

    def _years(self, day: str) -> tuple[str, str]:
        # Years since 1970 of days since 2000, and places of the days in TWO_YEARS.
        node = self.graph.node
        cycle, of_cycle = self._divided(day, int(FIRST_DAYS[-1] - FIRST_DAYS[0]))
        starts = self._int(FIRST_DAYS - FIRST_DAYS[0])
        # No year has less than 365 days: this is the year of the cycle, or the next one.
        guess = node("Div", of_cycle, self._int(365))
        is_next = node("Less", of_cycle, node("Gather", starts, guess))
        of_400 = node("Sub", guess, self.graph.cast(is_next, np.int64))
        years = node("Mul", cycle, self._int(len(YEARS) - 1))
        years = node("Add", node("Add", years, of_400), self._int(YEARS[0].astype(int)))
        # Leap years are looked up in the first of the two, others in the second.
        is_leap = np.diff(FIRST_DAYS) == 366
        shift = np.where(is_leap, 0, 366) - (FIRST_DAYS - FIRST_DAYS[0])[:-1]
        return years, node("Add", of_cycle, node("Gather", self._int(shift), of_400))

    def _angles(self, day: str, of_two_years: str, time: str) -> list[str]:
        # Sines and cosines of month, weekday, day of the year, and time of day.
        node = self.graph.node
        angles = date_parts(TWO_YEARS)[1].T
        _, of_week = self._divided(day, 7)
        radian = 2 * np.pi / PERIODS["_time"] * 1e-6
        radians = node("Mul", self.graph.cast(time, np.float64), self._float(radian))
        # Older runtimes have no cosine in float64.
        radians = node("Add", radians, self._float([0.0, np.pi / 2]))
        return [
            self._rows(angles[:, 0:2], of_two_years),
            self._rows(angles[:7, 2:4], of_week),
            self._rows(angles[:, 4:6], of_two_years),
            node("Sin", radians),
        ]


WRITERS: dict[type, Any] = {
    Numbers: TableGraph.write_numbers,
    Booleans: TableGraph.write_booleans,
    Categories: TableGraph.write_categories,
    Frequencies: TableGraph.write_frequencies,
    Dates: TableGraph.write_dates,
}


def _encoded(encoder: Any, texts: list[str | None]) -> Array:
    # What an encoder makes of a column of texts, shape (n_texts, n_names).
    alone: Encoder = replace(encoder, column=0)
    table = Table(np.array(texts, dtype=object)[:, None])
    numeric, other = (np.empty((len(texts), len(n))) for n in (alone.numeric, alone.other))
    alone.write(table, numeric, other)
    return np.hstack([numeric, other])


def _as_float(level: str) -> str:
    # How str() writes a whole number among floats: it is the same level.
    try:
        number = float(level)
        return str(number) if str(int(number)) == level else level
    except (ValueError, OverflowError):
        return level
