"""Laws: loaded tabular estimators equal the saved ones; a broken document is refused by field.

Documents are changed in every place, with a matching SHA-256, as an attacker can compute it.
"""

import copy
import functools
import itertools
import json
import pickle
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold

from skdeep import Huber, TableTransformer, TabularClassifier, TabularRegressor
from skdeep.persistence import formats, load, save
from skdeep.persistence.saving import KINDS
from skdeep.tabular import Recipe
from tests.persistence.test_persistence import (
    EACH_FORM,
    OwnLoss,
    assert_same,
    expect_no_save,
    sealed,
    there_and_back,
)
from tests.persistence.test_persistence_broken import (
    MUTATIONS,
    change,
    expect_refusal,
    mutate,
    npy,
    rewritten,
)
from tests.tabular.kinds import COLUMNS, FLOATS, INTS, LETTERS, RNG, N, object_frame, objects

SMALL = {"n_members": 2, "max_iter": 2, "hidden_layer_sizes": (3,), "random_state": 0}
NUMBERS = np.c_[FLOATS, INTS]
OBJECTS = objects()


def columns(*names):
    return {name: COLUMNS[name] for name in names}


def classifier(**params):
    return TabularClassifier(**{**SMALL, **params})


def regressor(**params):
    return TabularRegressor(**{**SMALL, **params})


TABLES = {
    "every kind": pd.DataFrame(COLUMNS),
    "without names": OBJECTS,
    "numbers": np.where(RNG.random((N, 3)) < 0.1, np.nan, RNG.normal(size=(N, 3))),
    "no numbers": object_frame(columns("two", "letters_holes", "bool")),
    "many levels": object_frame(columns("many")),
    "dates": object_frame(columns("time_holes", "date")),
    "numbers as categories": pd.DataFrame(columns("int", "bool_holes")).astype(
        {"int": "category"}
    ),
}
TASKS = {
    "names": (classifier(), np.array(LETTERS)),
    "objects": (classifier(effort="fast"), np.array(LETTERS, object)),
    "two": (classifier(n_members=5), NUMBERS[:, 0] > 0),
    "integers": (classifier(class_weight={0: 2.0}), (NUMBERS[:, 0] > 0) - 1),
    "labels": (classifier(effort="best"), (NUMBERS > 1).astype(int)),
    "numbers": (regressor(), NUMBERS[:, 0]),
    "columns": (regressor(effort="best", cv=2), NUMBERS),
    "quantiles": (regressor(loss="quantile", quantile=[0.9, 0.1, 0.5]), NUMBERS[:, 0]),
    "poisson": (regressor(loss="poisson"), NUMBERS[:, 1]),
    "huber": (regressor(loss=Huber(0.5), n_members=np.int64(3), cv=3), NUMBERS[:, 1]),
    "recipes": (
        regressor(
            recipe=[Recipe(embedding="piecewise", n_bins=3), Recipe(sigma=0.3, dropout=0.0)],
            hidden_layer_sizes=np.array([4, 3]),
            dtype="float64",
            max_time=100.0,
        ),
        NUMBERS[:, 0],
    ),
}
CASES = [(task, "every kind") for task in TASKS]
CASES += [(task, table) for task in ("names", "numbers") for table in TABLES]
EACH_CASE = pytest.mark.parametrize(("task", "table"), dict.fromkeys(CASES))


@functools.cache
def fitted(task, table):
    model, y = TASKS[task]
    return clone(model).fit(TABLES[table], y)


def assert_same_table(ours, theirs, X):
    assert_same(ours.get_params(), theirs.get_params())
    # All that it learnt is plain data.
    assert set(vars(ours)) == set(vars(theirs))
    for name in sorted(vars(ours)):
        assert_same(getattr(ours, name), getattr(theirs, name))
    assert_same(ours.get_feature_names_out(), theirs.get_feature_names_out())
    assert_same(ours.transform(X), theirs.transform(X))


def assert_same_model(ours, theirs, X):
    assert type(ours) is type(theirs)
    assert_same(ours.get_params(), theirs.get_params())
    assert set(vars(ours)) == set(vars(theirs))
    for name in (
        "oof_prediction_", "validation_score_", "n_features_in_", "classes_", "loss_curves_",
        "validation_loss_curves_",
    ):  # fmt: skip
        assert_same(getattr(ours, name, None), getattr(theirs, name, None))
    assert_same(ours.members_.to_dict(), theirs.members_.to_dict())
    assert repr(ours.members_) == repr(theirs.members_)
    assert_same_table(ours.transformer_, theirs.transformer_, X)
    for method in ("predict", "predict_proba"):
        if hasattr(ours, method):
            assert_same(getattr(ours, method)(X), getattr(theirs, method)(X))


