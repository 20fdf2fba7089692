"""Laws of schedules: rates follow their formulas, and solvers use each at its step."""

import itertools
import math
import pickle
from copy import copy

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import schedules
from skdeep._network.network import Network
from skdeep._training.bound_solver import BoundSolver
from skdeep._training.fit_task import FitTask, stack_key
from skdeep._training.train import train
from skdeep.activations import ACTIVATIONS
from skdeep.losses import HalfSquaredError
from skdeep.schedules import (
    SCHEDULES,
    AcrossCalls,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    FlatCosine,
    FromFunction,
    InverseTime,
    InvScaling,
    Linear,
    OneCycle,
    Schedule,
    Span,
    StepDecay,
    WarmUp,
    as_schedule,
)
from skdeep.solvers import SGD, Adam

RATE = 0.5
SPAN = Span(start=0, per_epoch=4, n_steps=40)


def thousandths(step):
    """A rate that identifies its step."""
    return (step + 1) / 1000


def name_of(schedule):
    return type(schedule).__name__


def rates(schedule, steps, span=SPAN):
    return np.broadcast_to(schedule.rates(RATE, np.array(steps), span), len(steps))


def cosine_wave(power_of_two):
    """Height of a wave from 0 to 1 and back, after log2 of the argument waves."""
    return (1 - math.cos(2 * math.pi * math.log2(power_of_two))) / 2


# Schedule, steps, and rates as multiples of RATE.
VALUES = [
    (Constant(), [0, 7, 99], [1, 1, 1]),
    (InvScaling(), [0, 7, 99], [1, 1, 1]),
    (Adaptive(), [0, 7, 99], [1, 1, 1]),
    (InverseTime(0.5), [0, 2, 4, 40], [1, 1 / 1.25, 1 / 1.5, 1 / 6]),
    (StepDecay(2, 0.5), [0, 7, 8, 15, 16, 99], [1, 1, 0.5, 0.5, 0.25, 0.5**12]),
    (StepDecay(0.5, 0.5), [1, 2, 4], [1, 0.5, 0.25]),
    (Exponential(0.5), [0, 2, 4, 40], [1, 0.5**0.5, 0.5, 0.5**10]),
    (Linear(), [0, 10, 20, 40, 99], [1, 0.75, 0.5, 0, 0]),
    (Linear(0.2), [0, 20, 40, 99], [1, 0.6, 0.2, 0.2]),
    (Cosine(), [0, 10, 20, 40, 99], [1, 0.5 + 0.5**1.5, 0.5, 0, 0]),
    (Cosine(end=0.2), [0, 20, 40, 99], [1, 0.6, 0.2, 0.2]),
    (Cosine(restarts=1), [0, 10, 20, 30, 40, 99], [1, 0.5, 1, 0.5, 0, 0]),
    (OneCycle(0.275, 10, 100), [0, 5, 10, 39, 99], [0.1, 0.55, 1, 0.001, 0.001]),
    (OneCycle(0, 10, 100), [0, 39], [1, 0.001]),
    (OneCycle(0.975, 10, 100), [0, 38, 39], [0.1, 1, 0.001]),
    (CosLog(1), [0, 40, 99], [0, 0, 0]),
    (CosLog(2), [0, 10, 30, 40, 99], [0, cosine_wave(1.75), cosine_wave(3.25), 0, 0]),
    (CosLog(), [0, 8, 16, 24, 40, 99], [0, 0, cosine_wave(7), cosine_wave(10), 0, 0]),
    (FlatCosine(), [0, 10, 20, 25, 30, 40, 99], [1, 1, 1, 0.5 + 0.5**1.5, 0.5, 0, 0]),
    (FromFunction(thousandths), [0, 7, 39, 99], [0.002, 0.016, 0.08, 0.2]),
    (WarmUp(1), [0, 1, 2, 3, 4, 99], [0.2, 0.4, 0.6, 0.8, 1, 1]),
    (WarmUp(0), [0, 99], [1, 1]),
    (WarmUp(0.25), [0, 1, 2], [0.5, 1, 1]),
    (WarmUp(5, "linear"), [0, 10, 20, 30, 40, 99], [1 / 21, 11 / 21, 1, 0.5, 0, 0]),
    (WarmUp(5, Cosine(end=0.2)), [20, 30, 40, 99], [1, 0.6, 0.2, 0.2]),
    (WarmUp(99, "linear"), [0, 39], [1 / 397, 40 / 397]),
    (WarmUp(1, thousandths), [0, 3, 4, 5, 99], [0.0004, 0.0016, 0.002, 0.004, 0.192]),
    (AcrossCalls("linear", 10, 2), [0, 5, 20, 99], [1, 0.75, 0, 0]),
    (AcrossCalls("exponential", 10), [0, 10, 20], [1, 0.98, 0.98**2]),
    (AcrossCalls(WarmUp(0.5, "linear"), 10, 1.5), [0, 4, 5, 10, 99], [1 / 6, 5 / 6, 1, 0.5, 0]),
    (WarmUp(1, AcrossCalls("linear", 10)), [0, 3, 4, 9, 14], [0.2, 0.8, 1, 0.5, 0]),
    (AcrossCalls(thousandths, 10), [0, 7], [0.002, 0.016]),
    (AcrossCalls("linear", 1, 0.1), [0, 1], [1, 0]),
]
EACH = pytest.mark.parametrize("schedule", [row[0] for row in VALUES], ids=name_of)


