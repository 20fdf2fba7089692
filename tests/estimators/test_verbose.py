"""Law: the table that ``verbose`` prints holds what the fitted attributes hold.

Numbers are the heading's: epoch, seconds since the start, loss, and the validation score
where there is one.
"""

import re
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdeep import DeepClassifier, DeepRegressor

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 4))
NUMBERS = X[:, 0] * X[:, 1]
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(int)
PARAMS = {"hidden_layer_sizes": (6,), "max_iter": 7, "random_state": 0, "verbose": True}

KINDS = pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
STOCHASTIC = pytest.mark.parametrize("solver", ["adam", "sgd"])


def target(kind):
    return CLASSES if kind is DeepClassifier else NUMBERS


def tables(printed):
    """Each table as its heading and a dict of columns, and the lines that are no table."""
    found, rest = [], []
    for line in printed.splitlines():
        cells = line.split()
        if cells[:1] in (["Epoch"], ["Iteration"]):
            found.append((line, {name: [] for name in cells}))
        elif found and re.fullmatch(r"\s*\d+\s+[\d.]+s(\s+-?[\d.einfa]+)+", line):
            columns = found[-1][1]
            assert len(cells) == len(columns), line
            for name, cell in zip(columns, cells, strict=True):
                columns[name].append(float(cell.rstrip("s")))
        else:
            rest.append(line)
    return found, rest


@pytest.mark.parametrize("early_stopping", [False, True])
@STOCHASTIC
@KINDS
def test_rows_are_the_epochs(kind, solver, early_stopping, capsys):
    model = kind(**PARAMS, solver=solver, early_stopping=early_stopping)
    start = time.perf_counter()
    model.fit(X, target(kind))
    seconds = time.perf_counter() - start
    [(_, table)], rest = tables(capsys.readouterr().out)
    names = ["Epoch", "Time", "Loss"] + ["Score"] * early_stopping
    assert list(table) == names
    assert table["Epoch"] == list(range(1, model.n_iter_ + 1))
    assert_allclose(table["Loss"], model.loss_curve_, atol=1e-8)
    if early_stopping:
        assert_allclose(table["Score"], model.validation_scores_, atol=1e-6)
    assert table["Time"] == sorted(table["Time"])
    assert 0 <= table["Time"][0] <= table["Time"][-1] <= seconds + 0.01
    assert rest == ["Ended after 7 epochs: max_iter."]


@KINDS
def test_rows_of_lbfgs_are_the_iterations(kind, capsys):
    model = kind(**PARAMS, solver="lbfgs").fit(X, target(kind))
    [(_, table)], rest = tables(capsys.readouterr().out)
    assert list(table) == ["Iteration", "Time", "Loss"]
    assert table["Iteration"] == list(range(1, model.n_iter_ + 1))
    assert_allclose(table["Loss"], model.loss_curve_, atol=1e-8)
    assert len(rest) == 1
    assert rest[0].startswith("Ended after 7 iterations: ")


@STOCHASTIC
@KINDS
def test_rows_have_the_score_of_given_validation_rows(kind, solver, capsys):
    y = target(kind)
    model = kind(**PARAMS, solver=solver, validation_scoring="loss")
    model.fit(X, y, X_val=X[:20], y_val=y[:20])
    model.set_params(max_iter=1).partial_fit(X, y, X_val=X[:20], y_val=y[:20])
    (_, table), (_, last) = tables(capsys.readouterr().out)[0]
    assert_allclose(table["Score"] + last["Score"], model.validation_scores_, atol=1e-6)
    assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_))
    assert len(model.validation_scores_) == 8


@STOCHASTIC
@KINDS
def test_partial_fit_prints_its_one_epoch(kind, solver, capsys):
    model = kind(**PARAMS, solver=solver)
    declared = {"classes": [0, 1]} if kind is DeepClassifier else {}
    for _ in range(3):
        model.partial_fit(X, target(kind), **declared)
    found, rest = tables(capsys.readouterr().out)
    losses = [loss for _, table in found for loss in table["Loss"]]
    assert_allclose(losses, model.loss_curve_, atol=1e-8)
    assert rest == []


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@KINDS
def test_warm_start_counts_epochs_anew(kind, solver, capsys):
    model = kind(**PARAMS, solver=solver, warm_start=True)
    for _ in range(2):
        model.fit(X, target(kind))
        assert len(model.loss_curve_) >= model.n_iter_
    found, _ = tables(capsys.readouterr().out)
    assert [next(iter(table.values())) for _, table in found] == 2 * [list(range(1, 8))]
    assert_allclose(
        [loss for _, table in found for loss in table["Loss"]], model.loss_curve_, atol=1e-8
    )


@pytest.mark.parametrize("scale", [1, 100, 1e4])
def test_columns_stand_under_their_heading(scale, capsys):
    DeepRegressor(**PARAMS, early_stopping=True).fit(X, NUMBERS * scale)
    printed = capsys.readouterr().out.splitlines()
    ends = [[match.end() for match in re.finditer(r"\S+", line)] for line in printed[:-1]]
    assert all(row == ends[0] for row in ends), printed


@pytest.mark.parametrize(
    ("params", "end"),
    [
        (
            {"tol": 10.0, "n_iter_no_change": 2, "max_iter": 50},
            "Ended after 4 epochs: converged.",
        ),
        (
            {"max_time": 1e-9, "max_iter": 50},
            "Ended after 1 epochs: max_time.",
        ),
        ({"max_iter": 1}, "Ended after 1 epochs: max_iter."),
    ],
)
def test_last_line_says_why_training_ended(params, end, capsys):
    model = DeepRegressor(**PARAMS | params).fit(X, NUMBERS)
    _, rest = tables(capsys.readouterr().out)
    assert rest == [end]
    assert f" {model.n_iter_} " in end


@KINDS
def test_verbose_changes_no_number(kind, capsys):
    loud = kind(**PARAMS).fit(X, target(kind))
    quiet = kind(**PARAMS | {"verbose": False}).fit(X, target(kind))
    assert loud.loss_curve_ == quiet.loss_curve_
    assert len(capsys.readouterr().out.splitlines()) == 1 + 7 + 1


@pytest.mark.parametrize("verbose", [2, 10])
def test_verbose_may_be_a_number(verbose, capsys):
    DeepRegressor(**PARAMS | {"verbose": verbose}).fit(X, NUMBERS)
    [(_, table)], _ = tables(capsys.readouterr().out)
    assert len(table["Epoch"]) == 7
