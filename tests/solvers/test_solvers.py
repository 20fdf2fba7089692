"""Laws of solvers: each converges and follows its published formula, alone and stacked."""

import tracemalloc
from copy import copy

import numpy as np
import pytest

from skdeep._arrays import BLOCK
from skdeep._training.bound_solver import BoundSolver
from skdeep.schedules import Span
from skdeep.solvers import (
    LBFGS,
    SGD,
    SOLVERS,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RMSprop,
)

CENTER = np.array([1.0, -2.0, 0.5])
CURVATURE = np.array([1.0, 3.0, 0.3])


def parabola(point):
    """Minimum 0 at CENTER."""
    away = point - CENTER
    return 0.5 * (CURVATURE * away**2).sum(-1), CURVATURE * away


def rosenbrock(point):
    """Minimum 0 at (1, 1), at the end of a curved valley."""
    x, y = point[..., 0], point[..., 1]
    slope_x = -2 * (1 - x) - 40 * x * (y - x**2)
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2, np.stack([slope_x, 20 * (y - x**2)], -1)


STOCHASTIC = {
    "sgd": (SGD(learning_rate_init=0.01, momentum=0.5, nesterovs_momentum=False), 3000),
    "nesterov": (SGD(learning_rate_init=0.01, momentum=0.9), 3000),
    "adam": (Adam(learning_rate_init=0.02), 6000),
    # Weight decay moves the minimum, so there is almost none.
    "adamw": (AdamW(learning_rate_init=0.02, weight_decay=1e-5), 6000),
    "amsgrad": (AMSGrad(learning_rate_init=0.02), 6000),
    # These oscillate around the minimum in steps of the size of the rate, which must decay.
    "nadam": (NAdam("cosine", 0.02), 6000),
    "rmsprop": (RMSprop("cosine", 0.01, momentum=0.5), 3000),
    "lion": (Lion("cosine", 0.01, weight_decay=1e-5), 3000),
    "adadelta": (Adadelta("cosine", 1.0), 6000),
    "adagrad": (Adagrad(learning_rate_init=0.5), 3000),
}


def descend(specs, function, start, n_steps, states=None):
    """Run a solver with one spec per model from `start`, of shape (*models, n_params)."""
    theta, grad = start.copy(), np.empty_like(start)
    spans = [Span(0, per_epoch=10, n_steps=n_steps)] * len(specs)
    solver = BoundSolver(specs, states or [None] * len(specs), spans, theta, grad)
    for _ in range(n_steps):
        grad[...] = function(theta)[1]
        solver.step()
    return theta, solver


def test_every_stochastic_solver_is_tested():
    tested = {type(spec) for spec, _ in STOCHASTIC.values()}
    assert tested == set(SOLVERS.values()) - {LBFGS}


@pytest.mark.parametrize(
    ("function", "minimum"), [(parabola, CENTER), (rosenbrock, np.ones(2))]
)
@pytest.mark.parametrize("name", STOCHASTIC)
def test_converges(name, function, minimum):
    spec, n_steps = STOCHASTIC[name]
    theta, _ = descend([spec], function, np.zeros_like(minimum), n_steps)
    np.testing.assert_allclose(theta, minimum, atol=1e-3)


@pytest.mark.parametrize(
    ("function", "minimum"), [(parabola, CENTER), (rosenbrock, np.ones(2))]
)
def test_lbfgs_converges(function, minimum):
    seen = []
    result = LBFGS().minimize(
        function,
        np.zeros_like(minimum),
        max_iter=100,
        tol=1e-8,
        on_iteration=lambda: seen.append(1),
    )
    np.testing.assert_allclose(result.x, minimum, atol=1e-5)
    assert len(seen) == result.nit


def _adam_moments(spec, gradients):
    # Step, gradient and unbiased moments, as in the paper.
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = spec.beta_1 * m + (1 - spec.beta_1) * g
        v = spec.beta_2 * v + (1 - spec.beta_2) * g * g
        yield t, g, m / (1 - spec.beta_1**t), v / (1 - spec.beta_2**t)


