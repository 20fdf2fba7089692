"""Law: a table in an ONNX graph is encoded as TableTransformer.encode does.

Graphs are fed with what each Python value means, independently of the container that the
transformer has seen.
"""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skdeep import TableTransformer
from skdeep.tabular.encoders import Booleans, Categories, Dates, Frequencies, Numbers
from skdeep.tabular.fitted import table_of
from tests.tabular.kinds import COLUMNS, CONTAINERS, N, holes, objects

onnx = pytest.importorskip("onnx")

from skdeep.persistence.onnx_graph import Graph  # noqa: E402
from skdeep.persistence.onnx_tables import MISSING_TEXTS, table_columns  # noqa: E402
from tests.persistence.onnx_runs import run  # noqa: E402

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
EACH_DTYPE = pytest.mark.parametrize("dtype", TOLERANCE)
NAT = np.iinfo(np.int64).min


def exported(transformer):
    graph = Graph(transformer.dtype)
    shared, codes = table_columns(graph, transformer)
    graph.output("shared", shared, graph.dtype, [None, None])
    if codes:
        graph.output("codes", codes, np.int64, [None, None])
    return graph.model("table")


def is_missing(value):
    return value is None or value is pd.NA or value != value


def number(value):
    if is_missing(value):
        return np.nan
    return value.total_seconds() if isinstance(value, dt.timedelta) else float(value)


def microseconds(value):
    return NAT if is_missing(value) else np.datetime64(value, "us").astype(np.int64)


def text(value, missing=""):
    return missing if is_missing(value) else str(value)


READERS = {
    Numbers: (number, np.float64),
    Booleans: (number, np.float64),
    Dates: (microseconds, np.int64),
    Categories: (text, object),
    Frequencies: (text, object),
}


def feeds_of(transformer, columns):
    """Feeds from columns of Python values, in the order of the columns of the table."""
    feeds, table = {}, table_of(transformer)
    for encoder in table.encoders:
        read, dtype = READERS[type(encoder)]
        indices = encoder.columns if isinstance(encoder, Numbers) else [encoder.column]
        for i in indices:
            name = f"x{i}" if table.names is None else table.names[i]
            values = list(columns.values())[i]
            feeds[name] = np.array([read(value) for value in values], dtype)[:, None]
    return feeds


def assert_encoded_alike(transformer, X, feeds):
    model = exported(transformer)
    assert {one.name for one in model.graph.input} == set(feeds)
    matrix, codes = transformer.encode(X)
    found, *found_codes = run(model, feeds).values()
    assert found.dtype == matrix.dtype
    np.testing.assert_allclose(found, matrix, rtol=0, atol=TOLERANCE[transformer.dtype])
    assert len(found_codes) == bool(transformer.n_levels_)
    for each in found_codes:
        np.testing.assert_array_equal(each, codes)
    return found


def check(fitted_on, seen=None, **parameters):
    """Compare a transformer of columns of Python values on others."""
    seen = fitted_on if seen is None else seen
    transformer = TableTransformer(**parameters).fit(frame(fitted_on))
    return assert_encoded_alike(transformer, frame(seen), feeds_of(transformer, seen))


def frame(columns):
    return pd.DataFrame({name: pd.Series(one, dtype=object) for name, one in columns.items()})


# Columns of every kind


@EACH_DTYPE
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_kind_of_every_container(container, dtype):
    X = CONTAINERS[container](COLUMNS)
    transformer = TableTransformer(dtype=dtype).fit(X)
    assert_encoded_alike(transformer, X, feeds_of(transformer, COLUMNS))


@pytest.mark.parametrize("container", [name for name in CONTAINERS if "pandas" in name])
def test_data_frames_give_the_inputs_by_to_numpy(container):
    X = CONTAINERS[container](COLUMNS)
    transformer = TableTransformer().fit(X)
    feeds = {}
    for name, (dtype, _) in inputs_of(transformer).items():
        column = X[[name]] / pd.Timedelta("1s") if name.startswith("duration") else X[[name]]
        values = column.to_numpy("datetime64[us]" if dtype == np.int64 else dtype)
        feeds[name] = values.astype(np.int64) if dtype == np.int64 else values
    assert_encoded_alike(transformer, X, feeds)


# Values that `fit` has not seen. To a graph, MISSING_TEXTS that are no levels are missing.
STRANGE = {
    "number": [None, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0, 12345.678],
    "boolean": [None, True, False],
    "category": [None, "yes", "level 3", "x", "nobody", " ", "Nan", "1.0", "ü", "a\nb"],
    "date": [
        None,
        dt.datetime.min,
        dt.datetime.max,
        dt.datetime(1899, 12, 31, 23, 59, 59, 999999),
        dt.datetime(1900, 3, 1),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
        dt.datetime(2000, 2, 29, 12),
        dt.datetime(2100, 2, 28, 23),
        dt.datetime(2400, 12, 31),
    ],
    "duration": [None, dt.timedelta(-1, 1), dt.timedelta(10**8), dt.timedelta(microseconds=1)],
}
KIND = {
    "number": ("int", "int_holes", "float", "float_holes", "decimal", "constant_holes"),
    "boolean": ("bool", "bool_holes"),
    "category": ("two", "letters", "letters_holes", "rare", "many", "many_holes"),
    "date": ("date", "time", "time_holes"),
    "duration": ("duration", "duration_holes"),
}


