"""Worker processes that end with an interrupt, and with the process that started them."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from multiprocessing.connection import wait as wait_for_handles
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.process import LokyProcess

# Seconds between checks that the parent is alive, and between attempts to end the workers.
CHECK_EVERY = 0.5
RETRY_EVERY = 0.1


class Workers:
    """joblib's worker processes on this machine, for one `run` at a time.

    Python raises KeyboardInterrupt in the main thread, between any two lines. If it hits joblib
    while that starts or ends processes, some may be lost track of. So joblib runs in a separate
    thread, where no interrupt is raised.
    """

    share_memory = True

    # Seconds that all searches of this process would have saved in processes since these last
    # ran: starting them for small searches pays once there have been some.
    seconds_missed = 0.0

    def __init__(self, n_processes: int) -> None:
        self.n_processes = n_processes
        self._results: Future[list[Any]] | None = None

    def count(self) -> int:
        """Number of processes."""
        return self.n_processes

    def are_warm(self) -> bool:
        """Whether the processes have been started by an earlier `run`, and still live."""
        children = multiprocessing.active_children()
        return sum(isinstance(child, LokyProcess) for child in children) >= self.n_processes

    def run(self, func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of ``func(*call)`` for each of the calls, each in its own process.

        If interrupted, the processes continue until `end` is called.
        """
        Workers.seconds_missed = 0.0
        results: Future[list[Any]] = Future()
        self._results = results
        thread = threading.Thread(target=_run_calls, args=(results, func, calls), daemon=True)
        thread.start()
        try:
            return results.result()
        finally:
            if results.done():  # not interrupted
                self._results = None

    def end(self) -> None:
        """Kill the processes of an interrupted run, and wait for its thread.

        Further interrupts only repeat the attempt.
        """
        while (results := self._results) is not None:
            try:
                if results.cancel() or _try_to_end(results):
                    self._results = None
            except KeyboardInterrupt:
                continue


def _try_to_end(results: Future[list[Any]]) -> bool:
    # Returns True once the run has ended. One attempt may not be enough, as the thread may be
    # about to start processes. joblib kills through `pgrep`, which a Ctrl-C in a terminal
    # reaches too: its own attempt may fail, and leave it waiting for processes that live on.
    children = [p for p in multiprocessing.active_children() if isinstance(p, LokyProcess)]
    for child in children:
        child.terminate()
    wait([results], timeout=RETRY_EVERY)
    if children or not results.done():
        return False
    # The next search must not reuse the processes just killed.
    get_reusable_executor(reuse=True, kill_workers=True).shutdown(kill_workers=True)
    return True


def _run_calls(
    results: Future[list[Any]], func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
) -> None:
    if not results.set_running_or_notify_cancel():
        return
    try:
        jobs = [delayed(_run_call)(func, call) for call in calls]
        results.set_result(Parallel(len(jobs), backend="loky")(jobs))
    except BaseException as error:
        results.set_exception(error)


def _run_call(func: Callable[..., Any], call: tuple[Any, ...]) -> Any:
    # In a worker, or in this process if joblib cannot start one.
    _end_with_parent()
    return func(*call)


# In a worker

_parent_watch: threading.Thread | None = None


def _end_with_parent() -> None:
    """End this process as soon as its parent has ended, for whatever reason.

    By itself, a joblib worker checks for its parent only between calls.
    """
    global _parent_watch
    parent = multiprocessing.parent_process()
    if parent is not None and _parent_watch is None:
        _parent_watch = threading.Thread(target=_exit_after, args=(parent,), daemon=True)
        _parent_watch.start()


def _exit_after(parent: Any) -> None:
    # joblib's processes have a sentinel of their parent on Windows only. Elsewhere, the parent
    # id changes when the parent ends.
    if parent.sentinel is not None:
        wait_for_handles([parent.sentinel])
    else:
        while os.getppid() == parent.pid:
            time.sleep(CHECK_EVERY)
    os._exit(1)
