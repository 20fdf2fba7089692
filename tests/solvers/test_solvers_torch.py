"""Solvers take the steps of PyTorch's optimizers."""

import numpy as np
import pytest

from skdeep._network.network import Part
from skdeep._training.bound_solver import BoundSolver
from skdeep.schedules import CosLog, FlatCosine, Span
from skdeep.solvers import SGD, Adadelta, Adagrad, Adam, AdamW, AMSGrad, NAdam, RMSprop

torch = pytest.importorskip("torch")

N_STEPS = 100

# Our spec, PyTorch's class, and its arguments except the learning rate.
PAIRS = {
    "sgd": (SGD(momentum=0.0), "SGD", {}),
    "momentum": (SGD(nesterovs_momentum=False), "SGD", {"momentum": 0.9}),
    "nesterov": (SGD(), "SGD", {"momentum": 0.9, "nesterov": True}),
    # Ours adds epsilon before the bias correction, theirs after; a tiny one hides this.
    "adam": (Adam(epsilon=1e-14), "Adam", {"eps": 1e-14}),
    "adamw": (AdamW(), "AdamW", {}),
    "adamw, all set": (
        AdamW(beta_1=0.7, beta_2=0.9, epsilon=0.1, weight_decay=0.3),
        "AdamW",
        {"betas": (0.7, 0.9), "eps": 0.1, "weight_decay": 0.3},
    ),
    "amsgrad": (AMSGrad(), "Adam", {"amsgrad": True}),
    "amsgrad, all set": (
        AMSGrad(beta_1=0.7, beta_2=0.9, epsilon=0.1),
        "Adam",
        {"amsgrad": True, "betas": (0.7, 0.9), "eps": 0.1},
    ),
    "nadam": (NAdam(), "NAdam", {}),
    "nadam, all set": (
        NAdam(beta_1=0.7, beta_2=0.9, epsilon=0.1),
        "NAdam",
        {"betas": (0.7, 0.9), "eps": 0.1},
    ),
    "rmsprop": (RMSprop(), "RMSprop", {"alpha": 0.9}),
    "rmsprop, momentum": (
        RMSprop(rho=0.99, momentum=0.5, epsilon=0.1),
        "RMSprop",
        {"alpha": 0.99, "momentum": 0.5, "eps": 0.1},
    ),
    "adagrad": (Adagrad(), "Adagrad", {}),
    "adadelta": (Adadelta(), "Adadelta", {}),
}


def slope(theta):
    """Gradient of a sum of Rosenbrock functions, of shape (n, 2)."""
    x, y = theta[:, 0], theta[:, 1]
    return np.stack([-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)], axis=-1)


@pytest.mark.parametrize("name", PAIRS)
def test_same_steps(name):
    spec, theirs, params = PAIRS[name]
    start = np.random.default_rng(0).uniform(-1, 1, (20, 2))

    theta, grad = start.reshape(-1).copy(), np.empty(start.size)
    solver = BoundSolver([spec], [None], [Span(0, 10, N_STEPS)], theta, grad)
    parameter = torch.tensor(start, requires_grad=True)
    optimizer = getattr(torch.optim, theirs)([parameter], lr=spec.learning_rate_init, **params)
    for _ in range(N_STEPS):
        grad[...] = slope(theta.reshape(start.shape)).reshape(-1)
        solver.step()
        parameter.grad = torch.from_numpy(slope(parameter.detach().numpy()))
        optimizer.step()
    assert np.abs(theta.reshape(start.shape) - start).max() > 1e-3
    expected = parameter.detach().numpy().reshape(-1)
    np.testing.assert_allclose(theta, expected, rtol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_parts_are_parameter_groups(name):
    spec, theirs, params = PAIRS[name]
    start = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    parts = (Part(0, 10, 0.5, 3.0), Part(10, 16), Part(16, 40, 2.0, 0.0))

    theta, grad = start.reshape(-1).copy(), np.empty(start.size)
    solver = BoundSolver([spec], [None], [Span(0, 10, N_STEPS)], theta, grad, parts)
    groups = []
    for part in parts:
        values = torch.tensor(start.reshape(-1)[part.start : part.stop], requires_grad=True)
        group = {"params": [values], "lr": spec.learning_rate_init * part.rate}
        if isinstance(spec, AdamW):
            group["weight_decay"] = spec.weight_decay * part.decay
        groups.append(group)
    optimizer = getattr(torch.optim, theirs)(groups, **params)
    parameters = [group["params"][0] for group in groups]
    for _ in range(N_STEPS):
        grad[...] = slope(theta.reshape(start.shape)).reshape(-1)
        solver.step()
        values = torch.cat(parameters).detach().numpy().reshape(start.shape)
        slopes = torch.from_numpy(slope(values).reshape(-1))
        for part, parameter in zip(parts, parameters, strict=True):
            parameter.grad = slopes[part.start : part.stop].clone()
        optimizer.step()
    assert np.abs(theta.reshape(start.shape) - start).max() > 1e-3
    np.testing.assert_allclose(theta, torch.cat(parameters).detach().numpy(), rtol=1e-6)


def test_decay_schedule_scales_the_weight_decay():
    span = Span(0, 10, N_STEPS)
    spec = AdamW("coslog", 0.05, weight_decay=0.3, decay_schedule="flat_cosine")
    start = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    theta, grad = start.reshape(-1).copy(), np.empty(start.size)
    solver = BoundSolver([spec], [None], [span], theta, grad)
    parameter = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.AdamW([parameter])
    rates = CosLog().rates(0.05, np.arange(N_STEPS), span)
    decays = FlatCosine().rates(0.3, np.arange(N_STEPS), span)
    for rate, decay in zip(rates, decays, strict=True):
        grad[...] = slope(theta.reshape(start.shape)).reshape(-1)
        solver.step()
        parameter.grad = torch.from_numpy(slope(parameter.detach().numpy()))
        optimizer.param_groups[0].update(lr=rate, weight_decay=decay)
        optimizer.step()
    assert np.abs(theta.reshape(start.shape) - start).max() > 1e-3
    np.testing.assert_allclose(theta, parameter.detach().numpy().reshape(-1), rtol=1e-6)
