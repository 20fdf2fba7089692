"""Laws: what each kind of column becomes, and what a scikit-learn transformer does."""

import datetime as dt
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdeep import TableTransformer
from skdeep.tabular import TargetMeans
from tests.tabular.kinds import COLUMNS, FLOATS, N, object_frame

Y = np.random.default_rng(1).normal(size=N)
HIGH = 2 / np.sqrt(1 + 4 / 9)


@parametrize_with_checks([TableTransformer(), TableTransformer(categorical_features=[0])])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def fit(columns, y=None, **parameters):
    """The fitted transformer, and its output for the rows of fit as {name: column}."""
    frame = columns if isinstance(columns, pd.DataFrame) else object_frame(columns)
    fitted = TableTransformer(random_state=0, dtype="float64", **parameters)
    out = fitted.fit_transform(frame, y)
    return fitted, dict(zip(fitted.get_feature_names_out(), out.T, strict=True))


def transform(fitted, **columns):
    out = fitted.transform(object_frame(columns))
    return dict(zip(fitted.get_feature_names_out(), out.T, strict=True))


# What columns become

PARTS = ("month", "weekday", "dayofyear")
CIRCLES = [f"a_{part}_{curve}" for part in PARTS for curve in ("sin", "cos")]
NAMES = {
    "int": ["a"],
    "int_holes": ["a", "a_missing"],
    "decimal": ["a"],
    "constant_holes": ["a_missing"],
    "bool": ["a"],
    "bool_holes": ["a", "a_missing"],
    "two": ["a_yes"],
    "letters_holes": ["a_a", "a_b", "a_c", "a_d", "a_e", "a_f"],
    "rare": ["a_x", "a_y", "a_z", "a_infrequent"],
    "many": ["a_count"],
    "date": ["a_year", "a_elapsed", *CIRCLES],
    "duration_holes": ["a", "a_missing"],
}  # fmt: skip
NUMERIC = {
    "constant_holes": 0,
    "bool": 0,
    "bool_holes": 0,
    "two": 0,
    "letters_holes": 0,
    "rare": 0,
    "date": 2,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_say_what_each_column_becomes(name):
    fitted, columns = fit({"a": COLUMNS[name]})
    assert list(columns) == NAMES[name]
    assert fitted.n_numeric_ == NUMERIC.get(name, 1)


def test_numbers_come_first():
    fitted, columns = fit(COLUMNS, Y)
    numbers = [
        name for name in columns if name in COLUMNS and not name.startswith(("bool", "two"))
    ]
    endings = ("_mean", "_count", "_year", "_elapsed")
    numeric = list(columns)[: fitted.n_numeric_]
    assert set(numeric) == {*numbers, *(name for name in columns if name.endswith(endings))}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("constant", "constant"),
        ("empty", "all values are missing"),
        ("identifier", "identifier: 240 levels in 240 rows"),
    ],
)
def test_columns_that_say_nothing_are_dropped_with_a_reason(name, reason):
    fitted, columns = fit({"a": COLUMNS[name], "b": FLOATS})
    assert fitted.dropped_ == {"a": reason}
    assert list(columns) == ["b"]
    with pytest.raises(ValueError, match=f"No column of X .* n_samples = 240: 'a' .{reason}"):
        TableTransformer().fit(object_frame({"a": COLUMNS[name]}))


@pytest.mark.parametrize(
    "value", [True, "x", dt.datetime(2020, 1, 1), dt.timedelta(1), 3.5, np.inf]
)
def test_any_constant_is_dropped_unless_some_values_are_missing(value):
    assert fit({"a": [value] * 9, "b": [*"abcabcabc"]})[0].dropped_ == {"a": "constant"}
    _, columns = fit({"a": [None, *[value] * 8]})
    assert list(columns) == ["a_missing"]
    assert_allclose(columns["a_missing"], [HIGH] + [0] * 8)


def test_booleans_and_two_levels_are_signs():
    values = [True, False, None, True, False]
    _, columns = fit({"a": values})
    assert_array_equal(columns["a"], [1, -1, 0, 1, -1])
    assert_allclose(columns["a_missing"], [0, 0, HIGH, 0, 0])
    fitted, columns = fit({"a": ["y", "n", None, "y", "n"]})
    assert_array_equal(columns["a_y"], [1, -1, 0, 1, -1])
    assert_array_equal(transform(fitted, a=["n", "new", None])["a_y"], [-1, 0, 0])


