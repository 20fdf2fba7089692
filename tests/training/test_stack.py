"""Training in a stack equals training alone: no member is affected by the others.

`stack_cases` compares random groups of fits; the other tests cover the cases that users are
most likely to meet.
"""

import threading
import time
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn import config_context, get_config
from sklearn.callback import ScoringMonitor
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score

from skdeep import SGD, DeepClassifier, DeepRegressor, lockstep
from skdeep._parallel.conductor import Conductor
from skdeep.persistence import load, save
from tests.training import stack_cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
BINARY = (X[:, 0] + 0.3 * RNG.normal(size=120) > 0.9).astype(int)
NUMBERS = X @ RNG.normal(size=4)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("seed", range(60))
def test_random_group(seed):
    stack_cases.check(seed)


def network(kind=DeepClassifier, **params):
    defaults = {"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 0}
    return kind(**defaults | params)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [200, 20])
def test_class_weights_in_a_search(shuffle, batch_size):
    model = network(shuffle=shuffle, batch_size=batch_size, learning_rate_init=0.01)
    grid = {"class_weight": [{1: 1.0}, {1: 10.0}, {0: 10.0}]}
    search = GridSearchCV(
        model, grid, cv=ShuffleSplit(1, random_state=0), scoring="neg_log_loss"
    )
    plain = search.fit(X, BINARY).cv_results_["mean_test_score"]
    assert len(set(plain)) > 1
    with lockstep(n_processes=1):
        together = search.fit(X, BINARY).cv_results_["mean_test_score"]
    np.testing.assert_allclose(together, plain)


def test_sample_weights_in_bagging():
    model = BaggingClassifier(network(), 5, random_state=0)
    weight = RNG.uniform(0.1, 3, len(X))
    plain = model.fit(X, BINARY, sample_weight=weight).estimators_
    with lockstep(n_processes=1):
        together = model.fit(X, BINARY, sample_weight=weight).estimators_
    for one, other in zip(plain, together, strict=True):
        np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-10)


def fails_from(first):
    def schedule(step):
        if step >= first:
            raise RuntimeError("the schedule ends")
        return 0.01

    return schedule


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_member_that_raises_does_not_affect_the_others(shuffle, capsys):
    monitor = ScoringMonitor(scoring="accuracy")
    innocent = network(
        shuffle=shuffle, batch_size=20, dropout=0.2, max_iter=6, verbose=True
    ).set_callbacks(monitor)
    innocent.set_params(random_state=np.random.RandomState(3))
    grid = {"learning_rate": ["constant", fails_from(9)]}
    search = GridSearchCV(innocent, grid, cv=3, refit=False)

    def lines():
        return capsys.readouterr().out.count("\n")

    plain = search.fit(X, BINARY).cv_results_["mean_test_score"]
    printed = lines()
    assert np.isfinite(plain[0])
    assert np.isnan(plain[1])
    with lockstep(n_processes=1):
        together = search.fit(X, BINARY).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(together, plain)
    assert lines() == printed


def test_a_schedule_function_is_called_for_the_steps_taken_only():
    steps = []

    def schedule(step):
        steps.append(step)
        return 0.01

    network(batch_size=20, learning_rate=schedule, max_iter=3).fit(X, BINARY)
    assert steps == list(range(3 * 6))


def test_generators_advance_as_if_alone():
    def fit(seed):
        state = np.random.RandomState(seed)
        network(shuffle=False, random_state=state).fit(X, BINARY)
        return state.randint(1 << 30)

    alone = [fit(seed) for seed in range(4)]
    with lockstep(n_processes=1):
        assert Parallel()(delayed(fit)(seed) for seed in range(4)) == alone


@pytest.mark.parametrize("n_processes", [1, 2])
def test_scorers_see_the_configuration_of_their_fit(n_processes):
    def scorer(model, X, y, sample_weight=None):
        return get_config()["working_memory"]

    model = network(validation_scoring=scorer, early_stopping=True)
    with config_context(working_memory=77), lockstep(n_processes=n_processes):
        search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2, refit=True)
        assert set(search.fit(X, BINARY).best_estimator_.validation_scores_) == {77}
    with lockstep(n_processes=n_processes), config_context(working_memory=77):
        scores = cross_val_score(
            model, X, BINARY, scoring=lambda m, X, y: m.best_validation_score_, cv=2
        )
        assert set(scores) == {77}


