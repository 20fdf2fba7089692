"""Laws of every loss: value, gradient, extremes, weights, perfect predictions, baselines."""

import pickle
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skdeep.losses import (
    CLASSIFICATION_LOSSES,
    OUTPUT_ACTIVATIONS,
    REGRESSION_LOSSES,
    AbsoluteError,
    ActivatedLoss,
    BinaryFocalLoss,
    BinaryLogLoss,
    BinaryLoss,
    BinarySquaredError,
    HalfGammaLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    Huber,
    HuberLoss,
    LogCosh,
    MultinomialFocalLoss,
    MultinomialLogLoss,
    MultinomialLoss,
    MultinomialSquaredError,
    MultiOutputLoss,
    PointwiseLoss,
    QuantileLoss,
    RegressionLoss,
    classification_loss,
    regression_loss,
)


@dataclass(frozen=True)
class Quartic:
    """A custom loss."""

    def loss(self, y_true, y_pred):
        return (y_pred - y_true) ** 4

    def gradient(self, y_true, y_pred):
        return 4 * (y_pred - y_true) ** 3


QUARTIC = PointwiseLoss(Quartic())
# All with two columns.
LOSSES = (
    HalfSquaredError(),
    HalfPoissonLoss(),
    BinaryLogLoss(),
    MultinomialLogLoss(),
    MultinomialFocalLoss(1.5),
    QuantileLoss((0.2, 0.7)),
    ActivatedLoss(HuberLoss(0.7), OUTPUT_ACTIVATIONS["tanh"]),
    MultiOutputLoss((BinaryLogLoss(), BinaryFocalLoss()), (1, 1)),
)
POINTWISE = (
    HalfSquaredError(),
    AbsoluteError(),
    HuberLoss(0.7),
    LogCosh(),
    HalfPoissonLoss(),
    HalfGammaLoss(),
    QUARTIC,
)
ACTIVATED = tuple(
    ActivatedLoss(loss, output)
    for loss in POINTWISE
    for output in OUTPUT_ACTIVATIONS.values()
    if output.is_positive or not loss.needs_positive
)
FOCAL = tuple(
    focal(gamma) for focal in (BinaryFocalLoss, MultinomialFocalLoss) for gamma in (0, 0.5, 3.0)
)
EVERY = (
    LOSSES[:-2]  # the last two are among those below
    + POINTWISE[1:4]
    + POINTWISE[5:]
    + ACTIVATED
    + FOCAL
    + (BinarySquaredError(), MultinomialSquaredError(), BinaryFocalLoss())
    + (QuantileLoss((0.5,)), QuantileLoss((0.1, 0.5, 0.9)))
    + (MultiOutputLoss((MultinomialLogLoss(), BinaryLogLoss()), (3, 1)),)
    + (MultiOutputLoss((MultinomialSquaredError(), MultinomialFocalLoss()), (2, 3)),)
)
MODELS = ((), (1,), (3,))


def name_of(loss):
    if isinstance(loss, ActivatedLoss):
        return f"{name_of(loss.loss)}-{loss.output_activation.name}"
    numbers = [getattr(loss, name, "") for name in ("gamma", "quantiles", "widths")]
    return type(loss).__name__ + "".join(map(str, numbers)).replace(" ", "")


each_loss = pytest.mark.parametrize("loss", EVERY, ids=name_of)


def width(loss):
    """Columns of the raw output."""
    if isinstance(loss, MultiOutputLoss):
        return sum(loss.widths)
    return len(loss.quantiles) if isinstance(loss, QuantileLoss) else 3


def targets(loss, shape, rng):
    """Random targets of the loss's kind, for raw output of the given shape."""
    rows = shape[:-1]
    if isinstance(loss, MultiOutputLoss):
        groups = zip(loss.losses, loss.widths, strict=True)
        return np.concatenate([targets(one, (*rows, n), rng) for one, n in groups], -1)
    if isinstance(loss, QuantileLoss):
        return rng.normal(size=(*rows, 1))
    if isinstance(loss, MultinomialLoss):
        return np.eye(shape[-1])[rng.integers(shape[-1], size=rows)]
    if isinstance(loss, BinaryLoss):
        return rng.integers(2, size=shape).astype(float)
    kernel = loss.loss if isinstance(loss, ActivatedLoss) else loss
    if isinstance(kernel, HalfGammaLoss):
        return rng.gamma(2, size=shape)
    if isinstance(kernel, HalfPoissonLoss):
        return rng.poisson(2, shape).astype(float)
    return rng.normal(size=shape)


