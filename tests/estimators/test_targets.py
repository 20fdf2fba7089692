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

from skdeep.estimators.class_weight import class_weight_of_rows, explicit_class_weight
from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
    RegressionTarget,
    class_target,
    flat_column,
)
from skdeep.losses import REGRESSION_LOSSES, regression_loss

RNG = np.random.default_rng(0)
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
OUTPUTS = pytest.mark.parametrize("output", [None, "softmax", "logistic"])


def class_target_of(labels, output, smoothing=0.0):
    return ClassTarget(np.array(labels)).with_loss("log_loss", smoothing, output)


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
@OUTPUTS
def test_classes_decode_what_they_encode(labels, output):
    target = class_target_of(labels, output)
    y = np.array(labels)[np.arange(40) * 7 % len(labels)]
    encoded = target.encode(y)
    assert encoded.dtype == bool
    one_column = len(labels) == 2 and output is None
    assert encoded.shape == (40, 1 if one_column else len(labels))
    decoded = target.decode(confident(encoded))
    assert_array_equal(decoded, y)
    assert decoded.dtype == y.dtype
    assert target.score(encoded, confident(encoded), None) == 1


@CLASS_SETS
@OUTPUTS
@QUICK
@given(data=st.data())
def test_score_of_classes_is_accuracy(labels, output, data):
    target = class_target_of(labels, output)
    n_rows = data.draw(sizes())
    y = np.array(labels)[
        data.draw(hnp.arrays(int, n_rows, elements=st.integers(0, len(labels) - 1)))
    ]
    raw = raw_output(data, (n_rows, target.n_outputs))
    weight = weights_of(data, n_rows)
    truth = accuracy_score(y, target.decode(raw.copy()), sample_weight=weight)
    assert target.score(target.encode(y), raw, weight) == pytest.approx(truth, abs=1e-12)


@CLASS_SETS
@OUTPUTS
@QUICK
@given(data=st.data())
def test_probabilities_of_classes(labels, output, data):
    target = class_target_of(labels, output)
    raw = raw_output(data, (data.draw(sizes()), target.n_outputs))
    if target.n_outputs == 1:
        truth = np.hstack([expit(-raw), expit(raw)])
    elif output == "logistic":
        truth = expit(raw)
    else:
        truth = softmax(raw, axis=1)
    assert_allclose(target.probabilities(raw.copy()), truth, atol=1e-14)
    untied = np.sort(truth, axis=1)[:, -1] > np.sort(truth, axis=1)[:, -2]
    likeliest = np.array(labels)[truth.argmax(axis=1)]
    assert_array_equal(target.decode(raw)[untied], likeliest[untied])


@CLASS_SETS
@OUTPUTS
def test_only_two_classes_are_split_by_class(labels, output):
    # As scikit-learn's MLP does it, whatever the outputs of the network.
    target = class_target_of(labels, output, smoothing=0.1)
    y = np.array(labels)[np.arange(20) % len(labels)]
    strata = target.strata(target.encode(y))
    if len(labels) == 2:
        assert_array_equal(strata > 0.5, y == target.classes[1])
    else:
        assert strata is None


@CLASS_SETS
@OUTPUTS
def test_smoothing_spreads_over_what_may_be_right(labels, output):
    y = np.array(labels)
    hard = class_target_of(labels, output).encode(y)
    soft = class_target_of(labels, output, smoothing=0.3).encode(y)
    by_itself = output == "logistic" or (output is None and len(labels) == 2)
    assert_allclose(soft, 0.7 * hard + 0.3 / (2 if by_itself else len(labels)))


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


# Several columns of classes

COLUMN_SETS = [
    [[0, 1], [0, 1, 2]],
    [["a", "b", "c"], ["no", "yes"]],
    [["short", "x"], ["a longer one", "b", "c"]],
    [[-5, 0, 17], [3, 4], [0, 1, 2, 3]],
    [[0.5, 1.0], [0.0, 1.0, 2.0]],
]
COLUMNS = pytest.mark.parametrize("columns", COLUMN_SETS, ids=str)


def several(columns):
    return MultiOutputTarget([ClassTarget(np.array(labels)) for labels in columns])


def table_of(columns, codes):
    """Labels of shape (n_rows, n_columns)."""
    return np.column_stack(
        [np.array(labels)[code] for labels, code in zip(columns, codes.T, strict=True)]
    )


def drawn_codes(data, columns):
    widths = np.array([len(labels) for labels in columns])
    shape = (data.draw(sizes()), len(columns))
    return data.draw(hnp.arrays(int, shape, elements=st.integers(0, 11))) % widths


@COLUMNS
@QUICK
@given(data=st.data())
def test_columns_of_classes_decode_what_they_encode(columns, data):
    target = several(columns)
    y = table_of(columns, drawn_codes(data, columns))
    encoded = target.encode(y)
    widths = [1 if len(labels) == 2 else len(labels) for labels in columns]
    assert encoded.dtype == bool
    assert encoded.shape == (len(y), sum(widths)) == (len(y), target.n_outputs)
    decoded = target.decode(confident(encoded))
    assert_array_equal(decoded, y)
    assert decoded.dtype == y.dtype
    assert target.score(encoded, confident(encoded), None) == 1


