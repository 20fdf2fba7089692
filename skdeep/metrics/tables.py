"""A table of metrics, as text, dict, data frame and HTML."""

import unicodedata
from importlib import import_module
from itertools import zip_longest
from typing import Any

Rows = dict[str, dict[str, float]]


class Report:
    """Table of metrics, as returned by :func:`class_report` and :func:`regression_report`.

    It is printed as aligned text, and displayed as an HTML table in notebooks if pandas is
    installed.

    Parameters
    ----------
    rows : dict of str -> dict of str -> number
        Values by row name and column name; all rows have the same columns.
    tables : tuple of tuple of str
        Column names of each of the tables that are printed below each other.
    number_format : str
        Format of floats in the text, such as '.3f'.
    """

    def __init__(self, rows: Rows, tables: tuple[tuple[str, ...], ...], number_format: str):
        self._rows = rows
        self._tables = tables
        self._number_format = number_format

    def to_dict(self) -> Rows:
        """Convert the report to a dict.

        Returns
        -------
        rows : dict of str -> dict of str -> int or float
            Unrounded values by row name and column name. Counts are int unless there were
            sample weights.
        """
        return {name: row.copy() for name, row in self._rows.items()}

    def to_frame(self) -> Any:
        """Convert the report to a data frame.

        Returns
        -------
        frame : pandas.DataFrame
            Unrounded values, with the row names as index.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            raise ImportError(
                "to_frame() needs pandas, which cannot be imported: install it with "
                "'pip install pandas', or use to_dict()."
            ) from error
        return pandas.DataFrame.from_dict(self._rows, orient="index")

    def __repr__(self) -> str:
        return "\n\n".join(self._text(columns) for columns in self._tables)

    def _repr_html_(self) -> str | None:
        # Notebooks display the text instead of None.
        try:
            return self.to_frame().to_html()
        except ImportError:
            return None

    def _text(self, columns: tuple[str, ...]) -> str:
        # The words of a column name are below each other and end on the same line.
        words = [[], *(column.split("_")[::-1] for column in columns)]
        head = list(zip_longest(*words, fillvalue=""))[::-1]
        body = [
            (printable(name), *(self._cell(row[column]) for column in columns))
            for name, row in self._rows.items()
        ]
        widths = [max(map(_width, cells)) for cells in zip(*head, *body, strict=True)]
        lines = []
        for name, *cells in head + body:
            padded = name + " " * (widths[0] - _width(name))
            lines.append("  ".join([padded, *map(str.rjust, cells, widths[1:])]).rstrip())
        lines.insert(len(head), "-" * max(map(_width, lines)))
        return "\n".join(lines)

    def _cell(self, value: float) -> str:
        return str(value) if isinstance(value, int) else format(value, self._number_format)


def _width(text: str) -> int:
    # Width in a terminal: two columns for East Asian wide characters, none for combining ones.
    return sum(
        1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
        if not unicodedata.combining(c)
    )


def printable(text: str) -> str:
    """`text` with characters escaped that would break or reorder a line."""
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else c
        for c in text
    )