def shares(models, n_rows, rng):
    """Weights of rows that add up to 1."""
    weight = rng.uniform(0.1, 2, (*models, n_rows, 1))
    return weight / weight.sum(axis=-2, keepdims=True)


def by_columns(array):
    """A copy whose columns lie behind one another, as a network's raw output."""
    return np.ascontiguousarray(array.mT).mT


def evaluate(loss, y, raw, weight):
    """Value and gradient from fresh buffers."""
    gradient, scratch = (by_columns(np.full_like(raw, np.nan)) for _ in range(2))
    return loss.value_and_gradient(y, by_columns(raw), weight, gradient, scratch), gradient


def problem(loss, models=(), n_rows=5, seed=0):
    rng = np.random.default_rng(seed)
    shape = (*models, n_rows, width(loss))
    return targets(loss, shape, rng), rng.normal(size=shape), shares(models, n_rows, rng)


def test_every_loss_is_tested():
    tested = {type(loss) for loss in EVERY}
    assert {type(loss) for loss in REGRESSION_LOSSES.values()} <= tested
    assert {type(loss) for pair in CLASSIFICATION_LOSSES.values() for loss in pair} <= tested


@pytest.mark.parametrize("models", MODELS)
@each_loss
def test_gradient_is_that_of_the_value(loss, models):
    y, raw, weight = problem(loss, models)
    check_gradient(loss, y, raw, weight)


def check_gradient(loss, y, raw, weight):
    value, gradient = evaluate(loss, y, raw, weight)
    assert value.shape == raw.shape[:-2]
    numeric = np.empty_like(raw)
    step = 1e-6
    for row, column in np.ndindex(raw.shape[-2:]):
        ends = []
        for sign in (1, -1):
            moved = raw.copy()
            moved[..., row, column] += sign * step
            ends.append(evaluate(loss, y, moved, weight)[0])
        numeric[..., row, column] = (ends[0] - ends[1]) / (2 * step)
    atol = 2e-9 * max(1, np.abs(numeric).max())
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=atol)


@pytest.mark.parametrize(
    "loss", [loss for pair in CLASSIFICATION_LOSSES.values() for loss in pair], ids=name_of
)
def test_gradient_with_smoothed_labels(loss):
    y, raw, weight = problem(loss)
    check_gradient(loss, 0.8 * y + 0.2 / y.shape[-1], raw, weight)


@each_loss
def test_a_stack_is_its_members(loss):
    y, raw, weight = problem(loss, (3,), n_rows=700)
    values, gradients = evaluate(loss, y, raw, weight)
    shared, _ = evaluate(loss, y[0], raw, weight)  # y without the models' axis
    for i in range(3):
        value, gradient = evaluate(loss, y[i], raw[i], weight[i])
        assert value == pytest.approx(values[i], rel=1e-12)
        np.testing.assert_allclose(gradient, gradients[i], rtol=1e-10, atol=1e-14)
        alone = evaluate(loss, y[0], raw[i], weight[i])[0]
        assert alone == pytest.approx(shared[i], rel=1e-12)


@each_loss
def test_output_of_a_stack_is_that_of_its_members(loss):
    _, raw, _ = problem(loss, (3,))
    given = raw.copy()
    together = loss.output(given)
    assert together is given  # in place
    for i in range(3):
        np.testing.assert_allclose(loss.output(raw[i].copy()), together[i], rtol=1e-12)


@each_loss
def test_weights_are_repetitions(loss):
    y, raw, _ = problem(loss, n_rows=6)
    times = np.arange(6)  # the first row does not count at all
    rows = np.repeat(times, times)
    weighted, gradient = evaluate(loss, y, raw, times[:, None] / times.sum())
    repeated, _ = evaluate(loss, y[rows], raw[rows], np.full((len(rows), 1), 1 / len(rows)))
    assert weighted == pytest.approx(repeated, rel=1e-12)
    np.testing.assert_array_equal(gradient[0], 0)


