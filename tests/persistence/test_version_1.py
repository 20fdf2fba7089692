"""Laws: files of version 1 can be loaded, and mean the same as before.

Those in the folder `version_1` were written by the skdeep of that time (see its README); two
more, written by hand, are below.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdeep import SGD, AdamW, Cosine, DeepClassifier, DeepRegressor, WarmUp
from skdeep.losses import Focal, Huber
from skdeep.persistence import load, save
from skdeep.solvers import Adadelta, Adagrad, Lion, NAdam, RMSprop
from tests.persistence.test_persistence import (
    EACH_FORM,
    assert_same,
    assert_same_model,
    sealed,
    there_and_back,
)

FOLDER = Path(__file__).parent / "version_1"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
X = np.array(EXPECTED.pop("X"))
EACH_FILE = pytest.mark.parametrize("name", EXPECTED)
REMOVED = ["batch_norm", "layer_norm", "weight_decay", "rho", "focal_gamma", "huber_delta"]


def test_every_file_has_an_expected_prediction():
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {*EXPECTED, "expected.json", "README.md"}


def check_output(model, expected):
    # The order of sums depends on the processor, and may change the last digits.
    rtol = 1e-12 if model.coefs_[0].dtype == np.float64 else 1e-5
    is_classifier = isinstance(model, DeepClassifier)
    output = model.predict_proba(X) if is_classifier else model.predict(X)
    several = isinstance(output, list)
    for ours, theirs in zip(
        output if several else [output], expected if several else [expected], strict=True
    ):
        assert ours.dtype == model.coefs_[0].dtype
        assert_allclose(ours, np.array(theirs), rtol=rtol)


def stored_arrays(name):
    """Weights, biases and norms in a file, read without skdeep."""
    if name.endswith(".npz"):
        with np.load(FOLDER / name, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays if key.startswith("weights.")}
    weights = json.loads((FOLDER / name).read_text())["weights"]
    return {
        f"weights.{part}.{i}": np.array(array["data"], array["dtype"])
        for part, arrays in weights.items()
        for i, array in enumerate(arrays)
    }


@EACH_FILE
def test_weights_and_predictions_are_those_that_were_saved(name):
    model, expected = load(FOLDER / name), EXPECTED[name]
    ours = {
        f"weights.{part}.{i}": array
        for part in ("coefs_", "intercepts_", "norms_")
        for i, array in enumerate(getattr(model, part))
    }
    theirs = stored_arrays(name)
    assert ours.keys() == theirs.keys()
    for place, array in ours.items():
        assert_same(array, theirs[place])
    predicted = model.predict(X)
    if isinstance(model, DeepClassifier):
        assert predicted.tolist() == expected["predict"]
    check_output(model, expected["predict_proba" if "predict_proba" in expected else "predict"])


@EACH_FILE
@pytest.mark.filterwarnings("ignore:Maximum iterations", "ignore:.*is not read")
def test_training_goes_on_as_it_would_have(name):
    model, y = load(FOLDER / name), EXPECTED[name]["y"]
    model.set_params(warm_start=True, early_stopping=False)
    model.fit(X, np.array(y, object) if name == "columns.json" else np.array(y))
    check_output(model, EXPECTED[name]["trained"])


@EACH_FILE
@EACH_FORM
def test_what_was_loaded_is_written_as_version_2(name, suffix, tmp_path):
    model = load(FOLDER / name)
    again = there_and_back(model, tmp_path / f"again{suffix}")
    assert_same_model(model, again, X)
    save(again, tmp_path / "text.json")
    tree = json.loads((tmp_path / "text.json").read_text())
    assert tree["version"] == 2
    assert not set(tree["params"]) & set(REMOVED)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith(".json")])
def test_the_hash_of_version_1_is_still_read(name, tmp_path):
    tree = json.loads((FOLDER / name).read_text())
    assert sealed(tree) == tree
    for change in (
        lambda tree: tree["weights"]["coefs_"][0]["data"][0].reverse(),
        lambda tree: tree["params"].update(rho=0.25),
        lambda tree: tree.update(version=2),
    ):
        broken = json.loads((FOLDER / name).read_text())
        change(broken)
        with pytest.raises(ValueError, match="SHA-256"):
            load_text(json.dumps(broken), tmp_path)


# Parameters

CLASSIFIER = """{
 "format": "skdeep",
 "version": 1,
 "estimator": "DeepClassifier",
 "params": {
  "hidden_layer_sizes": {"type": "tuple", "items": [2]},
  "activation": "relu",
  "n_iter_no_change": {"type": "float", "value": "inf"},
  "solver": {"type": "SGD", "fields": {"momentum": 0.5}},
  "class_weight": {"type": "dict", "items": [["no", 1], ["yes", 2.5]]}
 },
 "target": {
  "type": "classes",
  "classes": {"type": "array", "dtype": "<U3", "shape": [2], "data": ["no", "yes"]}
 },
 "features": ["height", "width"],
 "fitted": {
  "n_iter_": 2,
  "t_": 20,
  "loss_": 0.5,
  "loss_curve_": [0.75, 0.5],
  "best_loss_": null,
  "validation_scores_": [0.25, 0.5],
  "validation_loss_curve_": [1.0, 2.0],
  "best_validation_score_": 0.5,
  "best_iter_": 2
 },
 "weights": {
  "coefs_": [
   {"type": "array", "dtype": "<f8", "shape": [2, 2], "data": [[1.0, 0.0], [0.0, -1.0]]},
   {"type": "array", "dtype": "<f8", "shape": [2, 1], "data": [[2.0], [-3.0]]}
  ],
  "intercepts_": [
   {"type": "array", "dtype": "<f8", "shape": [2], "data": [0.5, 0.0]},
   {"type": "array", "dtype": "<f8", "shape": [1], "data": [-0.25]}
  ],
  "norms_": []
 },
 "sha256": "4054a0a8ecbfc19ebf36454c1575c44e56c82ff1cc61c57e4b292cc622c66d5b"
}
"""
REGRESSOR = """{
 "format": "skdeep",
 "version": 1,
 "estimator": "DeepRegressor",
 "params": {
  "hidden_layer_sizes": [1],
  "activation": {"type": "Tanh", "fields": {}},
  "layer_norm": false,
  "bias": false,
  "random_state": {"type": "scalar", "value":
   {"type": "array", "dtype": "<i8", "shape": [], "data": 7}},
  "learning_rate": {"type": "WarmUp", "fields": {"epochs": 2, "then":
   {"type": "Cosine", "fields": {"end": 0.5}}}}
 },
 "target": {"type": "numbers", "n_columns": 2},
 "features": null,
 "fitted": {
  "n_iter_": 0,
  "t_": 0,
  "loss_": {"type": "float", "value": "nan"},
  "loss_curve_": [],
  "best_loss_": {"type": "float", "value": "inf"},
  "validation_scores_": null,
  "validation_loss_curve_": null,
  "best_validation_score_": null,
  "best_iter_": null
 },
 "weights": {
  "coefs_": [
   {"type": "array", "dtype": "<f4", "shape": [1, 1], "data": [[0.5]]},
   {"type": "array", "dtype": "<f4", "shape": [1, 2], "data": [[2.0, -4.0]]}
  ],
  "intercepts_": [],
  "norms_": []
 },
 "sha256": "e3fb84370d7aaa832e8197d66c82c0ec2aed3931b400669adee5a77e2bbcd849"
}
"""


def load_text(text, folder):
    path = folder / "model.json"
    path.write_text(text)
    return load(path)


def load_with(estimator, params, folder):
    """Load a file of version 1 with these parameters, and defaults for the others."""
    tree = json.loads(CLASSIFIER if estimator is DeepClassifier else REGRESSOR)
    kept = {
        name: tree["params"][name]
        for name in ("hidden_layer_sizes", "bias")
        if name in tree["params"]
    }
    tree["params"] = {**kept, **params}
    return load_text(json.dumps(sealed(tree)), folder)


C, R = DeepClassifier, DeepRegressor
MEANINGS = [
    (C, {}, {"norm": None, "loss": "log_loss", "solver": "adam"}),
    (C, {"batch_norm": False, "rho": 0.5, "weight_decay": 1.0, "focal_gamma": 1.0}, {}),
    (C, {"loss": "focal"}, {"loss": Focal(2.0)}),
    (C, {"loss": "focal", "focal_gamma": 0.5}, {"loss": Focal(0.5)}),
    (R, {"loss": "huber"}, {"loss": Huber(1.0)}),
    (R, {"loss": "huber", "huber_delta": 3}, {"loss": Huber(3)}),
    (R, {"loss": "log_cosh", "huber_delta": 3}, {"loss": "log_cosh"}),
    (C, {"solver": "sgd", "momentum": 0.5, "rho": 0.5}, {"solver": "sgd", "momentum": 0.5}),
    (C, {"solver": "adam", "epsilon": 0.5}, {"solver": "adam", "epsilon": 0.5}),
    (C, {"solver": "lbfgs", "max_fun": 5}, {"solver": "lbfgs", "max_fun": 5}),
    (C, {"solver": "nadam", "weight_decay": 0.5}, {"solver": "nadam"}),
    (C, {"solver": "adamw", "beta_1": 0.5}, {"solver": "adamw", "beta_1": 0.5}),
    (
        C,
        {"solver": "adamw", "beta_1": 0.5, "weight_decay": 0.5, "momentum": 0.5},
        {"solver": AdamW(beta_1=0.5, weight_decay=0.5), "beta_1": 0.9, "momentum": 0.5},
    ),
    (C, {"solver": "rmsprop"}, {"solver": RMSprop(momentum=0.9)}),
    (C, {"solver": "rmsprop", "momentum": 0.0}, {"solver": "rmsprop", "momentum": 0.0}),
    (
        R,
        {"solver": "rmsprop", "rho": 0.5, "learning_rate_init": 0.5, "beta_2": 0.5},
        {
            "solver": RMSprop(rho=0.5, learning_rate_init=0.5, momentum=0.9),
            "learning_rate_init": 0.001,
            "beta_2": 0.5,
        },
    ),
    (R, {"solver": "adagrad"}, {"solver": Adagrad(epsilon=1e-8)}),
    (R, {"solver": "adagrad", "epsilon": 1e-10}, {"solver": "adagrad", "epsilon": 1e-10}),
    (
        R,
        {"solver": "adadelta", "learning_rate": "step"},
        {"solver": Adadelta("step", 0.001, epsilon=1e-8), "learning_rate": "constant"},
    ),
    (R, {"solver": "lion"}, {"solver": Lion(beta_2=0.999)}),
    (
        R,
        {"solver": {"type": "NAdam", "fields": {"beta_1": 0.5}}, "beta_2": 0.5},
        {"solver": NAdam(beta_1=0.5), "beta_2": 0.5},
    ),
]


@pytest.mark.parametrize(("estimator", "params", "meaning"), MEANINGS)
def test_parameters_mean_what_they_meant(estimator, params, meaning, tmp_path):
    found = load_with(estimator, params, tmp_path).get_params(deep=False)
    assert_same({name: found[name] for name in meaning}, meaning)
    assert not set(found) & set(REMOVED)


REFUSED = [
    (C, {"norm": "batch"}, "'norm'"),
    (C, {"huber_delta": 1.0}, "'huber_delta'"),
    (R, {"focal_gamma": 1.0}, "'focal_gamma'"),
    (C, {"gamma": 1.0}, "'gamma'"),
    (C, {"batch_norm": True, "layer_norm": True}, "both true"),
    (C, {"batch_norm": "yes"}, "batch_norm"),
    (C, {"batch_norm": True}, "norms_"),
    (C, {"rho": 1.0}, "rho"),
    (C, {"weight_decay": -1.0}, "weight_decay"),
    (C, {"focal_gamma": -1.0}, "focal_gamma"),
    (R, {"loss": "huber", "huber_delta": 0.0}, "huber_delta"),
    (C, {"solver": "rmsprop", "momentum": 2.0}, "momentum"),
    (C, {"solver": "lion", "learning_rate": "slow"}, "learning_rate"),
    (C, {"solver": "unknown"}, "solver"),
    (C, {"solver": ["adam"]}, "solver"),
    (C, {"loss": ["focal"]}, "loss"),
]


@pytest.mark.parametrize(("estimator", "params", "words"), REFUSED)
def test_parameters_that_version_1_would_refuse_are_refused(estimator, params, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        load_with(estimator, params, tmp_path)


def test_params_of_version_1_must_be_an_object(tmp_path):
    tree = json.loads(CLASSIFIER)
    tree["params"] = ["rho"]
    with pytest.raises(ValueError, match="params must be an object"):
        load_text(json.dumps(sealed(tree)), tmp_path)


# By hand


def test_classifier_of_version_1(tmp_path):
    model = load_text(CLASSIFIER, tmp_path)
    rows = np.array([[1.0, 2.0], [-1.0, -2.0]])
    # relu([1.5, -2]) and relu([-0.5, 2]), then 2, -3 and the bias.
    expected = 1 / (1 + np.exp(-np.array([2 * 1.5 - 0.25, -3 * 2 - 0.25])))
    np.testing.assert_allclose(model.predict_proba(rows)[:, 1], expected, rtol=1e-14)
    assert model.predict(rows).tolist() == ["yes", "no"]
    assert_same(model.feature_names_in_, np.array(["height", "width"], object))
    assert_same(model.solver, SGD(momentum=0.5))
    assert_same(model.class_weight, {"no": 1, "yes": 2.5})
    assert_same(model.hidden_layer_sizes, (2,))
    assert (model.n_iter_no_change, model.best_iter_, model.t_) == (math.inf, 2, 20)
    check_written(model, CLASSIFIER, tmp_path)


def test_regressor_of_version_1(tmp_path):
    model = load_text(REGRESSOR, tmp_path)
    expected = np.tanh(np.float32(0.5)) * np.array([[2, -4]], "f4")
    np.testing.assert_allclose(model.predict(np.ones((1, 1))), expected, rtol=1e-6)
    assert model.predict(np.ones((1, 1))).dtype == np.float32
    assert_same(model.random_state, np.int64(7))
    assert_same(model.learning_rate, WarmUp(2, Cosine(end=0.5)))
    check_written(model, REGRESSOR, tmp_path)


def check_written(model, golden, folder):
    """The file that is written now has the same content, and all parameters."""
    save(model, folder / "again.json")
    now, then = json.loads((folder / "again.json").read_text()), json.loads(golden)
    assert set(now) == {*then, "training"}
    assert (now["version"], then["version"]) == (2, 1)
    assert set(now["params"]) == set(model.get_params(deep=False))
    for part in set(then) - {"version", "params", "sha256"}:
        assert now[part] == then[part]
    for name, value in then["params"].items():
        if name not in REMOVED and (not isinstance(value, dict) or "fields" not in value):
            assert now["params"][name] == value
