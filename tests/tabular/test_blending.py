"""Laws: weights and temperature are optimal, and losses are those of scikit-learn's metrics."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skdeep import Huber
from skdeep.estimators.targets import RegressionTarget, class_target, with_regression_loss
from skdeep.tabular.blending import (
    N_ROUNDS,
    fit_temperature,
    greedy_weights,
    prediction_loss,
    with_temperature,
)
from skdeep.tabular.ensemble import MemberStack, blend
from tests.tabular.small import TARGETS, N, classifier, model_of, recipe, table

RNG = np.random.default_rng(0)
ROWS = 200
WEIGHT = RNG.uniform(0, 2, ROWS)
LABELS = {
    "two classes": RNG.integers(0, 2, ROWS),
    "classes": RNG.integers(0, 4, ROWS),
    "labels": RNG.integers(0, 2, (ROWS, 3)),
}


def probabilities(y, seed=0, sharpness=2.0):
    """Probabilities that know a little about y, as `predict_proba` has them."""
    rng = np.random.default_rng(seed)
    if y.ndim == 2:
        raw = rng.normal(size=y.shape) + y - 0.5
        return 1 / (1 + np.exp(-sharpness * raw))
    raw = sharpness * (rng.normal(size=(ROWS, y.max() + 1)) + np.eye(y.max() + 1)[y])
    p = np.exp(raw)
    return p / p.sum(axis=1, keepdims=True)


def reference_loss(y, p, weight):
    if y.ndim == 2:
        return sum(
            log_loss(one, own, sample_weight=weight) for one, own in zip(y.T, p.T, strict=True)
        )
    return log_loss(y, p, sample_weight=weight)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", LABELS)
def test_loss_of_probabilities_is_log_loss(name, weight):
    y = LABELS[name]
    target = class_target(y)
    p = probabilities(y)
    found = prediction_loss(target, target.encode(y).astype(float), p, weight)
    assert found == pytest.approx(reference_loss(y, p, weight))


NUMBERS = RNG.gamma(2.0, size=ROWS)
PREDICTED = NUMBERS * RNG.uniform(0.5, 1.5, ROWS)


def huber(y, p, sample_weight):
    error = np.abs(y - p)
    losses = np.where(error < 0.7, error**2 / 2, 0.7 * (error - 0.35))
    return np.average(losses, weights=sample_weight)


# Twice the loss, less twice the loss of perfect predictions, is the deviance.
REGRESSION = {
    "squared_error": lambda *a, **w: mean_squared_error(*a, **w) / 2,
    "absolute_error": mean_absolute_error,
    "poisson": lambda *a, **w: mean_poisson_deviance(*a, **w) / 2,
    "gamma": lambda *a, **w: mean_gamma_deviance(*a, **w) / 2,
    "huber": huber,
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", REGRESSION)
def test_loss_of_numbers_is_that_of_the_metric(name, weight):
    loss = Huber(0.7) if name == "huber" else name
    target = with_regression_loss(RegressionTarget(1), loss, 0.5)
    y = NUMBERS[:, None]
    found, perfect = (
        prediction_loss(target, y, p[:, None], weight) for p in (PREDICTED, NUMBERS)
    )
    expected = REGRESSION[name](NUMBERS, PREDICTED, sample_weight=weight)
    assert found - perfect == pytest.approx(expected)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_loss_of_quantiles_is_the_sum_of_pinball_losses(weight):
    target = with_regression_loss(RegressionTarget(1), "quantile", [0.9, 0.2])
    p = np.c_[PREDICTED - 1, PREDICTED + 1]  # ascending, as in the network
    expected = sum(
        mean_pinball_loss(NUMBERS, own, sample_weight=weight, alpha=alpha)
        for alpha, own in zip([0.2, 0.9], p.T, strict=True)
    )
    assert prediction_loss(target, NUMBERS[:, None], p, weight) == pytest.approx(expected)


# Temperature


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("name", LABELS)
def test_temperature_minimizes_log_loss(name, sharpness, weight):
    y = LABELS[name]
    target = class_target(y)
    p = probabilities(y, sharpness=sharpness)

    def loss(log_exponent):
        return reference_loss(y, with_temperature(target, p, np.exp(log_exponent)), weight)

    best = minimize_scalar(loss, bounds=(-np.log(16), np.log(16)), method="bounded")
    found = fit_temperature(target, p, target.encode(y).astype(float), weight)
    assert np.log(found) == pytest.approx(best.x, abs=1e-2)
    assert loss(np.log(found)) <= best.fun + 1e-7


@pytest.mark.parametrize("name", LABELS)
def test_temperature_is_a_power_of_odds(name):
    y = LABELS[name]
    target, p = class_target(y), probabilities(LABELS[name])
    hot = with_temperature(target, p, 2.0)
    if y.ndim == 2:
        assert_allclose(hot / (1 - hot), (p / (1 - p)) ** 2)
    else:
        assert_allclose(hot, p**2 / np.sum(p**2, axis=1, keepdims=True))
    assert_array_equal(with_temperature(target, p, 1.0), p)


@pytest.mark.parametrize(("right", "expected"), [(True, 16.0), (False, 1 / 16)])
def test_temperature_is_bounded(right, expected):
    y = np.arange(10) % 2
    target = class_target(y)
    p = np.where((y == 1) == right, 0.9, 0.1)
    found = fit_temperature(target, np.c_[1 - p, p], target.encode(y).astype(float), None)
    assert found == pytest.approx(expected)


def test_certain_and_wrong_probabilities_are_survived():
    y = np.array([0, 1, 1, 0])
    target = class_target(y)
    p = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    temperature = fit_temperature(target, p, target.encode(y).astype(float), None)
    assert 1 / 16 <= temperature < 1
    assert np.isfinite(with_temperature(target, p, temperature)).all()
    assert np.isfinite(prediction_loss(target, target.encode(y).astype(float), p, None))


# Greedy weights


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 2, 3])
def test_greedy_weights_are_close_to_the_best_of_a_grid(n, seed):
    y = LABELS["classes"]
    target = class_target(y)
    encoded = target.encode(y).astype(float)
    predictions = [probabilities(y, seed * 10 + k, sharpness=1.0 + k) for k in range(n)]

    def loss(p):
        return prediction_loss(target, encoded, p, WEIGHT)

    weights = greedy_weights(predictions, loss)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    found = loss(np.tensordot(weights, predictions, 1))
    grid = [w for w in itertools.product(range(N_ROUNDS + 1), repeat=n) if sum(w) == N_ROUNDS]
    best = min(loss(np.tensordot(np.array(w) / N_ROUNDS, predictions, 1)) for w in grid)
    assert found == pytest.approx(best, rel=1e-3)
    assert found <= min(map(loss, predictions))


def test_a_perfect_prediction_has_all_the_weight():
    y = NUMBERS[:, None]
    weights = greedy_weights([y + 1, y, y - 2], lambda p: float(np.mean(np.abs(p - y))))
    assert_array_equal(weights, [0, 1, 0])


# In the estimators


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["two classes", "classes", "labels", "numbers", "quantiles"])
def test_ensemble_is_the_weighted_mean_of_its_members(name, weighted):
    frame = table()
    recipes = [recipe(max_iter=8), recipe(embedding=None), recipe(embedding="piecewise")]
    model, make = model_of(name, recipe=recipes)
    y, weight = make(frame), WEIGHT[:N] if weighted else None
    model.fit(frame, y, weight)
    ensemble = model._ensemble
    shared, codes = model.transformer_.encode(frame)
    blended = sum(
        own
        * with_temperature(
            ensemble.target,
            np.mean(stack.predictions(ensemble.target, shared, codes), axis=0),
            stack.temperature,
        )
        for own, stack in zip(ensemble.weights, ensemble.stacks, strict=True)
    )
    expected = with_temperature(ensemble.target, blended, ensemble.temperature)
    predict = model.predict if TARGETS[name][0] is not classifier else model.predict_proba
    assert_allclose(predict(frame), model._shaped(expected), rtol=1e-5)
    weights = [row["weight"] for row in model.members_.to_dict().values()]
    assert_allclose(weights, np.repeat(ensemble.weights / 3, 3))
    if name in ("two classes", "classes"):
        seen = np.isfinite(model.oof_prediction_).all(axis=1)
        labels = model.classes_[model.oof_prediction_[seen].argmax(axis=1)]
        own = None if weight is None else weight[seen]
        score = accuracy_score(y[seen], labels, sample_weight=own)
        assert model.validation_score_ == pytest.approx(score)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["two classes", "classes", "labels"])
def test_out_of_fold_probabilities_are_calibrated(name, weighted):
    frame = table()
    model, make = model_of(name, n_members=5, recipe=recipe(max_iter=8))
    y, weight = make(frame), WEIGHT[:N] if weighted else None
    model.fit(frame, y, weight)
    target = model._ensemble.target
    (stack,) = model._ensemble.stacks
    assert abs(np.log(stack.temperature)) > 0.05
    again = fit_temperature(
        target, model.oof_prediction_, target.encode(y).astype(float), weight
    )
    assert again == pytest.approx(1, abs=1e-3)


def test_stacks_are_calibrated_before_they_are_weighted():
    # One prediction is a power of the other: calibrated, they are the same, and one is enough.
    target = class_target(LABELS["classes"])
    encoded = target.encode(LABELS["classes"]).astype(float)
    sharp = probabilities(LABELS["classes"], 0, sharpness=2.0)
    timid = with_temperature(target, sharp, 0.25)
    both = np.stack([timid, sharp])
    stacks = [MemberStack(recipe(), None, None, []) for _ in range(2)]
    ensemble = blend(stacks, target, both, encoded, WEIGHT)
    assert stacks[0].temperature == pytest.approx(4 * stacks[1].temperature, rel=1e-3)
    expected = with_temperature(target, sharp, stacks[1].temperature * ensemble.temperature)
    assert_allclose(ensemble.blended(both.__getitem__), expected, rtol=1e-3)
    assert ensemble.temperature == pytest.approx(1, abs=1e-3)


def test_poor_recipes_have_no_weight():
    frame = table(n=300, many=False)
    model, make = model_of(
        "two classes",
        recipe=[recipe(learning_rate_init=1e-9, max_iter=1), recipe(max_iter=20)],
    )
    model.fit(frame, make(frame))
    assert model._ensemble.weights[1] > 0.7
