"""Laws: parameters of solvers and schedules are those of their specs."""

import numpy as np
import pytest

from skdeep import DeepClassifier, DeepRegressor
from skdeep.schedules import SCHEDULES, Constant, Cosine, WarmUp
from skdeep.solvers import LBFGS, SOLVERS
from tests.estimators.iris import KINDS, NUMBERS, N, X, assert_same, differ, flat, model

# Solvers and schedules

RATES = {
    "adam": 0.01,
    "sgd": 0.05,
    "adamw": 0.01,
    "nadam": 0.01,
    "amsgrad": 0.01,
    "rmsprop": 0.003,
    "adagrad": 0.05,
    "adadelta": 100.0,  # its own rate is 1, with a larger epsilon
    "lion": 0.003,
    "lbfgs": 0.001,
}


UNUSUAL = {
    "momentum": 0.6,
    "nesterovs_momentum": False,
    "beta_1": 0.8,
    "beta_2": 0.95,
    "epsilon": 1e-3,
    "learning_rate": "cosine",
    "max_fun": 20,
}


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_name_is_the_spec_of_its_parameters(kind, y, solver):
    named = model(kind, solver=solver, **UNUSUAL)
    fields = {name: getattr(named, name) for name in SOLVERS[solver].shared_names()}
    assert_same(named.fit(X, y), model(kind, solver=SOLVERS[solver](**fields)).fit(X, y))
    # Each parameter that the solver has counts.
    for name in fields:
        if name in UNUSUAL and not isinstance(SOLVERS[solver](), LBFGS):
            default = {name: getattr(kind(), name)}
            assert differ(named, model(kind, solver=solver, **UNUSUAL | default).fit(X, y))


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_every_solver_learns(kind, y, solver):
    params = {"solver": solver, "learning_rate_init": RATES[solver], "max_iter": 80}
    score = model(kind, **params).fit(X, y).score(X, y)
    assert score > (0.85 if kind is DeepClassifier else 0.5)


def averaged(thetas, decay):
    """Polyak's mean of what the weights were after each step, which forgets with `decay`."""
    mean = np.zeros_like(thetas[0])
    for n, theta in enumerate(thetas, 1):
        mean = mean + max(1 - decay, 1 / n) * (theta - mean)
    return mean


@pytest.mark.parametrize("decay", [0.5, 0.9])
@KINDS
def test_weight_averaging_is_the_mean_over_steps(kind, y, decay):
    classes = {"classes": np.unique(y)} if kind is DeepClassifier else {}
    plain, mean = model(kind, batch_size=N), model(kind, batch_size=N, weight_averaging=decay)
    thetas = []
    for _ in range(6):
        thetas.append(flat(plain.partial_fit(X, y, **classes)))
        mean.partial_fit(X, y, **classes)
        np.testing.assert_allclose(flat(mean), averaged(thetas, decay), rtol=1e-9)
    whole = model(kind, batch_size=N, weight_averaging=decay, max_iter=6, shuffle=False)
    np.testing.assert_allclose(flat(whole.fit(X, y)), flat(mean), rtol=1e-9)


@pytest.mark.parametrize("schedule", [lambda step: 0.01, Constant(), WarmUp(0), Cosine(end=1)])
@KINDS
def test_constant_schedules_are_one(kind, y, schedule):
    assert_same(model(kind).fit(X, y), model(kind, learning_rate=schedule).fit(X, y), 1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
@KINDS
def test_schedule_is_the_spec_of_its_name(kind, y, name):
    one = model(kind, learning_rate=name).fit(X, y)
    assert_same(one, model(kind, learning_rate=SCHEDULES[name]()).fit(X, y))
    if name not in ("constant", "adaptive", "step"):  # which change later
        assert differ(one, model(kind).fit(X, y))


STEPS = {
    "constant": [0.1, 0.1, 0.1, 0.1],
    "linear": [0.1, 0.075, 0.05, 0.025],
    "cosine": [0.1, 0.05 * (1 + 2**-0.5), 0.05, 0.05 * (1 - 2**-0.5)],
    "exponential": [0.1, 0.098, 0.09604, 0.0941192],
    "inverse_time": [0.1, 0.1 / 1.1, 0.1 / 1.2, 0.1 / 1.3],
    lambda step: 0.1 / 2**step: [0.1, 0.05, 0.025, 0.0125],
}


@pytest.mark.parametrize(
    "learning_rate", STEPS, ids=lambda given: getattr(given, "__name__", str(given))
)
def test_steps_have_the_length_of_the_schedule(learning_rate):
    # Clipped gradients are all as long as each other: a step is as long as its rate.
    class Weights:
        found = []

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                self.found.append(flat(fitted_estimator))

    params = {"solver": "sgd", "momentum": 0, "clip_norm": 1e-2, "batch_size": N}
    params |= {"learning_rate": learning_rate, "learning_rate_init": 0.1}
    fitted = model(DeepRegressor, **params)
    fitted.set_callbacks(Weights()).fit(X, NUMBERS)
    steps = np.linalg.norm(np.diff(Weights.found, axis=0), axis=1)
    np.testing.assert_allclose(steps, np.array(STEPS[learning_rate][1:]) / 100, rtol=1e-9)
