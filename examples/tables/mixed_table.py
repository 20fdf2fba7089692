"""
A table as it comes
===================

Numbers, categories, text, dates, booleans and missing values: what does a model make of them
without any preparation? The table is simulated: rents of flats in a town, with one of 300
streets, a heating that is not always given, and the date of the advertisement. A
:class:`~skdeep.TabularRegressor` takes the data frame as it is. For scikit-learn's gradient
boosting, the text becomes categories or codes and the date numbers first. Both have their
defaults.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_percentage_error

from skdeep import TabularRegressor

FIRST_DAY = pd.Timestamp("2023-01-01")
HEATINGS = {"district": 0.0, "gas": 0.0, "oil": -0.08, "heat pump": 0.06}
SHARE_MISSING = {"area": 0.05, "built": 0.2, "district": 0.05, "heating": 0.1}

# %%
# The table
# ---------


def flats(n_rows, seed):
    """A table of flats with missing values, and their rents."""
    rng = np.random.default_rng(seed)
    area = 15 + rng.gamma(6, 12, n_rows)
    built = rng.integers(1900, 2024, n_rows)
    district = rng.integers(12, size=n_rows)
    street = rng.integers(300, size=n_rows)
    heating = rng.choice(list(HEATINGS), n_rows, p=[0.4, 0.35, 0.15, 0.1])
    balcony = rng.uniform(size=n_rows) < 0.6
    day = rng.integers(730, size=n_rows)

    rng = np.random.default_rng(0)  # the town is the same for every seed
    log_rent = 2.6 + 0.85 * np.log(area) + 0.15 * ((built - 1965) / 45) ** 2
    log_rent += rng.normal(scale=0.25, size=12)[district]
    log_rent += rng.normal(scale=0.1, size=300)[street]
    log_rent += np.array([HEATINGS[name] for name in heating]) + 0.06 * balcony
    log_rent += 0.1 * day / 730 + 0.04 * np.cos(2 * np.pi * (day - 200) / 365)
    rng = np.random.default_rng([seed, 1])
    rent = np.exp(log_rent + rng.normal(scale=0.1, size=n_rows))

    frame = pd.DataFrame(
        {
            "area": area.round(),
            "built": built.astype(float),
            "district": pd.Categorical.from_codes(district, [f"D{k}" for k in range(12)]),
            "street": [f"street {k}" for k in street],
            "heating": heating.astype(object),
            "balcony": balcony,
            "listed": FIRST_DAY + pd.to_timedelta(day, unit="D"),
        }
    )
    for name, share in SHARE_MISSING.items():
        frame.loc[rng.uniform(size=n_rows) < share, name] = None
    return frame, rent.round()


frame, rent = flats(5000, seed=1)
frame.head()

# %%
# The same table for trees
# ------------------------
#
# A street becomes a number, because categories of gradient boosting may have 255 levels at
# most.


def for_trees(frame):
    """The table as HistGradientBoostingRegressor takes it."""
    listed = frame["listed"]
    return frame.drop(columns="listed").assign(
        heating=frame["heating"].astype("category"),
        street=frame["street"].str.removeprefix("street ").astype(int),
        month=listed.dt.month,
        days=(listed - FIRST_DAY).dt.days,
    )


# %%
# Errors on 3,000 flats that no model has seen
# --------------------------------------------

SIZES = (500, 1000, 2000)
test = slice(2000, None)
models = {
    "median rent": (DummyRegressor(strategy="median"), frame),
    "HistGradientBoostingRegressor": (
        HistGradientBoostingRegressor(random_state=0),
        for_trees(frame),
    ),
    "TabularRegressor": (TabularRegressor(random_state=0), frame),
}
errors = {}
print("mean error on new flats, in percent of the rent\n")
print(f"{'training rows':<32}" + "".join(f"{size:>8,}" for size in SIZES))
for name, (model, X) in models.items():
    errors[name] = [
        100
        * mean_absolute_percentage_error(
            rent[test], model.fit(X[:n_rows], rent[:n_rows]).predict(X[test])
        )
        for n_rows in SIZES
    ]
    print(f"{name:<32}" + "".join(f"{error:>8.1f}" for error in errors[name]))

# %%
# The more rows, the larger the lead of the networks: rents follow curves for the most part,
# which trees have to approximate by steps. Where steps decide, trees are the better choice.

figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, color in (
    ("HistGradientBoostingRegressor", "tab:orange"),
    ("TabularRegressor", "tab:blue"),
):
    axes.plot(SIZES, errors[name], "o-", color=color, label=name)
axes.set_xscale("log")
axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
axes.minorticks_off()
axes.set(
    title="Rents of flats: mixed columns, missing values",
    xlabel="training rows",
    ylabel="mean error, % of the rent",
)
axes.grid(alpha=0.3)
axes.legend()
plt.show()
