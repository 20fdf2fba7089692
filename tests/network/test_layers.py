"""All kinds of layers: gradients, stacks, agreement with PyTorch, and training."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from skdeep._network.dropout import Dropout
from skdeep._network.inference import raw_output
from skdeep._network.input_layers import PeriodicEmbedding, PiecewiseLinearEmbedding, Scaling
from skdeep._network.network import Network, Parameters
from skdeep._network.workspace import Workspace
from skdeep._training.batches import Batch
from skdeep._training.clipping import clip_norm, limit_max_norm
from skdeep._training.fit_task import FitTask, stack_key
from skdeep._training.objective import Objective
from skdeep._training.stack import Stack
from skdeep._training.train import train
from skdeep.activations import ACTIVATIONS, Custom
from skdeep.inspection.summary import layer_rows
from skdeep.losses import HalfSquaredError, MultinomialLogLoss
from skdeep.schedules import (
    Constant,
    CosLog,
    Exponential,
    FlatCosine,
    FromFunction,
    Linear,
    Span,
)
from skdeep.solvers import LBFGS, SGD, Adam
from tests.losses.test_losses import MODELS, shares

N_ROWS = 6
WIDTHS = (4, 5, 5, 3, 2)
RATES = (0.2, 0.5, 0.0, 0.3)
DROPS = tuple(rate > 0 for rate in RATES)
LOSS = HalfSquaredError()
IDENTITY = ACTIVATIONS["identity"]

OPTIONS = {
    "plain": {},
    "no bias": {"bias": False},
    "batch norm": {"batch_norm": True},
    "layer norm": {"layer_norm": True},
    "dropout": {"dropout": DROPS},
    "residual": {"residual": True},
    "input dropout": {"dropout": (True, False, False, False)},
    "batch norm, no bias": {"batch_norm": True, "bias": False},
    "batch norm, all": {"batch_norm": True, "residual": True, "dropout": DROPS},
    "layer norm, all": {
        "layer_norm": True,
        "residual": True,
        "dropout": DROPS,
        "bias": False,
    },
    "scaling": {"inputs": (Scaling(4),)},
    "periodic": {"inputs": (PeriodicEmbedding(4, 3, 5, 2),)},
    "periodic, scaling, dropout": {
        "inputs": (PeriodicEmbedding(4, 4, 5, 2), Scaling(12)),
        "dropout": (True, True, False, False),
    },
    "piecewise, scaling": {"inputs": (PiecewiseLinearEmbedding(4, 3, 4, 2), Scaling(10))},
}
ACTIVATION = {"in place": ACTIVATIONS["tanh"], "two buffers": ACTIVATIONS["gelu"]}
EACH_KIND = pytest.mark.parametrize("name", OPTIONS)


def network_of(name, activation=ACTIVATIONS["tanh"], widths=WIDTHS):
    options = dict(OPTIONS[name])
    n_in, inputs = widths[0], []
    for layer in options.get("inputs", ()):
        inputs.append(replace(layer, n_in=n_in))
        n_in = inputs[-1].n_out
    return Network.perceptron(widths, activation, **{**options, "inputs": inputs})


def random_theta(network, models=(), seed=0):
    """Random parameters with positive running variances."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(*models, network.n_params)) * 0.7
    for array in network.views(theta).norms:
        array += 0.8
        np.abs(array, out=array)
    return theta