def test_levels_are_one_hot_and_scaled_like_numbers():
    fitted, columns = fit({"a": [*"aaaaabbbcd"]}, min_frequency=1)
    scaled = np.array([[1.0 * (value == level) for value in "aaaaabbbcd"] for level in "abcd"])
    for column, x in zip(columns.values(), scaled, strict=True):
        low, median, high = np.quantile(x, [0.25, 0.5, 0.75])
        z = (x - median) / ((high - low) or 0.5)
        assert_allclose(column, z / np.sqrt(1 + (z / 3) ** 2))
    new, nothing = transform(fitted, a=["e"]), transform(fitted, a=[None])
    assert new == nothing
    assert [column[0] for column in new.values()] == [
        column[-1] if n != "a_d" else 0 for n, column in columns.items()
    ]


def test_rare_levels_share_a_column_with_levels_not_seen():
    fitted, columns = fit({"a": COLUMNS["rare"]})
    rare = columns["a_infrequent"]
    assert_allclose(rare, [HIGH] * 2 + [0] * (N - 2))
    new = transform(fitted, a=["once", "never", "x", None])
    assert_allclose(new["a_infrequent"], [HIGH, HIGH, 0, 0])
    assert new["a_x"][2] > new["a_x"][3]
    # One rare level keeps its column.
    assert list(fit({"a": ["once", *"xyz" * 9]})[1]) == ["a_once", "a_x", "a_y", "a_z"]
    # Levels that are all rare keep theirs.
    assert list(fit({"a": [*"uvwxyz"]})[1]) == [f"a_{level}" for level in "uvwxyz"]


def test_many_levels_become_counts_and_means():
    values = COLUMNS["many_holes"]
    fitted, columns = fit({"a": values})
    counts = np.array([0 if v is None else values.count(v) for v in values])
    low, median, high = np.quantile(np.log1p(counts), [0.25, 0.5, 0.75])
    z = (np.log1p(counts) - median) / (high - low)
    assert_allclose(columns["a_count"], z / np.sqrt(1 + (z / 3) ** 2))
    fitted, columns = fit({"a": values}, Y)
    assert list(columns) == ["a_mean", "a_count"]
    _, codes = fitted.encode(object_frame({"a": values}))
    assert codes.dtype == np.int32
    assert_array_equal(codes[:, 0] < 0, [v is None for v in values])
    assert codes.max() + 1 == fitted.n_levels_[0] == len(set(values)) - 1
    folds = np.random.RandomState(0)
    expected = TargetMeans().fit_transform(codes, Y[:, None], np.arange(N), folds)
    assert_array_equal(columns["a_mean"], expected[:, 0])
    means = fitted.target_means_.transform(codes)
    assert_array_equal(transform(fitted, a=values)["a_mean"], means[:, 0])
    prior = fitted.target_means_.transform(np.array([[-1]]))
    assert_array_equal(transform(fitted, a=["new", None])["a_mean"], np.tile(prior[0], 2))


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (Y, ["a_mean"]),
        (np.arange(N), ["a_mean"]),
        (Y > 0, ["a_mean"]),
        (np.where(Y > 0, "yes", "no"), ["a_mean"]),
        (np.arange(N) % 3, ["a_mean_0", "a_mean_1", "a_mean_2"]),
        (np.array(["u", "v", "w"])[np.arange(N) % 3], ["a_mean_u", "a_mean_v", "a_mean_w"]),
        (np.array([f"c{i % 11}" for i in range(N)]), []),
        (np.c_[Y, -Y], ["a_mean_0", "a_mean_1"]),
        (np.c_[Y > 0, Y > 1], ["a_mean_0", "a_mean_1"]),
    ],
)
def test_each_target_has_means_of_its_own(y, names):
    fitted, columns = fit({"a": COLUMNS["many"]}, y)
    assert list(columns) == [*names, "a_count"]
    assert fitted.n_numeric_ == len(columns)
    assert all(np.ptp(columns[name]) > 0.1 for name in names)


