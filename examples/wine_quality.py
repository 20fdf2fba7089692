"""Grades that tasters give white wines, and how often a network predicts them.

A prediction counts as correct if it is less than half a grade off. The file contains grades in
tenths (0.6 is grade 6), so half a grade is 0.05 there; here, grades range from 0 to 10. The
fraction within the threshold is a metric, not a loss: the table compares losses for training.

One wine in five occurs more than once in the file. Copies stay on the same side of each split;
otherwise, networks that memorize rows would look better than they are.

The data come from ``winequality-white.csv`` (11 numbers, then the grade in tenths, no header)
in the folder ``--data``, or else from openml.org (dataset 44971, with integer grades):

    python examples/wine_quality.py --data DIR
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepRegressor, lockstep
from skdeep.metrics import within_threshold

SCORES = {
    "within": make_scorer(within_threshold, threshold=0.5),
    "r2": "r2",
    "mae": "neg_mean_absolute_error",
}


def load(folder):
    """11 measurements for each wine, and its grade."""
    if folder is None:
        X, y = fetch_openml(data_id=44971, return_X_y=True, as_frame=False, parser="liac-arff")
        return X.astype(float), y.astype(float)
    table = np.loadtxt(folder / "winequality-white.csv", delimiter=",")
    return table[:, :-1], np.round(10 * table[:, -1])


def network(loss):
    return DeepRegressor(
        loss,
        (64, 64),
        batch_size=64,
        learning_rate="cosine",
        learning_rate_init=0.003,
        max_iter=60,
        n_iter_no_change=60,
        dropout=0.2,
        init_output_bias="baseline",
        dtype="float32",
        random_state=0,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the CSV file")
    X, y = load(parser.parse_args().data)
    wine = np.unique(X, axis=0, return_inverse=True)[1]
    models = {
        "median": DummyRegressor(strategy="median"),
        "ridge": Ridge(),
        "network, squared_error": network("squared_error"),
        "network, huber": network("huber"),
        "network, absolute_error": network("absolute_error"),
    }
    print(f"{'model':<26} {'within 0.5':>11} {'R2':>7} {'MAE':>7}")
    for name, model in models.items():
        with warnings.catch_warnings(), lockstep():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 60 epochs are the budget
            scores = cross_validate(
                make_pipeline(StandardScaler(), model),
                X,
                y,
                groups=wine,
                cv=GroupKFold(5, shuffle=True, random_state=0),
                scoring=SCORES,
            )
        within, r2, mae = (scores[f"test_{key}"].mean() for key in SCORES)
        print(f"{name:<26} {within:>11.3f} {r2:>7.3f} {-mae:>7.3f}")


if __name__ == "__main__":
    main()
