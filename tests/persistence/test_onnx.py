"""Laws: what runs in onnxruntime are the estimator's predictions, for all options.

To 1e-5 in float32 and 1e-12 in float64.
"""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor, Focal, Huber
from skdeep.activations import ACTIVATIONS, ReLU
from skdeep.losses import OUTPUT_ACTIVATIONS, REGRESSION_LOSSES
from skdeep.persistence import to_onnx

onnx = pytest.importorskip("onnx")

from tests.persistence.onnx_runs import (  # noqa: E402
    HAS_RUNTIME,
    TOLERANCE,
    assert_predicts,
    run,
)

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
Y = X @ RNG.normal(size=4) + np.sin(3 * X[:, 0])
CODES = np.digitize(Y, [-1.0, 1.0])
TEXT = np.array(["low", "in between", "high"])[CODES]
DTYPES = ["float32", "float64"]
EACH_DTYPE = pytest.mark.parametrize("dtype", DTYPES)

MIXED = np.empty((N, 2), dtype=object)
MIXED[:, 0], MIXED[:, 1] = TEXT, CODES

# Kinds of labels: with what dtype they come out.
LABELS = {
    "binary": (CODES == 1).astype(int),
    "booleans": Y > 0,
    "whole floats": 2.0 * (Y > 0),
    "negative": np.where(Y > 0, -3, 7),
    "small integers": CODES.astype(np.uint8),
    "multi-class": CODES,
    "text": TEXT,
    "two texts": np.where(Y > 0, "yes", "no"),
    "objects": TEXT.astype(object),
    "multi-label": np.c_[Y > 0, Y > 1, X[:, 1] > 0].astype(int),
    "columns of numbers": np.c_[CODES, Y > 0],
    "columns of text": np.c_[TEXT, TEXT[::-1]],
    "columns of both": MIXED,
}
TARGETS = {"poisson": np.round(np.exp(Y)), "gamma": np.exp(Y)}
LOSSES = [*REGRESSION_LOSSES, Huber(0.5)]


def output_activations(labels):
    # Labels that are independent have no softmax.
    return [None, "logistic"] if labels == "multi-label" else [None, "logistic", "softmax"]


def fitted(kind, y, dtype="float64", **params):
    defaults = {"hidden_layer_sizes": (6, 6), "max_iter": 3, "random_state": 0, "dtype": dtype}
    model = kind(**defaults | params)
    return model.fit(X, y)


def check(model, rows=X, reference=not HAS_RUNTIME):
    dtype = model.coefs_[0].dtype
    outputs = run(to_onnx(model), {"X": rows.astype(dtype)}, reference)
    assert_predicts(model, outputs, rows, TOLERANCE[dtype])
    return outputs


# Networks


@EACH_DTYPE
@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_and_norms(activation, norm, dtype):
    check(fitted(DeepRegressor, Y, dtype, activation=activation, norm=norm))


@EACH_DTYPE
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_far_from_zero(activation, dtype):
    z = np.r_[np.linspace(-40, 40, 801), np.logspace(-9, 4, 40), -np.logspace(-9, 4, 40)]
    model = DeepRegressor(
        hidden_layer_sizes=(1,), activation=activation, dtype=dtype, max_iter=1
    )
    model.fit(z[:, None] / 1e4, z)
    model.coefs_[0][:] = model.coefs_[1][:] = 1
    model.intercepts_[0][:] = model.intercepts_[1][:] = 0
    check(model, z[:, None])


@EACH_DTYPE
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", [(5,), (4, 4, 7), (9, 2, 9)])
def test_shapes_with_residuals(sizes, bias, dtype):
    activation = ["tanh", "gelu", "mish"][: len(sizes)]
    params = {"activation": activation, "residual": True, "bias": bias, "dropout": 0.3}
    check(fitted(DeepRegressor, Y, dtype, hidden_layer_sizes=sizes, **params))


@EACH_DTYPE
def test_running_averages_of_batch_norm_are_exported(dtype):
    # Far from the initial mean 0 and variance 1.
    model = DeepRegressor(norm="batch", max_iter=40, random_state=0, dtype=dtype)
    check(model.fit(50 + 9 * X, Y), 50 + 9 * X)


