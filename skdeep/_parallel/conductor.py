"""Runs jobs in threads until all of them wait for a fit, then trains these fits as stacks."""

import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn import config_context, get_config

from skdeep._network.threads import one_blas_thread
from skdeep._parallel.cluster import Cluster, delayed_for_dask, in_dask
from skdeep._parallel.stacks import group_into_stacks
from skdeep._parallel.workers import Workers
from skdeep._training.fit_task import FitResult, FitTask
from skdeep._training.train import train

# Seconds that it takes to start worker processes, about.
START_SECONDS = 2.0

# The conductor of the jobs in this thread, if any.
local = threading.local()


def train_task(task: FitTask) -> FitResult:
    """Train one task; in a thread of `lockstep`, together with others."""
    return train_tasks([task])[0]


def in_lockstep() -> bool:
    """Whether fits of this thread are trained together with those of others."""
    return getattr(local, "conductor", None) is not None


def n_jobs_for(n_jobs: int | None) -> int:
    """Number of jobs that `train_tasks` deals stacks out to: 1 within `lockstep`."""
    if getattr(get_active_backend()[0], "in_lockstep", False) or in_lockstep():
        return 1
    return effective_n_jobs(n_jobs)


def train_tasks(tasks: Sequence[FitTask], n_jobs: int | None = None) -> list[FitResult]:
    """Train tasks as stacks; in a thread of `lockstep`, together with others.

    Else the stacks are dealt out to `n_jobs` jobs of joblib. Results are in the order of the
    tasks. The first error of a task is raised.
    """
    conductor = getattr(local, "conductor", None)
    if conductor is not None:
        return conductor.fit(tasks)
    if len(tasks) == 1:
        results = train(tasks)
    else:
        fits = [Promise(task) for task in tasks]
        stacks = group_into_stacks(fits, n_jobs_for(n_jobs))
        tasks_of_stacks = [[fit.work for fit in stack] for stack in stacks]
        if n_jobs_for(n_jobs) == 1:
            lists = [train(stack) for stack in tasks_of_stacks]
        else:
            if in_dask():
                jobs = delayed_for_dask(train, [(stack,) for stack in tasks_of_stacks])
            else:
                jobs = [delayed(train)(stack) for stack in tasks_of_stacks]
            lists = Parallel(n_jobs=n_jobs)(jobs)
        by_fit = {
            fit: result
            for stack, own in zip(stacks, lists, strict=True)
            for fit, result in zip(stack, own, strict=True)
        }
        results = [by_fit[fit] for fit in fits]
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results  # type: ignore[return-value]


class _Cancelled(BaseException):
    """Raised in jobs that are cancelled; not caught by ``except Exception``."""


