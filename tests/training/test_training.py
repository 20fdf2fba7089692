"""Training in a stack equals training alone; when training ends and what it returns."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from skdeep._network.inference import raw_output
from skdeep._network.network import Network, Part
from skdeep._training.fit_task import FitTask, stack_key
from skdeep._training.train import train
from skdeep.activations import ACTIVATIONS
from skdeep.losses import HalfSquaredError, MultinomialLogLoss
from skdeep.solvers import LBFGS, SGD, Adam

N_ROWS = 50
NETWORK = Network.perceptron((5, 7, 4, 3), ACTIVATIONS["tanh"])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 5))
Y = np.eye(3)[(X @ RNG.normal(size=(5, 3))).argmax(axis=1)]
WEIGHT = RNG.uniform(0.1, 2, (N_ROWS, 1))
PARTS = (Part(0, 20, 0.5, 2.0), Part(20, 70, 3.0), Part(70, NETWORK.n_trained, 1.0, 0.0))

SOLVERS = {
    "sgd": lambda i: SGD(learning_rate_init=0.02 * (i + 1), momentum=0.3 * i),
    "adaptive": lambda i: SGD(learning_rate="adaptive", learning_rate_init=0.1 * (i + 1)),
    "invscaling": lambda i: SGD(learning_rate="invscaling", power_t=0.1 * (i + 1)),
    "adam": lambda i: Adam(learning_rate_init=0.003 * (i + 1), beta_1=0.8 + 0.05 * i),
}


def task(i, solver="adam", dtype=np.float64, **options):
    """The i-th of several tasks that differ in every number."""
    generator = np.random.RandomState(i)
    return FitTask(
        network=NETWORK,
        loss=MultinomialLogLoss(),
        solver=SOLVERS[solver](i),
        theta=NETWORK.initial(generator, 6.0, np.dtype(dtype)),
        **{
            "generator": generator,
            "X": X,
            "y": Y,
            "sample_weight": None,
            "alpha": 0.01 * i,
            "batch_size": 16,
            "max_iter": 15 + 5 * i,
            **options,
        },
    )


def accuracy():
    """Accuracy on the last ten rows: a score that stops models at different epochs."""

    def validate(theta):
        raw = raw_output(NETWORK, NETWORK.views(theta), X, np.arange(40, N_ROWS))
        return float((raw.argmax(1) == Y[40:].argmax(1)).mean()), float(np.abs(raw).sum())

    return validate


def assert_same(one, other, rtol):
    assert one.n_iter == other.n_iter
    assert one.outcome == other.outcome
    np.testing.assert_allclose(one.history.loss_curve, other.history.loss_curve, rtol=rtol)
    np.testing.assert_allclose(one.theta, other.theta, rtol=rtol, atol=rtol * 0.1)
    np.testing.assert_allclose(
        one.solver_state.moments, other.solver_state.moments, rtol=rtol, atol=rtol * 0.1
    )
    assert one.solver_state.n_steps == other.solver_state.n_steps
    assert one.solver_state.rate == pytest.approx(other.solver_state.rate, rel=1e-6)


OPTIONS = {
    "plain": lambda i: {},
    "in order": lambda i: {"shuffle": False},
    "weights": lambda i: {"sample_weight": WEIGHT},
    "own weights": lambda i: {"sample_weight": WEIGHT ** (i + 1)},
    "own tables": lambda i: {"X": X * (i + 1)},
    "own rows": lambda i: {"rows": np.random.RandomState(i).permutation(N_ROWS)[:40]},
    "own number of rows": lambda i: {"rows": np.random.RandomState(i).permutation(40 + 3 * i)},
    "own number of rows, weights": lambda i: {
        "rows": np.random.RandomState(i).permutation(40 + 3 * i),
        "sample_weight": WEIGHT,
    },
    "own number of rows, full batch": lambda i: {
        "X": X[: 30 + 9 * i],
        "y": Y[: 30 + 9 * i],
        "batch_size": 200,
    },
    "own batch size": lambda i: {"batch_size": 13 + i, "shuffle": False},
    "full batch": lambda i: {"batch_size": N_ROWS},
    "full batch of own tables": lambda i: {"batch_size": N_ROWS, "X": X * (i + 1)},
    "stop on loss": lambda i: {"tol": 0.02, "n_iter_no_change": 1 + i, "max_iter": 60},
    "stop on score": lambda i: {
        "rows": np.random.RandomState(i).permutation(40),
        "validate": accuracy(),
        "stop_on_score": True,
        "n_iter_no_change": 2 + i,
        "max_iter": 40,
    },
    "validate only": lambda i: {
        "rows": np.random.RandomState(i).permutation(40),
        "validate": accuracy(),
    },
    "validate, last epoch": lambda i: {"validate": accuracy(), "restore_best": False},
    "averaged": lambda i: {"weight_averaging": 0.9 + 0.03 * i},
    "averaged, stop on score": lambda i: {
        "weight_averaging": 0.9 + 0.03 * i,
        "validate": accuracy(),
        "stop_on_score": True,
        "n_iter_no_change": 2 + i,
    },
    "limits": lambda i: {"clip_norm": 0.1 * (i + 1), "max_norm": [None, 0.9, 1.2][i]},
    "parts": lambda i: {"parts": PARTS},
    "l1": lambda i: {"l1_ratio": 0.3 * i, "alpha": 0.02},
    "stopped by callback": lambda i: {
        "on_epoch": [lambda epoch, *_: None, lambda epoch, *_: epoch == 3 + i]
    },
    "float32 from float64": lambda i: {"dtype": np.float32},
    "pixels": lambda i: {"X": np.abs(X * 30).astype(np.uint8)},
}


@pytest.mark.parametrize(("solver", "options"), list(itertools.product(SOLVERS, OPTIONS)))
def test_training_in_a_stack_equals_training_alone(solver, options):
    together = train([task(i, solver, **OPTIONS[options](i)) for i in range(3)])
    rtol = 1e-4 if options == "float32 from float64" else 1e-9
    for i, result in enumerate(together):
        alone = train([task(i, solver, **OPTIONS[options](i))])[0]
        assert_same(result, alone, rtol)


def test_these_options_stop_models_at_different_epochs():
    for options in ("plain", "stop on loss", "stop on score"):
        results = train([task(i, **OPTIONS[options](i)) for i in range(3)])
        assert len({result.n_iter for result in results}) > 1, options


def test_parts_have_their_own_rates():
    frozen = (Part(0, 20, 0.0), Part(20, NETWORK.n_trained))
    start = task(0)
    theta = train([task(0, parts=frozen)])[0].theta
    np.testing.assert_array_equal(theta[:20], start.theta[:20])
    assert (theta[20:] != start.theta[20:]).all()
    keys = {stack_key(task(i, parts=parts)) for i in (1, 2) for parts in ((), frozen, PARTS)}
    assert len(keys) == 3


def test_a_diverging_member_does_not_affect_the_others():
    tasks = [task(i, "sgd") for i in range(3)]
    tasks[1].solver = SGD(learning_rate_init=1e200)
    results = train(tasks)
    assert [result.outcome for result in results] == ["max_iter", "diverged", "max_iter"]
    for i in (0, 2):
        assert_same(results[i], train([task(i, "sgd")])[0], 1e-9)


def test_tasks_are_not_modified():
    given = task(0, sample_weight=WEIGHT.copy())
    copies = [array.copy() for array in (given.X, given.y, given.sample_weight, given.theta)]
    train([given])
    for array, copy in zip(
        (given.X, given.y, given.sample_weight, given.theta), copies, strict=True
    ):
        np.testing.assert_array_equal(array, copy)
    assert given.history.loss_curve == []


def test_weights_equal_repetitions():
    # In full batches, a row of weight k equals k rows.
    times = np.arange(N_ROWS) % 4
    rows = np.repeat(np.arange(N_ROWS), times)
    options = {"shuffle": False, "alpha": 0.5}
    weighted = task(0, sample_weight=times[:, None].astype(float), batch_size=N_ROWS, **options)
    repeated = task(0, X=X[rows], batch_size=len(rows), **options)
    repeated.y = Y[rows]
    one, other = train([weighted])[0], train([repeated])[0]
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-8)
    np.testing.assert_allclose(one.history.loss_curve, other.history.loss_curve, rtol=1e-10)


def test_unit_weights_and_a_common_factor_have_no_effect():
    plain = train([task(0, alpha=0)])[0]
    ones = train([task(0, alpha=0, sample_weight=np.ones((N_ROWS, 1)))])[0]
    np.testing.assert_array_equal(plain.theta, ones.theta)
    thirds = train([task(0, alpha=0, sample_weight=np.full((N_ROWS, 1), 1 / 3))])[0]
    np.testing.assert_allclose(plain.theta, thirds.theta, rtol=1e-8)


def test_a_batch_of_zero_weight_is_harmless():
    weight = np.zeros((N_ROWS, 1))
    weight[:16] = 1  # the first batch alone counts
    options = {"solver": "sgd", "shuffle": False, "max_iter": 1}
    one = train([task(0, sample_weight=weight, **options)])[0]
    other = train([task(0, X=X[:16], **options)])[0]
    assert np.isfinite(one.theta).all()
    assert one.outcome == other.outcome == "max_iter"


SCORES = [0.1, 0.9, 0.5, 0.5]


def scripted(seen):
    """A validation function that records the parameters and returns SCORES in turn."""

    def validate(theta):
        seen.append(theta.copy())
        return SCORES[len(seen) - 1], float(len(seen))

    return validate


@pytest.mark.parametrize("stop_on_score", [False, True])
@pytest.mark.parametrize(
    ("options", "returned"),
    [
        ({}, 1),
        ({"restore_best": False}, 3),
        ({"weight_averaging": 0.9}, 1),
        ({"weight_averaging": 0.9, "restore_best": False}, 3),
    ],
)
def test_best_epoch_is_restored(options, returned, stop_on_score):
    seen = []
    options = {"validate": scripted(seen), "stop_on_score": stop_on_score, **options}
    result = train([task(0, max_iter=4, **options)])[0]
    np.testing.assert_array_equal(result.theta, seen[returned])
    history = result.history
    assert history.validation_scores == SCORES
    assert history.validation_loss_curve == [1, 2, 3, 4]
    assert history.best_score == 0.9
    assert history.best_iter == 2


def test_the_last_epoch_is_kept_along_with_the_best():
    seen = []
    result = train([task(0, max_iter=4, validate=scripted(seen))])[0]
    np.testing.assert_array_equal(result.solver_state.live, seen[-1])
    plain = train([task(0, max_iter=4)])[0]
    np.testing.assert_array_equal(plain.theta, seen[-1])
    assert plain.solver_state.live is None


@pytest.mark.parametrize(("stop_on_score", "n_iter"), [(True, 4), (False, 30)])
def test_training_stops_on_the_score_only_if_asked(stop_on_score, n_iter):
    def validate(theta):
        return 0.5, 1.0

    options = {"validate": validate, "n_iter_no_change": 2, "tol": 1e-9, "max_iter": 30}
    result = train([task(0, stop_on_score=stop_on_score, **options)])[0]
    assert result.n_iter == n_iter
    assert result.outcome == ("converged" if stop_on_score else "max_iter")


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("validated", [False, True])
def test_callbacks_are_called_after_each_epoch(validated, averaging):
    calls, seen = [], []

    def record(epoch, loss, score, theta, now):
        calls.append((epoch, loss, score, theta.copy()))

    def stop(epoch, loss, score, theta, now):
        return epoch == 3

    options = {"validate": scripted(seen)} if validated else {}
    result = train([task(0, on_epoch=[stop, record], weight_averaging=averaging, **options)])[0]
    assert result.outcome == "stopped"
    assert [epoch for epoch, *_ in calls] == [1, 2, 3]
    assert [loss for _, loss, _, _ in calls] == result.history.loss_curve
    scores = [score for _, _, score, _ in calls]
    assert scores == (SCORES[:3] if validated else [None] * 3)
    # The parameters are those that training would return at that epoch.
    for n, (_, _, _, theta) in enumerate(calls, 1):
        again = {"validate": scripted([])} if validated else {}
        short = train([task(0, max_iter=n, weight_averaging=averaging, **again)])[0]
        np.testing.assert_array_equal(theta, short.theta)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_max_time_ends_training_within_an_epoch(solver):
    given = task(0, max_iter=10**6, tol=0.0, n_iter_no_change=np.inf, max_time=1e-9)
    if solver == "lbfgs":
        given.solver = LBFGS()
    result = train([given])[0]
    assert result.outcome == "max_time"
    assert result.n_iter == 1
    assert len(result.history.loss_curve) == 1
    if solver == "adam":
        assert result.solver_state.n_steps == 1
        assert result.history.n_rows_seen == 16


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a second after each step."""
    now = [0]

    def after_step():
        now[0] += 1
        return now[0]

    monkeypatch.setattr("skdeep._training.stack.monotonic", after_step)
    monkeypatch.setattr("skdeep._training.model_run.monotonic", lambda: now[0])
    return now


