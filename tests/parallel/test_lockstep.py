"""Fits in `lockstep` equal fits alone, in every kind of meta-estimator.

A watchdog makes deadlocks fail instead of hang.
"""

import faulthandler
import threading
import time
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdeep._parallel.conductor
import skdeep._parallel.stacks
import skdeep._training.stack
from skdeep import LBFGS, SGD, Adam, DeepClassifier, DeepRegressor, lockstep

SECONDS = 900  # the longest test takes half a minute, on a machine with nothing else to do
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5))
SIGNAL = X @ RNG.normal(size=(5, 3))
Y = SIGNAL.argmax(axis=1)
BINARY = (SIGNAL[:, 0] > 0).astype(int)


def threads():
    """Running threads, except the two that manage joblib's worker processes."""
    return {
        t for t in threading.enumerate() if "Executor" not in t.name and "Feeder" not in t.name
    }


@pytest.fixture(autouse=True)
def watchdog():
    """Ends the process with all tracebacks if a test hangs; checks that no thread is left."""
    before = threads()
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    deadline = time.monotonic() + 60
    while threads() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threads() - before


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def network(kind=DeepClassifier, **params):
    defaults = {"hidden_layer_sizes": (6,), "max_iter": 8, "batch_size": 20, "random_state": 0}
    return kind(**defaults | params)


def assert_same_model(one, other, rtol=1e-10):
    for name in ("coefs_", "intercepts_", "norms_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * 0.1)
    assert one.n_iter_ == other.n_iter_
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=rtol)
    assert one.best_iter_ == other.best_iter_
    if one.validation_scores_ is not None:
        for name in ("validation_scores_", "validation_loss_curve_"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=rtol)


def stacks_of(run):
    """Sizes of the stacks trained by `run()`."""
    sizes = []
    original = skdeep._parallel.conductor.train

    def counting(tasks, interruptible):
        sizes.append(len(tasks))
        return original(tasks, interruptible)

    skdeep._parallel.conductor.train = counting
    try:
        run()
    finally:
        skdeep._parallel.conductor.train = original
    return sizes


def score_columns(results):
    return {
        key: value for key, value in results.items() if "score" in key and "time" not in key
    }


def assert_same_search(one, other):
    for key, value in score_columns(one.cv_results_).items():
        np.testing.assert_allclose(value, other.cv_results_[key], rtol=1e-10, err_msg=key)
    assert one.best_params_ == other.best_params_
    if hasattr(one.best_estimator_, "coefs_"):
        assert_same_model(one.best_estimator_, other.best_estimator_)


GRID = {"learning_rate_init": [0.003, 0.03], "alpha": [1e-4, 1.0]}

SEARCHES = {
    "grid": lambda: GridSearchCV(network(), GRID, cv=3),
    "grid, folds of unequal length": lambda: GridSearchCV(network(), GRID, cv=4),
    "randomized": lambda: RandomizedSearchCV(network(), GRID, n_iter=3, cv=3, random_state=0),
    "halving": lambda: HalvingGridSearchCV(network(), GRID, cv=3, random_state=0),
    "seeds": lambda: GridSearchCV(network(), {"random_state": [0, 1, 2]}, cv=3),
    "solvers": lambda: GridSearchCV(
        network(), {"solver": ["adam", "sgd", "lbfgs", SGD(momentum=0.5), LBFGS()]}, cv=3
    ),
    "a solver's fields": lambda: GridSearchCV(
        network(solver=Adam()), {"solver__beta_1": [0.5, 0.9], "solver__beta_2": [0.9, 0.99]}
    ),
    "shapes": lambda: GridSearchCV(
        network(), {"hidden_layer_sizes": [(4,), (6,), (4, 3)], "activation": ["relu", "mish"]}
    ),
    "epochs and patience": lambda: GridSearchCV(
        network(max_iter=30, tol=0.05), {"max_iter": [3, 30], "n_iter_no_change": [1, 3]}
    ),
    "early stopping": lambda: GridSearchCV(
        network(early_stopping=True, max_iter=30, n_iter_no_change=2), GRID, cv=3
    ),
    "float32": lambda: GridSearchCV(network(dtype="float32"), {"alpha": [1e-4, 1.0]}, cv=3),
    "full batches": lambda: GridSearchCV(network(batch_size="auto"), GRID, cv=4),
}


@pytest.mark.parametrize("n_processes", [1, 2])
@pytest.mark.parametrize("name", SEARCHES)
def test_searches(name, n_processes):
    plain = SEARCHES[name]().fit(X, Y)
    with lockstep(n_processes=n_processes):
        together = SEARCHES[name]().fit(X, Y)
    if name == "float32":
        rtol = 1e-5
        assert_same_model(plain.best_estimator_, together.best_estimator_, rtol)
    else:
        assert_same_search(plain, together)


