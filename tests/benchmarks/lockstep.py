"""Searches of 200 fits: in lockstep, with two processes, and MLPClassifier with two processes.

Prints one Markdown table: medians of ratios, contestants in turn, worker processes warm.

    python -m tests.benchmarks.lockstep --repeats 3
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep

# Name: data, hidden units, epochs, and how many times sooner than MLPClassifier is asked for.
CASES = {
    "wine 13-8-3": (load_wine, 8, 200, 15),
    "breast cancer 30-30-2": (load_breast_cancer, 30, 100, 8),
    "digits 64-64-10": (load_digits, 64, 20, 2),
}
N_RATES, N_ALPHAS, N_FOLDS = 8, 5, 5


def search_seconds(kind, n_hidden, epochs, X, y, n_jobs):
    """Time of 40 candidates in 5 folds, none of which stops early."""
    network = kind((n_hidden,), max_iter=epochs, tol=0, n_iter_no_change=np.inf, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    prefix = kind.__name__.lower()
    grid = {
        f"{prefix}__learning_rate_init": np.geomspace(1e-3, 3e-2, N_RATES),
        f"{prefix}__alpha": np.geomspace(1e-5, 1e-1, N_ALPHAS),
    }
    search = GridSearchCV(model, grid, cv=N_FOLDS, n_jobs=n_jobs, refit=False)
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


def race(load, n_hidden, epochs, repeats):
    """Seconds of each contestant in each repeat."""
    X, y = load(return_X_y=True)
    rows = []
    search_seconds(DeepClassifier, n_hidden, 1, X, y, 2)  # the workers' start and imports
    for _ in range(repeats):
        with lockstep():
            together = search_seconds(DeepClassifier, n_hidden, epochs, X, y, None)
        processes = search_seconds(DeepClassifier, n_hidden, epochs, X, y, 2)
        theirs = search_seconds(MLPClassifier, n_hidden, epochs, X, y, 2)
        rows.append((together, processes, theirs))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    print("| 200 fits | lockstep, s | skdeep, `n_jobs=2` | MLP, `n_jobs=2` | goal |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (load, n_hidden, epochs, goal) in CASES.items():
        rows = race(load, n_hidden, epochs, repeats)
        seconds = statistics.median(row[0] for row in rows)
        ours = sorted(row[1] / row[0] for row in rows)
        theirs = sorted(row[2] / row[0] for row in rows)
        print(
            f"| {name}, {epochs} epochs | {seconds:.2f} "
            f"| {statistics.median(ours):.2f} ({ours[0]:.2f}-{ours[-1]:.2f}) "
            f"| {statistics.median(theirs):.2f} ({theirs[0]:.2f}-{theirs[-1]:.2f}) | {goal} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