@EACH_DTYPE
@pytest.mark.parametrize("seed", range(12))
def test_random_tables_with_values_that_fit_has_not_seen(seed, dtype):
    rng = np.random.default_rng(seed)
    kind_of = {name: kind for kind, names in KIND.items() for name in names}
    names = rng.permutation(list(kind_of))[: rng.integers(1, len(kind_of) + 1)]
    rows = rng.permutation(N)[: rng.integers(60, N)]
    fitted_on, seen = {}, {}
    for name in names:
        values = [COLUMNS[name][i] for i in rows]
        strange = STRANGE[kind_of[name]]
        picked = [strange[i] for i in rng.integers(len(strange), size=40)]
        fitted_on[str(name)], seen[str(name)] = values, picked + values[:20]
    parameters = {
        "max_onehot": int(rng.integers(2, 60)),
        "min_frequency": int(rng.integers(1, 9)),
    }
    check(fitted_on, seen, dtype=dtype, **parameters)


def test_one_row():
    check(COLUMNS, {name: values[:1] for name, values in COLUMNS.items()})


# Numbers


@EACH_DTYPE
def test_numbers_at_the_ends_of_their_range(dtype):
    columns = {
        "infinite": [np.inf, 0.0, -np.inf, 0.0, 0.0, np.nan],
        "huge": [1e308, -1e308, 1.7e308, 0.0, 1.0, -1.7e308],
        "tiny": [5e-324, 0.0, 1e-323, 0.0, 0.0, 0.0],
        "far": [1e9, 1e9 + 1e-6, 1e9 + 2e-6, 1e9 + 3e-6, 1e9 - 1e-6, 1e9],
        "mostly": [1.0, 1.0, 1.0, 1.0, 1.0, 2.0],
        "only infinity": [np.inf, 7.0, 7.0, 7.0, 7.0, 7.0],
        "constant where present": [2, None, 2, 2, 2, 2],
    }
    found = check(columns, {name: [*one, None, np.inf, 3.5] for name, one in columns.items()})
    assert np.isfinite(found).all()


# Categories


@pytest.mark.parametrize("missing", MISSING_TEXTS)
def test_texts_of_missing_values(missing):
    columns = {name: COLUMNS[name] for name in ("letters_holes", "many_holes", "rare", "two")}
    transformer = TableTransformer().fit(frame(columns))
    seen = {name: holes(one, 3) for name, one in columns.items()}
    feeds = {
        name: np.array([[text(value, missing)] for value in values], object)
        for name, values in seen.items()
    }
    assert_encoded_alike(transformer, frame(seen), feeds)


@pytest.mark.parametrize("level", MISSING_TEXTS)
def test_a_level_is_not_missing_whatever_its_text(level):
    columns = {"x": ["a", "b", level, "a", level, "b", None] * 5}
    transformer = TableTransformer().fit(frame(columns))
    other = next(text for text in MISSING_TEXTS if text != level)
    feeds = {"x": np.array([[text(value, other)] for value in columns["x"]], object)}
    found = assert_encoded_alike(transformer, frame(columns), feeds)
    assert len(np.unique(found, axis=0)) == 4


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 10**15],
        [1.0, 2.5, -3.0, None],
        [0, 1, None, 7.0],
        [True, False, None, True],
        [-(10**20), 10**20, 5, 6],
        ["007", "7", "1_000", "1e3"],
        ["0", "-0", "0.0", "+1"],
        ["inf", "infinity", "1.0", "1"],
        [dt.timedelta(1), dt.timedelta(0, 0, 5), None, dt.timedelta(2)],
    ],
)
def test_numbers_as_categories_are_as_str_writes_them(values):
    columns = {"x": values * 8, "y": [1.0, 2.0] * 16}
    transformer = TableTransformer(categorical_features=["x"]).fit(frame(columns))
    for read in (as_number, as_float):
        texts = [[text(read(value), "nan")] for value in columns["x"]]
        feeds = {"x": np.array(texts, object), "y": np.array(columns["y"])[:, None]}
        assert_encoded_alike(transformer, frame(columns), feeds)


def as_number(value):
    return value.total_seconds() if isinstance(value, dt.timedelta) else value


def as_float(value):
    # As pandas turns integers, where values are missing.
    return float(value) if type(value) is int else as_number(value)


@pytest.mark.parametrize("others", [{}, {"y": [1.0, 2.0, 3.0] * 70}])
def test_levels_that_are_all_as_frequent(others):
    columns = {"x": [f"level {i}" for i in range(70)] * 3, **others}
    new = ["level 3", None, "level 80", "level 0", "level 1", "level 2"]
    found = check(columns, columns | {"x": new * 35})
    assert found.shape == (210, len(others))


