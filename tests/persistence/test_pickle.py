"""Laws: an unpickled estimator predicts the same bit for bit, and resumes training the same.

A pickle holds the parameters and the state of the solver, but no training data: its size is
bounded by the number of parameters, whatever the number of rows.
"""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skdeep import (
    LBFGS,
    SGD,
    Adam,
    AdamW,
    Cosine,
    DeepClassifier,
    DeepRegressor,
    Normal,
    WarmUp,
)

RNG = np.random.RandomState(0)
X = RNG.normal(size=(50, 5))
NUMBERS = np.c_[X[:, 0] * X[:, 1], X[:, 2]]
NAMES = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
LABELS = (X[:, :3] > 0).astype(int)
PARAMS = {"hidden_layer_sizes": (8, 6), "max_iter": 5, "random_state": 0}

MODELS = {
    "adam": (DeepClassifier(**PARAMS), NAMES),
    "sgd": (DeepRegressor(**PARAMS, solver="sgd"), NUMBERS),
    "lbfgs": (DeepClassifier(**PARAMS, solver="lbfgs"), NAMES),
    "labels": (DeepClassifier(**PARAMS, early_stopping=True), LABELS),
    "poisson": (DeepRegressor(**PARAMS, loss="poisson", activation="gelu"), NUMBERS**2),
    "float32": (DeepRegressor(**PARAMS, dtype="float32"), NUMBERS),
    "spec-adam": (DeepClassifier(**PARAMS, solver=Adam(beta_1=0.8)), NAMES),
    "spec-sgd": (DeepClassifier(**PARAMS, solver=SGD(momentum=0.8)), NAMES),
    "columns": (DeepClassifier(**PARAMS), np.c_[NAMES, NAMES[::-1]]),
    "norms": (
        DeepRegressor(**PARAMS, norm="batch", batch_size=10, dropout=0.3, residual=True),
        NUMBERS,
    ),
    "layer-norm": (DeepClassifier(**PARAMS, norm="layer", bias=False), NAMES),
    "averaged": (
        DeepRegressor(
            **PARAMS,
            weight_averaging=0.9,
            early_stopping=True,
            validation_scoring="neg_mean_absolute_error",
        ),
        NUMBERS,
    ),
    "quantiles": (
        DeepRegressor(**PARAMS, loss="quantile", quantile=[0.9, 0.1, 0.5]),
        NUMBERS[:, 0],
    ),
    "options": (
        DeepClassifier(
            **PARAMS,
            solver=AdamW(learning_rate=WarmUp(2, Cosine())),
            activation=["gelu", "mish"],
            weight_init=Normal(0, 0.3),
            class_weight="balanced",
            label_smoothing=0.1,
            loss="focal",
            clip_norm=1.0,
            max_norm=2.0,
        ),
        NAMES,
    ),
    "spec-lbfgs": (DeepRegressor(**PARAMS, solver=LBFGS(max_fun=5)), NUMBERS),
}
ALL = pytest.mark.parametrize("name", MODELS)
N_MOMENTS = {"adam": 2, "sgd": 1, "lbfgs": 0}

FRESH_PROCESS = """
import sys, joblib, numpy as np
directory, names = sys.argv[1], sys.argv[2:]
X = np.load(f"{directory}/X.npy")
for name in names:
    model = joblib.load(f"{directory}/{name}")
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            found = getattr(model, method)(X)
            # With several columns of classes, there is a list of arrays.
            found = np.hstack(found) if isinstance(found, list) else found
            np.save(f"{directory}/{name}.{method}.npy", found)
"""


def fitted(name):
    model, y = MODELS[name]
    return clone(model).fit(X, y)


def test_fresh_process_predicts_the_same(tmp_path):
    np.save(tmp_path / "X.npy", X)
    models = {}
    for name in MODELS:
        models[f"{name}.joblib"] = models[f"{name}.pickle"] = fitted(name)
        joblib.dump(models[f"{name}.joblib"], tmp_path / f"{name}.joblib")
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps(models[f"{name}.pickle"]))
    command = [sys.executable, "-c", FRESH_PROCESS, str(tmp_path), *models]
    subprocess.run(command, check=True, timeout=600)
    for name, model in models.items():
        methods = ["predict"]
        if isinstance(model, DeepClassifier):
            methods += ["predict_proba", "predict_log_proba"]
        for method in methods:
            there = np.load(tmp_path / f"{name}.{method}.npy", allow_pickle=True)
            here = getattr(model, method)(X)
            if isinstance(here, list):
                here = np.hstack(here)
            assert_array_equal(there, here, err_msg=f"{name} {method}")
            assert there.dtype == here.dtype