# Outputs


@EACH_DTYPE
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_losses_of_regressors(loss, dtype):
    outputs = check(fitted(DeepRegressor, TARGETS.get(str(loss), Y), dtype, loss=loss))
    assert outputs["variable"].dtype == dtype


@EACH_DTYPE
@pytest.mark.parametrize("name", OUTPUT_ACTIVATIONS)
def test_output_activations_of_regressors(name, dtype):
    check(fitted(DeepRegressor, Y, dtype, output_activation=name))


@EACH_DTYPE
@pytest.mark.parametrize("name", ["softplus", "exp"])
def test_small_predictions_keep_their_digits(name, dtype):
    model = fitted(DeepRegressor, np.exp(Y), dtype, loss="poisson", output_activation=name)
    model.intercepts_[-1][:] = -15
    found = run(to_onnx(model), {"X": X.astype(dtype)})["variable"][:, 0]
    assert found.max() < 1e-4
    assert_allclose(found, model.predict(X), rtol=10 * TOLERANCE[np.dtype(dtype)])


@EACH_DTYPE
@pytest.mark.parametrize("quantile", [0.5, [0.3], [0.1, 0.5, 0.9], [0.9, 0.1, 0.5]], ids=str)
def test_quantiles(quantile, dtype):
    check(fitted(DeepRegressor, Y, dtype, loss="quantile", quantile=quantile))


@EACH_DTYPE
def test_several_targets(dtype):
    check(fitted(DeepRegressor, np.c_[Y, Y**2, -Y], dtype))


@EACH_DTYPE
@pytest.mark.parametrize("loss", ["log_loss", Focal(1.0), "squared_error"], ids=str)
@pytest.mark.parametrize(
    ("labels", "output_activation"),
    [(kind, name) for kind in LABELS for name in output_activations(kind)],
)
def test_labels(labels, output_activation, loss, dtype):
    params = {"loss": loss, "output_activation": output_activation}
    outputs = check(fitted(DeepClassifier, LABELS[labels], dtype, **params))
    is_text = any(word in labels for word in ("text", "objects", "both"))
    assert outputs["label"].dtype == (object if is_text else np.int64)


def draw(rng):
    """An estimator of random options, and its targets."""
    n_hidden = rng.integers(1, 4)
    params = {
        "hidden_layer_sizes": tuple(rng.choice([3, 4, 8], n_hidden).tolist()),
        "activation": rng.choice(sorted(ACTIVATIONS), n_hidden).tolist(),
        "norm": rng.choice([None, "batch", "layer"]),
        "residual": bool(rng.integers(2)),
        "bias": bool(rng.integers(2)),
        "dropout": float(rng.choice([0.0, 0.2])),
        "dtype": str(rng.choice(DTYPES)),
        "solver": str(rng.choice(["adam", "sgd", "lbfgs"])),
        "max_iter": 4,
        "random_state": 0,
    }
    if params["solver"] == "lbfgs":
        params |= {"dropout": 0.0, "norm": None}
    if rng.integers(2):
        kind = str(rng.choice(list(LABELS)))
        params["output_activation"] = rng.choice(output_activations(kind))
        return DeepClassifier(**params), LABELS[kind]
    loss = LOSSES[rng.integers(len(LOSSES))]
    params["loss"] = loss
    if loss == "quantile":
        params["quantile"] = rng.permutation([0.1, 0.4, 0.8])[: rng.integers(1, 4)].tolist()
    else:
        names = ["softplus", "exp"] if loss in ("poisson", "gamma") else [*OUTPUT_ACTIVATIONS]
        params["output_activation"] = rng.choice([None, *names])
    return DeepRegressor(**params), TARGETS.get(str(loss), Y)


@pytest.mark.parametrize("seed", range(60))
def test_any_mix_of_options(seed):
    model, y = draw(np.random.default_rng(seed))
    check(model.fit(X, y))


@EACH_DTYPE
@pytest.mark.parametrize("labels", ["booleans", "multi-label", "columns of both"])
def test_reference_evaluator_agrees(labels, dtype):
    for activation in ACTIVATIONS:
        params = {"activation": activation, "norm": "layer", "residual": True}
        check(fitted(DeepClassifier, LABELS[labels], dtype, **params), reference=True)
    quantiles = {"loss": "quantile", "quantile": [0.9, 0.5]}
    check(fitted(DeepRegressor, Y, dtype, **quantiles), reference=True)


