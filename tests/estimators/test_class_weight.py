"""Laws: weights of classes and rows do what their docstrings say."""

import math

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from skdeep import DeepClassifier, DeepRegressor
from tests.estimators.iris import (
    CLASSIFIER_LOSSES,
    COLOURS,
    REGRESSOR_LOSSES,
    RNG,
    SPECIES,
    TASKS,
    WEIGHTS,
    N,
    X,
    assert_same,
    differ,
    model,
)

ALL_LOSSES = [
    *((DeepClassifier, loss, COLOURS) for loss in CLASSIFIER_LOSSES),
    *((DeepClassifier, loss, TASKS["binary"][0]) for loss in CLASSIFIER_LOSSES),
    *((DeepRegressor, loss, y) for loss, y in REGRESSOR_LOSSES.items()),
]


def rows_weighed(y, class_weight):
    """The weight of each row, row by row."""
    columns = y.reshape(N, -1)
    dicts = class_weight if isinstance(class_weight, list) else [class_weight]
    found = []
    for row in columns.tolist():
        own = [weights.get(label, 1.0) for weights, label in zip(dicts, row, strict=True)]
        found.append(math.prod(own))
    return np.array(found)


# Weights


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_class_weight_is_a_factor_of_sample_weight(task, weighted, params):
    y, class_weight = TASKS[task]
    weight = WEIGHTS if weighted else np.ones(N)
    of_rows = model(**params).fit(X, y, weight * rows_weighed(y, class_weight))
    of_classes = model(class_weight=class_weight, **params)
    of_classes.fit(X, y, WEIGHTS if weighted else None)
    assert_same(of_rows, of_classes)
    assert of_rows.validation_scores_ == of_classes.validation_scores_
    assert differ(of_classes, model(**params).fit(X, y, WEIGHTS if weighted else None))


@pytest.mark.parametrize("task", TASKS)
def test_balanced_is_scikit_learns(task):
    y = TASKS[task][0]
    balanced = model(class_weight="balanced").fit(X, y)
    assert_same(balanced, model().fit(X, y, compute_sample_weight("balanced", y)), 1e-9)


@pytest.mark.parametrize("task", TASKS)
def test_class_weight_in_partial_fit(task):
    y, class_weight = TASKS[task]
    classes = [np.unique(column) for column in y.T] if task == "multioutput" else None
    classes = np.unique(y) if y.ndim == 1 else classes
    of_rows, of_classes = model(), model(class_weight=class_weight)
    weight = rows_weighed(y, class_weight)
    for rows in (slice(0, 40), slice(30, 75)):
        of_rows.partial_fit(X[rows], y[rows], weight[rows], classes=classes)
        of_classes.partial_fit(X[rows], y[rows], classes=classes)
    assert_same(of_rows, of_classes)


def test_balanced_does_not_go_with_partial_fit():
    with pytest.raises(ValueError, match="is not supported by partial_fit"):
        model(class_weight="balanced").partial_fit(X, SPECIES, classes=[0, 1, 2])


def test_class_weight_counts_on_validation_rows():
    y, class_weight = TASKS["labels"]
    fitted = model(class_weight=class_weight, restore_best=False)
    fitted.fit(X, y, X_val=X[::3], y_val=y[::3], sample_weight_val=WEIGHTS[::3])
    weight = (WEIGHTS * rows_weighed(y, class_weight))[::3]
    right = fitted.predict(X[::3]) == y[::3]
    assert fitted.validation_scores_[-1] == pytest.approx(np.average(right, weights=weight))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(("kind", "loss", "y"), ALL_LOSSES)
def test_weights_are_repetitions(kind, loss, y, solver):
    times = RNG.randint(1, 3, N)
    params = {"loss": loss, "solver": solver, "alpha": 0, "shuffle": False}
    params["batch_size"] = "auto"
    weighted = model(kind, **params).fit(X, y, times.astype(float))
    repeated = model(kind, **params).fit(X.repeat(times, axis=0), y.repeat(times))
    assert_same(weighted, repeated, 1e-6)


@pytest.mark.parametrize(("kind", "loss", "y"), ALL_LOSSES)
def test_only_ratios_of_weights_count(kind, loss, y):
    fitted = model(kind, loss=loss, alpha=0).fit(X, y, WEIGHTS)
    assert_same(fitted, model(kind, loss=loss, alpha=0).fit(X, y, 7.3 * WEIGHTS), 1e-7)
    ones = model(kind, loss=loss).fit(X, y, np.ones(N))
    assert_same(ones, model(kind, loss=loss).fit(X, y), 1e-7)


def test_classes_of_weight_one_change_nothing():
    weighted = model().fit(X, COLOURS, WEIGHTS)
    ones = dict.fromkeys(COLOURS.tolist(), 1)
    assert_same(weighted, model(class_weight=ones).fit(X, COLOURS, WEIGHTS))
    assert_same(model().fit(X, COLOURS), model(class_weight=ones).fit(X, COLOURS), 1e-9)


BAD_WEIGHTS = [
    ("labels", {"red": "2"}),
    ("labels", {"red": -1}),
    ("labels", {"red": np.inf}),
    ("labels", {"red": np.nan}),
    ("labels", {"pink": 1}),
    ("labels", [{"red": 1}]),
    ("labels", dict.fromkeys(COLOURS.tolist(), 0)),
    ("multilabel", {0: 1}),
    ("multioutput", [None, {}, {}]),
    ("multioutput", [{}, {}]),
]


@pytest.mark.parametrize(("task", "class_weight"), BAD_WEIGHTS)
def test_bad_class_weights_are_named(task, class_weight):
    with pytest.raises(ValueError, match="class_weight"):
        model(class_weight=class_weight).fit(X, TASKS[task][0])