class Problem:
    """An objective at a random point, a batch, and reproducible dropout masks."""

    def __init__(self, network, models=(), n_rows=N_ROWS, dtype=float):
        rng = np.random.default_rng(1)
        self.network, self.models = network, models
        self.theta = random_theta(network, models).astype(dtype)
        self.grad = np.full((*models, network.n_trained), np.nan, dtype)
        n_models = int(np.prod(models, dtype=int))
        self.seeds = range(n_models)
        self.rates = np.broadcast_to(np.array(RATES, dtype), (*models, len(RATES)))
        self.alpha = rng.uniform(0.1, 1, (*models, 1))
        self.l1_ratio = rng.uniform(0.1, 1, (*models, 1))
        self.batch = Batch(
            rng.normal(size=(*models, n_rows, WIDTHS[0])),
            rng.normal(size=(*models, n_rows, WIDTHS[-1])),
            shares(models, n_rows, rng),
            rng.uniform(0.1, 1, models),
            n_rows,
        )

    def member(self, i):
        """The i-th model alone."""
        member = object.__new__(Problem)
        member.network, member.models, member.seeds = self.network, (), [i]
        for name in ("theta", "grad", "rates", "alpha", "l1_ratio"):
            setattr(member, name, getattr(self, name)[i].copy())
        parts = [getattr(self.batch, name)[i] for name in ("x", "y", "weight", "scale")]
        member.batch = Batch(*parts, self.batch.n_rows)
        return member

    def total(self):
        """Loss plus penalty; assigns the gradient."""
        generators = [np.random.default_rng(seed) for seed in self.seeds]
        objective = Objective(
            self.network, LOSS, self.alpha, self.theta, self.grad, self.batch.n_rows, False,
            self.l1_ratio, Dropout(self.rates, generators),
        )  # fmt: skip
        return objective.loss_and_grad(self.batch) + objective.penalty_and_grad(
            self.batch.scale
        )


@pytest.mark.parametrize("n_rows", [N_ROWS, 1])
@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("activation", ACTIVATION)
@EACH_KIND
def test_gradient_matches_finite_differences(name, activation, models, n_rows):
    problem = Problem(network_of(name, ACTIVATION[activation]), models, n_rows)
    theta, before = problem.theta, problem.theta.copy()
    problem.total()
    exact, numeric, step = problem.grad.copy(), np.empty_like(problem.grad), 1e-5
    assert np.isfinite(exact).all()
    for k in range(problem.network.n_trained):
        values = []
        for shift in (step, -step):
            theta[...] = before
            theta[..., k] += shift
            values.append(problem.total())
        numeric[..., k] = (values[0] - values[1]) / (2 * step)
    error = np.linalg.norm(exact - numeric, axis=-1) / np.linalg.norm(numeric, axis=-1)
    assert np.max(error) < 1e-6