@pytest.mark.parametrize(("schedule", "steps", "multiples"), VALUES)
def test_values(schedule, steps, multiples):
    expected = RATE * np.array(multiples)
    np.testing.assert_allclose(rates(schedule, steps), expected, rtol=1e-12, atol=1e-15)


def test_every_schedule_is_tested():
    tested = {type(schedule) for schedule, _, _ in VALUES}
    ours = {
        kind
        for kind in vars(schedules).values()
        if isinstance(kind, type) and issubclass(kind, Schedule) and kind.__name__[0] != "_"
    }
    assert tested == ours - {Schedule}
    assert set(SCHEDULES.values()) == tested - {FromFunction, WarmUp, AcrossCalls}
    for name, known in SCHEDULES.items():
        assert as_schedule(name) == known()
    assert SGD("invscaling", power_t=0.3).schedule() == InvScaling(0.3)


@EACH
def test_is_a_spec(schedule):
    for copied in (clone(schedule), pickle.loads(pickle.dumps(schedule))):
        assert copied == schedule
        assert copied is not schedule


@EACH
def test_rates_vary_only_if_by_step_says_so(schedule):
    constant = (rates(schedule, range(40)) == RATE).all()
    assert schedule.by_step or constant


@EACH
def test_a_call_of_one_step_has_a_finite_rate(schedule):
    assert np.isfinite(rates(schedule, [0, 1], Span(0, 1, 1))).all()
    assert np.isfinite(rates(schedule, [7, 8], Span(7, 1, 1))).all()


@pytest.mark.parametrize(
    "schedule", [Linear(), Cosine(1), OneCycle(), CosLog(), FlatCosine()], ids=name_of
)
def test_finite_schedules_count_from_the_start_of_the_call(schedule):
    later = rates(schedule, range(100, 140), Span(100, 4, 40))
    np.testing.assert_array_equal(later, rates(schedule, range(40)))
    # Or from the first step of all calls, if they are told how many there will be.
    across = AcrossCalls(schedule, 20, 2)
    for span in [Span(0, 1, 1), Span(10, 5, 5), Span(30, 3, 3)]:
        steps = range(span.start, span.start + span.n_steps)
        expected = rates(schedule, range(40))[steps.start : steps.stop]
        np.testing.assert_array_equal(rates(across, steps, span), expected)