class Promise:
    """Pending outcome of a job (a callable) or a fit (a task).

    When a job ends, `callback` is called with its promise.
    """

    def __init__(self, work: Any, callback: Callable[[Any], None] = lambda _: None) -> None:
        self.work = work
        self.callback = callback
        self.n_waiting = 0  # threads of the conductor that wait for the outcome
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Conductor:
    """Runs jobs, and trains the fits that they wait for.

    The thread that asks for a result, the *caller*, starts jobs one by one, each in a thread.
    A job runs until it needs a fit or ends. When all wait, the caller trains their fits. So at
    most one thread runs at any time.

    Waiting fits take up to `memory` bytes, data included. From `min_jobs` jobs on, they run in
    the `workers`, if any, each with its own conductor; if `tries_first`, only once some jobs
    have shown that it pays to start these. When `is_unwanted` returns True, the caller cancels
    all jobs, at the end of the current epoch at the latest.
    """

    def __init__(
        self,
        memory: int,
        workers: Workers | Cluster | None = None,
        min_jobs: int = 1,
        tries_first: bool = False,
        is_unwanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.memory = memory
        self.workers = workers
        self.min_jobs = min_jobs
        self.tries_first = tries_first
        self.n_tried = 0  # jobs run here to see what they cost
        self.seconds_per_job = 0.0  # of the last of these
        self.is_unwanted = is_unwanted
        self.changed = threading.Condition()
        self.jobs: deque[Promise] = deque()  # not started yet
        self.fits: list[Promise] = []  # not trained yet
        self.trained: deque[tuple[Promise, dict[str, Any]]] = deque()  # not delivered yet
        self.unsettled: set[Promise] = set()  # jobs and fits without an outcome
        self.threads: set[threading.Thread] = set()
        self.n_busy = 0  # threads that are not waiting for a promise: at most one
        self.largest_fit = 0  # bytes
        self.cancelled = False

    def submit(
        self, func: Callable[[], Any], callback: Callable[[Any], None] = lambda _: None
    ) -> Promise:
        """Queue a job, to be started when the caller asks for a result."""
        job = Promise(func, callback)
        with self.changed:
            self._enqueue(job, self.jobs)
        return job

    def fit(self, tasks: Sequence[FitTask]) -> list[FitResult]:
        """Queue the fit tasks of a job and wait for their results."""
        # scikit-learn's configuration is per thread, and another thread trains the tasks.
        config = get_config()
        promises = [
            Promise(
                replace(
                    task,
                    validate=task.validate and _with_config(task.validate, config),
                    on_epoch=[
                        self._stop_if_unwanted,
                        *(_with_config(function, config) for function in task.on_epoch),
                    ],
                )
            )
            for task in tasks
        ]
        with self.changed:
            for promise in promises:
                self._enqueue(promise, self.fits)
            self.largest_fit = max(self.largest_fit, *(task.n_bytes for task in tasks))
        return [self._wait(promise) for promise in promises]

    def result(self, job: Promise) -> Any:
        """Wait for the result of a job; in the caller, this runs jobs and trains fits."""
        if getattr(local, "conductor", None) is self:
            return self._wait(job)
        try:
            # Jobs change the warning filters and restore them in any order, so that the last
            # one need not restore the original ones.
            with warnings.catch_warnings():
                while not job.done.is_set():
                    # Jobs submitted by a job that runs here share memory with it.
                    may_leave = self.workers is not None and not self.threads
                    if not may_leave or len(self.jobs) < self.min_jobs:
                        self._advance(job)
                    elif not self.tries_first or self._pays_to_leave():
                        self._run_in_workers()
                    else:
                        self._try_some()
        except BaseException:
            self.cancel()
            raise
        return job.outcome()

    def cancel(self) -> None:
        """Cancel all jobs, and wait until they have ended.

        If an interrupt cuts this short, the next call completes it: joblib makes two.
        """
        if self.workers is not None:
            self.workers.end()
        # An interrupt may have hit the caller between any two lines, so that a promise may be
        # missing from the queues: all that are unsettled are settled here.
        with self.changed:
            self.cancelled = True
            for promise in list(self.unsettled):
                self._settle(promise, error=_Cancelled())
            self.fits.clear()
            self.trained.clear()
            self.jobs.clear()
            # No join: if an interrupt cuts it short, Python before 3.13 considers the thread
            # ended from then on.
            self.changed.wait_for(lambda: not any(t.is_alive() for t in self.threads))
            self.threads.clear()
            self.n_busy = self.largest_fit = 0
            self.cancelled = False

    def _wait(self, promise: Promise) -> Any:
        # In the thread of a job. Each promise has its own event: with one condition for all,
        # every change would wake hundreds of threads.
        with self.changed:
            if self.cancelled:
                raise _Cancelled
            if not promise.done.is_set():
                promise.n_waiting += 1
                self._mark_idle()
        promise.done.wait()
        return promise.outcome()

    # With the lock held

    def _enqueue(self, promise: Promise, queue: deque[Promise] | list[Promise]) -> None:
        # A thread that was busy while its search was cancelled leaves nothing to the next.
        if self.cancelled:
            raise _Cancelled
        self.unsettled.add(promise)
        queue.append(promise)

    def _mark_idle(self) -> None:
        self.n_busy -= 1
        if self.n_busy == 0:
            self.changed.notify()

    def _settle(self, promise: Promise, **outcome: Any) -> None:
        # Waiting threads count as busy before they wake: the caller must not see an idle
        # moment in between.
        promise.result = outcome.get("result")
        promise.error = outcome.get("error")
        self.n_busy += promise.n_waiting
        self.unsettled.discard(promise)
        promise.done.set()

    # In the caller's thread

    def _run_in_workers(self) -> None:
        # Queued jobs are distributed in turn: neighbors belong to the same candidate, and take
        # about as long as one another.
        workers: Any = self.workers
        with self.changed:
            jobs, self.jobs = list(self.jobs), deque()
        n_parts = min(workers.count(), len(jobs))
        parts = [jobs[i::n_parts] for i in range(n_parts)]
        memory = self.memory // n_parts if workers.share_memory else self.memory
        calls = [([job.work for job in part], memory, warnings.filters) for part in parts]
        shown: dict[Any, Any] = {}  # warnings that a filter admits once
        for part, (results, warned) in zip(parts, workers.run(run_jobs, calls), strict=True):
            for text, category, filename, line in warned:
                warnings.warn_explicit(text, category, filename, line, registry=shown)
            for job, result in zip(part, results, strict=True):
                job.callback(job)  # joblib submits the next job before this one is done
                with self.changed:
                    self._settle(job, result=result)

    def _pays_to_leave(self) -> bool:
        workers: Any = self.workers
        if workers.are_warm():
            return True
        # An estimate from few jobs is high, because larger stacks train faster.
        saved = self.seconds_per_job * len(self.jobs) * (1 - 1 / workers.count())
        missed = workers.seconds_missed
        return missed > START_SECONDS or (saved > START_SECONDS and missed > START_SECONDS / 8)

    def _try_some(self) -> None:
        # Run some jobs here, more each time: 1, 4, 16, ...
        with self.changed:
            n_jobs = 3 * self.n_tried + 1
            jobs = [self.jobs.popleft() for _ in range(min(n_jobs, len(self.jobs)))]
            later, self.jobs = self.jobs, deque(jobs)
        start = monotonic()
        for job in jobs:
            while not job.done.is_set():
                self._advance(job)
        seconds = monotonic() - start
        self.n_tried += len(jobs)
        workers: Any = self.workers
        type(workers).seconds_missed += seconds * (1 - 1 / workers.count())
        self.seconds_per_job = seconds / len(jobs)
        with self.changed:
            self.jobs.extendleft(reversed(later))

    def _advance(self, job: Promise) -> None:
        # Once all threads wait: deliver a trained fit, start a job, or train the fits.
        self._stop_if_unwanted()
        with self.changed:
            self.changed.wait_for(lambda: self.n_busy == 0)
            if job.done.is_set():
                return
            if self.trained:
                promise, outcome = self.trained.popleft()
                self._settle(promise, **outcome)
                return
            if self.jobs and self._has_room():
                self._start(self.jobs.popleft())
                return
            fits, self.fits = self.fits, []
        if not fits:
            raise RuntimeError("lockstep has nothing left to do, but a job has not ended")
        with one_blas_thread:
            for stack in group_into_stacks(fits):
                self.trained.extend(zip(stack, _train_stack(stack), strict=True))

    def _stop_if_unwanted(self, *_: Any) -> None:
        if self.is_unwanted():
            raise _Cancelled

    def _has_room(self) -> bool:
        # The next fit is assumed to be as large as the largest so far.
        return not self.fits or (len(self.fits) + 1) * self.largest_fit <= self.memory

    def _start(self, job: Promise) -> None:
        self.n_busy += 1
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self.threads.add(thread)
        thread.start()

    # In the thread of a job

    def _run(self, job: Promise) -> None:
        local.conductor = self
        outcome: dict[str, Any] = {}
        # Already settled, if an interrupt came while this thread was being started.
        settled = job.done.is_set()
        if not settled:
            try:
                outcome["result"] = job.work()
            except BaseException as error:
                outcome["error"] = error
            if not self.cancelled:
                job.callback(job)  # joblib submits the next job before this one is done
        with self.changed:
            if not settled:
                self._settle(job, **outcome)
                self._mark_idle()
            self.threads.discard(threading.current_thread())
            self.changed.notify()


def _with_config(function: Callable[..., Any], config: dict[str, Any]) -> Callable[..., Any]:
    """The function, called under the given configuration of scikit-learn."""

    def call(*args: Any) -> Any:
        with config_context(**config):
            return function(*args)

    return call


def _train_stack(stack: list[Promise]) -> list[dict[str, Any]]:
    """Outcome of each fit, as ``{"result": ...}`` or ``{"error": ...}``."""
    try:
        results = train([promise.work for promise in stack], interruptible=False)
    except Exception as error:
        return [{"error": error} for _ in stack]
    return [
        {"error": result} if isinstance(result, Exception) else {"result": result}
        for result in results
    ]


def run_jobs(
    jobs: Sequence[Callable[[], Any]],
    memory: int,
    warning_filters: Sequence[Any],
    is_unwanted: Callable[[], bool] = lambda: False,
) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Run jobs in a worker; results in the same order, and the warnings issued.

    An error in one job cancels the others.
    """
    conductor = Conductor(memory, is_unwanted=is_unwanted)
    with warnings.catch_warnings(record=True) as warned:
        warnings.resetwarnings()
        warnings.filters[:] = warning_filters  # type: ignore[index]
        promises = [conductor.submit(job) for job in jobs]
        results = [conductor.result(promise) for promise in promises]
    # As text, since not every warning can be pickled.
    return results, [(str(w.message), w.category, w.filename, w.lineno) for w in warned]
