"""Every solver arrives, and moves as its published formula says, alone and stacked."""

import numpy as np
import pytest

from skdeep.solvers import LBFGS, SGD, SOLVERS, Adam, Descent
from skdeep.vectors import BLOCK

CENTRE = np.array([1.0, -2.0, 0.5])
CURVATURE = np.array([1.0, 3.0, 0.3])


def parabola(point):
    """Smallest, 0, at CENTRE."""
    away = point - CENTRE
    return 0.5 * (CURVATURE * away**2).sum(-1), CURVATURE * away


def rosenbrock(point):
    """Smallest, 0, at (1, 1), at the end of a curved valley."""
    x, y = point[..., 0], point[..., 1]
    slope_x = -2 * (1 - x) - 40 * x * (y - x**2)
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2, np.stack([slope_x, 20 * (y - x**2)], -1)


STOCHASTIC = {
    "sgd": (SGD(learning_rate_init=0.01, momentum=0.5, nesterovs_momentum=False), 3000),
    "nesterov": (SGD(learning_rate_init=0.01, momentum=0.9), 3000),
    "adam": (Adam(learning_rate_init=0.02), 6000),
}


def descend(specs, function, start, n_steps, states=None):
    """Run a solver, one spec a model; start of shape (*models, n_params)."""
    theta, grad = start.copy(), np.empty_like(start)
    descent = Descent(specs, states or [None] * len(specs), theta, grad)
    for _ in range(n_steps):
        grad[...] = function(theta)[1]
        descent.step()
    return theta, descent


def test_every_stochastic_solver_is_tested():
    tested = {type(spec) for spec, _ in STOCHASTIC.values()}
    assert tested == set(SOLVERS.values()) - {LBFGS}


@pytest.mark.parametrize(
    ("function", "minimum"), [(parabola, CENTRE), (rosenbrock, np.ones(2))]
)
@pytest.mark.parametrize("name", STOCHASTIC)
def test_arrives(name, function, minimum):
    spec, n_steps = STOCHASTIC[name]
    theta, _ = descend([spec], function, np.zeros_like(minimum), n_steps)
    np.testing.assert_allclose(theta, minimum, atol=1e-3)


@pytest.mark.parametrize(
    ("function", "minimum"), [(parabola, CENTRE), (rosenbrock, np.ones(2))]
)
def test_lbfgs_arrives(function, minimum):
    seen = []
    found = LBFGS().minimize(
        function,
        np.zeros_like(minimum),
        max_iter=100,
        tol=1e-8,
        on_iteration=lambda: seen.append(1),
    )
    np.testing.assert_allclose(found.x, minimum, atol=1e-5)
    assert len(seen) == found.nit


def _published(spec, gradients):
    # The recipe as printed in its paper, on Python floats of one parameter.
    theta, rate = 0.0, spec.learning_rate_init
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        if isinstance(spec, Adam):
            m = spec.beta_1 * m + (1 - spec.beta_1) * g
            v = spec.beta_2 * v + (1 - spec.beta_2) * g * g
            step = rate * (1 - spec.beta_2**t) ** 0.5 / (1 - spec.beta_1**t)
            theta -= step * m / (v**0.5 + spec.epsilon)
        else:
            v = spec.momentum * v - rate * g
            theta += spec.momentum * v - rate * g if spec.nesterovs_momentum else v
    return theta


@pytest.mark.parametrize(
    "spec",
    [
        SGD(learning_rate_init=0.1, momentum=0.0),
        SGD(learning_rate_init=0.1, momentum=0.7),
        SGD(learning_rate_init=0.1, momentum=0.7, nesterovs_momentum=False),
        Adam(learning_rate_init=0.1),
        Adam(learning_rate_init=0.1, beta_1=0.0, beta_2=0.5, epsilon=0.1),
    ],
    ids=repr,
)
def test_follows_the_published_recipe(spec):
    gradients = np.random.default_rng(0).normal(size=(50, 2))
    theta, grad = np.zeros(2), np.empty(2)
    descent = Descent([spec], [None], theta, grad)
    for gradient in gradients:
        grad[...] = gradient
        descent.step()
    expected = [_published(spec, gradients[:, k].tolist()) for k in range(2)]
    np.testing.assert_allclose(theta, expected, rtol=1e-10)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_stack_is_its_members(name):
    spec, _ = STOCHASTIC[name]
    rates = (0.001, 0.004, 0.01)
    specs = [type(spec)(**{**spec.get_params(), "learning_rate_init": rate}) for rate in rates]
    starts = np.random.default_rng(1).normal(size=(3, 3))
    together, _ = descend(specs, parabola, starts, 50)
    for spec, start, theta in zip(specs, starts, together, strict=True):
        np.testing.assert_allclose(theta, descend([spec], parabola, start, 50)[0], rtol=1e-12)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_goes_on_from_a_state(name):
    spec, _ = STOCHASTIC[name]
    start = np.zeros(3)
    whole, _ = descend([spec], parabola, start, 20)
    half, descent = descend([spec], parabola, start, 10)
    rest, _ = descend([spec], parabola, half, 10, [descent.state(0)])
    np.testing.assert_array_equal(rest, whole)


@pytest.mark.parametrize("name", STOCHASTIC)
@pytest.mark.parametrize("models", [(), (2,)])
def test_blocks_cover_the_vector_once(name, models):
    spec, _ = STOCHASTIC[name]
    n_params = 2 * BLOCK + 3
    theta = np.zeros((*models, n_params))
    grad = np.ones_like(theta)
    Descent([spec] * (models or (1,))[0], [None] * (models or (1,))[0], theta, grad).step()
    assert (theta == theta.flat[0]).all()
    assert theta.flat[0] < 0