def test_each_cycle_of_coslog_is_twice_as_long_as_the_last():
    n = 1500
    values = rates(CosLog(4), range(n + 1), Span(0, 4, n))
    starts = np.array([0, 1, 3, 7, 15]) * n // 15
    np.testing.assert_allclose(values[starts], 0, atol=1e-12)
    for start, stop in itertools.pairwise(starts):
        cycle = values[start : stop + 1]
        assert cycle.max() == pytest.approx(RATE, rel=1e-3)
        peak = cycle.argmax()
        assert (np.diff(cycle[: peak + 1]) > 0).all()
        assert (np.diff(cycle[peak:]) < 0).all()


@pytest.mark.parametrize(
    "schedule",
    [InverseTime(), StepDecay(3), Exponential(), FromFunction(thousandths)],
    ids=name_of,
)
def test_others_count_all_steps(schedule):
    whole = rates(schedule, range(40))
    np.testing.assert_array_equal(rates(schedule, range(20, 40), Span(20, 4, 20)), whole[20:])


def test_warms_up_once():
    warm = WarmUp(2, Linear())
    np.testing.assert_array_equal(rates(warm, [100, 120], Span(100, 4, 40)), [RATE, RATE / 2])
    # A call that begins in the middle of the warm-up.
    np.testing.assert_allclose(
        rates(warm, [4, 8, 26, 44], Span(4, 4, 40)), RATE * np.array([5 / 9, 1, 0.5, 0])
    )


@pytest.mark.parametrize("then", [*SCHEDULES, thousandths])
def test_is_continuous_where_warm_up_ends(then):
    n = 400
    warm = rates(WarmUp(100, then), range(2 * n), Span(0, 4, 10_000))
    first = warm[n]
    np.testing.assert_allclose(np.diff(warm[: n + 1]), first / (n + 1), rtol=1e-9)
    assert first == rates(as_schedule(then), [0], Span(0, 4, 10_000 - n))[0]


def test_changes_between_epochs_are_those_of_the_inner_schedule():
    assert WarmUp(then="adaptive").on_plateau(0.5) == Adaptive().on_plateau(0.5)
    assert AcrossCalls("adaptive", 9).on_plateau(0.5) == Adaptive().on_plateau(0.5)
    assert WarmUp(then="constant").on_plateau(0.5) is None
    args = {"rate": 0.5, "initial": 0.5, "n_rows_seen": 30}
    for around in (WarmUp(then="invscaling"), AcrossCalls("invscaling", 9)):
        assert around.after_epoch(**args) == InvScaling().after_epoch(**args)


TORCH = {
    "CosineAnnealingLR": (Cosine(end=0.1), {"T_max": 40, "eta_min": 0.1 * RATE}),
    "CosineAnnealingWarmRestarts": (Cosine(restarts=3), {"T_0": 10}),
    "ExponentialLR": (Exponential(0.9), {"gamma": 0.9}),
    "StepLR": (StepDecay(7, 0.3), {"step_size": 7, "gamma": 0.3}),
    "LinearLR": (Linear(0.1), {"start_factor": 1, "end_factor": 0.1, "total_iters": 40}),
    "OneCycleLR": (OneCycle(), {"max_lr": RATE, "total_steps": 40, "cycle_momentum": False}),
}


@pytest.mark.parametrize("name", TORCH)
def test_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    schedule, params = TORCH[name]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=RATE)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **params)
    expected = []
    for _ in range(40):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        if len(expected) < 40:
            theirs.step()
    ours = rates(schedule, range(40), Span(0, 1, 40))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


# Plain gradient descent on a gradient of -1 moves by the rate of each step.


