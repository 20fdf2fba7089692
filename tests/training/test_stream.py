"""Laws of streams: calls to partial_fit over the parts of a table are one fit to the whole."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import AcrossCalls, AdamW, DeepClassifier, DeepRegressor, WarmUp
from skdeep._network.network import Network
from skdeep._training.fit_task import FitTask, stack_key
from skdeep._training.train import train
from skdeep.activations import ACTIVATIONS
from skdeep.losses import HalfSquaredError
from skdeep.schedules import SCHEDULES, as_schedule
from skdeep.solvers import Adam

N_ROWS, BATCH, N_EPOCHS = 531, 50, 3
# The last of the calls has a batch of 31 rows. Every schedule is in the middle of its course
# when a call ends.
CALLS = [slice(0, 200), slice(200, 450), slice(450, N_ROWS)]
STEPS_PER_EPOCH = 4 + 5 + 2
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 4))
CLASSES = np.arange(N_ROWS) % 3
NUMBERS = X @ RNG.normal(size=(4, 2))


def model(kind=DeepClassifier, **options):
    shared = {"batch_size": BATCH, "shuffle": False, "random_state": 0, "max_iter": N_EPOCHS}
    return kind(hidden_layer_sizes=(8, 6), **shared, **options)


def flat(fitted):
    arrays = [*fitted.coefs_, *fitted.intercepts_, *fitted.norms_]
    return np.concatenate([np.ravel(array) for array in arrays])


def assert_same(ours, theirs):
    # Rounding may depend on where in memory a batch begins.
    ours, theirs = flat(ours), flat(theirs)
    rtol, atol = (1e-9, 1e-12) if ours.dtype == np.float64 else (1e-3, 1e-5)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def streamed(estimator, y, parts=CALLS, n_epochs=N_EPOCHS, read=lambda rows: X[rows]):
    classes = {"classes": [0, 1, 2]} if isinstance(estimator, DeepClassifier) else {}
    for _ in range(n_epochs):
        for rows in parts:
            estimator.partial_fit(read(rows), y[rows], **classes)
    return estimator


BY_STEP = {name: as_schedule(name) for name in SCHEDULES if as_schedule(name).by_step}


@pytest.mark.parametrize(
    "schedule",
    [
        *BY_STEP,
        WarmUp(1.5, "cosine"),
        WarmUp(0.1, "exponential"),
        pytest.param(lambda step: 0.1 / (step + 1), id="function"),
    ],
    ids=str,
)
def test_a_schedule_goes_on_from_call_to_call(schedule):
    across = AcrossCalls(schedule, STEPS_PER_EPOCH, N_EPOCHS)
    whole = model(learning_rate=schedule).fit(X, CLASSES)
    parts = streamed(model(learning_rate=across), CLASSES)
    assert_same(parts, whole)
    assert parts.t_ == whole.t_ == N_EPOCHS * N_ROWS
    # In one call, it is the schedule itself.
    assert_same(model(learning_rate=across).fit(X, CLASSES), whole)


@pytest.mark.parametrize("name", SCHEDULES)
def test_another_length_is_another_schedule(name):
    fits = [
        streamed(model(learning_rate=AcrossCalls(name, n_steps, n_epochs)), CLASSES)
        for n_steps, n_epochs in [(STEPS_PER_EPOCH, N_EPOCHS), (STEPS_PER_EPOCH // 2, 1)]
    ]
    differs = not np.allclose(*map(flat, fits), rtol=1e-6)
    assert differs == (name in BY_STEP and name != "step")  # which changes after 50 epochs


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "batch"},
        {"norm": "layer", "residual": True, "l1_ratio": 0.5, "alpha": 0.1},
        {"dropout": [0.1, 0.3, 0.0]},
        {"weight_averaging": 0.9},
        {"clip_norm": 0.1, "max_norm": 1.0, "dtype": "float32"},
        {"solver": "sgd", "momentum": 0.5},
        {"solver": "nadam"},
        {"solver": AdamW(decay_schedule=AcrossCalls("linear", STEPS_PER_EPOCH, N_EPOCHS))},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_calls_are_one_fit(kind, options):
    y = CLASSES if kind is DeepClassifier else NUMBERS
    parts = streamed(model(kind, **options), y)
    if not isinstance(options.get("solver", ""), str):
        options = {"solver": AdamW(decay_schedule="linear")}
    assert_same(parts, model(kind, **options).fit(X, y))


def test_a_schedule_goes_on_after_pickling():
    interrupted = model(learning_rate=AcrossCalls("one_cycle", STEPS_PER_EPOCH, N_EPOCHS))
    expected = streamed(clone(interrupted), CLASSES)
    for _ in range(N_EPOCHS):
        interrupted = pickle.loads(pickle.dumps(streamed(interrupted, CLASSES, n_epochs=1)))
    np.testing.assert_array_equal(flat(interrupted), flat(expected))


@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("n_rows", [1, BATCH - 1, BATCH + 1])
def test_a_short_call_is_one_short_batch_and_no_warning(n_rows, norm):
    long, short = slice(0, 2 * BATCH), slice(2 * BATCH, 2 * BATCH + n_rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = streamed(model(norm=norm), CLASSES, [long, short], n_epochs=2)
    assert np.isfinite(flat(parts)).all()
    whole = model(norm=norm).set_params(max_iter=2).fit(X[: short.stop], CLASSES[: short.stop])
    if n_rows < BATCH:
        assert_same(parts, whole)


def test_validation_scoring_may_wait_for_its_rows():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = model(validation_scoring="loss").partial_fit(X, CLASSES, classes=[0, 1, 2])
        fitted.partial_fit(X, CLASSES, X_val=X[:9], y_val=CLASSES[:9])
        fitted.partial_fit(X, CLASSES)
        fitted.partial_fit(X, CLASSES, X_val=X[:9], y_val=CLASSES[:9])
    assert len(fitted.validation_scores_) == 2
    assert len(fitted.loss_curve_) == 4


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_stack_whose_last_batch_has_one_row_is_its_members(batch_norm):
    network = Network.perceptron((4, 7, 2), ACTIVATIONS["tanh"], batch_norm=batch_norm)

    def task(seed):
        generator = np.random.RandomState(seed)
        theta = network.initial(generator, 6.0, np.dtype(float))
        rows = np.arange(seed, seed + 2 * BATCH + 1)
        return FitTask(
            network, HalfSquaredError(), Adam(), X, NUMBERS, None, theta, generator,
            rows=rows, batch_size=BATCH, max_iter=3,
        )  # fmt: skip

    tasks = [task(seed) for seed in range(3)]
    assert len({stack_key(one) for one in tasks}) == 1
    for seed, together in enumerate(train(tasks)):
        alone = train([task(seed)])[0]
        np.testing.assert_allclose(together.theta, alone.theta, rtol=1e-9)


# Where the rows come from

BY_COLUMN = pytest.mark.parametrize(
    "laid_out",
    [
        np.asfortranarray,
        lambda table: np.asfortranarray(np.repeat(table, 2, axis=0))[::2],
        lambda table: np.repeat(table, 2, axis=1)[:, ::2],
        lambda table: table[::-1, ::-1].copy()[::-1, ::-1],
    ],
    ids=["columns", "columns of a longer table", "every second column", "backwards"],
)


@BY_COLUMN
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_layout_changes_nothing(laid_out, dtype):
    table = laid_out(X)
    assert not table.flags.c_contiguous
    options = {"dtype": dtype, "shuffle": True}
    plain = model().set_params(**options).fit(X, CLASSES)
    other = model().set_params(**options).fit(table, CLASSES)
    assert_same(other, plain)
    np.testing.assert_allclose(other.predict_proba(table), plain.predict_proba(X), rtol=1e-5)
    y = laid_out(NUMBERS)
    plain = model(DeepRegressor).set_params(**options).fit(X, NUMBERS)
    other = model(DeepRegressor).set_params(**options).fit(X, y)
    assert_same(other, plain)


NAMES = ["a", "b", "c", "d"]


def test_batches_of_pyarrow(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    ds = pytest.importorskip("pyarrow.dataset")
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "y": CLASSES})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=150)
    fitted = model()
    sizes = []
    for batch in ds.dataset(tmp_path).to_batches(batch_size=120):
        rows = batch.select(NAMES).to_tensor(row_major=False).to_numpy()
        assert rows.flags.f_contiguous
        fitted.partial_fit(rows, batch["y"].to_numpy(), classes=[0, 1, 2])
        sizes.append(len(rows))
    stops = np.cumsum(sizes)
    assert stops[-1] == N_ROWS
    parts = [slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
    expected = streamed(model(), CLASSES, parts, 1, lambda rows: np.asfortranarray(X[rows]))
    assert_same(fitted, expected)


def test_batches_of_polars(tmp_path):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({**dict(zip(NAMES, X.T, strict=True)), "y": CLASSES})
    frame.write_parquet(tmp_path / "rows.parquet", row_group_size=150)
    fitted = model()
    sizes = []
    for batch in pl.scan_parquet(tmp_path / "rows.parquet").collect_batches(chunk_size=120):
        fitted.partial_fit(batch.select(NAMES), batch["y"].to_numpy(), classes=[0, 1, 2])
        sizes.append(len(batch))
    assert list(fitted.feature_names_in_) == NAMES
    stops = np.cumsum(sizes)
    assert stops[-1] == N_ROWS
    parts = [slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
    expected = streamed(model(), CLASSES, parts, 1, lambda rows: np.asfortranarray(X[rows]))
    assert_same(fitted, expected)