# Dates


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_every_day_and_times_before_and_after_1970(unit):
    days = np.arange("1799", "2210", dtype="datetime64[D]").astype("datetime64[us]")
    rng = np.random.default_rng(0)
    dates = days + rng.integers(0, 86_400_000_000, len(days)).astype("timedelta64[us]")
    X = pd.DataFrame({"date": dates.astype(f"datetime64[{unit}]")})
    transformer = TableTransformer(dtype="float64").fit(X)
    assert transformer.encode(X)[0].shape == (len(X), 10)
    feeds = {"date": X.to_numpy("datetime64[us]").astype(np.int64)}
    assert_encoded_alike(transformer, X, feeds)


# The eras that datetime64[us] knows, and parts of dates that are constant in `fit`.
@pytest.mark.parametrize(
    "dates",
    [
        np.arange("-200000", "200000", 997, dtype="datetime64[Y]"),
        np.arange("2001", "2009", dtype="datetime64[Y]"),
        np.arange("2003-02", "2003-09", dtype="datetime64[M]"),
        np.arange("2003-02-01", "2003-02-20", 7, dtype="datetime64[D]"),
        np.array(["2003-02-01T00:30", "2003-02-01T12:00", "NaT"], "datetime64[m]"),
        np.array(["2003-02-01", "NaT", "2003-02-01"], "datetime64[D]"),
    ],
    ids=["eras", "years", "months", "weeks", "times", "one date"],
)
def test_parts_of_dates(dates):
    values = dates.astype("datetime64[us]")[:, None]
    transformer = TableTransformer(dtype="float64").fit(values)
    rng = np.random.default_rng(0)
    seen = np.r_[values, rng.integers(-(2**40), 2**61, (99, 1)).astype("datetime64[us]")]
    assert_encoded_alike(transformer, seen, {"x0": seen.astype(np.int64)})


def test_times_with_a_zone_are_in_its_wall_time():
    wall = pd.date_range("2025-01-01", periods=300, freq="37h", unit="us")
    X = pd.DataFrame({"time": wall.tz_localize("Europe/Rome", nonexistent="shift_forward")})
    feeds = {"time": X["time"].dt.tz_localize(None).to_frame().to_numpy().astype(np.int64)}
    assert_encoded_alike(TableTransformer().fit(X), X, feeds)


# Inputs


def inputs_of(transformer):
    return {
        one.name: (
            onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type),
            [d.dim_value for d in one.type.tensor_type.shape.dim],
        )
        for one in exported(transformer).graph.input
    }


def test_inputs_are_the_columns_in_their_order():
    found = inputs_of(TableTransformer().fit(pd.DataFrame(COLUMNS)))
    dropped = ("constant", "empty", "identifier")
    assert list(found) == [name for name in COLUMNS if name not in dropped]
    assert found["int_holes"] == found["bool"] == found["duration"] == (np.float64, [0, 1])
    assert found["two"] == found["many"] == (np.dtype(object), [0, 1])
    assert found["time"] == (np.int64, [0, 1])


def test_columns_without_names_have_numbers():
    found = inputs_of(TableTransformer().fit(objects()))
    assert list(found)[:5] == ["x0", "x1", "x2", "x3", "x4"]
    assert "x5" not in found  # constant


@EACH_DTYPE
@pytest.mark.parametrize("kind", ["numbers", "numbers and booleans", "integers"])
def test_a_matrix_of_numbers_is_one_input(kind, dtype):
    X = np.random.default_rng(0).normal(size=(50, 5))
    X[::7, 1], X[:, 2] = np.nan, 4.0
    if kind == "integers":
        X = np.nan_to_num(X * 10).astype(int)
    elif kind == "numbers and booleans":
        X = X.astype(object)
        X[:, 4] = X[:, 3] > 0
    transformer = TableTransformer(dtype=dtype).fit(X)
    assert_encoded_alike(transformer, X, {"X": X.astype(np.float64)})
    assert inputs_of(transformer)["X"] == (np.float64, [0, 5])


def test_numbers_that_are_categories_make_no_matrix():
    X = np.random.default_rng(0).integers(4, size=(50, 2))
    transformer = TableTransformer(categorical_features=[1]).fit(X)
    feeds = {"x0": X[:, :1].astype(float), "x1": X[:, 1:].astype(str).astype(object)}
    assert_encoded_alike(transformer, X, feeds)


def test_columns_may_be_called_as_nodes_are():
    names = [f"{word}_{k}" for word in ("constant", "mul", "sub", "where") for k in range(8)]
    names += ["shared", "codes"]
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(20, len(names))), columns=names)
    transformer = TableTransformer().fit(X)
    assert_encoded_alike(transformer, X, {name: X[[name]].to_numpy() for name in names})


def test_a_column_needs_a_name():
    transformer = TableTransformer().fit(pl.DataFrame({"": [1, 2, 3], "x": [1, 2, 3]}))
    with pytest.raises(ValueError, match="a column called ''"):
        exported(transformer)