# Validation scores that are NaN


def nan_but(*epochs):
    """A scorer that returns the number of the epoch in these epochs, and NaN in others."""
    calls = []

    def scorer(model, X, y, sample_weight=None):
        calls.append(1)
        return float(len(calls)) if len(calls) in epochs else np.nan

    return scorer


@pytest.mark.parametrize(("kind", "y"), [(DeepClassifier, BINARY), (DeepRegressor, NUMBERS)])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_scores_that_are_all_nan_keep_the_last_weights(kind, y, early_stopping, tmp_path):
    params = {"max_iter": 30, "n_iter_no_change": 4, "early_stopping": early_stopping}
    more = {} if early_stopping else {"X_val": X, "y_val": y}
    with pytest.warns(UserWarning, match="validation_scoring=.*no finite score"):
        model = network(kind, validation_scoring=nan_but(), **params).fit(X, y, **more)
    assert model.n_iter_ == (5 if early_stopping else 30)
    assert model.best_iter_ is None
    assert np.isnan(model.best_validation_score_)
    save(model.set_params(validation_scoring=None), tmp_path / "model.json")
    loaded = load(tmp_path / "model.json")
    assert loaded.best_iter_ is None
    np.testing.assert_array_equal(loaded.validation_scores_, model.validation_scores_)
    params["max_iter"] = model.n_iter_
    last = network(kind, **params, restore_best=False, validation_scoring="loss").fit(X, y)
    for one, other in zip(model.coefs_, last.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_nan_score_is_no_improvement():
    model = network(
        early_stopping=True,
        max_iter=30,
        n_iter_no_change=3,
        validation_scoring=nan_but(2),
        solver=SGD(),
    ).fit(X, BINARY)
    assert model.best_iter_ == 2
    assert model.n_iter_ == 6
    best = model.set_params(max_iter=2, validation_scoring="loss", restore_best=False)
    for one, other in zip(model.coefs_, best.fit(X, BINARY).coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_infinite_score_is_no_progress():
    model = network(
        early_stopping=True,
        max_iter=30,
        n_iter_no_change=3,
        validation_scoring=lambda model, X, y: np.inf,
    ).fit(X, BINARY)
    assert model.n_iter_ == 4
    assert model.best_iter_ is None


def test_an_interrupt_before_the_first_score_keeps_the_initial_weights():
    def schedule(step):
        raise KeyboardInterrupt

    model = network(early_stopping=True, learning_rate=schedule).fit(X, BINARY)
    assert model.n_iter_ == 0
    assert model.validation_scores_ == []


def test_members_with_one_generator_draw_an_order_each():
    state = np.random.RandomState(0)
    start = [RNG.normal(size=(4, 6)), RNG.normal(size=(6, 1))]

    def fit():
        model = network(weight_init=start, bias=False, batch_size=50)
        return model.set_params(random_state=state).fit(X, BINARY).coefs_[0]

    with lockstep(n_processes=1):
        one, other = Parallel()(delayed(fit)() for _ in range(2))
    assert np.abs(one - other).max() > 1e-6


def test_a_cancelled_search_leaves_nothing_to_the_next():
    conductor = Conductor(1 << 30)
    begun, cancelled = threading.Event(), threading.Event()
    late = []

    def job():
        begun.set()
        cancelled.wait(60)
        network().fit(X, BINARY)

    promise = conductor.submit(job)
    caller = threading.Thread(target=lambda: late.append(_outcome(conductor, promise)))
    caller.start()
    assert begun.wait(60)
    canceller = threading.Thread(target=conductor.cancel)
    canceller.start()
    while not conductor.cancelled:
        time.sleep(0.001)
    cancelled.set()
    for thread in (canceller, caller):
        thread.join(60)
        assert not thread.is_alive()
    assert not conductor.fits
    assert not conductor.jobs
    assert isinstance(late[0], BaseException)


def _outcome(conductor, promise):
    try:
        return conductor.result(promise)
    except BaseException as error:
        return error
