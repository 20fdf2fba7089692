"""The benchmark's arithmetic, on results of which the summary is known in closed form."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from tests.benchmarks.tabular import cells as measured
from tests.benchmarks.tabular import summary
from tests.benchmarks.tabular.cells import Cell, append_cell, read_cells
from tests.benchmarks.tabular.models import DEFAULT, REFERENCE, Model
from tests.benchmarks.tabular.tables import Split


def cell(table, model, split, error, **figures):
    task = "binary" if "log_loss" in figures else "regression"
    return Cell(table, task, model, split, n_train=800, n_test=200, error=error, **figures)


# With 0.01 added, the other's errors are 1 and 4 times the reference's on the first table, 2
# times on the second, 16 times on the third: geometric means of 2, 2 and 16, and of all 4.
CELLS = [
    cell("a", REFERENCE, 0, 0.09, log_loss=0.19, fit_seconds=0.4, predict_seconds=0.1),
    cell("a", REFERENCE, 1, 0.01, log_loss=0.19, fit_seconds=0.4, predict_seconds=0.1),
    cell("b", REFERENCE, 0, 0.04, fit_seconds=0.4, predict_seconds=0.1),
    cell("c", REFERENCE, 0, 0.00, log_loss=0.09, fit_seconds=0.4, predict_seconds=0.1),
    cell("a", "other", 0, 0.09, log_loss=0.79, fit_seconds=1.6, predict_seconds=0.2),
    cell("a", "other", 1, 0.07, log_loss=0.04, fit_seconds=1.6, predict_seconds=0.2),
    cell("b", "other", 0, 0.09, fit_seconds=1.6, predict_seconds=0.2),
    # A split that the reference does not have counts for the time alone.
    cell("b", "other", 1, 0.50, fit_seconds=3.2, predict_seconds=0.2),
    cell("c", "other", 0, 0.15, log_loss=0.39, fit_seconds=1.6, predict_seconds=0.2),
    replace(cell("c", "other", 1, np.nan), failure="ValueError: no"),
]


def test_ratio_is_the_geometric_mean_over_splits_and_then_over_tables():
    error = summary.ratio(CELLS, "other", REFERENCE, "error")
    # Logarithms, in units of log 2: 1, 1, 4, with a standard deviation of sqrt(3).
    assert error == pytest.approx((4, 4 * math.log(2), 3))


def test_log_loss_counts_on_tables_with_classes():
    # Table a: 4 and 1 / 4, table c: 4, so that logarithms are 0 and log 4.
    loss = summary.ratio(CELLS, "other", REFERENCE, "log_loss")
    assert loss == pytest.approx((2, 2 * math.log(2), 2))


def test_figures_without_calibration_are_divided_by_calibrated_ones():
    cells = [
        cell("a", DEFAULT, 0, 0.1, log_loss=0.09, raw_log_loss=0.19),
        cell("a", "changed", 0, 0.1, log_loss=0.04, raw_log_loss=0.29),
    ]
    raw = [
        summary.ratio(cells, name, DEFAULT, "raw_log_loss", of_reference="log_loss")
        for name in (DEFAULT, "changed")
    ]
    assert [one.mean for one in raw] == pytest.approx([2, 3])
    assert all(math.isnan(one.standard_error) for one in raw)


def test_times_are_for_a_thousand_rows():
    assert summary.per_thousand(CELLS, REFERENCE) == pytest.approx(0.5)
    # Five cells, of which one took twice the time; the one that failed does not count.
    assert summary.per_thousand(CELLS, "other") == pytest.approx(2 * 6 / 5)
    assert summary.per_thousand(CELLS, "other", "predict_seconds", "n_test") == 1


def test_tables_of_markdown():
    text = summary.comparison(CELLS)
    assert f"| {REFERENCE} | 1.000 | 1.000 | 0.5 | 500 | 3 |" in text
    assert "| other | 4.000 ± 2.773 | 2.000 ± 1.386 | 2.4 | 1000 | 3 |" in text
    assert "| a | 1,000 | **0.0500** | 0.0800 |" in text
    assert "| c | 1,000 | **0.0000** | 0.1500 |" in text
    assert summary.failures(CELLS) == "- other failed on c, split 1: ValueError: no"


def test_cells_come_back_from_a_file_and_the_last_of_a_key_counts(tmp_path):
    path = tmp_path / "results.csv"
    assert read_cells(path) == []
    failed = replace(CELLS[0], error=np.nan, failure='ValueError: "a", b')
    for one in (failed, CELLS[1]):
        append_cell(path, one)
    assert [str(one) for one in read_cells(path)] == [str(failed), str(CELLS[1])]
    append_cell(path, CELLS[0])
    assert [str(one) for one in read_cells(path)] == [str(CELLS[0]), str(CELLS[1])]


def test_losses_are_scikit_learns():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=50)
    y = rng.integers(3, size=50)
    assert measured.log_loss(y, p) == pytest.approx(log_loss(y, p))
    mean = np.full(50, y.mean())
    assert measured.error_of_numbers(y.astype(float), mean) == pytest.approx(1)


def test_a_model_that_fails_is_written_down():
    X, y = pd.DataFrame({"x": [0.0, 1.0]}), np.array([0, 1])

    def make(task, seed, categories, numbers):
        raise ValueError(f"{categories} {numbers}\nno")

    blank = cell("a", "other", 0, np.nan)
    got = measured.measure(blank, Model(make), Split(X, y, X, y))
    assert got.failure == "ValueError: [] ['x'] no"
    assert math.isnan(got.error)
