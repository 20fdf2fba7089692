"""Many fits as one: a joblib backend whose tasks wait for one another to train.

Each task that joblib hands over runs in a thread of its own until a skdeep estimator in
it hands over its fit task and waits. Once every started task waits or is done, the
thread that called joblib groups the fit tasks by ``stack_key``, trains each group as
stacks, and lets the threads go on. joblib asks for a first result only after it has
submitted all that it will, so no stack starts while tasks are still coming.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from joblib import cpu_count, parallel_config, register_parallel_backend
from joblib.parallel import ParallelBackendBase

from skdeep.tasks import FitResult, FitTask, stack_key
from skdeep.threads import one_blas_thread
from skdeep.training import Cancelled, train

# Fits that may wait for one another where the caller does not say: joblib submits twice
# as many before it asks for the first result.
DEFAULT_N_JOBS = 128

# Bytes that a step of a stack goes over, at most: they should stay in the cache.
STACK_BYTES = 4 << 20

# Networks in a stack, at least, whatever they take: a step's overhead wants sharing.
MIN_WIDTH = 8

_local = threading.local()


def fit(task: FitTask) -> FitResult:
    """Train one task: with others, where this thread is one of `lockstep`'s."""
    conductor = getattr(_local, "conductor", None)
    return train([task])[0] if conductor is None else conductor.fit(task)


class _Cancelled(BaseException):
    """Unwinds the tasks of a search that has ended; no ``except Exception`` stops it."""


class _Promise:
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
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.changed = threading.Condition()
        self.jobs: deque[_Promise] = deque()  # not started yet
        self.fits: list[_Promise] = []  # handed over, not trained yet
        self.open: set[_Promise] = set()  # all that nobody has settled yet
        self.threads: set[threading.Thread] = set()
        self.n_busy = 0  # threads that run, instead of waiting for a promise
        self.n_started = 0
        self.largest = 0
        self.cancelled = False

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None]) -> _Promise:
        """Queue a job, to be started when the root next waits."""
        job = _Promise(func, callback)
        with self.changed:
            self.open.add(job)
            self.jobs.append(job)
        return job

    def fit(self, task: FitTask) -> FitResult:
        """Hand a fit task over, and wait for what comes of it."""
        promise = _Promise(task)
        with self.changed:
            self.open.add(promise)
            self.fits.append(promise)
            self.largest = max(self.largest, task.n_bytes)
        return self._await(promise)

    def result(self, job: _Promise) -> Any:
        """A job's outcome; the root's call is what keeps everything going."""
        if getattr(_local, "conductor", None) is self:
            return self._await(job)
        try:
            while not job.done.is_set():
                self._conduct(job)
        except BaseException:
            self.cancel()
            raise
        return job.outcome()

    def cancel(self) -> None:
        """End all that was started, and wait until it has ended."""
        # An interrupt may have come between any two lines of the root's: whatever is
        # open is settled, wherever it was on its way to.
        with self.changed:
            self.cancelled = True
            for promise in list(self.open):
                self._settle(promise, error=_Cancelled())
            self.fits.clear()
            self.jobs.clear()
        for thread in list(self.threads):
            if thread.is_alive():
                thread.join()
        self.threads.clear()
        self.n_busy = self.n_started = self.largest = 0
        self.cancelled = False

    def _await(self, promise: _Promise) -> Any:
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

    def _settle(self, promise: _Promise, **outcome: Any) -> None:
        # Whoever waits counts as busy from now on, before it wakes: the root must not
        # see an idle moment in between.
        promise.result = outcome.get("result")
        promise.error = outcome.get("error")
        self.n_busy += promise.n_waiting
        self.open.discard(promise)
        promise.done.set()

    # In the root's thread

    def _conduct(self, job: _Promise) -> None:
        with self.changed:
            self.changed.wait_for(lambda: job.done.is_set() or self.n_busy == 0)
            if job.done.is_set():
                return
            room = self._room()
            if self.jobs and room:
                for _ in range(min(room, len(self.jobs))):
                    self._start(self.jobs.popleft())
                return
            fits, self.fits = self.fits, []
        if not fits:
            raise RuntimeError("lockstep has nothing left to do, but a job is not done")
        _train_all(fits, self._settle_locked)

    def _settle_locked(self, promise: _Promise, outcome: dict[str, Any]) -> None:
        with self.changed:
            self._settle(promise, **outcome)

    def _room(self) -> int:
        # How many jobs may start: one at first, to learn what a fit takes.
        if self.n_started == 0:
            return 1
        if not self.largest:  # no skdeep estimator has been met
            return cpu_count()
        room = self.memory // self.largest - len(self.fits)
        return max(room, 0 if self.fits else 1)

    def _start(self, job: _Promise) -> None:
        self.n_busy += 1
        self.n_started += 1
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self.threads.add(thread)
        thread.start()

    # In a job's thread

    def _run(self, job: _Promise) -> None:
        _local.conductor = self
        outcome: dict[str, Any] = {}
        try:
            outcome["result"] = job.work()
        except BaseException as error:
            outcome["error"] = error
        if not self.cancelled:
            job.callback(job)  # joblib submits the next job, before this one is done
        with self.changed:
            self._settle(job, **outcome)
            self.threads.discard(threading.current_thread())
            self._rest()
            self.changed.notify()


