"""Laws: scikit-learn's callbacks see each epoch as a task, and may end the fit.

``sklearn.callback`` says what a callback is; ``Spy`` is one that writes down what it is
told.
"""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import skdeep.estimators.base
from skdeep import DeepClassifier, DeepRegressor, lockstep

RNG = np.random.RandomState(0)
X, SPECIES = load_iris(return_X_y=True)
X, SPECIES = scale(X[::2]), SPECIES[::2]
NUMBERS = X[:, 0] * X[:, 1]
WEIGHTS = RNG.uniform(0.2, 2, len(X))
KINDS = pytest.mark.parametrize(
    ("kind", "y"),
    [(DeepClassifier, SPECIES), (DeepRegressor, NUMBERS)],
    ids=["classifier", "regressor"],
)
SOLVERS = pytest.mark.parametrize("solver", ["adam", "lbfgs"])


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def model(kind, **params):
    defaults = {
        "hidden_layer_sizes": (5,),
        "learning_rate_init": 0.02,
        "max_iter": 6,
        "batch_size": 20,
        "random_state": 1,
    }
    return kind(**defaults | params)


class Spy:
    """Writes down each call; asks to stop at the end of epoch `last`, from 1."""

    def __init__(self, last=None, fails_in=None):
        self.calls = []
        self.models = []
        self.data = []
        self.last = last
        self.fails_in = fails_in

    def _note(self, hook, context):
        self.calls.append((hook, context.task_name, context.task_id))
        if self.fails_in == hook:
            raise RuntimeError("the spy fails")

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self._note("end", context)
        if fitted_estimator is not None and context.task_name == "epoch":
            self.models.append(fitted_estimator)
            self.data.append((X, y, metadata))
        return context.task_name == "epoch" and context.task_id + 1 == self.last


def assert_same(one, other):
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def assert_closed(calls, name="fit"):
    """Every task that begins ends once, the fit last, and all is taken down."""
    assert calls[0] == ("setup", name, 0)
    assert calls[1] == ("begin", name, 0)
    assert calls[-2] == ("end", name, 0)
    assert calls[-1] == ("teardown", name, 0)
    begun = [task for hook, *task in calls if hook == "begin"]
    ended = [task for hook, *task in calls if hook == "end"]
    assert sorted(begun) == sorted(ended)
    assert len({tuple(task) for task in begun}) == len(begun)


@SOLVERS
@KINDS
def test_each_epoch_is_a_task(kind, y, solver):
    spy = Spy()
    fitted = model(kind, solver=solver).set_callbacks(spy).fit(X, y)
    assert_closed(spy.calls)
    assert len(spy.models) == fitted.n_iter_ == 6
    assert spy.calls[2:-2] == [
        (hook, "epoch", i) for i in range(6) for hook in ("begin", "end")
    ]
    assert_same(fitted, model(kind, solver=solver).fit(X, y))


@KINDS
def test_a_fit_that_converges_ends_the_epoch_that_never_came(kind, y):
    spy = Spy()
    fitted = model(kind, tol=10.0, n_iter_no_change=2, max_iter=50).set_callbacks(spy).fit(X, y)
    assert fitted.n_iter_ == len(spy.models) < 10
    assert_closed(spy.calls)


PARAMS = [
    {},
    {"solver": "lbfgs"},
    {"early_stopping": True, "learning_rate_init": 0.3},
    {"weight_averaging": 0.9, "dropout": 0.2, "norm": "batch"},
]


@pytest.mark.parametrize("params", PARAMS, ids=str)
@KINDS
def test_the_model_of_each_epoch_is_that_of_a_fit_that_ends_there(kind, y, params):
    spy = Spy()
    fitted = model(kind, **params).set_callbacks(spy).fit(X, y)
    for n, one in enumerate(spy.models, 1):
        short = model(kind, **params).set_params(max_iter=n).fit(X, y)
        np.testing.assert_allclose(one.predict(X), short.predict(X), rtol=1e-9)
        assert_same(one, short)
        assert one.summary() == short.summary()
    assert_same(spy.models[-1], fitted)


