"""Workers of a Dask cluster, which run jobs as `Workers` does in processes of this machine.

Each worker receives its jobs as one Dask task. Large arrays and tables are left out of the
tasks and sent to the cluster once, as long as batch after batch of jobs refers to the same
object; the workers copy them from one another.
"""

import io
import itertools
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any

from joblib import delayed
from joblib.parallel import get_active_backend

from skdeep._network.threads import one_blas_thread

# Size in bytes from which an array is sent once instead of within each task.
LARGE = 1 << 14

# How often jobs are sent, if all workers that hold their data die.
N_ATTEMPTS = 3

# Seconds to wait for a worker if there is none, and between checks that there is one.
TIMEOUT = 60


class Cluster:
    """Workers of the cluster that a Dask client is connected to, for one `run` at a time."""

    share_memory = False

    def __init__(self, client: Any) -> None:
        self.client = client
        self._tasks: list[Any] = []
        self._sent: dict[int, tuple[Any, Any]] = {}  # id -> object, and its future

    def count(self) -> int:
        """Number of workers, at least one."""
        return len(self._addresses())

    def run(self, func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of ``func(*call, is_unwanted)`` for each of the calls, each in a worker.

        Dask repeats what a worker was doing when it died, elsewhere. If interrupted, the tasks
        continue until `end` is called.
        """
        for _ in range(N_ATTEMPTS):
            self._tasks = self._submit(func, calls)
            try:
                results = self._gather()
            except CancelledError:
                # The data are lost if no other worker has copied them yet.
                self.end()
                self._sent = {}
                continue
            self._tasks = []
            return results
        raise RuntimeError(
            f"The workers of the cluster died {N_ATTEMPTS} times with the data of the search. "
            "Look for the reason in their logs; a frequent one is that memory ran out."
        )

    def end(self) -> None:
        """Cancel the tasks of an interrupted or failed run."""
        if self._tasks:
            self.client.cancel(self._tasks)
            self._tasks = []

    def forget(self) -> None:
        """Release the data held by the workers."""
        self._sent = {}

    def _gather(self) -> list[Any]:
        async def gather() -> list[Any]:
            return await self.client.gather(self._tasks, asynchronous=True)

        while True:
            try:
                return self.client.sync(gather, callback_timeout=TIMEOUT)
            except TimeoutError:
                if any(task.status == "error" for task in self._tasks):
                    raise  # by a job
                self._addresses()  # raises an error if no worker is left and none comes

    def _addresses(self) -> list[str]:
        while not (addresses := list(self.client.nthreads())):
            self.client.wait_for_workers(1, timeout=TIMEOUT)
        return addresses

    def _submit(self, func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        large: dict[int, Any] = {}
        packed = [pack((func, call), large) for call in calls]
        self._send(large)
        # One for each worker; if that dies, any other will do.
        workers = itertools.cycle(self._addresses())
        return [
            self.client.submit(
                _run_call,
                content,
                [self._sent[key][1] for key in keys],
                workers=[worker],
                allow_other_workers=True,
                pure=False,
            )
            for (content, keys), worker in zip(packed, workers, strict=False)
        ]

    def _send(self, large: dict[int, Any]) -> None:
        # Objects that no task refers to any more are released.
        self._sent = {key: self._sent[key] for key in large if key in self._sent}
        new = [key for key in large if key not in self._sent]
        if new:
            futures = self.client.scatter([large[key] for key in new], hash=False)
            for key, future in zip(new, futures, strict=True):
                self._sent[key] = large[key], future


def check_client(client: Any) -> None:
    """Raise TypeError if `client` is not a client of Dask."""
    from distributed import Client

    if not isinstance(client, Client) or client.asynchronous:
        raise TypeError(
            "client must be a dask.distributed.Client that is not asynchronous, such as "
            f"Client('scheduler-address:8786'); got {client!r}."
        )


def in_dask() -> bool:
    """Whether joblib would run jobs on Dask, as in ``parallel_config("dask")``."""
    return type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"


def delayed_for_dask(func: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Jobs for joblib, which sends their large arrays once if they are arguments."""
    large: dict[int, Any] = {}
    packed = [pack((func, call), large) for call in calls]
    return [
        delayed(_run_alone)(content, *(large[key] for key in keys)) for content, keys in packed
    ]


def pack(content: Any, large: dict[int, Any]) -> tuple[bytes, list[int]]:
    """Pickle an object without its large arrays and tables.

    These are added to `large`, by their ids. Returns the pickle, and the ids in the order in
    which `unpack` expects the objects.
    """
    import cloudpickle
    from dask.sizeof import sizeof

    places: dict[int, int] = {}

    class Pickler(cloudpickle.Pickler):
        def persistent_id(self, obj: Any) -> int | None:
            if isinstance(obj, type) or not hasattr(obj, "shape") or sizeof(obj) < LARGE:
                return None
            large[id(obj)] = obj
            return places.setdefault(id(obj), len(places))

    file = io.BytesIO()
    Pickler(file).dump(content)
    return file.getvalue(), list(places)


# In a worker

# Jobs change settings of the whole process, such as warning filters: if several workers are
# threads of one process, they take turns.
one_at_a_time = threading.Lock()


def _run_call(content: bytes, large: Sequence[Any]) -> Any:
    func, call = unpack(content, large)
    with one_at_a_time, one_blas_thread:
        return func(*call, _is_unwanted())


def _run_alone(content: bytes, *large: Any) -> Any:
    func, call = unpack(content, large)
    with one_blas_thread:
        return func(*call)


def unpack(content: bytes, large: Sequence[Any]) -> Any:
    """The object that was packed."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, place: int) -> Any:
            return large[place]

    return Unpickler(io.BytesIO(content)).load()


def _is_unwanted() -> Callable[[], bool]:
    """A function that tells whether the client has cancelled the current task or is gone."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_unwanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state != "executing"

    return is_unwanted