# Round trips


@EACH_FORM
@EACH_CASE
def test_all_of_a_model_comes_back(task, table, suffix, tmp_path):
    model, X = fitted(task, table), TABLES[table]
    loaded = there_and_back(model, tmp_path / f"model{suffix}")
    assert_same_model(model, loaded, X)
    y = TASKS[task][1]
    assert loaded.score(X, y) == model.score(X, y)


@EACH_CASE
def test_pickles_come_back(task, table):
    model = fitted(task, table)
    assert_same_model(model, pickle.loads(pickle.dumps(model)), TABLES[table])


@pytest.mark.parametrize("task", ["names", "labels", "recipes"])
def test_both_forms_hold_the_same(task, tmp_path):
    model = fitted(task, "every kind")
    save(model, tmp_path / "a.json")
    save(load(tmp_path / "a.json"), tmp_path / "b.npz")
    save(load(tmp_path / "b.npz"), tmp_path / "c.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.json").read_bytes()


@EACH_FORM
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("task", [None, "names", "numbers", "columns"])
def test_a_transformer_comes_back(task, table, suffix, tmp_path):
    model = TableTransformer(min_frequency=2, dtype="float64", random_state=0)
    model.fit(TABLES[table], None if task is None else TASKS[task][1])
    loaded = there_and_back(model, tmp_path / f"model{suffix}")
    assert_same_table(model, loaded, TABLES[table])


def test_rows_that_all_members_saw_come_back_as_nan(tmp_path):
    model = fitted("names", "every kind")  # two members, of five folds
    assert 0 < np.isnan(model.oof_prediction_).all(axis=1).sum() < N
    loaded = there_and_back(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.oof_prediction_, model.oof_prediction_)


def test_a_loaded_model_fits_again_to_the_same_bits(tmp_path):
    y = TASKS["recipes"][1]
    loaded = there_and_back(fitted("recipes", "every kind"), tmp_path / "model.json")
    loaded.fit(TABLES["every kind"], y)
    assert_same_model(fitted("recipes", "every kind"), loaded, TABLES["every kind"])


ELSEWHERE = """
import sys
sys.modules["pandas"] = sys.modules["polars"] = None  # they cannot be imported
import pickle
import numpy as np
from skdeep.persistence import load

with open(sys.argv[1], "rb") as file:
    X, expected = pickle.load(file)
for path in sys.argv[2:]:
    assert (load(path).predict_proba(X) == expected).all(), path
"""


def test_another_process_without_pandas_predicts_the_same(tmp_path):
    model = fitted("names", "every kind")
    expected = model.predict_proba(TABLES["every kind"])
    (tmp_path / "rows").write_bytes(pickle.dumps((OBJECTS, expected)))
    paths = [str(tmp_path / name) for name in ("model.json", "model.npz")]
    for path in paths:
        save(model, path)
    command = [sys.executable, "-W", "ignore", "-c", ELSEWHERE, str(tmp_path / "rows"), *paths]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def write_pickle(model, path):
    path.write_bytes(pickle.dumps(model))


@pytest.mark.parametrize("write", [save, write_pickle])
def test_size_of_the_file_is_that_of_parameters_and_predictions(write, tmp_path):
    sizes = []
    for n_rows in (300, 3000):
        X = RNG.normal(size=(n_rows, 5))
        model = regressor(hidden_layer_sizes=(64, 64), max_iter=1, n_members=5).fit(X, X[:, 0])
        write(model, tmp_path / "model.npz")
        # A member has 5 columns, 20 of their embeddings, and 25 scales. An embedding has 4
        # components of 24 bins, which have two bounds each.
        widths = itertools.pairwise([25, 64, 64, 1])
        n_params = sum((n + 1) * m for n, m in widths) + 25 + 5 * (4 * 24 + 4 + 2 * 24)
        n_bytes = 5 * 4 * n_params + 8 * n_rows
        sizes.append((tmp_path / "model.npz").stat().st_size - n_bytes)
    assert max(sizes) < 20_000
    assert abs(sizes[1] - sizes[0]) < 500