def _sgd(spec, theta, rate, gradients):
    v = 0.0
    for g in gradients:
        v = spec.momentum * v - rate * g
        theta += spec.momentum * v - rate * g if spec.nesterovs_momentum else v
    return theta


def _adam(spec, theta, rate, gradients):
    for t, _, m, v in _adam_moments(spec, gradients):
        biased_root = (v * (1 - spec.beta_2**t)) ** 0.5
        theta -= rate * (1 - spec.beta_2**t) ** 0.5 * m / (biased_root + spec.epsilon)
    return theta


def _adamw(spec, theta, rate, gradients):
    for _, _, m, v in _adam_moments(spec, gradients):
        theta -= rate * (m / (v**0.5 + spec.epsilon) + spec.weight_decay * theta)
    return theta


def _amsgrad(spec, theta, rate, gradients):
    largest = 0.0
    for t, _, m, v in _adam_moments(spec, gradients):
        correction = 1 - spec.beta_2**t
        largest = max(largest, v * correction)
        theta -= rate * m / ((largest / correction) ** 0.5 + spec.epsilon)
    return theta


def _nadam(spec, theta, rate, gradients):
    def mu(t):
        return spec.beta_1 * (1 - 0.5 * 0.96 ** (0.004 * t))

    product = 1.0
    for t, g, m, v in _adam_moments(spec, gradients):
        product *= mu(t)
        biased = m * (1 - spec.beta_1**t)
        ahead = mu(t + 1) * biased / (1 - product * mu(t + 1))
        ahead += (1 - mu(t)) * g / (1 - product)
        theta -= rate * ahead / (v**0.5 + spec.epsilon)
    return theta


def _rmsprop(spec, theta, rate, gradients):
    v = u = 0.0
    for g in gradients:
        v = spec.rho * v + (1 - spec.rho) * g * g
        u = spec.momentum * u + g / (v**0.5 + spec.epsilon)
        theta -= rate * u
    return theta


def _adagrad(spec, theta, rate, gradients):
    total = 0.0
    for g in gradients:
        total += g * g
        theta -= rate * g / (total**0.5 + spec.epsilon)
    return theta


def _adadelta(spec, theta, rate, gradients):
    v = u = 0.0
    for g in gradients:
        v = spec.rho * v + (1 - spec.rho) * g * g
        d = ((u + spec.epsilon) / (v + spec.epsilon)) ** 0.5 * g
        u = spec.rho * u + (1 - spec.rho) * d * d
        theta -= rate * d
    return theta


def _lion(spec, theta, rate, gradients):
    m = 0.0
    for g in gradients:
        c = spec.beta_1 * m + (1 - spec.beta_1) * g
        theta -= rate * ((c > 0) - (c < 0) + spec.weight_decay * theta)
        m = spec.beta_2 * m + (1 - spec.beta_2) * g
    return theta


# The algorithms as published, for one parameter as a Python float.
PUBLISHED = {
    SGD: _sgd,
    Adam: _adam,
    AdamW: _adamw,
    AMSGrad: _amsgrad,
    NAdam: _nadam,
    RMSprop: _rmsprop,
    Adagrad: _adagrad,
    Adadelta: _adadelta,
    Lion: _lion,
}