@pytest.mark.parametrize("models", [(), (3,)])
@pytest.mark.parametrize(
    "loss",
    [loss for loss in EVERY if QUARTIC not in (loss, getattr(loss, "loss", None))],
    ids=name_of,
)
def test_nothing_is_allocated_that_grows_with_the_batch(loss, models):
    # All but custom losses, whose methods return new arrays.
    y, raw, weight = problem(loss, models, n_rows=20_000)
    y, raw = by_columns(y), by_columns(raw)
    gradient, scratch = by_columns(np.empty_like(raw)), by_columns(np.empty_like(raw))
    tracemalloc.start()
    try:
        loss.value_and_gradient(y, raw, weight, gradient, scratch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 96 * 1024 < raw.nbytes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_loss
def test_dtype_is_kept_and_y_not_written_to(loss, dtype):
    y, raw, weight = (array.astype(dtype) for array in problem(loss))
    y.flags.writeable = weight.flags.writeable = False
    value, gradient = evaluate(loss, y, raw, weight)
    assert value.dtype == gradient.dtype == loss.output(raw).dtype == dtype
    assert np.isfinite(value)


@pytest.mark.parametrize(
    "loss",
    [
        loss
        for loss in EVERY
        if isinstance(loss, BinaryLoss | MultinomialLoss | MultiOutputLoss)
    ],
    ids=name_of,
)
def test_bool_targets_are_zeros_and_ones(loss):
    y, raw, weight = problem(loss)
    for found, expected in zip(
        evaluate(loss, y.astype(bool), raw, weight), evaluate(loss, y, raw, weight), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [BinaryLogLoss(), MultinomialLogLoss(), *FOCAL], ids=name_of)
def test_log_losses_at_extremes(loss, dtype):
    # A prediction that is wrong by r costs r; a right one costs nothing; no overflow.
    raw = np.array([[1e4, -1e4], [-1e4, 1e4], [0, 0]], dtype)
    y = np.array([[1, 0], [1, 0], [1, 0]], dtype)
    one = np.ones((1, 1), dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = [evaluate(loss, y[[i]], raw[[i]], one)[0] for i in range(3)]
        gradient = evaluate(loss, y, raw, np.ones((3, 1), dtype))[1]
    wrong = 2e4  # twice 1e4 in both: two columns, or the distance between the two
    np.testing.assert_allclose(values[:2], [0, wrong], atol=1e-30, rtol=1e-6)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient[:2], [[0, 0], [-1, 1]], atol=1e-30)


@pytest.mark.parametrize("size", [30, 300, 1e4])
@each_loss
def test_extremes_are_finite_in_float32(loss, size):
    output_activation = getattr(loss, "output_activation", None)
    if output_activation == OUTPUT_ACTIVATIONS["exp"]:
        size = min(size, 20)  # exp(89), and its square of half that, is infinite
    if QUARTIC in (loss, getattr(loss, "loss", None)):
        size = min(size, 300)  # the fourth power of 1e4 takes the rest's digits
    rng = np.random.default_rng(0)
    shape = (20, width(loss))
    raw = (size * rng.choice([-1, 1], shape)).astype(np.float32)
    y, weight = targets(loss, shape, rng).astype(np.float32), np.full((20, 1), 0.05, np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = evaluate(loss, y, raw, weight)
        output = loss.output(raw.copy())
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert np.isfinite(output).all()
    exact, exact_gradient = evaluate(loss, y.astype(float), raw.astype(float), weight * 1.0)
    if output_activation is None or output_activation.name == "identity":
        assert value == pytest.approx(exact, rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(gradient, exact_gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "loss", [loss for loss in EVERY if not isinstance(loss, QuantileLoss)], ids=name_of
)
def test_perfect_prediction_costs_nothing(loss):
    rng = np.random.default_rng(4)
    shape = (6, width(loss))
    if isinstance(loss, RegressionLoss):
        raw = rng.normal(size=shape)
        y = loss.output(raw.copy())
    else:
        y = targets(loss, shape, rng)
        raw = (y - 0.5) * 200
    value, gradient = evaluate(loss, y, raw, np.full((6, 1), 1 / 6))
    assert value == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-12)
    np.testing.assert_allclose(loss.output(raw.copy()), y, atol=1e-12)


# Against others


def sklearn_value(loss, y, raw, weight):
    flat = {"sample_weight": weight[:, 0]}
    p = loss.output(raw.copy())

    def columns(measure):
        return sum(measure(y[:, k], p[:, k], **flat) for k in range(p.shape[1]))

    def pinball(quantiles):
        each = enumerate(quantiles)
        return sum(mean_pinball_loss(y, p[:, k], alpha=q, **flat) for k, q in each)

    return {
        HalfSquaredError: lambda: columns(mean_squared_error) / 2,
        AbsoluteError: lambda: columns(mean_absolute_error),
        HalfPoissonLoss: lambda: columns(mean_poisson_deviance) / 2,
        HalfGammaLoss: lambda: columns(mean_gamma_deviance) / 2,
        QuantileLoss: lambda: pinball(loss.quantiles),
        BinaryLogLoss: lambda: columns(log_loss),
        MultinomialLogLoss: lambda: log_loss(y, softmax(raw, axis=1), **flat),
        BinarySquaredError: lambda: columns(mean_squared_error) / 2,
        MultinomialSquaredError: lambda: columns(mean_squared_error) / 2,
    }[type(loss.loss if isinstance(loss, ActivatedLoss) else loss)]()


KNOWN = (
    HalfSquaredError(),
    AbsoluteError(),
    HalfPoissonLoss(),
    HalfGammaLoss(),
    QuantileLoss((0.3,)),
    QuantileLoss((0.1, 0.5, 0.9)),
    BinaryLogLoss(),
    MultinomialLogLoss(),
    BinarySquaredError(),
    MultinomialSquaredError(),
    ActivatedLoss(HalfPoissonLoss(), OUTPUT_ACTIVATIONS["softplus"]),
    ActivatedLoss(HalfGammaLoss(), OUTPUT_ACTIVATIONS["softplus"]),
    ActivatedLoss(HalfSquaredError(), OUTPUT_ACTIVATIONS["logistic"]),
)


@pytest.mark.parametrize("loss", KNOWN, ids=name_of)
def test_value_is_scikit_learns(loss):
    y, raw, weight = problem(loss, n_rows=40, seed=1)
    value, _ = evaluate(loss, y, raw, weight)
    assert value == pytest.approx(sklearn_value(loss, y, raw, weight), rel=1e-12)


def test_gradients_are_scikit_learns():
    peers = pytest.importorskip("sklearn._loss.loss")
    pairs = [
        (AbsoluteError(), peers.AbsoluteError()),
        (HuberLoss(1.345), peers.HuberLoss(delta=1.345)),
        (HalfGammaLoss(), peers.HalfGammaLoss()),
        (QuantileLoss((0.3,)), peers.PinballLoss(quantile=0.3)),
    ]
    for loss, peer in pairs:
        y, raw, weight = problem(loss, n_rows=40)
        expected = peer.gradient(y[:, 0].copy(), raw[:, 0].copy()) * weight[:, 0]
        _, gradient = evaluate(loss, y[:, :1], raw[:, :1], weight)
        np.testing.assert_allclose(gradient[:, 0], expected, rtol=1e-10, atol=1e-15)


def test_values_and_gradients_are_torchs():
    torch = pytest.importorskip("torch")

    def focal_of(p, y, gamma):
        return -y * (1 - p) ** gamma * p.log()

    def huber(y, z):
        return torch.nn.functional.huber_loss(z, y, reduction="none", delta=0.7)

    formulas = {
        HuberLoss(0.7): huber,
        LogCosh(): lambda y, z: (z - y).cosh().log(),
        HalfGammaLoss(): lambda y, z: z + y / z.exp() - y.log() - 1,
        MultinomialSquaredError(): lambda y, z: (z.softmax(-1) - y) ** 2 / 2,
        BinarySquaredError(): lambda y, z: (z.sigmoid() - y) ** 2 / 2,
        MultinomialFocalLoss(2.5): lambda y, z: focal_of(z.softmax(-1), y, 2.5),
        BinaryFocalLoss(2.5): lambda y, z: (
            focal_of(z.sigmoid(), y, 2.5) + focal_of((-z).sigmoid(), 1 - y, 2.5)
        ),
    }
    for loss, formula in formulas.items():
        y, raw, weight = problem(loss, n_rows=20)
        z = torch.tensor(raw, requires_grad=True)
        expected = (torch.tensor(weight) * formula(torch.tensor(y), z)).sum()
        expected.backward()
        value, gradient = evaluate(loss, y, raw, weight)
        assert value == pytest.approx(expected.item(), rel=1e-10)
        np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("focal", "plain"),
    [(BinaryFocalLoss, BinaryLogLoss()), (MultinomialFocalLoss, MultinomialLogLoss())],
)
def test_focal_loss_without_gamma_is_log_loss(focal, plain):
    y, raw, weight = problem(plain, n_rows=2000)
    y = 0.9 * y + 0.1 / y.shape[-1]
    value, gradient = evaluate(focal(0.0), y, raw, weight)
    expected, expected_gradient = evaluate(plain, y, raw, weight)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-10, atol=1e-15)


