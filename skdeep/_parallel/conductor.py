"""Fits that wait for one another, grouped and trained as stacks."""

import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import config_context, get_config

from skdeep._network.threads import one_blas_thread
from skdeep._parallel.workers import Workers
from skdeep._training.fit_task import FitResult, FitTask, order_key, stack_key
from skdeep._training.train import train

# Bytes that a step of a stack goes over, at most: they should stay in the cache.
STACK_BYTES = 4 << 20

# Networks in a stack, at least, whatever they take: a step's overhead wants sharing.
MIN_WIDTH = 8

local = threading.local()


def train_task(task: FitTask) -> FitResult:
    """Train one task: with others, where this thread is one of `lockstep`'s."""
    conductor = getattr(local, "conductor", None)
    if conductor is not None:
        return conductor.fit(task)
    (result,) = train([task])
    if isinstance(result, Exception):
        raise result
    return result


class _Cancelled(BaseException):
    """Unwinds the tasks of a search that has ended; no ``except Exception`` stops it."""


class Promise:
    """An outcome to come, and how many of the conductor's threads wait for it."""

    def __init__(self, work: Any, callback: Callable[[Any], None] = lambda _: None) -> None:
        self.work = work
        self.callback = callback
        self.n_waiting = 0
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Conductor:
    """Starts jobs, sees when all of them wait, and trains what they wait for.

    Parameters
    ----------
    memory : int
        Bytes that fits waiting at a time may take, data included.
    n_processes : int, default=1
        Processes that jobs are dealt out to, each with a conductor of its own.
    min_jobs : int, default=2
        Jobs that are worth these processes; fewer run in this one.
    """

    def __init__(self, memory: int, n_processes: int = 1, min_jobs: int = 2) -> None:
        self.memory = memory
        self.n_processes = n_processes
        self.min_jobs = min_jobs
        self.changed = threading.Condition()
        self.jobs: deque[Promise] = deque()  # not started yet
        self.fits: list[Promise] = []  # handed over, not trained yet
        self.trained: deque[tuple[Promise, dict[str, Any]]] = deque()  # not delivered yet
        self.open: set[Promise] = set()  # all that nobody has settled yet
        self.threads: set[threading.Thread] = set()
        self.n_busy = 0  # threads that run, instead of waiting for a promise: one at most
        self.largest = 0
        self.cancelled = False
        self.workers = Workers()

    def submit(
        self, func: Callable[[], Any], callback: Callable[[Any], None] = lambda _: None
    ) -> Promise:
        """Queue a job, to be started when the root next waits."""
        job = Promise(func, callback)
        with self.changed:
            self.open.add(job)
            self.jobs.append(job)
        return job

    def fit(self, task: FitTask) -> FitResult:
        """Hand a fit task over, and wait for what comes of it."""
        # Another thread trains it, which has a configuration of its own.
        config = get_config()
        task = replace(
            task,
            validate=task.validate and _configured(task.validate, config),
            on_epoch=[_configured(function, config) for function in task.on_epoch],
        )
        promise = Promise(task)
        with self.changed:
            self.open.add(promise)
            self.fits.append(promise)
            self.largest = max(self.largest, task.n_bytes)
        return self._await(promise)

    def result(self, job: Promise) -> Any:
        """A job's outcome; the root's call is what keeps everything going."""
        if getattr(local, "conductor", None) is self:
            return self._await(job)
        try:
            # Jobs set warning filters in turn, and put back what they found: not always
            # what was there before them all.
            with warnings.catch_warnings():
                while not job.done.is_set():
                    # Jobs of a job that runs here share memory with it.
                    alone = self.n_processes > 1 and not self.threads
                    if alone and len(self.jobs) >= self.min_jobs:
                        self._deal_out()
                    else:
                        self._conduct(job)
        except BaseException:
            self.cancel()
            raise
        return job.outcome()

    def cancel(self) -> None:
        """End all that was started, and wait until it has ended.

        What another interrupt cuts short is made good by the next call: joblib makes two.
        """
        self.workers.end()
        # An interrupt may have come between any two lines of the root's: whatever is
        # open is settled, wherever it was on its way to.
        with self.changed:
            self.cancelled = True
            for promise in list(self.open):
                self._settle(promise, error=_Cancelled())
            self.fits.clear()
            self.trained.clear()
            self.jobs.clear()
            # No join: where an interrupt cuts it short, Python (before 3.13) takes the
            # thread for ended from then on.
            self.changed.wait_for(lambda: not any(t.is_alive() for t in self.threads))
            self.threads.clear()
            self.n_busy = self.largest = 0
            self.cancelled = False

    def _await(self, promise: Promise) -> Any:
        # In a job's thread. Each waits for an event of its own: with one condition for
        # all, every change would wake hundreds.
        with self.changed:
            if self.cancelled:
                raise _Cancelled
            if not promise.done.is_set():
                promise.n_waiting += 1
                self._rest()
        promise.done.wait()
        return promise.outcome()

    # Under the lock

    def _rest(self) -> None:
        self.n_busy -= 1
        if self.n_busy == 0:
            self.changed.notify()

    def _settle(self, promise: Promise, **outcome: Any) -> None:
        # Whoever waits counts as busy from now on, before it wakes: the root must not
        # see an idle moment in between.
        promise.result = outcome.get("result")
        promise.error = outcome.get("error")
        self.n_busy += promise.n_waiting
        self.open.discard(promise)
        promise.done.set()

    # In the root's thread

    def _deal_out(self) -> None:
        # All that is queued to processes, in turn: neighbours are of one candidate, whose
        # fits take about as long as one another.
        with self.changed:
            jobs, self.jobs = list(self.jobs), deque()
        hands = [jobs[i :: self.n_processes] for i in range(min(self.n_processes, len(jobs)))]
        memory = self.memory // len(hands)
        calls = [([job.work for job in hand], memory, warnings.filters) for hand in hands]
        results = self.workers.run(_run_all, calls)
        for hand, own in zip(hands, results, strict=True):
            for job, result in zip(hand, own, strict=True):
                job.callback(job)  # joblib submits the next job, before this one is done
                self._settle_locked(job, {"result": result})

    def _conduct(self, job: Promise) -> None:
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
            raise RuntimeError("lockstep has nothing left to do, but a job is not done")
        with one_blas_thread:
            for stack in _stacks(fits):
                self.trained.extend(zip(stack, _train_stack(stack), strict=True))

    def _settle_locked(self, promise: Promise, outcome: dict[str, Any]) -> None:
        with self.changed:
            self._settle(promise, **outcome)

    def _has_room(self) -> bool:
        # A fit that waits shows what the next will take.
        return not self.fits or (len(self.fits) + 1) * self.largest <= self.memory

    def _start(self, job: Promise) -> None:
        self.n_busy += 1
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self.threads.add(thread)
        thread.start()

    # In a job's thread

    def _run(self, job: Promise) -> None:
        local.conductor = self
        outcome: dict[str, Any] = {}
        # An interrupt while this thread was being started has already settled the job.
        too_late = job.done.is_set()
        if not too_late:
            try:
                outcome["result"] = job.work()
            except BaseException as error:
                outcome["error"] = error
            if not self.cancelled:
                job.callback(job)  # joblib submits the next job, before this one is done
        with self.changed:
            if not too_late:
                self._settle(job, **outcome)
                self._rest()
            self.threads.discard(threading.current_thread())
            self.changed.notify()


