"""Laws: a damaged or malicious file raises an error, or loads as the model that was saved.

Files are changed at random, byte by byte and field by field, the latter with a matching
SHA-256, as an attacker can compute it too; then by hand, where it would do most harm.
"""

import copy
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skdeep import DeepRegressor
from skdeep.persistence import formats, from_go_deep, load, save
from tests.persistence.test_persistence import (
    EACH_FORM,
    NUMBERS,
    SUFFIXES,
    X,
    assert_same,
    assert_same_model,
    fitted,
    sealed,
)


def expect_refusal(path, words="", **options):
    with pytest.raises(ValueError, match=words or None) as caught:
        load(path, **options)
    assert str(caught.value).startswith(str(path))


FUZZED = ("names", "labels", "mixed columns", "batch norm", "quantiles", "options")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Models, the bytes of their files, and a folder."""
    folder = tmp_path_factory.mktemp("stored")
    found = {}
    for name in FUZZED:
        model = fitted(name)
        if name == "options":
            model.random_state = np.random.RandomState(0)
        for suffix in SUFFIXES:
            path = folder / f"model{suffix}"
            save(model, path)
            found[name, suffix] = model, path.read_bytes()
    return found, folder


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "delete", "copy"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 255),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=3,
)


def edited(data, edits):
    data = bytearray(data)
    for kind, share, number, more in edits:
        at = int(share * len(data))
        if not data:
            break
        if kind == "flip":
            data[at] ^= number
        elif kind == "cut":
            del data[at:]
        elif kind == "insert":
            data[at:at] = more
        elif kind == "delete":
            del data[at : at + number]
        else:
            data[at:at] = data[at : at + number]
    return bytes(data)


@EACH_FORM
@settings(max_examples=250, deadline=None, derandomize=True)
@given(name=st.sampled_from(FUZZED), edits=EDITS)
def test_broken_bytes_give_an_error_or_the_same_model(stored, suffix, name, edits):
    found, folder = stored
    model, data = found[name, suffix]
    path = folder / f"broken{suffix}"
    path.write_bytes(edited(data, edits))
    try:
        loaded = load(path)
    except ValueError:
        expect_refusal(path)
    else:
        assert_same_model(model, loaded)


@EACH_FORM
def test_every_byte_that_is_flipped_is_seen_or_means_nothing(suffix, tmp_path):
    model = DeepRegressor(hidden_layer_sizes=1, max_iter=1, random_state=0).fit(
        X[:, :1], NUMBERS[:, 0]
    )
    path = tmp_path / f"model{suffix}"
    save(model, path)
    data = path.read_bytes()
    n_seen = 0
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1 << at % 8
        path.write_bytes(broken)
        try:
            loaded = load(path)
        except ValueError:
            n_seen += 1
        else:
            assert_same(loaded.predict(X[:, :1]), model.predict(X[:, :1]))
            assert_same(loaded.get_params(deep=False), model.get_params(deep=False))
    assert n_seen > len(data) / 2


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 8),
    st.sampled_from([2**31, 2**63, 10**30, -(10**30), 1e308, 1e-320, -1.0, 0.5, -0.0]),
    st.sampled_from(["", "a", "inf", "nan", "\ud800", "x\0", "relu", "adam", "<f8", "array"]),
)
TAGS = [
    "array",
    "tuple",
    "dict",
    "float",
    "scalar",
    "RandomState",
    "Adam",
    "Normal",
    "WarmUp",
    "Focal",
]
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries({"type": st.sampled_from(TAGS), "items": inner}),
        st.fixed_dictionaries({"type": st.sampled_from(TAGS), "fields": inner}),
        st.fixed_dictionaries(
            {
                "type": st.just("array"),
                "dtype": st.sampled_from(
                    ["<f8", "<f4", "|b1", "<i8", "<U1", "|O", "<U9999999"]
                ),
                "shape": st.lists(st.sampled_from([0, 1, 2, 10**12]), max_size=2),
                "data": inner,
            }
        ),
        st.integers(1, 150).flatmap(
            lambda depth: inner.map(
                lambda one: json.loads("[" * depth + json.dumps(one) + "]" * depth)
            )
        ),
    ),
    max_leaves=5,
)
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "delete", "repeat", "add", "move", "nudge"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        TREES,
    ),
    min_size=1,
    max_size=2,
)


def places(tree):
    """Pairs of a container and a name or index in it; only the first few of a long list."""
    found = []
    names = tree if isinstance(tree, dict) else range(min(len(tree), 2))
    for name in list(names):
        found.append((tree, name))
        if isinstance(tree[name], (dict, list)):
            found += places(tree[name])
    return found


def mutate(tree, mutations):
    for kind, first, second, value in mutations:
        known = places(tree)
        if not known:
            return
        holder, name = known[first % len(known)]
        other, other_name = known[second % len(known)]
        if kind == "replace":
            holder[name] = value
        elif kind == "delete":
            del holder[name]
        elif kind == "repeat":
            if isinstance(holder, list):
                holder.insert(name, copy.deepcopy(holder[name]))
            else:
                holder[f"{name}_"] = copy.deepcopy(holder[name])
        elif kind == "add":
            if isinstance(holder, list):
                holder.append(value)
            else:
                holder["more"] = value
        elif kind == "move":
            holder[name] = copy.deepcopy(other[other_name])
        elif isinstance(holder[name], (int, float)):
            holder[name] += (first % 5) - 2


@settings(max_examples=900, deadline=None, derandomize=True)
@given(name=st.sampled_from(FUZZED), mutations=MUTATIONS)
def test_broken_fields_give_an_error_or_a_model_that_predicts(stored, name, mutations):
    found, folder = stored
    tree = json.loads(found[name, ".json"][1])
    mutate(tree, mutations)
    path = folder / "mutated.json"
    path.write_text(json.dumps(sealed(tree)))
    try:
        loaded = load(path)
    except ValueError:
        expect_refusal(path)
        return
    rows = np.resize(X, (9, loaded.n_features_in_))
    with np.errstate(all="ignore"):
        output = loaded.predict(rows)
        probabilities = loaded.predict_proba(rows) if hasattr(loaded, "classes_") else output
    largest = max(
        np.abs(a).max()
        for part in (loaded.coefs_, loaded.intercepts_, loaded.norms_)
        for a in part
    )
    if largest < 5:
        assert np.isfinite(np.hstack(probabilities)).all()
    assert len(output) == 9
    repr(clone(loaded))
    loaded.summary()


def test_hashes_that_fit_are_what_the_fuzzing_computes(stored):
    for name in FUZZED:
        tree = json.loads(stored[0][name, ".json"][1])
        assert sealed(tree) == tree


# By hand


def change(*path, to):
    def act(tree):
        for name in path[:-1]:
            tree = tree[name]
        tree[path[-1]] = to

    return act


WEIGHTS = ("weights", "coefs_", 0)
CHANGES = {
    "another format": (change("format", to="pickle"), "not a model"),
    "newer version": (change("version", to=3), "version 3.*reads versions 1 to 2.*upgrade"),
    "version as float": (change("version", to=1.0), "version"),
    "unknown section": (change("code", to="print()"), "'code'.*upgrade"),
    "unknown estimator": (change("estimator", to="os"), "estimator"),
    "unknown parameter": (change("params", "eval", to="1"), "'eval'.*upgrade"),
    "unknown figure": (change("fitted", "x_", to=1), "'x_'"),
    "unknown type": (change("params", "solver", to={"type": "Evil", "fields": {}}), "Evil"),
    "unknown field": (
        change("params", "solver", to={"type": "Adam", "fields": {"x": 1}}),
        "'x'",
    ),
    "user's class": (
        change("params", "activation", to={"type": "Custom", "fields": {}}),
        "Custom",
    ),
    "bad field": (
        change("params", "solver", to={"type": "Adam", "fields": {"beta_1": 2.0}}),
        "beta_1",
    ),
    "bad schedule": (
        change("params", "learning_rate", to={"type": "Cosine", "fields": {"restarts": 0.5}}),
        "restarts",
    ),
    "schedule as solver": (
        change("params", "solver", to={"type": "Cosine", "fields": {}}),
        "solver",
    ),
    "bad parameter": (change("params", "alpha", to=-1.0), "alpha"),
    "bad type": (change("params", "shuffle", to="yes"), "shuffle"),
    "bad activation": (change("params", "activation", to="eval"), "activation"),
    "huge layers": (change("params", "hidden_layer_sizes", to=[10**15, 10**15]), "coefs_"),
    "huge number": (change("params", "max_iter", to=10**40), "64 bits"),
    "dropout": (change("params", "dropout", to=[0.1]), "dropout"),
    "unknown norm": (change("params", "norm", to="group"), "norm"),
    "removed parameter": (change("params", "focal_gamma", to=2.0), "'focal_gamma'.*upgrade"),
    "bad loss": (
        change("params", "loss", to={"type": "Focal", "fields": {"gamma": -1.0}}),
        "gamma",
    ),
    "huge shape": (change(*WEIGHTS, "shape", to=[10**9, 10**9]), "shape"),
    "negative shape": (change(*WEIGHTS, "shape", to=[-1, 5]), "shape"),
    "object dtype": (change(*WEIGHTS, "dtype", to="|O"), "coefs_"),
    "float16": (change(*WEIGHTS, "dtype", to="<f2"), ""),
    "other dtype": (change(*WEIGHTS, "dtype", to="<f4"), "not of dtype <f4"),
    "wide strings": (change("target", "classes", "dtype", to="<U900000000"), "as long"),
    "wider strings": (change("target", "classes", "dtype", to="<U4"), "as long as <U3"),
    "narrow strings": (change("target", "classes", "dtype", to="<U2"), "as long as <U3"),
    "long name": (change("params", "k" * 101, to=1), "more than 100 characters"),
    "many layers": (change("params", "hidden_layer_sizes", to=[1] * 500), r"\.\.\."),
    "ragged": (change(*WEIGHTS, "data", 0, to=[1.0]), "shape"),
    "integer weight": (change(*WEIGHTS, "data", 0, 0, to=1), "cannot hold"),
    "infinite weight": (change(*WEIGHTS, "data", 0, 0, to=1e999), ""),
    "no weights": (
        change("weights", to={"coefs_": [], "intercepts_": [], "norms_": []}),
        "lists",
    ),
    "missing layer": (lambda tree: tree["weights"]["coefs_"].pop(), "coefs_"),
    "missing bias": (lambda tree: tree["weights"]["intercepts_"].pop(), "intercepts_"),
    "weights as list": (change("weights", "coefs_", 0, to=[[1.0]]), "arrays"),
    "norm out of nowhere": (
        lambda tree: tree["weights"]["norms_"].append(tree["weights"]["intercepts_"][0]),
        "norms_",
    ),
    "unsorted classes": (change("target", "classes", "data", to=["b", "a", "ccc"]), "sorted"),
    "equal classes": (change("target", "classes", "data", to=["a", "a", "ccc"]), "sorted"),
    "mixed classes": (
        change(
            "target",
            "classes",
            to={"type": "array", "dtype": "|O", "shape": [3], "data": [1, "a", 2]},
        ),
        "",
    ),
    "one class": (
        change(
            "target",
            "classes",
            to={"type": "array", "dtype": "<U1", "shape": [1], "data": ["a"]},
        ),
        "one class",
    ),
    "more classes": (
        change(
            "target",
            "classes",
            to={"type": "array", "dtype": "<i8", "shape": [4], "data": [1, 2, 3, 4]},
        ),
        "coefs_",
    ),
    "other target": (change("target", to={"type": "numbers", "n_columns": 3}), "target"),
    "huge labels": (change("target", to={"type": "labels", "n_labels": 10**12}), "columns"),
    "unknown target": (change("target", to={"type": "x"}), "target"),
    "features": (change("features", to=["a"]), "1 names"),
    "features of numbers": (change("features", to=[1, 2, 3, 4]), "strings"),
    "negative count": (change("fitted", "n_iter_", to=-1), "n_iter_"),
    "figure of string": (change("fitted", "loss_", to="0.5"), "loss_"),
    "half validated": (change("fitted", "best_iter_", to=2), "null"),
    "pos of generator": (
        change(
            "params",
            "random_state",
            to={
                "type": "RandomState",
                "key": {"type": "array", "dtype": "<u4", "shape": [624], "data": [1] * 624},
                "pos": 10**6,
                "has_gauss": 0,
                "gauss": 0.0,
            },
        ),
        "Mersenne",
    ),
    "generator of zeros": (
        change(
            "params",
            "random_state",
            to={
                "type": "RandomState",
                "key": {"type": "array", "dtype": "<u4", "shape": [624], "data": [0] * 624},
                "pos": 0,
                "has_gauss": 0,
                "gauss": 0.0,
            },
        ),
        "Mersenne",
    ),
    "key twice": (
        change("params", "class_weight", to={"type": "dict", "items": [["a", 1], ["a", 2]]}),
        "twice",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_fields_that_do_not_fit_are_refused(case, stored, tmp_path):
    act, words = CHANGES[case]
    tree = json.loads(stored[0]["names", ".json"][1])
    act(tree)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(sealed(tree)))
    expect_refusal(path, words)


LONE = ["a" * 15000, *[""] * 19999]
STRINGS = {
    "lone": (LONE, "<U15000"),
    "as much as may be": (["a" * 64, *[""] * 19999], "<U64"),
    "one of 64": (["a" * 15000, *[""] * 63], "<U15000"),
    "wide": ([""] * 20000, "<U100000"),
    "objects": (LONE, "|O"),
    "distinct": ([f"{i:04x}" for i in range(20000)], "<U4"),
}


@pytest.mark.parametrize("case", STRINGS)
def test_a_small_file_takes_no_more_than_300_times_its_size(case, stored, tmp_path):
    data, dtype = STRINGS[case]
    tree = json.loads(stored[0]["names", ".json"][1])
    tree["target"]["classes"] = {
        "type": "array",
        "dtype": dtype,
        "shape": [len(data)],
        "data": data,
    }
    path = tmp_path / "model.json"
    path.write_text(json.dumps(tree, separators=(",", ":")))
    tracemalloc.start()
    try:
        expect_refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300 * path.stat().st_size


class Counted(str):
    n_read = 0

    def __str__(self):
        Counted.n_read += 1
        return super().__str__()

    def __format__(self, spec):
        Counted.n_read += 1
        return super().__format__(spec)


@pytest.mark.parametrize("walk", [formats._pack, formats._unpack])
def test_a_name_is_copied_for_arrays_alone(walk):
    # Otherwise, a long name times many values would be quadratic in the size of the file.
    found = []
    array = np.ones(2) if walk is formats._pack else {"type": "array"}
    Counted.n_read = 0
    walk({Counted("k"): {"m": [*range(1000), array]}}, lambda place, own: found.append(place))
    assert found == ["k.m.1000"]
    assert Counted.n_read <= 1


def test_a_running_variance_below_0_is_refused(stored, tmp_path):
    tree = json.loads(stored[0]["batch norm", ".json"][1])
    path = tmp_path / "model.json"
    for place, words in [(2, None), (7, "variance")]:
        tree["weights"]["norms_"][place]["data"][0] = -0.5
        path.write_text(json.dumps(sealed(tree)))
        if words is None:
            load(path)
        else:
            expect_refusal(path, words)


def test_a_change_without_the_hash_is_seen(stored, tmp_path):
    tree = json.loads(stored[0]["names", ".json"][1])
    path = tmp_path / "model.json"
    tree["weights"]["coefs_"][0]["data"][0][0] += 1e-9
    path.write_text(json.dumps(tree))
    expect_refusal(path, "SHA-256")
    path.write_text(json.dumps(sealed(tree)))
    load(path)
    del tree["sha256"]
    path.write_text(json.dumps(tree))
    expect_refusal(path, "SHA-256")


def test_spaces_and_order_mean_nothing(stored, tmp_path):
    model, data = stored[0]["names", ".json"]
    path = tmp_path / "model.json"
    for options in ({"indent": 4}, {"separators": (",", ":"), "sort_keys": True}):
        path.write_text(json.dumps(json.loads(data), **options))
        assert_same_model(load(path), model)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not JSON"),
        (b"null", "not a model"),
        (b"[" * 10**6, "deep"),
        (b'{"a":' * 10**6, "deep"),
        (b'{"format": "skdeep", "version": ' + b"9" * 10**5 + b"}", "digits"),
        (b'{"format": "skdeep", "format": "skdeep"}', "twice"),
        (b'{"format": NaN}', "NaN"),
        (b'{"format": "skdeep", "version": 1, "params": Infinity}', "Infinity"),
        (b'{"format": "skdeep", "version": 1, "params": 1e999}', ""),
        ("{}".encode("utf-16"), ""),
        (b"\xff\xfe", "utf-8"),
        (b"{} {}", "not JSON"),
        (
            b'{"format": "skdeep", "version": 1, "' + b"k" * 10**4 + b'": [0, 0]}',
            "more than 100 characters",
        ),
    ],
)
def test_texts_that_are_no_strict_json(text, words, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(text)
    expect_refusal(path, words)


def npy(array, pickle=False):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, (1, 0), allow_pickle=pickle)
    return stream.getvalue()


def claiming(header, body=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def rewritten(data, change_members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in change_members(members):
            archive.writestr(name, content)
    return stream.getvalue()


FIRST = "weights.coefs_.0.npy"
BOMB = npy(np.zeros(10**7))


def with_first(content):
    return lambda members: [(n, content if n == FIRST else c) for n, c in members]


def claims_a_gigabyte(data):
    # Both sizes in the directory's entry of the last member.
    at = data.rindex(b"PK\x01\x02") + 20
    return data[:at] + struct.pack("<II", 2**30, 2**30) + data[at + 8 :]


ARCHIVES = {
    "no archive": (lambda data: b"PK" + data[2000:], ""),
    "compressed": (lambda data: rewritten(data, list, zipfile.ZIP_DEFLATED), "compressed"),
    "bomb": (
        lambda data: rewritten(data, with_first(BOMB), zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "claims": (claims_a_gigabyte, "more bytes"),
    "one more": (lambda data: rewritten(data, lambda m: [*m, ("x.npy", b"")]), "agree"),
    "one less": (lambda data: rewritten(data, lambda m: m[:-1]), "agree"),
    "no header": (lambda data: rewritten(data, lambda m: m[1:]), "header"),
    "twice": (lambda data: rewritten(data, lambda m: [*m, m[-1]]), "twice"),
    "path": (
        lambda data: rewritten(data, lambda m: [*m[:-1], ("../../evil.npy", m[-1][1])]),
        "agree",
    ),
    "objects": (
        lambda data: rewritten(data, with_first(npy(np.array([print], object), pickle=True))),
        "dtype",
    ),
    "huge shape": (
        lambda data: rewritten(
            data,
            with_first(
                claiming(
                    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 5)}"
                )
            ),
        ),
        "do not match the shape",
    ),
    "columns first": (
        lambda data: rewritten(data, with_first(npy(np.asfortranarray(np.ones((4, 5)))))),
        "C order",
    ),
    "not finite": (
        lambda data: rewritten(data, with_first(npy(np.full((4, 5), np.inf)))),
        "finite",
    ),
    "other weights": (
        lambda data: rewritten(data, with_first(npy(np.ones((4, 5))))),
        "SHA-256",
    ),
    "code in a header": (
        lambda data: rewritten(data, with_first(claiming("__import__('os').abort()"))),
        "",
    ),
    "deep header": (lambda data: rewritten(data, with_first(claiming("(" * 110))), ""),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", ARCHIVES)
def test_archives_that_do_not_fit_are_refused(case, stored, tmp_path):
    act, words = ARCHIVES[case]
    path = tmp_path / "model.npz"
    path.write_bytes(act(stored[0]["names", ".npz"][1]))
    expect_refusal(path, words)


# Paths that are not files


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("read", [load, from_go_deep])
def test_a_pipe_is_refused_at_once(tmp_path, read):
    path = tmp_path / "model.json"
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r"model\.json: it is a pipe or a device"):
        read(path)


@pytest.mark.parametrize("name", ["x.json/", "x.json/.", "folder.json/.."])
@pytest.mark.parametrize("write", [True, False])
def test_a_path_of_a_folder_is_refused(tmp_path, name, write):
    path = os.path.join(tmp_path, name)
    with pytest.raises(ValueError, match=r"it is a folder\. Pass a file in it"):
        save(fitted("names"), path) if write else load(path)
    assert not os.listdir(tmp_path)


# Saves that are killed

KILLED = """
import os, signal, sys
import numpy as np
from skdeep import DeepRegressor
from skdeep.persistence import save

