"""Table of the layers of a network, as text and as HTML."""

from html import escape

from skdeep._network.network import Network

HEADER = ("Layer", "Output shape", "Applies", "Parameters")


def _rows(network: Network) -> list[tuple[str, str, str, str]]:
    rows = [("input", network.n_in, "", 0), *layer_rows(network)]
    return [(name, f"(None, {width})", applied, f"{n:,}") for name, width, applied, n in rows]


def layer_rows(network: Network) -> list[tuple[str, int, str, int]]:
    """Name, output width, what is applied and number of parameters of each layer.

    Running means and variances, and the bins of encodings, count as parameters.
    """
    rows = [
        (f"input {i + 1}", layer.n_out, type(layer).__name__, layer.n_params)
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
        rows.append((name, layer.n_out, ", ".join(parts), n_arrays * layer.n_out))
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
    total = f"{'Total'.ljust(len(rule) - widths[3])}{network.n_params:>{widths[3]},}"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def html_summary(network: Network) -> str:
    """Table of the layers as HTML."""
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in [*_rows(network), ("total", "", "", f"{network.n_params:,}")]
    )
    header = "".join(f"<th>{name}</th>" for name in HEADER)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{cells}</tbody></table>"