@COLUMNS
@QUICK
@given(data=st.data())
def test_columns_of_classes_are_each_a_target_of_its_own(columns, data):
    target = several(columns)
    alone = [ClassTarget(np.array(labels)) for labels in columns]
    y = table_of(columns, drawn_codes(data, columns))
    assert_array_equal(
        target.encode(y),
        np.hstack([one.encode(column) for one, column in zip(alone, y.T, strict=True)]),
    )
    raw = raw_output(data, (len(y), target.n_outputs))
    parts = np.split(raw, np.cumsum([one.n_outputs for one in alone])[:-1], axis=1)
    probabilities = target.probabilities(raw.copy())
    decoded = target.decode(raw.copy())
    for i, (one, part) in enumerate(zip(alone, parts, strict=True)):
        assert_array_equal(probabilities[i], one.probabilities(part.copy()))
        assert_array_equal(decoded[:, i], one.decode(part))
        assert_array_equal(target.classes[i], one.classes)


@COLUMNS
@QUICK
@given(data=st.data())
def test_score_of_columns_of_classes_is_the_share_of_rows_all_right(columns, data):
    target = several(columns)
    y = table_of(columns, drawn_codes(data, columns))
    raw = raw_output(data, (len(y), target.n_outputs))
    weight = weights_of(data, len(y))
    right = (target.decode(raw.copy()) == y).all(axis=1)
    truth = np.average(right, weights=weight)
    for smoothed in (0.0, 0.3):
        found = target.with_loss("log_loss", smoothed)
        score = found.score(found.encode(y), raw.copy(), weight)
        assert score == pytest.approx(truth, abs=1e-12)


def test_columns_of_numbers_beside_names_keep_their_kinds():
    y = np.array([["a", 3], ["b", 4], ["c", 5], ["a", 4]], object)
    target = several([["a", "b", "c"], [3, 4, 5]])
    decoded = target.decode(confident(target.encode(y)))
    assert decoded.dtype == object
    assert decoded.tolist() == y.tolist()
    target.check(y, all_classes=True)


def test_kind_of_columns_of_numbers_beside_names():
    y = np.array([["a", 3], ["b", 4], ["c", 5], ["a", 4]], object)
    assert type(class_target(y)) is MultiOutputTarget


def test_check_of_columns_of_classes():
    target = several([[1, 3, 5], ["a", "b"]])
    y = np.array([[1, "a"], [5, "b"], [3, "a"]], object)
    target.check(y, all_classes=True)
    target.check(y[:1], all_classes=False)
    with pytest.raises(ValueError, match=r"'c'.*\['a', 'b'\]"):
        target.check(np.array([[1, "a"], [3, "c"]], object), all_classes=False)
    with pytest.raises(ValueError, match=r"\[1, 3, 5\].*\[1, 5\]"):
        target.check(y[:2], all_classes=True)
    for other in (y[:, :1], y[:, 0], np.c_[y, y]):
        with pytest.raises(ValueError, match=r"2 columns.*\("):
            target.check(other, all_classes=False)


# Smoothing


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize(
    "y",
    [np.arange(8) % 2, np.arange(8) % 4, np.eye(4, dtype=int), np.c_[[0, 1, 2], [5, 6, 5]]],
    ids=["binary", "classes", "labels", "columns"],
)
def test_smoothed_targets(y, share):
    hard = class_target(y)
    soft = hard.with_loss("log_loss", share)
    assert hard.smoothing == 0 if hasattr(hard, "smoothing") else True
    encoded = soft.encode(y)
    single = not isinstance(hard, MultiOutputTarget)
    widths = [hard.n_outputs] if single else [t.n_outputs for t in hard.targets]
    n_classes = np.concatenate(
        [np.full(w, 2.0 if w == 1 or hard.multilabel else w) for w in widths]
    )
    assert_allclose(encoded, (1 - share) * hard.encode(y) + share / n_classes)
    # What is right is so in spite of it.
    assert soft.score(encoded, confident(hard.encode(y)), None) == 1
    assert_array_equal(soft.decode(confident(hard.encode(y))), y)


# Weights of classes


@QUICK
@given(data=st.data())
def test_balanced_weights_give_each_class_the_same_sum(data):
    n_classes = data.draw(st.integers(2, 4))
    extra = data.draw(hnp.arrays(int, data.draw(sizes()), elements=st.integers(0, 9)))
    y = np.r_[np.arange(n_classes), extra % n_classes]
    explicit = explicit_class_weight("balanced", y, class_target(y))
    sums = np.bincount(y, class_weight_of_rows(explicit, y))
    assert_allclose(sums, len(y) / n_classes)


def test_weights_of_classes_that_are_not_named_are_one():
    y = np.array(["a", "b", "c", "b"])
    explicit = explicit_class_weight({"b": 5}, y, class_target(y))
    assert explicit == {"a": 1, "b": 5, "c": 1}
    assert_array_equal(class_weight_of_rows(explicit, y), [1, 5, 1, 5])


