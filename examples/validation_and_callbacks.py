"""Your own validation set in a Pipeline, the score to monitor, and callbacks.

Each patient has eight rows that are very similar. A random tenth of the rows belongs to
patients who are also in the training set, so it flatters the network; rows of other patients
show its true accuracy. ``transform_input`` passes these rows through the scaler as well.
"""

import warnings

import numpy as np
import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier


class StopAt:
    """A callback that stops the fit when the training accuracy is high enough."""

    def __init__(self, accuracy):
        self.accuracy = accuracy

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        is_epoch = context.task_name == "epoch" and fitted_estimator is not None
        return is_epoch and fitted_estimator.score(X, y) >= self.accuracy


def patients():
    """Training, validation and test rows, of 200 patients each."""
    X, y = make_classification(
        n_samples=600, n_informative=6, n_redundant=0, flip_y=0.1, random_state=0
    )
    rng = np.random.RandomState(0)
    rows = np.repeat(np.arange(600), 8)
    X = X[rows] + rng.normal(scale=0.3, size=(len(rows), X.shape[1]))
    cuts = [1600, 3200]
    return list(zip(np.split(X, cuts), np.split(y[rows], cuts), strict=True))


def main():
    sklearn.set_config(enable_metadata_routing=True)
    warnings.simplefilter("ignore", ConvergenceWarning)  # from max_iter and max_time
    (X, y), (X_val, y_val), test = patients()

    def model(**params):
        network = DeepClassifier((50,), learning_rate_init=0.01, random_state=0, **params)
        network.set_fit_request(X_val=True, y_val=True)
        return make_pipeline(StandardScaler(), network, transform_input=["X_val"])

    print(f"{'validation':<26} {'epochs':>6} {'best':>5} {'score':>7} {'test':>6}")
    own = {"X_val": X_val, "y_val": y_val}
    for name, params, validation in (
        ("a tenth of the rows", {"early_stopping": True}, {}),
        ("other patients", {"early_stopping": True}, own),
        (
            "by neg_log_loss",
            {"early_stopping": True, "validation_scoring": "neg_log_loss"},
            own,
        ),
        ("without stopping", {"max_iter": 100}, own),
        ("without restore_best", {"max_iter": 100, "restore_best": False}, own),
        ("max_time=0.05", {"max_time": 0.05, "tol": 0}, own),
    ):
        fitted = model(**params).fit(X, y, **validation)
        network = fitted[-1]
        print(
            f"{name:<26} {network.n_iter_:>6} {network.best_iter_:>5} "
            f"{network.best_validation_score_:>7.3f} {fitted.score(*test):>6.3f}"
        )
        if name == "without stopping":
            curve = network.validation_loss_curve_

    lowest = int(np.argmin(curve))
    print(
        f"\nvalidation loss: {curve[0]:.3f} in epoch 1, {curve[lowest]:.3f} in epoch "
        f"{lowest + 1}, {curve[-1]:.3f} in epoch {len(curve)}"
    )

    monitor = ScoringMonitor(scoring="balanced_accuracy")
    network = DeepClassifier((50,), learning_rate_init=0.01, random_state=0)
    network.set_callbacks(monitor, StopAt(0.95)).fit(X, y)
    log = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    print(f"\n{'callback':<26} {'epochs':>6} {'last balanced accuracy':>23}")
    print(f"{'StopAt(0.95)':<26} {len(log):>6} {log[-1]['balanced_accuracy']:>23.3f}")


if __name__ == "__main__":
    main()
