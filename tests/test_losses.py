"""Laws for every loss: value, gradient, extremes, weights, perfect predictions."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error

from skdeep.losses import (
    REGRESSION_LOSSES,
    BinaryLogLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    MultinomialLogLoss,
)

LOSSES = (HalfSquaredError(), HalfPoissonLoss(), BinaryLogLoss(), MultinomialLogLoss())
MODELS = ((), (1,), (3,))
IDS = [type(loss).__name__ for loss in LOSSES]


def targets(loss, shape, rng):
    """Random targets of the loss's kind, of the given shape."""
    if isinstance(loss, MultinomialLogLoss):
        return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
    if isinstance(loss, BinaryLogLoss):
        return rng.integers(2, size=shape).astype(float)
    if isinstance(loss, HalfPoissonLoss):
        return rng.poisson(2, shape).astype(float)
    return rng.normal(size=shape)


def shares(models, n_rows, rng):
    """Weights of rows that add up to 1."""
    weight = rng.uniform(0.1, 2, (*models, n_rows, 1))
    return weight / weight.sum(axis=-2, keepdims=True)


def evaluate(loss, y, raw, weight):
    """Value and gradient from fresh buffers."""
    gradient = np.empty_like(raw)
    value = loss.value_and_gradient(y, raw.copy(), weight, gradient, np.empty_like(raw))
    return value, gradient


def test_every_loss_is_tested():
    assert {type(loss) for loss in REGRESSION_LOSSES.values()} <= {
        type(loss) for loss in LOSSES
    }


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_gradient_is_that_of_the_value(loss, models):
    rng = np.random.default_rng(0)
    shape = (*models, 5, 3)
    y, raw, weight = targets(loss, shape, rng), rng.normal(size=shape), shares(models, 5, rng)
    value, gradient = evaluate(loss, y, raw, weight)
    assert value.shape == models
    numeric = np.empty(shape)
    step = 1e-6
    for row, column in np.ndindex(5, 3):
        ends = []
        for sign in (1, -1):
            moved = raw.copy()
            moved[..., row, column] += sign * step
            ends.append(evaluate(loss, y, moved, weight)[0])
        numeric[..., row, column] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_value_is_scikit_learns(loss):
    rng = np.random.default_rng(1)
    y, raw = targets(loss, (40, 3), rng), rng.normal(size=(40, 3))
    weight = shares((), 40, rng)
    value, _ = evaluate(loss, y, raw, weight)
    flat = {"sample_weight": weight[:, 0]}
    expected = {
        "HalfSquaredError": lambda: 3 * mean_squared_error(y, raw, **flat) / 2,
        "HalfPoissonLoss": lambda: sum(
            mean_poisson_deviance(y[:, k], np.exp(raw[:, k]), **flat) / 2 for k in range(3)
        ),
        "BinaryLogLoss": lambda: sum(
            log_loss(y[:, k], expit(raw[:, k]), **flat) for k in range(3)
        ),
        "MultinomialLogLoss": lambda: log_loss(y, softmax(raw, axis=1), **flat),
    }[type(loss).__name__]()
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES[2:], ids=IDS[2:])
def test_log_losses_at_extremes(loss, dtype):
    # A prediction that is wrong by r costs r; a right one costs nothing; no overflow.
    raw = np.array([[1e4, -1e4], [-1e4, 1e4], [0, 0]], dtype)
    y = np.array([[1, 0], [1, 0], [1, 0]], dtype)
    one = np.ones((1, 1), dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = [evaluate(loss, y[[i]], raw[[i]], one)[0] for i in range(3)]
        gradient = evaluate(loss, y, raw, np.ones((3, 1), dtype))[1]
    wrong = 2e4  # twice 1e4 in both: two columns, or the distance between the two
    np.testing.assert_allclose(values[:2], [0, wrong], atol=1e-30, rtol=1e-6)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient[:2], [[0, 0], [-1, 1]], atol=1e-30)


@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_perfect_prediction_has_no_gradient(loss):
    y = {"HalfSquaredError": [[1.5, -2.0]], "HalfPoissonLoss": [[1.0, 7.0]]}.get(
        type(loss).__name__, [[0.0, 1.0]]
    )
    y = np.array(y)
    raw = {"HalfSquaredError": lambda: y, "HalfPoissonLoss": lambda: np.log(y)}.get(
        type(loss).__name__, lambda: (y - 0.5) * 200
    )()
    value, gradient = evaluate(loss, y, raw, np.ones((1, 1)))
    assert value == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-12)
    np.testing.assert_allclose(loss.output(raw.copy()), y, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_weights_are_repetitions(loss):
    rng = np.random.default_rng(2)
    y, raw, times = targets(loss, (6, 2), rng), rng.normal(size=(6, 2)), np.arange(6)
    rows = np.repeat(np.arange(6), times)
    weighted, _ = evaluate(loss, y, raw, times[:, None] / times.sum())
    repeated, _ = evaluate(loss, y[rows], raw[rows], np.full((len(rows), 1), 1 / len(rows)))
    assert weighted == pytest.approx(repeated, rel=1e-12)
