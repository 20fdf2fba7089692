"""
Prediction intervals that keep their promise
============================================

How wide must an interval be to contain nine values out of ten, at every time of the day? How
much power a house needs depends on the hour, and so does how much that varies. One
:class:`~skdeep.TabularRegressor` predicts the quantiles 0.05, 0.5 and 0.95. The baseline is a
band of the same width everywhere, from the errors of a plain regressor.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdeep import TabularRegressor

QUANTILES = [0.05, 0.5, 0.95]
PARTS = ("0-6 h", "6-12 h", "12-18 h", "18-24 h")


def houses(n_rows, seed):
    """Hour and power of houses."""
    rng = np.random.default_rng(seed)
    hour = rng.uniform(0, 24, n_rows)
    mean = 20 - 10 * np.cos(2 * np.pi * hour / 24) + 8 * np.exp(-(((hour - 18) / 1.5) ** 2))
    deviation = 1 + 2 * (1 + np.sin(2 * np.pi * (hour - 10) / 24))
    return hour, mean + deviation * rng.normal(size=n_rows)


hour, y = houses(1000, seed=0)
X = hour[:, None]

# %%
# Three quantiles in one fit
# --------------------------

model = TabularRegressor(loss="quantile", quantile=QUANTILES, random_state=0).fit(X, y)
plain = TabularRegressor(random_state=0).fit(X, y)

# %%
# Are nine rows out of ten inside?
# --------------------------------
#
# The out-of-fold predictions say so without setting rows aside: each is by networks that have
# not seen the row.


def coverage(hour, y, low, high):
    """Share of rows between two bounds: of all, and of each part of the day."""
    inside = (low <= y) & (y <= high)
    part = (hour // 6).astype(int)
    return [inside.mean(), *(inside[part == k].mean() for k in range(len(PARTS)))]


low, high = np.quantile(y - plain.oof_prediction_, [QUANTILES[0], QUANTILES[-1]])
band = coverage(hour, y, plain.oof_prediction_ + low, plain.oof_prediction_ + high)
quantiles = coverage(hour, y, model.oof_prediction_[:, 0], model.oof_prediction_[:, -1])
new_hour, new_y = houses(3000, seed=1)
low, median, high = model.predict(new_hour[:, None]).T
new = coverage(new_hour, new_y, low, high)

print(f"{'share inside':<20}" + "".join(f"{part:>9}" for part in ("all", *PARTS)))
for name, shares in (("band of one width", band), ("quantiles", quantiles), ("new rows", new)):
    print(f"{name:<20}" + "".join(f"{share:>9.3f}" for share in shares))
print(f"\nquantiles that cross: {np.sum((low > median) | (median > high))}")

# %%
# The band contains nine rows out of ten too, but too many at night and too few in the
# afternoon. The quantiles are near their aim all day, and new rows confirm what the folds
# say.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.8), width_ratios=(3, 2), layout="constrained"
)
grid = np.linspace(0, 24, 300)
low, median, high = model.predict(grid[:, None]).T
left.plot(hour, y, ".", color="gray", markersize=3, alpha=0.6)
left.fill_between(grid, low, high, color="tab:blue", alpha=0.25, label="5 to 95 %")
left.plot(grid, median, color="tab:blue", label="median")
left.set(
    title="Quantiles 0.05, 0.5 and 0.95",
    xlabel="hour",
    ylabel="power",
    xlim=(0, 24),
    xticks=range(0, 25, 6),
)
left.legend(loc="upper left")
right.axhline(0.9, color="black", linewidth=1, linestyle="--")
for name, shares, marker, color in (
    ("band of one width", band, "s", "gray"),
    ("quantiles", quantiles, "o", "tab:blue"),
):
    right.plot(range(4), shares[1:], marker, color=color, markersize=9, label=name)
right.set_xticks(range(4), PARTS)
right.set(
    title="Rows inside, out of fold",
    ylabel="share (aim: 0.9)",
    xlim=(-0.5, 3.5),
    ylim=(0.62, 1.02),
)
right.grid(axis="y", alpha=0.3)
right.legend(loc="lower left")
plt.show()
