"""Worker processes that end: with an interrupt, and with the process that started them."""

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

# Seconds between two looks at whether the parent lives, and between two attempts to end
# the workers.
LOOK_EVERY = 0.5
RETRY_EVERY = 0.1


class Workers:
    """joblib's worker processes, for one `run` at a time.

    Python raises KeyboardInterrupt in the main thread, between any two lines: an interrupt
    that hits joblib while it starts or ends processes leaves some that nobody knows of. So
    joblib runs in a thread of its own, which no interrupt reaches.
    """

    def __init__(self) -> None:
        self._results: Future[list[Any]] | None = None

    def run(self, func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of ``func(*call)`` for each of the calls, in a process each.

        Where this is interrupted, the processes go on until `end` is called.
        """
        results: Future[list[Any]] = Future()
        self._results = results
        thread = threading.Thread(target=_run_calls, args=(results, func, calls), daemon=True)
        thread.start()
        found = results.result()
        self._results = None
        return found

    def end(self) -> None:
        """Kill the processes of a run that was left, and wait for its thread.

        An interrupt meanwhile only starts this again: one has already ended the run.
        """
        while (results := self._results) is not None:
            try:
                if results.cancel() or _is_over(results):
                    self._results = None
            except KeyboardInterrupt:
                continue


def _is_over(results: Future[list[Any]]) -> bool:
    # The thread may be about to start processes, so that once may not be enough. joblib
    # kills by way of `pgrep`, to which a Ctrl-C in a terminal goes as well: its own attempt
    # may fail, and leave it waiting for processes that live on.
    children = [p for p in multiprocessing.active_children() if isinstance(p, LokyProcess)]
    for child in children:
        child.terminate()
    wait([results], timeout=RETRY_EVERY)
    if children or not results.done():
        return False
    # The next search must not be given what has just been killed.
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
    # In a worker, or in this process where joblib cannot start one.
    _end_with_parent()
    return func(*call)


# In a worker

_watch: threading.Thread | None = None


def _end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however it did.

    A worker asks joblib only between two calls whether anybody still wants its results.
    """
    global _watch
    parent = multiprocessing.parent_process()
    if parent is not None and _watch is None:
        _watch = threading.Thread(target=_wait_for_end_of, args=(parent,), daemon=True)
        _watch.start()


def _wait_for_end_of(parent: Any) -> None:
    # joblib's processes have no sentinel of their parent, but for those on Windows; there
    # a process's parent stays the same when it ends, and elsewhere it becomes another.
    if parent.sentinel is not None:
        wait_for_handles([parent.sentinel])
    else:
        while os.getppid() == parent.pid:
            time.sleep(LOOK_EVERY)
    os._exit(1)
