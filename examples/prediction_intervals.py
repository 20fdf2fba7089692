"""Prediction intervals from quantiles, and whether they keep their promise.

How much power a house needs depends on the hour, and so does how much that varies. One
`TabularRegressor` predicts the quantiles 0.05, 0.5 and 0.95: its intervals should contain 90 %
of all rows, at every time of the day. The out-of-fold predictions say if they do, without
setting rows aside. A band of the same width everywhere, from the errors of a plain regressor,
contains 90 % of all rows too, but too many at night and too few in the afternoon. The picture
needs matplotlib:

    python examples/prediction_intervals.py --plot prediction_intervals.png
"""

import argparse
from pathlib import Path

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


def coverage(hour, y, low, high):
    """Share of rows between two bounds: of all, and of each part of the day."""
    inside = (low <= y) & (y <= high)
    part = (hour // 6).astype(int)
    return [inside.mean(), *(inside[part == k].mean() for k in range(len(PARTS)))]


def fitted(hour, y):
    """The regressor of quantiles, and two kinds of bounds out of fold."""
    X = hour[:, None]
    plain = TabularRegressor(random_state=0).fit(X, y)
    low, high = np.quantile(y - plain.oof_prediction_, [QUANTILES[0], QUANTILES[-1]])
    model = TabularRegressor(loss="quantile", quantile=QUANTILES, random_state=0).fit(X, y)
    return model, {
        "band of one width": (plain.oof_prediction_ + low, plain.oof_prediction_ + high),
        "quantiles": (model.oof_prediction_[:, 0], model.oof_prediction_[:, -1]),
    }


def plot(path, hour, y, model, rows):
    import matplotlib.pyplot as plt

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
    places = np.arange(len(PARTS))
    right.axhline(0.9, color="black", linewidth=1, linestyle="--")
    for name, marker, color in (
        ("band of one width", "s", "gray"),
        ("quantiles", "o", "tab:blue"),
    ):
        right.plot(places, rows[name][1:], marker, color=color, markersize=9, label=name)
    right.set_xticks(places, PARTS)
    right.set(
        title="Rows inside, out of fold",
        ylabel="share (aim: 0.9)",
        xlim=(-0.5, 3.5),
        ylim=(0.62, 1.02),
    )
    right.grid(axis="y", alpha=0.3)
    right.legend(loc="lower left")
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path, help="where to save a picture (PNG, SVG, PDF)")
    options = parser.parse_args()
    hour, y = houses(1000, seed=0)
    model, bounds = fitted(hour, y)
    rows = {name: coverage(hour, y, *each) for name, each in bounds.items()}
    new_hour, new_y = houses(3000, seed=1)
    low, median, high = model.predict(new_hour[:, None]).T
    print(f"{'share inside':<20}" + "".join(f"{part:>9}" for part in ("all", *PARTS)))
    for name, shares in [*rows.items(), ("new rows", coverage(new_hour, new_y, low, high))]:
        print(f"{name:<20}" + "".join(f"{share:>9.3f}" for share in shares))
    print(f"\nquantiles that cross: {np.sum((low > median) | (median > high))}")
    if options.plot:
        plot(options.plot, hour, y, model, rows)


if __name__ == "__main__":
    main()
