"""Laws: a target decodes what it encodes, and scores as scikit-learn's metrics do.

accuracy_score and r2_score are the truth, on tables that hypothesis makes up: few rows,
constant columns, weights that are zero.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, r2_score

from skdeep.targets import (
    ClassTarget,
    MultilabelTarget,
    RegressionTarget,
    class_target,
    flat_column,
)

QUICK = settings(max_examples=60, deadline=None)

LABEL_SETS = [
    [0, 1],
    [False, True],
    ["no", "yes"],
    [-1.0, 1.0],
    [-5, 0, 17],
    ["a", "bb", "ccc", "d"],
    list(range(12)),
]
CLASS_SETS = pytest.mark.parametrize("labels", LABEL_SETS, ids=str)


def sizes(least=2, most=12):
    return st.integers(least, most)


def weights_of(data, n_rows):
    """None, or weights of which some may be zero, and not all."""
    given_weights = data.draw(
        st.none() | hnp.arrays(float, n_rows, elements=st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    )
    assume(given_weights is None or given_weights.sum() > 0)
    return given_weights


def raw_output(data, shape):
    return data.draw(hnp.arrays(float, shape, elements=st.integers(-9, 9).map(lambda k: k / 2)))


def confident(encoded):
    """Raw output of a network that is right everywhere."""
    return np.where(encoded, 3.0, -3.0)


# Classes


@CLASS_SETS
def test_classes_decode_what_they_encode(labels):
    target = ClassTarget(np.array(labels))
    y = np.array(labels)[np.arange(40) * 7 % len(labels)]
    encoded = target.encode(y)
    assert encoded.dtype == bool
    assert encoded.shape == (40, 1 if len(labels) == 2 else len(labels))
    decoded = target.decode(confident(encoded))
    assert_array_equal(decoded, y)
    assert decoded.dtype == y.dtype
    assert target.score(encoded, confident(encoded), None) == 1


@CLASS_SETS
@QUICK
@given(data=st.data())
def test_score_of_classes_is_accuracy(labels, data):
    target = ClassTarget(np.array(labels))
    n_rows = data.draw(sizes())
    y = np.array(labels)[
        data.draw(hnp.arrays(int, n_rows, elements=st.integers(0, len(labels) - 1)))
    ]
    raw = raw_output(data, (n_rows, target.n_outputs))
    weight = weights_of(data, n_rows)
    truth = accuracy_score(y, target.decode(raw.copy()), sample_weight=weight)
    assert target.score(target.encode(y), raw, weight) == pytest.approx(truth, abs=1e-12)


@CLASS_SETS
@QUICK
@given(data=st.data())
def test_probabilities_of_classes(labels, data):
    target = ClassTarget(np.array(labels))
    raw = raw_output(data, (data.draw(sizes()), target.n_outputs))
    if target.n_outputs == 1:
        truth = np.hstack([expit(-raw), expit(raw)])
    else:
        truth = softmax(raw, axis=1)
    assert_allclose(target.probabilities(raw.copy()), truth, atol=1e-14)
    untied = np.sort(truth, axis=1)[:, -1] > np.sort(truth, axis=1)[:, -2]
    likeliest = np.array(labels)[truth.argmax(axis=1)]
    assert_array_equal(target.decode(raw)[untied], likeliest[untied])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "target", [ClassTarget(np.arange(2)), ClassTarget(np.arange(3)), MultilabelTarget(3)]
)
def test_extreme_raw_output_gives_probabilities_without_warnings(target, dtype):
    raw = np.array([[-1e30], [-800], [-40], [0], [40], [800], [1e30]], dtype)
    raw = np.broadcast_to(raw, (7, target.n_outputs)).copy()
    raw[:, 1:] = 0
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        probability = target.probabilities(raw.copy())
    assert probability.dtype == dtype
    assert ((probability >= 0) & (probability <= 1)).all()
    # Rare and sure are told apart at either end.
    assert probability[2].min() > 0
    assert probability[4].min() > 0


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"one class only, \['a'\]"):
        ClassTarget(np.array(["a"]))


def test_check_of_classes():
    target = ClassTarget(np.array([1, 3, 5]))
    target.check(np.array([5, 1]), all_classes=False)
    target.check(np.array([5, 1, 3, 3]), all_classes=True)
    with pytest.raises(ValueError, match=r"\[4\].*\[1, 3, 5\]"):
        target.check(np.array([1, 4]), all_classes=False)
    with pytest.raises(ValueError, match=r"\[1, 3, 5\].*\[1, 5\]"):
        target.check(np.array([1, 5]), all_classes=True)


# Labels

CONTAINERS = pytest.mark.parametrize(
    "container", [np.asarray, sp.csr_matrix, sp.csr_array], ids=lambda kind: kind.__name__
)


@CONTAINERS
@QUICK
@given(data=st.data())
def test_labels_decode_what_they_encode(container, data):
    shape = data.draw(st.tuples(sizes(), sizes(2, 5)))
    y = data.draw(hnp.arrays(int, shape, elements=st.integers(0, 1)))
    target = MultilabelTarget(shape[1])
    encoded = target.encode(container(y))
    assert encoded.dtype == bool
    decoded = target.decode(confident(encoded))
    assert_array_equal(decoded, y)
    assert decoded.dtype == int
    assert target.score(encoded, confident(encoded), None) == 1


@QUICK
@given(data=st.data())
def test_score_of_labels_is_accuracy(data):
    shape = data.draw(st.tuples(sizes(), sizes(2, 4)))
    target = MultilabelTarget(shape[1])
    y = data.draw(hnp.arrays(int, shape, elements=st.integers(0, 1)))
    raw = raw_output(data, shape)
    weight = weights_of(data, shape[0])
    truth = accuracy_score(y, target.decode(raw.copy()), sample_weight=weight)
    assert target.score(target.encode(y), raw, weight) == pytest.approx(truth, abs=1e-12)
    assert_allclose(target.probabilities(raw.copy()), expit(raw))


@pytest.mark.parametrize(
    "y", [np.zeros((4, 2)), np.zeros(4), np.full((4, 3), 2), np.full((4, 3), 0.5)]
)
def test_check_of_labels(y):
    target = MultilabelTarget(3)
    target.check(np.eye(3)[[0, 1, 2, 0]], all_classes=False)
    target.check(sp.csr_array(np.eye(3)), all_classes=True)
    with pytest.raises(ValueError, match="indicator matrix"):
        target.check(y, all_classes=False)


# Numbers


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3)])
def test_numbers_decode_what_they_encode(shape, loss):
    y = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    n_outputs = 1 if len(shape) == 1 else shape[1]
    target = RegressionTarget(loss, n_outputs)
    encoded = target.encode(y)
    assert encoded.shape == (6, n_outputs)
    raw = np.log(encoded) if loss == "poisson" else encoded.copy()
    assert_allclose(target.decode(raw), y.reshape(6) if n_outputs == 1 else y)


VALUES = st.sampled_from([-2.0, -0.1, 0.0, 0.1, 0.3, 1.0, 1e3])


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@QUICK
@given(data=st.data())
def test_score_of_numbers_is_r2(loss, data):
    n_rows, n_outputs = data.draw(sizes()), data.draw(sizes(1, 3))
    constant = data.draw(st.lists(st.booleans(), min_size=n_outputs, max_size=n_outputs))
    y = data.draw(hnp.arrays(float, (n_rows, n_outputs), elements=VALUES))
    if loss == "poisson":
        y = np.abs(y)
    y[:, constant] = y[0, constant]
    raw = raw_output(data, (n_rows, n_outputs))
    if loss == "squared_error" and data.draw(st.booleans()):
        raw[:, 0] = y[:, 0]  # a column that is met exactly
    weight = weights_of(data, n_rows)
    target = RegressionTarget(loss, n_outputs)
    truth = r2_score(y, target.decode(raw.copy()), sample_weight=weight)
    found = target.score(target.encode(y if n_outputs > 1 else y[:, 0]), raw.copy(), weight)
    assert found == pytest.approx(truth, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("weight", [None, np.array([1.0, 2, 3, 0.5])])
@pytest.mark.parametrize(("raw", "score"), [(0.5, 1), (0.25, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_score_of_a_constant(raw, score, weight, dtype):
    y = np.full((4, 1), 0.5, dtype)
    prediction = np.full((4, 1), raw, dtype)
    assert r2_score(y, prediction, sample_weight=weight) == score
    assert RegressionTarget("squared_error", 1).score(y, prediction, weight) == score


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float32])
def test_score_of_numbers_of_other_dtypes(dtype):
    y = np.array([0, 1, 1, 0, 1], dtype)
    raw = np.array([[0.5], [0.75], [2.0], [-1.0], [0.0]])
    target = RegressionTarget("squared_error", 1)
    truth = r2_score(y.astype(float), raw[:, 0])
    assert target.score(target.encode(y), raw.copy(), None) == pytest.approx(truth)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match=r"y >= 0.* -0\.5"):
        RegressionTarget("poisson", 1).encode(np.array([1.0, -0.5]))
    RegressionTarget("squared_error", 1).encode(np.array([1.0, -0.5]))


# From y to its kind of target


@pytest.mark.parametrize(
    ("y", "kind", "classes"),
    [
        ([0, 1, 0], ClassTarget, [0, 1]),
        (["b", "a", "c"], ClassTarget, ["a", "b", "c"]),
        ([1.0, 2.0, 1.0], ClassTarget, [1, 2]),
        ([[1, 0], [0, 1], [1, 1]], MultilabelTarget, [0, 1]),
        (sp.csr_array(np.eye(3, dtype=int)), MultilabelTarget, [0, 1, 2]),
    ],
    ids=["binary", "names", "floats", "labels", "sparse-labels"],
)
def test_kind_of_target(y, kind, classes):
    y = y if sp.issparse(y) else np.array(y)
    target = class_target(y)
    assert type(target) is kind
    assert_array_equal(target.classes, classes)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0.5, 1.5, 0.1], "continuous"),
        ([[1, 2], [3, 4], [0, 1]], "several columns"),
        ([[0.5, 1], [2, 3], [0, 1]], "continuous"),
        ([1, 1, 1], "one class"),
    ],
)
def test_y_that_is_no_target(y, words):
    with pytest.raises(ValueError, match=words):
        class_target(np.array(y))


def test_one_column_becomes_a_vector():
    with pytest.warns(UserWarning, match="column-vector"):
        assert flat_column(np.ones((3, 1))).shape == (3,)
    for shape in ((3,), (3, 2)):
        assert flat_column(np.ones(shape)).shape == shape
    assert sp.issparse(flat_column(sp.csr_array(np.eye(3))))
