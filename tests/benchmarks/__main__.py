"""The whole page, printed as Markdown: speed, accuracy, searches, memory and growth."""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.accuracy import time_to_accuracy
from tests.benchmarks.cases import EVERYONE, JAX, OURS, TORCH
from tests.benchmarks.contestants import PACKAGES, installed
from tests.benchmarks.data import DOWNLOADS, missing
from tests.benchmarks.fits import growth, memory, speed
from tests.benchmarks.page import Page
from tests.benchmarks.race import KERNELS, Race, cores, say
from tests.benchmarks.searches import searches
from tests.benchmarks.stage import kernels

DATA = Path(
    os.environ.get("SKDEEP_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
KINDS = list(dict.fromkeys(name.split()[0] for name in EVERYONE if name != OURS))


def main() -> None:
    options = parse()
    start = time.perf_counter()
    names = contestants(options.peers)
    print(f"# Benchmarks\n\n{head(options, names)}", flush=True)
    absent = {data for data in DOWNLOADS if missing(data, options.data)}
    page = Page(
        options.data,
        names,
        options.repeats,
        options.cores,
        lambda title, data: (
            options.cases.lower() in title.lower() and data.split(" ")[0] not in absent
        ),
        options.figures,
    )
    if page.figures:
        page.figures.mkdir(parents=True, exist_ok=True)
    sections = [speed, time_to_accuracy, searches, memory, growth]
    for section in sections[:3] if options.quick else sections:
        text = section(page)
        if text:
            print(f"\n{text}", flush=True)
            say(f"{time.perf_counter() - start:.0f} s since the start")
    if losses := page.losses():
        print(f"\n{losses}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--cases",
        default="",
        help='part of a name such as "mnist 784-50-10, batch 200", "accuracy of digits", '
        '"search of wine" or "growth of rows"',
    )
    parser.add_argument(
        "--peers", default="", help=f"of {','.join(KINDS)}, with commas; default: all installed"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--cores", default="", help="numbers of cores, with commas; default: one and all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one repeat, all cores, without memory and growth"
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help=f"folder with folders {' and '.join(DOWNLOADS)}"
    )
    parser.add_argument("--figures", type=Path, help="folder for charts; default: none drawn")
    options = parser.parse_args()
    options.data = options.data.resolve()
    available = len(cores())
    options.cores = sorted({int(n) for n in options.cores.split(",") if n} or {1, available})
    if options.cores[0] < 1 or options.cores[-1] > available:
        parser.error(f"--cores: this process may use 1 to {available}, not {options.cores}")
    if unknown := {*options.peers.split(",")} - {"", *KINDS}:
        parser.error(f"--peers: {', '.join(sorted(unknown))} is none of {', '.join(KINDS)}")
    if options.quick:
        options.repeats, options.cores = 1, options.cores[-1:]
    return options


def contestants(peers: str) -> list[str]:
    """Ourselves and the peers asked for, or all that are installed."""
    if not peers:
        return [name for name in EVERYONE if installed(name)]
    names = [name for name in EVERYONE if name.split()[0] in {"skdeep", *peers.split(",")}]
    for name in names:
        if not installed(name):
            raise SystemExit(f"--peers: {PACKAGES[name.split()[0]]} is not installed")
    return names


def head(options: argparse.Namespace, names: Sequence[str]) -> str:
    """The machine, and everything about the measurements that holds for all sections."""
    command = f"python -m tests.benchmarks {shlex.join(sys.argv[1:])}".strip()
    lines = []
    for n_cores in options.cores:
        with Race(n_cores) as race:
            found = {"skdeep, scikit-learn and the BLAS floor": race.ask(OURS, kernels)}
            for name in (TORCH, JAX):
                if name in names:
                    found[report.label(name)] = race.ask(name, kernels)
        words = "; ".join(f"{who}: {what}" for who, what in found.items())
        lines.append(f"On {report.counted(n_cores, 'core')}: {words}")
    if chosen := os.environ.get(KERNELS):
        lines.append(f"{KERNELS}={chosen} was taken out of the environment")
    parts = [
        report.machine(command, kernels=lines),
        f"- Medians of {report.counted(options.repeats, 'repeat')} (of at most 3 for accuracy, "
        "searches and growth), contestants in turn, each in a separate process",
    ]
    parts += [
        f"- {report.label(name)} is not installed and left out"
        for name in (TORCH, JAX)
        if not options.peers and not installed(name)
    ]
    parts += [
        f"- {data} was not found in {options.data.name}: its cases are left out"
        for data in DOWNLOADS
        if missing(data, options.data)
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    main()
