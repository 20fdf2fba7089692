"""Laws: scores are what counting by hand says, and scikit-learn's where it has the same.

Scorers are tried by name in every search, and each score is counted again from the fold.
"""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning, UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    get_scorer_names,
    hamming_loss,
    make_scorer,
    mean_squared_error,
)
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdeep import DeepClassifier, DeepRegressor, lockstep
from skdeep.metrics import (
    SCORERS,
    class_distance,
    distance,
    get_scorer,
    macro_f_measure,
    one_vs_rest_accuracy,
    one_vs_rest_balanced_accuracy,
    within_threshold,
)

# Truth by counting


def counts(y_true, y_pred, label, weight):
    """tp, tn, fp, fn of one class, sample by sample."""
    tp = tn = fp = fn = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        if true == label:
            tp, fn = tp + w * (pred == label), fn + w * (pred != label)
        else:
            fp, tn = fp + w * (pred == label), tn + w * (pred != label)
    return tp, tn, fp, fn


def counted_accuracy(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, tn, fp, fn = counts(y_true, y_pred, label, weight)
        per_class.append((tp + tn) / (tp + tn + fp + fn))
    return sum(per_class) / len(per_class)


def counted_balanced_accuracy(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, tn, fp, fn = counts(y_true, y_pred, label, weight)
        if tp + fn > 0:
            recall = tp / (tp + fn)
            specificity = tn / (tn + fp) if tn + fp > 0 else recall
            per_class.append((recall + specificity) / 2)
    return sum(per_class) / len(per_class)


def counted_f_measure(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, _, fp, fn = counts(y_true, y_pred, label, weight)
        per_class.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn > 0 else 0.0)
    return sum(per_class) / len(per_class)


def counted_within(y_true, y_pred, threshold, weight):
    hits = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        hits += w * all(abs(a - b) < threshold for a, b in zip(true, pred, strict=True))
    return hits / sum(weight)


def counted_distance(y_true, y_pred, weight):
    total = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        total += w * sum((a - b) ** 2 for a, b in zip(true, pred, strict=True)) / 2
    return total / sum(weight)


def one_hot(y, labels):
    return [[float(label == known) for known in labels] for label in y]


CRITERIA = {
    one_vs_rest_accuracy: counted_accuracy,
    one_vs_rest_balanced_accuracy: counted_balanced_accuracy,
    macro_f_measure: counted_f_measure,
}
EACH_CRITERION = pytest.mark.parametrize("criterion", CRITERIA, ids=lambda f: f.__name__)
NAMES = {"numbers": [0, 1, 2, 7], "strings": ["a", "b", "bb", "ä"], "bools": [False, True]}
# Warnings of classes that are absent have tests of their own.
QUIET = pytest.mark.filterwarnings("ignore:.*y_true", "ignore:.*ill-defined", "ignore:Nothing")


@st.composite
def labelled(draw):
    """Classes, true and predicted labels, weights."""
    names = draw(st.sampled_from(list(NAMES.values())))
    n = draw(st.integers(1, 12))
    rows = st.lists(st.sampled_from(names), min_size=n, max_size=n)
    weights = st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any)
    return names, np.array(draw(rows)), np.array(draw(rows)), np.array(draw(weights))


@st.composite
def indicated(draw):
    """Two indicator matrices and weights."""
    n, n_labels = draw(st.integers(2, 8)), draw(st.integers(2, 4))
    bits = st.lists(st.integers(0, 1), min_size=n * n_labels, max_size=n * n_labels)
    true, pred = (np.array(draw(bits)).reshape(n, n_labels) for _ in range(2))
    weights = st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any)
    return true, pred, np.array(draw(weights))


@QUIET
@EACH_CRITERION
@given(labelled())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_criteria_are_what_counting_says(criterion, drawn):
    names, true, pred, weight = drawn
    truth = CRITERIA[criterion]
    seen = sorted({*true.tolist(), *pred.tolist()})
    ones = np.ones(len(true))
    assert criterion(true, pred) == pytest.approx(truth(true, pred, seen, ones))
    assert criterion(true.tolist(), pred.tolist()) == criterion(true, pred)
    score = criterion(true, pred, labels=names, sample_weight=weight)
    assert score == pytest.approx(truth(true, pred, names, weight))
    assert isinstance(score, float)
    assert 0 <= score <= 1
    # A weight is a number of repetitions, and its unit is free.
    again = criterion(np.repeat(true, weight), np.repeat(pred, weight), labels=names)
    assert score == pytest.approx(again)
    scaled = criterion(true, pred, labels=names, sample_weight=0.37 * weight)
    assert score == pytest.approx(scaled)


@QUIET
@EACH_CRITERION
@given(indicated())
@settings(deadline=None, max_examples=40, derandomize=True)
def test_criteria_of_indicators_are_means_over_labels(criterion, drawn):
    true, pred, weight = drawn
    columns = range(true.shape[1])
    if criterion is one_vs_rest_balanced_accuracy:
        columns = [j for j in columns if (weight * true[:, j]).any()]
    one = CRITERIA[criterion]
    scores = [one(true[:, j], pred[:, j], [1], weight) for j in columns]
    score = criterion(true, pred, sample_weight=weight)
    assert score == pytest.approx(np.mean(scores) if scores else np.nan, nan_ok=True)
    assert criterion(sparse.csr_array(true), sparse.csr_array(pred), sample_weight=weight) == (
        pytest.approx(score, nan_ok=True)
    )


