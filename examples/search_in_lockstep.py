"""500 candidates in three folds: a search over 1,500 networks in seconds, with a progress bar.

The search is scikit-learn's own; ``lockstep`` trains its networks as stacks. The progress bar
needs the package rich (``pip install rich``) and is omitted if rich is not installed.
"""

import importlib.util
import time
import warnings

from scipy.stats import loguniform, uniform
from sklearn.callback import ProgressBar
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep

N_CANDIDATES = 500


def make_search():
    # The number of epochs is fixed: n_iter_no_change keeps networks from stopping early.
    model = make_pipeline(
        StandardScaler(), DeepClassifier((8,), max_iter=50, n_iter_no_change=50, random_state=0)
    )
    space = {
        "deepclassifier__learning_rate_init": loguniform(1e-3, 1e-1),
        "deepclassifier__alpha": loguniform(1e-5, 10),
        "deepclassifier__beta_1": uniform(0.5, 0.49),
    }
    search = RandomizedSearchCV(model, space, n_iter=N_CANDIDATES, cv=3, random_state=0)
    if importlib.util.find_spec("rich"):
        search.set_callbacks(ProgressBar(max_propagation_depth=0))
    return search


def main():
    X, y = load_wine(return_X_y=True)
    search = make_search()
    start = time.perf_counter()
    with warnings.catch_warnings(), lockstep():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X, y)
    print(f"{'candidates':<16} {N_CANDIDATES:>7}")
    print(f"{'seconds':<16} {time.perf_counter() - start:>7.1f}")
    print(f"{'best accuracy':<16} {search.best_score_:>7.3f}")
    for name, value in search.best_params_.items():
        print(f"{name.removeprefix('deepclassifier__'):<18} {value:.3g}")


if __name__ == "__main__":
    main()
