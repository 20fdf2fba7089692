"""Which columns matter, and how: permutation importance and partial dependence.

Both are scikit-learn's, and work on the columns of the data frame, not on what the networks
make of them. The data are 442 patients with diabetes, and how far the disease has advanced a
year later. A column of random numbers is added as a yardstick: what matters less than this one
cannot be told from chance. The picture needs matplotlib:

    python examples/which_columns.py --plot which_columns.png
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.model_selection import train_test_split

from skdeep import TabularRegressor

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
SHOWN = ["body mass index", "log triglycerides"]


def patients():
    """The data frame, with a category and a column of noise."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X = X.rename(columns=NAMES)
    X["sex"] = X["sex"].map({1.0: "first", 2.0: "second"}).astype("category")
    X["noise"] = np.random.default_rng(0).normal(size=len(X))
    return X, y


def plot(path, model, X, importance):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic(
        [["importance", SHOWN[0]], ["importance", SHOWN[1]]],
        figsize=(9, 5),
        width_ratios=(3, 2),
        layout="constrained",
    )
    order = importance.importances_mean.argsort()
    names = X.columns[order]
    box = axes["importance"].boxplot(
        importance.importances[order].T,
        orientation="horizontal",
        tick_labels=names,
        patch_artist=True,
        medianprops={"color": "black"},
        flierprops={"markersize": 3},
    )
    for patch, name in zip(box["boxes"], names, strict=True):
        patch.set_facecolor("tab:orange" if name == "noise" else "tab:blue")
        patch.set_alpha(0.7)
    axes["importance"].axvline(0, color="black", linewidth=1)
    axes["importance"].set(
        title="Permutation importance", xlabel="decrease of R² when the column is shuffled"
    )
    PartialDependenceDisplay.from_estimator(
        model,
        X,
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
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path, help="where to save a picture (PNG, SVG, PDF)")
    options = parser.parse_args()
    X, y = patients()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = TabularRegressor(random_state=0).fit(X_train, y_train)
    importance = permutation_importance(model, X_test, y_test, n_repeats=20, random_state=0)
    print(f"R2 on other patients: {model.score(X_test, y_test):.3f}\n")
    print(f"{'column':<20} {'importance':>10} {'std':>7}")
    for k in importance.importances_mean.argsort()[::-1]:
        mean, std = importance.importances_mean[k], importance.importances_std[k]
        print(f"{X.columns[k]:<20} {mean:>10.3f} {std:>7.3f}")
    if options.plot:
        plot(options.plot, model, X_test, importance)


if __name__ == "__main__":
    main()
