"""Checks of the page's rows on go-deep."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss

from skdeep import DeepRegressor, Normal
from tests.examples.go_rows import GO_DEEP, check, first_weights, fresh


def raw_output(model, X, function):
    """Of a network with one hidden layer."""
    (first, second), (bias_1, bias_2) = model.coefs_, model.intercepts_
    return function(X @ first + bias_1) @ second + bias_2


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