@pytest.mark.parametrize(
    ("y", "weights", "truth"),
    [
        (np.array([[1, 0], [1, 1], [0, 1]]), [{1: 3}, {0: 2}], [6, 3, 1]),
        (np.array([[5, 0], [6, 1], [7, 2]]), [{5: 2, 6: 0.5}, {2: 3, 0: 4}], [8, 0.5, 3]),
    ],
    ids=["labels", "columns"],
)
def test_weights_of_several_columns_multiply(y, weights, truth):
    explicit = explicit_class_weight(weights, y, class_target(y))
    assert_array_equal(class_weight_of_rows(explicit, y), truth)


# Numbers


def numbers_target(loss, n_columns):
    return RegressionTarget(regression_loss(loss), n_columns, np.arange(1))


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3)])
def test_numbers_decode_what_they_encode(shape, loss):
    y = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    n_outputs = 1 if len(shape) == 1 else shape[1]
    target = numbers_target(loss, n_outputs)
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
    target = numbers_target(loss, n_outputs)
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
    assert numbers_target("squared_error", 1).score(y, prediction, weight) == score


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float32])
def test_score_of_numbers_of_other_dtypes(dtype):
    y = np.array([0, 1, 1, 0, 1], dtype)
    raw = np.array([[0.5], [0.75], [2.0], [-1.0], [0.0]])
    target = numbers_target("squared_error", 1)
    truth = r2_score(y.astype(float), raw[:, 0])
    assert target.score(target.encode(y), raw.copy(), None) == pytest.approx(truth)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match=r"loss='poisson'.*y >= 0.* -0\.5"):
        numbers_target("poisson", 1).encode(np.array([1.0, -0.5]))
    numbers_target("squared_error", 1).encode(np.array([1.0, -0.5]))


def test_gamma_needs_more_than_zero():
    with pytest.raises(ValueError, match=r"loss='gamma'.*y > 0.* 0\.0"):
        numbers_target("gamma", 1).encode(np.array([1.0, 0.0]))


@pytest.mark.parametrize("loss", sorted(set(REGRESSION_LOSSES) - {"quantile"}))
def test_check_of_numbers(loss):
    target = numbers_target(loss, 2)
    target.check(np.ones((4, 2)), all_classes=True)
    for y, n_columns in [(np.ones(4), 1), (np.ones((4, 3)), 3)]:
        with pytest.raises(ValueError, match=rf"2 column.*{n_columns}"):
            target.check(y, all_classes=False)
    assert target.has_score


@pytest.mark.parametrize("quantiles", [(0.5,), (0.1, 0.5, 0.9), (0.9, 0.1, 0.5)])
def test_quantiles_are_decoded_in_the_order_of_the_user(quantiles):
    order = np.argsort(quantiles)
    loss = regression_loss("quantile", None, tuple(np.array(quantiles)[order].tolist()))
    target = RegressionTarget(loss, 1, np.argsort(order))
    assert target.n_outputs == len(quantiles)
    assert target.has_score == (len(quantiles) == 1)
    y = np.arange(5.0)
    assert target.encode(y).shape == (5, 1)
    found = target.decode(RNG.normal(size=(5, len(quantiles))))
    if len(quantiles) == 1:
        assert found.shape == (5,)
        return
    assert found.shape == (5, len(quantiles))
    assert (np.diff(found[:, order], axis=1) > 0).all()


def test_quantiles_of_several_columns_are_refused():
    with pytest.raises(ValueError, match=r"loss='quantile'.*one column.* 2.*MultiOutputReg"):
        numbers_target("quantile", 2)


# From y to its kind of target


@pytest.mark.parametrize(
    ("y", "kind", "classes"),
    [
        ([0, 1, 0], ClassTarget, [0, 1]),
        (["b", "a", "c"], ClassTarget, ["a", "b", "c"]),
        ([1.0, 2.0, 1.0], ClassTarget, [1, 2]),
        ([[1, 0], [0, 1], [1, 1]], MultilabelTarget, [0, 1]),
        (sp.csr_array(np.eye(3, dtype=int)), MultilabelTarget, [0, 1, 2]),
        ([[1, 2], [3, 4], [0, 2]], MultiOutputTarget, [[0, 1, 3], [2, 4]]),
        (
            [["a", "x"], ["b", "y"], ["a", "z"]],
            MultiOutputTarget,
            [["a", "b"], ["x", "y", "z"]],
        ),
    ],
    ids=["binary", "names", "floats", "labels", "sparse-labels", "columns", "name-columns"],
)
def test_kind_of_target(y, kind, classes):
    y = y if sp.issparse(y) else np.array(y)
    target = class_target(y)
    assert type(target) is kind
    several_columns = kind is MultiOutputTarget
    pairs = zip(
        *([target.classes, classes] if several_columns else [[target.classes], [classes]]),
        strict=True,
    )
    for found, truth in pairs:
        assert_array_equal(found, truth)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0.5, 1.5, 0.1], "continuous"),
        ([[0.5, 1], [2, 3], [0, 1]], "continuous"),
        ([1, 1, 1], "one class"),
        ([[1, 2], [1, 3], [1, 4]], "one class"),
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
