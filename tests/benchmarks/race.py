"""How contestants are run: each in a process of its own, all in turn.

A worker has the cores that it is given and as many threads, whatever the environment says,
and BLAS chooses its kernels by the processor. Workers live as long as a section and sleep
while another one works, so that no library's thread pool disturbs another's. In every
repeat each contestant runs once, in an order that rotates, so that what the machine does
meanwhile meets all alike; ratios are taken within a repeat.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.util import Finalize
from threading import Thread
from typing import Any, Self

from joblib.externals.loky import get_reusable_executor

# Seconds for a worker's threads to fall asleep: OpenBLAS's spin for 0.1 s after the last call.
PAUSE = 0.15
KERNELS = "OPENBLAS_CORETYPE"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Race:
    """Contestants in processes of their own, all with the same number of cores."""

    def __init__(self, n_cores: int) -> None:
        self.n_cores = n_cores
        self._workers: dict[str, ProcessPoolExecutor] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        for worker in self._workers.values():
            worker.shutdown()

    def ask(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function(name, *arguments)` in a contestant's process."""
        if name not in self._workers:
            self._workers[name] = worker(self.n_cores)
        return self._workers[name].submit(function, name, *arguments).result()

    def in_turn(
        self, names: Sequence[str], repeats: int, function: Callable[..., Any], *arguments: Any
    ) -> dict[str, list[Any]]:
        """What each contestant answers in each repeat, whose number comes last."""
        answers: dict[str, list[Any]] = {name: [] for name in names}
        for repeat in range(repeats):
            turn = repeat % len(names)
            for name in [*names[turn:], *names[:turn]]:
                if self.n_cores > 1:
                    time.sleep(PAUSE)
                answers[name].append(self.ask(name, function, *arguments, repeat))
        return answers


def cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def worker(n_cores: int) -> ProcessPoolExecutor:
    """A process with that many cores and threads."""
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)
    with _confined(n_cores):
        pool.submit(int).result()
    return pool


@contextmanager
def _confined(n_cores: int) -> Iterator[None]:
    """Processes that are started meanwhile inherit the environment and the cores."""
    environment, before = dict(os.environ), cores()
    os.environ.pop(KERNELS, None)
    os.environ.update(dict.fromkeys(THREADS, str(n_cores)), JAX_PLATFORMS="cpu")
    if hasattr(os, "sched_setaffinity"):
        # The first core serves most interrupts.
        os.sched_setaffinity(0, before[-n_cores:])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, before)


def _begin() -> None:
    """Have this worker end with the process that started it, and its own workers with it."""

    def wait() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()
    # Joblib's workers would be waited for, and they wait for more to do. Queues close at 10.
    Finalize(None, _dismiss, exitpriority=100)


def _dismiss() -> None:
    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def say(text: str) -> None:
    """Progress, apart from the document on standard output."""
    print(text, file=sys.stderr, flush=True)
