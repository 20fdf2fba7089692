"""Laws: skops files of all estimators hold few classes, and give back the same to the bit.

Loaded in a process that trained nothing, a model predicts the same numbers, and goes on
training to the same numbers.
"""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skdeep import (
    SGD,
    Adam,
    AdamW,
    Cosine,
    DeepClassifier,
    DeepRegressor,
    Linear,
    TableTransformer,
    TabularClassifier,
    TabularRegressor,
)
from skdeep.activations import ACTIVATIONS, Custom
from skdeep.estimators.plain_state import Record, plain, restore
from skdeep.initializers import INITIALIZERS, Normal, Uniform
from skdeep.losses import (
    CLASSIFICATION_LOSSES,
    OUTPUT_ACTIVATIONS,
    REGRESSION_LOSSES,
    Focal,
    Huber,
    regression_loss,
)
from skdeep.persistence import SKOPS_TRUSTED
from skdeep.schedules import SCHEDULES, WarmUp
from skdeep.solvers import SOLVERS
from tests.persistence.test_pickle import LABELS, MODELS, NAMES, NUMBERS, PARAMS, X
from tests.tabular.kinds import INTS, object_frame
from tests.tabular.small import TARGETS, classes, classifier, numbers, recipe, table

skops = pytest.importorskip("skops.io")

TABLE = table()


def search():
    grid = {"deepclassifier__alpha": [1e-4, 1e-2]}
    pipeline = make_pipeline(StandardScaler(), DeepClassifier(**PARAMS))
    return GridSearchCV(pipeline, grid, cv=2).fit(X, NAMES)


def mixed():
    steps = [("numbers", StandardScaler(), ["x"]), ("all", TableTransformer(), ["z", "letter"])]
    return make_pipeline(ColumnTransformer(steps), DeepRegressor(**PARAMS))


def seeded():
    params = {**PARAMS, "random_state": np.random.RandomState(3), "warm_start": True}
    return DeepRegressor(**params, dropout=0.2).fit(X, NUMBERS)


SEVERAL = [recipe(), recipe(embedding="periodic"), recipe(embedding=None, activation="relu")]
BINARY = LABELS[:, 0]
OBJECTS = NAMES.astype(object)


def deep(model, y):
    return lambda: clone(model).fit(X, y), X, y


def tabular(name):
    make, targets, params = TARGETS[name]
    frame = table(many="e" in name)
    return lambda: make(**params).fit(frame, targets(frame)), frame, None


# Functions that return a fitted model, what it predicts from, and what to train it on next.
FITTED = {
    **{name: deep(*case) for name, case in MODELS.items()},
    "int keys": deep(DeepClassifier(**PARAMS, class_weight={0: 1.0, 1: 2.0}), BINARY),
    "bool keys": deep(DeepClassifier(**PARAMS, class_weight={False: 1, True: 2}), BINARY > 0),
    "objects": deep(DeepClassifier(**PARAMS, solver=SGD(learning_rate=Linear())), OBJECTS),
    "generator": (seeded, X, NUMBERS),
    "pipeline": (
        lambda: make_pipeline(StandardScaler(), DeepClassifier()).fit(X, NAMES),
        X,
        None,
    ),
    "best estimator": (lambda: search().best_estimator_, X, None),
    "columns": (lambda: mixed().fit(TABLE, numbers(TABLE)), TABLE, None),
    "frame": (
        lambda: DeepRegressor(**PARAMS).fit(TABLE[["x"]], numbers(TABLE)),
        TABLE[["x"]],
        numbers(TABLE),
    ),
    **{name: tabular(name) for name in TARGETS},
    "recipes": (lambda: classifier(recipe=SEVERAL).fit(TABLE, classes(TABLE)), TABLE, None),
    "table": (lambda: TableTransformer().fit(object_frame(), INTS), object_frame(), None),
}


def outputs(model, data, y):
    """What the model says of the data, by method, and its weights after more training."""
    found = {}
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(model, method):
            value = getattr(model, method)(data)
            # With several columns of classes, there is a list of arrays.
            found[method] = np.hstack(value) if isinstance(value, list) else value
    if y is not None:
        again = copy.deepcopy(model).set_params(warm_start=True).fit(data, y)
        found["weights"] = np.hstack([coef.ravel() for coef in again.coefs_])
    return found


FRESH_PROCESS = """
import pickle, sys
from pathlib import Path
import skops.io
from skdeep.persistence import SKOPS_TRUSTED
from tests.persistence.test_skops import outputs
folder = Path(sys.argv[1])
data = pickle.loads((folder / "data").read_bytes())
said = {}
for name, given in data.items():
    model = skops.io.load(folder / f"{name}.skops", trusted=SKOPS_TRUSTED)
    said[name] = outputs(model, *given)
(folder / "said").write_bytes(pickle.dumps(said))
"""


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, (make, *_) in FITTED.items()}


