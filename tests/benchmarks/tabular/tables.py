"""The tables: of a folder, or those that come with scikit-learn; and their splits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

REGRESSION = "regression"
TARGET = "__target__"
TEST_SHARE = 0.2

BUNDLED = {
    "iris": ("multiclass", datasets.load_iris),
    "wine": ("multiclass", datasets.load_wine),
    "diabetes": (REGRESSION, datasets.load_diabetes),
    "breast cancer": ("binary", datasets.load_breast_cancer),
    "digits": ("multiclass", datasets.load_digits),
}


class Table(NamedTuple):
    """A table, read when it is asked for.

    Attributes
    ----------
    name : str
    task : {'binary', 'multiclass', 'regression'}
    n_rows : int
    read : callable
        Gives the data frame, with numbers and ``category`` columns, and the target: numbers,
        or the codes of the classes.
    """

    name: str
    task: str
    n_rows: int
    read: Callable[[], tuple[Any, np.ndarray]]


class Split(NamedTuple):
    """Rows to train and to test on."""

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray


def find_tables(folder: Path | None) -> list[Table]:
    """All tables, small ones first; those of scikit-learn without a folder.

    The folder has an ``index.csv`` with the columns name, task and rows, and for each name a
    ``NAME.parquet``, whose column ``__target__`` is to be predicted.
    """
    if folder is None:
        found = [_bundled(name, *BUNDLED[name]) for name in BUNDLED]
    else:
        index = pd.read_csv(folder / "index.csv")
        found = [
            _stored(folder / f"{one.name}.parquet", one.task, one.rows)
            for one in index[["name", "task", "rows"]].itertuples(index=False)
        ]
    return sorted(found, key=lambda table: table.n_rows)


def _bundled(name: str, task: str, load: Callable[..., Any]) -> Table:
    data = load(as_frame=True)
    return Table(name, task, len(data.data), lambda: (data.data, data.target.to_numpy()))


def _stored(path: Path, task: str, n_rows: int) -> Table:
    def read() -> tuple[Any, np.ndarray]:
        X = pd.read_parquet(path)
        y = X.pop(TARGET)
        for name in X.columns:
            if not pd.api.types.is_numeric_dtype(X[name]):
                X[name] = X[name].astype("category")
        if task == REGRESSION:
            return X, y.to_numpy(float)
        return X, y.astype("category").cat.codes.to_numpy(np.int64)

    return Table(path.stem, task, n_rows, read)


def split(X: Any, y: np.ndarray, task: str, seed: int, max_rows: int) -> Split:
    """Split number `seed`, of at most `max_rows` rows, with the classes in proportion."""

    def strata(labels: np.ndarray) -> np.ndarray | None:
        return None if task == REGRESSION else labels

    if len(X) > max_rows:
        X, _, y, _ = train_test_split(
            X, y, train_size=max_rows, random_state=seed, stratify=strata(y)
        )
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=TEST_SHARE, random_state=seed, stratify=strata(y)
    )
    return Split(X.reset_index(drop=True), y, X_test.reset_index(drop=True), y_test)
