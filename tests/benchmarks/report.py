"""How measurements are written down: Markdown tables under a description of the machine."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import threadpool_info

import skdeep
from tests.benchmarks.cases import FLOOR, LABELS, MLP_64, OURS, OURS_64

Times = Mapping[str, Sequence[float]]
NOTHING = "-"
# Not peers but bounds: no loss that they take less time.
DOES_NOTHING = "an estimator that does nothing"
BOUNDS = (FLOOR, DOES_NOTHING)
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "jax")


@dataclass
class Ratios:
    """Times of contestants in several cases, to be compared with ours in the same repeat.

    Attributes
    ----------
    title : str
        What the table is of, also for charts and the list of who is faster.
    unit : str
        'us', 'ms' or 's': of our own times.
    peers : sequence of str
        Contestants in the order of their columns.
    ours : str
        The contestant that they are compared with.
    rows : dict
        Name of the case -> contestant -> seconds in each repeat. Not all enter all cases.
    """

    title: str
    unit: str
    peers: Sequence[str]
    ours: str = OURS
    rows: dict[str, Times] = field(default_factory=dict)

    def of(self, case: str, peer: str) -> list[float]:
        """A peer's time by ours in each repeat; empty where it has not entered."""
        times = self.rows[case]
        if peer not in times:
            return []
        ours = times[OURS_64 if peer == MLP_64 else self.ours]
        return [theirs / our for theirs, our in zip(times[peer], ours, strict=True)]

    def table(self) -> str:
        """Our medians, and ratios with their spread; those below 1 in bold type."""
        scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[self.unit]
        header = ["case", f"{label(self.ours)}, {self.unit}", *map(label, self.peers)]
        rows = [
            [
                case,
                f"{scale * median(times[self.ours]):.3g}",
                *(self._cell(case, peer) for peer in self.peers),
            ]
            for case, times in self.rows.items()
        ]
        return table(header, rows)

    def faster(self) -> list[list[str]]:
        """Cases and peers whose median time is below ours."""
        return [
            [self.title, case, label(peer), spread(self.of(case, peer))]
            for case in self.rows
            for peer in self.peers
            if self._lost(case, peer)
        ]

    def _lost(self, case: str, peer: str) -> bool:
        ratios = self.of(case, peer)
        return bool(ratios) and peer not in BOUNDS and median(ratios) < 1

    def _cell(self, case: str, peer: str) -> str:
        cell = spread(self.of(case, peer))
        return f"**{cell}**" if self._lost(case, peer) else cell


def label(name: str) -> str:
    return LABELS.get(name, name)


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Median, minimum and maximum."""
    if not values:
        return NOTHING
    middle, low, high = (scale * f(values) for f in (median, min, max))
    return f"{middle:.3g} ({low:.3g}-{high:.3g})" if len(values) > 1 else f"{middle:.3g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Least-squares slope on logarithmic scales: 0 means constant, 1 linear."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def machine(
    command: str, packages: Sequence[str] = PACKAGES, kernels: Sequence[str] = ()
) -> str:
    """Where and how the document was made, with the versions of packages, if installed.

    `kernels` are those of other processes; without them, those of this one are named.
    """
    lines = [
        f"- Machine: {os.cpu_count()} cores, {_cpu_model()}; {platform.platform()}; "
        f"load before the start {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}, skdeep {skdeep.__version__}, "
        + ", ".join(f"{package} {version(package)}" for package in packages if _has(package)),
        *(f"- {line}" for line in kernels or [f"BLAS: {blas()}"]),
        f"- Commit {_commit()}",
        f"- Command: `{command}`",
    ]
    return "\n".join(lines)


def blas() -> str:
    """The kernels and threads of each BLAS that this process has loaded."""
    return ", ".join(
        f"{_owner(pool['filepath'])} {pool['internal_api']} {pool['version']} "
        f"({pool['architecture']}, {counted(pool['num_threads'], 'thread')})"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    )


def _owner(path: str) -> str:
    return next((name for name in ("numpy", "scipy") if f"{name}.libs" in path), "the system's")


def counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"


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