@given(labelled())
@settings(deadline=None, max_examples=60, derandomize=True)
@QUIET
def test_relatives_in_scikit_learn(drawn):
    _, true, pred, weight = drawn
    n_classes = len(np.union1d(true, pred))
    kwargs = {"sample_weight": weight}
    wrong = 1 - accuracy_score(true, pred, **kwargs)
    score = one_vs_rest_accuracy(true, pred, **kwargs)
    assert score == pytest.approx(1 - 2 * wrong / n_classes if n_classes > 1 else 1 - wrong)
    f1 = f1_score(true, pred, average="macro", **kwargs)
    assert macro_f_measure(true, pred, **kwargs) == f1
    if len(np.unique(true[weight > 0])) == n_classes == 2 or n_classes == 1:
        own = one_vs_rest_balanced_accuracy(true, pred, **kwargs)
        assert own == pytest.approx(balanced_accuracy_score(true, pred, **kwargs))


@given(indicated())
@settings(deadline=None, max_examples=40, derandomize=True)
def test_indicators_one_vs_rest_accuracy_is_hamming(drawn):
    true, pred, weight = drawn
    loss = hamming_loss(true, pred, sample_weight=weight)
    assert one_vs_rest_accuracy(true, pred, sample_weight=weight) == pytest.approx(1 - loss)


# Classes that are absent


def test_absent_classes_have_no_balanced_accuracy():
    with pytest.warns(UserWarning, match="classes not in y_true"):
        score = one_vs_rest_balanced_accuracy([0, 0, 1, 1], [0, 2, 1, 1])
    # Recall and specificity of 0: 1/2 and 1, of 1: 1 and 1; 2 has no recall.
    assert score == (0.75 + 1) / 2
    with pytest.warns(UserWarning, match="not in y_true"):
        assert balanced_accuracy_score([0, 0, 1, 1], [0, 2, 1, 1]) == (0.5 + 1) / 2


def test_wrong_is_equally_wrong_where_all_labels_are_given():
    true, every = [0, 0, 1, 1], [0, 1, 2]
    known = one_vs_rest_accuracy(true, [0, 1, 1, 0], labels=every)
    assert known == one_vs_rest_accuracy(true, [0, 2, 1, 0], labels=every)
    assert known == pytest.approx(1 - 4 / 12)
    # Left out, the class that is predicted counts once it is predicted.
    assert one_vs_rest_accuracy(true, [0, 1, 1, 0]) == 0.5


@pytest.mark.filterwarnings("ignore:y_pred contains")
def test_one_class_alone_leaves_its_recall():
    assert one_vs_rest_balanced_accuracy([3, 3, 3, 3], [3, 3, 3, 1]) == 0.75
    assert one_vs_rest_balanced_accuracy(["a"], ["a"]) == 1.0
    # A weight of zero is absence.
    kwargs = {"sample_weight": [1, 1, 1, 1, 0]}
    assert one_vs_rest_balanced_accuracy([3, 3, 3, 3, 1], [3, 3, 3, 1, 1], **kwargs) == 0.75


def test_no_class_at_all_is_not_a_number():
    zeros, some = np.zeros((3, 2), int), np.array([[0, 1], [0, 0], [0, 0]])
    with pytest.warns(UndefinedMetricWarning, match="No class"):
        assert np.isnan(one_vs_rest_balanced_accuracy(zeros, zeros))
    assert one_vs_rest_balanced_accuracy(some, some) == 1.0


def test_silent_where_an_absent_class_is_not_predicted(recwarn):
    score = one_vs_rest_balanced_accuracy([0, 1], [0, 1], labels=[0, 1, 2])
    assert score == 1.0
    assert one_vs_rest_accuracy([0, 1], [1, 0], labels=[0, 1, 2]) == pytest.approx(1 / 3)
    assert not recwarn.list


def test_f_measure_of_a_class_that_is_nowhere_is_zero():
    with pytest.warns(UndefinedMetricWarning):
        assert macro_f_measure([0, 1], [0, 1], labels=[0, 1, 2]) == pytest.approx(2 / 3)


@EACH_CRITERION
@pytest.mark.parametrize(
    ("true", "pred", "words"),
    [
        ([0, 1], [0, 1, 1], "inconsistent numbers"),
        (["a", "b"], [0, 1], "[Mm]ix"),
        ([0.5, 1.5], [0.5, 1.5], "continuous"),
        ([0, 1], [[0, 1], [1, 0]], "mix"),
        ([[0, 2], [1, 3]], [[0, 2], [1, 3]], "not supported"),
    ],
)
def test_criteria_refuse(criterion, true, pred, words):
    with pytest.raises((ValueError, TypeError), match=words):
        criterion(true, pred)


