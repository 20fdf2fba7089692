"""Laws: a loaded estimator equals the saved one bit for bit; others are not saved."""

import hashlib
import json
import math
import os
import stat
import struct
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdeep
from skdeep import (
    LBFGS,
    SGD,
    AcrossCalls,
    Adam,
    AdamW,
    Cosine,
    CosLog,
    DeepClassifier,
    DeepRegressor,
    Normal,
    StepDecay,
    Uniform,
    WarmUp,
    activations,
    initializers,
    schedules,
)
from skdeep._checks.parameters import constraints_of_spec
from skdeep.activations import GELU, Custom
from skdeep.initializers import HeNormal, Orthogonal
from skdeep.losses import Focal, Huber
from skdeep.persistence import load, save
from skdeep.persistence.encoding import SPECS, decode, encode
from skdeep.persistence.saving import KINDS
from skdeep.solvers import adagrad, adam, lbfgs, lion, sgd
from skdeep.solvers import base as solvers_base

RNG = np.random.RandomState(0)
X = RNG.normal(size=(40, 4))
NUMBERS = np.c_[X[:, 0] * X[:, 1], X[:, 2]]
CODES = np.argmax(X[:, :3], axis=1)
NAMES = np.array(["a", "bb", "ccc"])[CODES]
LABELS = (X[:, :3] > 0).astype(int)
SMALL = {"hidden_layer_sizes": (5, 3), "max_iter": 3, "random_state": 0}
SUFFIXES = (".json", ".npz")
EACH_FORM = pytest.mark.parametrize("suffix", SUFFIXES)
FIGURES = [
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
    "best_iter_",
    "n_features_in_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
]


class Snake:
    def value(self, z):
        return z + np.sin(z) ** 2

    def derivative(self, z):
        return 1 + np.sin(2 * z)


class OwnLoss:
    def loss(self, y_true, y_pred):
        return (y_true - y_pred) ** 2

    def gradient(self, y_true, y_pred):
        return 2 * (y_pred - y_true)


def rate(step):
    return 0.1


def scorer(estimator, X, y):
    return 1.0


def classifier(**params):
    return DeepClassifier(**{**SMALL, **params})


def regressor(**params):
    return DeepRegressor(**{**SMALL, **params})


MODELS = {
    "names": (classifier(), NAMES),
    "two names": (classifier(), NAMES == "a"),
    "int32": (classifier(early_stopping=True), CODES.astype("i4") - 5),
    "int64": (classifier(solver="sgd"), CODES),
    "uint8": (classifier(solver="lbfgs"), CODES.astype("u1")),
    "float labels": (classifier(), CODES * 2.0),
    "objects": (classifier(), NAMES.astype(object)),
    "labels": (classifier(early_stopping=True), LABELS),
    "columns": (classifier(), np.c_[NAMES, NAMES[::-1]]),
    "mixed columns": (classifier(), np.c_[NAMES.astype(object), CODES + 1]),
    "softmax of two": (classifier(output_activation="softmax"), CODES > 0),
    "one against the rest": (classifier(output_activation="logistic"), NAMES),
    "regression": (regressor(), NUMBERS),
    "one column": (regressor(solver="lbfgs"), NUMBERS[:, 0]),
    "float32": (regressor(dtype="float32", norm="batch"), NUMBERS),
    "poisson": (regressor(loss="poisson", activation="gelu"), NUMBERS**2),
    "tanh link": (regressor(output_activation="tanh", loss=Huber(0.5)), np.tanh(NUMBERS)),
    "quantiles": (regressor(loss="quantile", quantile=[0.9, 0.1, 0.5]), NUMBERS[:, 0]),
    "batch norm": (
        regressor(hidden_layer_sizes=[4, 4], norm="batch", dropout=0.3, residual=True),
        NUMBERS,
    ),
    "layer norm": (classifier(norm="layer", bias=False, dtype="float32"), NAMES),
    "averaged": (
        regressor(
            weight_averaging=0.9,
            early_stopping=True,
            validation_scoring="neg_mean_absolute_error",
            n_iter_no_change=np.inf,
        ),
        NUMBERS,
    ),
    "options": (
        classifier(
            solver=AdamW(
                learning_rate=WarmUp(2, WarmUp(1, Cosine(restarts=1))),
                decay_schedule=AcrossCalls(CosLog(3), 20, 1.5),
            ),
            activation=["gelu", GELU()],
            weight_init=Normal(0, 0.3),
            class_weight={"a": 2.0, "ccc": 0.5},
            label_smoothing=0.1,
            loss=Focal(gamma=1.5),
            clip_norm=1.0,
            max_norm=2.0,
        ),
        NAMES,
    ),
}
ALL = pytest.mark.parametrize("name", MODELS)