def moves(schedule, n_steps, states=(None,), start=0):
    spec = SGD(schedule, RATE, momentum=0.0)
    theta, grad = np.zeros(3), np.empty(3)
    solver = BoundSolver([spec], states, [Span(start, 4, 40)], theta, grad)
    trace = [0.0]
    for _ in range(n_steps):
        grad[...] = -1
        solver.step()
        trace.append(theta[0])
    return np.diff(trace), solver


@EACH
def test_a_solver_uses_each_rate_at_its_step(schedule):
    taken, _ = moves(schedule, 50)
    np.testing.assert_allclose(taken, rates(schedule, range(50)), rtol=1e-9, atol=1e-12)


def test_a_solver_resumes_at_its_step():
    _, solver = moves(thousandths, 10)
    state = solver.state(0)
    assert (state.n_steps, state.rate) == (10, RATE)
    taken, _ = moves(thousandths, 5, [state], start=10)
    np.testing.assert_allclose(taken, [0.011, 0.012, 0.013, 0.014, 0.015])


def test_a_rate_set_between_epochs_counts_from_the_next_step():
    spec = SGD(Exponential(0.5), RATE, momentum=0.0)
    theta, grad = np.zeros(3), np.empty(3)
    solver = BoundSolver([spec], [None], [SPAN], theta, grad)
    trace = [0.0]
    for step in range(8):
        if step == 4:
            solver.set_rate(0, RATE / 5)
        grad[...] = -1
        solver.step()
        trace.append(theta[0])
    expected = rates(Exponential(0.5), range(8)) / np.repeat([1, 5], 4)
    np.testing.assert_allclose(np.diff(trace), expected)


# In training: the models of a stack may have different schedules.

NETWORK = Network.perceptron((5, 7, 2), ACTIVATIONS["tanh"])
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 5)), RNG.normal(size=(50, 2))


def task(i, solver, **options):
    generator = np.random.RandomState(i)
    theta = NETWORK.initial(generator, 6.0, np.dtype(float))
    options = {"batch_size": 16, "max_iter": 6 + 3 * i, **options}
    return FitTask(NETWORK, HalfSquaredError(), solver, X, Y, None, theta, generator, **options)


MIXED = [
    "constant",
    "invscaling",
    "adaptive",
    Cosine(1, 0.1),
    WarmUp(2, "invscaling"),
    WarmUp(1, "one_cycle"),
    AcrossCalls("one_cycle", 17, 2),
    thousandths,
    "step",
]


@pytest.mark.parametrize("solver", [SGD(momentum=0.5), Adam()], ids=["sgd", "adam"])
@pytest.mark.parametrize("options", [{}, {"tol": 0.05, "n_iter_no_change": 1, "max_iter": 30}])
def test_a_stack_of_mixed_schedules_is_its_members(solver, options):
    def tasks():
        for i, schedule in enumerate(MIXED):
            params = {"learning_rate": schedule, "learning_rate_init": 0.01 * (i + 1)}
            yield task(i, copy(solver).set_params(**params), **options)

    assert len({stack_key(t) for t in tasks()}) == 1
    together = train(list(tasks()))
    alone = [train([t])[0] for t in tasks()]
    assert len({result.n_iter for result in together}) > 1
    for one, other in zip(together, alone, strict=True):
        assert (one.n_iter, one.outcome) == (other.n_iter, other.outcome)
        np.testing.assert_allclose(one.theta, other.theta, rtol=1e-9)
        assert one.solver_state.n_steps == other.solver_state.n_steps
        assert one.solver_state.rate == pytest.approx(other.solver_state.rate, rel=1e-12)


def test_training_spans_max_iter_epochs_of_the_call():
    # 50 rows in batches of 16 are 4 steps an epoch.
    asked = []

    def rate(step):
        asked.append(step)
        return 0.01

    result = train([task(0, SGD(rate))])[0]
    assert asked == list(range(6 * 4))
    # A resumed call takes its steps after those of the first.
    asked.clear()
    train([task(0, SGD(rate), solver_state=result.solver_state)])
    assert asked == list(range(24, 48))
