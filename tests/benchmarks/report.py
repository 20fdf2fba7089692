"""How measurements are written down: Markdown tables under a description of the machine."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import threadpool_info

import skdeep
from tests.benchmarks.cases import (
    FLOOR,
    MLP,
    MLP_64,
    OURS,
    OURS_64,
    SKORCH,
    TORCH,
    Case,
)

Times = Mapping[str, Sequence[float]]
NOTHING = "-"


SPEED_NOTE = """\
Time of a peer divided by the time of skdeep in the same repeat, in float32 unless stated
otherwise: median (minimum-maximum) over the repeats; higher is better for skdeep. BLAS floor:
the time of the matrix products alone, called through `np.matmul(..., out=)` with the same
shapes (SciPy's product for sparse input), as a fraction of the time of skdeep."""
MEMORY_NOTE = """\
Growth of the peak memory of a fresh process during one fit, not counting imports and data, and
size of the pickled estimator (for PyTorch, of its `state_dict`)."""
GROWTH_NOTE = """\
One epoch of a regression with batches of 256, 8,192 rows, 64 columns and 2 hidden layers of 64
units, where one of these numbers grows by powers of two. First and last value, and the
exponent, which is the least-squares slope on logarithmic scales: 0 means constant, 1 linear.
Memory is the peak of NumPy's allocations, not counting the data."""


def section(
    title: str,
    note: str,
    tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]],
) -> str:
    """A heading, a note, and tables under their captions; empty where there are no rows."""
    parts = [f"## {title}", note]
    for caption, (header, rows) in tables.items():
        if not rows:
            return ""
        parts += [f"{caption}:", table(header, rows)] if caption else [table(header, rows)]
    return "\n\n".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio_cell(times: Times, peer: str, ours: str = OURS) -> str:
    """Median over the repeats of peer's time by ours, and its spread."""
    ratios = _ratios(times, peer, ours)
    if not ratios:
        return NOTHING
    return f"{median(ratios):.3g} ({min(ratios):.3g}-{max(ratios):.3g})"


def share_cell(times: Times) -> str:
    """Median share of the matrix products in our time, and its spread."""
    ratios = _ratios(times, FLOOR, OURS)
    if not ratios:
        return NOTHING
    return f"{median(ratios):.0%} ({min(ratios):.0%}-{max(ratios):.0%})"


def goal_cell(case: Case, times: Times, peer: str) -> str:
    """The ratio to reach, and whether it is."""
    goal, ratios = case.goals.get(peer), _ratios(times, peer, OURS)
    if goal is None or not ratios:
        return NOTHING
    reached = "reached" if median(ratios) >= goal else "**missed**"
    return f"{goal:.0%} {reached}" if peer == FLOOR else f"{goal:g} {reached}"


def _ratios(times: Times, peer: str, ours: str) -> list[float]:
    # A contestant may have run in the first repeats only.
    pairs = zip(times.get(peer, ()), times.get(ours, ()), strict=False)
    return [theirs / own for theirs, own in pairs]


def milliseconds(seconds: Sequence[float]) -> str:
    return f"{1000 * median(seconds):.3g}" if seconds else NOTHING


SPEED_HEADER = (
    "case",
    "skdeep, ms",
    "MLP",
    "goal",
    "MLP, float64",
    "PyTorch eager",
    "goal",
    "skorch",
    "BLAS floor",
    "goal",
)


def speed_row(case: Case, times: Times) -> tuple[str, ...]:
    return (
        case.name,
        milliseconds(times[OURS]),
        ratio_cell(times, MLP),
        goal_cell(case, times, MLP),
        ratio_cell(times, MLP_64, OURS_64),
        ratio_cell(times, TORCH),
        goal_cell(case, times, TORCH),
        ratio_cell(times, SKORCH),
        share_cell(times),
        goal_cell(case, times, FLOOR),
    )


def size_row(
    case: Case,
    names: Sequence[str],
    sizes: Mapping[str, Sequence[int]],
    which: int,
    unit: float,
) -> tuple[str, ...]:
    cells = [f"{sizes[name][which] / unit:.1f}" if name in sizes else NOTHING for name in names]
    return (case.name, *cells)


def growth_header(timed: Sequence[str], traced: Sequence[str]) -> tuple[str, ...]:
    times = [column for name in timed for column in (f"{name}, ms", "exponent")]
    memory = [column for name in traced for column in (f"{name}, MB", "exponent")]
    return ("what grows", *times, *memory)


def growth_row(
    axis: str,
    sizes: Sequence[int],
    times: Mapping[str, Sequence[float]],
    memory: Mapping[str, Sequence[float]],
) -> tuple[str, ...]:
    """First and last value and the exponent, for each contestant."""
    cells = [f"{axis}, {sizes[0]:,} to {sizes[-1]:,}"]
    for unit, measured in ((1e-3, times), (1e6, memory)):
        for values in measured.values():
            first, last = (f"{value / unit:.3g}" for value in (values[0], values[-1]))
            slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
            cells += [f"{first} to {last}", f"{slope:.2f}"]
    return tuple(cells)


PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")


def machine(command: str, packages: Sequence[str] = PACKAGES) -> str:
    """Where and how the document was made, with the versions of packages, if installed."""
    blas = [
        f"{pool['internal_api']} {pool['version']} ({pool['architecture']}, "
        f"{pool['num_threads']} threads)"
        for pool in threadpool_info()
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
    ]
    lines = [
        f"- Machine: {os.cpu_count()} cores, {_cpu_model()}; {platform.platform()}; "
        f"load before the start {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}, skdeep {skdeep.__version__}, "
        + ", ".join(f"{package} {version(package)}" for package in packages if _has(package)),
        f"- BLAS of NumPy: {', '.join(blas) or 'unknown'}",
        f"- Commit {_commit()}",
        f"- Command: `{command}`",
    ]
    return "\n".join(lines)


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    return text.partition("model name")[2].partition("\n")[0].strip("\t :") or "unknown CPU"


def _commit() -> str:
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