def test_fresh_process_predicts_and_trains_the_same(models, tmp_path):
    data = {name: given for name, (_, *given) in FITTED.items()}
    (tmp_path / "data").write_bytes(pickle.dumps(data))
    for name, model in models.items():
        skops.dump(model, tmp_path / f"{name}.skops")
    command = [sys.executable, "-W", "ignore", "-c", FRESH_PROCESS, str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)
    said = pickle.loads((tmp_path / "said").read_bytes())
    for name, model in models.items():
        expected = outputs(model, *data[name])
        assert said[name].keys() == expected.keys()
        for method, value in expected.items():
            found = said[name][method]
            assert found.dtype == value.dtype, (name, method)
            assert_array_equal(found, value, err_msg=f"{name}: {method}")


def test_the_classes_in_files_are_those_to_be_trusted(models):
    found = set()
    for name, model in models.items():
        untrusted = set(skops.get_untrusted_types(data=skops.dumps(model)))
        assert untrusted <= set(SKOPS_TRUSTED), name
        found |= untrusted
    assert found == set(SKOPS_TRUSTED)
    assert {type(one) for one in SKOPS_TRUSTED} == {str}


SPECS = [
    *ACTIVATIONS.values(),
    *INITIALIZERS.values(),
    Uniform(-0.1, 0.2),
    Normal(0, 0.3),
    *(kind() for kind in (*SOLVERS.values(), *SCHEDULES.values())),
    WarmUp(3, Cosine()),
    AdamW(weight_decay=0.3, learning_rate=WarmUp(2, Linear())),
    *(loss for pair in CLASSIFICATION_LOSSES.values() for loss in pair),
    *OUTPUT_ACTIVATIONS.values(),
    Focal(1.5),
    Huber(0.7),
    recipe(dropout=0.3),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_every_spec_is_plain_and_comes_back(spec):
    stored = plain({"spec": [spec], "class": type(spec)})
    assert {type(one) for one in leaves(stored)} <= {int, float, str, bool, type(None)}
    again = restore(stored)
    assert again == {"spec": [spec], "class": type(spec)}
    assert type(again["spec"][0]) is type(spec)


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_every_loss_of_a_regressor_comes_back(name):
    loss = regression_loss(name, None, (0.1, 0.5))
    again = restore(plain(loss))
    assert again == loss
    assert type(again) is type(loss)


def leaves(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def test_dicts_keep_their_keys():
    given = {True: 1, None: 2, 1.5: 3, "a": {"b": {2: 4}}, "kind": "dict"}
    again = skops.loads(skops.dumps([plain(given)]), trusted=SKOPS_TRUSTED)
    found = restore(again)[0]
    assert list(map(type, found)) == list(map(type, given))
    assert found == given


# What is not ours


class OwnSolver(Adam):
    """A solver of a user."""


class Cubic:
    """An activation of a user."""

    def value(self, z):
        return z**3

    def derivative(self, z):
        return 3 * z**2


@pytest.mark.parametrize(
    ("params", "own"),
    [({"solver": OwnSolver()}, OwnSolver), ({"activation": Custom(Cubic())}, Cubic)],
)
def test_objects_of_users_stay_and_are_not_trusted(params, own):
    model = DeepRegressor(**PARAMS, **params).fit(X / 9, NUMBERS)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(
        again.partial_fit(X, NUMBERS).coefs_[0], model.partial_fit(X, NUMBERS).coefs_[0]
    )
    data = skops.dumps(model)
    untrusted = set(skops.get_untrusted_types(data=data)) - set(SKOPS_TRUSTED)
    assert untrusted == {f"{__name__}.{own.__name__}"}
    with pytest.raises(skops.exceptions.UntrustedTypesFoundException, match=own.__name__):
        skops.loads(data, trusted=SKOPS_TRUSTED)


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "builtins.dict",
        "skdeep.solvers.adam.Missing",
        "skdeep.persistence.saving.save",
        "skdeep.persistence.fields.Fields",
        "skdeep.persistence.saving.DeepClassifier",
        f"{__name__}.OwnSolver",
        "missing",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["object", "class"])
def test_records_name_data_of_skdeep_only(path, kind):
    record = Record(path, {}) if kind == "object" else Record("class", path)
    with pytest.raises(ValueError, match="which this version of skdeep does not have"):
        DeepRegressor().__setstate__({"solver": record})


# What is not fitted


@pytest.mark.parametrize(
    "kind",
    [DeepClassifier, DeepRegressor, TabularClassifier, TabularRegressor, TableTransformer],
)
def test_what_is_not_fitted_stays_so(kind):
    model = kind(random_state=3)
    copies = {
        "pickle": pickle.loads(pickle.dumps(model)),
        "skops": skops.loads(skops.dumps(model), trusted=SKOPS_TRUSTED),
        "deepcopy": copy.deepcopy(model),
    }
    for again in copies.values():
        assert vars(again) == vars(model)
        again.__sklearn_validate_model__()
        with pytest.raises(NotFittedError):
            check_is_fitted(again)


def test_state_without_records_is_read():
    # As estimators were pickled before there were records.
    model = MODELS["adam"][0].fit(X, NAMES)
    again = DeepClassifier.__new__(DeepClassifier)
    again.__setstate__(dict(vars(model)))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_content_is_in_the_order_of_attributes():
    # Not in that of hashes, which differs from process to process.
    layer = MODELS["adam"][0].fit(X, NAMES)._network.layers[0]
    assert list(plain(layer).content) == list(vars(layer))
