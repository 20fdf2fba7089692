"""Laws of AdamW's `decay_schedule`: its value at each step multiplies the weight decay."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import AdamW, Cosine, CosLog, DeepClassifier, DeepRegressor, InvScaling, WarmUp
from skdeep._network.network import Part
from skdeep._training.bound_solver import BoundSolver
from skdeep._training.fit_task import stack_key
from skdeep._training.train import train
from skdeep.schedules import SCHEDULES, Schedule, Span, as_schedule
from tests.solvers.test_schedules import task

SPAN = Span(0, per_epoch=4, n_steps=40)
BY_STEP = [name for name, kind in SCHEDULES.items() if not kind().by_epoch]


def halves(step):
    return 0.5**step


EACH = pytest.mark.parametrize(
    "schedule",
    [*BY_STEP, WarmUp(2, "linear"), Cosine(1, 0.1), pytest.param(halves, id="halves")],
    ids=str,
)


def trace(specs, parts=(), n_steps=40):
    """Parameters after each step without a gradient, which decay alone moves."""
    models = () if len(specs) == 1 else (len(specs),)
    theta = np.ones((*models, 6))
    grad = np.zeros_like(theta)
    solver = BoundSolver(specs, [None] * len(specs), [SPAN] * len(specs), theta, grad, parts)
    steps = []
    for _ in range(n_steps):
        grad[...] = 0
        solver.step()
        steps.append(theta.copy())
    return np.array(steps)


def factors_of(schedule, rate="constant"):
    steps = np.arange(40)
    decay = as_schedule(schedule).rates(0.5, steps, SPAN)
    decay = decay * 0.5 if callable(schedule) else decay
    return 1 - as_schedule(rate).rates(0.1, steps, SPAN) * decay


@EACH
def test_decays_by_rate_times_decay_times_value(schedule):
    spec = AdamW(learning_rate_init=0.1, weight_decay=0.5, decay_schedule=schedule)
    expected = np.cumprod(np.broadcast_to(factors_of(schedule), 40))
    np.testing.assert_allclose(trace([spec])[:, 0], expected, rtol=1e-12)
    # The learning rate has a schedule of its own.
    spec = replace(spec, learning_rate="cosine")
    expected = np.cumprod(factors_of(schedule, "cosine"))
    np.testing.assert_allclose(trace([spec])[:, 0], expected, rtol=1e-12)


def test_parts_scale_the_scheduled_decay():
    spec = AdamW(learning_rate_init=0.1, weight_decay=0.5, decay_schedule="linear")
    last = trace([spec], (Part(0, 2), Part(2, 4, 0.5, 3.0), Part(4, 6, 1.0, 0.0)))[-1]
    shrunk = 1 - factors_of("linear")
    expected = [np.prod(1 - shrunk), np.prod(1 - 1.5 * shrunk), 1]
    np.testing.assert_allclose(last, np.repeat(expected, 2), rtol=1e-12)


def test_a_stack_of_mixed_schedules_is_its_members():
    schedules = ["constant", "flat_cosine", "constant", CosLog(2), halves]
    specs = [
        AdamW(learning_rate_init=0.1, weight_decay=0.2 * i, decay_schedule=schedule)
        for i, schedule in enumerate(schedules)
    ]
    together = trace(specs)
    for i, spec in enumerate(specs):
        np.testing.assert_allclose(together[:, i], trace([spec]), rtol=1e-12)


def test_a_function_is_called_once_for_each_step_taken():
    asked = []

    def decay(step):
        asked.append(step)
        return 1.0

    spec = AdamW(decay_schedule=decay)
    result = train([task(0, spec)])[0]
    assert asked == list(range(24))
    asked.clear()
    train([task(0, spec, solver_state=result.solver_state)])
    assert asked == list(range(24, 48))


def test_training_sees_it_alone_and_in_a_stack():
    def tasks():
        for i, schedule in enumerate(["constant", "flat_cosine", "linear", halves]):
            spec = AdamW(learning_rate_init=0.01, weight_decay=0.5, decay_schedule=schedule)
            yield task(i, spec)

    assert len({stack_key(one) for one in tasks()}) == 1
    together = train(list(tasks()))
    for one, result in zip(tasks(), together, strict=True):
        np.testing.assert_allclose(train([one])[0].theta, result.theta, rtol=1e-9)


def test_an_error_is_that_of_its_member():
    def fails(step):
        raise RuntimeError(f"no decay at step {step}")

    specs = [AdamW(), AdamW(decay_schedule=fails), AdamW(decay_schedule=lambda step: -1)]
    one, other, third = train([task(0, spec) for spec in specs])
    np.testing.assert_allclose(one.theta, train([task(0, AdamW())])[0].theta, rtol=1e-12)
    assert repr(other) == repr(RuntimeError("no decay at step 0"))
    assert str(third) == "decay_schedule(0) returned -1: return a finite number of 0 or more."


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_estimators_reach_it(kind):
    model = kind(solver=AdamW(decay_schedule=CosLog()), random_state=0, max_iter=5)
    model.set_params(solver__decay_schedule__cycles=2, solver__weight_decay=5.0)
    copy = clone(model)
    assert copy.solver == AdamW(decay_schedule=CosLog(2), weight_decay=5.0)
    assert copy.solver.decay_schedule is not model.solver.decay_schedule
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(int)
    with pytest.warns(match="Maximum iterations"):
        scheduled = model.fit(X, y).coefs_[0]
    model.set_params(solver__decay_schedule="constant")
    with pytest.warns(match="Maximum iterations"):
        assert not np.allclose(model.fit(X, y).coefs_[0], scheduled, rtol=1e-4)


class Own(Schedule):
    def on_plateau(self, rate):
        return rate / 2


@pytest.mark.parametrize(
    "schedule", ["adaptive", "invscaling", InvScaling(), WarmUp(1, "adaptive"), Own()], ids=str
)
def test_a_schedule_that_changes_between_epochs_is_refused(schedule):
    model = DeepClassifier(solver=AdamW(decay_schedule=schedule))
    with pytest.raises(ValueError, match=r"decay_schedule=.*between epochs.*'flat_cosine'"):
        model.fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("schedule", ["flat", Cosine, 3, Cosine(-1)], ids=str)
def test_what_is_no_schedule_is_refused(schedule):
    model = DeepClassifier(solver=AdamW(decay_schedule=schedule))
    with pytest.raises(ValueError, match=r"decay_schedule|'restarts'"):
        model.fit(np.eye(4), [0, 1, 0, 1])
