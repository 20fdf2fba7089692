"""How a case is measured: each contestant in a process of its own, all in turn.

Workers live as long as the run and sleep while another one works, so that no library's
thread pool disturbs another's; all keep their own default number of threads. In every
repeat each contestant runs once, in an order that rotates, so that what the machine does
meanwhile meets all alike; ratios are taken within a repeat.
"""

import os
import pickle
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, Self

from tests.benchmarks.cases import SKORCH, WINE, Case
from tests.benchmarks.contestants import build, enters
from tests.benchmarks.data import load

# Seconds for a worker's threads to fall asleep: OpenBLAS's spin for 0.1 s after the last call.
PAUSE = 0.15
# skorch takes long, and what it takes is far from ours: few repeats say enough.
SKORCH_REPEATS = 3


class Race:
    """Contestants in processes of their own.

    Parameters
    ----------
    folder : Path
        Where MNIST is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._workers: dict[str, ProcessPoolExecutor] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        for worker in self._workers.values():
            worker.shutdown()

    def ask(self, function: Callable[..., Any], name: str, case: Case) -> Any:
        """Call `function(name, case, folder)` in a contestant's process."""
        if name not in self._workers:
            self._workers[name] = ProcessPoolExecutor(
                1, get_context("spawn"), initializer=leave_with_parent
            )
        return self._workers[name].submit(function, name, case, self.folder).result()

    def times(self, case: Case, names: Sequence[str], repeats: int) -> dict[str, list[float]]:
        """Seconds of each contestant that enters, one number a repeat."""
        entered = [name for name in names if enters(name, case)]
        seconds: dict[str, list[float]] = {name: [] for name in entered}
        for name in entered:
            self.ask(warm_up, name, case)
        for repeat in range(repeats):
            turn = repeat % len(entered)
            for name in entered[turn:] + entered[:turn]:
                if name != SKORCH or repeat < SKORCH_REPEATS:
                    time.sleep(PAUSE)
                    seconds[name].append(self.ask(measure, name, case))
        return seconds


def leave_with_parent() -> None:
    """End this worker when the process that started it ends, however it ends."""

    def wait() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


class Stage:
    """A contestant with a case's data in memory, ready to run it again and again."""

    def __init__(self, name: str, case: Case, folder: Path) -> None:
        # What is left unfinished is unfinished on purpose.
        warnings.simplefilter("ignore")
        self.case = case
        self.build = partial(build, name, case)
        self.X, self.y = load(case, name.split()[1], folder)
        self.trained = None
        if case.action != "fit":
            self.trained = self.build()
            X, y = (self.X, self.y) if self.X.shape[0] >= 1000 else self._more(name, folder)
            self.trained.fit(X[:1000], y[:1000])
        self.model: Any = None

    def _more(self, name: str, folder: Path) -> tuple[Any, Any]:
        # A few rows to predict are too few to have trained on.
        case = Case(self.case.data, self.case.widths)
        return load(case, name.split()[1], folder)

    def run(self) -> float:
        """Seconds of one call of the case's action."""
        case, X, y = self.case, self.X, self.y
        model = self.build() if self.trained is None else self.trained
        start = time.perf_counter()
        for call in range(case.calls):
            if case.action == "fit":
                model.fit(X, y)
            elif case.action == "predict":
                model.predict(X)
            else:
                model.partial_fit(X[call : call + 1], y[call : call + 1])
        seconds = time.perf_counter() - start
        n_iter = getattr(model, "n_iter_", case.epochs)
        if case.action == "fit" and n_iter != case.epochs:
            raise RuntimeError(f"{model} stopped after {n_iter} epochs in {case.name}")
        self.model = model
        return seconds / case.calls


# The functions that workers are asked to call: (contestant, case, folder) -> numbers.


@lru_cache(maxsize=1)
def stage(name: str, case: Case, folder: Path) -> Stage:
    """The worker's one stage, kept from call to call."""
    return Stage(name, case, folder)


def warm_up(name: str, case: Case, folder: Path) -> None:
    stage(name, case, folder).run()


def measure(name: str, case: Case, folder: Path) -> float:
    return stage(name, case, folder).run()


def traced_peak(name: str, case: Case, folder: Path) -> int:
    """Most bytes that NumPy and Python hold at a time during a fit, beyond the data."""
    prepared = stage(name, case, folder)
    tracemalloc.start()
    try:
        prepared.run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def footprint(name: str, case: Case, folder: Path) -> tuple[int, int]:
    """Bytes by which a fit raises the process's peak memory, and bytes of the pickle.

    To be asked of a fresh process. A small fit of something else comes first, so that
    imports and thread pools do not count.
    """
    Stage(name, WINE, folder).run()
    prepared = Stage(name, case, folder)
    # Linux: forget the peak so far, then read it again after the fit.
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak()
    prepared.run()
    return _peak() - before, len(pickle.dumps(prepared.model))


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def say(text: str) -> None:
    """Progress, apart from the document on standard output."""
    print(text, file=sys.stderr, flush=True)
