"""Laws: what is said of validation rows is what scikit-learn's own scorers say of them.

The estimators of each epoch are collected by a callback, and scored by hand.
"""

import copy
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, log_loss, make_scorer, mean_pinball_loss
from sklearn.metrics import mean_squared_error as mse
from sklearn.model_selection import GroupKFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

from skdeep import DeepClassifier, DeepRegressor

RNG = np.random.RandomState(0)
X, SPECIES = load_iris(return_X_y=True)
order = RNG.permutation(len(X))[:90]
X, SPECIES = scale(X[order]), SPECIES[order]
NUMBERS = X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=90)
MULTILABEL = np.column_stack([SPECIES == 0, X[:, 0] > 0]).astype(int)
MULTIOUTPUT = np.column_stack([SPECIES, 5 + (X[:, 0] > 0)])
TRAIN, VAL = slice(0, 60), slice(60, 90)
WEIGHT_VAL = RNG.uniform(0.1, 2, 30)
BINARY = (SPECIES == 2).astype(int)

TASKS = {
    "labels": (DeepClassifier, np.array(["c", "a", "b"])[SPECIES]),
    "binary": (DeepClassifier, BINARY),
    "multilabel": (DeepClassifier, MULTILABEL),
    "multioutput": (DeepClassifier, MULTIOUTPUT),
    "numbers": (DeepRegressor, NUMBERS),
    "two columns": (DeepRegressor, np.column_stack([NUMBERS, X[:, 2]])),
}
PER_TASK = pytest.mark.parametrize(("kind", "y"), TASKS.values(), ids=TASKS)
BOTH = pytest.mark.parametrize(
    ("kind", "y"), [TASKS["labels"], TASKS["numbers"]], ids=["classifier", "regressor"]
)


def model(kind, **params):
    defaults = {
        "hidden_layer_sizes": (6,),
        "learning_rate_init": 0.05,
        "max_iter": 8,
        "batch_size": 20,
        "random_state": 1,
    }
    return kind(**defaults | params)


class Epochs:
    """Collects the estimator as it would be if the fit ended there, for each epoch."""

    def __init__(self):
        self.models = []

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...
    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch" and fitted_estimator is not None:
            self.models.append(fitted_estimator)


def fit(estimator, y, weight_val=None, table=X):
    """Fit on the training rows, with the others to validate; the models of all epochs."""
    epochs = Epochs()
    estimator.set_callbacks(epochs)
    validation = {"X_val": table[VAL], "y_val": y[VAL], "sample_weight_val": weight_val}
    estimator.fit(table[TRAIN], y[TRAIN], **validation)
    return epochs.models


def assert_same(one, other, rtol=0.0):
    for a, b in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * 0.1)


@pytest.mark.parametrize("weight", [None, WEIGHT_VAL], ids=["", "weighted"])
@pytest.mark.parametrize("averaging", [0.0, 0.9])
@PER_TASK
def test_score_is_the_estimators_own(kind, y, weight, averaging):
    estimator = model(kind, restore_best=False, weight_averaging=averaging)
    models = fit(estimator, y, weight)
    scores = [one.score(X[VAL], y[VAL], sample_weight=weight) for one in models]
    np.testing.assert_allclose(estimator.validation_scores_, scores, rtol=1e-9)
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)
    assert estimator.best_iter_ == 1 + int(np.argmax(estimator.validation_scores_))
    assert len(models) == estimator.n_iter_ == 8


@pytest.mark.parametrize("convert", [sparse.csr_matrix, np.float32, np.asfortranarray])
@BOTH
def test_tables_of_all_kinds_are_validated_on(kind, y, convert):
    one, other = model(kind, dtype="float64"), model(kind, dtype="float64")
    table = convert(X)
    fit(one, y, table=table)
    fit(other, y)
    np.testing.assert_allclose(one.validation_scores_, other.validation_scores_, rtol=1e-4)


