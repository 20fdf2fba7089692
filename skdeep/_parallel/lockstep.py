"""Many fits as one: a joblib backend whose jobs wait for one another to train.

Jobs that joblib hands over are dealt out to a process a core, where each runs in a
thread of its own until a skdeep estimator in it hands over its fit task and waits. Once
every job waits or is done, the process's main thread groups the fit tasks by
``stack_key``, trains each group as stacks, and lets the threads go on. One thread runs at
a time: nobody fights for the interpreter, and code that threads must not share (such as
scikit-learn's handling of warnings) sees no other. joblib asks for a first result only
after it has submitted all that it will, so no stack starts while jobs are still coming.
"""

import multiprocessing
from collections.abc import Callable
from numbers import Integral
from typing import Any

from joblib import cpu_count, parallel_config, register_parallel_backend
from joblib.parallel import ParallelBackendBase

from skdeep._parallel.conductor import Conductor, Promise, local

# Fits that may wait for one another where the caller does not say: joblib submits twice
# as many before it asks for the first result.
DEFAULT_N_JOBS = 128

# Jobs that are worth processes of their own: fewer are done before these have started.
MIN_JOBS = 16


class LockstepBackend(ParallelBackendBase):
    """joblib's side of `lockstep`; see there for the parameters."""

    default_n_jobs = DEFAULT_N_JOBS

    def __init__(
        self, *, memory: int = 1 << 30, n_processes: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.memory = memory
        self.n_processes = n_processes
        self._own: Conductor | None = None

    @property
    def uses_threads(self) -> bool:
        """Whether jobs run in threads of this process: where they are part of a job."""
        return bool(self.nesting_level)

    supports_sharedmem = uses_threads

    @property
    def conductor(self) -> Conductor:
        """That of the job which this call is a part of, or one of its own."""
        outer = getattr(local, "conductor", None)
        if self.nesting_level and outer is not None:
            return outer
        if self._own is None:
            # Processes do not beget processes.
            inner = self.nesting_level or multiprocessing.parent_process() is not None
            n_processes = 1 if inner else self.n_processes or cpu_count()
            min_jobs = MIN_JOBS if self.n_processes is None else 2
            self._own = Conductor(self.memory, n_processes, min_jobs)
        return self._own

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return DEFAULT_N_JOBS if n_jobs is None or n_jobs < 0 else n_jobs

    def submit(self, func: Callable[[], Any], callback: Any = None) -> Promise:
        return self.conductor.submit(func, callback)

    def retrieve_result(self, out: Promise, timeout: float | None = None) -> Any:
        return self.conductor.result(out)

    def stop_call(self) -> None:
        # What an error left behind must not outlive the call.
        self.abort_everything()

    def get_nested_backend(self) -> tuple[ParallelBackendBase, None]:
        level = (self.nesting_level or 0) + 1
        return LockstepBackend(memory=self.memory, nesting_level=level), None

    def abort_everything(self, ensure_ready: bool = True) -> None:
        if self._own is not None:
            self._own.cancel()


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, Integral) or int(value) < 1:
        raise ValueError(f"{name} must be an int of 1 or more; got {value!r}.")


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
    n_processes : int, default=None
        Processes over which the fits are spread. None takes one a core for 16 fits or
        more, and this process alone for fewer.

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

    def __init__(
        self,
        n_jobs: int | None = None,
        *,
        memory: int = 1 << 30,
        n_processes: int | None = None,
    ) -> None:
        _check_count("memory", memory)
        if n_processes is not None:
            _check_count("n_processes", n_processes)
        backend = LockstepBackend(memory=memory, n_processes=n_processes)
        super().__init__(backend, n_jobs=n_jobs)


register_parallel_backend("lockstep", LockstepBackend)