@ALL
def test_all_fitted_attributes_come_back(name):
    model = fitted(name)
    loaded = pickle.loads(pickle.dumps(model))
    assert set(vars(loaded)) == set(vars(model))
    assert repr(loaded.get_params()) == repr(model.get_params())
    for attribute in (
        "loss_curve_",
        "validation_scores_",
        "n_iter_",
        "t_",
        "loss_",
        "best_loss_",
        "validation_loss_curve_",
        "best_validation_score_",
        "best_iter_",
    ):
        assert getattr(loaded, attribute) == getattr(model, attribute)
    for attribute in ("coefs_", "intercepts_", "norms_"):
        pairs = zip(getattr(loaded, attribute), getattr(model, attribute), strict=True)
        for there, here in pairs:
            assert_array_equal(there, here)
            assert there.dtype == here.dtype


@pytest.mark.parametrize("name", [name for name in MODELS if "lbfgs" not in name])
def test_partial_fit_goes_on_from_what_was_loaded(name):
    model = fitted(name).set_params(early_stopping=False)
    if getattr(model, "class_weight", None) == "balanced":
        model.set_params(class_weight={"a": 2.0, "c": 0.5})
    loaded = pickle.loads(pickle.dumps(model))
    for _ in range(3):
        for each in (model, loaded):
            each.partial_fit(X, MODELS[name][1])
    for ours, theirs in zip(
        model.coefs_ + model.intercepts_, loaded.coefs_ + loaded.intercepts_, strict=True
    ):
        assert_array_equal(ours, theirs)
    assert model.loss_curve_ == loaded.loss_curve_


@ALL
def test_warm_start_goes_on_from_what_was_loaded(name):
    model = fitted(name).set_params(warm_start=True)
    loaded = pickle.loads(pickle.dumps(model))
    for each in (model, loaded):
        each.fit(X, MODELS[name][1])
    for ours, theirs in zip(model.coefs_, loaded.coefs_, strict=True):
        assert_array_equal(ours, theirs)


@ALL
def test_weights_written_after_loading_predict(name):
    model = fitted(name)
    loaded = pickle.loads(pickle.dumps(model))
    for each in (model, loaded):
        each.coefs_[0][0, 0] += 1
        if each.bias:
            each.intercepts_[-1][0] -= 0.5
    assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("n_rows", [100, 20_000])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", N_MOMENTS)
@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_size_of_the_file_is_that_of_parameters_and_moments(
    kind, solver, dtype, early_stopping, n_rows
):
    table = RNG.normal(size=(n_rows, 30))
    y = table[:, 0] > 0 if kind is DeepClassifier else table[:, 0]
    model = kind(
        hidden_layer_sizes=(60, 40),
        solver=solver,
        dtype=dtype,
        early_stopping=early_stopping,
        max_iter=2,
        random_state=0,
    )
    model.fit(table, y, np.ones(n_rows))
    n_params = sum(array.size for array in model.coefs_ + model.intercepts_)
    bytes_of_parameters = n_params * np.dtype(dtype).itemsize
    # The parameters of the best epoch predict; training resumes from those of the last.
    n_lives = int(early_stopping and solver != "lbfgs")
    limit = (1 + N_MOMENTS[solver] + n_lives) * bytes_of_parameters + 6000
    assert len(pickle.dumps(model)) < limit
    if solver != "lbfgs":
        model.set_params(early_stopping=False).partial_fit(table, y)
        assert len(pickle.dumps(model)) < limit


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@ALL
def test_file_holds_no_training_data(name, convert):
    model, y = MODELS[name]
    rows = np.arange(X.size, dtype=float).reshape(X.shape) / X.size + 0.123456789
    stored = pickle.dumps(clone(model).fit(convert(rows), y))
    for dtype in (np.float64, np.float32):
        assert not any(row.astype(dtype).tobytes()[:16] in stored for row in rows)
    if y.dtype.kind == "f":
        assert not any(row.tobytes() in stored for row in y.reshape(len(y), -1))


@ALL
def test_unfitted_estimators_are_stored_too(name):
    model = MODELS[name][0]
    loaded = pickle.loads(pickle.dumps(model))
    assert repr(loaded.get_params()) == repr(model.get_params())