def test_the_matrix_without_means_does_not_see_the_target():
    X = object_frame()
    with_y, without = fit(X, Y)[0], fit(X)[0]
    for array, truth in zip(with_y.encode(X), without.encode(X), strict=True):
        assert_array_equal(array, truth)
    assert_array_equal(with_y.encode(X)[0], without.transform(X))
    assert_array_equal(with_y.transform(X)[:, 2:], without.transform(X))


def test_dates_are_numbers_and_points_of_circles():
    start = dt.datetime(2020, 2, 28, 6)
    dates = [start + dt.timedelta(days=i, hours=5 * i) for i in range(900)]
    _, columns = fit({"a": dates})
    parts = {
        "month": [(d.month - 1) / 12 for d in dates],
        "weekday": [d.weekday() / 7 for d in dates],
        "dayofyear": [(d.timetuple().tm_yday - 1) / 366 for d in dates],
        "time": [(d.hour * 60 + d.minute) / 1440 for d in dates],
    }
    for part, turns in parts.items():
        assert_allclose(
            columns[f"a_{part}_sin"], np.sin(2 * np.pi * np.array(turns)), atol=1e-9
        )
        assert_allclose(
            columns[f"a_{part}_cos"], np.cos(2 * np.pi * np.array(turns)), atol=1e-9
        )
    numbers = {
        "elapsed": [(d - start).total_seconds() for d in dates],
        "year": [d.year for d in dates],
    }
    for part, values in numbers.items():
        assert_allclose(columns[f"a_{part}"], fit({"b": values})[1]["b"], atol=1e-9)


def test_missing_dates_are_zeros_and_marked():
    fitted, columns = fit({"a": COLUMNS["time_holes"]})
    missing = np.array([v is None for v in COLUMNS["time_holes"]])
    for name, column in columns.items():
        assert (column[missing] == 0).all() or name == "a_missing"
    assert_allclose(columns["a_missing"], HIGH * missing)
    assert {c[0] for n, c in transform(fitted, a=[None]).items() if n != "a_missing"} == {0}


def test_durations_are_seconds():
    seconds = [d.total_seconds() for d in COLUMNS["duration"]]
    assert_array_equal(fit({"a": COLUMNS["duration"]})[1]["a"], fit({"a": seconds})[1]["a"])


WORDS = np.array(["the", "price", "of", "bread", "rose", "again", "today", "in", "town"])


def sentences(n, n_words=8):
    return [" ".join(row) for row in np.random.default_rng(0).choice(WORDS, (n, n_words))]


def test_free_text_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"Column 'a' looks like free text: .*Tfidf.*skrub"):
        fit({"a": sentences(N), "b": FLOATS})
    # Answers that recur are categories, and names of people identifiers.
    assert len(fit({"a": sentences(5) * 9})[1]) == 5
    names = fit({"a": [f"Mr. Owen Harris Braund {i}" for i in range(N)], "b": FLOATS})[0]
    assert list(names.dropped_) == ["a"]


def test_a_category_with_many_distinct_levels_is_no_identifier():
    values = [f"ticket {i % 140}" for i in range(N)]
    assert list(fit({"a": values})[1]) == ["a_count"]


@pytest.mark.parametrize(
    "chosen",
    [[0], [True, False], ["a"], np.array(["a"]), np.array([True, False]), pd.Index(["a"])],
)
def test_columns_of_numbers_may_be_named_categories(chosen):
    _, columns = fit({"a": COLUMNS["int"], "b": COLUMNS["int"]}, categorical_features=chosen)
    assert list(columns) == ["b", *(f"a_{i}" for i in range(9))]


@pytest.mark.parametrize("chosen", [None, [], [False, False]])
def test_without_categorical_features_text_is_still_a_category(chosen):
    frame = pd.DataFrame({"a": pd.Series([1, 2, 3] * 9, dtype="category"), "b": [*"xyz"] * 9})
    assert list(fit(frame, categorical_features=chosen)[1]) == ["a", "b_x", "b_y", "b_z"]
    assert list(fit(frame)[1]) == ["a_1", "a_2", "a_3", "b_x", "b_y", "b_z"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["c"], "'c', which is no column of X: its columns are 'a', 'b'"),
        ([2], r"indices in \[0, 1\].* got \[2\]"),
        ([-1], r"indices in \[0, 1\].* got \[-1\]"),
        ([True], "a mask of 1 columns, but X has 2"),
        ([0.5], "names, indices or a boolean mask, .* type float"),
        ([0, "a"], "names, indices or a boolean mask, .* type int, str"),
        ("all", "'categorical_features' parameter"),
    ],
)
def test_bad_categorical_features_are_refused(chosen, message):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
    with pytest.raises(ValueError, match=message):
        TableTransformer(categorical_features=chosen).fit(frame)


