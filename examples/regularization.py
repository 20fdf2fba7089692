"""A small problem that a wide network memorizes, and what prevents that.

Dropout, a bound on the weights and the penalties (L2, or L1, which drives weights to nearly 0)
restrict the network. Batch and layer norm make training faster and more robust; their effect
on the test score is a side effect.
"""

import warnings

import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdeep import DeepClassifier

VARIANTS = {
    "none": {},
    "dropout=0.5": {"dropout": 0.5},
    "dropout=[0.2, 0.5, 0.5]": {"dropout": [0.2, 0.5, 0.5]},
    "max_norm=0.5": {"max_norm": 0.5},
    "alpha=5": {"alpha": 5},
    "alpha=0.2, l1_ratio=1": {"alpha": 0.2, "l1_ratio": 1.0},
    'norm="batch"': {"norm": "batch"},
    'norm="batch", dropout=0.5': {"norm": "batch", "dropout": 0.5},
    'norm="layer"': {"norm": "layer"},
    "weight_averaging=0.99": {"weight_averaging": 0.99},
}


def main():
    X, y = make_classification(
        n_samples=1200,
        n_features=40,
        n_informative=5,
        n_redundant=0,
        n_clusters_per_class=3,
        flip_y=0.1,
        random_state=3,
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=300, random_state=0)
    print(f"{'variant':<24} {'train':>6} {'test':>6} {'log-loss':>9} {'weights near 0':>15}")
    for name, params in VARIANTS.items():
        model = DeepClassifier(
            (100, 100), batch_size=50, max_iter=80, dtype="float32", random_state=0, **params
        )
        with warnings.catch_warnings():
            # The number of epochs is fixed: the comparison is about where they lead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X_train, y_train)
        p = model.predict_proba(X_test)[np.arange(len(y_test)), y_test]
        sparse = np.mean(np.abs(model.coefs_[0]) < 1e-2)
        print(
            f"{name:<24} {model.score(X_train, y_train):>6.3f} "
            f"{model.score(X_test, y_test):>6.3f} {-np.log(p).mean():>9.3f} {sparse:>15.3f}"
        )


if __name__ == "__main__":
    main()
