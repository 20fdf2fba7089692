"""Rock or mine, from 60 sonar energies of 208 echoes: 100 hidden units, cross-validated.

The Go library that this example comes from reports an accuracy of 0.869 on one split. With so
few rows, the result of one split is a matter of chance, and settings that differ by less than
the standard error are equally good. ``lockstep`` trains the networks of a cross-validation as
one stack, so that thirty folds take about a second.

The data come from ``sonar.csv`` (60 numbers, then R or M, no header) in the folder ``--data``,
or else from openml.org (dataset 40, with the labels Rock and Mine):

    python examples/sonar.py --data DIR
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep

VARIANTS = {
    "as it comes": {},
    "alpha=0.1, rate 0.01": {"alpha": 0.1, "learning_rate_init": 0.01},
    "dropout=0.5": {"dropout": 0.5},
    "tanh": {"activation": "tanh"},
    "alpha=1, lbfgs": {"alpha": 1.0, "solver": "lbfgs", "dtype": "float64"},
}


def load(folder):
    """60 numbers for each echo, and its label."""
    if folder is None:
        return fetch_openml(data_id=40, return_X_y=True, as_frame=False, parser="liac-arff")
    table = np.loadtxt(folder / "sonar.csv", delimiter=",", dtype=str)
    return table[:, :-1].astype(float), table[:, -1]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with sonar.csv")
    X, y = load(parser.parse_args().data)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=0)
    print(f"{'variant':<22} {'accuracy':>9} {'standard error':>15}")
    for name, params in VARIANTS.items():
        network = DeepClassifier((100,), random_state=0, **{"dtype": "float32", **params})
        with warnings.catch_warnings(), lockstep():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs are the budget
            scores = cross_val_score(make_pipeline(StandardScaler(), network), X, y, cv=folds)
        # Standard error over rows: the repeats share them, so they do not reduce it.
        error = np.sqrt(scores.mean() * (1 - scores.mean()) / len(y))
        print(f"{name:<22} {scores.mean():>9.3f} {error:>15.3f}")


if __name__ == "__main__":
    main()