# What cannot be saved


@pytest.mark.parametrize("cv", [KFold(2), iter([(range(100), range(100, N))])])
def test_a_splitter_is_not_saved_but_the_model_without_it(cv, tmp_path):
    model = regressor(cv=cv).fit(OBJECTS, NUMBERS[:, 0])
    expect_no_save(model, ValueError, r"cv=.*joblib.*set_params\(cv=None\)", tmp_path)
    model.set_params(cv=None)
    loaded = there_and_back(model, tmp_path / "model.json")
    assert_same_model(model, loaded, OBJECTS)


def test_splits_of_arrays_are_saved(tmp_path):
    cv = [(np.arange(100), np.arange(100, N)), (np.arange(50, N), np.arange(50))]
    model = regressor(cv=cv).fit(OBJECTS, NUMBERS[:, 0])
    assert_same_model(model, there_and_back(model, tmp_path / "model.json"), OBJECTS)


def test_what_no_file_can_hold_is_not_saved(tmp_path):
    class Own(TabularRegressor):
        pass

    y = NUMBERS[:, 0]
    expect_no_save(regressor(), NotFittedError, "not fitted", tmp_path)
    expect_no_save(TableTransformer(), NotFittedError, "not fitted", tmp_path)
    expect_no_save(Own(**SMALL).fit(OBJECTS, y), TypeError, "Own", tmp_path)
    model = regressor(loss=OwnLoss()).fit(OBJECTS, y)
    expect_no_save(model, ValueError, "loss.*OwnLoss.*joblib", tmp_path)
    model = clone(fitted("quantiles", "every kind")).fit(OBJECTS, y)
    expect_no_save(model.set_params(quantile=[0.1, 0.9, 0.5]), ValueError, "changed", tmp_path)
    expect_no_save(model.set_params(quantile=0.5), ValueError, "oof_prediction", tmp_path)


# Broken documents

BROKEN = {
    "classifier": (
        classifier(cv=2),
        np.array(LETTERS),
        columns("float_holes", "duration", "constant", "bool_holes", "rare", "two", "many"),
    ),
    "regressor": (
        regressor(effort="best", n_members=1, cv=2),
        NUMBERS,
        columns("int", "many_holes", "time_holes", "letters"),
    ),
    "labels": (classifier(n_members=1, effort="fast"), (NUMBERS > 1) * 1, columns("int")),
    "transformer": (
        TableTransformer(),
        NUMBERS[:, 0],
        columns("int", "empty", "many", "letters", "time", "bool"),
    ),
}
EACH_BROKEN = pytest.mark.parametrize("name", BROKEN)


@functools.cache
def stored(name):
    """A model, the rows that it was fitted to, and its document."""
    model, y, table = BROKEN[name]
    X = object_frame(table)
    model = clone(model).fit(X, y)
    document = KINDS[type(model).__name__][1].document_of(model)
    return model, X, json.loads(formats.encoded("model.json", document))


def is_array(tree):
    return isinstance(tree, dict) and tree.get("type") == "array"


def paths_of(tree, path=()):
    """Paths of all fields; of a list, only of the first two elements; arrays are whole."""
    names = list(tree) if isinstance(tree, dict) else range(min(len(tree), 2))
    for name in names:
        yield (*path, name)
        if isinstance(tree[name], dict | list) and not is_array(tree[name]):
            yield from paths_of(tree[name], (*path, name))


def holder(tree, path):
    for name in path[:-1]:
        tree = tree[name]
    return tree


OF_THE_FORMAT = {"format", "sha256"}
# What is in them may be left out.
OPTIONAL = {"params", "fields"}
# Names inside a value, whose errors have the path of the value.
OF_A_VALUE = {"fields", "items"}


def broken_documents(tree, act):
    """(broken document, names of which the error has one) for each place that `act` breaks."""
    for path in paths_of(tree):
        if path[0] in OF_THE_FORMAT:
            continue
        broken = copy.deepcopy(tree)
        inner, last = holder(broken, path), path[-1]
        words = list(itertools.takewhile(lambda one: one not in OF_A_VALUE, path))
        if act == "wrong type":
            inner[last] = {"type": "Evil"}
        elif act == "missing" and isinstance(inner, dict) and not OPTIONAL & set(path[:-1]):
            del inner[last]
        elif act == "extra" and isinstance(inner[last], dict):
            inner[last]["more"], words = 1, ("more",)
        elif act in ARRAYS and is_array(inner[last]) and last != "classes":
            ARRAYS[act](inner[last])
        else:
            continue
        yield broken, next(str(name) for name in reversed(words) if isinstance(name, str))


