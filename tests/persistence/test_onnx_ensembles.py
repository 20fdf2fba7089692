"""Laws: ensembles in ONNX predict what `Ensemble.predict` does, from the same matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdeep.tabular.fitted import ensemble_of
from tests.tabular.small import TARGETS, recipe, table

onnx = pytest.importorskip("onnx")

from skdeep.persistence.onnx_ensembles import ensemble_outputs  # noqa: E402
from skdeep.persistence.onnx_graph import ROWS, Graph  # noqa: E402
from tests.persistence.onnx_runs import TOLERANCE, run  # noqa: E402
from tests.persistence.test_onnx import EACH_DTYPE  # noqa: E402


def fitted(kind, many, dtype, **params):
    estimator, targets, own = TARGETS[kind]
    frame = table(many=many)
    model = estimator(dtype=dtype, **own | params)
    return model.fit(frame, targets(frame)), frame


def check(model, frame, reference=False):
    shared, codes = model.transformer_.encode(frame)
    codes = codes.astype(np.int64)
    ensemble = ensemble_of(model)
    expected = ensemble.predict(shared, codes)
    graph = Graph(shared.dtype)
    names = (
        graph.input("shared", shared.dtype, (ROWS, shared.shape[1])),
        graph.input("codes", np.int64, (ROWS, codes.shape[1])),
    )
    value = ensemble_outputs(graph, ensemble, *names)
    graph.output("prediction", value, np.float64, (ROWS, expected.shape[1]))
    outputs = run(graph.model("ensemble"), {"shared": shared, "codes": codes}, reference)
    tolerance = TOLERANCE[shared.dtype]
    # Columns differ in their units.
    unit = np.maximum(np.abs(expected).max(axis=0), 1)
    assert_allclose(outputs["prediction"] / unit, expected / unit, tolerance, tolerance)
    return expected


@EACH_DTYPE
def test_recipes_are_weighted(dtype):
    recipes = [recipe(embedding=name) for name in ("periodic", "piecewise", None)]
    model, frame = fitted("classes", True, dtype, recipe=recipes)
    ensemble = ensemble_of(model)
    before = check(model, frame)
    ensemble.weights = np.array([0.25, 0.0, 0.75])
    assert not np.allclose(check(model, frame), before)


@pytest.mark.parametrize("of_stack", [False, True])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_temperature(kind, of_stack):
    recipes = [recipe(), recipe(embedding=None)]
    model, frame = fitted(kind, False, "float64", recipe=recipes)
    ensemble = ensemble_of(model)
    calibrated = ensemble.stacks[0] if of_stack else ensemble
    calibrated.temperature = 1.0
    plain = check(model, frame)
    calibrated.temperature = 3.0
    assert not np.allclose(check(model, frame), plain)


def test_levels_that_a_fit_has_not_seen():
    model, frame = fitted("numbers", True, "float64")
    seen = check(model, frame)
    frame["many"] = ["none of them", None] * (len(frame) // 2)
    assert not np.allclose(check(model, frame), seen)


def test_predictions_stay_within_the_range_of_the_targets():
    model, frame = fitted("numbers", False, "float64")
    free = check(model, frame)
    low = np.quantile(free, 0.3)
    for k, member in enumerate(ensemble_of(model).stacks[0].members):
        member.scale.low[:] = low
        member.scale.high[:] = np.quantile(free, 0.6 + 0.1 * k)
    expected = check(model, frame)
    assert free.min() < low <= expected.min()
    assert expected.max() < free.max()


def test_far_targets_keep_their_digits():
    model, frame = fitted("numbers", False, "float32")
    for member in ensemble_of(model).stacks[0].members:
        for name in ("center", "low", "high"):
            setattr(member.scale, name, getattr(member.scale, name) + 1e9)
    expected = check(model, frame)
    assert np.ptp(expected) < 1e3


def test_reference_evaluator_agrees():
    for kind in ("classes", "quantiles"):
        check(*fitted(kind, True, "float64"), reference=True)