@pytest.mark.parametrize("activation", ACTIVATION)
@EACH_KIND
def test_a_stack_equals_its_members(name, activation):
    problem = Problem(network_of(name, ACTIVATION[activation]), (3,))
    members = [problem.member(i) for i in range(3)]
    values = problem.total()
    for i, member in enumerate(members):
        assert member.total() == pytest.approx(values[i], rel=1e-12)
        np.testing.assert_allclose(member.grad, problem.grad[i], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(member.theta, problem.theta[i], rtol=1e-12)


@EACH_KIND
def test_pack_inverts_views(name):
    network = network_of(name)
    theta = random_theta(network)
    params = network.views(theta)
    arrays = [array for views in params for array in views]
    assert sum(array.size for array in arrays) == network.n_params == theta.size
    biases, norms = ([array[0] for array in views] for views in (params.biases, params.norms))
    flat = Parameters(params.weights, biases, norms, params.inputs)
    np.testing.assert_array_equal(network.pack(flat), theta)
    x = np.random.default_rng(0).normal(size=(N_ROWS, WIDTHS[0]))
    np.testing.assert_array_equal(raw_output(network, flat, x), raw_output(network, params, x))
    trained = network.views(theta[: network.n_trained])
    assert len(trained.norms) == 2 * sum(layer.norm is not None for layer in network.layers)
    assert len(trained.inputs) == sum(len(layer.shapes) for layer in network.inputs)
    assert sum(row[-1] for row in layer_rows(network)) == network.n_params
    assert hash(network) == hash(network_of(name))
    assert network == network_of(name)


def test_layout_is_weights_biases_norms_running():
    network = Network.perceptron((2, 3, 1), ACTIVATIONS["relu"], batch_norm=True)
    theta = network.initial(np.random.RandomState(0), 6.0, np.dtype(float))
    np.testing.assert_array_equal(theta[13:], [1] * 3 + [0] * 3 + [0] * 3 + [1] * 3)
    assert (network.n_weights, network.n_trained, network.n_params) == (9, 19, 25)
    assert layer_rows(network) == [
        ("hidden 1", 3, "BatchNorm, ReLU", 21),
        ("output", 1, "", 4),
    ]


def test_layer_rows_mention_every_option():
    options = {"residual": True, "dropout": (True, True), "layer_norm": True, "bias": False}
    network = Network.perceptron((3, 3, 1), ACTIVATIONS["relu"], **options)
    assert layer_rows(network) == [
        ("hidden 1", 3, "input dropout, LayerNorm, ReLU, dropout, residual", 15),
        ("output", 1, "", 3),
    ]


def test_one_activation_for_each_hidden_layer():
    chosen = [ACTIVATIONS[name] for name in ("tanh", "relu", "gelu")]
    network = Network.perceptron(WIDTHS, chosen)
    assert [layer.activation for layer in network.layers[:-1]] == chosen
    with pytest.raises(ValueError, match="shorter"):
        Network.perceptron(WIDTHS, chosen[:2])


def test_at_most_one_norm():
    with pytest.raises(ValueError, match="one norm"):
        Network.perceptron(WIDTHS, ACTIVATIONS["relu"], batch_norm=True, layer_norm=True)


def test_residual_in_closed_form():
    network = network_of("residual")
    theta = random_theta(network)
    x = np.random.default_rng(0).normal(size=(N_ROWS, 4))
    w, b, *_ = network.views(theta)
    first = np.tanh(x @ w[0] + b[0])
    second = np.tanh(first @ w[1] + b[1]) + first  # 5 to 5 columns: the only such layer
    third = np.tanh(second @ w[2] + b[2])
    expected = third @ w[3] + b[3]
    np.testing.assert_allclose(raw_output(network, network.views(theta), x), expected)


@pytest.mark.parametrize("options", [{"residual": True}, {"dropout": (True, False)}])
def test_sparse_input_equals_dense_input(options):
    # Dropout at rate 0, since sparse and dense input draw different masks.
    network = Network.perceptron((5, 5, 2), ACTIVATIONS["tanh"], **options)
    theta = random_theta(network)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_ROWS, 5)) * (rng.random((N_ROWS, 5)) < 0.5)
    grads = []
    for x_given in (x, sp.csr_array(x)):
        grad = np.empty_like(theta)
        dropout = Dropout(np.zeros(2), [np.random.default_rng(0)])
        alpha, is_sparse = np.zeros(1), x_given is not x
        objective = Objective(
            network, LOSS, alpha, theta, grad, N_ROWS, is_sparse, dropout=dropout
        )
        y, weight = rng.normal(size=(N_ROWS, 2)) * 0, np.full((N_ROWS, 1), 1 / N_ROWS)
        objective.loss_and_grad(Batch(x_given, y, weight, np.ones(()), N_ROWS))
        grads.append(grad)
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-12, atol=1e-14)


# Dropout


def dropout_pass(rates, seeds, models=(), sparse=False):
    """A pass through two wide identity layers, so that its output shows the masks."""
    network = Network.perceptron((400, 400, 400), ACTIVATIONS["identity"], dropout=(True, True))
    theta = np.zeros((*models, network.n_params))
    for weights in network.views(theta).weights:
        weights[...] = np.eye(400)
    grad = np.empty_like(theta)
    dropout = Dropout(np.array(rates), [np.random.default_rng(seed) for seed in seeds])
    workspace = Workspace(
        network, network.views(theta), models, 50, theta.dtype, sparse,
        network.views(grad), dropout,
    )  # fmt: skip
    return workspace.bind(50)