# Output activations


@pytest.mark.parametrize("output", OUTPUT_ACTIVATIONS.values(), ids=OUTPUT_ACTIVATIONS)
def test_output_activations(output):
    raw = np.linspace(-6, 6, 50)
    step = 1e-6
    numeric = (output.forward(raw + step) - output.forward(raw - step)) / (2 * step)
    prediction = output.forward(raw.copy())
    np.testing.assert_allclose(output.link(prediction.copy()), raw, rtol=1e-8, atol=1e-8)
    assert not output.is_positive or (prediction > 0).all()
    slope = np.ones(50)
    output.backward(prediction, slope)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-9)
    for end in (-1e3, 0.0, 1.0, 1e3):
        assert np.isfinite(output.link(np.array([end]))).all()


@pytest.mark.parametrize("loss", [HalfPoissonLoss(), HalfGammaLoss()], ids=name_of)
def test_canonical_output_activation_is_the_same_by_either_formula(loss):
    y, raw, weight = problem(loss)
    value, gradient = evaluate(loss, y, raw, weight)
    activated_value, activated_gradient = evaluate(
        ActivatedLoss(loss, loss.output_activation), y, raw, weight
    )
    assert value == pytest.approx(activated_value, rel=1e-12)
    np.testing.assert_allclose(gradient, activated_gradient, rtol=1e-10, atol=1e-14)