@pytest.mark.parametrize(
    "measure",
    [*CRITERIA, within_threshold, distance],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize(
    ("weight", "words"),
    [([0, 0], "zero"), ([1, -1], "[Nn]egative"), ([1], "shape"), ([1, np.nan], "NaN")],
    ids=str,
)
def test_weights_are_checked(measure, weight, words):
    with pytest.raises(ValueError, match=words):
        measure([0, 1], [0, 1], sample_weight=weight)


# Numbers


@st.composite
def numbers(draw):
    """Targets, predictions, weights, of eighths so that errors hit thresholds exactly."""
    n, n_outputs = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    eighths = st.lists(st.integers(-12, 12), min_size=n * n_outputs, max_size=n * n_outputs)
    true, pred = (np.array(draw(eighths)).reshape(n, n_outputs) / 8 for _ in range(2))
    weights = st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any)
    return true, pred, np.array(draw(weights))


@given(numbers())
@settings(deadline=None, max_examples=80, derandomize=True)
def test_numbers_are_what_counting_says(drawn):
    true, pred, weight = drawn
    repeated = np.repeat(true, weight, axis=0), np.repeat(pred, weight, axis=0)
    for threshold in (0.125, 0.5, 1.0):
        truth = counted_within(true, pred, threshold, weight)
        found = within_threshold(true, pred, threshold=threshold, sample_weight=weight)
        assert found == pytest.approx(truth)
        assert within_threshold(*repeated, threshold=threshold) == pytest.approx(truth)
    found = distance(true, pred, sample_weight=weight)
    assert found == pytest.approx(counted_distance(true, pred, weight))
    assert found == pytest.approx(distance(*repeated))
    assert found == pytest.approx(distance(true, pred, sample_weight=weight / 7))
    mse = mean_squared_error(true, pred, sample_weight=weight)
    assert found == pytest.approx(mse * true.shape[1] / 2)
    assert isinstance(found, float)


def test_an_error_of_the_threshold_is_outside():
    assert within_threshold([0, 0, 0], [0.5, -0.5, 0.25]) == pytest.approx(1 / 3)
    assert within_threshold([[0, 0], [0, 0]], [[0.1, 0.6], [0.1, 0.1]]) == 0.5


def test_numbers_in_any_container():
    true, pred = [1, 2, 3], [1.25, 2, 2]
    column = np.array(pred)[:, None]
    for y_true in (true, np.array(true, "uint8"), pd.Series(true), np.array(true)[:, None]):
        for y_pred in (pred, np.float32(pred), column, pd.DataFrame(column)):
            assert within_threshold(y_true, y_pred) == pytest.approx(2 / 3)
            assert distance(y_true, y_pred) == pytest.approx((0.0625 + 1) / 6)
    # Small unsigned numbers do not wrap around.
    assert distance(np.uint8([1]), np.uint8([3])) == 2.0


@pytest.mark.parametrize("measure", [within_threshold, distance], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("true", "pred", "words"),
    [
        ([1, 2], [1, 2, 3], "inconsistent numbers"),
        ([1, 2], [[1, 2], [1, 2]], "1 columns and y_pred 2"),
        ([1, np.nan], [1, 2], "y_true contains NaN"),
        ([1, 2], [1, np.inf], "y_pred contains infinity"),
        (["a", "b"], ["a", "b"], "could not convert"),
        ([], [], "minimum of 1"),
    ],
)
def test_numbers_refuse(measure, true, pred, words):
    with pytest.raises(ValueError, match=words):
        measure(true, pred)


@EACH_CRITERION
def test_a_single_column_of_labels_is_a_vector(criterion):
    true, pred = [0, 1, 1, 2], [0, 1, 2, 2]
    score = criterion(true, pred)
    assert criterion([[label] for label in true], [[label] for label in pred]) == score
    assert criterion(np.array(true)[:, None], pred) == score


@EACH_CRITERION
@pytest.mark.parametrize("labels", [[], {0, 1}, [1, 1, 0], "01", [[0, 1]]], ids=str)
def test_labels_are_one_or_more_different_classes(criterion, labels):
    with pytest.raises(ValueError, match="labels must be a list or array of one or more"):
        criterion([0, 1], [0, 1], labels=labels)


@pytest.mark.parametrize("threshold", [0, -1.0, np.nan, "a", None, [0.5]])
def test_thresholds_are_above_zero(threshold):
    with pytest.raises(ValueError, match="threshold must be above 0"):
        within_threshold([0.0], [0.0], threshold=threshold)


# Probabilities


@st.composite
def probabilities(draw):
    """Classes in any order, labels, probabilities, weights."""
    names = draw(st.permutations(draw(st.sampled_from(list(NAMES.values())))))
    n = draw(st.integers(1, 8))
    true = np.array(draw(st.lists(st.sampled_from(names), min_size=n, max_size=n)))
    seed = draw(st.integers(0, 99))
    proba = np.random.RandomState(seed).dirichlet(np.ones(len(names)), size=n)
    weights = st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any)
    return names, true, proba, np.array(draw(weights))


