"""Categories of many levels: target means against a column for each level.

Prints the share of the variance left unexplained on 1,000 rows, the mean of three seeds.
"""

import math
from itertools import product

import numpy as np
import pandas as pd

from skdeep import TabularRegressor
from skdeep.tabular import categorical

SIZES = ((100, 300), (100, 800), (200, 800))
N_TEST = 1000
TARGET_MEANS = {"FEW_LEVELS": 40, "ROWS_PER_LEVEL": math.inf}
ONE_HOT = {"FEW_LEVELS": math.inf}


def simulated(n_levels, n_rows, with_slopes, seed):
    """A table and its target: an effect of each level, and a slope of each if asked for."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, n_levels, n_rows)
    effect, slope = rng.normal(size=(2, n_levels))
    x = rng.normal(size=(n_rows, 4))
    y = effect[level] + np.sin(2 * x[:, 0]) + x[:, 1] * (slope[level] if with_slopes else 1)
    frame = pd.DataFrame(x, columns=list("abcd"))
    frame["level"] = pd.Categorical([f"level {k}" for k in level])
    return frame, y + 0.5 * rng.normal(size=n_rows)


def unexplained(constants, n_rows, **table):
    """Share of the test rows' variance that is left, with other constants of the encoding."""
    frame, y = simulated(n_rows=n_rows + N_TEST, **table)
    kept = {name: getattr(categorical, name) for name in constants}
    try:
        for name, value in constants.items():
            setattr(categorical, name, value)
        model = TabularRegressor(random_state=0).fit(frame[:n_rows], y[:n_rows])
    finally:
        for name, value in kept.items():
            setattr(categorical, name, value)
    return 1 - model.score(frame[n_rows:], y[n_rows:])


def main():
    print("| levels, rows | slopes | target means | one-hot |\n|---|---|---|---|")
    for (n_levels, n_rows), with_slopes in product(SIZES, (False, True)):
        means, one_hot = (
            np.mean(
                [
                    unexplained(
                        constants, n_rows, n_levels=n_levels, with_slopes=with_slopes, seed=seed
                    )
                    for seed in range(3)
                ]
            )
            for constants in (TARGET_MEANS, ONE_HOT)
        )
        print(
            f"| {n_levels}, {n_rows} | {with_slopes} | {means:.3f} | {one_hot:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
