"""A rare class, one row in ten: what helps to find it, and what that does to probabilities.

``class_weight`` moves the decision towards the rare class: the network finds more of it, but
its probabilities become too high. The focal loss concentrates on rows that the network gets
wrong, and label smoothing keeps it from being certain; both make probabilities less extreme.
One row in ten has a random label, so no network should be certain.
"""

import warnings

import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier

VARIANTS = {
    "unweighted": {},
    "class_weight": {"class_weight": "balanced"},
    "weight of 5": {"class_weight": {1: 5}},
    "focal": {"loss": "focal"},
    "label_smoothing": {"label_smoothing": 0.1},
}


def main():
    X, y = make_classification(
        n_samples=3000, n_informative=6, weights=[0.95], flip_y=0.1, random_state=0
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    print(f"share of the rare class {y_test.mean():.3f}\n")
    print(f"{'variant':<16} {'recall':>7} {'mean p':>7} {'sure':>7} {'log-loss':>9}")
    for name, params in VARIANTS.items():
        network = DeepClassifier((50,), max_iter=150, dtype="float32", random_state=0, **params)
        model = make_pipeline(StandardScaler(), network)
        with warnings.catch_warnings():
            # The number of epochs is fixed: the comparison is about the losses.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X_train, y_train)
        p = model.predict_proba(X_test)
        recall = recall_score(y_test, p.argmax(axis=1))
        # Share of rows with a probability above 99 %.
        sure = np.mean(p.max(axis=1) > 0.99)
        print(
            f"{name:<16} {recall:>7.3f} {p[:, 1].mean():>7.3f} {sure:>7.3f} "
            f"{log_loss(y_test, p):>9.3f}"
        )


if __name__ == "__main__":
    main()
