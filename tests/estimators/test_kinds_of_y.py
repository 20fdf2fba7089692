"""Law: each kind of target is learnt as scikit-learn's MLP learns it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score, r2_score

from skdeep import DeepClassifier
from tests.estimators.twins import (
    BINARY,
    CODES,
    LABELS,
    PARAMS,
    SOLVERS,
    TASKS,
    TWINS,
    WEIGHTS,
    N,
    X,
    assert_same_predictions,
    assert_same_weights,
    fit_target,
    pair,
)

NAMES_OF_TWO = np.array(["yes", "a longer no"])[BINARY]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_each_kind_of_target_is_learnt_as_mlp_learns_it(task, solver):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver)
    ours.fit(X, y)
    theirs.fit(X, y)
    assert_same_predictions(ours, theirs, X, rtol=1e-6)
    prediction, truth = ours.predict(X), theirs.predict(X)
    assert prediction.shape == truth.shape
    assert prediction.dtype == truth.dtype
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-10)
    if kind is DeepClassifier:
        assert_array_equal(ours.classes_, theirs.classes_)
        assert ours.classes_.dtype == theirs.classes_.dtype


@pytest.mark.parametrize("kind", TWINS)
def test_column_is_a_vector_with_one_warning(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        column = clone(ours).fit(X, y[:, None])
    seen = [w for w in caught if issubclass(w.category, DataConversionWarning)]
    assert len(seen) == 1, f"{len(seen)} warnings for one column"
    assert_same_weights(column, ours.fit(X, y), rtol=0, atol=0)
    assert_array_equal(column.predict(X), ours.predict(X))
    with pytest.warns(DataConversionWarning):
        theirs.fit(X, y[:, None])
    assert column.predict(X).shape == theirs.predict(X).shape == (N,)


def test_one_label_of_a_matrix_is_binary():
    with pytest.warns(DataConversionWarning):
        ours = pair(DeepClassifier)[0].fit(X, LABELS[:, :1])
    assert_array_equal(ours.classes_, [0, 1])
    assert ours.predict(X).shape == (N,)


def test_two_columns_of_zeros_and_ones_are_labels_not_classes():
    ours = pair(DeepClassifier)[0].fit(X, LABELS[:, :2])
    assert ours.out_activation_ == "logistic"
    assert ours.predict(X).shape == (N, 2)
    assert not np.allclose(ours.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("task", ["binary-int", "classes", "labels"])
def test_log_probabilities(task):
    ours = DeepClassifier(**PARAMS).set_params(solver="lbfgs", max_iter=40)
    ours.fit(X, TASKS[task][1])
    probability, logarithm = ours.predict_proba(X), ours.predict_log_proba(X)
    with np.errstate(divide="ignore"):
        assert_array_equal(logarithm, np.log(probability))
    # A rare class of two keeps its probability, which 1 - p would round to 0.
    if task == "binary-int":
        assert (probability > 0).all()
        assert logarithm.min() < -40


@pytest.mark.parametrize("task", ["binary-int", "classes", "labels", "numbers", "two-columns"])
def test_score_takes_weights(task):
    kind, y = TASKS[task]
    ours = pair(kind)[0].fit(X, y)
    score = accuracy_score if kind is DeepClassifier else r2_score
    assert ours.score(X, y, sample_weight=WEIGHTS) == pytest.approx(
        score(y, ours.predict(X), sample_weight=WEIGHTS), rel=1e-12
    )


# Several columns of classes, which scikit-learn's MLP refuses

BOTH = np.c_[CODES, 5 + CODES[::-1] % 2]


COLUMNS_OF_CLASSES = {
    "int": BOTH,
    "list": BOTH.tolist(),
    "frame": pd.DataFrame(BOTH, columns=["a", "b"]),
    "names": np.c_[
        np.array(["b", "cc", "a"])[CODES],
        NAMES_OF_TWO,
    ],
    "objects": np.c_[np.array(["b", "cc", "a"])[CODES], NAMES_OF_TWO].astype(object),
    "float": BOTH.astype(float),
    "uint8": BOTH.astype(np.uint8),
    "three": np.c_[BOTH, CODES[::-1]],
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", COLUMNS_OF_CLASSES)
def test_columns_of_classes_are_learnt(name, solver):
    y = COLUMNS_OF_CLASSES[name]
    table = np.asarray(y)
    ours = DeepClassifier((40,), solver=solver, max_iter=400, random_state=0, alpha=0)
    ours.set_params(learning_rate_init=0.05).fit(X, y)
    prediction = ours.predict(X)
    assert prediction.shape == table.shape
    # Objects that are all strings become strings, as in a single column.
    assert prediction.dtype.kind == table.dtype.kind.replace("O", "U")
    assert isinstance(ours.classes_, list)
    right = (prediction == table).all(axis=1)
    assert ours.score(X, y) == pytest.approx(right.mean())
    assert ours.score(X, y, WEIGHTS) == pytest.approx(np.average(right, weights=WEIGHTS))
    assert right.mean() > 0.9
    found = zip(
        table.T,
        ours.classes_,
        ours.predict_proba(X),
        ours.predict_log_proba(X),
        prediction.T,
        strict=True,
    )
    for column, classes, probability, logarithm, predicted in found:
        assert_array_equal(classes, np.unique(column))
        assert probability.shape == (N, len(classes))
        assert_allclose(probability.sum(axis=1), 1)
        with np.errstate(divide="ignore"):
            assert_array_equal(logarithm, np.log(probability))
        assert_array_equal(classes[probability.argmax(axis=1)], predicted)
    assert ours.n_outputs_ == sum(1 if len(c) == 2 else len(c) for c in ours.classes_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_columns_of_two_classes_are_learnt_as_mlp_learns_labels(solver):
    # Two columns of two classes each ask for the same network as two labels.
    ours, theirs = pair(DeepClassifier, solver=solver)
    columns = LABELS[:, :2] + [0, 2]
    ours.fit(X, columns)
    theirs.fit(X, LABELS[:, :2])
    assert_same_weights(ours, theirs, rtol=1e-6)
    assert_array_equal(ours.predict(X) - [0, 2], theirs.predict(X))
    for i, probability in enumerate(ours.predict_proba(X)):
        assert_allclose(probability[:, 1], theirs.predict_proba(X)[:, i], rtol=1e-6)
    assert ours.score(X, columns) == pytest.approx(theirs.score(X, LABELS[:, :2]))


def test_early_stopping_on_columns_of_classes_watches_the_share_of_rows_all_right():
    ours = DeepClassifier(**PARAMS, validation_fraction=0.5, early_stopping=True)
    ours.fit(X, BOTH)
    shares = 30 * np.array(ours.validation_scores_)
    assert_allclose(shares, shares.round())
    given = DeepClassifier(**PARAMS).fit(X, BOTH, X_val=X, y_val=BOTH)
    assert given.best_validation_score_ == pytest.approx(given.score(X, BOTH))
    assert given.best_validation_score_ == max(given.validation_scores_)


@pytest.mark.parametrize("name", ["int", "names", "objects"])
def test_partial_fit_on_columns_of_classes(name):
    y = np.asarray(COLUMNS_OF_CLASSES[name])
    classes = [np.unique(column) for column in y.T]
    ours = DeepClassifier(**PARAMS)
    few = y[:, 0] != classes[0][2]
    ours.partial_fit(X[few], y[few], classes=classes)
    ours.partial_fit(X, y).partial_fit(X, y, classes=classes)
    for known, given in zip(ours.classes_, classes, strict=True):
        assert_array_equal(known, given)
    assert ours.predict(X).shape == y.shape


def test_warm_start_on_columns_of_classes():
    ours = DeepClassifier(**PARAMS, warm_start=True).fit(X, BOTH).fit(X, BOTH)
    alone = DeepClassifier(**PARAMS | {"max_iter": 12}).fit(X, BOTH)
    assert_same_weights(ours, alone, rtol=0, atol=0)


def test_columns_of_numbers_beside_names():
    y = np.c_[np.array(["b", "cc", "a"], object)[CODES], 5 + BINARY.astype(object)]
    classes = [["a", "b", "cc"], [5, 6]]
    ours = DeepClassifier(**PARAMS).partial_fit(X, y, classes=classes)
    prediction = ours.predict(X)
    assert prediction.dtype == object
    assert {type(label) for label in prediction[:, 0]} == {str}
    assert not any(isinstance(label, str) for label in prediction[:, 1])


def test_fit_on_columns_of_numbers_beside_names():
    frame = pd.DataFrame({"a": np.array(["b", "cc", "a"])[CODES], "b": 5 + BINARY})
    ours = DeepClassifier(**PARAMS).fit(X, frame)
    assert_array_equal(ours.classes_[1], [5, 6])