def _configured(function: Callable[..., Any], config: dict[str, Any]) -> Callable[..., Any]:
    """The function, called under the given configuration of scikit-learn."""

    def call(*args: Any) -> Any:
        with config_context(**config):
            return function(*args)

    return call


def _one_table(tables: list[Any]) -> list[Any]:
    """The same tables, where equal ones are one object: each fit of a fold has its own."""
    known: dict[Any, list[Any]] = {}
    found = []
    for table in tables:
        alike = known.setdefault(
            (table.shape, float(table.sum())) if table is not None else 0, []
        )
        same = (other for other in alike if other is table or np.array_equal(other, table))
        found.append(next(same, table))
        if found[-1] is table:
            alike.append(table)
    return found


def _stacks(fits: list[Promise]) -> list[list[Promise]]:
    """Alike with alike, in stacks of which a step's arrays fit the cache."""
    groups: dict[Any, list[Promise]] = {}
    for promise in fits:
        key = stack_key(promise.work)
        groups.setdefault(id(promise) if key is None else key, []).append(promise)
    stacks = []
    for group in groups.values():
        widest = max(MIN_WIDTH, STACK_BYTES // group[0].work.n_work_bytes)
        for company in _companies(group):
            n_stacks = -(-len(company) // widest)
            stacks += [company[i::n_stacks] for i in range(n_stacks)]
    return stacks


def _companies(group: list[Promise]) -> list[list[Promise]]:
    """A group parted into those that take the same rows at the same time, and the rest."""
    if len(group) == 1:
        return [group]
    tasks = [promise.work for promise in group]
    columns = [
        _one_table([getattr(task, name) for task in tasks])
        for name in ("X", "y", "sample_weight")
    ]
    companies: dict[Any, list[Promise]] = {}
    for promise, X, y, weight in zip(group, *columns, strict=True):
        promise.work = replace(promise.work, X=X, y=y, sample_weight=weight)
        companies.setdefault(order_key(promise.work), []).append(promise)
    large = [company for company in companies.values() if len(company) >= MIN_WIDTH]
    rest = [
        promise
        for company in companies.values()
        if len(company) < MIN_WIDTH
        for promise in company
    ]
    return [*large, rest] if rest else large


def _train_stack(stack: list[Promise]) -> list[dict[str, Any]]:
    """Outcome of each member, by the name of `Promise`'s attribute."""
    try:
        results = train([promise.work for promise in stack], interruptible=False)
    except Exception as error:
        return [{"error": error} for _ in stack]
    return [
        {"error": result} if isinstance(result, Exception) else {"result": result}
        for result in results
    ]


def _run_all(
    jobs: Sequence[Callable[[], Any]], memory: int, warning_filters: Sequence[Any]
) -> list[Any]:
    """Results of jobs that wait for one another: what each process does.

    An error in one of them ends the others.
    """
    conductor = Conductor(memory)
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.filters[:] = warning_filters  # type: ignore[index]
        promises = [conductor.submit(job) for job in jobs]
        return [conductor.result(promise) for promise in promises]