# Baselines


@each_loss
def test_no_constant_is_better_than_the_baseline(loss):
    rng = np.random.default_rng(5)
    y = targets(loss, (60, width(loss)), rng)
    weight = rng.integers(0, 4, (60, 1)).astype(float)
    share = weight / weight.sum()
    baseline = loss.baseline(y, weight)
    assert baseline.shape == (width(loss),)
    assert baseline.dtype == np.float64

    def value(constant):
        return evaluate(loss, y, np.tile(constant, (60, 1)), share)[0]

    best = value(baseline)
    # The best constant may be the end of the range, which is only approached.
    tolerance = (
        1e-6
        if getattr(loss, "output_activation", OUTPUT_ACTIVATIONS["identity"]).name != "identity"
        else 1e-9
    )
    for k in range(len(baseline)):
        for step in (0.01, 0.3, 3.0):
            for sign in (1, -1):
                moved = baseline.copy()
                moved[k] += sign * step
                assert value(moved) >= best - tolerance * (1 + abs(best))
    np.testing.assert_allclose(loss.baseline(y, 7 * weight), baseline, rtol=1e-6, atol=1e-7)
    rows = np.repeat(np.arange(60), weight[:, 0].astype(int))
    assert value(loss.baseline(y[rows])) == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize("scale", [1e-3, 1e4])
@pytest.mark.parametrize("loss", [HuberLoss(), LogCosh(), QUARTIC], ids=name_of)
def test_baseline_where_y_is_small_or_large(loss, scale):
    y = scale * np.random.default_rng(6).gamma(2, size=(200, 1))
    baseline = loss.baseline(y)
    share = np.full((200, 1), 1 / 200)
    grid = np.linspace(y.min(), y.max(), 300)
    values = [evaluate(loss, y, np.full((200, 1), end), share)[0] for end in (*baseline, *grid)]
    assert values[0] <= min(values[1:]) * (1 + 1e-9)


@each_loss
def test_baseline_of_constant_targets_is_finite(loss):
    y = np.repeat(targets(loss, (1, width(loss)), np.random.default_rng(7)), 9, axis=0)
    baseline = loss.baseline(y)
    assert np.isfinite(baseline).all()
    assert np.isfinite(evaluate(loss, y, np.tile(baseline, (9, 1)), np.full((9, 1), 1 / 9))[0])


@pytest.mark.parametrize("output", ["logistic", "tanh"])
@pytest.mark.parametrize("loss", [HuberLoss(5.0), QUARTIC], ids=name_of)
def test_baseline_within_a_range_that_excludes_the_median(loss, output):
    y = np.array([[1.2], [1.2], [-1.0]])
    activated = ActivatedLoss(loss, OUTPUT_ACTIVATIONS[output])
    found = activated.output(activated.baseline(y)[None])
    np.testing.assert_allclose(found, loss.baseline(y)[None], atol=1e-6)