def _stacks(fits: list[_Promise]) -> list[list[_Promise]]:
    """Alike with alike, in stacks of which a step's arrays fit the cache."""
    groups: dict[Any, list[_Promise]] = {}
    for promise in fits:
        key = stack_key(promise.work)
        groups.setdefault(id(promise) if key is None else key, []).append(promise)
    stacks = []
    for group in groups.values():
        widest = max(MIN_WIDTH, STACK_BYTES // group[0].work.n_work_bytes)
        # As wide as that, and as many as there are cores to train them on.
        n_stacks = max(-(-len(group) // widest), min(cpu_count(), len(group) // MIN_WIDTH), 1)
        stacks += [group[i::n_stacks] for i in range(n_stacks)]
    return stacks


def _train_stack(stack: list[_Promise], cancelled: threading.Event) -> list[dict[str, Any]]:
    """Outcome of each member, by the name of `_Promise`'s attribute."""
    try:
        results = train([promise.work for promise in stack], cancelled)
    except Cancelled:
        raise
    except Exception as error:
        if len(stack) == 1:
            return [{"error": error}]
        # What one member cannot stand must not cost the others their fit.
        return [_train_stack([promise], cancelled)[0] for promise in stack]
    return [{"result": result} for result in results]


def _train_all(
    fits: list[_Promise], settle: Callable[[_Promise, dict[str, Any]], None]
) -> None:
    """Train what was handed over, a core a stack, and settle each promise."""
    stacks = _stacks(fits)
    cancelled = threading.Event()
    # Stacks share the cores already: BLAS must not.
    with one_blas_thread, ThreadPoolExecutor(min(cpu_count(), len(stacks))) as pool:
        try:
            trained = pool.map(_train_stack, stacks, [cancelled] * len(stacks))
            for stack, outcomes in zip(stacks, trained, strict=True):
                for promise, outcome in zip(stack, outcomes, strict=True):
                    settle(promise, outcome)
        except BaseException:
            cancelled.set()
            raise


class LockstepBackend(ParallelBackendBase):
    """joblib's side of `lockstep`."""

    default_n_jobs = DEFAULT_N_JOBS
    supports_sharedmem = True
    uses_threads = True

    def __init__(
        self, *, memory: int = 1 << 30, conductor: Conductor | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.nested = conductor is not None
        self.conductor = conductor or Conductor(memory)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return DEFAULT_N_JOBS if n_jobs is None or n_jobs < 0 else n_jobs

    def submit(self, func: Callable[[], Any], callback: Any = None) -> _Promise:
        return self.conductor.submit(func, callback)

    def retrieve_result(self, out: _Promise, timeout: float | None = None) -> Any:
        return self.conductor.result(out)

    def stop_call(self) -> None:
        # What an error left behind must not outlive the call.
        self.abort_everything()

    def get_nested_backend(self) -> tuple[ParallelBackendBase, None]:
        level = (self.nesting_level or 0) + 1
        return LockstepBackend(conductor=self.conductor, nesting_level=level), None

    def abort_everything(self, ensure_ready: bool = True) -> None:
        if not self.nested:
            self.conductor.cancel()


class lockstep(parallel_config):
    """Train the fits of a search as stacks, wherever joblib runs them.

    Inside the context, whatever scikit-learn hands to joblib (searches,
    cross-validation, bagging, voting, one-vs-rest, ...) runs in threads whose skdeep
    estimators wait for one another: networks of one shape are trained as one stack, in
    which they differ by learning rate, penalty, momentum, seed, rows or weights. Every
    estimator comes out as it would alone, to rounding. All else simply runs.

    Parameters
    ----------
    n_jobs : int, default=None
        Fits that joblib hands over at a time; None or -1 lets 128 wait for one another
        (of which joblib submits twice as many).
    memory : int, default=2**30
        Bytes that waiting fits may take together, their data included. Further ones
        start when there is room.

    Notes
    -----
    `n_jobs` of a search, where it is given, takes precedence. What a search reports as
    ``mean_fit_time`` includes the time that a fit waited for the others.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdeep import DeepClassifier, lockstep
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DeepClassifier((10,), learning_rate_init=0.02, max_iter=200, random_state=0)
    >>> with lockstep():
    ...     search = GridSearchCV(model, {"alpha": [1e-4, 1e-2, 1.0]}, cv=5).fit(X, y)
    >>> bool(search.best_score_ > 0.95)
    True
    """

    def __init__(self, n_jobs: int | None = None, *, memory: int = 1 << 30) -> None:
        super().__init__(LockstepBackend(memory=memory), n_jobs=n_jobs)


register_parallel_backend("lockstep", LockstepBackend)
