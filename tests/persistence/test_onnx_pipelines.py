"""Laws: pipelines that skl2onnx converts predict as they do in Python."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingRegressor, StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdeep import DeepClassifier, DeepRegressor

skl2onnx = pytest.importorskip("skl2onnx")

import skdeep.persistence.onnx  # noqa: E402
from tests.persistence.onnx_runs import (  # noqa: E402
    TOLERANCE,
    assert_labels,
    assert_predicts,
    run,
)
from tests.persistence.test_onnx import DTYPES, EACH_DTYPE, LABELS, TEXT, X, Y  # noqa: E402

SMALL = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
EACH_KIND = pytest.mark.parametrize("labels", LABELS)


def classifier(**params):
    return DeepClassifier(**SMALL | params)


def regressor(**params):
    return DeepRegressor(**SMALL | params)


def converted(model, dtype, **params):
    return skl2onnx.to_onnx(model, X[:1].astype(dtype), **{"target_opset": 17, **params})


def check(model, y, dtype):
    model.fit(X, y)
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    outputs = run(converted(model, dtype, options=options), {"X": X.astype(dtype)})
    tolerance = TOLERANCE[np.dtype(dtype)]
    assert_predicts(model, outputs, X.astype(dtype).astype(float), tolerance)
    return outputs


# The step


@EACH_DTYPE
@EACH_KIND
def test_classifiers_in_pipelines(labels, dtype):
    outputs = check(make_pipeline(StandardScaler(), classifier()), LABELS[labels], dtype)
    assert list(outputs) == ["label", "probabilities"]


@EACH_DTYPE
@pytest.mark.parametrize("y", [Y, np.c_[Y, -Y]], ids=["one target", "two targets"])
def test_regressors_in_pipelines(y, dtype):
    check(make_pipeline(StandardScaler(), regressor(norm="layer", activation="gelu")), y, dtype)


@EACH_DTYPE
def test_numbers_have_the_dtype_of_the_input(dtype):
    for trained in DTYPES:
        model = regressor(dtype=trained).fit(X, Y)
        outputs = run(converted(model, dtype), {"X": X.astype(dtype)})
        assert outputs["variable"].dtype == dtype
        assert_allclose(outputs["variable"][:, 0], model.predict(X), 1e-5, 1e-5)


@pytest.mark.parametrize("opset", [15, 17, 18, 20, None])
def test_opsets(opset):
    model = make_pipeline(StandardScaler(), regressor(norm="layer", activation="gelu"))
    model.fit(X, Y)
    graph = converted(model, "float64", target_opset=opset)
    assert_predicts(model, run(graph, {"X": X}), X, 1e-12)


def test_integers_and_several_inputs():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(d=np.arange(len(X)) % 7)
    model = regressor().fit(frame, Y)
    graph = skl2onnx.to_onnx(model, frame[:1], target_opset=17)
    assert [value.name for value in graph.graph.input] == list("abcd")
    outputs = run(graph, {name: frame[[name]].to_numpy() for name in frame})
    assert_predicts(model, outputs, frame, 1e-12)


def test_text_as_input_is_refused():
    from skl2onnx.common.data_types import StringTensorType

    model = regressor().fit(X, Y)
    types = [("X", StringTensorType([None, 4]))]
    with pytest.raises(RuntimeError, match="StringTensorType"):
        skl2onnx.to_onnx(model, initial_types=types, target_opset=17)


# ZipMap


@EACH_DTYPE
@EACH_KIND
def test_zipmap_is_of_the_labels(labels, dtype):
    model = make_pipeline(StandardScaler(), classifier()).fit(X, LABELS[labels])
    outputs = run(converted(model, dtype), {"X": X.astype(dtype)})
    if isinstance(model.classes_, list):  # which has no ZipMap
        assert_predicts(model, outputs, X.astype(dtype).astype(float), 1e-5)
        return
    assert list(outputs) == ["output_label", "output_probability"]
    probabilities = model.predict_proba(X)
    names = [c if isinstance(c, str) else int(c) for c in model.classes_.tolist()]
    assert [list(row) for row in outputs["output_probability"]] == [names] * len(X)
    found = [list(row.values()) for row in outputs["output_probability"]]
    assert_allclose(found, probabilities, 1e-5, 1e-5)
    assert_labels(model, outputs["output_label"], X, [probabilities], 1e-5)


@EACH_DTYPE
def test_zipmap_of_columns(dtype):
    model = classifier().fit(X, TEXT)
    graph = converted(model, dtype, options={"zipmap": "columns"})
    label, *columns = run(graph, {"X": X.astype(dtype)}).values()
    probabilities = model.predict_proba(X)
    assert_allclose(np.transpose(columns), probabilities, 1e-5, 1e-5)
    assert_labels(model, label, X, [probabilities], 1e-5)


def test_options_that_several_columns_do_not_have_are_named():
    model = classifier().fit(X, LABELS["columns of text"])
    with pytest.warns(UserWarning, match="zipmap='columns' is ignored"):
        converted(model, "float32", options={"zipmap": "columns"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted(model, "float32")


# Other estimators around and beside


@EACH_DTYPE
def test_column_transformers(dtype):
    frame = pd.DataFrame(X.astype(dtype), columns=list("abcd"))
    frame["text"] = np.resize(["x", "y", "z"], len(X))
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b", "d"]), (OneHotEncoder(), ["text"])
    )
    model = make_pipeline(columns, classifier()).fit(frame, TEXT)
    graph = skl2onnx.to_onnx(model, frame[:1], target_opset=17, options={"zipmap": False})
    feeds = {
        name: frame[[name]].to_numpy(object if name == "text" else dtype) for name in frame
    }
    feeds = {value.name: feeds[value.name] for value in graph.graph.input}
    assert_predicts(model, run(graph, feeds), frame, TOLERANCE[np.dtype(dtype)])


OTHERS = {
    "search": lambda: (GridSearchCV(classifier(), {"alpha": [0.0, 0.1]}, cv=2), TEXT),
    "calibration": lambda: (CalibratedClassifierCV(classifier(), cv=2), LABELS["multi-class"]),
    "stack of classifiers": lambda: (
        StackingClassifier(
            [("deep", classifier()), ("linear", LogisticRegression())], LogisticRegression()
        ),
        TEXT,
    ),
    "stack of regressors": lambda: (
        StackingRegressor(
            [("scaled", make_pipeline(StandardScaler(), regressor())), ("linear", Ridge())],
            Ridge(),
        ),
        Y,
    ),
    "bagging": lambda: (BaggingRegressor(regressor(), n_estimators=2, random_state=0), Y),
}


@pytest.mark.parametrize("name", OTHERS)
def test_in_other_estimators(name):
    model, y = OTHERS[name]()
    check(model, y, "float32")


def test_importing_the_file_registers_the_converters():
    from skl2onnx import supported_converters

    assert skdeep.persistence.onnx.to_onnx is skdeep.persistence.to_onnx
    assert {"SkdeepDeepClassifier", "SkdeepDeepRegressor"} <= set(supported_converters())
