"""Laws: fitted attributes are MLP's, and weights that users write are what predicts."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skdeep import DeepRegressor
from tests.estimators.twins import (
    KINDS,
    NAMED,
    PARAMS,
    SOLVERS,
    STOCHASTIC,
    TASKS,
    X,
    assert_same_predictions,
    assert_same_weights,
    fit_target,
    fitted_attributes,
    pair,
)

# Fitted attributes

NEW_ATTRIBUTES = {"norms_", "validation_loss_curve_", "best_iter_"}


# Ours also after L-BFGS; scikit-learn's MLP has them after stochastic solvers only.
EXTRA = {
    "adam": set(),
    "sgd": set(),
    "lbfgs": {"loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"},
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", ["binary-int", "classes", "labels", "numbers", "two-columns"])
def test_fitted_attributes_are_those_of_mlp(task, solver, early_stopping):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver, early_stopping=early_stopping)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    ours.fit(frame, y)
    theirs.fit(frame, y)
    common = fitted_attributes(theirs)
    assert fitted_attributes(ours) - common == EXTRA[solver] | NEW_ATTRIBUTES
    assert common - fitted_attributes(ours) == set()
    assert_same_weights(ours, theirs, rtol=1e-6, atol=1e-8)
    for name in common - {"coefs_", "intercepts_"}:
        a, b = getattr(ours, name), getattr(theirs, name)
        if isinstance(b, float | list):
            assert type(a) is type(b) or isinstance(a, float), name
            assert_allclose(a, b, rtol=1e-7, err_msg=name)
        else:
            assert_array_equal(a, b, err_msg=name)
    assert ours.norms_ == []
    if early_stopping and solver != "lbfgs":
        assert len(ours.validation_loss_curve_) == len(ours.validation_scores_)
        assert ours.validation_scores_[ours.best_iter_ - 1] == ours.best_validation_score_
        assert ours.best_iter_ == 1 + np.argmax(ours.validation_scores_)
    else:
        assert ours.validation_loss_curve_ is ours.best_iter_ is None


@KINDS
def test_docstring_tells_of_each_fitted_attribute(kind):
    ours = pair(kind)[0].fit(pd.DataFrame(X, columns=list("abcdef")), fit_target(kind))
    section = kind.__doc__.split("    Attributes\n")[1].split("    See Also\n")[0]
    documented = re.findall(r"^    (\w+_) : ", section, re.MULTILINE)
    assert sorted(documented) == sorted(fitted_attributes(ours))


@KINDS
def test_figures_of_lbfgs(kind):
    ours = pair(kind, solver="lbfgs")[0].fit(X, fit_target(kind))
    assert len(ours.loss_curve_) == ours.n_iter_ == 2
    assert ours.loss_curve_[-1] == ours.loss_ == ours.best_loss_
    assert (np.diff(ours.loss_curve_) < 0).all()
    assert ours.validation_scores_ is ours.validation_loss_curve_ is ours.best_iter_ is None
    assert ours.best_validation_score_ is None
    assert ours.t_ == 0


# Weights written by the user


def write_element(model):
    model.coefs_[0][1, 2] = 3.0
    model.intercepts_[-1][0] = -2.0


def write_slice(model):
    model.coefs_[1][:, 0] = 0
    model.intercepts_[0][:] = 1.5


def write_in_place(model):
    model.coefs_[1] *= 0.5
    model.intercepts_[1] += 1


def write_item(model):
    model.coefs_[1] = np.linspace(-1, 1, 35).reshape(7, 5)
    model.intercepts_[0] = np.linspace(0, 1, 7)


def write_fortran(model):
    model.coefs_[1] = np.asfortranarray(np.linspace(-1, 1, 35).reshape(7, 5))


def write_integers(model):
    model.coefs_[0] = np.arange(42).reshape(6, 7) % 3 - 1


def write_float32(model):
    model.coefs_ = [coef.astype(np.float32) / 2 for coef in model.coefs_]
    model.intercepts_ = [bias.astype(np.float32) for bias in model.intercepts_]


def write_lists(model):
    rng = np.random.RandomState(1)
    model.coefs_ = [rng.normal(size=coef.shape) for coef in model.coefs_]
    model.intercepts_ = [rng.normal(size=bias.shape) for bias in model.intercepts_]


WRITES = [
    write_element,
    write_slice,
    write_in_place,
    write_item,
    write_fortran,
    write_integers,
    write_float32,
    write_lists,
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_written_weights_predict_and_are_trained_on(kind, solver, write):
    y = fit_target(kind)
    ours, theirs = (model.fit(X, y) for model in pair(kind, solver=solver))
    before = ours.predict(X)
    for model in (ours, theirs):
        write(model)
    single = write is write_float32
    assert_same_predictions(ours, theirs, X, rtol=1e-4 if single else 1e-8)
    if kind is DeepRegressor:
        assert not np.allclose(ours.predict(X), before)
    if write is write_integers:
        return  # scikit-learn cannot train on them
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if single else {}
    for _ in range(2):
        for model in (ours, theirs):
            model.partial_fit(X, y)
        assert_same_weights(ours, theirs, **tolerance)


@KINDS
def test_written_weights_may_have_other_hidden_widths(kind):
    y = fit_target(kind)
    ours, theirs = (model.fit(X, y) for model in pair(kind))
    rng = np.random.RandomState(1)
    n_out = ours.n_outputs_
    coefs = [rng.normal(size=shape) for shape in ((6, 9), (9, 4), (4, n_out))]
    for model in (ours, theirs):
        model.coefs_ = [coef.copy() for coef in coefs]
        model.intercepts_ = [np.ones(coef.shape[1]) for coef in coefs]
    assert_same_predictions(ours, theirs, X)


@pytest.mark.parametrize("write", WRITES)
@KINDS
def test_warm_start_goes_on_from_written_weights(kind, write):
    # Without momentum and in a fixed order MLP, too, has nothing to go on with but weights.
    y = fit_target(kind)
    plain = {"solver": "sgd", "momentum": 0.0, "shuffle": False, "warm_start": True}
    ours, theirs = (model.fit(X, y) for model in pair(kind, **plain))
    single = write is write_float32
    if write is write_integers:
        return  # scikit-learn cannot train on them
    for model in (ours, theirs):
        write(model)
        model.fit(X, y)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if single else {}
    assert_same_weights(ours, theirs, **tolerance)


@pytest.mark.parametrize("solver", NAMED)
@KINDS
def test_each_solver_goes_on_from_written_weights(kind, solver):
    y = fit_target(kind)
    ours = kind(**PARAMS, solver=solver, warm_start=True).fit(X, y)
    write_lists(ours)
    coefs = [coef.copy() for coef in ours.coefs_]
    # At a rate of next to nothing the weights stay what they are.
    ours.set_params(learning_rate_init=1e-13, momentum=0.0).fit(X, y)
    for coef, written in zip(ours.coefs_, coefs, strict=True):
        assert_allclose(coef, written, atol=1e-6)
