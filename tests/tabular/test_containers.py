"""Laws: the same table in any container gives the same matrix, and misfits are named."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from skdeep import TableTransformer
from tests.tabular.kinds import COLUMNS, CONTAINERS, FLOATS, N, object_frame

Y = np.random.default_rng(1).normal(size=N)
EACH_CONTAINER = pytest.mark.parametrize("container", CONTAINERS)


def transformer(**parameters):
    return TableTransformer(random_state=0, **parameters)


def outputs(X, new):
    fitted = transformer()
    return fitted.fit_transform(X, Y), fitted.transform(new), *fitted.encode(new)


def as_matrix(values, **parameters):
    return transformer(**parameters).fit_transform(object_frame({"a": values}))


@EACH_CONTAINER
def test_any_container_gives_the_same_matrices(container):
    part = {name: values[:40] for name, values in COLUMNS.items()}
    make = CONTAINERS[container]
    expected = outputs(object_frame(), object_frame(part))
    for array, truth in zip(outputs(make(COLUMNS), make(part)), expected, strict=True):
        assert np.isfinite(truth).all()
        assert_array_equal(array, truth)


@EACH_CONTAINER
def test_fit_in_one_container_transform_in_another(container):
    new = CONTAINERS[container](COLUMNS)
    named = isinstance(new, pd.DataFrame | pl.DataFrame)
    fitted = transformer().fit(object_frame() if named else object_frame().to_numpy(), Y)
    expected = fitted.transform(object_frame() if named else object_frame().to_numpy())
    assert_array_equal(fitted.transform(new), expected)


@EACH_CONTAINER
def test_names_and_notes_do_not_depend_on_the_container(container):
    X = CONTAINERS[container](COLUMNS)
    fitted = transformer().fit(X, Y)
    truth = transformer().fit(object_frame(), Y)
    assert list(fitted.dropped_.values()) == list(truth.dropped_.values())
    names = None if hasattr(X, "columns") else list(COLUMNS)
    assert list(fitted.get_feature_names_out(names)) == list(truth.get_feature_names_out())
    assert fitted.n_numeric_ == truth.n_numeric_
    assert fitted.n_levels_ == truth.n_levels_


def test_arrays_of_any_dtype_of_numbers_are_one_table():
    ints = np.random.default_rng(0).integers(0, 100, (N, 3))
    expected = transformer().fit_transform(ints)
    for X in (ints.astype("u1"), ints.astype("f4"), ints.astype(">f8"), ints.tolist()):
        assert_array_equal(transformer().fit_transform(X), expected)
    for X in (np.asfortranarray(ints), pd.DataFrame(ints), pl.DataFrame(ints)):
        assert_array_equal(transformer().fit_transform(X), expected)


def test_strings_of_any_dtype_are_one_table():
    objects = np.array([COLUMNS["letters"], COLUMNS["two"]], dtype=object).T
    expected = transformer().fit_transform(objects)
    for X in (
        objects.astype(str),
        objects.astype("S"),
        objects.tolist(),
        pd.DataFrame(objects),
    ):
        assert_array_equal(transformer().fit_transform(X), expected)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_of_time_do_not_matter(unit):
    X = np.array([COLUMNS["time"], COLUMNS["time_holes"]], dtype="M8[us]").T
    since = X - np.datetime64("2021-01-01")
    for table in (X, since):
        name = table.dtype.name.split("[")[0]
        expected = transformer().fit_transform(table)
        assert_array_equal(
            transformer().fit_transform(table.astype(f"{name}[{unit}]")), expected
        )
        frame = pd.DataFrame(table.astype(f"{name}[{unit}]"))
        assert_array_equal(transformer().fit_transform(frame), expected)


def test_dates_with_a_time_zone_are_taken_in_its_wall_time():
    naive = pd.Series(COLUMNS["time"])
    there = naive.dt.tz_localize("Asia/Tokyo")
    expected = as_matrix(COLUMNS["time"])
    for dates in (
        there,
        there.astype(object),
        pl.Series(COLUMNS["time"]).dt.replace_time_zone("Asia/Tokyo"),
    ):
        frame = pl.DataFrame if isinstance(dates, pl.Series) else pd.DataFrame
        assert_array_equal(transformer().fit_transform(frame({"a": dates})), expected)


@pytest.mark.parametrize(
    "missing", [None, np.nan, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
)
@pytest.mark.parametrize("name", ["float_holes", "bool_holes", "letters_holes", "time_holes"])
def test_missing_values_are_the_same_in_all_spellings(name, missing):
    values = [missing if value is None else value for value in COLUMNS[name]]
    assert_array_equal(as_matrix(values), as_matrix(COLUMNS[name]))


# What a column of objects holds


@pytest.mark.parametrize(
    ("values", "like"),
    [
        ([1, 2.5, np.float32(3), None, np.int8(7)], [1.0, 2.5, 3.0, None, 7.0]),
        ([True, 2, 3, 5, 8], [1.0, 2.0, 3.0, 5.0, 8.0]),
        ([10**400, 1, 2, 3, -(10**400)], [np.inf, 1.0, 2.0, 3.0, -np.inf]),
        ([True, np.False_, None, True, True], pd.array([True, False, None, True, True])),
        ([1, "a", None, 1.0, "1"], ["1", "a", None, "1", "1"]),
        ([b"a", "b", None, "a", "c"], ["a", "b", None, "a", "c"]),
        ([dt.date(2020, 1, 1), "b"], ["2020-01-01T00:00:00.000000", "b"]),
        ([np.timedelta64(3, "s"), dt.timedelta(1), pd.NaT], [3.0, 86400.0, None]),
    ],
)
def test_columns_of_objects_are_of_the_kind_of_their_values(values, like):
    assert_array_equal(
        as_matrix(values), transformer().fit_transform(pd.DataFrame({"a": like}))
    )


def test_levels_are_compared_as_text():
    fitted = transformer(categorical_features=["a"]).fit(pd.DataFrame({"a": [1, 2, 3] * 9}))
    expected = fitted.transform(pd.DataFrame({"a": [1, 2, 3, 4]}))
    for values in ([1.0, 2.0, 3.0, np.nan], ["1", "2", "3", "x"], [True, 2, 3, None]):
        out = fitted.transform(object_frame({"a": values}))
        assert_array_equal(out[1:3], expected[1:3])
    assert_array_equal(fitted.transform(object_frame({"a": [1.0, "1"]})), expected[[0, 0]])


@pytest.mark.parametrize("name", ["date", "duration"])
@EACH_CONTAINER
def test_times_may_be_categories(container, name):
    columns = {"a": [COLUMNS[name][i % 5] for i in range(N)], "letters": COLUMNS["letters"]}
    if container == "polars categories":
        return
    out = transformer(categorical_features=[0]).fit_transform(CONTAINERS[container](columns))
    expected = transformer(categorical_features=[0]).fit_transform(object_frame(columns))
    assert out.shape[1] == 5 + 6
    assert_array_equal(out, expected)


# What is refused


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        (FLOATS, ["12", "x"], "Column 'a' held numbers in fit, .* such as '12'"),
        (FLOATS, pd.to_datetime(["2020-01-01"]), "Column 'a' held numbers in fit, but now"),
        (FLOATS, pd.to_timedelta([5], unit="s"), "Column 'a' held numbers in fit, but now"),
        (COLUMNS["bool"], ["yes"], "Column 'a' held booleans in fit, .* such as 'yes'"),
        (COLUMNS["bool"], [0, 1, 5], "Column 'a' held booleans in fit, .* such as 5"),
        (COLUMNS["time"], ["2020-01-01"], "Column 'a' held dates in fit, .* '2020-01-01'"),
        (COLUMNS["time"], [5], "Column 'a' held dates in fit, .* such as 5"),
        (COLUMNS["duration"], [5.5], "Column 'a' held durations in fit, .* such as 5.5"),
        (COLUMNS["duration"], pd.to_datetime(["2020-01-01"]), "Column 'a' held durations in"),
    ],
)
def test_column_of_another_kind_than_in_fit_is_named(before, now, message):
    fitted = transformer().fit(pd.DataFrame({"a": before}))
    with pytest.raises(ValueError, match=message):
        fitted.transform(pd.DataFrame({"a": now}))


def test_numbers_of_an_array_are_no_durations():
    fitted = transformer().fit(np.array(COLUMNS["duration"], dtype="m8[s]")[:, None])
    with pytest.raises(ValueError, match=r"Column 0 held durations in fit, .* such as 5"):
        fitted.transform(np.array([[5]]))


@pytest.mark.parametrize("kind", ["float", "bool", "letters", "many", "time", "duration"])
def test_new_rows_may_miss_a_column_altogether(kind):
    fitted = transformer().fit(object_frame({"a": COLUMNS[kind]}))
    frames = [pd.DataFrame({"a": [None]}), pd.DataFrame({"a": [np.nan]})]
    for X in (*frames, pl.DataFrame({"a": [None]}), pd.DataFrame({"a": [pd.NA]})):
        out = fitted.transform(X)
        assert out.shape == (1, len(fitted.get_feature_names_out()))
        assert np.isfinite(out).all()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (sp.eye(3, format="csr"), TypeError, "Sparse data .* X.toarray()"),
        (sp.csr_array(np.eye(3)), TypeError, "Sparse data .* X.toarray()"),
        (pl.LazyFrame({"a": [1, 2]}), TypeError, r"X\.collect\(\)"),
        (
            pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
            ValueError,
            "unique.* 'a' more than",
        ),
        (pd.DataFrame({"a": [[1], [2]]}), ValueError, "Column 'a' holds values of type list"),
        (pl.DataFrame({"a": [[1], [2]]}), ValueError, "Column 'a' holds values of type list"),
        (pl.DataFrame({"a": [{"b": 1}]}), ValueError, "Column 'a' holds values of type dict"),
        (pl.DataFrame({"a": [dt.time(1)]}), ValueError, "Column 'a' holds times of day"),
        (pd.DataFrame({"a": [dt.time(1)]}), ValueError, "Column 'a' holds times of day"),
        (pd.DataFrame({"a": [1j, 2]}), ValueError, "'a' is complex"),
        (np.array([[1j, 2]]), ValueError, "Complex data not supported"),
        (pd.DataFrame({"a": []}), ValueError, "0 sample"),
        (pd.DataFrame(index=[0, 1]), ValueError, r"0 feature\(s\)"),
        (pd.Series([1, 2]), ValueError, "Expected a 2-dimensional container"),
        ([1, 2, 3], ValueError, "Expected 2D array"),
        ([[1, 2], [3]], ValueError, "inhomogeneous"),
    ],
)
def test_what_is_no_table_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        TableTransformer().fit(X)


def test_names_are_checked_as_by_scikit_learn():
    frame = pd.DataFrame({"a": FLOATS, "b": COLUMNS["letters"]})
    for make in (lambda X: X, pl.from_pandas):
        fitted = transformer().fit(make(frame))
        with pytest.raises(ValueError, match="must be in the same order"):
            fitted.transform(make(frame[["b", "a"]]))
        with pytest.raises(ValueError, match="seen at fit time, yet now missing"):
            fitted.transform(make(frame[["a"]]))
        with pytest.raises(ValueError, match="unseen at fit time"):
            fitted.transform(make(frame.assign(c=1)))
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            fitted.transform(frame.to_numpy())
    with pytest.raises(ValueError, match="has 1 features, but"):
        transformer().fit(frame.to_numpy()).transform(frame[["a"]].to_numpy())


def test_frames_without_names_of_strings_are_read_by_position():
    frame = pd.DataFrame({0: FLOATS, 1: COLUMNS["letters"], 2: [1] * N})
    fitted = transformer().fit(frame)
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.dropped_ == {2: "constant"}
    assert list(fitted.get_feature_names_out()[:2]) == ["x0", "x1_a"]


def test_a_pickle_transforms_alike_and_keeps_no_rows():
    # With target means of many levels, however many rows there are.
    fitted = transformer(max_onehot=30).fit(object_frame(), Y)
    stored = pickle.dumps(fitted)
    assert_array_equal(
        pickle.loads(stored).transform(object_frame()), fitted.transform(object_frame())
    )
    large = object_frame({k: v * 50 for k, v in COLUMNS.items() if k != "identifier"})
    assert len(pickle.dumps(transformer(max_onehot=30).fit(large, np.tile(Y, 50)))) < 1.1 * len(
        stored
    )