def test_dropout_keeps_the_mean_and_redraws_masks():
    x = np.ones((50, 400))
    step = dropout_pass([0.2, 0.5], [0])
    one, other = step.forward(x).copy(), step.forward(x).copy()
    # Rates are multiples of 2^-16.
    np.testing.assert_allclose(np.unique(one), [0, 1 / (0.8 * 0.5)], rtol=2.0**-16 / 0.8)
    # 20000 elements of standard deviation sqrt(1.5).
    assert one.mean() == pytest.approx(1, abs=4 * np.sqrt(1.5 / 20_000))
    assert np.mean((one > 0) != (other > 0)) > 0.4
    assert (x == 1).all()
    np.testing.assert_array_equal(one, dropout_pass([0.2, 0.5], [0]).forward(x))
    assert (one != dropout_pass([0.2, 0.5], [1]).forward(x)).any()


def test_dropout_rate_0_has_no_effect_and_rates_may_differ_between_models():
    x = np.random.default_rng(0).normal(size=(50, 400))
    np.testing.assert_array_equal(dropout_pass([0.0, 0.0], [0]).forward(x), x)
    raw = dropout_pass([[0.0, 0.0], [0.2, 0.5]], [0, 1], (2,)).forward(x)
    np.testing.assert_array_equal(raw[0], x)
    np.testing.assert_array_equal(raw[1], dropout_pass([0.2, 0.5], [1]).forward(x))


def test_dropout_of_sparse_input():
    x = np.random.default_rng(0).normal(size=(50, 400))
    x[:, ::2] = 0
    given = sp.csr_array(x)
    raw = dropout_pass([0.2, 0.0], [0], sparse=True).forward(given)
    np.testing.assert_array_equal(given.toarray(), x)
    kept = raw != 0
    np.testing.assert_allclose(raw[kept], x[kept] / 0.8, rtol=1e-5)
    assert kept[:, 1::2].mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("rate", [1e-6, 0.001, 0.15, 0.5, 0.999, 1 - 1e-7])
def test_a_rate_is_rounded_to_16_bits_and_the_mean_is_kept(rate):
    dropout = Dropout(np.array([rate]), [np.random.Generator(np.random.SFC64(0))])
    mask = np.empty(10**6)
    dropout.draw(0, 0, mask)
    rounded = min(round(rate * 2**16), 2**16 - 1) / 2**16
    assert set(mask) <= {0, 1 / (1 - rounded)}
    spread = np.sqrt(rounded * (1 - rounded) / mask.size)
    assert (mask == 0).mean() == pytest.approx(rounded, abs=4 * spread)


def test_neighboring_elements_of_a_mask_are_independent():
    # Four elements share a random number of 64 bits.
    dropout = Dropout(np.array([0.5]), [np.random.Generator(np.random.SFC64(0))])
    mask = np.empty(10**6)
    dropout.draw(0, 0, mask)
    for distance in range(1, 9):
        correlation = np.mean((mask[distance:] - 1) * (mask[:-distance] - 1))
        assert abs(correlation) < 4 / np.sqrt(mask.size)


