"""Laws: an estimator made of a Go library's network computes what the network does.

The truth is what the libraries themselves gave out, where the data is there, and a forward
pass of a few lines, neuron by neuron, over every kind of network.
"""

import copy
import json
import math
import os
import pickle
import re
from collections import OrderedDict, defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import DeepClassifier, DeepRegressor
from skdeep.persistence import from_go_deep, from_gopher_neural, load, save

DATA = Path(os.environ.get("SKDEEP_DATA", Path(__file__).parents[3] / "shared" / "data"))
RNG = np.random.RandomState(0)
DEFAULT, MULTI_CLASS, REGRESSION, BINARY, MULTI_LABEL = range(5)
CLASSIFIERS = (MULTI_CLASS, BINARY, MULTI_LABEL)


def logistic(z):
    return 1 / (1 + math.exp(-z))


def softmax(values):
    shares = [math.exp(value - max(values)) for value in values]
    return [share / sum(shares) for share in shares]


FUNCTIONS = {0: logistic, 1: logistic, 2: math.tanh, 3: lambda z: max(z, 0.0), 4: float}


def go_deep(n_inputs, layout, activation=2, mode=DEFAULT, bias=True, loss=0):
    """A network as go-deep saves it, with random weights."""
    widths = [n_inputs, *layout]
    weights = []
    for i, n_out in enumerate(layout):
        own_bias = bias and not (mode == REGRESSION and i == len(layout) - 1)
        weights.append(RNG.normal(size=(n_out, widths[i] + own_bias)).tolist())
    config = {
        "Inputs": n_inputs,
        "Layout": list(layout),
        "Activation": activation,
        "Mode": mode,
        "Loss": loss,
        "Bias": bias,
    }
    return {"Config": config, "Weights": weights}


def forward(dump, row):
    """Outputs of the network for one row, neuron by neuron."""
    mode, values = dump["Config"]["Mode"], list(row)
    for i, layer in enumerate(dump["Weights"]):
        f = FUNCTIONS[dump["Config"]["Activation"]]
        if i == len(dump["Weights"]) - 1 and mode != DEFAULT:
            f = {MULTI_CLASS: float, REGRESSION: float}.get(mode, logistic)
        values = [
            f(math.fsum(w * v for w, v in zip(neuron, [*values, 1.0], strict=False)))
            for neuron in layer
        ]
    return softmax(values) if mode == MULTI_CLASS else values


def outputs(model, X):
    """What the network behind the estimator gives out, a column an output."""
    if isinstance(model, DeepRegressor):
        return model.predict(X).reshape(len(X), -1)
    probabilities = model.predict_proba(X)
    single = model.n_outputs_ == 1
    return probabilities[:, 1:] if single else probabilities


def check_full_citizen(model, X, tmp_path):
    """What any fitted estimator can do."""
    for suffix in (".json", ".npz"):
        save(model, tmp_path / f"model{suffix}")
        again = load(tmp_path / f"model{suffix}")
        assert again.get_params() == model.get_params()
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict(X), model.predict(X)
    )
    assert f"(None, {model.n_features_in_})" in model.summary()
    y = model.predict(X)
    assert model.score(X, y) == 1
    kind = clone(model).set_params(max_iter=1)
    if isinstance(model, DeepClassifier):
        y = np.resize(model.classes_, len(X)) if np.ndim(y) == 1 else y
    kind.fit(X, y)
    assert [c.shape for c in kind.coefs_] == [c.shape for c in model.coefs_]
    assert len(kind.intercepts_) == len(model.intercepts_)
    assert kind.out_activation_ == model.out_activation_
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(solver="sgd", learning_rate_init=1e-6).partial_fit(X, y)
    for coef, old in zip(model.coefs_, before, strict=True):
        np.testing.assert_allclose(coef, old, atol=1e-3)
    assert any((coef != old).any() for coef, old in zip(model.coefs_, before, strict=True))
    assert len(model.loss_curve_) == 1


LAYOUTS = [(4, 3), (3, 1), (5, 4, 2), (2,), (1,)]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("activation", "mode"), [*product(range(5), range(5))])
def test_every_kind_of_go_deep_network(activation, mode, bias, layout, tmp_path):
    if mode == MULTI_CLASS and layout[-1] == 1:
        layout = (*layout[:-1], 2)
    dump = go_deep(3, layout, activation, mode, bias)
    model = from_go_deep(copy.deepcopy(dump))
    assert isinstance(model, DeepClassifier if mode in CLASSIFIERS else DeepRegressor)
    X = RNG.normal(size=(20, 3))
    expected = np.array([forward(dump, row) for row in X])
    np.testing.assert_allclose(outputs(model, X), expected, rtol=1e-12, atol=1e-12)
    assert outputs(model, X).dtype == np.float64
    if mode == MULTI_LABEL and layout[-1] > 1:
        np.testing.assert_array_equal(model.predict(X), expected > 0.5)
    elif mode == MULTI_CLASS:
        np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))
    check_full_citizen(model, X, tmp_path)


