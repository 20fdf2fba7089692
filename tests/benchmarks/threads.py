"""Searches on digits: one process or two, one BLAS thread or two within, and lockstep.

Prints one Markdown table: median of the times by that of the first contestant in the same
repeat, contestants in turn, worker processes warm.

    python -m tests.benchmarks.threads --repeats 3
"""

import argparse
import statistics
import time
import warnings

from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skdeep import DeepClassifier, lockstep


def loky(n_jobs, n_threads):
    """Fits in processes with that many BLAS threads each."""
    return parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=n_threads)


def here(n_threads):
    """Fits one after another in this process."""
    return threadpool_limits(limits=n_threads, user_api="blas")


# What the fits run under; each is made anew for each search.
CONTESTANTS = {
    "`n_jobs=1`, 1 BLAS thread": lambda: here(1),
    "`n_jobs=1`, 2 BLAS threads": lambda: here(2),
    "`n_jobs=2`, 1 BLAS thread each": lambda: loky(2, 1),
    "`n_jobs=2`, 2 BLAS threads each": lambda: loky(2, 2),
    "`n_jobs=2`, threads as joblib shares them": lambda: parallel_config("loky", n_jobs=2),
    "`lockstep()`": lockstep,
}
# Hidden units and batch: the products of the last are large enough for BLAS's threads.
CASES = {
    "64-50-10, batch 200": ((50,), 200),
    "64-1000-500-10, batch 500": ((1000, 500), 500),
}
ALPHAS = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]


def search_seconds(context, hidden, batch_size, epochs, X, y):
    """Time of 6 candidates in 3 folds, none of which stops early."""
    network = DeepClassifier(
        hidden,
        batch_size=batch_size,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=0,
        dtype="float32",
    )
    search = GridSearchCV(network, {"alpha": ALPHAS}, cv=3, refit=False)
    with context:
        start = time.perf_counter()
        search.fit(X, y)
        return time.perf_counter() - start


def race(hidden, batch_size, epochs, repeats):
    """Seconds of each contestant in each repeat."""
    X, y = load_digits(return_X_y=True)
    rows = []
    for _ in range(repeats):
        row = []
        for make in CONTESTANTS.values():
            # Workers of another number of threads are new ones: their start is not counted.
            search_seconds(make(), hidden, batch_size, 1, X, y)
            row.append(search_seconds(make(), hidden, batch_size, epochs, X, y))
        rows.append(row)
    return rows


def cell(rows, i):
    """Median and range of a contestant's times by the first one's."""
    ratios = sorted(row[i] / row[0] for row in rows)
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"| 18 fits on digits | {' | '.join(CASES)} |")
    print(f"| --- |{' ---: |' * len(CASES)}")
    columns = [race(*case, options.epochs, options.repeats) for case in CASES.values()]
    for i, name in enumerate(CONTESTANTS):
        print(f"| {name} | {' | '.join(cell(rows, i) for rows in columns)} |")
    seconds = [statistics.median(row[0] for row in rows) for rows in columns]
    print(f"\nSeconds of the first row: {', '.join(f'{one:.2f}' for one in seconds)}")


if __name__ == "__main__":
    main()
