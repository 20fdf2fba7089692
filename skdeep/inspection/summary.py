"""Table of the layers of a network, as text and as HTML."""

from html import escape

from skdeep._network.network import Network

HEADER = ("Layer", "Output shape", "Applies", "Parameters")


def _rows(network: Network) -> list[tuple[str, str, str, str]]:
    first = network.layers[0]
    rows = [("input", f"(None, {first.n_in})", "", "0")]
    rows += [
        (name, f"(None, {width})", applied, f"{n_params:,}")
        for name, width, applied, n_params in network.summary_rows()
    ]
    return rows


def text_summary(network: Network) -> str:
    """Table of the layers as aligned text, with the total below."""
    rows = [HEADER, *_rows(network)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = [
        "  ".join([*map(str.ljust, row[:3], widths[:3]), row[3].rjust(widths[3])])
        for row in rows
    ]
    rule = "-" * len(lines[0])
    total = f"{'Total'.ljust(len(lines[0]) - widths[3])}{_total(network).rjust(widths[3])}"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def html_summary(network: Network) -> str:
    """Table of the layers as HTML."""
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in [*_rows(network), ("total", "", "", _total(network))]
    )
    header = "".join(f"<th>{name}</th>" for name in HEADER)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{cells}</tbody></table>"


def _total(network: Network) -> str:
    return f"{network.n_params:,}"