@given(probabilities())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_class_distance_is_half_the_squared_distance_to_one_hot(drawn):
    names, true, proba, weight = drawn
    ideal = one_hot(true, names)
    found = class_distance(true, proba, labels=names, sample_weight=weight)
    assert found == pytest.approx(counted_distance(ideal, proba, weight))
    assert found == pytest.approx(distance(ideal, proba, sample_weight=weight))
    in_order = np.argsort(names)
    brier = brier_score_loss(
        true,
        proba[:, in_order],
        labels=np.array(names)[in_order],
        sample_weight=weight,
        scale_by_half=True,
    )
    assert found == pytest.approx(brier)
    # Each class by itself: nothing has to add up to 1.
    found = class_distance(true, 0.5 * proba, labels=names, sample_weight=weight)
    assert found == pytest.approx(counted_distance(ideal, 0.5 * proba, weight))
    if len(np.unique(true)) == len(names):
        assert class_distance(true, proba[:, in_order]) == pytest.approx(
            class_distance(true, proba, labels=names)
        )


def test_class_distance_of_two_classes_is_the_brier_score():
    true, p = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.75, 0.5])
    both = np.column_stack([1 - p, p])
    assert class_distance(true, both) == pytest.approx(brier_score_loss(true, p))


def test_class_distance_of_several_labels():
    rng = np.random.RandomState(0)
    true, proba = rng.randint(2, size=(9, 3)), rng.uniform(size=(9, 3))
    weight = rng.randint(3, size=9)
    expected = counted_distance(true, proba, weight)
    forest = [np.column_stack([1 - p, p]) for p in proba.T]
    for y_true in (true, true.astype(bool), sparse.csr_array(true), pd.DataFrame(true)):
        assert class_distance(y_true, proba, sample_weight=weight) == pytest.approx(expected)
    assert class_distance(true, forest, sample_weight=weight) == pytest.approx(expected)
    assert class_distance(sparse.csr_array(true), forest) == class_distance(true, forest)
    # As two classes for each label, both columns count: that of yes, and that of no.
    found = class_distance(true, forest, labels=[[0, 1]] * 3, sample_weight=weight)
    assert found == pytest.approx(2 * expected)


def test_class_distance_of_several_columns_of_labels():
    rng = np.random.RandomState(0)
    true = np.column_stack([rng.randint(3, size=9), 5 + rng.randint(2, size=9)])
    proba = [rng.dirichlet(np.ones(3), size=9), rng.dirichlet(np.ones(2), size=9)]
    labels = [np.arange(3), np.array([5, 6])]
    each = [class_distance(true[:, j], proba[j], labels=labels[j]) for j in range(2)]
    assert class_distance(true, proba, labels=labels) == pytest.approx(sum(each))


@pytest.mark.parametrize("names", [[0, 1], [5, 6], ["0", "1"], [False, True]], ids=str)
def test_class_distance_of_columns_does_not_depend_on_names(names):
    rng = np.random.RandomState(0)
    codes = rng.randint(2, size=(9, 2))
    proba = [rng.dirichlet(np.ones(2), size=9) for _ in range(2)]
    labels = [np.array(names)] * 2
    ideal = np.hstack([np.eye(2)[column] for column in codes.T])
    expected = counted_distance(ideal, np.hstack(proba), np.ones(9))
    found = class_distance(np.array(names)[codes], proba, labels=labels)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("true", "proba", "labels", "words"),
    [
        ([0, 1], [0.1, 0.9], None, "a column for each class"),
        ([0, 1], [[0.1], [0.9]], None, "2 labels, .0, 1., but y_proba has 1"),
        ([0, 0], [[0.1, 0.9], [0.9, 0.1]], None, "pass as labels"),
        ([0, 2], [[0.1, 0.9], [0.9, 0.1]], [0, 1], "label 2, which is not among"),
        (["a"], [[0.1, 0.9]], [0, 1], "label 'a', which is not"),
        ([[1, 2], [1, 1]], [[0.1, 0.9], [0.9, 0.1]], None, "indicator matrix of 0 and 1"),
        ([[1, 0, 1]], [[0.1, 0.9]], None, "in the same shape"),
        ([0, 1], [[0.1, 0.9]], None, "inconsistent"),
        ([0, 1], [[0.1, np.nan], [1, 0]], None, "y_proba contains NaN"),
        ([[0, 5]], [np.eye(1), np.eye(1)], None, "no labels"),
        ([[0, 5]], [np.eye(1)], [[0]], "got 1 and 1"),
        ([[2, 0]], [np.array([[1.0, 0.0]])] * 2, [[0, 1]] * 2, "label 2, which is not among"),
        ([[2, 0]], [np.array([[1.0, 0.0]])] * 2, None, "indicator matrix of 0 and 1"),
    ],
)
def test_class_distance_refuses(true, proba, labels, words):
    with pytest.raises(ValueError, match=words):
        class_distance(true, proba, labels=labels)


# Scorers

RNG = np.random.RandomState(0)
X = RNG.normal(size=(90, 3))
SIGNAL = X[:, 0] + X[:, 1] * X[:, 2]
SPECIES = np.array(["a", "b", "c"])[np.digitize(SIGNAL, [-0.5, 0.6])]
BINARY = np.where(SIGNAL > 0, "yes", "no")
MULTILABEL = np.column_stack([SIGNAL > 0, X[:, 0] > 0.3, X[:, 1] > 0]).astype(int)
COLUMNS = np.column_stack([np.digitize(SIGNAL, [-0.5, 0.6]), 5 + (X[:, 0] > 0)])
TARGETS = np.column_stack([SIGNAL, X[:, 0] ** 2])
WEIGHT = RNG.randint(0, 4, size=90).astype(float)