LATE = {
    "plain": {},
    "one epoch": {"max_iter": 1},
    "averaged": {"weight_averaging": 0.9},
    "limits": {"clip_norm": 0.1, "max_norm": 0.9},
}


# 50 rows in batches of 16 are 4 steps an epoch, of 16, 16, 16 and 2 rows.
@pytest.mark.parametrize("options", LATE)
def test_max_time_ends_training_after_the_step(options, clock):
    seen = []
    options = {"shuffle": False, "generator": None, "max_iter": 20, **LATE[options]}
    n_whole = min(options["max_iter"] - 1, 1)
    given = task(0, validate=scripted(seen), max_time=4 * n_whole + 2.5, **options)
    result = train([given])[0]
    # Three steps more are one epoch over the first 48 rows.
    first = train([task(0, **options | {"max_iter": n_whole})])[0] if n_whole else None
    clock[0] = 0
    more = {"rows": np.arange(48), "max_iter": 1}
    if first is not None:
        more |= {"theta": first.theta, "solver_state": first.solver_state}
    rest = train([replace(task(0, **options), **more)])[0]
    np.testing.assert_allclose(seen[-1], rest.theta, rtol=1e-12, atol=1e-15)
    assert result.outcome == "max_time"
    assert result.n_iter == n_whole + 1
    assert result.history.loss_curve[-1] == pytest.approx(rest.loss, rel=1e-12)
    assert result.history.validation_scores == SCORES[: n_whole + 1]
    assert result.history.n_rows_seen == 50 * n_whole + 48
    assert result.solver_state.n_steps == 4 * n_whole + 3
    # The best parameters are returned, those of the last epoch.
    np.testing.assert_array_equal(result.theta, seen[-1])


