"""Table of the layers of a network: text in a terminal, HTML in a notebook."""

from html import escape
from typing import NamedTuple

from skdeep._network.network import Network

HEADER = ("Layer", "Output shape", "Applies", "Parameters")


class LayerRow(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    name : str
        Such as 'hidden 1'.
    width : int
        Number of columns of the output.
    applies : str
        What is applied after the weights, such as 'BatchNorm, ReLU, dropout'.
    n_params : int
        Number of parameters. Running means and variances, and the bins of encodings, count.
    """

    name: str
    width: int
    applies: str
    n_params: int


def layer_rows(network: Network) -> list[LayerRow]:
    """The row of each layer, without one for the columns of X."""
    rows = [
        LayerRow(f"input {i + 1}", layer.n_out, type(layer).__name__, layer.n_params)
        for i, layer in enumerate(network.inputs)
    ]
    for i, layer in enumerate(network.layers):
        last = i == len(network.layers) - 1
        parts = ["input dropout"] if layer.drops_input else []
        parts += [type(layer.norm).__name__] if layer.norm else []
        if not last:
            parts.append(repr(layer.activation).removesuffix("()"))
        parts += [name for name in ("dropout", "residual") if getattr(layer, name)]
        n_arrays = layer.n_in + layer.bias + len(layer.norm.starts if layer.norm else ())
        name = "output" if last else f"hidden {i + 1}"
        rows.append(LayerRow(name, layer.n_out, ", ".join(parts), n_arrays * layer.n_out))
    return rows


class Summary(str):
    """The text of the table, which a notebook displays as HTML.

    Attributes
    ----------
    rows : list of LayerRow
        The columns of X, then each layer.
    """

    rows: list[LayerRow]

    @classmethod
    def of(cls, network: Network) -> "Summary":
        """The table of the layers of a network."""
        rows = [LayerRow("input", network.n_in, "", 0), *layer_rows(network)]
        summary = cls(_text(rows))
        summary.rows = rows
        return summary

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return _html(self.rows, "dataframe", "")


def html_section(rows: list[LayerRow]) -> str:
    """The table as a section of scikit-learn's diagrams of estimators, in their style."""
    # Their rows of class "default" have dark text, because they are light in any theme.
    return (
        '<div class="estimator-table"><details open><summary>Layers</summary>'
        f"{_html(rows, 'parameters-table', 'default')}</details></div>"
    )


def _html(rows: list[LayerRow], table_class: str, row_class: str) -> str:
    total = ("total", "", "", f"{_total(rows):,}")
    body = "".join(_html_row("td", cells, row_class) for cells in [*map(_cells, rows), total])
    head = _html_row("th", HEADER, "")
    return f'<table class="{table_class}"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _html_row(tag: str, cells: tuple[str, ...], row_class: str) -> str:
    # Against the alignment of notebooks, and of scikit-learn's diagrams.
    sides = ("left", "left", "left", "right")
    inner = "".join(
        f'<{tag} style="text-align: {side} !important">{escape(cell)}</{tag}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f'<tr class="{row_class}">{inner}</tr>'


def _cells(row: LayerRow) -> tuple[str, str, str, str]:
    return row.name, f"(None, {row.width})", row.applies, f"{row.n_params:,}"


def _total(rows: list[LayerRow]) -> int:
    return sum(row.n_params for row in rows)


def _text(rows: list[LayerRow]) -> str:
    table = [HEADER, *map(_cells, rows)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(HEADER))]
    lines = [
        "  ".join([*map(str.ljust, cells[:3], widths[:3]), cells[3].rjust(widths[3])])
        for cells in table
    ]
    rule = "-" * len(lines[0])
    total = f"{'Total'.ljust(len(rule) - widths[3])}{_total(rows):>{widths[3]},}"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])
