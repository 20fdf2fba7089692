"""Metrics agree with counting and, where it has the same, with scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    hamming_loss,
    mean_squared_error,
)

from skdeep.metrics import (
    class_distance,
    distance,
    macro_f_measure,
    one_vs_rest_accuracy,
    one_vs_rest_balanced_accuracy,
    within_threshold,
)
from tests.metrics.counting import CRITERIA, QUIET, counted_distance, counted_within, one_hot

EACH_CRITERION = pytest.mark.parametrize("criterion", CRITERIA, ids=lambda f: f.__name__)


NAMES = {"numbers": [0, 1, 2, 7], "strings": ["a", "b", "bb", "ä"], "bools": [False, True]}


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
    # A weight is a number of repetitions, and only ratios of weights matter.
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
    # Without labels, a class counts as soon as it is predicted.
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
    """Targets, predictions and weights; in eighths, so that errors equal thresholds exactly."""
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
    with pytest.raises(ValueError, match="threshold must be a number above 0"):
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
    # Probabilities need not sum to 1.
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
    # With two classes per label, the columns of both count.
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
        ([0, 0], [[0.1, 0.9], [0.9, 0.1]], None, "pass the class of each column as labels"),
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