def one_more(array):
    # Repeats the last element along the first axis.
    array["shape"][0] += 1
    array["data"].append((array["data"] or [0.5])[-1])


def one_more_axis(array):
    array.update(shape=[1, *array["shape"]], data=[array["data"]])


def of_strings(array):
    array.update(dtype="<U1", shape=[1], data=["a"])


def wider(array):
    # int64 and float64 become one another, float32 and booleans int64.
    flat = np.array(array["data"])
    dtype = "<f8" if array["dtype"] == "<i8" else "<i8"
    array.update(dtype=dtype, data=flat.astype(dtype).tolist())


ARRAYS = {f.__name__: f for f in (one_more, one_more_axis, of_strings, wider)}


@EACH_BROKEN
@pytest.mark.parametrize("act", ["wrong type", "missing", "extra", *ARRAYS])
def test_every_field_is_checked_and_named(name, act, tmp_path):
    path = tmp_path / "model.json"
    n_broken = 0
    for broken, word in broken_documents(stored(name)[2], act):
        if (word, act) == ("values", "one_more"):
            continue  # a prediction of one more row
        n_broken += 1
        path.write_text(json.dumps(sealed(broken)))
        # Columns and kinds must be as many.
        expect_refusal(path, "kinds|columns" if word == "columns" else word)
    assert n_broken >= 5


STACK = ("stacks", 0)
FIELDS = (*STACK, "recipe", "fields")
MEMBER = (*STACK, "members", 0)
ENCODERS = ("transformer", "encoders")


def encoder(kind, tree):
    return next(one for one in tree["transformer"]["encoders"] if one["type"] == kind)


def of_encoder(kind, *path, to):
    return lambda tree: change(*path, to=to)(encoder(kind, tree))


def ints(*values):
    return {"type": "array", "dtype": "<i8", "shape": [len(values)], "data": list(values)}


def floats(*values):
    return {"type": "array", "dtype": "<f8", "shape": [len(values)], "data": list(values)}


