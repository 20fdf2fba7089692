"""
Rock or mine
============

Are 208 echoes of 60 energies each enough to tell a rock from a mine? The Go library that this
example comes from reports an accuracy of 0.869 on one split of the sonar data. With so few
rows, the result of one split is a matter of chance, and settings that differ by less than the
standard error are equally good. The baselines are a linear model and the most frequent class.

The sonar data (60 numbers, then R or M, no header) are read from ``sonar.csv`` in the folder
``--data``. Without it, scikit-learn's breast cancer data take their place, as on this page::

    python examples/go/sonar.py --data DIR
"""

import argparse
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep

parser = argparse.ArgumentParser(description="Rock or mine, cross-validated.")
parser.add_argument("--data", type=Path, metavar="DIR", help="folder with sonar.csv")
folder = parser.parse_args().data
warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs are the budget

if folder is None:
    X, y = load_breast_cancer(return_X_y=True)
else:
    table = np.loadtxt(folder / "sonar.csv", delimiter=",", dtype=str)
    X, y = table[:, :-1].astype(float), table[:, -1]

# %%
# Thirty folds of each
# --------------------
#
# ``lockstep`` trains the networks of a cross-validation as one stack. The standard error is
# that over rows: the three repeats share them, so they do not reduce it.


def network(**params):
    return DeepClassifier((100,), random_state=0, **{"dtype": "float32", **params})


models = {
    "most frequent class": DummyClassifier(),
    "linear model": LogisticRegression(),
    "as it comes": network(),
    "alpha=0.1, rate 0.01": network(alpha=0.1, learning_rate_init=0.01),
    "dropout=0.5": network(dropout=0.5),
    "tanh": network(activation="tanh"),
    "alpha=1, lbfgs": network(alpha=1.0, solver="lbfgs", dtype="float64"),
}
folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=0)
rows = {}
print(f"{'variant':<22} {'accuracy':>9} {'standard error':>15}")
for name, model in models.items():
    with lockstep():
        mean = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=folds).mean()
    rows[name] = mean, np.sqrt(mean * (1 - mean) / len(y))
    print(f"{name:<22} {mean:>9.3f} {rows[name][1]:>15.3f}")

# %%
# The bars are one standard error to either side: where they overlap, no setting is better than
# another.

figure, axes = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
for place, (name, (mean, error)) in enumerate(list(rows.items())[1:]):
    color = "tab:gray" if name == "linear model" else "tab:blue"
    axes.errorbar(mean, place, xerr=error, fmt="o", color=color, capsize=3)
axes.set_yticks(range(len(rows) - 1), list(rows)[1:])
axes.invert_yaxis()
axes.set(xlabel="accuracy in thirty folds")
axes.grid(axis="x", alpha=0.3)
plt.show()
