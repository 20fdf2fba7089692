"""
What keeps a network from memorizing
====================================

A wide network learns 300 rows by heart: what prevents that, and what does it gain on other
rows? Dropout, a bound on the weights and the penalties (L2, or L1, which drives weights to
nearly 0) restrict the network. Batch and layer norm make training faster and more robust;
their effect on the test score is a side effect. The baselines are the network without any of
them, and a linear model.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdeep import DeepClassifier

# The number of epochs is fixed: the comparison is about where they lead.
warnings.simplefilter("ignore", ConvergenceWarning)
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

# %%
# Ten networks
# ------------
#
# The last column is the share of weights of the first layer that are nearly 0.

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
accuracy = {}
print(f"{'variant':<26} {'train':>6} {'test':>6} {'log-loss':>9} {'weights near 0':>15}")
for name, params in VARIANTS.items():
    model = DeepClassifier(
        (100, 100), batch_size=50, max_iter=80, dtype="float32", random_state=0, **params
    ).fit(X_train, y_train)
    accuracy[name] = model.score(X_train, y_train), model.score(X_test, y_test)
    p = model.predict_proba(X_test)[np.arange(len(y_test)), y_test]
    sparse = np.mean(np.abs(model.coefs_[0]) < 1e-2)
    print(
        f"{name:<26} {accuracy[name][0]:>6.3f} {accuracy[name][1]:>6.3f} "
        f"{-np.log(p).mean():>9.3f} {sparse:>15.3f}"
    )
line = LogisticRegression().fit(X_train, y_train)
name = "linear model"
accuracy[name] = line.score(X_train, y_train), line.score(X_test, y_test)
print(f"{name:<26} {accuracy[name][0]:>6.3f} {accuracy[name][1]:>6.3f}")

# %%
# The left end of each line is the accuracy on new rows, the right end that on the training
# rows: the shorter the line, the less has been memorized. All networks beat the linear model,
# and penalties narrow the gap most.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for place, (train, test) in enumerate(accuracy.values()):
    axes.plot([test, train], [place, place], "-", color="lightgray", linewidth=3, zorder=1)
    axes.plot(train, place, "o", color="tab:gray", label="training rows" if not place else None)
    axes.plot(test, place, "o", color="tab:blue", label="new rows" if not place else None)
axes.set_yticks(range(len(accuracy)), list(accuracy))
axes.invert_yaxis()
axes.set(xlabel="accuracy")
axes.grid(axis="x", alpha=0.3)
axes.legend(loc="lower right")
plt.show()
