"""Gradient of the whole objective against finite differences, alone and in stacks."""

import numpy as np
import pytest
import scipy.sparse as sp

from skdeep._network.network import Network
from skdeep._training.batches import Batch
from skdeep._training.objective import Objective
from skdeep.activations import ACTIVATIONS
from tests.losses.test_losses import LOSSES, MODELS, name_of, shares, targets

N_ROWS = 6


def problem(loss, activation, models, seed=0):
    """An objective at a random point, and a batch."""
    rng = np.random.default_rng(seed)
    network = Network.perceptron((4, 5, 3, 2), ACTIVATIONS[activation])
    theta = rng.normal(size=(*models, network.n_params)) * 0.7
    grad = np.full_like(theta, np.nan)  # to notice elements that are not assigned
    alpha = rng.uniform(0.1, 1, (*models, 1))
    objective = Objective(network, loss, alpha, theta, grad, N_ROWS, sparse=False)
    batch = Batch(
        rng.normal(size=(*models, N_ROWS, 4)),
        targets(loss, (*models, N_ROWS, 2), rng),
        shares(models, N_ROWS, rng),
        rng.uniform(0.1, 1, models),
        N_ROWS,
    )
    return objective, batch, theta, grad


def total(objective, batch):
    """Loss plus penalty; assigns the gradient."""
    return objective.loss_and_grad(batch) + objective.penalty_and_grad(batch.scale)


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES, ids=name_of)
def test_gradient_matches_finite_differences(loss, activation, models):
    objective, batch, theta, grad = problem(loss, activation, models)
    total(objective, batch)
    exact = grad.copy()
    numeric = np.empty_like(theta)
    step = 1e-5
    for k in range(theta.shape[-1]):
        before = theta[..., k].copy()
        theta[..., k] = before + step
        above = total(objective, batch)
        theta[..., k] = before - step
        below = total(objective, batch)
        theta[..., k] = before
        numeric[..., k] = (above - below) / (2 * step)
    error = np.linalg.norm(exact - numeric, axis=-1) / np.linalg.norm(numeric, axis=-1)
    assert np.max(error) < 1e-6


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES, ids=name_of)
def test_a_stack_equals_its_members(loss, activation):
    objective, batch, theta, grad = problem(loss, activation, (3,))
    values = total(objective, batch)
    for i in range(3):
        own_grad = np.empty_like(theta[i])
        own = Objective(
            Network.perceptron((4, 5, 3, 2), ACTIVATIONS[activation]),
            loss,
            objective.alpha[i],
            theta[i].copy(),
            own_grad,
            N_ROWS,
            sparse=False,
        )
        parts = [array[i] for array in (batch.x, batch.y, batch.weight, batch.scale)]
        assert total(own, Batch(*parts, N_ROWS)) == pytest.approx(values[i], rel=1e-12)
        np.testing.assert_allclose(own_grad, grad[i], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("models", MODELS)
def test_penalty_is_scikit_learns_elastic_net(models):
    objective, batch, theta, grad = problem(LOSSES[0], "tanh", models)
    network, alpha = Network.perceptron((4, 5, 3, 2), ACTIVATIONS["tanh"]), objective.alpha
    l1_ratio = np.random.default_rng(1).uniform(size=(*models, 1))
    elastic = Objective(network, LOSSES[0], alpha, theta, grad, N_ROWS, False, l1_ratio)
    theta[..., 3] = 0
    loss = elastic.loss_and_grad(batch)
    of_loss = grad.copy()
    value = elastic.penalty_and_grad(batch.scale)
    assert loss.shape == value.shape == models
    w = theta[..., : network.n_weights]
    strength = alpha * batch.scale[..., None]
    expected = l1_ratio * np.abs(w) + (1 - l1_ratio) / 2 * w**2
    np.testing.assert_allclose(value, (strength * expected).sum(axis=-1), rtol=1e-12)
    slope = strength * (l1_ratio * np.sign(w) + (1 - l1_ratio) * w)
    of_loss[..., : network.n_weights] += slope
    np.testing.assert_allclose(grad, of_loss, rtol=1e-12, atol=1e-15)


def test_an_l1_ratio_of_0_changes_nothing():
    objective, batch, theta, grad = problem(LOSSES[0], "tanh", ())
    value, expected = total(objective, batch), grad.copy()
    network = Network.perceptron((4, 5, 3, 2), ACTIVATIONS["tanh"])
    other = Objective(
        network, LOSSES[0], objective.alpha, theta, grad, N_ROWS, False, np.zeros(1)
    )
    assert total(other, batch) == value
    np.testing.assert_array_equal(grad, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_input_equals_dense_input(dtype):
    rng = np.random.default_rng(3)
    network = Network.perceptron((7, 4, 2), ACTIVATIONS["tanh"])
    theta = rng.normal(size=network.n_params).astype(dtype)
    x = rng.normal(size=(N_ROWS, 7)) * (rng.random((N_ROWS, 7)) < 0.4)
    y = targets(LOSSES[3], (N_ROWS, 2), rng).astype(dtype)
    weight = shares((), N_ROWS, rng).astype(dtype)
    results = []
    for sparse in (False, True):
        grad = np.empty_like(theta)
        alpha = np.zeros(1, dtype)
        objective = Objective(network, LOSSES[3], alpha, theta, grad, N_ROWS, sparse)
        x_given = sp.csr_array(x.astype(dtype)) if sparse else x.astype(dtype)
        value = objective.loss_and_grad(Batch(x_given, y, weight, np.ones((), dtype), N_ROWS))
        results.append((value, grad))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-4, atol=1e-6)


def test_a_smaller_batch_does_not_see_the_previous_one():
    # The last batch of an epoch may be smaller, and uses the same buffers.
    objective, batch, _, grad = problem(LOSSES[0], "gelu", ())
    rows = slice(0, 4)
    small = Batch(batch.x[rows], batch.y[rows], batch.weight[rows], batch.scale, 4)
    objective.loss_and_grad(small)
    before = grad.copy()
    objective.loss_and_grad(batch)
    objective.loss_and_grad(small)
    np.testing.assert_array_equal(grad, before)