def truth(name, model, X, y, weight=None):
    """The score of a fitted model by counting."""
    weight = np.ones(len(y)) if weight is None else weight
    pred = model.predict(X)
    if not is_classifier(model):
        y, pred = np.reshape(y, (len(y), -1)), np.reshape(pred, (len(y), -1))
        if name == "neg_distance":
            return -counted_distance(y, pred, weight)
        return counted_within(y, pred, 0.5, weight)
    if name == "simple":
        right = np.reshape(pred == y, (len(y), -1)).all(axis=1)
        return (right * weight).sum() / weight.sum()
    if name == "neg_distance":
        proba = model.predict_proba(X)
        if isinstance(proba, list):
            ideal = [one_hot(y[:, j], own) for j, own in enumerate(model.classes_)]
            return -counted_distance(np.hstack(ideal), np.hstack(proba), weight)
        ideal = y if y.ndim == 2 else one_hot(y, model.classes_)
        return -counted_distance(ideal, proba, weight)
    one = {f.__name__: CRITERIA[f] for f in CRITERIA}[name]
    if y.ndim == 2:
        return np.mean([one(y[:, j], pred[:, j], [1], weight) for j in range(y.shape[1])])
    return one(y, pred, np.unique(y), weight)


OF_CLASSES = ["simple", "neg_distance", *(f.__name__ for f in CRITERIA)]
OF_NUMBERS = ["simple", "neg_distance", "within_threshold"]
TASKS = {
    "three classes": (DeepClassifier, SPECIES, OF_CLASSES),
    "two classes": (DeepClassifier, BINARY, OF_CLASSES),
    "multilabel": (DeepClassifier, MULTILABEL, OF_CLASSES),
    "columns": (DeepClassifier, COLUMNS, ["simple", "neg_distance"]),
    "one target": (DeepRegressor, SIGNAL, OF_NUMBERS),
    "two targets": (DeepRegressor, TARGETS, OF_NUMBERS),
}
CASES = [
    pytest.param(kind, y, name, id=f"{task}-{name}")
    for task, (kind, y, names) in TASKS.items()
    for name in names
]
EACH_CASE = pytest.mark.parametrize(("kind", "y", "name"), CASES)
SEARCHED = [case for case in CASES if case.id.startswith(("three", "one"))]


def network(kind, **params):
    defaults = {
        "hidden_layer_sizes": (6,),
        "learning_rate_init": 0.05,
        "max_iter": 6,
        "random_state": 0,
    }
    return kind(**defaults | params)


def piped(kind):
    return make_pipeline(StandardScaler(), network(kind))


def grid(kind):
    return {f"{kind.__name__.lower()}__alpha": [1e-4, 10.0]}


def test_every_scorer_is_tried():
    tried = {name for *_, names in TASKS.values() for name in names}
    assert tried | {"neg_mean_pinball_loss"} == set(SCORERS)  # the last at its own place
    assert not set(SCORERS) & set(get_scorer_names())


@EACH_CASE
def test_scores_of_folds_are_what_counting_says(kind, y, name):
    scorer = get_scorer(name)
    run = cross_validate(
        piped(kind), X, y, scoring=scorer, cv=3, return_estimator=True, return_indices=True
    )
    folds = zip(run["estimator"], run["indices"]["test"], run["test_score"], strict=True)
    for model, rows, score in folds:
        assert score == pytest.approx(truth(name, model, X[rows], y[rows]))
        weight = WEIGHT[rows]
        weighted = scorer(model, X[rows], y[rows], sample_weight=weight)
        assert weighted == pytest.approx(truth(name, model, X[rows], y[rows], weight))
    assert len(set(run["test_score"])) > 1


SEARCHES = {
    "grid": GridSearchCV,
    "randomized": lambda model, grid, **kw: RandomizedSearchCV(
        model, grid, n_iter=2, random_state=0, **kw
    ),
    "halving": lambda model, grid, **kw: HalvingGridSearchCV(
        model, grid, factor=2, min_resources=45, random_state=0, **kw
    ),
}


@pytest.mark.filterwarnings("ignore:.*batch_size")
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
def test_searches_choose_by_scorer(search, kind, y, name):
    scorer = get_scorer(name)
    made = SEARCHES[search](
        piped(kind), grid(kind), scoring=scorer, cv=KFold(3), error_score="raise"
    ).fit(X, y)
    # A search is an estimator: its scorer scores it, and so does any other.
    assert made.score(X, y) == pytest.approx(truth(name, made, X, y))
    assert scorer(made, X, y) == pytest.approx(made.score(X, y))
    results = made.cv_results_
    last = results["iter"] == made.n_iterations_ - 1 if search == "halving" else slice(None)
    assert made.best_score_ == max(results["mean_test_score"][last])
    if search != "halving":
        params, score = results["params"][1], results["split2_test_score"][1]
        train, test = list(KFold(3).split(X))[2]
        model = piped(kind).set_params(**params).fit(X[train], y[train])
        assert score == pytest.approx(truth(name, model, X[test], y[test]))


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_all_scorers_at_once_in_processes_and_in_lockstep(kind):
    y, names = (SPECIES, OF_CLASSES) if kind is DeepClassifier else (SIGNAL, OF_NUMBERS)
    scoring = {name: get_scorer(name) for name in names} | {
        "second": make_scorer(within_threshold, threshold=0.1)
        if kind is DeepRegressor
        else "neg_log_loss"
    }

    def scores(n_jobs=None):
        search = GridSearchCV(
            piped(kind),
            grid(kind),
            scoring=scoring,
            refit="neg_distance",
            cv=3,
            n_jobs=n_jobs,
            error_score="raise",
        )
        results = search.fit(X, y).cv_results_
        return np.array([results[f"mean_test_{name}"] for name in scoring])

    alone = scores()
    np.testing.assert_allclose(scores(n_jobs=2), alone, rtol=1e-9)
    with lockstep():
        np.testing.assert_allclose(scores(), alone, rtol=1e-9)