def kill(*args):
    os.kill(os.getpid(), signal.SIGKILL)

model = DeepRegressor(hidden_layer_sizes=(3,), max_iter=1).fit(np.eye(4), np.arange(4))
setattr(os, sys.argv[2], kill)
save(model, sys.argv[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills by signal")
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_the_next_save_clears_what_a_killed_one_left(tmp_path, call):
    path, other = tmp_path / "model.json", tmp_path / "other.json"
    save(fitted("names"), path)
    before = path.read_bytes()
    for name in (path, other):
        done = subprocess.run([sys.executable, "-c", KILLED, str(name), call], check=False)
        assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 3  # the model and two drafts
    save(fitted("quantiles"), path)
    assert len(os.listdir(tmp_path)) == 2  # a draft of another file is not touched
    save(fitted("quantiles"), other)
    assert sorted(os.listdir(tmp_path)) == ["model.json", "other.json"]


def test_saves_at_the_same_time_do_not_disturb_one_another(tmp_path):
    path = tmp_path / "model.json"
    models = [fitted("names"), fitted("quantiles")]
    whole = []
    for model in models:
        save(model, path)
        whole.append(path.read_bytes())

    def save_often(model):
        for _ in range(20):
            save(model, path)
            assert path.read_bytes() in whole

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save_often, models * 2))
    assert os.listdir(tmp_path) == ["model.json"]
