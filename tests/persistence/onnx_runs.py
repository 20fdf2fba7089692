"""Running ONNX models, and comparing them with the estimators that they come from."""

import importlib.util

import numpy as np
import onnx
from numpy.testing import assert_allclose
from onnx.reference import ReferenceEvaluator

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
HAS_RUNTIME = importlib.util.find_spec("onnxruntime") is not None


def run(model, feeds, reference=not HAS_RUNTIME):
    """Outputs of a valid model by name, from onnxruntime or ONNX's own evaluator."""
    onnx.checker.check_model(model, full_check=True)
    names = [output.name for output in model.graph.output]
    if reference:
        return dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    assert [output.name for output in session.get_outputs()] == names
    return dict(zip(names, session.run(None, feeds), strict=True))


def assert_predicts(estimator, outputs, X, tolerance):
    """Outputs are the estimator's predictions of X."""
    if not hasattr(estimator, "predict_proba"):
        expected = np.asarray(estimator.predict(X)).reshape(len(X), -1)
        assert outputs["variable"].shape == expected.shape
        assert_allclose(outputs["variable"], expected, tolerance, tolerance)
        return
    probabilities = estimator.predict_proba(X)
    assert isinstance(probabilities, list) == isinstance(outputs["probabilities"], list)
    several = isinstance(probabilities, list)
    found = outputs["probabilities"] if several else [outputs["probabilities"]]
    expected = probabilities if several else [probabilities]
    for own, other in zip(found, expected, strict=True):
        assert own.shape == other.shape
        assert_allclose(own, other, tolerance, tolerance)
    assert_labels(estimator, outputs["label"], X, expected, tolerance)


def assert_labels(estimator, found, X, probabilities, tolerance):
    """Labels are those of `predict`, where no rounding error can change them."""
    expected = estimator.predict(X)
    assert found.shape == expected.shape
    assert found.dtype in (np.int64, object)
    same = _comparable(found, expected)
    if expected.ndim == 2 and not isinstance(estimator.classes_, list):
        clear = np.abs(probabilities[0] - 0.5) > 10 * tolerance
    else:
        two_best = [np.sort(p, axis=1)[:, -2:] for p in probabilities]
        clear = np.array([np.diff(p)[:, 0] > 10 * tolerance for p in two_best]).T
        clear = clear.reshape(expected.shape)
    assert clear.mean() > 0.9
    assert same[clear].all()


def _comparable(found, expected):
    if found.dtype == object:
        # Numbers beside text are text.
        expected = np.reshape([str(label) for label in expected.flat], expected.shape)
    return found == expected
