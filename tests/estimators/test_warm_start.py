"""Laws: warm starts and partial fits go on as scikit-learn's MLP does, or as one fit would."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skdeep import SGD, DeepClassifier, DeepRegressor
from tests.estimators.twins import (
    BINARY,
    CODES,
    KINDS,
    LABELS,
    NAMED,
    NUMBERS,
    PARAMS,
    SOLVERS,
    STOCHASTIC,
    TASKS,
    WEIGHTS,
    X,
    assert_same_predictions,
    assert_same_weights,
    fit_target,
    pair,
)

# Going on


@KINDS
def test_warm_start_of_lbfgs_equals_mlps(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind, solver="lbfgs", warm_start=True)
    for rows in (slice(None), slice(0, 50), slice(10, None)):
        for model in (ours, theirs):
            model.fit(X[rows], y[rows])
        assert_same_weights(ours, theirs, rtol=1e-6, atol=1e-8)
        assert ours.n_iter_ == theirs.n_iter_


def assert_same_fit(ours, theirs):
    """The same to the bit, whatever the number of calls that it took."""
    assert ours.loss_curve_ == theirs.loss_curve_
    for name in (
        "validation_scores_",
        "validation_loss_curve_",
        "best_validation_score_",
        "best_iter_",
        "best_loss_",
        "loss_",
        "t_",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("coefs_", "intercepts_", "norms_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            assert_array_equal(a, b, err_msg=name)
            assert a.dtype == b.dtype


GOING_ON = {
    **{solver: {"solver": solver} for solver in NAMED},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "spec": {"solver": SGD(momentum=0.5, learning_rate_init=0.05)},
    # The rest of the schedules run over the epochs of a call.
    **{
        name: {"solver": "sgd", "learning_rate": name, "learning_rate_init": 0.05}
        for name in ("invscaling", "adaptive", "inverse_time", "step", "exponential")
    },
    "stalling": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 10.0,
        "n_iter_no_change": 3,
    },
    "function": {"learning_rate": lambda step: 0.01 / (1 + step)},
    "in order": {"shuffle": False},
    "one batch": {"batch_size": "auto"},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.1},
    "early stopping, last": {"early_stopping": True, "restore_best": False},
    "validated by loss": {"early_stopping": True, "validation_scoring": "loss"},
    "dropout": {"dropout": 0.3},
    "dropout of the input": {"dropout": [0.2, 0.0, 0.4], "batch_size": "auto"},
    "batch norm": {"norm": "batch"},
    "layer norm": {"norm": "layer", "bias": False},
    "averaged": {"weight_averaging": 0.9},
    "averaged, one batch": {"weight_averaging": 0.99, "batch_size": "auto"},
    "averaged, early stopping": {
        "weight_averaging": 0.9,
        "early_stopping": True,
        "learning_rate_init": 0.1,
    },
    "all": {
        "solver": "nadam",
        "weight_averaging": 0.9,
        "early_stopping": True,
        "dropout": 0.2,
        "norm": "batch",
        "residual": True,
        "clip_norm": 0.5,
        "max_norm": 2.0,
        "l1_ratio": 0.5,
        "weight_init": "orthogonal",
        "init_output_bias": "baseline",
    },
    "float32": {"dtype": "float32"},
}


EXACT = PARAMS | {"n_iter_no_change": 100, "tol": 0.0}


STATES = {"int": lambda: 3, "generator": lambda: np.random.RandomState(3)}


def reloaded(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("between", [lambda model: model, reloaded], ids=["", "pickled"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", GOING_ON)
@KINDS
def test_two_fits_of_ten_epochs_are_one_of_twenty(kind, name, state, between):
    if name == "function" and between is reloaded:
        pytest.skip("a lambda cannot be pickled")
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    whole = kind(**params | {"max_iter": 20, "random_state": STATES[state]()}).fit(X, y)
    parts = kind(**params | {"max_iter": 10, "random_state": STATES[state]()}, warm_start=True)
    parts = between(parts.fit(X, y))
    assert not np.array_equal(parts.loss_curve_, whole.loss_curve_)
    assert_same_fit(parts.fit(X, y), whole)
    assert parts.n_iter_ == 10


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "averaged", "all"])
@KINDS
def test_parts_of_any_length_and_weights(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    whole = kind(**params | {"max_iter": 12}).fit(X, y, WEIGHTS)
    parts = kind(**params, warm_start=True)
    for n_epochs in (1, 6, 2, 3):
        parts.set_params(max_iter=n_epochs).fit(X, y, WEIGHTS)
    assert_same_fit(parts, whole)


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "batch norm"])
@KINDS
def test_parts_validated_on_given_rows(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    validation = {"X_val": X[:20], "y_val": y[:20], "sample_weight_val": WEIGHTS[:20]}
    whole = kind(**params | {"max_iter": 20}).fit(X, y, **validation)
    parts = kind(**params | {"max_iter": 10}, warm_start=True)
    parts.fit(X, y, **validation).fit(X, y, **validation)
    assert_same_fit(parts, whole)


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "averaged", "all"])
@KINDS
def test_warm_start_without_a_seed_goes_on(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name] | {"random_state": None, "learning_rate_init": 0.001}
    parts = kind(**params, warm_start=True).fit(X, y)
    first = reloaded(parts)
    parts.fit(X, y)
    assert parts.loss_curve_[:6] == first.loss_curve_
    assert len(parts.loss_curve_) == 12
    assert parts.t_ == 2 * first.t_
    # A start anew would lie farther from these weights than they from zero.
    moved = np.linalg.norm(parts.coefs_[0] - first.coefs_[0])
    assert moved < 0.5 * np.linalg.norm(first.coefs_[0])


ROW_CHANGES = [
    (slice(None), slice(0, 50)),
    (slice(0, 50), slice(None)),
    (slice(0, 50), slice(10, 60)),
]


@pytest.mark.parametrize("rows", ROW_CHANGES, ids=str)
@pytest.mark.parametrize(
    "name", ["adam", "sgd", "early stopping", "dropout", "averaged", "all"]
)
@KINDS
def test_warm_start_goes_on_with_other_rows(kind, name, rows):
    y = fit_target(kind)
    first, second = rows
    params = EXACT | GOING_ON[name]
    model = kind(**params, warm_start=True).fit(X[first], y[first])
    curve, steps = list(model.loss_curve_), model._training_state.solver_state.n_steps
    twin = reloaded(model)
    for each in (model, twin):
        each.fit(X[second], y[second])
    assert_same_fit(model, twin)
    assert model.loss_curve_[:6] == curve
    assert len(model.loss_curve_) == 12
    assert model._training_state.solver_state.n_steps > steps
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize(
    "change", [{"solver": "sgd"}, {"random_state": 9}, {"batch_size": 20}, {"alpha": 0.1}]
)
@KINDS
def test_warm_start_goes_on_with_other_parameters(kind, change):
    y = fit_target(kind)
    model = kind(**EXACT, warm_start=True).fit(X, y)
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(**change, learning_rate_init=1e-13).fit(X, y)
    for coef, own in zip(model.coefs_, before, strict=True):
        assert_allclose(coef, own, atol=1e-6)
    assert len(model.loss_curve_) == 12


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_warm_start_with_early_stopping_keeps_the_best_epoch_of_all(kind, solver):
    # scikit-learn keeps the last epoch here: it trains its copy of the best in place.
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, warm_start=True, early_stopping=True, max_iter=40)
    ours.set_params(learning_rate_init=0.03, validation_fraction=0.3).fit(X, y)
    best = pickle.loads(pickle.dumps(ours))
    ours.set_params(learning_rate_init=100.0).fit(X, y)
    assert_array_equal(ours.validation_scores_[: best.n_iter_], best.validation_scores_)
    assert ours.best_validation_score_ == max(ours.validation_scores_)
    assert ours.best_validation_score_ == best.best_validation_score_, "not a bad enough rate"
    assert_same_weights(ours, best, rtol=0, atol=0)


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_fit_without_warm_start_forgets(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    fresh = clone(ours).fit(X, y)
    again = clone(ours).fit(X[:40, :4], y[:40]).fit(X, y)
    assert_same_weights(again, fresh, rtol=0, atol=0)
    assert again.loss_curve_ == fresh.loss_curve_
    assert again.t_ == fresh.t_
    assert again.n_features_in_ == 6


@pytest.mark.parametrize("solver", SOLVERS)
def test_fit_without_warm_start_takes_other_classes(solver):
    ours, _ = pair(DeepClassifier, solver=solver)
    ours.fit(X, CODES).fit(X, BINARY + 7)
    assert_array_equal(ours.classes_, [7, 8])
    ours.fit(X, LABELS)
    assert ours.predict(X).shape == LABELS.shape


ROWS = [slice(0, 20), slice(20, 30), slice(25, 60)]


@pytest.mark.parametrize("after_fit", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize(
    "task", ["binary-names", "classes", "labels", "numbers", "two-columns"]
)
def test_series_of_partial_fits_equals_mlps(task, solver, weighted, after_fit):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver, learning_rate_init=0.02)
    if after_fit:
        ours.fit(X, y)
        theirs.fit(X, y)
    declared = {} if kind is DeepRegressor else {"classes": np.unique(y)}
    if task == "labels":
        declared = {"classes": np.arange(3)}
    for rows in ROWS:
        for model in (ours, theirs):
            weights = WEIGHTS[rows] if weighted else None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # batches larger than the rows
                model.partial_fit(X[rows], y[rows], sample_weight=weights, **declared)
        declared = {}
        assert_same_weights(ours, theirs)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-10)
        assert ours.n_iter_ == theirs.n_iter_ == 1
        assert ours.t_ == theirs.t_
    assert_same_predictions(ours, theirs, X)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_)


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_schedule_goes_on_over_partial_fits(schedule):
    params = {"solver": "sgd", "learning_rate": schedule, "learning_rate_init": 0.1}
    ours, theirs = pair(DeepRegressor, **params, tol=10.0, n_iter_no_change=2)
    for _ in range(12):
        for model in (ours, theirs):
            model.partial_fit(X, NUMBERS)
        assert_same_weights(ours, theirs, rtol=1e-9)


@KINDS
def test_partial_fit_on_single_rows(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind, batch_size="auto")
    declared = {} if kind is DeepRegressor else {"classes": [0, 1, 2]}
    for row in range(6):
        for model in (ours, theirs):
            model.partial_fit(X[[row]], y[[row]], **declared)
    assert_same_weights(ours, theirs)


def test_first_partial_fit_needs_no_classes_where_y_is_an_indicator_matrix():
    ours, _ = pair(DeepClassifier)
    ours.partial_fit(X, LABELS)
    assert ours.predict(X).shape == LABELS.shape


@pytest.mark.parametrize(
    ("first", "second"), [("sgd", "adam"), ("adam", "sgd"), ("lbfgs", "adam")]
)
@KINDS
def test_partial_fit_with_another_solver_starts_that_solver_anew(kind, first, second):
    y = fit_target(kind)
    changed = pair(kind, solver=first)[0].fit(X, y).set_params(solver=second, batch_size=16)
    anew = pair(kind, solver=second)[0].fit(X, y)
    anew._training_state.solver_state = None
    anew.coefs_ = [coef.copy() for coef in changed.coefs_]
    anew.intercepts_ = [bias.copy() for bias in changed.intercepts_]
    for model in (changed, anew):
        model.partial_fit(X, y)
    assert_same_weights(changed, anew, rtol=0, atol=0)


# What a fit resumes


def test_a_resumed_fit_computes_in_the_dtype_of_its_weights():
    model = DeepRegressor(hidden_layer_sizes=(4,), random_state=0)
    model.partial_fit(X.astype(np.float32), NUMBERS)
    with pytest.raises(ValueError, match="too large for float32"):
        model.partial_fit(X * 1e50, NUMBERS)
    model.partial_fit(X, NUMBERS, sample_weight=np.full(len(X), 1e100))
    assert model.coefs_[0].dtype == np.float32
    model.set_params(dtype="float64").partial_fit(X, NUMBERS)
    assert model.coefs_[0].dtype == np.float64


def test_a_changed_learning_rate_counts_after_a_partial_fit():
    def trained(*, between):
        model = DeepRegressor(
            hidden_layer_sizes=(4,),
            learning_rate_init=0.1,
            warm_start=True,
            max_iter=2,
            random_state=0,
        ).fit(X, NUMBERS)
        model.set_params(learning_rate_init=0.001)
        if between:
            model.partial_fit(X, NUMBERS)
        return model.fit(X, NUMBERS)._training_state.solver_state.rate

    assert trained(between=True) == trained(between=False) == pytest.approx(0.001)


def test_any_change_of_the_weights_counts():
    def resumed(change):
        model = DeepClassifier(
            (4,), early_stopping=True, warm_start=True, max_iter=15, random_state=0
        ).fit(X, CODES)
        assert model._training_state.solver_state.live is not None
        if change:
            model.coefs_[1][[0, 1]] = model.coefs_[1][[1, 0]]
        live = model.coefs_[1].copy()
        model.set_params(max_iter=1, learning_rate_init=1e-9).fit(X, CODES)
        return np.abs(model.coefs_[1] - live).max()

    assert resumed(change=True) < 1e-6


def test_an_interrupted_first_epoch_is_resumed_with_the_same_draws():
    calls = []

    def interrupted(step):
        calls.append(step)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return 0.01

    params = {"hidden_layer_sizes": (4,), "batch_size": 20, "max_iter": 3, "random_state": 0}
    params |= {"early_stopping": True, "warm_start": True}
    model = DeepClassifier(**params, learning_rate=interrupted)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, CODES)
    model.fit(X, CODES)
    whole = DeepClassifier(**params, learning_rate=lambda step: 0.01).fit(X, CODES)
    for one, other in zip(model.coefs_, whole.coefs_, strict=True):
        np.testing.assert_allclose(one, other)


def test_a_class_with_one_row_cannot_be_held_out():
    y = np.zeros(len(X), int)
    y[0] = 1
    with pytest.raises(ValueError, match=r"early_stopping=True.*\[1, .*pass X_val"):
        DeepClassifier(early_stopping=True).fit(X, y)
