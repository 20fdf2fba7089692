"""Every row of docs/coming_from_go.rst runs, and does what the call on its left does.

Rows and the names that they take for granted are read from the page. What each must come to
stands here, by its first literal: computed from the formula, or by scikit-learn.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss

from skdeep import SGD, DeepRegressor, Normal
from skdeep.schedules import Span

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "coming_from_go.rst").read_text(encoding="utf-8")
CHECKS = {}


def literals(cell):
    return [" ".join(found.split()) for found in re.findall(r"``(.+?)``", cell, re.DOTALL)]


def table_rows(text):
    """First literal on the left and code on the right of each row, headers left out."""
    found = []
    for row in re.split(r"^   \* - ", text, flags=re.MULTILINE)[1:]:
        left, right = re.split(r"^     - ", row, maxsplit=1, flags=re.MULTILINE)
        # A table ends where the indentation does.
        right = re.split(r"\n\S", right, maxsplit=1)[0]
        if literals(left):
            found.append((literals(left)[0], right))
    return found


def code_blocks(text):
    blocks = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in blocks]


ROWS = table_rows(PAGE)
SETUP, RECIPE = code_blocks(PAGE)


def fresh():
    names = {}
    exec(SETUP, names)
    return names


def run(statements, names):
    """Value of the last expression."""
    value = None
    for code in statements:
        try:
            value = eval(compile(code, "row", "eval"), names)
        except SyntaxError:
            exec(compile(code, "row", "exec"), names)
    return value


def check(*keys):
    """What a row comes to: (names after it, value of its last expression)."""

    def add(function):
        for key in keys:
            assert key not in CHECKS, key
            CHECKS[key] = function
        return function

    return add


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files that the page takes for granted, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("1.5,2,R\n3,4,M\n5,6,R\n")
    Path("values.csv").write_text("1.5,2,0.25\n3,4,0.75\n")
    Path("data.svm").write_text("1 1:0.5 3:2\n-1 2:1.5\n")
    Path("dump.json").write_text(json.dumps(GO_DEEP))
    Path("network.json").write_text(json.dumps(GOPHER))


def test_rows_are_found_once_and_have_a_check_each():
    keys = [key for key, _ in ROWS]
    assert len(keys) > 80
    assert sorted(keys) == sorted(CHECKS)


@pytest.mark.parametrize(("key", "cell"), ROWS, ids=[key for key, _ in ROWS])
def test_row(key, cell, files, capsys):
    assert re.sub(r"``.+?``", "", cell, flags=re.DOTALL).strip() == "", "text is not run"
    names = fresh()
    value = run(literals(cell), names)
    CHECKS[key](SimpleNamespace(out=capsys.readouterr().out, **names), value)


def test_recipe_finds_a_winner():
    names = {}
    exec(RECIPE, names)
    search, winner = names["search"], names["winner"]
    assert len(search.cv_results_["params"]) == 20
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) > 0.95
    chosen = winner.get_params()
    assert {name: chosen[name] for name in search.best_params_} == search.best_params_


@pytest.mark.parametrize("block", code_blocks((DOCS / "parallel_training.rst").read_text()))
def test_code_of_parallel_training_runs(block):
    exec(block, {})


# What the rows are measured by

GO_DEEP = {
    "Config": {
        "Inputs": 4,
        "Layout": [3, 1],
        "Activation": 1,
        "Mode": 3,
        "Loss": 2,
        "Bias": True,
    },
    "Weights": [
        [
            [0.1, -0.2, 0.3, -0.4, 0.5],
            [-0.5, 0.4, -0.3, 0.2, 0.1],
            [0.2, 0.3, -0.4, 0.1, -0.2],
        ],
        [[1.5, -2.0, 0.5, -0.3]],
    ],
}
GOPHER = {
    "Enters": 4,
    "Weights": [
        [[0.1, -0.2, 0.3, -0.4], [-0.5, 0.4, -0.3, 0.2], [0.2, 0.3, -0.4, 0.1]],
        [[1.0, -2.0, 0.5], [-1.0, 1.5, 0.2]],
    ],
    "OutLabels": {"0": "R", "1": "M"},
}


def raw_output(model, X, function):
    """Of a network with one hidden layer."""
    (first, second), (bias_1, bias_2) = model.coefs_, model.intercepts_
    return function(X @ first + bias_1) @ second + bias_2


def first_weights(model, X, y):
    """Where a fit starts: one step of no length."""
    still = clone(model).set_params(solver=SGD(learning_rate_init=1e-300), max_iter=1)
    return still.set_params(random_state=0).fit(X, y)


PUSHES = np.array([1.0, -2.0, 0.5, 3.0, -1.0, 4.0])


@dataclass(frozen=True)
class Push:
    """A loss whose gradient is the target, so that a bias shows what a solver makes of it."""

    def loss(self, y_true, y_pred):
        return y_true * y_pred

    def gradient(self, y_true, y_pred):
        return y_true


def path(solver):
    """Where a bias that starts at 0 is pushed to, by epochs of one step."""
    model = DeepRegressor(
        Push(), (1,), "identity", solver=solver, alpha=0, weight_init=Normal(0, 1)
    )
    X = np.zeros((3, 1))
    return [model.partial_fit(X, np.full(3, push)).intercepts_[-1][0] for push in PUSHES]


def n_steps(model, X, y):
    """Steps of one epoch, by the last that a schedule is asked for."""
    asked = []

    def rate(step):
        asked.append(step)
        return 0.01

    solver = clone(model.solver).set_params(learning_rate=rate)
    clone(model).set_params(solver=solver, max_iter=1, verbose=False).fit(X, y)
    return max(asked) + 1


def four_counts(true, said):
    return [sum(true & said), sum(~true & said), sum(~true & ~said), sum(true & ~said)]


def counts(names):
    """TP, FP, TN, FN of class 2."""
    true, said = names.y_test == 2, names.predicted == 2
    assert (true != said).any(), "without errors, nothing would be told apart"
    return four_counts(true, said)


def one_vs_rest(names, measure):
    """Mean over the classes of a measure of (TP, FP, TN, FN)."""
    return np.mean(
        [measure(*four_counts(names.y_test == k, names.predicted == k)) for k in range(3)]
    )


# go-deep


@check("deep.Config{Inputs: 4}")
def _(names, value):
    assert value == names.X.shape[1] == 4


@check("deep.Config{Layout: []int{6, 5, 3}}")
def _(names, value):
    assert [coef.shape for coef in value.coefs_] == [(4, 6), (6, 5), (5, 3)]


@check("Activation: deep.ActivationSigmoid", "neural.NewLogisticFunc(1)")
def _(names, value):
    expected = softmax(raw_output(value, names.X, lambda z: 1 / (1 + np.exp(-z))), axis=1)
    assert_allclose(value.predict_proba(names.X), expected)


@check("Activation: deep.ActivationTanh")
def _(names, value):
    expected = softmax(raw_output(value, names.X, np.tanh), axis=1)
    assert_allclose(value.predict_proba(names.X), expected)


@check("Activation: deep.ActivationReLU")
def _(names, value):
    expected = softmax(raw_output(value, names.X, lambda z: np.maximum(z, 0)), axis=1)
    assert_allclose(value.predict_proba(names.X), expected)


@check("Activation: deep.ActivationLinear")
def _(names, value):
    expected = softmax(raw_output(value, names.X, lambda z: z), axis=1)
    assert_allclose(value.predict_proba(names.X), expected)


@check("Activation: deep.ActivationSoftmax")
def _(names, value):
    raw = raw_output(value, names.X, lambda z: np.maximum(z, 0))
    assert raw.shape == (150, 2)
    assert_allclose(value.predict_proba(names.X), softmax(raw, axis=1))


@check("Mode: deep.ModeMultiClass")
def _(names, value):
    raw = raw_output(value, names.X, lambda z: np.maximum(z, 0))
    assert_allclose(value.predict_proba(names.X), softmax(raw, axis=1))
    assert value.predict_proba(names.X).shape == (150, 3)


@check("Mode: deep.ModeBinary")
def _(names, value):
    raw = raw_output(value, names.X, lambda z: np.maximum(z, 0))
    assert raw.shape == (150, 1)
    assert_allclose(value.predict_proba(names.X)[:, 1], expit(raw[:, 0]))


@check("Mode: deep.ModeMultiLabel")
def _(names, value):
    raw = raw_output(value, names.X, lambda z: np.maximum(z, 0))
    assert_allclose(value.predict_proba(names.X), expit(raw))
    assert_array_equal(value.predict(names.X), raw > 0)


@check("Mode: deep.ModeRegression")
def _(names, value):
    raw = raw_output(value, names.X, lambda z: np.maximum(z, 0))
    assert_allclose(value.predict(names.X), raw[:, 0])


@check("Mode: deep.ModeDefault")
def _(names, value):
    assert_allclose(value.predict(names.X), np.tanh(raw_output(value, names.X, np.tanh))[:, 0])


@check("Weight: deep.NewNormal(0.5, 0.1)")
def _(names, value):
    wide = first_weights(value.set_params(hidden_layer_sizes=(100, 100)), names.X, names.y)
    assert abs(wide.coefs_[1].mean() - 0.1) < 0.02
    assert abs(wide.coefs_[1].std() - 0.5) < 0.02


@check("Weight: deep.NewUniform(0.5, 0)")
def _(names, value):
    weights = first_weights(value.set_params(hidden_layer_sizes=(100, 100)), names.X, names.y)
    assert -0.25 <= weights.coefs_[1].min() < -0.249
    assert 0.249 < weights.coefs_[1].max() <= 0.25


@check("Loss: deep.LossCrossEntropy")
def _(names, value):
    start = first_weights(value.set_params(alpha=0, batch_size=150), names.X, names.y)
    assert_allclose(start.loss_, log_loss(names.y, start.predict_proba(names.X)))


@check("Loss: deep.LossBinaryCrossEntropy")
def _(names, value):
    start = first_weights(value.set_params(alpha=0, batch_size=150), names.X, names.y)
    proba, ideal = start.predict_proba(names.X), np.eye(3)[names.y]
    wrong = ideal * np.log(proba) + (1 - ideal) * np.log(1 - proba)
    assert_allclose(start.loss_, -wrong.sum(axis=1).mean())


@check("Loss: deep.LossMeanSquared")
def _(names, value):
    start = first_weights(value.set_params(alpha=0, batch_size=150), names.X, names.values)
    assert_allclose(start.loss_, ((start.predict(names.X) - names.values) ** 2).mean() / 2)


@check("Bias: false")
def _(names, value):
    assert value.intercepts_ == []
    first, second = value.coefs_
    expected = softmax(np.maximum(names.X @ first, 0) @ second, axis=1)
    assert_allclose(value.predict_proba(names.X), expected)


@check("training.NewSGD(0.1, 0.9, 1e-6, true)")
def _(names, value):
    at, velocity, expected = 0, 0, []
    for epoch, push in enumerate(PUSHES):
        rate = 0.1 / (1 + 1e-6 * epoch)
        velocity = 0.9 * velocity - rate * push
        at += 0.9 * velocity - rate * push
        expected.append(at)
    assert_allclose(path(value), expected, rtol=1e-12)


@check("training.NewSGD(0.1, 0.9, 0, false)")
def _(names, value):
    velocity = [
        -0.1 * sum(0.9 ** (t - i) * push for i, push in enumerate(PUSHES[: t + 1]))
        for t in range(len(PUSHES))
    ]
    assert_allclose(path(value), np.cumsum(velocity), rtol=1e-12)


@check("training.NewAdam(0.001, 0.9, 0.999, 1e-8)")
def _(names, value):
    at, first, second, expected = 0, 0, 0, []
    for t, push in enumerate(PUSHES, start=1):
        first = 0.9 * first + 0.1 * push
        second = 0.999 * second + 0.001 * push**2
        rate = 0.001 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        at -= rate * first / (second**0.5 + 1e-8)
        expected.append(at)
    assert_allclose(path(value), expected, rtol=1e-12)


@check("training.NewTrainer(optimizer, 1)")
def _(names, value):
    assert n_steps(value, names.X, names.y) == 150
    assert value.verbose
    assert value.alpha == 0


@check("training.NewBatchTrainer(optimizer, 0, 32, 4)")
def _(names, value):
    assert n_steps(value, names.X, names.y) == 5
    assert not value.verbose
    assert value.alpha == 0


@check("trainer.Train(n, train, heldout, 20)")
def _(names, model):
    assert model.n_iter_ == len(model.validation_scores_) == 20
    # The network is that of the last epoch, and not of the best.
    assert model.best_iter_ < 20
    last = log_loss(names.y_test, model.predict_proba(names.X_test))
    assert_allclose(model.validation_loss_curve_[-1], last)


@check("trainer.Train(n, more, nil, 20)")
def _(names, model):
    before = fresh()["model"]
    assert model.n_iter_ == 20
    assert model.t_ == before.t_ + 20 * len(names.X_test)
    assert model.loss_curve_[: before.n_iter_] == before.loss_curve_


@check("training.NewStatsPrinter()")
def _(names, model):
    assert re.match(r" *Epoch +Time +Loss\n +1 +\S+s +\S+\n", names.out)
    assert len(names.out.splitlines()) == model.n_iter_ + 2


@check("examples.Shuffle()")
def _(names, value):
    assert not np.array_equal(value[1], names.y)
    both = [np.column_stack(pair) for pair in (value, (names.X, names.y))]
    assert_array_equal(*(table[np.lexsort(table.T)] for table in both))


@check("examples.Split(0.5)")
def _(names, value):
    assert [len(part) for part in value] == [75] * 4
    rows, labels = np.vstack(value[:2]), np.concatenate(value[2:])
    both = [np.column_stack(pair) for pair in ((rows, labels), (names.X, names.y))]
    assert_array_equal(*(table[np.lexsort(table.T)] for table in both))


@check("examples.SplitSize(32)")
def _(names, value):
    assert [len(part) for part in value] == [32, 32, 32, 32, 22]
    assert_array_equal(np.vstack(value), names.X)


@check("examples.SplitN(4)")
def _(names, value):
    for i, row in enumerate(names.X):
        assert_array_equal(value[i % 4][i // 4], row)
    assert sum(map(len, value)) == 150


@check("n.Predict(x)", "network.Calculate(x)")
def _(names, value):
    raw = raw_output(names.model, names.X_test, lambda z: np.maximum(z, 0))
    assert_allclose(value, softmax(raw, axis=1))


@check("deep.ArgMax(n.Predict(x))", "network.CalculateWinnerLabel(x)")
def _(names, value):
    assert_array_equal(value, names.model.predict_proba(names.X_test).argmax(axis=1))


@check("deep.Round(n.Predict(x)[0])")
def _(names, value):
    model = names.DeepClassifier(random_state=0).fit(names.X, names.y == 0)
    assert_array_equal(value, np.floor(model.predict_proba(names.X)[:, 1] + 0.5))


@check("n.Forward(x)")
def _(names, value):
    model = names.DeepRegressor(random_state=0).fit(names.X, names.values)
    assert_allclose(value, raw_output(model, names.X, lambda z: np.maximum(z, 0))[:, 0])


@check("n.Weights()")
def _(names, value):
    weights, biases = value
    assert [w.shape for w in weights] == [(4, 5), (5, 3)]
    assert [b.shape for b in biases] == [(5,), (3,)]


@check("n.ApplyWeights(weights)")
def _(names, value):
    before, model = fresh()["model"], names.model
    assert_array_equal(model.coefs_[0], 2 * before.coefs_[0])
    raw = raw_output(model, names.X, lambda z: np.maximum(z, 0))
    assert_allclose(model.predict_proba(names.X), softmax(raw, axis=1))


@check("n.NumWeights()")
def _(names, value):
    assert value == 4 * 5 + 5 + 5 * 3 + 3


@check("n.String()")
def _(names, value):
    assert "5" in value
    assert str(4 * 5 + 5) in value


@check("n.Dump()", "persist.ToFile(path, network)")
def _(names, value):
    assert json.loads(Path("model.json").read_text())


@check("deep.FromDump(dump)", "persist.FromFile(path)")
def _(names, value):
    assert_array_equal(value.predict_proba(names.X), names.model.predict_proba(names.X))


@check("json.Unmarshal(bytes, &dump)")
def _(names, value):
    X = np.column_stack([names.X, np.ones(150)])
    first, second = (np.array(layer) for layer in GO_DEEP["Weights"])
    yes = expit(np.column_stack([expit(X @ first.T), np.ones(150)]) @ second.T)[:, 0]
    assert_allclose(value.predict_proba(names.X)[:, 1], yes)
    assert_array_equal(value.predict(names.X), np.where(yes > 0.5, "yes", "no"))


@check("deep.GetLoss(deep.LossCrossEntropy).F(estimate, ideal)")
def _(names, value):
    proba = names.model.predict_proba(names.X_test)
    assert_allclose(value, -np.log(proba[np.arange(len(proba)), names.y_test]).mean())


@check("deep.GetLoss(deep.LossMeanSquared).F(estimate, ideal)")
def _(names, value):
    assert_allclose(value, ((names.labels - 0.25) ** 2).sum() / names.labels.size)


@check("deep.Standardize(xs)")
def _(names, value):
    assert_allclose(value.mean(axis=0), 0, atol=1e-12)
    assert_allclose(value.std(axis=0), 1)


@check("deep.Normalize(xs)")
def _(names, value):
    low, high = names.X.min(axis=0), names.X.max(axis=0)
    assert_allclose(value, (names.X - low) / (high - low))


@check("deep.Mean(xs)")
def _(names, value):
    total = sum(names.X[:, 0].tolist())
    assert_allclose(value, (total / 150, total))


@check("deep.Variance(xs)")
def _(names, value):
    squares = sum((x - names.X[:, 0].mean()) ** 2 for x in names.X[:, 0])
    assert_allclose(value, (squares / 149, (squares / 149) ** 0.5))


@check("deep.Min(xs)")
def _(names, value):
    ordered = sorted(names.X[:, 0])
    assert value == (ordered[0], ordered[-1])


@check("deep.Softmax(xs)")
def _(names, value):
    powers = np.exp(names.X)
    assert_allclose(value, powers / powers.sum(axis=1, keepdims=True))


@check("deep.Sgn(x)")
def _(names, value):
    signs, rounded = value
    assert_array_equal(signs, (names.values > 0) * 1.0 - (names.values < 0))
    assert np.all(np.abs(rounded - names.values) <= 0.5)
    assert set(rounded) <= {0.0, 1.0}


@check("deep.Dot(xs, ys)")
def _(names, value):
    assert_allclose(value, sum(a * b for a, b in zip(names.X[0], names.X[1], strict=True)))


# gopher-neural


def learned_by_the_row(start, X, ideal, rate, n_epochs):
    """Weights after backpropagation of half the squared error through logistic units."""
    weights = [coef.copy() for coef in start.coefs_]
    for x, target in [(x, t) for _ in range(n_epochs) for x, t in zip(X, ideal, strict=True)]:
        hidden = 1 / (1 + np.exp(-x @ weights[0]))
        out = 1 / (1 + np.exp(-hidden @ weights[1]))
        delta = out * (1 - out) * (target - out)
        back = hidden * (1 - hidden) * (weights[1] @ delta)
        weights[1] += rate * np.outer(hidden, delta)
        weights[0] += rate * np.outer(x, back)
    return weights


@check("neural.BuildNetwork(neural.Classification, 4, []int{5}, labels)")
def _(names, net):
    start = first_weights(net, names.X, names.y)
    assert np.abs(start.coefs_[0]).max() <= 1
    expected = learned_by_the_row(start, names.X, np.eye(3)[names.y], 0.4, 2)
    for found, wanted in zip(net.coefs_, expected, strict=True):
        assert_allclose(found, wanted, rtol=1e-8)


@check("neural.BuildNetwork(neural.Regression, 4, []int{5}, labels)")
def _(names, net):
    start = first_weights(net, names.X, names.values)
    expected = learned_by_the_row(start, names.X, names.values[:, None], 0.4, 2)
    for found, wanted in zip(net.coefs_, expected, strict=True):
        assert_allclose(found, wanted, rtol=1e-8)


@check("network.RandomizeSynapses()")
def _(names, value):
    weights = first_weights(value.set_params(hidden_layer_sizes=(100, 100)), names.X, names.y)
    assert -1 <= weights.coefs_[1].min() < -0.99
    assert 0.99 < weights.coefs_[1].max() <= 1


@check("network.CalculateLabels(x)")
def _(names, value):
    proba = names.model.predict_proba(names.X_test)[0]
    assert list(value) == [0, 1, 2]
    assert_allclose(list(value.values()), proba)


@check("learn.NewSet(neural.Classification)")
def _(names, value):
    X, y = value
    assert_array_equal(X, [[1.5, 2], [3, 4], [5, 6]])
    assert list(y) == ["R", "M", "R"]


@check("learn.NewSet(neural.Regression)")
def _(names, value):
    X, y = value
    assert_array_equal(X, [[1.5, 2], [3, 4]])
    assert_array_equal(y, [0.25, 0.75])


@check("set.LoadFromSVMFile(path)")
def _(names, value):
    X, y = value
    assert_array_equal(X.toarray(), [[0.5, 0, 2], [0, 1.5, 0]])
    assert_array_equal(y, [1, -1])


@check("set.GetClasses()", "network.OutLabels")
def _(names, value):
    assert list(value) == [0, 1, 2]


@check("sample.Output")
def _(names, value):
    assert_array_equal(value, np.eye(3)[names.y])


@check("learn.Learn(network, in, ideal, speed)")
def _(names, model):
    before = fresh()["model"]
    assert model.t_ == before.t_ + 1
    assert not np.array_equal(model.coefs_[0], before.coefs_[0])


@check("engine.NewEngine(neural.Classification, []int{5}, set)")
def _(names, value):
    search = value.fit(names.X, names.y)
    assert [p["random_state"] for p in search.cv_results_["params"]] == [0, 1, 2]
    assert search.best_estimator_.coefs_[0].shape == (4, 5)


@check("e.Start(criterion, tries, ...)")
def _(names, value):
    tries = [names.DeepClassifier((5,), **{k: v}) for k, vs in value.items() for v in vs]
    starts = [first_weights(clone(one), names.X, names.y).coefs_[0] for one in tries[:1]]
    starts += [one.set_params(max_iter=1).fit(names.X, names.y).coefs_[0] for one in tries]
    assert len(tries) == 3
    assert len({weights.tobytes() for weights in starts}) == 4


@check("e.Start(..., epochs, ..., startLearning, decay)")
def _(names, value):
    # The stairs of the engine, 0.4, 0.3, ..., and the line meet where each stage begins.
    assert value.max_iter == 40
    span = Span(0, per_epoch=5, n_steps=200)
    begins = np.arange(0, 200, 50)
    solver = value.solver
    found = solver.schedule().rates(solver.learning_rate_init, begins, span)
    assert_allclose(found, [0.4, 0.3, 0.2, 0.1])


@check("e.Start(..., trainingSplit, ...)")
def _(names, value):
    ((train, test),) = value.split(names.X)
    assert len(train) == 105
    assert sorted([*train, *test]) == list(range(150))


@check("engine.CriterionAccuracy", "evaluation.GetOverallAccuracy()")
def _(names, value):
    expected = one_vs_rest(names, lambda tp, fp, tn, fn: (tp + tn) / (tp + fp + tn + fn))
    assert_allclose(value, expected)


@check("engine.CriterionBalancedAccuracy", "evaluation.GetOverallBalancedAccuracy()")
def _(names, value):
    expected = one_vs_rest(names, lambda tp, fp, tn, fn: (tp / (tp + fn) + tn / (tn + fp)) / 2)
    assert_allclose(value, expected)


@check("engine.CriterionFMeasure", "evaluation.GetOverallFMeasure()")
def _(names, value):
    assert_allclose(
        value, one_vs_rest(names, lambda tp, fp, tn, fn: 2 * tp / (2 * tp + fp + fn))
    )


@check("engine.CriterionSimple", "evaluation.GetCorrectRatio()")
def _(names, value):
    assert value == np.mean(names.predicted == names.y_test)


def half_squared_distance(names):
    proba = names.model.predict_proba(names.X_test)
    return ((proba - np.eye(3)[names.y_test]) ** 2).sum(axis=1).mean() / 2


@check("engine.CriterionDistance")
def _(names, value):
    assert_allclose(value, -half_squared_distance(names))


@check("evaluation.GetDistance()")
def _(names, value):
    assert_allclose(value, half_squared_distance(names))


@check("e.SetRegressionThreshold(0.05)")
def _(names, value):
    model = names.DeepRegressor(random_state=0).fit(names.X, names.values)
    near = np.abs(model.predict(names.X) - names.values) < 0.05
    assert 0 < near.mean() < 1
    assert_allclose(value(model, names.X, names.values), near.mean())


@check("e.SetVerbose(true)")
def _(names, value):
    assert len(re.findall(r"^\[CV ./5\] END .*alpha=[01];, score=", names.out, re.M)) == 10


@check("e.GetWinner()")
def _(names, value):
    network, score = value
    assert score == max(names.search.cv_results_["mean_test_score"])
    assert network.random_state == names.search.best_params_["random_state"]


@check("evaluation.PrintConfusionMatrix()")
def _(names, value):
    for i in range(3):
        for j in range(3):
            assert value[i, j] == sum((names.y_test == i) & (names.predicted == j))


@check("evaluation.GetTruePositives(label)")
def _(names, value):
    tp, fp, tn, fn = counts(names)
    assert list(value) == [tn, fp, fn, tp]


@check("evaluation.GetPositives(label)")
def _(names, value):
    tp, fp, tn, fn = counts(names)
    assert value == (tp + fn, fp + tn)


@check("evaluation.GetRecall(label)")
def _(names, value):
    tp, _, _, fn = counts(names)
    assert_allclose(value, tp / (tp + fn))


@check("evaluation.GetSpecificity(label)")
def _(names, value):
    _, fp, tn, _ = counts(names)
    assert_allclose(value, tn / (tn + fp))


@check("evaluation.GetPrecision(label)")
def _(names, value):
    tp, fp, _, _ = counts(names)
    assert_allclose(value, tp / (tp + fp))


@check("evaluation.GetNegativePredictionValue(label)")
def _(names, value):
    _, _, tn, fn = counts(names)
    assert_allclose(value, tn / (tn + fn))


@check("evaluation.GetFallout(label)")
def _(names, value):
    _, fp, tn, _ = counts(names)
    assert_allclose(value, fp / (tn + fp))


@check("evaluation.GetFalseDiscoveryRate(label)")
def _(names, value):
    tp, fp, _, _ = counts(names)
    assert_allclose(value, fp / (tp + fp))


@check("evaluation.GetSummary(label)")
def _(names, value):
    tp, fp, tn, fn = counts(names)
    recall, specificity = tp / (tp + fn), tn / (tn + fp)
    precision, negative = tp / (tp + fp), tn / (tn + fn)
    found = value.to_dict()["2"]
    expected = {
        "accuracy": (tp + tn) / (tp + fp + tn + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "balanced_accuracy": (recall + specificity) / 2,
        "informedness": recall + specificity - 1,
        "markedness": precision + negative - 1,
    }
    for name, wanted in expected.items():
        assert_allclose(found[name], wanted, err_msg=name)


@check("evaluation.GetRegressionSummary()")
def _(names, value):
    near = np.abs(names.values.round(1) - names.values) < 0.03
    assert 0 < near.mean() < 1
    assert_allclose(value.to_dict()["average"]["within_threshold"], near.mean())


@check("persist.DumpFromFile(path)")
def _(names, value):
    first, second = (np.array(layer) for layer in GOPHER["Weights"])
    out = expit(expit(names.X @ first.T) @ second.T)
    found = dict(zip(value.classes_, value.predict_proba(names.X).T, strict=True))
    assert_allclose(found["R"], out[:, 0])
    assert_allclose(found["M"], out[:, 1])
    assert_array_equal(value.predict(names.X), np.array(["R", "M"])[out.argmax(axis=1)])


@check("online.NewOnline(neural.Classification, 4, []int{5}, set)")
def _(names, value):
    assert list(value.classes_) == [0, 1, 2]
    assert value.t_ == 1


@check("o.Inject(sample, false)")
def _(names, value):
    row, label = names.X_test[:1], names.y_test[0]
    before = fresh()["model"]
    assert names.model.t_ == before.t_ + 5
    assert names.model.predict_proba(row)[0, label] > before.predict_proba(row)[0, label]


@check("o.Iterate()")
def _(names, value):
    before = fresh()["model"]
    assert names.model.t_ > before.t_
    assert names.model.loss_ < before.loss_
    names.predicted = names.model.predict(names.X_test)
    assert_allclose(
        value, one_vs_rest(names, lambda tp, fp, tn, fn: 2 * tp / (2 * tp + fp + fn))
    )