def fitted(name):
    model, y = MODELS[name]
    return clone(model).fit(X, y)


def there_and_back(model, path, **options):
    save(model, path, **options)
    return load(path)


def assert_same(ours, theirs):
    """Compare values and types recursively; specs and generators by content."""
    assert type(ours) is type(theirs)
    if isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype
        assert_array_equal(ours, theirs)
    elif isinstance(ours, dict):
        assert_same(list(ours), list(theirs))
        assert_same(list(ours.values()), list(theirs.values()))
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(ours, np.random.RandomState):
        assert_same(ours.get_state(legacy=False), theirs.get_state(legacy=False))
    elif hasattr(ours, "__dataclass_fields__"):
        assert_same(vars(ours), vars(theirs))
    else:
        assert ours == theirs or (ours != ours and theirs != theirs)


def assert_same_model(ours, theirs, X=X):
    assert type(ours) is type(theirs)
    assert_same(ours.get_params(deep=False), theirs.get_params(deep=False))
    for name in ("coefs_", "intercepts_", "norms_", *FIGURES):
        assert_same(getattr(ours, name), getattr(theirs, name))
    for name in ("classes_", "feature_names_in_"):
        assert hasattr(ours, name) == hasattr(theirs, name)
        assert_same(getattr(ours, name, None), getattr(theirs, name, None))
    for method in ("predict", "predict_proba"):
        if hasattr(ours, method):
            assert_same(getattr(ours, method)(X), getattr(theirs, method)(X))