@EACH_CASE
def test_scorers_watch_validation_rows(kind, y, name):
    train, rows = slice(0, 60), slice(60, 90)
    model = network(kind, validation_scoring=get_scorer(name), restore_best=False)
    validation = {"X_val": X[rows], "y_val": y[rows], "sample_weight_val": WEIGHT[rows]}
    model.fit(X[train], y[train], **validation)
    assert len(model.validation_scores_) == model.n_iter_
    last = truth(name, model, X[rows], y[rows], WEIGHT[rows])
    assert model.validation_scores_[-1] == pytest.approx(last)


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_are_copied(name):
    of_numbers = name in ("within_threshold", "neg_mean_pinball_loss")
    kind, y = (DeepRegressor, SIGNAL) if of_numbers else TASKS["two classes"][:2]
    params = {"loss": "quantile"} if name == "neg_mean_pinball_loss" else {}
    model = network(kind, **params).fit(X, y)
    scorer = get_scorer(name)
    assert scorer is not SCORERS[name]
    for other in (pickle.loads(pickle.dumps(scorer)), copy.deepcopy(scorer)):
        assert other(model, X, y) == scorer(model, X, y)
        assert repr(other) == repr(scorer)
    assert name in repr(scorer)
    assert get_scorer(scorer) is scorer
    with config_context(enable_metadata_routing=True):
        scorer.set_score_request(sample_weight=True)
        pickled = pickle.loads(pickle.dumps(scorer))
        for each in (scorer, pickled):
            assert each.get_metadata_routing().score.requests["sample_weight"] is True
        for fresh in (get_scorer(name), SCORERS[name]):
            assert fresh.get_metadata_routing().score.requests["sample_weight"] is None


def test_names_that_are_not_ours():
    model = LogisticRegression().fit(X, SPECIES)
    assert get_scorer("accuracy")(model, X, SPECIES) == model.score(X, SPECIES)
    assert get_scorer(None) is None
    with pytest.raises(ValueError, match=r"name 'distance'. skdeep has one_vs_rest_accuracy, "):
        get_scorer("distance")


# Quantiles

QUANTILES = [0.9, 0.1, 0.5]


def counted_pinball(y, y_pred, weight):
    losses = []
    for row, columns, own in zip(y, y_pred, weight, strict=True):
        for quantile, value in zip(QUANTILES, columns, strict=True):
            error = row - value
            losses.append(own * (quantile * error if error > 0 else (quantile - 1) * error))
    return sum(losses) / (weight.sum() * len(QUANTILES))


QUANTILE_NETWORK = network(DeepRegressor, loss="quantile", quantile=QUANTILES)
AROUND = {
    "alone": QUANTILE_NETWORK,
    "pipeline": make_pipeline(StandardScaler(), QUANTILE_NETWORK),
    "scaled target": TransformedTargetRegressor(QUANTILE_NETWORK, transformer=StandardScaler()),
    "scaled target of a pipeline": TransformedTargetRegressor(
        make_pipeline(StandardScaler(), QUANTILE_NETWORK), transformer=StandardScaler()
    ),
    "search": GridSearchCV(
        TransformedTargetRegressor(QUANTILE_NETWORK, transformer=StandardScaler()),
        {"regressor__alpha": [1e-4, 1e-2]},
        scoring=get_scorer("neg_mean_pinball_loss"),
        error_score="raise",
        cv=2,
    ),
}


@pytest.mark.parametrize("around", AROUND)
def test_quantiles_are_scored_through_what_is_around_their_regressor(around):
    model = clone(AROUND[around]).fit(X, SIGNAL)
    scorer = get_scorer("neg_mean_pinball_loss")
    predicted = model.predict(X)
    assert predicted.shape == (len(X), 3)
    for weight in (np.ones(len(X)), WEIGHT):
        truth = -counted_pinball(SIGNAL, predicted, weight)
        assert scorer(model, X, SIGNAL, sample_weight=weight) == pytest.approx(truth)
    if around in ("alone", "pipeline", "search"):
        assert model.score(X, SIGNAL) == pytest.approx(scorer(model, X, SIGNAL))


def test_quantiles_of_a_scaled_target_are_those_of_the_target():
    y = 1000 + 50 * SIGNAL
    plain = network(DeepRegressor, loss="quantile", quantile=QUANTILES)
    around = TransformedTargetRegressor(clone(plain), transformer=StandardScaler()).fit(X, y)
    by_hand = plain.fit(X, (y - y.mean()) / y.std()).predict(X) * y.std() + y.mean()
    np.testing.assert_allclose(around.predict(X), by_hand)


