"""
Which columns matter, and how
=============================

Permutation importance says which columns a model needs, partial dependence what it makes of
one. Both are scikit-learn's, and work on the columns of the data frame, not on what the
networks make of them. The data are 442 patients with diabetes, and how far the disease has
advanced a year later. The baseline is a column of random numbers: what matters less than this
one cannot be told from chance.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdeep import TableTransformer, TabularRegressor

NAMES = {
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "LDL",
    "s3": "HDL",
    "s4": "cholesterol / HDL",
    "s5": "log triglycerides",
    "s6": "blood sugar",
}
X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X.rename(columns=NAMES)
X["sex"] = X["sex"].map({1.0: "first", 2.0: "second"}).astype("category")
X["noise"] = np.random.default_rng(0).normal(size=len(X))
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# The model
# ---------
#
# On so few rows with so much noise, a linear model is hard to beat.

model = TabularRegressor(random_state=0).fit(X_train, y_train)
print("R2 on other patients")
for name, each in (
    ("mean of all", DummyRegressor()),
    ("linear model", make_pipeline(TableTransformer(), RidgeCV())),
    ("networks", model),
):
    score = (each if each is model else each.fit(X_train, y_train)).score(X_test, y_test)
    print(f"{name:<20} {score:>10.3f}")

# %%
# What happens if a column is shuffled?
# -------------------------------------
#
# Use rows that ``fit`` has not seen: on its own rows, a model also needs what it has memorized.

importance = permutation_importance(model, X_test, y_test, n_repeats=20, random_state=0)
print(f"{'column':<20} {'importance':>10} {'std':>7}")
for k in importance.importances_mean.argsort()[::-1]:
    mean, std = importance.importances_mean[k], importance.importances_std[k]
    print(f"{X.columns[k]:<20} {mean:>10.3f} {std:>7.3f}")

# %%
# Two columns stand out from the noise (orange): the body mass index and the triglycerides. The
# disease advances faster with both, in most patients (gray lines) and on average (blue).

SHOWN = ["body mass index", "log triglycerides"]
figure, axes = plt.subplot_mosaic(
    [["importance", SHOWN[0]], ["importance", SHOWN[1]]],
    figsize=(9, 5),
    width_ratios=(3, 2),
    layout="constrained",
)
order = importance.importances_mean.argsort()
box = axes["importance"].boxplot(
    importance.importances[order].T,
    orientation="horizontal",
    tick_labels=X.columns[order],
    patch_artist=True,
    medianprops={"color": "black"},
    flierprops={"markersize": 3},
)
for patch, name in zip(box["boxes"], X.columns[order], strict=True):
    patch.set_facecolor("tab:orange" if name == "noise" else "tab:blue")
    patch.set_alpha(0.7)
axes["importance"].axvline(0, color="black", linewidth=1)
axes["importance"].set(
    title="Permutation importance", xlabel="decrease of R² when the column is shuffled"
)
PartialDependenceDisplay.from_estimator(
    model,
    X_test,
    SHOWN,
    kind="both",
    subsample=60,
    random_state=0,
    ax=[axes[name] for name in SHOWN],
    ice_lines_kw={"color": "gray", "alpha": 0.25, "linewidth": 0.7, "label": None},
    pd_line_kw={"color": "tab:blue", "linewidth": 2.5, "linestyle": "-", "label": None},
)
axes[SHOWN[0]].set_title("Partial dependence")
for name in SHOWN:
    axes[name].set_ylabel("progression")
    if axes[name].get_legend():
        axes[name].get_legend().remove()
plt.show()
