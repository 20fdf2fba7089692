"""How many threads BLAS may use: one, where a product is too small to share.

A thread that has nothing to multiply spins until the next product comes, and the product
then waits for it wherever something else has taken its core. Only large products are
worth that. The limit is the process's, so it is counted: the first fit that asks sets
it, the last one restores what was there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

# Multiplications of a product from which on a second thread pays, and up to which
# OpenBLAS never takes one, so that nothing need be limited.
WORTH_SHARING = 3 << 21
NEVER_SHARED = 1 << 13


class _Limit:
    """BLAS on one thread while anybody is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limiter.restore_original_limits()


one_blas_thread = _Limit()


@cache
def _controller() -> ThreadpoolController:
    # Looks through the libraries that are loaded, which takes milliseconds.
    return ThreadpoolController()


@contextmanager
def blas_threads_for(n_multiplications: int) -> Iterator[None]:
    """Keep BLAS to one thread where its largest product is not worth sharing.

    Parameters
    ----------
    n_multiplications : int
        Of the largest product that will be asked for.
    """
    if not NEVER_SHARED < n_multiplications < WORTH_SHARING:
        yield
        return
    with one_blas_thread:
        yield