# Of which document, what is changed, and words of the error.
CHANGES = {
    "version 1": ("regressor", change("version", to=1), "version 1.*TabularRegressor"),
    "another estimator": (
        "regressor", change("estimator", to="TabularClassifier"), "'loss'.*upgrade",
    ),
    "another kind": ("regressor", change("estimator", to="TableTransformer"), "upgrade"),
    "columns of labels": (
        "classifier", change("target", "type", to="columns"), "no target of type 'columns'",
    ),
    "splitter": ("regressor", change("params", "cv", to="KFold"), "cv"),
    "bad parameter": ("regressor", change("params", "n_members", to=0), "n_members"),
    "recipe": ("regressor", change("params", "recipe", to=[1]), "recipe"),
    "own recipe": (
        "regressor", change(*STACK, "recipe", to={"type": "Adam", "fields": {}}), "recipe",
    ),
    "another loss": ("regressor", change("params", "loss", to="quantile"), "quantile"),
    "huge bins": ("regressor", lambda tree: huge_bins(tree), "stacks.0.theta"),
    "huge layers": (
        "regressor", change(*FIELDS, "hidden_layer_sizes", to=[10**15, 10**15]), "theta",
    ),
    "no layers": ("regressor", change(*FIELDS, "hidden_layer_sizes", to=[]), "hidden_layer"),
    "text as layers": ("regressor", change(*FIELDS, "hidden_layer_sizes", to="ab"), "hidden"),
    "unknown activation": ("regressor", change(*FIELDS, "activation", to="eval"), "activation"),
    "negative sigma": ("regressor", change(*FIELDS, "sigma", to=-1.0), "sigma"),
    "another embedding": ("regressor", change(*FIELDS, "embedding", to=None), "stacks.0.theta"),
    "huge labels": ("labels", change("target", "n_labels", to=10**12), "columns"),
    "fewer labels": ("labels", change("target", "n_labels", to=1), "oof_prediction.values"),
    "huge columns": ("regressor", change("target", "n_columns", to=10**12), "columns"),
    "no rows": (
        "labels",
        change("oof_prediction", "values", to={**floats(), "shape": [0, 10**12]}),
        "oof_prediction.values",
    ),
    "huge features": (
        "transformer", change("transformer", "n_features", to=10**12), "features",
    ),
    "huge table": ("transformer", lambda tree: huge_table(tree), "each of the 10{12} columns"),
    "no features": ("transformer", change("transformer", "n_features", to=0), "n_features"),
    "column twice": ("transformer", of_encoder("Dates", "column", to=0), "columns once"),
    "huge column": ("transformer", of_encoder("Dates", "column", to=10**18), "columns once"),
    "dropped twice": (
        "transformer", change("transformer", "dropped", to=[[1, "a"], [1, "b"]]), "dropped",
    ),
    "negative width": (
        "transformer", of_encoder("Numbers", "scale", "width", to=floats(-1.0)), "width",
    ),
    "another kind of number": (
        "transformer", of_encoder("Numbers", "kinds", to=["date"]), "kinds",
    ),
    "huge group": (
        "transformer",
        of_encoder("Categories", "group", to=ints(0, 1, 2, 3, 4, 10**12)),
        "group",
    ),
    "negative group": (
        "transformer", of_encoder("Categories", "group", to=ints(-1, 0, 1, 2, 3, 4)), "group",
    ),
    "gap": (
        "transformer", of_encoder("Categories", "group", to=ints(0, 1, 2, 3, 5, 5)), "group",
    ),
    "fewer groups": (
        "transformer", of_encoder("Categories", "group", to=ints(0, 1, 0, 1, 0, 1)), "scale",
    ),
    "no scale": ("transformer", of_encoder("Categories", "scale", to=None), "scale"),
    "no levels": ("transformer", of_encoder("Categories", "levels", to=[]), "levels"),
    "level twice": ("transformer", of_encoder("Categories", "levels", to=["a"] * 6), "levels"),
    "level of numbers": ("transformer", of_encoder("Categories", "levels", 0, to=1), "levels"),
    "no encoders": ("transformer", lambda tree: all_dropped(tree), "encoders"),
    "no means": ("transformer", change("transformer", "target_means", to=None), "target_names"),
    "more targets": (
        "transformer", change("transformer", "target_names", to=["_a", "_b"]), "means.0",
    ),
    "no folds": (
        "transformer", change("transformer", "target_means", "n_folds", to=0), "n_folds",
    ),
    "negative alpha": (
        "transformer", change("transformer", "target_means", "alpha", to=-1.0), "alpha",
    ),
    "means of the transformer": (
        "regressor", lambda tree: means_of_member(tree), "transformer.target_means",
    ),
    "no means of a member": ("regressor", change(*MEMBER, "means", to=None), "means"),
    "other precision": (
        "regressor", change("transformer", "params", "dtype", to="float64"), "theta",
    ),
    "no scale of a target": ("regressor", change(*MEMBER, "scale", to=None), "scale"),
    "zero scale": (
        "regressor", change(*MEMBER, "scale", "scale", to=floats(0.0, 1.0)), "scale",
    ),
    "low above high": (
        "regressor", change(*MEMBER, "scale", "low", to=floats(1e9, 0.0)), "scale",
    ),
    "scale of labels": ("labels", change(*MEMBER, "scale", to={}), "scale"),
    "means without codes": ("labels", change(*MEMBER, "means", to={}), "means"),
    "negative fold": ("labels", change(*MEMBER, "fold", to=-1), "fold"),
    "fold of bool": ("labels", change(*MEMBER, "fold", to=True), "fold"),
    "later than the end": ("labels", change(*MEMBER, "best_epoch", to=3), "best_epoch"),
    "loss of text": ("labels", change(*MEMBER, "validation_loss", to="0.5"), "validation_loss"),
    "curve of text": (
        "labels", change(*MEMBER, "loss_curve", to=["0.5", "0.5"]), "loss_curve must be a list",
    ),
    "a short curve": (
        "labels", change(*MEMBER, "validation_loss_curve", to=[0.5]), "one for each epoch",
    ),
    "no members": ("labels", change(*STACK, "members", to=[]), "members"),
    "one member more": (
        "labels", lambda tree: repeat(tree["stacks"][0]["members"]), "stacks.0.theta",
    ),
    "one stack more": ("labels", lambda tree: repeat(tree["stacks"]), "weights"),
    "no stacks": ("labels", change("stacks", to=[]), "weights"),
    "weights of 2": ("labels", change("weights", to=floats(2.0)), "weights"),
    "negative weight": ("regressor", change("weights", to=floats(-1.0, 1.0, 1.0)), "weights"),
    "temperature of 0": ("labels", change("temperature", to=0.0), "temperature"),
    "temperature of a stack": (
        "labels", change("stacks", 0, "temperature", to=17.0), "stacks.0.temperature",
    ),
    "huge temperature": ("labels", change("temperature", to=1e300), "temperature"),
    "temperature of NaN": (
        "labels", change("temperature", to={"type": "float", "value": "nan"}), "temperature",
    ),
    "temperature of numbers": ("regressor", change("temperature", to=2.0), "temperature"),
    "score of text": ("labels", change("validation_score", to="nan"), "validation_score"),
    "score of bool": ("labels", change("validation_score", to=True), "validation_score"),
    "infinite weight": (
        "labels", change(*STACK, "theta", "data", 0, 0, to=float("inf")), "Infinity",
    ),
    "number as classes": ("classifier", change("target", "classes", to=1), "classes"),
    "table of classes": (
        "classifier", lambda tree: one_more_axis(tree["target"]["classes"]), "classes",
    ),
    "more classes": (
        "classifier",
        change("target", "classes", to=ints(*range(9))),
        "oof_prediction.values must have the shape",
    ),
    "unsorted classes": (
        "classifier", change("target", "classes", "data", to=list("bacdef")), "sorted",
    ),
}  # fmt: skip