def test_a_search_is_trained_as_a_stack():
    def run():
        with lockstep():
            GridSearchCV(network(), GRID, cv=3, refit=False).fit(X, Y)

    # After the first fit, the memory of a fit is known, and all twelve are trained at once.
    assert stacks_of(run) == [12]


def test_shared_rows_are_read_once(monkeypatch):
    reads = []
    original = skdeep._training.stack.Batches

    def counting(tables, *args, **kwargs):
        reads.append((len(tables), kwargs["models"]))
        return original(tables, *args, **kwargs)

    monkeypatch.setattr(skdeep._training.stack, "Batches", counting)
    monkeypatch.setattr(skdeep._parallel.stacks, "MIN_WIDTH", 2)
    with lockstep(n_processes=1):
        # The five networks of a fold have separate copies of its rows, in the same order.
        GridSearchCV(network(), {"alpha": np.geomspace(1e-5, 1, 5)}, cv=3, refit=False).fit(
            X, Y
        )
    assert reads == [(1, ())] * 3


def test_pipelines_with_other_steps():
    model = make_pipeline(StandardScaler(), network())
    grid = {"standardscaler__with_mean": [True, False], "deepclassifier__alpha": [1e-4, 1.0]}
    plain = GridSearchCV(model, grid, cv=3).fit(X, Y)
    with lockstep():
        together = GridSearchCV(model, grid, cv=3).fit(X, Y)
    assert_same_search(plain, together)


META = {
    "bagging": lambda: BaggingClassifier(network(random_state=None), 4, random_state=0),
    "bagging regressor": lambda: BaggingRegressor(network(DeepRegressor), 4, random_state=0),
    "voting": lambda: VotingClassifier(
        [("a", network()), ("b", network(alpha=1.0)), ("c", LogisticRegression())],
        voting="soft",
    ),
    "stacking": lambda: StackingClassifier([("a", network()), ("b", network(alpha=1.0))], cv=3),
    "one-vs-rest": lambda: OneVsRestClassifier(network()),
    "calibrated": lambda: CalibratedClassifierCV(network(), cv=3),
    "other estimators": lambda: RandomForestClassifier(8, random_state=0),
    "search in bagging": lambda: BaggingClassifier(
        GridSearchCV(network(), {"alpha": [1e-4, 1.0]}, cv=3), 3, random_state=0
    ),
}


@pytest.mark.parametrize("n_processes", [1, 2])
@pytest.mark.parametrize("name", META)
def test_ensembles(name, n_processes):
    plain = META[name]().fit(X, Y)
    with lockstep(n_processes=n_processes):
        together = META[name]().fit(X, Y)
    method = "predict_proba" if hasattr(plain, "predict_proba") else "predict"
    np.testing.assert_allclose(
        getattr(plain, method)(X), getattr(together, method)(X), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(20, random_state=0),  # its trees share memory
        BaggingClassifier(network(), 20, random_state=0),
    ],
    ids=["forest", "bagging"],
)
def test_many_jobs_within_a_job(model):
    plain = cross_val_score(model, X, Y, cv=3)
    with lockstep():
        together = cross_val_score(model, X, Y, cv=3)
    np.testing.assert_allclose(together, plain)


def test_multioutput():
    labels = np.column_stack([Y, BINARY])
    plain = MultiOutputClassifier(network()).fit(X, labels)
    with lockstep():
        together = MultiOutputClassifier(network()).fit(X, labels)
    for one, other in zip(plain.estimators_, together.estimators_, strict=True):
        assert_same_model(one, other)