@pytest.mark.parametrize(
    "spec",
    [
        SGD(learning_rate_init=0.1, momentum=0.0),
        SGD(learning_rate_init=0.1, momentum=0.7),
        SGD(learning_rate_init=0.1, momentum=0.7, nesterovs_momentum=False),
        Adam(learning_rate_init=0.1),
        Adam(learning_rate_init=0.1, beta_1=0.0, beta_2=0.5, epsilon=0.1),
        AdamW(learning_rate_init=0.1),
        AdamW(learning_rate_init=0.1, beta_2=0.5, epsilon=0.1, weight_decay=0.5),
        AMSGrad(learning_rate_init=0.1),
        AMSGrad(learning_rate_init=0.1, beta_1=0.0, beta_2=0.5, epsilon=0.1),
        NAdam(learning_rate_init=0.1),
        NAdam(learning_rate_init=0.1, beta_1=0.0, beta_2=0.5, epsilon=0.1),
        NAdam(learning_rate_init=0.1, beta_1=0.9999),
        RMSprop(learning_rate_init=0.1),
        RMSprop(learning_rate_init=0.1, rho=0.0, epsilon=0.1, momentum=0.7),
        Adagrad(learning_rate_init=0.1),
        Adagrad(learning_rate_init=0.1, epsilon=0.1),
        Adadelta(),
        Adadelta(learning_rate_init=0.5, rho=0.0, epsilon=0.1),
        Lion(learning_rate_init=0.1),
        Lion(learning_rate_init=0.1, beta_1=0.0, beta_2=0.5, weight_decay=0.5),
    ],
    ids=lambda spec: " ".join(map(str, (type(spec).__name__, *spec.get_params().values()))),
)
def test_follows_the_published_algorithm(spec):
    gradients = np.random.default_rng(0).normal(size=(50, 2))
    start = np.array([0.3, -2.0])
    theta, grad = start.copy(), np.empty(2)
    solver = BoundSolver([spec], [None], [Span(0, 10, 50)], theta, grad)
    for gradient in gradients:
        grad[...] = gradient
        solver.step()
    published = PUBLISHED[type(spec)]
    expected = [
        published(spec, start[k], spec.learning_rate_init, gradients[:, k].tolist())
        for k in range(2)
    ]
    np.testing.assert_allclose(theta, expected, rtol=1e-10)


def varied(spec, i):
    """A copy of a spec in which every number differs."""
    numbers = {
        key: value * (1 - 0.1 * i)
        for key, value in spec.get_params().items()
        if not isinstance(value, (str, bool))
    }
    return type(spec)(**spec.get_params() | numbers)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_stack_is_its_members(name):
    specs = [varied(STOCHASTIC[name][0], i) for i in range(3)]
    starts = np.random.default_rng(1).normal(size=(3, 3))
    together, _ = descend(specs, parabola, starts, 50)
    for spec, start, theta in zip(specs, starts, together, strict=True):
        np.testing.assert_allclose(theta, descend([spec], parabola, start, 50)[0], rtol=1e-12)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_resumes_from_a_state(name):
    # With a constant rate, because other schedules may depend on the start of the call.
    spec = copy(STOCHASTIC[name][0]).set_params(learning_rate="constant")
    start = np.zeros(3)
    whole, _ = descend([spec], parabola, start, 20)
    half, solver = descend([spec], parabola, start, 10)
    rest, _ = descend([spec], parabola, half, 10, [solver.state(0)])
    np.testing.assert_array_equal(rest, whole)


@pytest.mark.parametrize("name", STOCHASTIC)
@pytest.mark.parametrize("models", [(), (2,)])
def test_blocks_cover_the_vector_once(name, models):
    spec, _ = STOCHASTIC[name]
    theta = np.zeros((*models, 2 * BLOCK + 3))
    grad = np.ones_like(theta)
    n_models = (models or (1,))[0]
    spans = [Span(0, 10, 20)] * n_models
    BoundSolver([spec] * n_models, [None] * n_models, spans, theta, grad).step()
    assert (theta == theta.flat[0]).all()
    assert theta.flat[0] < 0


@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_step_allocates_nothing_that_grows(name):
    n_params = 4 * BLOCK
    theta, grad = np.zeros((2, n_params), np.float32), np.ones((2, n_params), np.float32)
    spec, _ = STOCHASTIC[name]
    solver = BoundSolver([spec] * 2, [None] * 2, [Span(0, 10, 20)] * 2, theta, grad)
    solver.step()
    tracemalloc.start()
    try:
        solver.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BLOCK


@pytest.mark.parametrize("name", STOCHASTIC)
def test_float32_stays_near_float64(name):
    spec, _ = STOCHASTIC[name]
    single, _ = descend([spec], parabola, np.zeros(3, np.float32), 50)
    double, _ = descend([spec], parabola, np.zeros(3), 50)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-3)