def stored(library):
    path = DATA / "dumps" / f"{library}.json"
    if not path.is_file():
        pytest.skip(f"no networks at {path}: name the folder of the data in SKDEEP_DATA")
    return json.loads(path.read_text())


@pytest.mark.parametrize("library", ["go_deep", "gopher_neural"])
def test_networks_of_the_libraries_give_out_what_they_gave_there(library, tmp_path):
    read = {"go_deep": from_go_deep, "gopher_neural": from_gopher_neural}[library]
    networks = stored(library)
    assert networks
    for name, network in networks.items():
        path = tmp_path / "network.json"
        path.write_text(json.dumps(network["Dump"]))
        X, expected = np.array(network["Inputs"]), np.array(network["Outputs"])
        for source in (path, str(path), network["Dump"]):
            model = read(source)
            found = outputs(model, X)
            if "Winners" in network and isinstance(model, DeepClassifier):
                names = network["Dump"]["OutLabels"]
                labels = [names[str(i)] for i in range(len(names))]
                found = found[:, [model.classes_.tolist().index(own) for own in labels]]
                assert model.predict(X).tolist() == network["Winners"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12, err_msg=name)
        check_full_citizen(model, X, tmp_path)


@pytest.mark.parametrize(
    ("loss", "mode", "expected"),
    [
        (0, MULTI_CLASS, "log_loss"),
        (1, MULTI_CLASS, "log_loss"),
        (2, BINARY, "log_loss"),
        (3, MULTI_CLASS, "squared_error"),
        (3, MULTI_LABEL, "squared_error"),
        (0, REGRESSION, "squared_error"),
        (3, DEFAULT, "squared_error"),
    ],
)
def test_parameters_describe_the_network(loss, mode, expected):
    model = from_go_deep(go_deep(3, (5, 4, 2), 2, mode, loss=loss))
    assert model.loss == expected
    assert model.hidden_layer_sizes == (5, 4)
    assert (model.activation, model.bias) == ("tanh", True)
    named = {MULTI_CLASS: "softmax", DEFAULT: "tanh"}
    assert model.output_activation == named.get(mode)


@pytest.mark.parametrize(
    "labels", [["b", "c", "a"], [3, 1, 2], [3.0, 1.0, 2], np.array(["z", "yy", "x"])]
)
@pytest.mark.parametrize("activation", [1, 3])
def test_labels_are_sorted_with_their_columns(labels, activation):
    dump = go_deep(3, (4, 3), activation, MULTI_CLASS)
    model = from_go_deep(dump, classes=labels)
    X = RNG.normal(size=(30, 3))
    expected = np.array([forward(dump, row) for row in X])
    assert model.classes_.tolist() == sorted(labels)
    columns = [model.classes_.tolist().index(label) for label in labels]
    np.testing.assert_allclose(model.predict_proba(X)[:, columns], expected, rtol=1e-12)
    assert model.predict(X).tolist() == [labels[i] for i in expected.argmax(axis=1)]


@pytest.mark.parametrize("labels", [["no", "yes"], ["yes", "no"], [1, 0], [False, True]])
@pytest.mark.parametrize("bias", [True, False])
def test_labels_of_a_single_output(labels, bias, tmp_path):
    dump = go_deep(3, (4, 1), 2, BINARY, bias)
    model = from_go_deep(dump, classes=labels)
    X = RNG.normal(size=(30, 3))
    expected = np.array([forward(dump, row)[0] for row in X])
    assert model.classes_.tolist() == sorted(labels)
    second = model.classes_.tolist().index(labels[1])
    np.testing.assert_allclose(model.predict_proba(X)[:, second], expected, rtol=1e-12)
    assert model.predict(X).tolist() == [labels[int(p > 0.5)] for p in expected]
    check_full_citizen(model, X, tmp_path)


def gopher(n_inputs, widths, labels):
    dump = go_deep(n_inputs, widths, 1, DEFAULT, bias=False)
    names = {str(i): label for i, label in enumerate(labels)}
    return {"Enters": n_inputs, "Weights": dump["Weights"], "OutLabels": names}


def gopher_forward(dump, row):
    return forward({"Config": {"Mode": DEFAULT, "Activation": 1}, **dump}, row)


