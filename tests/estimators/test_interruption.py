"""Laws: an interrupted fit keeps what was learnt, and a fit leaves the surroundings alone."""

import contextlib
import io
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_info, threadpool_limits

from skdeep._network import reader
from tests.estimators.twins import (
    HOLES,
    KINDS,
    SOLVERS,
    STOCHASTIC,
    TWINS,
    X,
    assert_same_weights,
    fit_target,
    fitted_attributes,
    pair,
)

# Interruption


class InterruptingOutput(io.StringIO):
    """Standard output that presses Ctrl-C when the row of a given epoch is printed."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def write(self, text):
        if re.match(rf"\s*{self.epoch}\s", text):
            self.epoch = None
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_interruption_between_epochs_keeps_what_was_learnt(kind, solver, early_stopping):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=early_stopping, max_iter=50)
    with (
        contextlib.redirect_stdout(InterruptingOutput(3)),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        ours.set_params(verbose=True).fit(X, y)
    alone = clone(ours).set_params(verbose=False, max_iter=3).fit(X, y)
    assert_same_weights(ours, alone, rtol=0, atol=0)
    for name in ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_"):
        assert getattr(ours, name) == getattr(alone, name), name
    for model in (ours, alone):
        model.set_params(verbose=False, early_stopping=False).partial_fit(X, y)
    assert_same_weights(ours, alone, rtol=0, atol=0)


class InterruptingTable(sp.csr_matrix):
    """A table that presses Ctrl-C when rows are taken from it for the n-th time."""

    countdown = 0

    def __getitem__(self, key):
        type(self).countdown -= 1
        if type(self).countdown == 0:
            raise KeyboardInterrupt
        return super().__getitem__(key)


@pytest.mark.parametrize("n_reads", [1, 4, 7, 10])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_interruption_within_an_epoch_equals_mlps(kind, solver, n_reads, monkeypatch):
    # Rows of a matrix of few zeros would be read for several batches at once.
    monkeypatch.setattr(reader, "DENSE_FROM", 2)
    y = fit_target(kind)
    ours, theirs = pair(kind, solver=solver)
    for model in (ours, theirs):
        InterruptingTable.countdown = n_reads
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(InterruptingTable(HOLES), y)
    assert InterruptingTable.countdown == 0
    assert_same_weights(ours, theirs)
    assert ours.n_iter_ == theirs.n_iter_ == (n_reads - 1) // 4
    assert_allclose(ours.loss_curve_, theirs.loss_curve_)
    InterruptingTable.countdown = 0
    for model in (ours, theirs):
        model.partial_fit(HOLES, y)
    assert_same_weights(ours, theirs)


@KINDS
def test_interruption_of_lbfgs_leaves_the_estimator_as_it_was(kind):
    y = fit_target(kind)
    ours, _ = pair(kind, solver="lbfgs", verbose=True)
    with contextlib.redirect_stdout(InterruptingOutput(2)), pytest.raises(KeyboardInterrupt):
        ours.fit(X, y)
    assert fitted_attributes(ours) == set()


# Manners


def surroundings():
    return {
        "floating-point errors": np.geterr(),
        "warning filters": list(warnings.filters),
        "random state": check_random_state(None).get_state()[1].tolist(),
        "threads": [pool["num_threads"] for pool in threadpool_info()],
        "print options": np.get_printoptions(),
    }


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("event", ["end", "divergence", "interruption"])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_global_state_is_left_alone(kind, solver, event):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, verbose=event == "interruption")
    table = X * 1e250 if event == "divergence" else X
    with np.errstate(over="ignore", under="warn", divide="ignore"), threadpool_limits(2):
        before = surroundings()
        assert 2 in before["threads"]
        with (
            contextlib.redirect_stdout(InterruptingOutput(2)),
            contextlib.suppress(ValueError, KeyboardInterrupt),
        ):
            ours.fit(table, y).predict(table)
        assert surroundings() == before


def test_fits_in_threads_equal_fits_in_turn_and_leave_the_threads_of_blas():
    models = [
        pair(kind, solver=solver, random_state=seed, max_iter=20)[0]
        for kind in TWINS
        for solver in SOLVERS
        for seed in range(4)
    ]

    def fit(model):
        return clone(model).fit(X, fit_target(type(model)))

    in_turn = [fit(model) for model in models]
    with threadpool_limits(2):
        before = surroundings()["threads"]
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(fit, models))
        assert surroundings()["threads"] == before
    for a, b in zip(together, in_turn, strict=True):
        assert_same_weights(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_nothing_is_printed_unless_asked(kind, solver, early_stopping, capfd):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=early_stopping)
    ours.fit(X, y).predict(X)
    if solver != "lbfgs":
        ours.set_params(early_stopping=False).partial_fit(X, y)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_fit_is_repeatable(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    assert_same_weights(clone(ours).fit(X, y), clone(ours).fit(X, y), rtol=0, atol=0)
    other = clone(ours).set_params(random_state=4).fit(X, y)
    assert not np.allclose(other.coefs_[0], clone(ours).fit(X, y).coefs_[0])
