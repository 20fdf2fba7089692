"""Law: the graph of a tabular estimator takes the raw columns and predicts as it does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skdeep import TabularClassifier, TabularRegressor
from tests.tabular.kinds import COLUMNS, FLOATS, INTS, N, objects
from tests.tabular.small import TARGETS, model_of, recipe, table

onnx = pytest.importorskip("onnx")

from skdeep.persistence import to_onnx  # noqa: E402
from tests.persistence.onnx_runs import assert_predicts, run  # noqa: E402
from tests.persistence.test_onnx_tables import feeds_of, frame  # noqa: E402

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
EACH_DTYPE = pytest.mark.parametrize("dtype", TOLERANCE)


def outputs_of(model, X, feeds=None):
    """Outputs of the graph by name, from the columns of a frame."""
    exported = to_onnx(model)
    if feeds is None:
        kinds = {onnx.TensorProto.DOUBLE: np.float64, onnx.TensorProto.STRING: object}
        feeds = {
            one.name: X[[one.name]].to_numpy(kinds[one.type.tensor_type.elem_type])
            for one in exported.graph.input
        }
    return run(exported, feeds)


def check(model, X, feeds=None):
    outputs, tolerance = outputs_of(model, X, feeds), TOLERANCE[model.dtype]
    if isinstance(model, TabularClassifier):
        assert_predicts(model, outputs, X, tolerance)
        return
    expected = model.predict(X).reshape(len(X), -1)
    # Rounding errors do not shrink where a prediction is near 0.
    size = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(outputs["variable"] / size, expected / size, 0, tolerance)


def other_rows():
    """Rows that no fit has seen, with unseen levels and infinities."""
    X = table(seed=1, n=60)
    X.loc[:9, "letter"] = ["d", None, np.nan, "a", "", "b", "A", None, "c", "dd"]
    X.loc[:3, "x"] = [np.inf, -np.inf, np.nan, 1e300]
    X.loc[5:9, "many"] = ["level 10000", None, "level 1", "", "none"]
    return X


@EACH_DTYPE
@pytest.mark.parametrize("name", TARGETS)
def test_every_target(name, dtype):
    model, target = model_of(name, dtype=dtype)
    X = table()
    check(model.fit(X, target(X)), other_rows())


RECIPES = {
    "periodic": [recipe(embedding="periodic")],
    "piecewise": [recipe(embedding="piecewise", n_bins=5)],
    "plain": [recipe(embedding=None, activation="relu", dropout=0.0)],
    "blended": [recipe(activation="mish"), recipe(embedding="piecewise"), recipe(sigma=0.5)],
}


@EACH_DTYPE
@pytest.mark.parametrize("name", ["classes", "two columns"])
@pytest.mark.parametrize("recipes", RECIPES)
def test_every_recipe(recipes, name, dtype):
    model, target = model_of(name, dtype=dtype, recipe=RECIPES[recipes])
    X = table()
    check(model.fit(X, target(X)), other_rows())


@EACH_DTYPE
@pytest.mark.parametrize("effort", ["fast", "best"])
@pytest.mark.parametrize("name", ["labels", "quantiles"])
def test_efforts(effort, name, dtype):
    _, target, own = TARGETS[name]
    small = {"hidden_layer_sizes": (6,), "max_iter": 2, "random_state": 0, "dtype": dtype}
    X = table()
    kind = TabularClassifier if name == "labels" else TabularRegressor
    model = kind(effort=effort, **small | own).fit(X, target(X))
    check(model, other_rows())


@pytest.mark.parametrize("container", [pd.DataFrame, objects], ids=["frame", "objects"])
def test_columns_of_every_kind(container):
    X = container(COLUMNS)
    y = np.array(FLOATS) + np.array(INTS)
    model = TabularRegressor(recipe=recipe(), n_members=2, random_state=0).fit(X, y)
    check(model, X, feeds_of(model.transformer_, COLUMNS))


def test_means_may_be_all_that_a_member_sees():
    X = frame({"level": [f"level {i}" for i in range(50)] * 4})
    model = TabularRegressor(recipe=recipe(), n_members=2, random_state=0)
    check(model.fit(X, np.arange(200) % 50 / 10), X)


@EACH_DTYPE
def test_a_matrix_of_numbers(dtype):
    X = np.c_[FLOATS, INTS, np.ones(N)]
    y = X[:, 0] > 0
    model = TabularClassifier(recipe=recipe(), n_members=2, dtype=dtype, random_state=0)
    X[::9, 0] = np.nan
    model.fit(X, y)
    check(model, X, {"X": X})
    check(model, X[:1], {"X": X[:1]})


def test_the_average_of_equal_predictions_is_not_rounded():
    X = table(many=False)
    model = TabularRegressor(recipe=recipe(), n_members=3, random_state=0)
    model.fit(X, np.full(len(X), 0.7))
    assert (outputs_of(model, X)["variable"] == 0.7).all()


def test_columns_may_be_called_as_the_outputs_are():
    X = table(many=False).rename(columns={"x": "label", "z": "probabilities"})
    model = TabularClassifier(recipe=recipe(), n_members=1, random_state=0)
    model.fit(X, X["letter"])
    found = outputs_of(model, X)
    assert list(found) == ["output_label", "output_probabilities"]
    np.testing.assert_array_equal(found["output_label"], model.predict(X))


def test_it_is_said_what_cannot_be_exported():
    X = table(many=False)
    model = TabularClassifier(recipe=recipe(), n_members=1).fit(X, X["letter"])
    with pytest.raises(TypeError, match="TabularRegressor, got TableTransformer"):
        to_onnx(model.transformer_)
    with pytest.raises(NotFittedError):
        to_onnx(TabularRegressor())
