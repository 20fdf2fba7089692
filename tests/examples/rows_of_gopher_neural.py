"""Checks of the page's rows on gopher-neural."""

import re

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone

from skdeep.schedules import Span
from tests.examples.go_rows import GOPHER, check, first_weights, fresh


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