def huge_bins(tree):
    recipe = tree["stacks"][0]["recipe"]["fields"]
    assert recipe["embedding"] == "piecewise"
    recipe["n_bins"] = 10**9


def huge_table(tree):
    tree["transformer"].update(n_features=10**12, features=None)


def all_dropped(tree):
    inner = tree["transformer"]
    inner["dropped"] = [[i, "empty"] for i in range(inner["n_features"])]
    inner.update(encoders=[], target_names=[], target_means=None)


def means_of_member(tree):
    means = tree["stacks"][0]["members"][0]["means"]
    tree["transformer"].update(target_means=means, target_names=["a", "b"])


def repeat(items):
    items.append(items[0])


@pytest.mark.parametrize("case", CHANGES)
def test_what_does_not_fit_is_refused_and_takes_no_memory(case, tmp_path):
    name, act, words = CHANGES[case]
    tree = copy.deepcopy(stored(name)[2])
    act(tree)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(sealed(tree)))
    tracemalloc.start()
    try:
        expect_refusal(path, words)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * path.stat().st_size + 2**20


@settings(max_examples=300, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(BROKEN)), mutations=MUTATIONS)
def test_changes_at_random_give_an_error_or_a_model_that_predicts(
    name, mutations, tmp_path_factory
):
    _, X, tree = stored(name)
    tree = copy.deepcopy(tree)
    mutate(tree, mutations)
    path = tmp_path_factory.getbasetemp() / "mutated.json"
    path.write_text(json.dumps(sealed(tree)))
    try:
        loaded = load(path)
    except ValueError:
        expect_refusal(path)
        return
    try:
        with np.errstate(all="ignore"):
            out = loaded.transform(X) if name == "transformer" else loaded.predict(X)
    except ValueError as error:  # columns that are read as another kind
        if "Column" not in str(error):
            raise
    else:
        assert len(out) == N
    repr(clone(loaded))


@EACH_FORM
@EACH_BROKEN
def test_a_cut_file_is_refused(name, suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    save(stored(name)[0], path)
    data = path.read_bytes()
    for share in np.linspace(0, 1, 50, endpoint=False):
        path.write_bytes(data[: int(share * len(data))])
        expect_refusal(path)


@EACH_BROKEN
def test_members_of_an_archive_that_are_not_finite_are_refused(name, tmp_path):
    path = tmp_path / "model.npz"
    save(stored(name)[0], path)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = [one for one in archive.namelist() if one != "header.npy"]
    for member in members:
        broken = npy(np.full_like(np.load(path)[member.removesuffix(".npy")], np.nan))
        if len(broken) > 128:  # not empty
            changed = rewritten(
                data, lambda m, n=member, new=broken: [(k, new if k == n else v) for k, v in m]
            )
            (tmp_path / "broken.npz").write_bytes(changed)
            expect_refusal(tmp_path / "broken.npz", f"{member}.*not finite")
