"""Several starts, a decreasing learning rate, one criterion, and a winner: as a grid search.

The tries are seeds, the start and the decrease of the learning rate are a schedule, and the
criterion is a scorer. ``--data FOLDER`` reads ``sonar.csv``, with the label in the last
column, from that folder; by default, the data are scikit-learn's breast cancer data.
"""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import SGD, DeepClassifier, StepDecay, lockstep
from skdeep.metrics import get_scorer, macro_f_measure

N_TRIES = 5
STARTS = [0.03, 0.1]
FACTORS = [0.5, 0.8]
EPOCHS_PER_DECAY = 10


def read(folder):
    """X and y from ``sonar.csv`` in the folder, or scikit-learn's breast cancer data."""
    if folder is None:
        cancer = load_breast_cancer()
        return cancer.data, cancer.target_names[cancer.target]
    with (folder / "sonar.csv").open(newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    table = np.array(rows)
    return table[:, :-1].astype(float), table[:, -1]


def make_search():
    # The number of epochs is fixed: n_iter_no_change keeps tries from stopping early.
    solver = SGD(StepDecay(every=EPOCHS_PER_DECAY))
    network = DeepClassifier((20,), solver=solver, max_iter=50, n_iter_no_change=50)
    grid = {
        "deepclassifier__random_state": range(N_TRIES),
        "deepclassifier__solver__learning_rate_init": STARTS,
        "deepclassifier__solver__learning_rate__factor": FACTORS,
    }
    model = make_pipeline(StandardScaler(), network)
    return GridSearchCV(model, grid, scoring=get_scorer("macro_f_measure"))


def best_of_tries(search):
    """Rows of start, factor, and the scores of the worst and the best seed."""
    by_schedule = {}
    for params, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        start = params["deepclassifier__solver__learning_rate_init"]
        factor = params["deepclassifier__solver__learning_rate__factor"]
        by_schedule.setdefault((start, factor), []).append(score)
    return [(*key, min(scores), max(scores)) for key, scores in by_schedule.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds sonar.csv")
    X, y = read(parser.parse_args().data)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=0
    )
    search = make_search()
    with warnings.catch_warnings(), lockstep():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X_train, y_train)
    print(f"{'start':<8}{'factor':>8}{'worst try':>12}{'best try':>12}")
    for start, factor, worst, best in best_of_tries(search):
        print(f"{start:<8}{factor:>8}{worst:>12.3f}{best:>12.3f}")
    score = macro_f_measure(y_test, search.predict(X_test))
    n_networks = len(search.cv_results_["params"]) * search.n_splits_
    print(f"\n{'networks trained':<28}{n_networks:>12}")
    print(f"{'winner, in folds':<28}{search.best_score_:>12.3f}")
    print(f"{'winner, on other rows':<28}{score:>12.3f}")


if __name__ == "__main__":
    main()
