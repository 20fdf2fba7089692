"""
1,500 networks in seconds
=========================

How good can a network of eight units get if 500 settings are tried, each in three folds? The
search is scikit-learn's own; :func:`~skdeep.lockstep` trains its networks as stacks. The
baseline is the same network with the defaults. A progress bar appears if the package rich is
installed (``pip install rich``) and the script runs in a terminal.
"""

import importlib.util
import sys
import time
import warnings

import matplotlib.pyplot as plt
from scipy.stats import loguniform, uniform
from sklearn.callback import ProgressBar
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep

warnings.simplefilter("ignore", ConvergenceWarning)
N_CANDIDATES = 500
X, y = load_wine(return_X_y=True)

# %%
# The search
# ----------
#
# The number of epochs is fixed: ``n_iter_no_change`` keeps networks from stopping early.

model = make_pipeline(
    StandardScaler(), DeepClassifier((8,), max_iter=50, n_iter_no_change=50, random_state=0)
)
space = {
    "deepclassifier__learning_rate_init": loguniform(1e-3, 1e-1),
    "deepclassifier__alpha": loguniform(1e-5, 10),
    "deepclassifier__beta_1": uniform(0.5, 0.49),
}
search = RandomizedSearchCV(model, space, n_iter=N_CANDIDATES, cv=3, random_state=0)
if importlib.util.find_spec("rich") and sys.stdout.isatty():
    search.set_callbacks(ProgressBar(max_propagation_depth=0))

# %%
# One line makes stacks of the 1,500 fits:

start = time.perf_counter()
with lockstep():
    search.fit(X, y)
seconds = time.perf_counter() - start

print(f"{'candidates':<16} {N_CANDIDATES:>7}")
print(f"{'seconds':<16} {seconds:>7.1f}")
print(f"{'defaults':<16} {cross_val_score(model, X, y, cv=3).mean():>7.3f}")
print(f"{'best accuracy':<16} {search.best_score_:>7.3f}")
for name, value in search.best_params_.items():
    print(f"{name.removeprefix('deepclassifier__'):<18} {value:.3g}")

# %%
# What matters is the learning rate: in 50 epochs, 0.001 is too slow for a network that starts
# from small weights. The penalty (color) hardly matters.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
tried = search.cv_results_
points = axes.scatter(
    tried["param_deepclassifier__learning_rate_init"].astype(float),
    tried["mean_test_score"],
    c=tried["param_deepclassifier__alpha"].astype(float),
    norm="log",
    s=14,
)
axes.set(xscale="log", xlabel="learning_rate_init", ylabel="accuracy in three folds")
axes.grid(alpha=0.3)
figure.colorbar(points, label="alpha")
plt.show()
