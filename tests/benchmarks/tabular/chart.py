"""The chart: error against time, a point for each model."""

import math
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.tabular.cells import Cell
from tests.benchmarks.tabular.models import REFERENCE
from tests.benchmarks.tabular.summary import models_of, per_thousand, ratio


def draw(cells: Sequence[Cell], path: Path) -> None:
    """Save the chart of error, with standard errors, against seconds per 1,000 rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    points = []
    for name in models_of(cells):
        error = ratio(cells, name, REFERENCE, "error")
        if not error.n_tables:
            continue
        seconds = per_thousand(cells, name)
        color = "tab:red" if name.startswith("skdeep") else "tab:gray"
        axes.errorbar(
            seconds, error.mean, error.standard_error, fmt="o", color=color, ecolor="lightgray"
        )
        points.append((seconds, error.mean, name, color))
    for i, (seconds, error, name, color) in enumerate(points):
        below = any(
            other > error and abs(math.log(near / seconds)) < 1 and other - error < 0.03
            for k, (near, other, *_) in enumerate(points)
            if k != i
        )
        axes.annotate(
            name, (seconds, error), (6, -5 if below else 5), textcoords="offset points",
            va="top" if below else "bottom", color=color,
        )  # fmt: skip
    axes.axhline(1, color="lightgray", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2, y=0.1)
    axes.set_xlabel("seconds to fit 1,000 rows, one thread")
    axes.set_ylabel(f"error by that of {REFERENCE}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
