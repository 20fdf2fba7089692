"""
Your own validation rows, and callbacks
=======================================

When should training stop? When rows that the network has not seen say so; but which rows?
Here, each patient has eight rows that are very similar. A random tenth of the rows belongs to
patients who are also in the training set, so it flatters the network; rows of other patients
show its true accuracy. The baseline is a linear model.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier

sklearn.set_config(enable_metadata_routing=True)
warnings.simplefilter("ignore", ConvergenceWarning)  # from max_iter and max_time

# %%
# Patients
# --------
#
# Two hundred for training, for validation and for the test.

X, y = make_classification(
    n_samples=600, n_informative=6, n_redundant=0, flip_y=0.1, random_state=0
)
rows = np.repeat(np.arange(600), 8)
X = X[rows] + np.random.RandomState(0).normal(scale=0.3, size=(len(rows), X.shape[1]))
X, X_val, X_test = np.split(X, [1600, 3200])
y, y_val, y_test = np.split(y[rows], [1600, 3200])

# %%
# In a pipeline
# -------------
#
# ``transform_input`` passes the validation rows through the scaler as well. This needs
# scikit-learn's metadata routing, which is enabled above.


def model(**params):
    network = DeepClassifier((50,), learning_rate_init=0.01, random_state=0, **params)
    network.set_fit_request(X_val=True, y_val=True)
    return make_pipeline(StandardScaler(), network, transform_input=["X_val"])


own = {"X_val": X_val, "y_val": y_val}
variants = {
    "a tenth of the rows": ({"early_stopping": True}, {}),
    "other patients": ({"early_stopping": True}, own),
    "by neg_log_loss": ({"early_stopping": True, "validation_scoring": "neg_log_loss"}, own),
    "without stopping": ({"max_iter": 100}, own),
    "without restore_best": ({"max_iter": 100, "restore_best": False}, own),
    "max_time=0.05": ({"max_time": 0.05, "tol": 0}, own),
}
networks = {}
print(f"{'validation':<26} {'epochs':>6} {'best':>5} {'score':>7} {'test':>6}")
for name, (params, validation) in variants.items():
    fitted = model(**params).fit(X, y, **validation)
    network = networks[name] = fitted[-1]
    print(
        f"{name:<26} {network.n_iter_:>6} {network.best_iter_:>5} "
        f"{network.best_validation_score_:>7.3f} {fitted.score(X_test, y_test):>6.3f}"
    )
line = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
print(
    f"{'linear model':<35} {line.score(X_val, y_val):>11.3f} {line.score(X_test, y_test):>6.3f}"
)

# %%
# The tenth of the rows promises far more than new patients keep; rows of other patients promise
# what they keep.

curve = networks["without stopping"].validation_loss_curve_
lowest = int(np.argmin(curve))
print(
    f"validation loss: {curve[0]:.3f} in epoch 1, {curve[lowest]:.3f} in epoch "
    f"{lowest + 1}, {curve[-1]:.3f} in epoch {len(curve)}"
)

figure, axes = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
axes.plot(networks["without stopping"].loss_curve_, label="training rows", color="tab:gray")
axes.plot(curve, label="other patients", color="tab:blue")
axes.axvline(lowest, linestyle="--", linewidth=1, color="black")
axes.annotate("the best epoch", (lowest + 1, 1.1))
axes.set(xlabel="epoch", ylabel="loss")
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %%
# On other patients, the loss rises soon after the start, while it keeps falling on the training
# rows. The best epoch's weights are the ones that are kept.
#
# Callbacks
# ---------
#
# A callback of scikit-learn's follows each epoch, or stops the fit by returning True.


class StopAt:
    """Stop the fit when the training accuracy is high enough."""

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


monitor = ScoringMonitor(scoring="balanced_accuracy")
network = DeepClassifier((50,), learning_rate_init=0.01, random_state=0)
network.set_callbacks(monitor, StopAt(0.95)).fit(X, y)
log = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
print(f"{'callback':<26} {'epochs':>6} {'last balanced accuracy':>23}")
print(f"{'StopAt(0.95)':<26} {len(log):>6} {log[-1]['balanced_accuracy']:>23.3f}")