FUNCTIONS = {
    "cross_validate": lambda: cross_validate(network(), X, Y, cv=3)["test_score"],
    "cross_val_predict": lambda: cross_val_predict(network(), X, Y, method="predict_proba"),
    "learning_curve": lambda: learning_curve(network(), X, Y, cv=3)[1:],
    "validation_curve": lambda: validation_curve(
        network(), X, Y, param_name="alpha", param_range=[1e-4, 1.0, 10.0], cv=3
    ),
    "permutation_test_score": lambda: permutation_test_score(
        network(), X, Y, cv=3, n_permutations=5, random_state=0
    )[:2],
    "sequential selection": lambda: (
        SequentialFeatureSelector(network(), n_features_to_select=2, cv=3)
        .fit(X, BINARY)
        .get_support()
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    plain = FUNCTIONS[name]()
    with lockstep():
        together = FUNCTIONS[name]()
    if not isinstance(plain, tuple):
        plain, together = (plain,), (together,)
    for one, other in zip(plain, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.parametrize("n_jobs", [1, 2, 5, -1, None])
def test_independent_of_n_jobs(n_jobs):
    plain = GridSearchCV(network(), GRID, cv=3).fit(X, Y)
    with lockstep(n_jobs):
        assert_same_search(plain, GridSearchCV(network(), GRID, cv=3).fit(X, Y))
    with parallel_config(backend="lockstep", n_jobs=n_jobs):
        assert_same_search(plain, GridSearchCV(network(), GRID, cv=3).fit(X, Y))


def test_warm_start_and_partial_fit():
    def train_twice(seed):
        model = network(warm_start=True, random_state=seed).fit(X, Y)
        return model.set_params(learning_rate_init=0.01).fit(X, Y).partial_fit(X[:9], Y[:9])

    alone = [train_twice(seed) for seed in range(3)]
    with lockstep():
        together = Parallel()(delayed(train_twice)(seed) for seed in range(3))
    for one, other in zip(alone, together, strict=True):
        assert_same_model(one, other)


# Errors


def test_a_diverging_candidate_gets_its_error_score():
    grid = {"learning_rate_init": [0.01, 1e200]}
    model = network(DeepRegressor, solver="sgd")
    with lockstep():
        search = GridSearchCV(model, grid, cv=3, error_score=-7.0).fit(X, SIGNAL[:, 0])
    scores = search.cv_results_["mean_test_score"]
    plain = GridSearchCV(model, {"learning_rate_init": [0.01]}, cv=3).fit(X, SIGNAL[:, 0])
    assert scores[0] == pytest.approx(plain.best_score_)
    assert scores[1] == -7.0


class Faulty(TransformerMixin, BaseEstimator):
    """Raises in fit if `fault` is True."""

    def __init__(self, fault=False):
        self.fault = fault

    def fit(self, X, y=None):
        if self.fault:
            raise RuntimeError("faulty transformer")
        return self

    def transform(self, X):
        return X


def test_a_faulty_transformer_affects_its_candidate_only():
    model = make_pipeline(Faulty(), network())
    with lockstep():
        search = GridSearchCV(model, {"faulty__fault": [False, True]}, cv=3).fit(X, Y)
    assert np.isnan(search.cv_results_["mean_test_score"][1])
    assert search.cv_results_["mean_test_score"][0] > 0.4


@pytest.mark.parametrize("n_processes", [1, 2])
@pytest.mark.parametrize("place", ["transformer", "scorer"])
def test_an_error_ends_the_search_and_leaves_nothing_running(place, n_processes):
    def scorer(model, X, y):
        raise RuntimeError("faulty scorer")

    model = make_pipeline(Faulty(), network())
    grid = {"faulty__fault": [False, True]} if place == "transformer" else {}
    scoring = scorer if place == "scorer" else None
    search = GridSearchCV(model, grid, cv=3, scoring=scoring, error_score="raise")
    with lockstep(n_processes=n_processes):
        with pytest.raises(RuntimeError, match=f"faulty {place}"):
            search.fit(X, Y)
        # The context still works.
        assert GridSearchCV(network(), {}, cv=3).fit(X, Y).best_score_ > 0.4


def test_memory_limits_the_number_of_waiting_fits():
    data = np.zeros((4000, 50))
    data[:, 0] = np.arange(4000) % 2
    fit_bytes = data.nbytes * 1.2  # training rows and buffers
    seen = []

    class Counting(DeepClassifier):
        def fit(self, X, y):
            seen.append(1)
            peak.append(len(seen))
            try:
                return super().fit(X, y)
            finally:
                seen.pop()

    peak = []
    with lockstep(memory=int(4 * fit_bytes), n_processes=1):
        cross_validate(Counting((5,), max_iter=2), data, data[:, 0].astype(int), cv=16)
    assert 2 <= max(peak) <= 4


def test_searches_in_several_threads():
    searches = {}

    def search(seed):
        with warnings.catch_warnings(), lockstep():
            searches[seed] = GridSearchCV(network(random_state=seed), GRID, cv=3).fit(X, Y)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        assert_same_search(
            GridSearchCV(network(random_state=seed), GRID, cv=3).fit(X, Y), searches[seed]
        )


def test_clone_and_plain_fits_inside_the_context():
    model = network()
    with lockstep():
        inside = clone(model).fit(X, Y)
    assert_same_model(inside, clone(model).fit(X, Y), rtol=1e-15)