def half_mse(y, estimator, weight):
    return mse(y, estimator.predict(X[VAL]), sample_weight=weight) / 2


def columns_log_loss(y, estimator, weight):
    columns = estimator.predict_proba(X[VAL])
    if not isinstance(columns, list):
        columns = [np.column_stack([1 - p, p]) for p in columns.T]
    return sum(log_loss(t, p, sample_weight=weight) for t, p in zip(y.T, columns, strict=True))


def own_log_loss(y, estimator, weight):
    return log_loss(y, estimator.predict_proba(X[VAL]), sample_weight=weight)


LOSSES = {
    "labels": own_log_loss,
    "binary": own_log_loss,
    "multilabel": columns_log_loss,
    "multioutput": columns_log_loss,
    "numbers": half_mse,
    "two columns": half_mse,
}


@pytest.mark.parametrize("weight", [None, WEIGHT_VAL], ids=["", "weighted"])
@pytest.mark.parametrize("task", TASKS)
def test_loss_is_by_hand_and_without_penalty(task, weight):
    kind, y = TASKS[task]
    estimator = model(kind, restore_best=False, alpha=1.0)
    models = fit(estimator, y, weight)
    losses = [LOSSES[task](y[VAL], one, weight) for one in models]
    np.testing.assert_allclose(estimator.validation_loss_curve_, losses, rtol=1e-9)


def test_pinball_loss_of_several_quantiles():
    estimator = model(DeepRegressor, loss="quantile", quantile=[0.8, 0.2], restore_best=False)
    models = fit(estimator, NUMBERS)
    expected = []
    for one in models:
        columns = zip(one.predict(X[VAL]).T, [0.8, 0.2], strict=True)
        expected.append(
            np.mean([mean_pinball_loss(NUMBERS[VAL], p, alpha=q) for p, q in columns])
        )
    np.testing.assert_allclose(estimator.validation_loss_curve_, expected)
    np.testing.assert_allclose(estimator.validation_scores_, np.negative(expected))


SCORINGS = [
    ("labels", "neg_log_loss"),
    ("labels", "balanced_accuracy"),
    ("labels", "roc_auc_ovr"),
    ("binary", "roc_auc"),
    ("binary", "average_precision"),
    ("multilabel", "f1_macro"),
    ("numbers", "neg_mean_absolute_error"),
    ("numbers", make_scorer(mse, greater_is_better=False)),
    ("two columns", "explained_variance"),
]


@pytest.mark.parametrize("weight", [None, WEIGHT_VAL], ids=["", "weighted"])
@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize(("task", "scoring"), SCORINGS)
def test_scores_are_the_scorers(task, scoring, framed, weight):
    kind, y = TASKS[task]
    table = pd.DataFrame(X, columns=list("abcd")) if framed else X
    estimator = model(kind, validation_scoring=scoring, restore_best=False)
    models = fit(estimator, y, weight, table)
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    scores = [scorer(one, table[VAL], y[VAL], sample_weight=weight) for one in models]
    np.testing.assert_allclose(estimator.validation_scores_, scores, rtol=1e-9)


@PER_TASK
def test_scoring_by_loss_and_by_a_function(kind, y):
    by_loss = model(kind, validation_scoring="loss")
    fit(by_loss, y)
    np.testing.assert_array_equal(
        by_loss.validation_scores_, np.negative(by_loss.validation_loss_curve_)
    )

    def score(estimator, table, truth):
        return estimator.score(table, truth)

    by_function, own = model(kind, validation_scoring=score), model(kind)
    fit(by_function, y)
    fit(own, y)
    np.testing.assert_allclose(by_function.validation_scores_, own.validation_scores_)
    assert_same(by_function, own)


