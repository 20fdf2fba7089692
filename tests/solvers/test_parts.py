"""Laws of parts: a slice with factors of its own is trained as if alone with these factors."""

import tracemalloc
from copy import copy

import numpy as np
import pytest

from skdeep._arrays import BLOCK
from skdeep._network.network import Part
from skdeep._training.bound_solver import BoundSolver
from skdeep.schedules import Span
from skdeep.solvers import SGD, AdamW, Lion
from tests.solvers.test_solvers import CENTER, CURVATURE, STOCHASTIC

EACH = pytest.mark.parametrize("name", STOCHASTIC)
N_STEPS = 40
# Two distinct pairs of factors are in two slices each, two of which are neighbors.
PARTS = (
    Part(0, 2),
    Part(2, 3, 0.5, 3.0),
    Part(3, 7, 0.5, 3.0),
    Part(7, 8, 6.0, 0.0),
    Part(8, 12),
)


def slopes(theta):
    """Gradient of a sum of parabolas, one for each parameter."""
    n = theta.shape[-1] // 3
    return np.tile(CURVATURE, n) * (theta - np.tile(CENTER, n))


def run(specs, start, slope, parts=()):
    theta, grad = start.copy(), np.empty_like(start)
    spans = [Span(0, per_epoch=10, n_steps=N_STEPS)] * len(specs)
    solver = BoundSolver(specs, [None] * len(specs), spans, theta, grad, parts)
    for _ in range(N_STEPS):
        grad[...] = slope(theta)
        solver.step()
    return theta


def scaled(spec, rate, decay):
    params = {"learning_rate_init": spec.learning_rate_init * rate}
    if "weight_decay" in spec.get_params():
        params["weight_decay"] = spec.weight_decay * decay
    return copy(spec).set_params(**params)


def lively(spec):
    """The spec with a weight decay that can be seen, if it has any."""
    has_decay = "weight_decay" in spec.get_params()
    return copy(spec).set_params(weight_decay=0.5) if has_decay else spec


@EACH
@pytest.mark.parametrize("n_models", [None, 3])
def test_each_part_equals_a_fit_of_its_own(name, n_models):
    spec = lively(STOCHASTIC[name][0])
    specs = [scaled(spec, 1 - 0.2 * i, 1 + i) for i in range(n_models or 1)]
    shape = (12,) if n_models is None else (n_models, 12)
    start = np.random.default_rng(0).normal(size=shape)
    together = run(specs, start, slopes, PARTS)
    for first, stop, rate, decay in PARTS:
        at = np.s_[..., first:stop]
        alone = run(
            [scaled(s, rate, decay) for s in specs],
            start[at],
            # The gradient with respect to one parameter depends on it alone.
            lambda theta, at=at: (
                slopes(np.zeros(shape))[at] + np.tile(CURVATURE, 4)[at] * theta
            ),
        )
        np.testing.assert_allclose(together[at], alone, rtol=1e-12)
    assert not np.allclose(together, run(specs, start, slopes), rtol=1e-3)


@EACH
def test_no_parts_are_one_part_with_factors_of_1(name):
    spec = lively(STOCHASTIC[name][0])
    start = np.random.default_rng(0).normal(size=12)
    plain = run([spec], start, slopes)
    np.testing.assert_array_equal(run([spec], start, slopes, (Part(0, 12),)), plain)
    halves = (Part(0, 5), Part(5, 12))
    np.testing.assert_array_equal(run([spec], start, slopes, halves), plain)


@EACH
def test_a_part_of_rate_0_does_not_change(name):
    spec = lively(STOCHASTIC[name][0])
    start = np.random.default_rng(0).normal(size=12)
    theta = run([spec], start, slopes, (Part(0, 4), Part(4, 9, 0.0), Part(9, 12)))
    np.testing.assert_array_equal(theta[4:9], start[4:9])
    assert (theta[:4] != start[:4]).all()
    assert (theta[9:] != start[9:]).all()


@pytest.mark.parametrize("solver", [AdamW, Lion])
def test_decay_is_rate_times_decay(solver):
    """Without a gradient, a step shrinks a part by the product of the four numbers."""
    spec = solver(learning_rate_init=0.1, weight_decay=0.5)
    theta = run([spec], np.ones(12), np.zeros_like, PARTS)
    for first, stop, rate, decay in PARTS:
        shrink = 1 - 0.1 * rate * 0.5 * decay
        np.testing.assert_allclose(theta[first:stop], shrink**N_STEPS, rtol=1e-12)


def test_plain_descent_moves_by_rate_times_gradient():
    theta = run([SGD(learning_rate_init=0.1, momentum=0.0)], np.zeros(12), np.ones_like, PARTS)
    for first, stop, rate, _ in PARTS:
        np.testing.assert_allclose(theta[first:stop], -0.1 * rate * N_STEPS, rtol=1e-12)


@EACH
@pytest.mark.parametrize("models", [(), (2,)])
def test_blocks_are_cut_at_the_boundaries_of_parts(name, models):
    n, cut = 2 * BLOCK + 3, BLOCK // 3
    theta = np.zeros((*models, n))
    grad = np.ones_like(theta)
    n_models = (models or (1,))[0]
    specs, spans = [STOCHASTIC[name][0]] * n_models, [Span(0, 10, 20)] * n_models
    parts = (Part(0, cut, 0.5), Part(cut, n))
    BoundSolver(specs, [None] * n_models, spans, theta, grad, parts).step()
    for values in (theta[..., :cut], theta[..., cut:]):
        assert (values == values.flat[0]).all()
    np.testing.assert_allclose(theta.flat[0], theta.flat[-1] / 2, rtol=1e-12)
    assert theta.flat[-1] < 0


@EACH
def test_a_step_allocates_nothing_that_grows(name):
    n = 4 * BLOCK
    theta, grad = np.zeros((2, n), np.float32), np.ones((2, n), np.float32)
    specs, spans = [STOCHASTIC[name][0]] * 2, [Span(0, 10, 20)] * 2
    parts = (Part(0, 1000, 0.5), Part(1000, n))
    solver = BoundSolver(specs, [None] * 2, spans, theta, grad, parts)
    solver.step()
    tracemalloc.start()
    try:
        solver.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BLOCK


@pytest.mark.parametrize(
    "parts",
    [
        (Part(0, 11),),
        (Part(1, 12),),
        (Part(0, 13),),
        (Part(0, 4), Part(5, 12)),
        (Part(0, 5), Part(4, 12)),
        (Part(0, 12), Part(3, 12)),
        (Part(4, 12), Part(0, 4)),
    ],
)
def test_parts_have_to_cover_the_vector_in_order(parts):
    with pytest.raises(ValueError, match=r"parts must cover \[0, 12\) in order"):
        run([SGD()], np.zeros(12), slopes, parts)
