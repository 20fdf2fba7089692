"""Charts of the page: ratios with their spread, and growth."""

from pathlib import Path
from statistics import median

from tests.benchmarks.report import BOUNDS, Ratios, label

MARKERS = "osD^vPX"


def draw_ratios(found: Ratios, path: Path) -> None:
    """Each case in a row: medians of the peers' ratios, and lines from least to most."""
    from matplotlib.figure import Figure

    cases = list(found.rows)
    figure = Figure(figsize=(8, 1.3 + 0.45 * len(cases)), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    for i, peer in enumerate(found.peers):
        drawn = False
        for row, case in enumerate(cases):
            ratios = sorted(found.of(case, peer))
            if not ratios:
                continue
            y = row + 0.6 * ((i + 0.5) / len(found.peers) - 0.5)
            color = "lightgray" if peer in BOUNDS else f"C{i}"
            axes.plot([ratios[0], ratios[-1]], [y, y], color=color, linewidth=1.5)
            axes.plot(
                median(ratios), y, MARKERS[i], color=color, markersize=5,
                label=None if drawn else label(peer),
            )  # fmt: skip
            drawn = True
    axes.axvline(1, color="black", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.grid(axis="y", which="minor", color="lightgray")
    axes.set_title(found.title, fontsize="medium")
    axes.set_xlabel(f"time by that of {label(found.ours)}: right of 1, skdeep is faster")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def draw_growth(
    curves: dict[str, tuple[list[int], dict[str, list[float]]]], path: Path
) -> None:
    """Time against size on logarithmic scales, a panel for each thing that grows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.2 * len(curves) + 1, 3.2), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    for axes, (axis, (sizes, found)) in zip(panels, curves.items(), strict=True):
        for i, (name, seconds) in enumerate(found.items()):
            axes.loglog(sizes, seconds, MARKERS[i] + "-", markersize=4, label=label(name))
        axes.set_xlabel(axis)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds a fit")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)
