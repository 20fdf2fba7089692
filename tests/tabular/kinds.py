"""A table of columns of every kind, as Python values, and the containers that hold it."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl

N = 240
RNG = np.random.default_rng(0)
START = dt.datetime(2021, 3, 5)


def holes(values, every):
    return [None if i % every == 2 else value for i, value in enumerate(values)]


INTS = RNG.integers(0, 9, N).tolist()
FLOATS = RNG.normal(size=N).tolist()
HOURS = RNG.integers(0, 30_000, N).tolist()
LEVELS = [f"level {i}" for i in RNG.permutation(N) % 70]
LETTERS = RNG.choice(list("abcdef"), N).tolist()

# Each kind with and without missing values, and with what is dropped.
COLUMNS = {
    "int": INTS,
    "int_holes": holes(INTS, 7),
    "float": FLOATS,
    "float_holes": holes(FLOATS, 5),
    "decimal": [Decimal(i) / 4 for i in INTS],
    "constant": [3] * N,
    "constant_holes": holes([3] * N, 9),
    "empty": [None] * N,
    "bool": (RNG.random(N) < 0.3).tolist(),
    "bool_holes": holes((RNG.random(N) < 0.3).tolist(), 6),
    "two": RNG.choice(["yes", "no"], N).tolist(),
    "letters": LETTERS,
    "letters_holes": holes(LETTERS, 8),
    "rare": ["once", "twice", *RNG.choice(["x", "y", "z"], N - 2).tolist()],
    "many": LEVELS,
    "many_holes": holes(LEVELS[::-1], 40),
    "identifier": [f"id {i}" for i in range(N)],
    "date": [(START + dt.timedelta(hours=h)).date() for h in HOURS],
    "time": [START + dt.timedelta(hours=h) for h in HOURS],
    "time_holes": holes([START + dt.timedelta(hours=h) for h in HOURS], 11),
    "duration": [dt.timedelta(hours=h) for h in HOURS],
    "duration_holes": holes([dt.timedelta(hours=h) for h in HOURS], 12),
}


def objects(columns=COLUMNS):
    table = np.empty((len(next(iter(columns.values()))), len(columns)), dtype=object)
    for j, values in enumerate(columns.values()):
        table[:, j] = values
    return table


def object_frame(columns=COLUMNS):
    return pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in columns.items()})


def nullable_frame(columns=COLUMNS):
    return pd.DataFrame(columns).convert_dtypes()


def arrow_frame(columns=COLUMNS):
    return pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow")


def category_frame(columns=COLUMNS):
    frame, text = pd.DataFrame(columns), ("two", "letters", "rare", "many", "identifier")
    return frame.astype({k: "category" for k in frame if k.startswith(text)})


def polars_categories(columns=COLUMNS):
    frame = pl.DataFrame(columns, strict=False)
    levels = sorted(set(LETTERS))
    return frame.with_columns(
        pl.col("two", "rare", "many").cast(pl.Categorical),
        pl.col("letters", "letters_holes").cast(pl.Enum(levels)),
    )


CONTAINERS = {
    "pandas": pd.DataFrame,
    "pandas objects": object_frame,
    "pandas nullable": nullable_frame,
    "pandas arrow": arrow_frame,
    "pandas categories": category_frame,
    "polars": lambda columns=COLUMNS: pl.DataFrame(columns, strict=False),
    "polars categories": polars_categories,
    "objects": objects,
    "lists": lambda columns=COLUMNS: objects(columns).tolist(),
    "tuples": lambda columns=COLUMNS: tuple(map(tuple, objects(columns).tolist())),
}
