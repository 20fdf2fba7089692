"""Laws: training that diverges names its epoch, and leaves the estimator as it was."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdeep import SGD, DeepClassifier
from tests.estimators.refusals import CLASSES, NUMBERS, X, classifier, regressor, state

# Divergence

TOO_FAR = {
    "sgd": regressor(solver="sgd", learning_rate_init=1e10, activation="identity", max_iter=50),
    "sgd-float32": regressor(solver="sgd", learning_rate_init=1e10, dtype="float32"),
    "sgd-spec": regressor(solver=SGD(learning_rate_init=1e10), dtype="float32"),
    "sgd-batches": regressor(solver="sgd", learning_rate_init=1e10, batch_size=4, max_iter=50),
    "sgd-early-stopping": regressor(
        solver="sgd", learning_rate_init=1e10, dtype="float32", early_stopping=True
    ),
    "adam": regressor(learning_rate_init=1e200),
    "adam-float32": regressor(learning_rate_init=1e10, dtype="float32"),
    "adam-early-stopping": regressor(
        learning_rate_init=1e10, dtype="float32", early_stopping=True
    ),
    "poisson": regressor(
        loss="poisson", solver="sgd", learning_rate_init=10, activation="identity"
    ),
    "classifier-sgd": classifier(solver="sgd", learning_rate_init=1e200),
    "classifier-adam": classifier(learning_rate_init=1e20, dtype="float32"),
}


def target_of(model):
    return CLASSES if isinstance(model, DeepClassifier) else np.abs(NUMBERS)


def diverged(model, X, y, method="fit"):
    """Check that the call diverges without a trace; give the epoch that it names."""
    before = state(model)
    with pytest.raises(ValueError, match=r"diverged in (epoch|iteration) \d+") as caught:
        getattr(model, method)(X, y)
    assert state(model) == before, "the estimator has changed"
    return int(re.search(r"(?:epoch|iteration) (\d+)", str(caught.value)).group(1))


@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_leaves_an_unfitted_estimator_unfitted(name):
    model = clone(TOO_FAR[name])
    diverged(model, X, target_of(model))
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_names_its_epoch(name):
    model = clone(TOO_FAR[name])
    epoch = diverged(model, X, target_of(model))
    diverged(model.set_params(max_iter=epoch), X, target_of(model))
    if epoch > 1:
        # Its loss is finite, though loss or weights may be beyond all measure.
        model.set_params(max_iter=epoch - 1)
        try:
            told = str(model.fit(X, target_of(model)).loss_curve_)
        except ValueError as error:
            told = str(error)
        assert not re.search("nan|inf", told)


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_of_a_second_fit_keeps_the_first(name, warm_start):
    bad = clone(TOO_FAR[name]).set_params(warm_start=warm_start)
    good = {
        "solver": "adam",
        "learning_rate_init": 0.001,
        "max_iter": 3,
        "early_stopping": False,
    }
    model = clone(bad).set_params(**good).fit(X, target_of(bad))
    twin = pickle.loads(pickle.dumps(model))
    model.set_params(**{name: getattr(bad, name) for name in good})
    diverged(model, X, target_of(bad))
    assert np.array_equal(model.predict(X), twin.predict(X))
    for each in (model, twin):
        each.set_params(**good).partial_fit(X, target_of(bad))
    for ours, theirs in zip(model.coefs_, twin.coefs_, strict=True):
        assert np.array_equal(ours, theirs)
    assert model.loss_curve_ == twin.loss_curve_


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_divergence_of_partial_fit_keeps_the_solver_state(solver, dtype):
    model = regressor(solver=solver, dtype=dtype, momentum=0.5)
    model.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    twin = pickle.loads(pickle.dumps(model))
    size = np.sqrt(float(np.finfo(dtype).max))
    assert diverged(model, X * size, NUMBERS, "partial_fit") == 1
    for each in (model, twin):
        each.partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    for ours, theirs in zip(model.coefs_, twin.coefs_, strict=True):
        assert np.array_equal(ours, theirs)
    assert model.t_ == twin.t_
    assert model.loss_curve_ == twin.loss_curve_


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_divergence_on_overflowing_X(make, solver):
    model = make(solver=solver)
    y = target_of(model)
    diverged(model, X * 1e200, y)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    model.set_params(warm_start=True).fit(X, y)
    before = model.predict(X)
    diverged(model, X * 1e200, y)
    assert np.array_equal(model.predict(X), before)


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_table_whose_sum_overflows_raises_no_warning(make, method):
    model = make(solver="sgd", warm_start=True, batch_size=5)
    y = target_of(model)
    model.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        diverged(model, np.abs(X) / np.abs(X).max() * 1e308, y, method)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e12), ("float64", 1e100)])
def test_overflow_of_the_moments_is_divergence(dtype, size):
    """Squares of the gradient overflow where loss and weights do not: Adam stands still."""
    diverged(regressor(solver="adam", dtype=dtype), X * size, NUMBERS * size)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_words_on_divergence_name_no_parameter_that_lbfgs_does_not_read(make):
    model = make(solver="lbfgs")
    with pytest.raises(ValueError, match="diverged") as caught:
        model.fit(X * 1e200, target_of(model))
    assert "diverged in iteration" in str(caught.value)
    assert "learning_rate" not in str(caught.value)
    assert "scale X" in str(caught.value)


def test_weights_that_cannot_be_squared_have_diverged():
    model = classifier(solver="sgd").fit(X, CLASSES)
    with pytest.raises(
        ValueError, match=r"diverged.*squared norm of the weights is no longer finite"
    ):
        model.partial_fit(X * 1e200, CLASSES)


def test_lbfgs_names_the_limit_that_it_reached():
    with pytest.warns(ConvergenceWarning, match=r"loss evaluations \(2\) reached.*max_fun"):
        classifier(solver="lbfgs", max_fun=2).fit(X, CLASSES)
    with pytest.warns(ConvergenceWarning, match=r"iterations \(2\) reached.*max_iter"):
        classifier(solver="lbfgs", max_iter=2).fit(X, CLASSES)