# Models


@EACH_DTYPE
def test_models_are_for_runtimes_of_two_years_ago(dtype):
    model = to_onnx(fitted(DeepClassifier, TEXT, dtype, activation="mish", norm="layer"))
    assert model.ir_version == 8
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    (value,) = model.graph.input
    assert value.name == "X"
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    assert value.type.tensor_type.elem_type == element
    rows, columns = value.type.tensor_type.shape.dim
    assert rows.dim_param
    assert columns.dim_value == 4


def test_any_number_of_rows():
    model = fitted(DeepClassifier, MIXED)
    for n in (1, 2, N):
        check(model, X[:n])


def test_weights_that_were_changed_are_exported():
    model = fitted(DeepRegressor, Y, norm="batch")
    before = check(model)["variable"]
    model.coefs_[0][0] += 1
    model.intercepts_[1][:] -= 2
    model.norms_[3][:] *= 4
    assert not np.allclose(check(model)["variable"], before)


def test_weights_of_another_shape_are_exported():
    model = fitted(DeepRegressor, Y)
    model.coefs_ = [RNG.normal(size=shape) for shape in [(3, 5), (5, 2), (2, 1)]]
    model.intercepts_ = [RNG.normal(size=n) for n in (5, 2, 1)]
    (variable,) = run(to_onnx(model), {"X": X[:, :3]}).values()
    hidden = np.maximum(X[:, :3] @ model.coefs_[0] + model.intercepts_[0], 0)
    hidden = np.maximum(hidden @ model.coefs_[1] + model.intercepts_[1], 0)
    assert_allclose(variable, hidden @ model.coefs_[2] + model.intercepts_[2], atol=1e-12)


class OwnLoss:
    def loss(self, y_true, y_pred):
        return np.abs(y_true - y_pred) ** 1.5

    def gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return 1.5 * np.sign(error) * np.abs(error) ** 0.5


@pytest.mark.parametrize("output_activation", [None, "exp"])
def test_a_loss_of_ones_own_is_no_obstacle(output_activation):
    check(fitted(DeepRegressor, Y, loss=OwnLoss(), output_activation=output_activation))


# Errors


class Snake:
    def value(self, z):
        return z + np.sin(z) ** 2

    def derivative(self, z):
        return 1 + np.sin(2 * z)


class LiftedReLU(ReLU):
    def forward(self, z, out):
        super().forward(z, out)
        out += 1


@pytest.mark.parametrize("own", [Snake(), LiftedReLU()], ids=lambda own: type(own).__name__)
def test_an_activation_of_ones_own_is_refused(own):
    model = fitted(DeepRegressor, Y, activation=["relu", own])
    with pytest.raises(ValueError, match=f"{type(own).__name__}.*cannot be exported to ONNX"):
        to_onnx(model)


def test_labels_that_onnx_does_not_have_are_refused():
    days = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")
    model = fitted(DeepClassifier, CODES > 0)
    model._target.classes = days
    with pytest.raises(ValueError, match="whole numbers or text"):
        to_onnx(model)


def test_what_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        to_onnx(DeepRegressor())


def test_other_objects_are_refused():
    pipeline = make_pipeline(StandardScaler(), DeepRegressor())
    with pytest.raises(TypeError, match=r"skl2onnx\.to_onnx"):
        to_onnx(pipeline)


def test_without_onnx_the_error_says_what_to_install(monkeypatch):
    model = fitted(DeepRegressor, Y)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'scikit-deep\[onnx\]'"):
        to_onnx(model)


LOADED = """
import sys
import skdeep.persistence
print(sorted({"onnx", "skl2onnx"} & set(sys.modules)))
sys.modules["onnx"] = sys.modules["skl2onnx"] = None
print(skdeep.persistence.to_onnx.__name__)
"""


def test_files_can_be_read_without_onnx():
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=600
    )
    assert ran.stdout.split("\n")[:2] == ["[]", "to_onnx"]
