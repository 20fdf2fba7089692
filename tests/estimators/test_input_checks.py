"""Laws: what cannot be learned from is named, column by column; and weights count by ratio.

Each table is of cases; both estimators, arrays and frames, fit and prediction go through it.
"""

import datetime
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import make_scorer, max_error

from skdeep import DeepClassifier, DeepRegressor

pytestmark = pytest.mark.filterwarnings("ignore:Maximum iterations")

N = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = np.arange(N) % 2
DAYS = np.arange(N).astype("m8[D]")
DATES = np.datetime64("2026-01-01") + DAYS
KINDS = [DeepClassifier, DeepRegressor]
BOTH = pytest.mark.parametrize("kind", KINDS)


def small(kind, **params):
    given = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    return kind(**given | params)


def words_of(call, *args, error=ValueError, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def each_way(kind, bad, **params):
    """Messages for a table in fit, as validation rows, and in predict."""
    model = small(kind, **params)
    yield words_of(model.fit, bad, Y)
    yield words_of(small(kind, **params).fit, X, Y, X_val=bad, y_val=Y)
    yield words_of(model.fit(X, Y).predict, bad)


# Columns that hold no numbers


def pandas_frame(column):
    return pd.DataFrame({"x": X[:, 0], "bad": column, "z": X[:, 1]})


def polars_frame(column):
    return pl.DataFrame({"x": X[:, 0], "bad": column, "z": X[:, 1]})


def array(column):
    return np.array([X[:, 0], column, X[:, 1]], dtype=object).T


def nested_list(column):
    return [
        [float(x), value, float(z)]
        for x, value, z in zip(X[:, 0], column, X[:, 1], strict=True)
    ]


LETTERS = np.array(list("abcd") * (N // 4))
MISSING = np.where(np.arange(N) < 2, np.nan, X[:, 2])
INFINITE = np.where(np.arange(N) < 3, np.inf, X[:, 2])
ENCODERS = ["OneHotEncoder", "TargetEncoder", "make_column_transformer", "TableVectorizer"]
IMPUTER = ["Input X contains NaN", "2 rows", "SimpleImputer"]
INFINITY = ["Input X contains infinity", "3 rows"]
TIMES = ["dates or durations", "np.timedelta64(1, 'D')"]
# Name, how the table is made, its bad column, what the message says of it.
COLUMNS = [
    ("pandas-str", pandas_frame, LETTERS.tolist(), ["column 'bad' (str)", "'a'", *ENCODERS]),
    ("pandas-object", pandas_frame, LETTERS.astype(object), ["column 'bad'", *ENCODERS]),
    ("pandas-category", pandas_frame, pd.Categorical(LETTERS), ["'bad' (category)", *ENCODERS]),
    ("polars-str", polars_frame, LETTERS.tolist(), ["column 'bad' (String)", *ENCODERS]),
    (
        "polars-category",
        polars_frame,
        pl.Series(LETTERS.tolist(), dtype=pl.Categorical),
        ["'bad' (Categorical)", *ENCODERS],
    ),
    ("objects", array, LETTERS.tolist(), ["column 1 (object)", "'a'", *ENCODERS]),
    ("list", nested_list, LETTERS.tolist(), ["column 1 (<U", "float: 'a'", *ENCODERS]),
    ("pandas-dates", pandas_frame, DATES, ["'bad' (datetime64[s])", *TIMES]),
    ("pandas-days", pandas_frame, DAYS, ["'bad' (timedelta64[s])", *TIMES]),
    ("polars-dates", polars_frame, DATES, ["'bad' (Date)", *TIMES]),
    ("polars-days", polars_frame, DAYS.astype("m8[ms]"), ["'bad' (Duration", *TIMES]),
    ("object-dates", array, [datetime.date(2026, 1, 1)] * N, ["column 1", *TIMES]),
    ("object-stamps", array, [pd.Timestamp("2026")] * N, ["column 1", *TIMES]),
    ("object-days", array, list(DAYS), ["column 1", *TIMES]),
    ("pandas-nan", pandas_frame, MISSING, ["column 'bad'", *IMPUTER]),
    ("pandas-NA", pandas_frame, pd.array(MISSING, "Float64"), ["column 'bad'", *IMPUTER]),
    ("polars-null", polars_frame, [None, None, *MISSING[2:]], ["column 'bad'", *IMPUTER]),
    ("array-nan", lambda c: array(c).astype(float), MISSING, ["column 1", *IMPUTER]),
    ("float32-nan", lambda c: array(c).astype("f4"), MISSING, ["column 1", *IMPUTER]),
    ("objects-nan", array, MISSING, ["column 1", *IMPUTER]),
    ("list-nan", nested_list, MISSING, ["column 1", *IMPUTER]),
    (
        "sparse-nan",
        lambda c: csr_matrix(array(c).astype(float)),
        MISSING,
        ["column 1", *IMPUTER],
    ),
    ("pandas-inf", pandas_frame, INFINITE, ["column 'bad'", *INFINITY]),
    ("array-inf", lambda c: array(c).astype(float), INFINITE, ["column 1", *INFINITY]),
    ("list-huge", nested_list, [10**400] * N, ["column 1", "too large to convert"]),
]


@pytest.mark.filterwarnings(
    "ignore:X does not have valid feature names", "ignore:X has feature"
)
@pytest.mark.parametrize(
    ("make", "column", "words"), [row[1:] for row in COLUMNS], ids=[row[0] for row in COLUMNS]
)
@BOTH
def test_a_column_that_holds_no_numbers_is_named(kind, make, column, words):
    for message in each_way(kind, make(column)):
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in: {message}"
        assert "HistGradientBoosting" not in message
        assert len(message) < 600


@pytest.mark.parametrize("dtype", ["m8[s]", "M8[s]"])
@BOTH
def test_times_are_no_numbers(kind, dtype):
    days = np.arange(N * 3).reshape(N, 3).astype(dtype)
    days[0, 0] = "NaT"
    for bad in (days, days.tolist(), list(days)):
        for message in each_way(kind, bad):
            assert "dates or durations in columns 0" in message


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@BOTH
def test_dates_and_text_are_told_at_once(kind, make):
    frame = make({"x": X[:, 0], "when": DATES, "city": LETTERS.tolist()})
    message = words_of(small(kind).fit, frame, Y)
    assert re.search(r"dates or durations in column 'when' .*values in column 'city'", message)


@BOTH
def test_many_columns_are_not_all_named(kind):
    bad = pd.DataFrame({f"c{i}": LETTERS for i in range(20)})
    message = words_of(small(kind).fit, bad, Y)
    assert re.search(r"columns 'c0' .*'c4' \(str\) and 15 more", message)


@pytest.mark.parametrize(
    "good",
    [
        pandas_frame(pd.Categorical([1, 2] * (N // 2))),
        pandas_frame(pd.array([1, 2] * (N // 2), "Int64")),
        pandas_frame([True] * N),
        polars_frame([True] * N),
        array([1] * N),
    ],
    ids=["category", "Int64", "bool", "polars-bool", "object"],
)
@BOTH
def test_numbers_of_any_container_are_taken(kind, good):
    floats = np.array(good, dtype=object).astype(float)
    ours, truth = small(kind).fit(good, Y), small(kind).fit(floats, Y)
    assert np.array_equal(ours.coefs_[0], truth.coefs_[0])
    assert np.array_equal(ours.predict(good), truth.predict(floats))


# Numbers that the dtype of computation does not have


def with_large(value, dtype=float):
    table = X.astype(dtype)
    table[5, 1] = value
    return table


WIDE = pytest.mark.skipif(
    np.finfo(np.longdouble).max <= np.finfo(float).max, reason="longdouble is float64 here"
)
LARGE = [
    pytest.param(with_large(4e38), {"dtype": "float32"}, "float32", id="float64"),
    pytest.param(with_large(-4e38), {"dtype": "float32"}, "float32", id="negative"),
    pytest.param(csr_matrix(with_large(4e38)), {"dtype": "float32"}, "float32", id="sparse"),
    pytest.param(
        with_large(np.longdouble(1e308) * 100, np.longdouble),
        {},
        "float64",
        id="longdouble",
        marks=WIDE,
    ),
]


@pytest.mark.parametrize(("bad", "params", "dtype"), LARGE)
@BOTH
def test_numbers_that_the_computation_has_not_are_refused(kind, bad, params, dtype):
    for message in each_way(kind, bad, **params):
        assert re.search(rf"too large for {dtype}.* 1 row, in column 1\.", message)
        assert ("dtype='float64'" in message) == (dtype == "float32")


@BOTH
def test_a_large_number_is_named_by_its_column(kind):
    names = ["a", "b", "c"]
    good, bad = (pd.DataFrame(table, columns=names) for table in (X, with_large(4e38)))
    model = small(kind, dtype="float32")
    assert "column 'b'" in words_of(model.fit, bad, Y)
    assert "column 'b'" in words_of(model.fit(good, Y).predict, bad)


@BOTH
def test_prediction_follows_the_dtype_of_the_weights(kind):
    narrow = small(kind).fit(X.astype("f4"), Y)
    assert "too large for float32" in words_of(narrow.predict, with_large(4e38))
    edge = with_large(np.finfo("f4").max)
    with np.errstate(over="ignore"):
        narrow.predict(edge)  # which float32 has
        assert np.isfinite(small(kind).fit(X, Y).predict(with_large(4e38))).all()


# Weights

SIZES = [1e308, 1e200, 1e-200, 1e-308]
RATIOS = {"equal": np.ones(N), "halves": np.where(np.arange(N) % 3, 1.0, 0.5)}
FITS = {
    "adam": {"batch_size": 7},
    "sgd": {"solver": "sgd", "batch_size": 7, "learning_rate_init": 0.01},
    "lbfgs": {"solver": "lbfgs"},
    "early": {"early_stopping": True, "validation_fraction": 0.3},
    "early-loss": {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "validation_scoring": "loss",
    },
    "baseline": {"init_output_bias": "baseline"},
}
FLOAT32 = [1e38, 1e308, 1e-38, 1e-50]
CASES = [(size, "float64") for size in SIZES] + [(size, "float32") for size in FLOAT32]


def alike(ours, truth, tolerance):
    for a, b in zip(ours.coefs_, truth.coefs_, strict=True):
        assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    assert_allclose(ours.loss_curve_, truth.loss_curve_, rtol=tolerance)
    if truth.validation_scores_ is not None:
        assert_allclose(ours.validation_scores_, truth.validation_scores_, rtol=tolerance)
        assert_allclose(
            ours.validation_loss_curve_, truth.validation_loss_curve_, rtol=tolerance
        )


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("size", "dtype"), CASES)
@BOTH
def test_only_ratios_of_weights_count_in_the_loss(kind, size, dtype, ratio, name):
    params = {"alpha": 0, "dtype": dtype} | FITS[name]
    weight = RATIOS[ratio]
    truth = small(kind, **params).fit(X, Y, sample_weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        ours = small(kind, **params).fit(X, Y, sample_weight=weight * size)
    alike(ours, truth, 1e-4 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize(("size", "dtype"), CASES)
@BOTH
def test_only_ratios_of_validation_weights_count(kind, size, dtype):
    weight = RATIOS["halves"]
    fits = [
        small(kind, dtype=dtype).fit(X, Y, X_val=X, y_val=Y, sample_weight_val=own)
        for own in (weight, weight * size)
    ]
    alike(*fits, 1e-4 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("given", [None, 1.0, 1e308, 1e-308])
@pytest.mark.parametrize(("size", "dtype"), CASES)
def test_only_ratios_of_class_weights_count(size, dtype, given):
    weight = None if given is None else np.full(N, given)
    params = {"alpha": 0, "dtype": dtype, "early_stopping": True, "validation_fraction": 0.3}
    fits = [
        small(DeepClassifier, **params, class_weight={0: scale, 1: scale / 2}).fit(X, Y, own)
        for scale, own in ((1.0, None), (size, weight))
    ]
    alike(*fits, 1e-4 if dtype == "float32" else 1e-9)


def test_class_weights_of_columns_whose_product_is_infinite_are_refused():
    model = small(DeepClassifier, class_weight=[{0: 1e200}, {0: 1e200}])
    labels = np.c_[Y, Y] + np.array([0, 2]) * (Y[:, None] > 0)
    assert "class_weight is too large" in words_of(model.fit, X, labels)


@BOTH
def test_ordinary_weights_divide_the_penalty(kind):
    """As in scikit-learn's MLP: ten times the weights are a tenth of the penalty."""
    tenfold = small(kind, alpha=1.0).fit(X, Y, sample_weight=np.full(N, 10.0))
    tenth = small(kind, alpha=0.1).fit(X, Y)
    alike(tenfold, tenth, 1e-9)


# Scorers that take no weights


def own_score(estimator, X, y):
    return -float(np.abs(estimator.predict(X) - y).max())


def forgiving(estimator, X, y, sample_weight=None):
    return own_score(estimator, X, y)


UNWEIGHTED = ["neg_max_error", make_scorer(max_error, greater_is_better=False), own_score]


@pytest.mark.parametrize("scoring", UNWEIGHTED, ids=["name", "scorer", "function"])
@BOTH
def test_a_score_that_takes_no_weights_is_named(kind, scoring):
    model = small(kind, validation_scoring=scoring)
    weight = np.ones(N)
    told = re.escape(f"validation_scoring={scoring!r} takes no sample weights")
    own = words_of(model.fit, X, Y, X_val=X, y_val=Y, sample_weight_val=weight)
    assert re.match(f"{told}, but sample_weight_val is given", own)
    model.set_params(early_stopping=True, validation_fraction=0.3)
    held_out = words_of(model.fit, X, Y, weight)
    assert re.match(f"{told}, but sample_weight is given", held_out)
    # Weights of the training rows are no matter of the score.
    model.fit(X, Y, weight, X_val=X, y_val=Y)
    scored = model.set_params(validation_scoring=forgiving)
    scored.fit(X, Y, weight)
    scored.fit(X, Y, weight, X_val=X, y_val=Y, sample_weight_val=weight)


@pytest.mark.parametrize("scoring", UNWEIGHTED, ids=["name", "scorer", "function"])
@pytest.mark.parametrize("early", [False, True])
def test_class_weights_are_left_out_of_a_score_that_takes_none(scoring, early):
    rows = {} if early else {"X_val": X, "y_val": Y}
    params = {"class_weight": {0: 1, 1: 3}, "early_stopping": early, "validation_fraction": 0.3}
    ours = small(DeepClassifier, validation_scoring=scoring, **params).fit(X, Y, **rows)
    truth = small(DeepClassifier, validation_scoring=forgiving, **params).fit(X, Y, **rows)
    assert ours.validation_scores_ == truth.validation_scores_
    assert ours.validation_loss_curve_ == truth.validation_loss_curve_


# Scale

SCALED = RNG.normal(size=(300, 4))
LONG_TAIL = SCALED.copy()
LONG_TAIL[:, 2] = np.exp(8 * LONG_TAIL[:, 2])
LARGE_NUMBERS = SCALED * [1, 1, 1e6, 1]
SIDE = (SCALED[:, 0] > 0).astype(int)
COIN = RNG.integers(0, 2, 300)


def told_of_scale(model, *args, method="fit"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(model, method)(*args)
    told = [w for w in caught if "not scaled" in str(w.message)]
    assert all(w.category is ConvergenceWarning and w.filename == __file__ for w in told)
    return [str(w.message) for w in told]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("make", [np.asarray, csr_matrix, pd.DataFrame])
def test_a_column_that_kept_a_fit_from_learning_is_named(solver, make):
    model = DeepClassifier((20,), solver=solver, max_iter=30, random_state=0)
    table = make(LONG_TAIL)
    if make is pd.DataFrame:
        table.columns = list("abcd")
    (message,) = told_of_scale(model, table, SIDE)
    name = "'c'" if make is pd.DataFrame else "2"
    assert re.search(rf"column {name} is \S+e\+\d\d", message)
    assert re.search("StandardScaler.*QuantileTransformer", message)
    assert not told_of_scale(model, SCALED, SIDE)


def test_a_column_that_kept_a_regressor_from_learning_is_named():
    model = DeepRegressor(hidden_layer_sizes=(20,), max_iter=30, random_state=0)
    (message,) = told_of_scale(model, LONG_TAIL, SCALED[:, 0])
    assert "column 2" in message


@pytest.mark.parametrize(
    "table",
    [
        SCALED,
        RNG.integers(0, 256, (300, 4)),
        np.eye(300)[:, :250],
        RNG.poisson(0.05, (300, 50)),
        SCALED * [1, 1, 60, 1],
        np.zeros((300, 3)),
        csr_matrix((300, 3)),
    ],
    ids=["normal", "pixels", "one-hot", "counts", "ages", "zeros", "empty"],
)
def test_data_as_they_should_be_are_not_blamed(table):
    # There is nothing to learn, so that the data alone decide.
    model = DeepClassifier((5,), max_iter=2, random_state=0)
    assert not told_of_scale(model, table, COIN)


def test_a_fit_that_learned_is_not_blamed():
    # The large column is the one to learn from.
    y = (LARGE_NUMBERS[:, 2] > 0).astype(int)
    model = DeepClassifier((20,), solver="lbfgs", max_iter=200, random_state=0)
    assert not told_of_scale(model, LARGE_NUMBERS, y)
    assert model.score(LARGE_NUMBERS, y) > 0.95


def test_scale_is_a_matter_of_a_first_fit():
    model = DeepClassifier((5,), max_iter=2, warm_start=True, random_state=0)
    assert told_of_scale(model, LONG_TAIL, SIDE)
    assert not told_of_scale(model, LONG_TAIL, SIDE)
    assert not told_of_scale(model, LONG_TAIL, SIDE, method="partial_fit")


def test_a_loss_of_ones_own_is_compared_too():
    class Squares:
        def loss(self, y_true, y_pred):
            return (y_pred - y_true) ** 2 / 2

        def gradient(self, y_true, y_pred):
            return y_pred - y_true

    model = DeepRegressor(Squares(), (20,), max_iter=10, random_state=0)
    assert told_of_scale(model, LONG_TAIL, SCALED[:, 0])


# Divergence that stays finite


def far_gone(**params):
    given = {"solver": "sgd", "learning_rate_init": 1e20, "activation": "identity"}
    return small(DeepRegressor, **given | {"max_iter": 2} | params)


def test_a_loss_beyond_all_measure_is_divergence():
    message = words_of(far_gone().fit, X, X[:, 0])
    assert re.search(r"diverged in epoch 2: the loss rose from \S+ to \S+\.", message)


def test_what_counts_is_the_rise_within_a_call():
    model = small(DeepRegressor, init_output_bias="baseline", alpha=0, warm_start=True)
    assert model.fit(X, np.zeros(N)).loss_ == 0
    assert model.fit(X, 1e12 * X[:, 0]).loss_ > 1e20


def test_weights_of_the_best_epoch_outlive_a_loss_beyond_all_measure():
    with pytest.warns(ConvergenceWarning, match="rose from"):
        model = far_gone().fit(X, X[:, 0], X_val=X, y_val=X[:, 0])
    assert np.isfinite(model.coefs_[0]).all()
    assert "diverged" in words_of(
        far_gone(restore_best=False).fit, X, X[:, 0], X_val=X, y_val=X[:, 0]
    )