@pytest.mark.parametrize("params", PARAMS, ids=str)
@KINDS
def test_the_model_of_each_epoch_can_be_trained_further(kind, y, params):
    spy = Spy()
    model(kind, **params).set_callbacks(spy).fit(X, y)
    for n, one in enumerate(spy.models, 1):
        short = model(kind, **params).set_params(max_iter=n).fit(X, y)
        assert one.loss_curve_ == short.loss_curve_
        assert one.n_iter_ == n
        assert (one.best_iter_, one.best_loss_) == (short.best_iter_, short.best_loss_)
        for each in (one, short):
            each.set_callbacks().set_params(warm_start=True, max_iter=2).fit(X, y)
        assert one.loss_curve_ == short.loss_curve_
        assert_same(one, short)


@pytest.mark.parametrize("params", PARAMS, ids=str)
@pytest.mark.parametrize("last", [1, 3])
@KINDS
def test_a_callback_ends_the_fit(kind, y, last, params):
    spies = [Spy(last), Spy()]
    fitted = model(kind, max_iter=20, **params).set_callbacks(*spies)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that it ended is no news
        warnings.filterwarnings("ignore", "(?s).*is not read", UserWarning)
        fitted.fit(X, y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) == last
    for spy in spies:
        assert_closed(spy.calls)
        assert len(spy.models) == last
    assert_same(fitted, model(kind, max_iter=last, **params).fit(X, y))


@KINDS
def test_callbacks_are_shown_the_data(kind, y):
    spy = Spy()
    model(kind).set_callbacks(spy).fit(X, y, WEIGHTS)
    for table, truth, metadata in spy.data:
        np.testing.assert_array_equal(table, X)
        np.testing.assert_array_equal(truth, y)
        np.testing.assert_array_equal(metadata["sample_weight"], WEIGHTS)


@KINDS
def test_partial_fit_is_a_fit_of_one_epoch(kind, y):
    spy = Spy()
    estimator = model(kind).set_callbacks(spy)
    classes = {"classes": np.unique(y)} if kind is DeepClassifier else {}
    for _ in range(2):
        spy.calls.clear()
        estimator.partial_fit(X, y, **classes)
        assert_closed(spy.calls, "partial_fit")
    assert len(spy.models) == 2
    assert_same(spy.models[-1], estimator)


@SOLVERS
@KINDS
def test_without_callbacks_there_is_no_context(kind, y, solver, monkeypatch):
    def fail(self, *args, **kwargs):
        raise AssertionError("a context was made")

    monkeypatch.setattr(skdeep.estimators.base.DeepEstimator, "_init_callback_context", fail)
    fitted = model(kind, solver=solver).fit(X, y)
    assert not [name for name in vars(fitted) if "callback" in name]