@pytest.mark.parametrize("scoring", [None, "loss"])
@PER_TASK
def test_weights_of_the_best_epoch_come_back(kind, y, scoring):
    params = {"max_iter": 15, "learning_rate_init": 0.5, "validation_scoring": scoring}
    best, last = model(kind, **params), model(kind, restore_best=False, **params)
    fit(best, y)
    models = fit(last, y)
    assert best.validation_scores_ == last.validation_scores_
    assert best.best_iter_ == last.best_iter_
    assert_same(best, models[best.best_iter_ - 1])
    assert_same(last, models[-1])
    if scoring is None:
        assert best.score(X[VAL], y[VAL]) == pytest.approx(best.best_validation_score_)


@BOTH
def test_held_out_rows_are_restored_likewise(kind, y):
    params = {"max_iter": 15, "learning_rate_init": 0.5, "early_stopping": True}
    best, last = model(kind, **params), model(kind, restore_best=False, **params)
    epochs = Epochs()
    best.fit(X, y)
    last.set_callbacks(epochs).fit(X, y)
    assert best.validation_scores_ == last.validation_scores_
    assert_same(best, epochs.models[best.best_iter_ - 1])
    assert_same(last, epochs.models[-1])


@BOTH
def test_early_stopping_watches_the_validation_rows_that_are_given(kind, y):
    params = {"max_iter": 60, "n_iter_no_change": 3, "tol": 0.02}
    watching, idle = model(kind, early_stopping=True, **params), model(kind, **params)
    fit(watching, y)
    fit(idle, y)
    scores = watching.validation_scores_
    assert len(scores) < 60
    assert scores == idle.validation_scores_[: len(scores)]
    # The rule, restated: more than three epochs in a row below the best so far + tol.
    stalled = n = 0
    best = -np.inf
    while stalled <= 3:
        stalled = stalled + 1 if scores[n] < best + 0.02 else 0
        best = max(best, scores[n])
        n += 1
    assert n == len(scores)
    assert watching.best_loss_ is None
    assert idle.best_loss_ == min(idle.loss_curve_)


@BOTH
def test_validation_rows_do_not_touch_training(kind, y):
    watched, plain = model(kind, restore_best=False), model(kind)
    fit(watched, y)
    assert_same(watched, plain.fit(X[TRAIN], y[TRAIN]))
    assert plain.validation_scores_ is plain.validation_loss_curve_ is plain.best_iter_ is None
    assert watched.t_ == 8 * 60


@pytest.mark.parametrize("splitter", [GroupKFold(3), TimeSeriesSplit(3)], ids=str)
@BOTH
def test_rows_to_validate_on_from_any_split(kind, y, splitter):
    groups = np.arange(90) // 10 if isinstance(splitter, GroupKFold) else None
    for train, test in splitter.split(X, y, groups):
        estimator = model(kind, early_stopping=True)
        estimator.fit(X[train], y[train], X_val=X[test], y_val=y[test])
        assert estimator.score(X[test], y[test]) == pytest.approx(
            estimator.best_validation_score_
        )


@pytest.mark.parametrize("framed", [False, True])
@BOTH
def test_pipeline_transforms_the_validation_rows(kind, y, framed):
    raw = 100 + 20 * X
    table = pd.DataFrame(raw, columns=list("abcd")) if framed else raw
    with config_context(enable_metadata_routing=True):
        last = model(kind).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("net", last)], transform_input=["X_val"]
        )
        if framed:
            pipeline.set_output(transform="pandas")
        weight = {"sample_weight_val": WEIGHT_VAL}
        pipeline.fit(table[TRAIN], y[TRAIN], X_val=table[VAL], y_val=y[VAL], **weight)
    scaler = StandardScaler().fit(raw[TRAIN])
    by_hand = model(kind).fit(
        scaler.transform(raw[TRAIN]),
        y[TRAIN],
        X_val=scaler.transform(raw[VAL]),
        y_val=y[VAL],
        **weight,
    )
    # A frame's columns lie elsewhere in memory, and are scaled with other rounding.
    scores = by_hand.validation_scores_
    np.testing.assert_allclose(pipeline["net"].validation_scores_, scores, rtol=1e-9)
    assert_same(pipeline["net"], by_hand, 1e-9)
    assert hasattr(pipeline["net"], "feature_names_in_") == framed


