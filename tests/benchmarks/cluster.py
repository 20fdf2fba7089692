"""A search on a Dask cluster of two workers, its overhead, and a model of more workers.

Prints what was measured and two Markdown tables: the same search by several means, and the
time that the model gives for more workers.

    python -m tests.benchmarks.cluster --candidates 500

The model. A search is a sequence of batches of jobs, and each batch one task for each worker:

    time = (serial per fit) * fits + batches * (per batch + per task * workers)
           + (training per fit) * fits / workers + data / bandwidth

The serial part is what joblib and scikit-learn do in the client; it is measured with fits that
do nothing. Assumed: workers as fast as those measured, each with a core of its own; fits of
equal length; data that the client sends once, over a network of 1 Gbit/s.
"""

import argparse
import time
import warnings

import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skdeep import DeepClassifier, lockstep
from skdeep._parallel.cluster import pack

N_FOLDS = 3
JOBS_PER_WORKER = 256  # that lockstep has in a batch: twice its 128
BANDWIDTH = 125e6  # bytes per second
WORKERS = [2, 10, 100]
MODELED_FITS = 2000 * N_FOLDS


class Nothing(BaseEstimator):
    """A fit and a score that take no time."""

    def __init__(self, alpha=0.0):
        self.alpha = alpha

    def fit(self, X, y):
        return self

    def score(self, X, y):
        return 0.0


def seconds(context, estimator, n_candidates, X, y):
    """Time of a search over alpha in three folds, without a refit."""
    grid = {"alpha": np.geomspace(1e-6, 1, n_candidates)}
    search = GridSearchCV(estimator, grid, cv=N_FOLDS, refit=False)
    with context:
        start = time.perf_counter()
        search.fit(X, y)
        return time.perf_counter() - start


def bytes_per_fit(estimator, X, y):
    """Size of a fit within a task: that of 256 fits as joblib passes them on."""
    from joblib.parallel import BatchedCalls
    from sklearn.base import clone
    from sklearn.model_selection._validation import _fit_and_score

    rows = np.arange(len(X))
    jobs = [
        BatchedCalls(
            [
                (
                    _fit_and_score,
                    (clone(estimator), X, y),
                    {"train": rows, "test": rows, "parameters": {"alpha": alpha}},
                )
            ],
            None,
        )
        for alpha in np.geomspace(1e-6, 1, JOBS_PER_WORKER)
    ]
    large = {}
    content, _ = pack(jobs, large)
    return len(content) / len(jobs)


def overheads(client):
    """Seconds of a round of tasks: of a round, and of each further task in it."""

    def round_trip(n_tasks):
        best = np.inf
        for _ in range(5):
            start = time.perf_counter()
            client.gather([client.submit(int, pure=False) for _ in range(n_tasks)])
            best = min(best, time.perf_counter() - start)
        return best

    round_trip(10)
    one, many = round_trip(1), round_trip(501)
    per_task = (many - one) / 500
    return one - per_task, per_task


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=500)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    network = DeepClassifier(
        (32,), max_iter=10, n_iter_no_change=10, dtype="float32", random_state=0
    )
    n_fits = options.candidates * N_FOLDS
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        contexts = {
            "`lockstep(client=client)`": lambda: lockstep(client=client),
            "`lockstep(n_processes=2)`": lambda: lockstep(n_processes=2),
            '`parallel_config("dask")`': lambda: parallel_config("dask", client=client),
        }
        for make in contexts.values():  # start processes and import packages
            seconds(make(), network, 10, X, y)
        print(f"| {options.candidates} candidates in {N_FOLDS} folds | s |\n| --- | ---: |")
        times = {}
        for name, make in contexts.items():
            times[name] = seconds(make(), network, options.candidates, X, y)
            print(f"| {name} | {times[name]:.1f} |", flush=True)
        here = times["`lockstep(client=client)`"]
        # Their share of the workers is counted as serial, on the safe side.
        serial = seconds(lockstep(client=client), Nothing(), options.candidates, X, y) / n_fits
        per_round, per_task = overheads(client)
        size = bytes_per_fit(network, X, y)

    training = (here / n_fits - serial) * 2
    print(f"\nSerial: {serial * 1e3:.2f} ms per fit; training: {training * 1e3:.2f} ms per fit")
    print(f"Scheduler: {per_round * 1e3:.1f} ms per round, {per_task * 1e3:.2f} ms per task")
    print(f"Sent: {X.nbytes:,} bytes of X once, {size:.0f} bytes per fit")
    print("\n| workers | fits | modeled s | of which serial |\n| ---: | ---: | ---: | ---: |")
    for n_workers in WORKERS:
        n_rounds = -(-MODELED_FITS // (JOBS_PER_WORKER * n_workers))
        fixed = serial * MODELED_FITS + n_rounds * (per_round + per_task * n_workers)
        fixed += (X.nbytes + size * MODELED_FITS) / BANDWIDTH
        total = fixed + training * -(-MODELED_FITS // n_workers)
        print(f"| {n_workers} | {MODELED_FITS} | {total:.1f} | {fixed:.1f} |")


if __name__ == "__main__":
    main()
