"""What a worker does: it keeps a case's data in memory and times a contestant on them.

The functions at the end are what workers are asked to call: `(contestant, ...)` -> numbers.
"""

import pickle
import time
import tracemalloc
import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import WINE, Case
from tests.benchmarks.contestants import build
from tests.benchmarks.data import load
from tests.benchmarks.race import cores
from tests.benchmarks.report import blas, counted

# Fits of one epoch that other processes make longer than those of several are repeated.
ATTEMPTS = 5


class Stage:
    """A contestant with a case's data in memory, ready to run it again and again."""

    def __init__(self, name: str, case: Case, folder: Path) -> None:
        # What is left unfinished is unfinished on purpose.
        warnings.simplefilter("ignore")
        self.name = name
        self.case = case
        self.X, self.y = load(case, name.split()[1], folder)
        self.model: Any = None
        self.compile_seconds = 0.0
        if case.action != "fit":
            self.model = build(name, case)
            # A few rows to predict are too few to have trained on.
            X, y = load(replace(case, rows=1000), name.split()[1], folder)
            self.model.fit(X, y)

    def fit(self, epochs: int | None = None) -> float:
        """Mean seconds of a fit, not counting those of what prepares it."""
        epochs = epochs or self.case.epochs
        model = build(self.name, replace(self.case, epochs=epochs))
        n = self.case.calls
        if hasattr(model, "prepare"):
            self.compile_seconds = model.prepare(self.X, self.y)
        start = time.perf_counter()
        for _ in range(n):
            model.fit(self.X, self.y)
        seconds = (time.perf_counter() - start) / n
        n_iter = getattr(model, "n_iter_", epochs)
        if n_iter != epochs:
            raise RuntimeError(f"{model} stopped after {n_iter} epochs in {self.case.name}")
        self.model = model
        return seconds

    def call(self) -> float:
        """Mean seconds of a call to predict or partial_fit."""
        X, y, n = self.X, self.y, self.case.calls
        start = time.perf_counter()
        if self.case.action == "predict":
            for _ in range(n):
                self.model.predict(X)
        else:
            for i in range(n):
                self.model.partial_fit(X[i : i + 1], y[i : i + 1])
        return (time.perf_counter() - start) / n

    def run(self) -> float:
        """Seconds of one fit, or of one call to what else the case is about."""
        return self.fit() if self.case.action == "fit" else self.call()

    def step_and_set_up(self) -> tuple[float, float]:
        """Seconds of a step, and of what a fit does besides.

        A fit of one epoch is taken off a fit of several: the difference is steps alone.
        """
        if self.case.action != "fit":
            return self.call(), 0.0
        n_epochs = self.case.epochs
        for _ in range(ATTEMPTS):
            one = self.fit(1)
            epoch = (self.fit() - one) / (n_epochs - 1)
            if epoch > 0:
                return epoch * n_epochs / self.case.n_steps(self.X.shape[0]), one - epoch
        raise RuntimeError(
            f"{self.name}: one epoch took longer than {n_epochs} in {self.case.name}, "
            f"{ATTEMPTS} times: the machine is too busy to measure on"
        )


@lru_cache(maxsize=1)
def stage(name: str, case: Case, folder: Path) -> Stage:
    """The worker's one stage, kept from call to call."""
    return Stage(name, case, folder)


def warm_up(name: str, case: Case, folder: Path) -> tuple[float, int]:
    """Run once, unmeasured; seconds of compiling, and the number of steps that it was for."""
    warm = stage(name, case, folder)
    if case.action == "fit":
        warm.fit(1)
    warm.run()
    return warm.compile_seconds, case.n_steps(warm.X.shape[0])


def measure(name: str, case: Case, folder: Path, repeat: int) -> tuple[float, float]:
    return stage(name, case, folder).step_and_set_up()


def whole(name: str, case: Case, folder: Path, repeat: int) -> float:
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


def kernels(name: str) -> str:
    """The kernels and threads that a contestant computes with."""
    build(name, WINE)
    kind = name.split()[0]
    if kind == "torch":
        import torch

        capability = torch.backends.cpu.get_cpu_capability()
        return f"{capability}, {counted(torch.get_num_threads(), 'thread')}"
    return f"XLA, {counted(len(cores()), 'core')}" if kind == "jax" else blas()