FAULTS = {
    "X": lambda estimator, call, y, more: call(X * np.nan, y, **more),
    "y": lambda estimator, call, y, more: call(X, y[:3], **more),
    "weights": lambda estimator, call, y, more: call(X, y, -WEIGHTS, **more),
    "divergence": lambda estimator, call, y, more: (
        estimator.set_params(solver="sgd", learning_rate_init=1e300, hidden_layer_sizes=(5, 5)),
        call(1e10 * X, y, **more),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@KINDS
def test_callbacks_are_taken_down_where_the_fit_raises(kind, y, method, fault):
    spy = Spy()
    estimator = model(kind).set_callbacks(spy)
    classes = {"classes": np.unique(y)}
    more = classes if method == "partial_fit" and kind is DeepClassifier else {}
    before = dict(vars(estimator))
    with pytest.raises(ValueError):  # noqa: PT011
        FAULTS[fault](estimator, getattr(estimator, method), y, more)
    assert [hook for hook, *_ in spy.calls].count("setup") == 1
    assert spy.calls[-1] == ("teardown", method, 0)
    assert set(vars(estimator)) == set(before)


class FailsAtTheEnd(Spy):
    """Raises an error once the estimator is fitted."""

    def on_fit_task_end(self, estimator, context, **data):
        if context.task_name != "epoch":
            raise RuntimeError("the spy fails")


@KINDS
def test_a_callback_that_fails_leaves_the_curves(kind, y):
    estimator = model(kind, warm_start=True).fit(X, y)
    curve = estimator.loss_curve_
    estimator.set_callbacks(FailsAtTheEnd())
    for method in (estimator.fit, estimator.partial_fit):
        with pytest.raises(RuntimeError, match="the spy fails"):
            method(X, y)
    assert estimator.loss_curve_ is curve
    assert len(curve) == 6


@pytest.mark.parametrize("hook", ["setup", "begin", "end", "teardown"])
@SOLVERS
@KINDS
def test_errors_of_callbacks_come_through(kind, y, solver, hook):
    estimator = model(kind, solver=solver).set_callbacks(Spy(fails_in=hook))
    with pytest.raises(RuntimeError, match="the spy fails"):
        estimator.fit(X, y)
    assert not hasattr(estimator, "_callback_fit_ctx")
    assert hasattr(estimator, "coefs_") == (hook == "teardown")


# scikit-learn's own


def in_pipeline(kind, **params):
    return make_pipeline(StandardScaler(), model(kind, **params))


def net_of(fitted):
    fitted = getattr(fitted, "best_estimator_", fitted)
    return fitted[-1] if hasattr(fitted, "steps") else fitted


def search(estimator, **params):
    name = f"{estimator.steps[-1][0]}__alpha" if hasattr(estimator, "steps") else "alpha"
    return GridSearchCV(estimator, {name: [1e-4, 1.0]}, cv=2, **params)


PLACES = {
    "alone": model,
    "in a pipeline": in_pipeline,
    "in a search": lambda kind, **params: search(model(kind, **params)),
    "in a pipeline in a search": lambda kind, **params: search(in_pipeline(kind, **params)),
    "in two processes": lambda kind, **params: search(model(kind, **params), n_jobs=2),
}


@pytest.mark.parametrize("together", [False, True], ids=["", "lockstep"])
@SOLVERS
@pytest.mark.parametrize("place", PLACES)
@KINDS
def test_progress_bar(kind, y, place, solver, together, capsys):
    pytest.importorskip("rich")
    estimator = PLACES[place](kind, solver=solver)
    plain = clone(estimator).fit(X, y)
    estimator.set_callbacks(ProgressBar(max_propagation_depth=None))
    if together:
        with lockstep(n_processes=1):
            estimator.fit(X, y)
    else:
        estimator.fit(X, y)
    assert_same(net_of(estimator), net_of(plain))
    assert kind.__name__ in capsys.readouterr().out


@pytest.mark.parametrize("together", [False, True], ids=["", "lockstep"])
@SOLVERS
@pytest.mark.parametrize("place", PLACES)
@KINDS
def test_scoring_monitor(kind, y, place, solver, together):
    # Scikit-learn 1.9.1 fails with scoring=None, whatever the estimator.
    scoring = "accuracy" if kind is DeepClassifier else "r2"

    def with_monitor():
        monitor = ScoringMonitor(scoring=scoring)
        estimator = model(kind, solver=solver).set_callbacks(monitor)
        if "pipeline" in place:
            estimator = make_pipeline(StandardScaler(), estimator)
        if "search" in place or "processes" in place:
            estimator = search(estimator, n_jobs=2 if "processes" in place else None)
        estimator.fit(X, y)
        return estimator, monitor

    if together:
        with lockstep(n_processes=1):
            estimator, monitor = with_monitor()
    else:
        estimator, monitor = with_monitor()
    net = net_of(estimator)
    rows = monitor.get_logs().data
    table = (
        estimator[:-1].transform(X)
        if "pipeline" in place and hasattr(estimator, "steps")
        else X
    )
    epochs = [row for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) >= net.n_iter_
    if place in ("alone", "in a pipeline"):
        assert len(epochs) == net.n_iter_
        assert epochs[-1][scoring] == pytest.approx(net.score(table, y))


def test_scoring_monitor_scores_with_weights():
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    fitted = model(DeepClassifier).set_callbacks(monitor).fit(X, SPECIES, WEIGHTS)
    last = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"][-1]
    assert last["accuracy"] == pytest.approx(fitted.score(X, SPECIES, WEIGHTS))