def test_baselines_are_the_textbooks():
    rng = np.random.default_rng(8)
    y = rng.gamma(2, size=(101, 1))
    np.testing.assert_allclose(HalfSquaredError().baseline(y), y.mean())
    np.testing.assert_allclose(AbsoluteError().baseline(y), np.median(y))
    for loss in (HalfPoissonLoss(), HalfGammaLoss()):
        np.testing.assert_allclose(loss.baseline(y), np.log(y.mean()))
    hits = y > 1
    np.testing.assert_allclose(expit(BinaryLogLoss().baseline(hits)), hits.mean())
    classes = np.hstack([hits, ~hits])
    found = softmax(MultinomialLogLoss().baseline(classes))
    np.testing.assert_allclose(found, classes.mean(axis=0))
    loss = QuantileLoss((0.1, 0.5, 0.9))
    found = loss.output(loss.baseline(y)[None])[0]
    expected = np.quantile(y, loss.quantiles, method="inverted_cdf")
    np.testing.assert_allclose(found, expected)


# Quantiles


@settings(deadline=None)
@given(arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32)))
def test_quantiles_never_cross(raw):
    assert (np.diff(QuantileLoss((0.1, 0.5, 0.9)).output(raw), axis=1) >= 0).all()


@pytest.mark.parametrize("quantiles", [(), (0.5, 0.1), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0)])
def test_quantiles_must_ascend(quantiles):
    with pytest.raises(ValueError, match="ascending"):
        QuantileLoss(quantiles)


# Custom losses


def test_custom_losses_are_pickled():
    assert pickle.loads(pickle.dumps(QUARTIC)) == QUARTIC


def test_custom_loss_must_return_elements():
    class Mean(Quartic):
        def loss(self, y_true, y_pred):
            return np.mean(y_pred - y_true)

    with pytest.raises(ValueError, match=r"Mean.loss.* shape \(\) .*without sum or mean"):
        evaluate(PointwiseLoss(Mean()), *problem(QUARTIC))


def test_custom_loss_cannot_write():
    class Writes(Quartic):
        def gradient(self, y_true, y_pred):
            y_pred -= y_true
            return y_pred

    with pytest.raises(ValueError, match="read-only"):
        evaluate(PointwiseLoss(Writes()), *problem(QUARTIC))


# By name


def test_losses_by_name():
    assert classification_loss("log_loss", False) == BinaryLogLoss()
    assert classification_loss("squared_error", True) == MultinomialSquaredError()
    assert regression_loss("squared_error") == HalfSquaredError()
    assert regression_loss("squared_error", "identity") == HalfSquaredError()
    assert regression_loss("poisson", "exp") == HalfPoissonLoss()
    assert regression_loss("quantile", quantiles=[0.1, 0.9]) == QuantileLoss((0.1, 0.9))
    activated = regression_loss(Huber(2.0), "tanh")
    assert activated == ActivatedLoss(HuberLoss(2.0), OUTPUT_ACTIVATIONS["tanh"])
    assert activated.out_activation == "tanh"
    assert regression_loss(Quartic()) == QUARTIC
    assert regression_loss(Quartic(), "exp") == ActivatedLoss(
        QUARTIC, OUTPUT_ACTIVATIONS["exp"]
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("poisson", "identity"), "above 0.*'identity'.*softplus"),
        (("gamma", "tanh"), "above 0.*'tanh'"),
        (("quantile", "exp"), "no output_activation.*'exp'"),
        ((object(),), "methods.*lacks.*loss.*gradient"),
        ((Quartic,), "a class: give an instance"),
    ],
)
def test_what_does_not_go_together(args, words):
    with pytest.raises(ValueError, match=words):
        regression_loss(*args)


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        (HalfPoissonLoss(), [-1.5, 1.0], "y >= 0, but y holds -1.5.*squared_error"),
        (HalfGammaLoss(), [0.0, 1.0], "y > 0, but y holds 0.0.*poisson"),
        (ActivatedLoss(HalfGammaLoss(), OUTPUT_ACTIVATIONS["softplus"]), [0.0], "y > 0"),
        (QuantileLoss(), [[1.0, 2.0]], r"single target.*\(1, 2\)"),
    ],
)
def test_targets_out_of_a_losss_domain(loss, y, words):
    with pytest.raises(ValueError, match=words):
        loss.check_targets(np.array(y))
    loss.check_targets(np.array([[1.0], [2.0]]))
