"""Limit BLAS to one thread where matrix products are too small to benefit from more.

Idle BLAS threads spin until the next product, which then waits for any thread whose core is
busy with something else; only large products are worth that. The limit applies to the whole
process, so it is counted: the first fit to need it sets it, the last one to end restores the
previous value.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

# Number of multiplications above which a second thread pays off, and below which OpenBLAS
# never uses one, so that no limit is needed.
WORTH_SHARING = 3 << 21
NEVER_SHARED = 1 << 13


class _Limit:
    """Context manager that limits BLAS to one thread; may be entered by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                # As a context manager: threadpoolctl lets other threads set limits only after
                # its exit.
                self._limiter = _controller().limit(limits=1, user_api="blas")
                self._limiter.__enter__()
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limiter.__exit__(None, None, None)


one_blas_thread = _Limit()


@cache
def _controller() -> ThreadpoolController:
    # Cached: inspecting the loaded libraries takes milliseconds.
    return ThreadpoolController()


@contextmanager
def blas_threads_for(n_multiplications: int) -> Iterator[None]:
    """Limit BLAS to one thread if the largest product has too few multiplications to share."""
    if not NEVER_SHARED < n_multiplications < WORTH_SHARING:
        yield
        return
    with one_blas_thread:
        yield
