"""`lockstep`: a joblib backend that trains the fits of many jobs as stacks.

The jobs of a search are distributed over one process per core. There, each job runs in its own
thread until a skdeep estimator in it submits a fit task and waits. Once every job waits or has
ended, the main thread groups the fit tasks by ``stack_key``, trains each group as stacks, and
the jobs continue. Only one thread runs at a time, so there is no contention for the
interpreter, and code that is not thread-safe (such as scikit-learn's handling of warnings) is
safe. joblib asks for the first result only after submitting its jobs, so no stack starts while
jobs are still coming. The workers of a Dask cluster can take the place of the processes.
"""

import multiprocessing
from collections.abc import Callable
from numbers import Integral
from typing import Any

from joblib import cpu_count, parallel_config, register_parallel_backend
from joblib.parallel import ParallelBackendBase

from skdeep._parallel.cluster import Cluster, check_client
from skdeep._parallel.conductor import Conductor, Promise, local
from skdeep._parallel.workers import Workers

# Default number of jobs, for each worker of a cluster. joblib submits twice as many before it
# asks for the first result.
DEFAULT_N_JOBS = 128

# Minimum number of jobs for which to start processes: fewer end before these have started.
MIN_JOBS = 16


class LockstepBackend(ParallelBackendBase):
    """joblib backend of `lockstep`, which documents the parameters."""

    default_n_jobs = DEFAULT_N_JOBS
    in_lockstep = True

    def __init__(
        self,
        *,
        memory: int = 1 << 30,
        n_processes: int | None = None,
        client: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_count("memory", memory)
        if n_processes is not None:
            _check_count("n_processes", n_processes)
        if client is not None:
            check_client(client)
            if n_processes is not None:
                raise ValueError(
                    f"n_processes={n_processes} is of no use with client: the fits run in the "
                    "workers of the cluster. Leave it out."
                )
        self.memory = memory
        self.n_processes = n_processes
        self.cluster = None if client is None else Cluster(client)
        self._own: Conductor | None = None

    @property
    def uses_threads(self) -> bool:
        """Whether jobs run in threads of this process: True for jobs within a job."""
        return bool(self.nesting_level)

    supports_sharedmem = uses_threads

    @property
    def conductor(self) -> Conductor:
        """Conductor of the job that this call is part of, or of this backend."""
        outer = getattr(local, "conductor", None)
        if self.nesting_level and outer is not None:
            return outer
        if self._own is None:
            self._own = self._make_conductor()
        return self._own

    def _make_conductor(self) -> Conductor:
        if self.cluster is not None:
            return Conductor(self.memory, self.cluster)
        # Worker processes do not start processes.
        inner = self.nesting_level or multiprocessing.parent_process() is not None
        n_processes = 1 if inner else self.n_processes or cpu_count()
        if n_processes == 1:
            return Conductor(self.memory)
        min_jobs = MIN_JOBS if self.n_processes is None else 2
        tries_first = self.n_processes is None
        return Conductor(self.memory, Workers(n_processes), min_jobs, tries_first)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is not None and n_jobs > 0:
            return n_jobs
        return DEFAULT_N_JOBS * (1 if self.cluster is None else self.cluster.count())

    def submit(self, func: Callable[[], Any], callback: Any = None) -> Promise:
        return self.conductor.submit(func, callback)

    def retrieve_result(self, out: Promise, timeout: float | None = None) -> Any:
        return self.conductor.result(out)

    def stop_call(self) -> None:
        # Jobs that an error left behind must not outlive the call.
        self.abort_everything()
        if self.cluster is not None:
            self.cluster.forget()

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
    """Context manager that trains the fits of a search together, as stacks.

    Inside the context, everything that scikit-learn runs through joblib (searches,
    cross-validation, bagging, voting, one-vs-rest, ...) runs in threads whose skdeep estimators
    are trained together: networks of the same shape form a stack, in which they may differ in
    learning rate, penalty, momentum, seed, rows or sample weights. The fitted estimators are
    the same as without `lockstep`, up to rounding. Other estimators run as usual.

    Parameters
    ----------
    n_jobs : int, default=None
        Number of fits that joblib dispatches at a time (it submits twice as many). None or -1
        means 128, or 128 per worker of a cluster.
    memory : int, default=2**30
        Maximum memory of all waiting fits in bytes, data included; with `client`, in each
        worker. Further fits start when there is room.
    n_processes : int, default=None
        Number of processes. None means one per core for 16 or more fits, once the first of them
        have shown in the current process that it pays to start others, and the current process
        for fewer.
    client : dask.distributed.Client, default=None
        Client of a Dask cluster, in whose workers the fits run instead of on this machine. Each
        worker trains its share of them as stacks. See :ref:`cluster`.

    Raises
    ------
    ValueError
        If `memory` or `n_processes` is not an int of 1 or more, or if both `n_processes` and
        `client` are given.
    TypeError
        If `client` is not a synchronous Dask client.

    Notes
    -----
    The `n_jobs` parameter of a search takes precedence. The ``mean_fit_time`` that a search
    reports includes the time spent waiting for other fits.

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
        client: Any = None,
    ) -> None:
        backend = LockstepBackend(memory=memory, n_processes=n_processes, client=client)
        super().__init__(backend, n_jobs=n_jobs)


register_parallel_backend("lockstep", LockstepBackend)