@pytest.mark.parametrize("labels", [["R", "M"], ["c", "a", "b"], ["output", "x"]])
@pytest.mark.parametrize("hidden", [(4,), (5, 3), ()])
def test_every_kind_of_gopher_neural_classifier(labels, hidden, tmp_path):
    dump = gopher(3, (*hidden, len(labels)), labels)
    model = from_gopher_neural(dump)
    X = RNG.normal(size=(30, 3))
    expected = np.array([gopher_forward(dump, row) for row in X])
    assert model.classes_.tolist() == sorted(labels)
    columns = [model.classes_.tolist().index(label) for label in labels]
    np.testing.assert_allclose(model.predict_proba(X)[:, columns], expected, rtol=1e-12)
    assert model.predict(X).tolist() == [labels[i] for i in expected.argmax(axis=1)]
    assert (model.loss, model.bias, model.output_activation) == (
        "squared_error",
        False,
        "logistic",
    )
    check_full_citizen(model, X, tmp_path)


@pytest.mark.parametrize(("n_out", "labels"), [(1, ["output"]), (1, []), (1, ["x"]), (2, [])])
def test_every_kind_of_gopher_neural_regressor(n_out, labels, tmp_path):
    dump = gopher(3, (4, n_out), labels)
    model = from_gopher_neural(dump)
    X = RNG.normal(size=(30, 3))
    expected = np.array([gopher_forward(dump, row) for row in X])
    np.testing.assert_allclose(outputs(model, X), expected, rtol=1e-12)
    assert (model.activation, model.output_activation, model.bias) == (
        "logistic",
        "logistic",
        False,
    )
    check_full_citizen(model, X, tmp_path)


# What is refused


def config(**fields):
    def act(dump):
        dump["Config"].update(fields)

    return act


def weight(value):
    def act(dump):
        dump["Weights"][0][0][0] = value

    return act


GO_DEEP = {
    "no weights": (lambda dump: dump.pop("Weights"), "Weights"),
    "no config": (lambda dump: dump.pop("Config"), "Config"),
    "unknown field": (config(Dropout=0.5), "Dropout"),
    "unknown section": (lambda dump: dump.update(More=1), "More"),
    "softmax": (config(Activation=5), "softmax"),
    "activation": (config(Activation=6), "Activation"),
    "activation as string": (config(Activation="relu"), "Activation"),
    "mode": (config(Mode=5), "Mode"),
    "mode as bool": (config(Mode=True), "Mode"),
    "loss": (config(Loss=-1), "Loss"),
    "bias of older versions": (config(Bias=1.0), "Bias"),
    "no bias": (config(Bias=False), "without a bias"),
    "inputs": (config(Inputs=4), "weights"),
    "huge inputs": (config(Inputs=10**15), "weights"),
    "no inputs": (config(Inputs=0), "at least 1"),
    "layout": (config(Layout=[4, 2]), "neurons"),
    "longer layout": (config(Layout=[4, 3, 3]), "layers"),
    "empty layout": (config(Layout=[]), "layer"),
    "layout of strings": (config(Layout=["4", "3"]), "at least 1"),
    "layout as number": (config(Layout=4), "Layout"),
    "regression with bias": (config(Mode=REGRESSION), "weights"),
    "nan": (weight(math.nan), "finite"),
    "infinity": (weight(math.inf), "finite"),
    "overflow": (weight(10**400), "Overflow"),
    "string": (weight("1"), "not a number"),
    "null": (weight(None), "not a number"),
    "true": (weight(True), "not a number"),
    "short row": (lambda dump: dump["Weights"][1][2].pop(), "weights"),
    "weights as dict": (lambda dump: dump.update(Weights={}), "list"),
    "row as number": (lambda dump: dump["Weights"][0].__setitem__(0, 1.0), "list"),
}


@pytest.mark.parametrize(
    ("read", "dump"),
    [
        (from_go_deep, go_deep(3, (4, 3), 2, MULTI_CLASS)),
        (from_gopher_neural, gopher(3, (4, 3), ["a", "b", "c"])),
    ],
)
def test_dicts_of_any_kind(read, dump):
    # Ordered, or with a default, on every level.
    text = json.dumps(dump)
    X = RNG.normal(size=(5, 3))
    expected = read(dump).predict_proba(X)
    for kind in (OrderedDict, lambda pairs: defaultdict(int, pairs)):
        again = json.loads(text, object_pairs_hook=kind)
        np.testing.assert_array_equal(read(again).predict_proba(X), expected)
    dump["More"] = 1
    with pytest.raises(ValueError, match="'More'") as caught:
        read(dump)
    assert "upgrade" not in str(caught.value)


