"""The page in the making: what to measure, with whom, and what has been found so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.report import Ratios, table


@dataclass
class Page:
    """What sections need to know, and the comparisons that they leave behind.

    Attributes
    ----------
    data : Path
        Folder of the data sets that do not come with scikit-learn.
    names : sequence of str
        Contestants.
    repeats : int
        Measurements of each contestant.
    core_counts : sequence of int
        Numbers of cores to measure with: the last is that of the machine.
    wanted : callable
        Whether a case is to be measured: (its title, its data) -> bool.
    figures : Path or None
        Folder for charts.
    """

    data: Path
    names: Sequence[str]
    repeats: int
    core_counts: Sequence[int]
    wanted: Callable[[str, str], bool]
    figures: Path | None = None
    compared: list[Ratios] = field(default_factory=list)

    @property
    def all_cores(self) -> int:
        return self.core_counts[-1]

    def ratios(self, found: Ratios, file: str) -> str:
        """The table of a comparison, under its title and above its chart, if it has rows."""
        if not found.rows:
            return ""
        self.compared.append(found)
        parts = [f"### {found.title}", found.table()]
        if self.figures:
            from tests.benchmarks.figures import draw_ratios

            draw_ratios(found, self.figures / file)
            parts.append(self.picture(found.title, file))
        return "\n\n".join(parts)

    def picture(self, title: str, file: str) -> str:
        assert self.figures
        return f"![{title}]({self.figures.name}/{file})"

    def losses(self) -> str:
        """Where a peer is faster, the farthest first."""
        rows = [row for found in self.compared for row in found.faster()]
        rows.sort(key=lambda row: float(row[-1].split()[0]))
        if not rows:
            return ""
        note = "Every ratio of the tables above whose median is below 1, the lowest first."
        return section("Where a peer is faster", note, table(LOSSES, rows))


LOSSES = ("table", "case", "peer", "time of the peer by that of skdeep")


def section(title: str, note: str, *parts: str) -> str:
    """A heading, a note and what follows; empty where nothing does."""
    found = [part for part in parts if part]
    return "\n\n".join([f"## {title}", note, *found]) if found else ""