def arrays_hashed(tree):
    # As described in docs/persistence.rst, without skdeep.
    if isinstance(tree, list):
        return [arrays_hashed(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("type") == "array" and tree["dtype"] in ("<f4", "<f8"):
        flat = tree["data"] if tree["shape"] else [tree["data"]]
        for _ in tree["shape"][1:]:
            flat = [element for row in flat for element in row]
        code = {"<f4": "f", "<f8": "d"}[tree["dtype"]]
        data = struct.pack(f"<{len(flat)}{code}", *flat)
        digest = hashlib.sha256(data).hexdigest()
        return {"dtype": tree["dtype"], "shape": tree["shape"], "sha256": digest}
    return {name: arrays_hashed(one) for name, one in tree.items()}


def sealed(tree):
    """The document with its SHA-256, if it can have one."""
    tree = {name: one for name, one in tree.items() if name != "sha256"}
    try:
        text = json.dumps(arrays_hashed(tree), sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, KeyError, struct.error, OverflowError):
        text = ""
    return {**tree, "sha256": hashlib.sha256(text.encode()).hexdigest()}


# Round trips


@EACH_FORM
@ALL
def test_all_of_a_model_comes_back(name, suffix, tmp_path):
    model = fitted(name)
    loaded = there_and_back(model, tmp_path / f"model{suffix}")
    assert_same_model(model, loaded)
    assert set(vars(loaded)) == set(vars(model))
    y = MODELS[name][1]
    assert loaded.score(X, y) == model.score(X, y)
    assert loaded.summary() == model.summary()
    assert_same(clone(loaded).get_params(deep=False), model.get_params(deep=False))


@ALL
def test_both_forms_hold_the_same(name, tmp_path):
    model = fitted(name)
    save(model, tmp_path / "a.json")
    save(load(tmp_path / "a.json"), tmp_path / "b.npz")
    save(load(tmp_path / "b.npz"), str(tmp_path / "c.json"))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    with np.load(tmp_path / "b.npz", allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        assert_same(arrays["weights.coefs_.0"], model.coefs_[0])
    assert header["sha256"] == json.loads((tmp_path / "a.json").read_text())["sha256"]


def test_names_of_features_come_back(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "ä", "d"])
    model = classifier().fit(table, NAMES)
    loaded = there_and_back(model, tmp_path / "model.json")
    assert_same(loaded.feature_names_in_, model.feature_names_in_)
    assert_array_equal(loaded.predict(table), model.predict(table))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(table.rename(columns={"a": "z"}))


VALUES = {
    "hidden_layer_sizes": [4, [4], (4,), np.array([4, 3]), np.int32(4), (np.int64(4), 2)],
    "activation": ["tanh", ["tanh"], ("tanh",), np.array(["tanh"]), GELU()],
    "alpha": [0, 1e-300, np.float32(0.1), np.float64(0.1), np.int8(3)],
    "n_iter_no_change": [5, math.inf, np.float64(np.inf), np.float32(np.inf)],
    "shuffle": [True, np.True_],
    "dropout": [0.1, [0.1, 0.2], (0.0, 0.2), np.array([0.1, 0.2], "f4")],
    "weight_init": [
        "orthogonal",
        Uniform(-1, 1),
        Orthogonal(),
        HeNormal(),
        [np.ones((4, 5)), np.ones((5, 1), "f4")],
        (np.asfortranarray(RNG.normal(size=(4, 5))), np.ones((5, 1), int)),
    ],
    "solver": [
        Adam(),
        SGD(learning_rate="cosine"),
        LBFGS(max_fun=3),
        AdamW(beta_1=np.float64(0.5)),
    ],
    "learning_rate": ["cosine", WarmUp(5, StepDecay(3)), Cosine(end=0.5)],
    "random_state": [None, 3, np.int64(3), np.random.RandomState(3)],
    "max_time": [None, 100.0],
    "validation_scoring": [None, "accuracy"],
    "loss": ["focal", Focal(), Focal(np.float32(0.3))],
    "class_weight": [
        "balanced",
        {True: 2.0},
        {0: 1, 1: 2.5},
        {np.int64(1): 2.0},
        {1.0: np.float64(3)},
    ],
}


@pytest.mark.parametrize(("name", "value"), [(k, v) for k in VALUES for v in VALUES[k]])
@EACH_FORM
def test_parameters_come_back(name, value, suffix, tmp_path):
    params = {"hidden_layer_sizes": (5,), "max_iter": 1, "random_state": 0, name: value}
    if isinstance(value, (list, tuple)) and len(value) == 2 and name == "hidden_layer_sizes":
        params["activation"] = "tanh"
    model = DeepClassifier(**params).fit(X, X[:, 0] > 0)
    loaded = there_and_back(model, tmp_path / f"model{suffix}")
    assert_same(loaded.get_params(deep=False), model.get_params(deep=False))
    assert_same(loaded.predict_proba(X), model.predict_proba(X))
    if isinstance(value, np.random.RandomState):
        assert loaded.random_state.normal() == value.normal()


def test_weights_of_classes_of_several_columns_come_back(tmp_path):
    weights = [{"a": 2.0}, {1: 0.5, 3: 1}]
    model = classifier(class_weight=weights).fit(X, np.c_[NAMES.astype(object), CODES + 1])
    assert_same(there_and_back(model, tmp_path / "m.json").class_weight, weights)


def test_fields_that_a_file_lacks_have_their_defaults():
    tree = encode(AdamW(weight_decay=0.3))
    del tree["fields"]["decay_schedule"]
    assert decode(tree) == AdamW(weight_decay=0.3)
    tree = encode(AcrossCalls("cosine", 9, 2))
    del tree["fields"]["epochs"]
    assert decode(tree) == AcrossCalls("cosine", 9)
    del tree["fields"]["steps_per_epoch"]
    with pytest.raises(ValueError, match="steps_per_epoch"):
        decode(tree)


def test_every_spec_is_known_and_every_field_of_it_is_checked():
    public = {
        name
        for module in (
            solvers_base,
            sgd,
            adam,
            adagrad,
            lion,
            lbfgs,
            schedules,
            initializers,
            activations,
        )
        for name, kind in vars(module).items()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        if not name.startswith("_")
    }
    bases = {"StochasticSolver", "Schedule", "Initializer", "Activation", "Span"}
    assert set(SPECS) == (public - bases - {"Custom", "FromFunction"}) | {
        "Focal",
        "Huber",
        "Recipe",
    }
    for kind in SPECS.values():
        assert {field.name for field in fields(kind)} <= set(constraints_of_spec(kind))
    assert set(skdeep.__all__) - set(SPECS) == {*KINDS, "lockstep"}


@EACH_FORM
def test_strings_come_back_as_wide_as_they_are(suffix, tmp_path):
    wide = np.array(["tanh"], "U100")
    model = classifier(hidden_layer_sizes=(4,), activation=wide).fit(X, NAMES.astype("U50"))
    loaded = there_and_back(model, tmp_path / f"model{suffix}")
    assert_same(loaded.classes_, model.classes_)
    assert_same(loaded.activation, np.array(["tanh"]))
    assert_same(loaded.predict_proba(X), model.predict_proba(X))


# Further training


@EACH_FORM
@pytest.mark.parametrize("name", ["names", "labels", "columns", "regression", "float32"])
def test_training_goes_on_from_the_weights_alone(name, suffix, tmp_path):
    # Without momentum, a solver has no state that could be missing.
    model, y = MODELS[name]
    model = clone(model).set_params(
        solver="sgd", momentum=0, batch_size=40, early_stopping=False, warm_start=True
    )
    model.fit(X, y)
    for go_on in ("partial_fit", "fit"):
        loaded = there_and_back(model, tmp_path / f"model{suffix}", training_state=False)
        for each in (model, loaded):
            getattr(each, go_on)(X, y)
        for attribute in ("coefs_", "intercepts_", "norms_", "loss_curve_", "t_", "loss_"):
            assert_same(getattr(model, attribute), getattr(loaded, attribute))


@ALL
def test_all_models_go_on(name, tmp_path):
    loaded = there_and_back(fitted(name), tmp_path / "model.npz", training_state=False)
    before = [coef.copy() for coef in loaded.coefs_]
    n_epochs = len(loaded.loss_curve_)
    loaded.set_params(warm_start=True, max_iter=1, learning_rate_init=1e-9)
    if isinstance(loaded.solver, str) and loaded.solver != "lbfgs":
        loaded.set_params(early_stopping=False).partial_fit(X, MODELS[name][1])
        for coef, old in zip(loaded.coefs_, before, strict=True):
            np.testing.assert_allclose(coef, old, atol=1e-7)
        n_epochs += 1
    loaded.fit(X, MODELS[name][1])
    assert len(loaded.loss_curve_) == n_epochs + 1


# What cannot be saved


UNSAVABLE = [
    (classifier(activation=Snake()), NAMES, "activation.*Snake.*joblib"),
    (classifier(activation=["relu", Custom(Snake())]), NAMES, "activation.*Custom.*joblib"),
    (classifier(activation=np.array([Snake(), "relu"], object)), NAMES, "activation.*joblib"),
    (regressor(loss=OwnLoss()), NUMBERS, "loss.*OwnLoss.*joblib"),
    (classifier(learning_rate=rate), NAMES, "learning_rate.*function.*joblib"),
    (
        classifier(solver=Adam(learning_rate=WarmUp(1, rate))),
        NAMES,
        "solver.*function.*joblib",
    ),
    (
        classifier(validation_scoring=scorer, early_stopping=True),
        NAMES,
        "validation_scoring.*function.*joblib",
    ),
]
CHANGED = [
    ("names", {"hidden_layer_sizes": 7}, "coefs_"),
    ("names", {"activation": "tanh"}, "changed"),
    ("names", {"output_activation": "logistic"}, "changed"),
    ("quantiles", {"quantile": [0.2, 0.1, 0.5]}, "changed"),
    ("quantiles", {"quantile": [0.1, 0.9, 0.5]}, "changed"),
    ("names", {"alpha": -1}, "alpha"),
    ("names", {"bias": False}, "intercepts_"),
]


@pytest.mark.parametrize(("model", "y", "words"), UNSAVABLE)
def test_objects_of_the_user_are_not_saved(model, y, words, tmp_path):
    expect_no_save(clone(model).fit(X, y), ValueError, words, tmp_path)


@pytest.mark.parametrize(("name", "params", "words"), CHANGED)
def test_parameters_that_no_longer_describe_the_fit_are_not_saved(
    name, params, words, tmp_path
):
    expect_no_save(fitted(name).set_params(**params), ValueError, words, tmp_path)


def test_what_load_would_refuse_is_not_written(tmp_path):
    # A label that all others would be padded to, and attributes changed by hand.
    y = np.array([f"{i:02}" for i in range(100)])
    rows = np.resize(X, (100, 4))
    model = classifier(max_iter=1).fit(rows, np.where(y == "07", "07" * 1000, y))
    expect_no_save(model, ValueError, "classes.*shorten", tmp_path)
    model = classifier(max_iter=1).fit(rows[:64], np.where(y == "07", "07" * 1000, y)[:64])
    assert_same_model(model, there_and_back(model, tmp_path / "long.json"))
    (tmp_path / "long.json").unlink()
    model = fitted("names")
    model.validation_scores_ = [0.5]
    expect_no_save(model, ValueError, "must be null", tmp_path)
    model = fitted("names")
    model.classes_[0] = model._target.classes[0] = "z"
    expect_no_save(model, ValueError, "sorted", tmp_path)


def test_what_is_no_fitted_estimator_is_not_saved(tmp_path):
    class Own(DeepClassifier):
        pass

    pipe = make_pipeline(StandardScaler(), classifier()).fit(X, NAMES)
    expect_no_save(classifier(), NotFittedError, "not fitted", tmp_path)
    expect_no_save(StandardScaler().fit(X), TypeError, "joblib.dump", tmp_path)
    expect_no_save(pipe, TypeError, r"pipe\[-1\].*skops", tmp_path)
    expect_no_save(Own(max_iter=1).fit(X, NAMES), TypeError, "Own", tmp_path)


def expect_no_save(model, error, words, tmp_path):
    path = tmp_path / "model.json"
    path.write_text("what was there")
    with pytest.raises(error, match=words):
        save(model, path)
    assert path.read_text() == "what was there"
    assert os.listdir(tmp_path) == ["model.json"]


def test_parameters_that_predict_does_not_read_may_have_changed(tmp_path):
    model = classifier().fit(X, NAMES).set_params(dropout=0.5, loss="focal", max_iter=7)
    assert_same_model(model, there_and_back(model, tmp_path / "model.json"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_not_saved(value, tmp_path):
    model = fitted("names")
    model.coefs_[0][0, 0] = value
    with pytest.raises(ValueError, match="finite"):
        save(model, tmp_path / "model.npz")


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "model.json").mkdir()
    with pytest.raises(OSError, match=r"model\.json"):
        save(fitted("names"), tmp_path / "model.json")
    assert os.listdir(tmp_path) == ["model.json"]


def test_a_missing_folder_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "none" / "model.json"
    with pytest.raises(FileNotFoundError) as caught:
        save(fitted("names"), path)
    assert caught.value.filename == str(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_that_is_replaced_keeps_its_permissions(mode, tmp_path):
    path = tmp_path / "model.json"
    path.touch()
    path.chmod(mode)
    save(fitted("names"), path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    other = tmp_path / "plain"
    other.touch()
    save(fitted("names"), tmp_path / "new.json")
    assert (tmp_path / "new.json").stat().st_mode == other.stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one(there, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, path = tmp_path / "elsewhere" / "target", tmp_path / "model.json"
    if there:
        target.write_text("old")
    path.symlink_to(target)
    save(fitted("names"), path)
    assert path.is_symlink()
    assert target.read_text().startswith("{")
    assert_same_model(fitted("names"), load(path))


def test_names_as_long_as_names_may_be(tmp_path):
    save(fitted("names"), tmp_path / f"{'m' * 245}.json")
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("name", ["model", "model.pkl", "model.json.gz", "json"])
def test_the_suffix_says_the_form(name, tmp_path):
    for act in (lambda path: save(fitted("names"), path), load):
        with pytest.raises(ValueError, match=r"\.json.*\.npz"):
            act(tmp_path / name)


def test_files_that_are_not_there_or_too_large(tmp_path):
    path = tmp_path / "model.json"
    with pytest.raises(FileNotFoundError):
        load(path)
    save(fitted("names"), path)
    n_bytes = path.stat().st_size
    load(path, max_bytes=n_bytes)
    with pytest.raises(ValueError, match=f"{path}.*max_bytes"):
        load(path, max_bytes=n_bytes - 1)


def test_a_folder_need_not_be_named(monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        save(fitted("names"), "model.json")
        load(Path("model.json"))
        assert os.listdir(folder) == ["model.json"]
        monkeypatch.undo()
