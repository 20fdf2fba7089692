"""Where one case's time goes: microseconds a step for each source line of skdeep.

    python -m tests.benchmarks.profile "mnist 784-50-10"
    python -m tests.benchmarks.profile "predict 1 row" --within skdeep/ sklearn/

A line of the core is mostly one NumPy call, so lines say more than functions, and NumPy's
operators, which function profilers do not see, count too. What a line calls elsewhere counts
as its own. Tracing slows every line by about as much; that is measured by a run without and
taken off each line, so that the figures add up to the untraced time.
"""

import argparse
import linecache
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from tests.benchmarks.__main__ import DATA
from tests.benchmarks.cases import CALLS, FITS, FLOOR, OURS
from tests.benchmarks.contestants import enters
from tests.benchmarks.stage import Stage

Line = tuple[str, int]


class LineClock:
    """Adds up the seconds between one traced line and the next.

    Parameters
    ----------
    within : sequence of str
        Files whose path contains one of them are traced.
    """

    def __init__(self, within: list[str]) -> None:
        self.within = within
        self.seconds: dict[Line, float] = defaultdict(float)
        self.events: dict[Line, int] = defaultdict(int)
        self._line: Line | None = None
        self._since = 0.0

    def run(self, function: Callable[[], Any]) -> None:
        self._since = time.perf_counter()
        sys.settrace(self._on_call)
        try:
            function()
        finally:
            sys.settrace(None)

    def _on_call(self, frame: FrameType, event: str, arg: object) -> Any:
        if self._line:
            self.events[self._line] += 1
        return self._on_event if self._traces(frame) else None

    def _on_event(self, frame: FrameType, event: str, arg: object) -> Any:
        if self._line:
            self.seconds[self._line] += time.perf_counter() - self._since
            self.events[self._line] += 1
        at: FrameType | None = frame
        if event == "return":  # until its next line, time is again the caller's
            at = frame.f_back
            while at is not None and not self._traces(at):
                at = at.f_back
        self._line = (at.f_code.co_filename, at.f_lineno) if at else None
        self._since = time.perf_counter()
        return self._on_event

    def _traces(self, frame: FrameType) -> bool:
        path = frame.f_code.co_filename
        return any(part in path for part in self.within)


def main() -> None:
    options = parse()
    case = next(case for case in (*FITS, *CALLS) if options.case in case.name)
    ours = Stage(options.contestant, case, options.data)
    untraced = timed(ours.run, options.runs)
    clock = LineClock(options.within)
    clock.run(ours.run)
    steps = case.n_steps(ours.X.shape[0]) if case.action == "fit" else case.calls
    per_step = case.calls / steps * 1e6  # of `run`, which gives seconds a call
    print(f"{case.name}: {options.contestant}, {steps} steps or calls")
    print(f"{untraced * per_step:10.2f} us a step, untraced, median of {options.runs} runs")
    if enters(FLOOR, case):
        floor = timed(Stage(FLOOR, case, options.data).run, options.runs)
        print(f"{floor * per_step:10.2f} us a step, its matrix products alone")
    print_lines(clock, untraced * case.calls, steps, options.top)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.profile", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("case", help="part of a case's name; the first that has it is taken")
    parser.add_argument("--within", nargs="+", default=["/skdeep/"], help="parts of paths")
    parser.add_argument("--contestant", default=OURS)
    parser.add_argument("--top", type=int, default=30, help="number of lines")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, default=DATA)
    return parser.parse_args()


def timed(run: Callable[[], float], runs: int) -> float:
    run()
    return median(run() for _ in range(runs))


def print_lines(clock: LineClock, untraced: float, steps: int, top: int) -> None:
    """The most expensive lines; `untraced` is the time that all of them share."""
    overhead = (sum(clock.seconds.values()) - untraced) / sum(clock.events.values())
    spent = {
        line: seconds - overhead * clock.events[line] for line, seconds in clock.seconds.items()
    }
    print(f"{overhead * 1e6:10.2f} us taken off each line event\n")
    print(f"{'us a step':>10} {'share':>6} {'events':>7}  line")
    for line in sorted(spent, key=spent.__getitem__, reverse=True)[:top]:
        path, number = line
        where = f"{Path(path).name}:{number}"
        source = linecache.getline(path, number).strip()
        print(
            f"{spent[line] / steps * 1e6:10.2f} {spent[line] / untraced:6.1%} "
            f"{clock.events[line] / steps:7.1f}  {where:<22} {source}"
        )


if __name__ == "__main__":
    main()
