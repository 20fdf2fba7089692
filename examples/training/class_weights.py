"""
A rare class
============

One row in ten belongs to the rare class: what helps to find it, and what does that do to the
probabilities? Class weights move the decision towards the rare class. The focal loss
concentrates on rows that the network gets wrong, and label smoothing keeps it from being
certain. The baseline is the network without any of them, and a linear model with and without
weights. One row in ten has a random label, so no model should be certain.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier

# The number of epochs is fixed: the comparison is about the losses.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = make_classification(
    n_samples=3000, n_informative=6, weights=[0.95], flip_y=0.1, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"share of the rare class {y_test.mean():.3f}")

# %%
# Five networks and two lines
# ---------------------------
#
# ``mean p`` is the mean probability of the rare class, which should be its share; ``sure`` is
# the share of rows with a probability above 99 %, of which there should be none.


def network(**params):
    return DeepClassifier((50,), max_iter=150, dtype="float32", random_state=0, **params)


variants = {
    "unweighted": network(),
    "class_weight": network(class_weight="balanced"),
    "weight of 5": network(class_weight={1: 5}),
    "focal": network(loss="focal"),
    "label_smoothing": network(label_smoothing=0.1),
    "linear": LogisticRegression(),
    "linear, weighted": LogisticRegression(class_weight="balanced"),
}
probabilities = {}
print(f"{'variant':<16} {'recall':>7} {'mean p':>7} {'sure':>7} {'log-loss':>9}")
for name, estimator in variants.items():
    model = make_pipeline(StandardScaler(), estimator).fit(X_train, y_train)
    p = probabilities[name] = model.predict_proba(X_test)
    recall = recall_score(y_test, p.argmax(axis=1))
    sure = np.mean(p.max(axis=1) > 0.99)
    print(
        f"{name:<16} {recall:>7.3f} {p[:, 1].mean():>7.3f} {sure:>7.3f} "
        f"{log_loss(y_test, p):>9.3f}"
    )

# %%
# Weights find more of the rare class, for a price in log-loss. The focal loss and label
# smoothing move the decision little; label smoothing lowers the log-loss.

figure, axes = plt.subplots(figsize=(6, 4.2), layout="constrained")
for name, p in probabilities.items():
    recall = recall_score(y_test, p.argmax(axis=1))
    color = "tab:gray" if name.startswith("linear") else "tab:blue"
    axes.plot(recall, log_loss(y_test, p), "o", color=color)
    axes.annotate(
        name, (recall, log_loss(y_test, p)), xytext=(6, 4), textcoords="offset points"
    )
axes.set(
    xlabel="recall of the rare class", ylabel="log-loss", xlim=(0.1, 0.7), ylim=(0.25, 0.65)
)
axes.grid(alpha=0.3)
plt.show()

# %%
# What happens to the probabilities
# ---------------------------------
#
# Where the network with weights says 0.6, far fewer rows belong to the rare class. If
# probabilities matter, leave the weights out and move the threshold instead: see
# :doc:`/how_to/imbalanced`.

figure, axes = plt.subplots(figsize=(6, 4.2), layout="constrained")
for name in ("unweighted", "class_weight", "label_smoothing"):
    CalibrationDisplay.from_predictions(
        y_test, probabilities[name][:, 1], n_bins=6, name=name, ax=axes
    )
axes.set(title="Predicted and observed share of the rare class")
axes.grid(alpha=0.3)
plt.show()