def test_the_best_epoch_is_returned_after_max_time(clock):
    seen = []  # of four scores, the second is the best
    result = train([task(0, validate=scripted(seen), max_time=13.5)])[0]
    assert (result.outcome, result.n_iter, len(seen)) == ("max_time", 4, 4)
    np.testing.assert_array_equal(result.theta, seen[1])
    np.testing.assert_array_equal(result.solver_state.live, seen[3])


@pytest.mark.parametrize("options", LATE)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("times", [[2.5, np.inf, 9.5], [2.5, 6.5, 6.5], [1.5, 0.5, 4.5]])
def test_members_leave_on_time_without_disturbing_the_others(times, solver, options, clock):
    def given(i):
        return task(i, solver, max_time=times[i], **LATE[options])

    together = train([given(i) for i in range(3)])
    for i, result in enumerate(together):
        clock[0] = 0
        alone = train([given(i)])[0]
        assert_same(result, alone, 1e-9)
        assert alone.history.n_rows_seen == result.history.n_rows_seen


def test_schedules_of_a_member_that_has_left_are_not_called(clock):
    asked = []

    def rate(step):
        asked.append(step)
        return 0.01 / (step < 2)

    late = task(0, max_time=1.5)
    late.solver = SGD(learning_rate=rate)
    result, _ = train([late, task(0, "sgd")])
    assert result.outcome == "max_time"
    assert asked == [0, 1]


