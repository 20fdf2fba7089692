"""
Several starts and a winner
===========================

How much of a network's score is luck? gopher-neural's engine trains several networks from
different starts, lowers the learning rate, and keeps the winner by one criterion. Here, this
is a grid search: the tries are seeds, the start and the decrease of the learning rate are a
schedule, and the criterion is a scorer. The baseline is a linear model.

From the shell, ``--data FOLDER`` reads ``sonar.csv``, with the label in the last column, from
that folder; by default, the data are scikit-learn's breast cancer data.
"""

import argparse
import csv
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import SGD, DeepClassifier, StepDecay, lockstep
from skdeep.metrics import get_scorer, macro_f_measure

parser = argparse.ArgumentParser(description="Several starts and a winner.")
parser.add_argument("--data", type=Path, help="folder that holds sonar.csv")
folder = parser.parse_args().data
warnings.simplefilter("ignore", ConvergenceWarning)

if folder is None:
    cancer = load_breast_cancer()
    X, y = cancer.data, cancer.target_names[cancer.target]
else:
    with (folder / "sonar.csv").open(newline="") as file:
        table = np.array([row for row in csv.reader(file) if row])
    X, y = table[:, :-1].astype(float), table[:, -1]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)

# %%
# The search
# ----------
#
# Every ten epochs, the learning rate is multiplied by a factor. The number of epochs is fixed:
# ``n_iter_no_change`` keeps tries from stopping early.

N_TRIES = 5
SCORER = get_scorer("macro_f_measure")
network = DeepClassifier(
    (20,), solver=SGD(StepDecay(every=10)), max_iter=50, n_iter_no_change=50
)
grid = {
    "deepclassifier__random_state": range(N_TRIES),
    "deepclassifier__solver__learning_rate_init": [0.03, 0.1],
    "deepclassifier__solver__learning_rate__factor": [0.5, 0.8],
}
search = GridSearchCV(make_pipeline(StandardScaler(), network), grid, scoring=SCORER)
with lockstep():
    search.fit(X_train, y_train)

# %%
# The tries
# ---------

by_schedule = {}
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    start = params["deepclassifier__solver__learning_rate_init"]
    factor = params["deepclassifier__solver__learning_rate__factor"]
    by_schedule.setdefault((start, factor), []).append(score)
print(f"{'start':<8}{'factor':>8}{'worst try':>12}{'best try':>12}")
for (start, factor), scores in by_schedule.items():
    print(f"{start:<8}{factor:>8}{min(scores):>12.3f}{max(scores):>12.3f}")

line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
line_score = cross_val_score(line, X_train, y_train, scoring=SCORER).mean()
line_on_others = macro_f_measure(y_test, line.fit(X_train, y_train).predict(X_test))
score = macro_f_measure(y_test, search.predict(X_test))
n_networks = len(search.cv_results_["params"]) * search.n_splits_
print(f"\n{'networks trained':<28}{n_networks:>12}")
print(f"{'winner, in folds':<28}{search.best_score_:>12.3f}")
print(f"{'winner, on other rows':<28}{score:>12.3f}")
print(f"{'linear model, in folds':<28}{line_score:>12.3f}")
print(f"{'linear model, on other rows':<28}{line_on_others:>12.3f}")

# %%
# The seeds of one schedule differ by nearly as much as the schedules do. So the score of the
# winner in the folds is partly luck, and other rows have to confirm it: there, the linear model
# is as good.

figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
for place, scores in enumerate(by_schedule.values()):
    axes.plot(np.full(len(scores), place), scores, "o", color="tab:blue", alpha=0.6)
axes.axhline(line_score, linestyle="--", color="tab:gray", label="linear model")
names = [f"{start}, x {factor}" for start, factor in by_schedule]
axes.set_xticks(range(len(names)), names)
axes.set(xlabel="start and decrease of the rate", ylabel="macro F-measure in folds")
axes.grid(axis="y", alpha=0.3)
axes.legend()
plt.show()