@pytest.mark.parametrize("model", [DeepRegressor(), LinearRegression()], ids=repr)
def test_what_has_no_quantiles_is_refused_by_their_scorer(model):
    model.fit(X, SIGNAL)
    with pytest.raises(ValueError, match=r"regressors of quantiles.*got (Deep|Linear)Regress"):
        get_scorer("neg_mean_pinball_loss")(model, X, SIGNAL)


# Sample weights


@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_searches_hand_on_weights(kind, y, name, several):
    scoring = {"own": get_scorer(name), "too": get_scorer("simple")} if several else None
    search = GridSearchCV(
        network(kind),
        {"alpha": [1e-4]},
        scoring=scoring or get_scorer(name),
        refit=False,
        cv=KFold(3),
        error_score="raise",
    ).fit(X, y, sample_weight=WEIGHT)
    key = "own" if several else "score"
    for k, (train, test) in enumerate(KFold(3).split(X)):
        model = network(kind).fit(X[train], y[train], sample_weight=WEIGHT[train])
        score = truth(name, model, X[test], y[test], WEIGHT[test])
        assert search.cv_results_[f"split{k}_test_{key}"][0] == pytest.approx(score)


@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
@pytest.mark.parametrize(
    ("request_", "given"),
    [(True, "sample_weight"), ("importance", "importance"), (False, "sample_weight")],
)
def test_weights_are_routed(kind, y, name, request_, given):
    step = kind.__name__.lower()
    with config_context(enable_metadata_routing=True):
        model = piped(kind)
        model[-1].set_fit_request(sample_weight=given if given == "importance" else True)
        model[0].set_fit_request(sample_weight=False)
        scorer = get_scorer(name).set_score_request(sample_weight=request_)
        search = GridSearchCV(
            model,
            {f"{step}__alpha": [1e-4]},
            scoring=scorer,
            cv=KFold(3),
            error_score="raise",
        ).fit(X, y, **{given: WEIGHT})
    for k, (train, test) in enumerate(KFold(3).split(X)):
        model = piped(kind).fit(X[train], y[train], **{f"{step}__sample_weight": WEIGHT[train]})
        weight = WEIGHT[test] if request_ else None
        score = truth(name, model, X[test], y[test], weight)
        assert search.cv_results_[f"split{k}_test_score"][0] == pytest.approx(score)


@pytest.mark.parametrize("name", ["simple", "macro_f_measure"])
def test_weights_without_a_request_raise(name):
    with config_context(enable_metadata_routing=True):
        model = network(DeepClassifier).set_fit_request(sample_weight=True)
        search = GridSearchCV(model, {"alpha": [1e-4]}, scoring=get_scorer(name))
        with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight. are passed"):
            search.fit(X, SPECIES, sample_weight=WEIGHT)


# Folds and other estimators


@QUIET
@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("y", [SPECIES, COLUMNS], ids=["labels", "columns"])
def test_folds_that_lack_a_class(name, y):
    if y.ndim == 2 and name not in ("simple", "neg_distance"):
        pytest.skip("several columns of labels have no one-vs-rest counts")
    order = np.argsort(y if y.ndim == 1 else y[:, 0], kind="stable")
    run = cross_validate(
        piped(DeepClassifier),
        X[order],
        y[order],
        scoring=get_scorer(name),
        cv=KFold(3),
        error_score="raise",
    )
    assert np.isfinite(run["test_score"]).all()


def test_a_class_never_seen_is_a_class_of_probability_zero():
    known, y = SPECIES != "b", SPECIES
    model = network(DeepClassifier).fit(X[known], y[known])
    proba = model.predict_proba(X)
    padded = np.column_stack([proba[:, 0], np.zeros(len(X)), proba[:, 1]])
    expected = -counted_distance(one_hot(y, ["a", "b", "c"]), padded, np.ones(len(X)))
    assert get_scorer("neg_distance")(model, X, y) == pytest.approx(expected)
    found = get_scorer("one_vs_rest_accuracy")(model, X, y)
    assert found == pytest.approx(truth("one_vs_rest_accuracy", model, X, y))
    with pytest.raises(ValueError, match=r"[Mm]ix"):
        get_scorer("neg_distance")(model, X, np.arange(len(X)))


def test_accuracy_is_over_the_classes_that_the_estimator_knows():
    model = network(DeepClassifier, max_iter=60).fit(X, SPECIES)
    rows = (SPECIES != "c") & (model.predict(X) != "c")
    assert not (model.predict(X[rows]) == SPECIES[rows]).all()
    found = get_scorer("one_vs_rest_accuracy")(model, X[rows], SPECIES[rows])
    wrong = 1 - model.score(X[rows], SPECIES[rows])
    assert found == pytest.approx(1 - 2 * wrong / 3)