@pytest.mark.parametrize("n_rows", [50, 47])
def test_padding_draws_nothing(n_rows):
    x = np.random.default_rng(0).normal(size=(2, 50, 400))
    step, other = (dropout_pass([[0.2, 0.5]] * 2, [0, 1], (2,)) for _ in range(2))
    step.layers[0].dropout.counts = [n_rows, 50]
    other.layers[0].dropout.counts = None
    padded, whole = step.forward(x), other.forward(x)
    np.testing.assert_array_equal(padded[1], whole[1])
    assert (padded[0, n_rows:] == 0).all()
    alone = dropout_pass([0.2, 0.5], [0])
    alone.layers[0].dropout.counts = [n_rows]
    np.testing.assert_array_equal(alone.forward(x[0])[:n_rows], padded[0, :n_rows])
    drawn = np.random.default_rng(0)
    for _ in range(2):
        drawn.bit_generator.random_raw(-(-n_rows * 400 // 4))
    state = step.layers[0].dropout.generators[0].bit_generator.state
    assert state == drawn.bit_generator.state


def test_prediction_has_no_dropout():
    given = network_of("dropout")
    theta = random_theta(given)
    x = np.random.default_rng(0).normal(size=(N_ROWS, WIDTHS[0]))
    without = raw_output(network_of("plain"), given.views(theta), x)
    np.testing.assert_array_equal(raw_output(given, given.views(theta), x), without)


# Batch norm


def test_a_batch_of_one_row_does_not_change_running_averages():
    problem = Problem(network_of("batch norm"), n_rows=1)
    before = problem.theta.copy()
    problem.total()
    np.testing.assert_array_equal(problem.theta, before)


def test_predictions_of_rows_are_independent():
    network = network_of("batch norm")
    params = network.views(random_theta(network))
    x = np.random.default_rng(0).normal(size=(N_ROWS, WIDTHS[0]))
    singly = [raw_output(network, params, row[None])[0] for row in x]
    np.testing.assert_allclose(raw_output(network, params, x), singly, rtol=1e-12)


# In training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
X_COPY = X.copy()
Y = np.eye(2)[(X[:, 0] > 0).astype(int)]


def task(name, i=0, **options):
    """The i-th of several tasks that differ in every number."""
    network = network_of(name)
    generator = np.random.RandomState(i)
    return FitTask(
        network,
        MultinomialLogLoss(),
        **{
            "solver": Adam(learning_rate_init=0.01 * (i + 1)),
            "X": X,
            "y": Y,
            "sample_weight": None,
            "theta": network.initial(generator, 6.0, np.dtype(float), X=X),
            "generator": generator,
            "alpha": 0.1 * (i + 1),
            "batch_size": 16,
            "max_iter": 4 + 2 * i,
            "l1_ratio": 0.3 * i,
            "dropout": tuple(rate / (i + 1) for rate in RATES),
            "mask_generator": np.random.default_rng(i),
            "clip_norm": None if i == 1 else 0.1 + i,
            "max_norm": None if i == 0 else 0.5 * i,
            **options,
        },
    )


@EACH_KIND
def test_training_in_a_stack_equals_training_alone(name):
    tasks = [task(name, i) for i in range(3)]
    assert len({stack_key(each) for each in tasks}) == 1
    together = train(tasks)
    for i, result in enumerate(together):
        alone = train([task(name, i)])[0]
        np.testing.assert_allclose(result.theta, alone.theta, rtol=1e-8, atol=1e-10)
        assert result.theta.size == tasks[i].network.n_params
        assert result.solver_state.moments.shape[-1] == tasks[i].network.n_trained


@pytest.mark.parametrize("options", [{}, {"batch_norm": True}])
def test_stack_with_shared_rows(options):
    # Batches then have no models axis, while masks and skip connections have one.
    options = {"residual": True, "dropout": (True, True), **options}
    network = Network.perceptron((4, 4, 2), ACTIVATIONS["relu"], **options)
    start = network.initial(np.random.RandomState(0), 6.0, np.dtype(float))

    def tasks():
        return [
            replace(
                task("plain", i, shuffle=False), network=network, theta=start, dropout=RATES[:2]
            )
            for i in range(3)
        ]

    assert Stack(tasks()).shares_rows
    for result, alone in zip(train(tasks()), tasks(), strict=True):
        np.testing.assert_allclose(result.theta, train([alone])[0].theta, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(X, X_COPY)


def test_dropout_follows_its_schedule():
    schedules = [
        Constant(),
        FlatCosine(),
        Linear(0.5),
        CosLog(2),
        FromFunction(lambda t: 0.8**t),
    ]

    def tasks():
        for i, schedule in enumerate(schedules):
            yield task("dropout", i, dropout_schedule=schedule, dropout=RATES)

    assert len({stack_key(each) for each in tasks()}) == 1
    together = train(list(tasks()))
    for result, alone in zip(together, tasks(), strict=True):
        np.testing.assert_allclose(result.theta, train([alone])[0].theta, rtol=1e-8, atol=1e-10)
    plain = train([task("dropout", 1, dropout=RATES)])[0].theta
    assert not np.allclose(plain, together[1].theta, rtol=1e-3)


def rates_drawn(schedule, monkeypatch, **options):
    """The rates set before each step of a fit."""
    seen = []
    set_rates = Dropout.set_rates

    def record(dropout, rates):
        seen.append(np.array(rates))
        set_rates(dropout, rates)

    with monkeypatch.context() as patch:
        patch.setattr(Dropout, "set_rates", record)
        result = train([task("dropout", dropout=RATES, dropout_schedule=schedule, **options)])[
            0
        ]
    return np.array(seen[1:]), result


def test_rates_of_dropout_are_multiplied_by_the_values_of_each_step(monkeypatch):
    # 4 epochs of 4 steps; the rates are set once more before the first.
    seen, result = rates_drawn(FlatCosine(), monkeypatch)
    values = FlatCosine().rates(1.0, np.arange(16), Span(0, 4, 16))
    np.testing.assert_allclose(seen, values[:, None] * RATES)
    # A resumed fit goes on from its step.
    seen, _ = rates_drawn(Exponential(0.5), monkeypatch, solver_state=result.solver_state)
    np.testing.assert_allclose(seen, 0.5 ** (np.arange(16, 32)[:, None] / 4) * RATES)
    asked = []
    rates_drawn(FromFunction(lambda step: asked.append(step) or 0.5), monkeypatch)
    assert asked == list(range(16))
    # Constant dropout costs nothing.
    assert rates_drawn(Constant(), monkeypatch)[0].size == 0


def test_dropout_scheduled_to_0_is_none():
    off = FromFunction(lambda step: 0.0)
    one = train([task("dropout", dropout_schedule=off)])[0]
    other = train([task("dropout", dropout=(0.0,) * 4)])[0]
    np.testing.assert_array_equal(one.theta, other.theta)


def test_an_error_of_a_dropout_schedule_is_that_of_its_member():
    schedules = [Constant(), FromFunction(lambda step: 1.5), FromFunction(lambda step: 1 / 0)]
    tasks = [task("dropout", i, dropout_schedule=one) for i, one in enumerate(schedules)]
    first, second, third = train(tasks)
    alone = train([task("dropout", 0)])[0]
    np.testing.assert_allclose(first.theta, alone.theta, rtol=1e-8, atol=1e-10)
    assert isinstance(second, ValueError)
    assert "returned 1.5: its values must be in [0, 1]" in str(second)
    assert isinstance(third, ZeroDivisionError)
    again = train([task("dropout", 1, dropout_schedule=schedules[1])])[0]
    assert isinstance(again, ValueError)


def test_a_member_that_leaves_on_time_has_drawn_the_masks_of_its_steps(monkeypatch):
    now = [0]

    def after_step():
        now[0] += 1
        return now[0]

    monkeypatch.setattr("skdeep._training.stack.monotonic", after_step)
    monkeypatch.setattr("skdeep._training.model_run.monotonic", lambda: now[0])

    def tasks():
        return [task("dropout", i, max_time=time) for i, time in enumerate([5.5, np.inf, 2.5])]

    together = tasks()
    results = train(together)
    assert [result.outcome for result in results] == ["max_time", "max_iter", "max_time"]
    for result, member, alone in zip(results, together, tasks(), strict=True):
        now[0] = 0
        np.testing.assert_allclose(result.theta, train([alone])[0].theta, rtol=1e-8, atol=1e-10)
        states = [one.mask_generator.bit_generator.state for one in (member, alone)]
        assert states[0] == states[1]


@EACH_KIND
@pytest.mark.parametrize("batch_size", [17, 64])
@pytest.mark.parametrize("weighted", [False, True])
def test_members_may_have_different_numbers_of_rows(name, batch_size, weighted):
    def tasks():
        for i, n_rows in enumerate([50, 49, 50, 36]):
            rows = np.random.RandomState(i).permutation(50)[:n_rows]
            weight = np.linspace(0.5, 2, 50)[:, None] if weighted else None
            yield task(name, i, rows=rows, batch_size=batch_size, sample_weight=weight)

    # Padded rows would count in the statistics of batch norm.
    n_stacks = len({stack_key(each) for each in tasks()})
    assert n_stacks == (3 if "batch norm" in name else 1)
    if n_stacks > 1:
        return
    for result, alone in zip(train(list(tasks())), tasks(), strict=True):
        np.testing.assert_allclose(result.theta, train([alone])[0].theta, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["plain", "layer norm", "no bias", "residual"])
def test_lbfgs_lowers_the_loss(name):
    given = task(name, solver=LBFGS(), max_iter=30, dropout=(), alpha=1e-4)
    result = train([given])[0]
    assert result.loss < result.history.loss_curve[0] / 2


def test_norm_limits_in_closed_form():
    grad = np.array([[3.0, 4.0], [0.3, 0.4], [3.0, 4.0], [0.0, 0.0]])
    clip_norm(grad, np.array([[1.0], [1.0], [np.inf], [1.0]]))
    np.testing.assert_allclose(grad, [[0.6, 0.8], [0.3, 0.4], [3, 4], [0, 0]])
    weights = np.array([[[3.0, 0.1, 0], [4.0, 0.2, 0]]] * 2)
    limit_max_norm([weights], np.array([[1.0], [np.inf]]))
    np.testing.assert_allclose(weights[0], [[0.6, 0.1, 0], [0.8, 0.2, 0]])
    np.testing.assert_array_equal(weights[1], [[3, 0.1, 0], [4, 0.2, 0]])


def test_norm_limits_hold_in_training():
    given = task("plain", max_norm=0.3, clip_norm=None, alpha=0.0)
    weights = given.network.views(train([given])[0].theta).weights
    norms = np.concatenate([np.linalg.norm(w, axis=0) for w in weights])
    assert norms.max() == pytest.approx(0.3, rel=1e-12)
    rate = 0.5
    start = task("plain", solver=SGD(learning_rate_init=rate, momentum=0.0), alpha=10.0)
    one_step = replace(start, batch_size=50, max_iter=1, clip_norm=0.01, max_norm=None)
    moved = train([one_step])[0].theta - start.theta
    assert np.linalg.norm(moved) == pytest.approx(rate * 0.01)


def test_large_norm_limits_change_nothing():
    free = train([task("plain", clip_norm=None, max_norm=None)])[0]
    loose = train([task("plain", clip_norm=1e9, max_norm=1e9)])[0]
    np.testing.assert_array_equal(free.theta, loose.theta)


@pytest.mark.parametrize("n_models", [1, 2])
@EACH_KIND
def test_a_step_allocates_no_large_arrays(name, n_models):
    widths = (300, 256, 256, 200, 10)
    network = network_of(name, ACTIVATIONS["relu"], widths)
    x = np.zeros((1024, 300), np.float32)
    y = np.tile(np.eye(10, dtype=np.float32)[0], (1024, 1))
    tasks = []
    for i in range(n_models):
        theta = network.initial(np.random.RandomState(i), 6.0, np.dtype(np.float32), X=x)
        given = task(name, i, X=x, y=y, theta=theta, batch_size=256, max_norm=1.0)
        tasks.append(replace(given, network=network, clip_norm=1.0))
    stack = Stack(tasks)
    stack._arrange(stack.runs)
    stack._epoch()
    tracemalloc.start()
    try:
        stack._epoch()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A batch of hidden outputs takes 256 kB per model.
    assert peak < 128 * 1024


class Square:
    """A user-defined activation that is not hashable."""

    __hash__ = None

    def value(self, z):
        return z**2

    def derivative(self, z):
        return 2 * z


def test_a_custom_activation_trains():
    problem = Problem(Network.perceptron(WIDTHS, Custom(Square()), batch_norm=True))
    problem.total()
    assert np.isfinite(problem.grad).all()
    assert isinstance(hash(problem.network), int)
