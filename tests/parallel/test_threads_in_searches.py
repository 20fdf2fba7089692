"""Searches use no more threads than there are cores, and restore the threads of BLAS."""

import os

import numpy as np
import pytest
from joblib import cpu_count, parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from skdeep import DeepClassifier, lockstep
from skdeep._network.threads import NEVER_SHARED, WORTH_SHARING

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 8))
Y = (X[:, 0] > 0).astype(int)
NETWORK = DeepClassifier((4,), max_iter=3, n_iter_no_change=3, random_state=0)
# Widths of a hidden layer for which BLAS, in batches of 60, never uses a second thread, is kept
# from doing so, and may do so.
WIDTHS = {"never shared": 4, "kept to one thread": 200, "shared": 20_000}


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def score_and_count(estimator, X, y):
    """A scorer that reports on the process in which it is called."""
    counts = blas_threads()
    return {"threads": max(counts), "process": os.getpid(), "known": len(counts)}


def search(n_jobs=None):
    grid = GridSearchCV(
        clone(NETWORK),
        {"alpha": [0.0, 0.1, 1.0, 10.0]},
        scoring=score_and_count,
        refit=False,
        cv=2,
        n_jobs=n_jobs,
    )
    results = grid.fit(X, Y).cv_results_
    return [
        np.concatenate([results[f"split{i}_test_{name}"] for i in range(2)])
        for name in ("threads", "process", "known")
    ]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """Without environment variables, joblib distributes the threads."""
    for name in ("OPENBLAS", "MKL", "OMP", "BLIS"):
        monkeypatch.delenv(f"{name}_NUM_THREADS", raising=False)


def test_workers_share_the_cores():
    # A new environment makes joblib start new workers.
    with parallel_config("loky"):
        threads, processes, known = search(n_jobs=2)
    assert os.getpid() not in processes
    assert known.min() > 0
    assert threads.max() <= max(cpu_count() // 2, 1)


def test_inner_max_num_threads_reaches_the_workers():
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        threads, processes, _ = search()
    assert os.getpid() not in processes
    assert set(threads) == {1}


def test_a_search_keeps_the_limit_of_the_caller():
    with threadpool_limits(limits=2, user_api="blas"):
        threads, processes, _ = search()
    assert set(processes) == {os.getpid()}
    assert set(threads) == {2}


@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_fit_restores_blas_threads(name, n_threads):
    network = clone(NETWORK).set_params(hidden_layer_sizes=(WIDTHS[name],), max_iter=1)
    seen = []

    def validation_scorer(estimator, X, y):
        seen.append(max(blas_threads()))
        return 0.0

    with threadpool_limits(limits=n_threads, user_api="blas"):
        before = blas_threads()
        network.set_params(validation_scoring=validation_scorer)
        network.fit(X, Y, X_val=X, y_val=Y)
        network.predict(X)
        assert blas_threads() == before
    limited = name == "kept to one thread"
    assert set(seen) == {1 if limited else n_threads}


def test_widths_are_on_either_side_of_the_limits():
    products = {name: len(X) * X.shape[1] * width for name, width in WIDTHS.items()}
    assert products["never shared"] <= NEVER_SHARED < products["kept to one thread"]
    assert products["kept to one thread"] < WORTH_SHARING <= products["shared"]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_lockstep_restores_blas_threads(n_processes):
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with lockstep(n_processes=n_processes):
            search()
        assert blas_threads() == before


def test_a_failing_fit_restores_blas_threads():
    network = clone(NETWORK).set_params(hidden_layer_sizes=(200,), solver="sgd", momentum=0)
    network.set_params(learning_rate_init=1e300)
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with pytest.raises(ValueError, match="finite"):
            network.fit(X, Y)
        assert blas_threads() == before