@pytest.mark.parametrize("name", ["simple", "neg_distance", "one_vs_rest_accuracy"])
def test_estimators_of_scikit_learn(name):
    model = LogisticRegression().fit(X, SPECIES)
    assert get_scorer(name)(model, X, SPECIES) == pytest.approx(truth(name, model, X, SPECIES))
    forest = RandomForestClassifier(5, max_depth=2, random_state=0).fit(X, MULTILABEL)
    found = get_scorer(name)(forest, X, MULTILABEL)
    if name == "neg_distance":
        proba = np.column_stack([p[:, 1] for p in forest.predict_proba(X)])
        assert found == pytest.approx(-counted_distance(MULTILABEL, proba, np.ones(len(X))))
    else:
        assert found == pytest.approx(truth(name, forest, X, MULTILABEL))


def test_regressors_of_scikit_learn_and_targets_as_column():
    model = LinearRegression().fit(X, SIGNAL)
    for name in OF_NUMBERS:
        expected = truth(name, model, X, SIGNAL)
        assert get_scorer(name)(model, X, SIGNAL) == pytest.approx(expected)
        assert get_scorer(name)(model, X, SIGNAL[:, None]) == pytest.approx(expected)


@pytest.mark.parametrize(
    "as_", [list, pd.Series, lambda y: pd.Series(y, dtype="category"), lambda y: y[:, None]]
)
@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_in_any_container(name, as_):
    model = network(DeepClassifier).fit(X, SPECIES)
    expected = truth(name, model, X, SPECIES)
    assert get_scorer(name)(model, X, as_(SPECIES)) == pytest.approx(expected)


MIXED = pd.DataFrame({"species": SPECIES, "side": (X[:, 0] > 0).astype(int)})


@pytest.mark.parametrize("name", ["simple", "neg_distance"])
@pytest.mark.parametrize("as_", [pd.DataFrame, lambda y: y.to_numpy()], ids=["frame", "array"])
def test_columns_of_mixed_kinds(name, as_):
    model = network(DeepClassifier).fit(X, as_(MIXED))
    found = get_scorer(name)(model, X, as_(MIXED), sample_weight=WEIGHT)
    assert found == pytest.approx(truth(name, model, X, MIXED.to_numpy(), WEIGHT))
    # A class of a column that the rows of the fit lack.
    known = SPECIES != "b"
    model = network(DeepClassifier).fit(X[known], as_(MIXED[known]))
    assert np.isfinite(get_scorer(name)(model, X, as_(MIXED)))


def test_neg_distance_of_columns_of_zero_and_one():
    # Objects are columns of labels, whatever the labels are.
    y = MULTILABEL[:, :2].astype(object)
    model = network(DeepClassifier).fit(X, y)
    found = get_scorer("neg_distance")(model, X, y)
    assert found == pytest.approx(truth("neg_distance", model, X, y))


def test_neg_distance_of_a_forest_that_saw_one_value_of_a_label():
    rows = MULTILABEL[:, 0] == 0
    forest = RandomForestClassifier(5, max_depth=2, random_state=0)
    forest.fit(X[rows], MULTILABEL[rows])
    others = [p[:, 1] for p in forest.predict_proba(X)[1:]]
    proba = np.column_stack([np.zeros(len(X)), *others])
    expected = -counted_distance(MULTILABEL, proba, np.ones(len(X)))
    for y in (MULTILABEL, sparse.csr_array(MULTILABEL)):
        assert get_scorer("neg_distance")(forest, X, y) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["simple", "neg_distance"])
@pytest.mark.parametrize(
    "wrong", [COLUMNS[:, :1], COLUMNS[:, 0], COLUMNS[:, [0, 1, 1]], COLUMNS[:1]], ids=np.shape
)
def test_columns_of_labels_have_the_shape_of_the_predictions(name, wrong):
    model = network(DeepClassifier).fit(X, COLUMNS)
    with pytest.raises(ValueError, match=r"shape of the predictions, \(90, 2\)"):
        get_scorer(name)(model, X, wrong)


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        (LinearRegression(), "one_vs_rest_accuracy", "scores classifiers only"),
        (KMeans(2, random_state=0), "one_vs_rest_accuracy", "scores classifiers only"),
        (KMeans(2, random_state=0), "simple", "neither"),
        (KMeans(2, random_state=0), "neg_distance", "neither"),
    ],
)
def test_scorers_refuse_other_kinds_of_estimators(model, name, words):
    with pytest.raises(ValueError, match=words):
        get_scorer(name)(model.fit(X, SIGNAL), X, SIGNAL)


class Sign(ClassifierMixin, BaseEstimator):
    """A rule, without classes_ as there is no fit."""

    def predict(self, X):
        return np.where(X[:, 0] > 0, "yes", "no")


def test_simple_asks_for_no_classes():
    found = get_scorer("simple")(Sign(), X, BINARY)
    assert found == np.mean(Sign().predict(X) == BINARY)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_as_a_list_of_lists(name):
    model = network(DeepClassifier).fit(X, SPECIES)
    expected = truth(name, model, X, SPECIES)
    found = get_scorer(name)(model, X, SPECIES[:, None].tolist())
    assert found == pytest.approx(expected)


def test_neg_distance_needs_probabilities():
    search = GridSearchCV(
        LinearRegression(), {"fit_intercept": [True]}, scoring=get_scorer("neg_distance")
    )
    assert search.fit(X, SIGNAL).best_score_ < 0
    with pytest.raises(AttributeError, match="predict_proba"):
        get_scorer("neg_distance")(LinearSVC().fit(X, BINARY), X, BINARY)
