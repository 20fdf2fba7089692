"""
Quickstart: a classifier and a regressor
========================================

How good are the two estimators on data that come with scikit-learn, and next to what? Digits
are 1,797 images of 8 x 8 pixels in ten classes; diabetes is 442 patients, with one number to
predict. Each network is the last step of a pipeline, is cross-validated, and stands next to a
linear model and scikit-learn's own network.
"""

import importlib.util
import time
import warnings

from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor

warnings.simplefilter("ignore", ConvergenceWarning)  # of the two that it is compared with


def report(data, estimator, metric, X, y, cv):
    """Print the scores in five folds, and the time they took."""
    start = time.perf_counter()
    scores = cross_val_score(make_pipeline(StandardScaler(), estimator), X, y, cv=cv)
    seconds = time.perf_counter() - start
    print(
        f"{data:<9} {type(estimator).__name__:<19} {metric:<9} "
        f"{scores.mean():>6.3f} {scores.std():>6.3f} {seconds:>8.1f}"
    )


# %%
# Classes
# -------
#
# The images are ordered by writer: shuffling puts all writers into every fold. With
# ``dtype="float32"``, the network trains in single precision.

X, y = load_digits(return_X_y=True)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
network = DeepClassifier((100,), learning_rate_init=0.01, dtype="float32", random_state=0)
peer = MLPClassifier((100,), learning_rate_init=0.01, random_state=0)

print(f"{'data':<9} {'estimator':<19} {'score':<9} {'mean':>6} {'std':>6} {'seconds':>8}")
for estimator in (network, peer, LogisticRegression(max_iter=200)):
    report("digits", estimator, "accuracy", X, y, folds)

# %%
# Numbers
# -------
#
# With few rows, a large penalty and all rows at once (``solver="lbfgs"``) work best. The
# penalty is divided by the number of rows, and squared errors are in the thousands here, so
# that ``alpha=2000`` is moderate.

X_diabetes, y_diabetes = load_diabetes(return_X_y=True)
settings = {
    "hidden_layer_sizes": (50,),
    "solver": "lbfgs",
    "alpha": 2000,
    "max_iter": 1000,
    "random_state": 0,
}
for estimator in (DeepRegressor(**settings), MLPRegressor(**settings), Ridge()):
    report("diabetes", estimator, "R2", X_diabetes, y_diabetes, 5)

# %%
# The network and scikit-learn's get about the same, as they should: they compute the same. On
# the images, both are better than a linear model; on a few hundred patients there is nothing
# that a line would miss.
#
# What it gets wrong
# ------------------
#
# These are digits that the network misread while their fold was held out, with what it took
# them for. Without matplotlib, there is no picture.

predicted = cross_val_predict(make_pipeline(StandardScaler(), network), X, y, cv=folds)
wrong = (predicted != y).nonzero()[0][:12]
print(f"misread: {(predicted != y).sum()} of {len(y)}")

if importlib.util.find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(2, 6, figsize=(8, 3.2), layout="constrained")
    for axes, row in zip(grid.flat, wrong, strict=True):
        axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
        axes.set_title(f"{y[row]} read as {predicted[row]}", fontsize=10)
        axes.axis("off")
    plt.show()