@pytest.mark.parametrize("averaging", [0.5, 0.9, 0.999])
def test_weight_averaging_averages_steps(averaging):
    """In full batches a step is an epoch, so that callbacks see every step."""
    steps = []

    def record_theta(epoch, loss, score, theta, now):
        steps.append(theta.copy())

    options = {"batch_size": N_ROWS, "max_iter": 12}
    plain = train([task(0, on_epoch=[record_theta], **options)])[0]
    mean = steps[0] * 0
    for n, theta in enumerate(steps, 1):
        mean += max(1 - averaging, 1 / n) * (theta - mean)
    averaged = train([task(0, weight_averaging=averaging, **options)])[0]
    np.testing.assert_allclose(averaged.theta, mean, rtol=1e-10, atol=1e-14)
    assert averaged.history.loss_curve == plain.history.loss_curve
    np.testing.assert_array_equal(averaged.solver_state.live, plain.theta)


def test_adaptive_rate_is_divided_by_five_on_each_plateau():
    solver = SGD(learning_rate="adaptive", learning_rate_init=1e-3)
    given = FitTask(
        network=NETWORK,
        loss=HalfSquaredError(),
        solver=solver,
        X=X,
        y=Y,
        sample_weight=None,
        theta=NETWORK.initial(np.random.RandomState(0), 6.0, np.dtype(float)),
        generator=np.random.RandomState(0),
        tol=np.inf,  # no epoch counts as improvement
        n_iter_no_change=1,
    )
    result = train([given])[0]
    # The first epoch sets the best loss. 1e-3 / 5^k is at most 1e-6 from k = 5 on; each of the
    # five reductions takes two epochs, and so does the end.
    assert result.outcome == "converged"
    assert result.solver_state.rate == pytest.approx(1e-3 / 5**5)
    assert result.n_iter == 1 + 5 * 2 + 2