def test_names_of_categories_need_names_of_columns():
    with pytest.raises(ValueError, match="no names of columns"):
        TableTransformer(categorical_features=["a"]).fit([[1, 2], [3, 4]])


@pytest.mark.parametrize(("n_levels", "n_columns"), [(2, 1), (3, 3), (6, 6), (7, 1)])
def test_up_to_max_onehot_levels_are_one_hot(n_levels, n_columns):
    values = [str(i % n_levels) for i in range(60)]
    assert len(fit({"a": values, "b": FLOATS[:60]}, max_onehot=6)[1]) == n_columns + 1


@pytest.mark.parametrize(
    ("n_levels", "n_rows", "n_columns"),
    [(40, 41, 40), (41, 164, 41), (41, 163, 1), (256, 1100, 1)],
)
def test_many_levels_are_one_hot_if_each_has_rows_enough(n_levels, n_rows, n_columns):
    values = [str(i % n_levels) for i in range(n_rows)]
    numbers = np.resize(FLOATS, n_rows)
    out = fit({"a": values, "b": numbers}, min_frequency=1)[1]
    assert len(out) == n_columns + 1


# A transformer of scikit-learn


def test_each_row_is_transformed_by_itself():
    fitted, X = fit(object_frame(), Y)[0], object_frame()
    alone = [fitted.transform(X.iloc[i : i + 1])[0] for i in range(0, N, 7)]
    assert_array_equal(alone, fitted.transform(X)[::7])
    assert_array_equal(fitted.transform(X[::-1])[::-1], fitted.transform(X))


def test_names_that_would_clash_are_told_apart():
    _, columns = fit({"a": [*"bcdbcdbcd"], "a_b": [*"xyyxyyxyy"], "a_b_y": range(9)})
    assert list(columns) == ["a_b_y", "a_b", "a_c", "a_d", "a_b_y_2"]


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    fitted = TableTransformer().set_output(transform=container)
    out = fitted.fit_transform(object_frame(), Y)
    assert list(out.columns) == list(fitted.get_feature_names_out())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_the_output(dtype):
    out = TableTransformer(dtype=dtype).fit_transform(object_frame(), Y)
    assert out.dtype == dtype
    assert out.flags.c_contiguous


def test_same_seed_same_matrix():
    outs = [
        TableTransformer(random_state=s).fit_transform(object_frame(), Y) for s in (0, 0, 1)
    ]
    assert_array_equal(outs[0], outs[1])
    assert (outs[0] != outs[2]).any()


def test_a_fit_that_fails_changes_nothing():
    fitted = fit({"a": FLOATS})[0]
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="free text"):
        fitted.fit(object_frame({"b": FLOATS, "c": sentences(N)}))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.fit(object_frame({"b": FLOATS}), Y[:5])
    assert vars(fitted) == before
    assert not hasattr(clone(fitted), "n_features_in_")


def plain(value):
    if is_dataclass(value):
        return all(plain(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, dict):
        return all(plain(k) and plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    return value is None or type(value) in (str, int, float, bool)


def test_what_is_learned_is_plain_data():
    fitted = fit(object_frame(), Y)[0]
    learned = {k: v for k, v in vars(fitted).items() if k != "feature_names_in_"}
    assert [name for name, value in learned.items() if not plain(value)] == []


def test_wide_tables():
    X = np.random.default_rng(0).normal(size=(30, 3000))
    X[3, ::2] = np.nan
    fitted = TableTransformer(dtype="float64")
    out = fitted.fit_transform(X)
    assert out.shape == (30, 4500)
    some = [0, 1, 1500, 2998]
    alone = TableTransformer(dtype="float64").fit_transform(X[:, some])
    assert_array_equal(out[:, [*some, 3000, 3750, 4499]], alone)
