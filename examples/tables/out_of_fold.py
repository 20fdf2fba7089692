"""
Out-of-fold predictions: honest scores and stacks
=================================================

What can be known about new rows from the training rows alone? Every row was held out from a
member of the ensemble, and what that member predicts for it is in ``oof_prediction_`` after a
single fit. The score of these predictions says what to expect of new rows, where the score on
the training rows does not. And they are what a second model needs to learn how to combine
others.

The target has a smooth part, which networks learn, and steps, which trees learn; a linear model
is poor.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict

from skdeep import TabularRegressor


def table(n_rows, seed):
    """Rows of a smooth function with steps, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n_rows, 8))
    a, b, c, d, e, f, g, _ = X.T
    smooth = 2 * np.sin(3.6 * a) + 3 * b * c + 1.5 * d
    steps = ((e > 0.2) ^ (f > -0.3)) + 1.0 * ((g > 0.5) & (e < 0.6))
    return X, smooth + 3 * steps + rng.normal(size=n_rows)


# %%
# A stack without cross-validation of the networks
# ------------------------------------------------
#
# The second model is a line with positive coefficients, fitted to predictions of rows that
# the first models have not seen. For the networks, these come with the fit; trees and the
# linear model need ``cross_val_predict``.


def scores(seed):
    """R2 of the networks on three kinds of rows, and of each model on new rows."""
    X, y = table(500, seed)
    X_new, y_new = table(4000, seed + 1000)
    networks = TabularRegressor(random_state=seed).fit(X, y)
    trees = HistGradientBoostingRegressor(random_state=seed)
    others = [trees, LinearRegression()]
    held_out = [cross_val_predict(model, X, y, cv=8) for model in others]
    new = [networks.predict(X_new), *(model.fit(X, y).predict(X_new) for model in others)]
    stack = LinearRegression(positive=True)
    stack.fit(np.column_stack([networks.oof_prediction_, *held_out]), y)
    predictions = {
        "networks": new[0],
        "trees": new[1],
        "linear": new[2],
        "average": np.mean(new, axis=0),
        "stack": stack.predict(np.column_stack(new)),
    }
    of_models = {name: r2_score(y_new, each) for name, each in predictions.items()}
    on_kinds = (networks.score(X, y), networks.validation_score_, of_models["networks"])
    return on_kinds, of_models


# %%
# Three tables
# ------------

N_TABLES = 3
KINDS = ("training rows", "out of fold", "new rows")
found = [scores(seed) for seed in range(N_TABLES)]
on_kinds = np.array([each for each, _ in found])
of_models = {name: [each[name] for _, each in found] for name in found[0][1]}

columns = "".join(f"{'table ' + str(k):>9}" for k in range(N_TABLES))
print(f"{'R2 of the networks':<20}{columns}{'mean':>9}")
for name, row in zip(KINDS, on_kinds.T, strict=True):
    print(f"{name:<20}" + "".join(f"{value:>9.3f}" for value in (*row, row.mean())))
print(f"\n{'R2 on new rows':<20}{columns}{'mean':>9}")
for name, row in of_models.items():
    print(f"{name:<20}" + "".join(f"{value:>9.3f}" for value in (*row, np.mean(row))))

# %%
# The score out of fold is close to that of new rows, and rather below it: a row that was held
# out is predicted by one member, a new one by all. A plain average lets the linear model
# spoil the result; the stack gives each model its due.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(range(3), on_kinds.T, "o-", color="tab:blue", alpha=0.6)
left.set_xticks(range(3), KINDS)
left.set(title="Networks", ylabel="R² (a line for each table)", xlim=(-0.3, 2.3))
left.grid(axis="y", alpha=0.3)
colors = ("tab:blue", "tab:orange", "gray", "gray", "tab:green")
for place, (color, values) in enumerate(zip(colors, of_models.values(), strict=True)):
    right.plot(values, np.full(len(values), place), "o", color=color, alpha=0.4)
    right.plot(np.mean(values), place, "|", color=color, markersize=22, markeredgewidth=3)
right.set_yticks(range(len(of_models)), list(of_models))
right.set_ylim(len(of_models) - 0.5, -0.5)
right.set(title="All models on new rows", xlabel="R² (dot: table, bar: mean)")
right.grid(axis="x", alpha=0.3)
plt.show()