@BOTH
def test_frames_are_checked_by_name(kind, y):
    table = pd.DataFrame(X, columns=list("abcd"))
    other = table.rename(columns={"a": "z"})
    with pytest.raises(ValueError, match="feature names"):
        model(kind).fit(table, y, X_val=other, y_val=y)


BAD = [
    ({"X_val": X}, "X_val is given without y_val"),
    ({"y_val": SPECIES}, "without X_val"),
    ({"sample_weight_val": np.ones(90)}, "without X_val"),
    ({"X_val": X[:, :2], "y_val": SPECIES}, "In X_val.*features"),
    ({"X_val": X, "y_val": SPECIES[:5]}, "inconsistent"),
    ({"X_val": X, "y_val": SPECIES + 1}, "classes not in"),
    ({"X_val": X, "y_val": MULTILABEL}, "shape"),
    ({"X_val": X * np.nan, "y_val": SPECIES}, "NaN"),
    ({"X_val": X, "y_val": SPECIES, "sample_weight_val": np.zeros(90)}, "zero"),
    ({"X_val": X, "y_val": SPECIES, "sample_weight_val": np.ones(3)}, "sample_weight"),
]


@pytest.mark.parametrize(("validation", "message"), BAD)
def test_bad_validation_rows_are_named(validation, message):
    estimator = model(DeepClassifier)
    before = copy.copy(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, SPECIES, **validation)
    assert vars(estimator) == before


@BOTH
def test_a_class_or_more_may_be_missing_from_the_validation_rows(kind, y):
    rows = y == y[0] if kind is DeepClassifier else y > 0
    estimator = model(kind, restore_best=False).fit(X, y, X_val=X[rows], y_val=y[rows])
    assert estimator.validation_scores_[-1] == estimator.score(X[rows], y[rows])


@BOTH
def test_partial_fit_validates_each_call_and_restores_nothing(kind, y):
    estimator, plain = model(kind), model(kind)
    classes = {"classes": np.unique(y)} if kind is DeepClassifier else {}
    scores = []
    for _ in range(3):
        estimator.partial_fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL], **classes)
        plain.partial_fit(X[TRAIN], y[TRAIN], **classes)
        scores.append(estimator.score(X[VAL], y[VAL]))
    assert_same(estimator, plain)
    np.testing.assert_allclose(estimator.validation_scores_, scores)


@BOTH
def test_warm_start_goes_on_in_its_validation(kind, y):
    validation = {"X_val": X[VAL], "y_val": y[VAL]}
    whole = model(kind, max_iter=8).fit(X[TRAIN], y[TRAIN], **validation)
    halves = model(kind, max_iter=4, warm_start=True).fit(X[TRAIN], y[TRAIN], **validation)
    halves = pickle.loads(pickle.dumps(halves)).fit(X[TRAIN], y[TRAIN], **validation)
    assert whole.validation_scores_ == halves.validation_scores_
    assert whole.best_iter_ == halves.best_iter_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@BOTH
def test_max_time_stops_after_the_first_epoch(kind, y, solver):
    estimator = model(kind, max_time=1e-9, solver=solver)
    with pytest.warns(ConvergenceWarning, match="Time limit"):
        estimator.fit(X, y)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 1
    assert math.isfinite(estimator.score(X, y))
    assert_same(
        model(kind, max_time=1e9, solver=solver).fit(X, y), model(kind, solver=solver).fit(X, y)
    )


@pytest.mark.parametrize("given", [{"X_val": X, "y_val": SPECIES}, {"y_val": SPECIES}])
def test_lbfgs_takes_no_validation_rows(given):
    with pytest.raises(ValueError, match="X_val or y_val is not supported with solver='lbfgs'"):
        model(DeepClassifier, solver="lbfgs").fit(X, SPECIES, **given)
