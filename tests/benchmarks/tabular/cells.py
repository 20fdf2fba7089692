"""A cell: what one model reaches on one split of one table. Cells are kept in a CSV file."""

import copy
import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from skdeep import TabularClassifier
from skdeep.tabular import members
from tests.benchmarks.tabular.models import Model
from tests.benchmarks.tabular.tables import REGRESSION, Split

# The least probability that counts: one sure and wrong prediction says no more than that.
LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Cell:
    """A row of the results.

    Attributes
    ----------
    table, task, model : str
    split, n_train, n_test : int
    error : float
        Share of wrong labels, or RMSE in standard deviations; NaN if the model failed.
    log_loss : float
        NaN for numbers.
    raw_log_loss : float
        Of our classifier without calibration; else NaN.
    fit_seconds, predict_seconds : float
    failure : str
        Empty if all went well.
    """

    table: str
    task: str
    model: str
    split: int
    n_train: int
    n_test: int
    error: float = np.nan
    log_loss: float = np.nan
    raw_log_loss: float = np.nan
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    failure: str = ""

    @property
    def n_rows(self) -> int:
        return self.n_train + self.n_test

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.table, self.model, self.split, self.n_rows


def measure(cell: Cell, model: Model, rows: Split) -> Cell:
    """Fit the model with one thread and test it; a failure becomes part of the cell."""
    try:
        figures = _figures(cell, model, rows)
    except Exception as error:
        return replace(cell, failure=f"{type(error).__name__}: {' '.join(str(error).split())}")
    return replace(cell, **figures)


def _figures(cell: Cell, model: Model, rows: Split) -> dict[str, float]:
    categories = list(rows.X.select_dtypes("category"))
    numbers = [name for name in rows.X.columns if name not in categories]
    estimator = model.make(cell.task, cell.split, categories, numbers)
    with threadpool_limits(limits=1), _patched(model.patch):
        start = time.perf_counter()
        estimator.fit(rows.X, rows.y)
        fitted = time.perf_counter()
        regression = cell.task == REGRESSION
        predicted = (estimator.predict if regression else estimator.predict_proba)(rows.X_test)
        ended = time.perf_counter()
        times = {"fit_seconds": fitted - start, "predict_seconds": ended - fitted}
        if regression:
            return times | {"error": error_of_numbers(rows.y_test, predicted)}
        losses = {"log_loss": log_loss(rows.y_test, predicted)}
        if isinstance(estimator, TabularClassifier):
            raw = uncalibrated(estimator).predict_proba(rows.X_test)
            losses["raw_log_loss"] = log_loss(rows.y_test, raw)
    wrong = predicted.argmax(axis=1) != rows.y_test
    return times | losses | {"error": float(wrong.mean())}


@contextmanager
def _patched(names: Any) -> Iterator[None]:
    kept = {name: getattr(members, name) for name in names}
    try:
        for name, value in names.items():
            setattr(members, name, value)
        yield
    finally:
        for name, value in kept.items():
            setattr(members, name, value)


def uncalibrated(classifier: TabularClassifier) -> TabularClassifier:
    """The fitted classifier with the plain average of its members' probabilities."""
    plain = copy.copy(classifier)
    ensemble = classifier._ensemble
    stacks = [replace(stack, temperature=1.0) for stack in ensemble.stacks]
    plain._ensemble = replace(ensemble, stacks=stacks, temperature=1.0)
    return plain


def error_of_numbers(y: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean squared error in standard deviations of the target."""
    if predicted.shape != y.shape:
        raise ValueError(f"predictions of shape {predicted.shape} for {y.shape}")
    return float(np.sqrt(np.mean((predicted - y) ** 2)) / y.std())


def log_loss(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean log-loss of codes of classes."""
    p = np.clip(probabilities.astype(float), LEAST_PROBABILITY, 1)
    p /= p.sum(axis=1, keepdims=True)
    return -float(np.log(p[np.arange(len(y)), y]).mean())


def read_cells(path: Path) -> list[Cell]:
    """Cells of a file, the last one of each key; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        cells = [
            Cell(**{each.name: each.type(row[each.name]) for each in fields(Cell)})
            for row in csv.DictReader(file)
        ]
    return list({cell.key: cell for cell in cells}.values())


def append_cell(path: Path, cell: Cell) -> None:
    """Write a cell at the end of the file."""
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(each.name for each in fields(Cell))
        writer.writerow(
            f"{value:.6g}" if isinstance(value, float) else value for value in astuple(cell)
        )