@pytest.mark.parametrize("case", GO_DEEP)
def test_go_deep_networks_that_are_not_whole(case, tmp_path):
    act, words = GO_DEEP[case]
    dump = go_deep(3, (4, 3), 2, MULTI_CLASS)
    act(dump)
    with pytest.raises(ValueError, match=f"go-deep network: .*{words}"):
        from_go_deep(dump)
    path = tmp_path / "network.json"
    path.write_text(json.dumps(dump))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: "):
        from_go_deep(path)


@pytest.mark.parametrize(
    ("classes", "layout", "mode", "words"),
    [
        (["a", "b"], (4, 3), MULTI_CLASS, "2 classes"),
        (["a", "b", "a"], (4, 3), MULTI_CLASS, "different"),
        (["a", 1, "b"], (4, 3), MULTI_CLASS, "all strings"),
        ([1.0, math.nan, 2.0], (4, 3), MULTI_CLASS, "whole numbers"),
        ([["a"], ["b"], ["c"]], (4, 3), MULTI_CLASS, "classes"),
        ("abc", (4, 3), MULTI_CLASS, "list of labels.*'abc'"),
        (b"abc", (4, 3), MULTI_CLASS, "list of labels"),
        ({"a": 0, "b": 1, "c": 2}, (4, 3), MULTI_CLASS, "list of labels"),
        ({"a", "b", "c"}, (4, 3), MULTI_CLASS, "list of labels"),
        ([True, 2, 3], (4, 3), MULTI_CLASS, "booleans"),
        ([0.0, np.True_, 3], (4, 3), MULTI_CLASS, "booleans"),
        ([0.5, 1.0, 2.0], (4, 3), MULTI_CLASS, "whole numbers"),
        (["a" * 10**5, *map(str, range(999))], (4, 1000), MULTI_CLASS, "shorten"),
        (3, (4, 3), MULTI_CLASS, "int"),
        (["a"], (4, 1), BINARY, "1 classes"),
        (["a", "b", "c"], (4, 3), MULTI_LABEL, "multi-label"),
        (["a", "b", "c"], (4, 3), REGRESSION, "modes"),
        (None, (4, 1), MULTI_CLASS, "two outputs"),
    ],
)
def test_classes_that_do_not_fit(classes, layout, mode, words):
    with pytest.raises(ValueError, match=f"go-deep network: .*{words}"):
        from_go_deep(go_deep(3, layout, 2, mode), classes=classes)


GOPHER = {
    "unknown field": (lambda dump: dump.update(Bias=[]), "Bias"),
    "no weights": (lambda dump: dump.pop("Weights"), "Weights"),
    "empty": (lambda dump: dump.update(Weights=[]), "layer"),
    "empty layer": (lambda dump: dump["Weights"].__setitem__(0, []), "at least 1"),
    "enters": (lambda dump: dump.update(Enters=4), "weights"),
    "huge enters": (lambda dump: dump.update(Enters=10**15), "weights"),
    "label missing": (lambda dump: dump["OutLabels"].pop("1"), "OutLabels"),
    "label elsewhere": (
        lambda dump: dump.update(OutLabels={"0": "a", "1": "b", "3": "c"}),
        "OutLabels",
    ),
    "output twice": (lambda dump: dump["OutLabels"].update({0: "d"}), "an output twice"),
    "label twice": (lambda dump: dump["OutLabels"].update({"1": "a"}), "different"),
    "label as number": (lambda dump: dump["OutLabels"].update({"1": 1}), "string"),
    "labels as list": (lambda dump: dump.update(OutLabels=["a", "b", "c"]), "object"),
    "nan": (weight(math.nan), "finite"),
    "long row": (lambda dump: dump["Weights"][0][0].append(1.0), "weights"),
}


@pytest.mark.parametrize("case", GOPHER)
def test_gopher_neural_networks_that_are_not_whole(case):
    act, words = GOPHER[case]
    dump = gopher(3, (4, 3), ["a", "b", "c"])
    act(dump)
    with pytest.raises(ValueError, match=f"gopher-neural network: .*{words}"):
        from_gopher_neural(dump)


@pytest.mark.parametrize("read", [from_go_deep, from_gopher_neural])
def test_sources(read, tmp_path):
    path = tmp_path / "network.json"
    with pytest.raises(FileNotFoundError):
        read(path)
    for text, words in [("[" * 10**5, "deep"), ("[]", "object"), ('{"a": 1, "a": 1}', "twice")]:
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            read(path)
    path.write_text(" " * 1000)
    with pytest.raises(ValueError, match="max_bytes"):
        read(path, max_bytes=999)
    with pytest.raises(TypeError, match="path or a dict"):
        read(5)


def test_a_small_file_does_not_become_a_huge_network():
    wide = go_deep(1, (5000,), 3)
    with pytest.raises(ValueError, match="5000 x 5000"):
        from_go_deep(wide)
