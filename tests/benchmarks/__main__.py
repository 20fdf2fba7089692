"""The whole document: speed, memory and growth, printed as Markdown."""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks import report
from tests.benchmarks.cases import (
    EVERYONE,
    FITS,
    FLOOR,
    GROWTH,
    MLP,
    OURS,
    SPEED,
    TORCH,
)
from tests.benchmarks.contestants import enters
from tests.benchmarks.data import find_mnist
from tests.benchmarks.race import Race, footprint, say, traced_peak

MNIST_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "mnist"


@dataclass
class Run:
    """What to measure, and with whom."""

    race: Race
    names: Sequence[str]
    repeats: int
    wanted: Callable[[str], bool]


def main() -> None:
    options = parse()
    folder = options.data.resolve()
    command = f"python -m tests.benchmarks {shlex.join(sys.argv[1:])}".strip()
    print(f"# Benchmarks\n\n{report.machine(command)}")
    print(f"- {options.repeats} repeats, contestants in turn, each in a separate process")
    no_mnist = find_mnist(folder, "train-images-idx3-ubyte") is None
    if no_mnist:
        print(f"- MNIST was not found in {folder}: its cases are left out")

    def wanted(title: str) -> bool:
        return options.cases.lower() in title and not (no_mnist and ": mnist" in title)

    with Race(folder) as race:
        run = Run(race, contestants(options.peers), options.repeats, wanted)
        sections = [speed, memory] if options.quick else [speed, memory, growth]
        for section in sections:
            text = section(run)
            if text:
                print(f"\n{text}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--cases",
        default="",
        help='part of a title such as "speed: mnist 784-50-10, batch 200", "memory: digits" '
        'or "growth: rows"',
    )
    parser.add_argument(
        "--peers", default="", help="of mlp,torch,skorch,floor, with commas; default: all"
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--quick", action="store_true", help="one repeat, without skorch and growth"
    )
    parser.add_argument(
        "--data", type=Path, default=MNIST_FOLDER, help="folder with MNIST's IDX files"
    )
    options = parser.parse_args()
    if options.quick:
        options.repeats = 1
        options.peers = options.peers or "mlp,torch,floor"
    return options


def contestants(peers: str) -> list[str]:
    """Ourselves and the peers asked for."""
    kinds = {"skdeep", *peers.split(",")}
    return [name for name in EVERYONE if not peers or name.split()[0] in kinds]


def speed(run: Run) -> str:
    rows = []
    for case in SPEED:
        if run.wanted(f"speed: {case.name}"):
            times = run.race.times(case, run.names, run.repeats)
            rows.append(report.speed_row(case, times))
            say(f"speed: {' | '.join(rows[-1])}")
    return report.section("Speed", report.SPEED_NOTE, {"": (report.SPEED_HEADER, rows)})


def memory(run: Run) -> str:
    names = [name for name in run.names if name != FLOOR]
    peaks, pickles = [], []
    for case in FITS:
        if not run.wanted(f"memory: {case.name}"):
            continue
        sizes = {}
        for name in names:
            if enters(name, case):
                with Race(run.race.folder) as fresh:
                    sizes[name] = fresh.ask(footprint, name, case)
        say(f"memory: {case.name} {sizes}")
        peaks.append(report.size_row(case, names, sizes, 0, 1e6))
        pickles.append(report.size_row(case, names, sizes, 1, 1e3))
    header = ("case", *names)
    tables = {"Peak, MB": (header, peaks), "Pickle, kB": (header, pickles)}
    return report.section("Memory", report.MEMORY_NOTE, tables)


def growth(run: Run) -> str:
    timed = [name for name in (OURS, MLP, TORCH) if name in run.names]
    traced = [name for name in (OURS, MLP) if name in run.names]
    rows = []
    for axis, cases in GROWTH.items():
        if not run.wanted(f"growth: {axis}"):
            continue
        times: dict[str, list[float]] = {name: [] for name in timed}
        bytes_: dict[str, list[int]] = {name: [] for name in traced}
        for _, case in cases:
            seconds = run.race.times(case, timed, run.repeats)
            for name in timed:
                times[name].append(median(seconds[name]))
            for name in traced:
                bytes_[name].append(run.race.ask(traced_peak, name, case))
        sizes = [size for size, _ in cases]
        rows.append(report.growth_row(axis, sizes, times, bytes_))
        say(f"growth: {' | '.join(rows[-1])}")
    header = report.growth_header(timed, traced)
    return report.section("Growth", report.GROWTH_NOTE, {"": (header, rows)})


if __name__ == "__main__":
    main()
