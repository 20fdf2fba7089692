"""Cost of a step in deterministic counts: Python calls, NumPy calls, and copies of X.

Time is measured in ``tests/benchmarks``.
"""

import collections
import sys
import tracemalloc

import numpy as np
import pytest

from skdeep import DeepClassifier, DeepRegressor, activations
from skdeep._network import dropout, layers, reader
from skdeep._network.network import Network
from skdeep._training import batches, bound_solver, objective
from skdeep._training.fit_task import FitTask
from skdeep._training.stack import Stack
from skdeep.activations import ACTIVATIONS
from skdeep.losses import MultinomialLogLoss
from skdeep.losses import base as losses_base
from skdeep.solvers import SGD, Adam, adagrad, adam, lion, sgd
from skdeep.solvers import base as solvers_base

N_ROWS, BATCH = 300, 50


def stack_of(solver, n_models=1):
    network = Network.perceptron((20, 30, 4), ACTIVATIONS["relu"])
    X, y = np.zeros((N_ROWS, 20), np.float32), np.zeros((N_ROWS, 4), bool)
    y[:, 0] = True
    tasks = []
    for seed in range(n_models):
        generator = np.random.RandomState(seed)
        theta = network.initial(generator, 6.0, np.dtype(np.float32))
        loss = MultinomialLogLoss()
        tasks.append(
            FitTask(network, loss, solver, X, y, None, theta, generator, batch_size=BATCH)
        )
    stack = Stack(tasks)
    stack._arrange(stack.runs)
    return stack


class Counted:
    """Proxy of NumPy, or of a NumPy function, that counts calls."""

    def __init__(self, target, counts):
        self.target, self.counts = target, counts

    def __getattr__(self, name):
        value = getattr(self.target, name)
        countable = callable(value) and not isinstance(value, type)
        return Counted(value, self.counts) if countable else value

    def __call__(self, *args, **kwargs):
        self.counts["numpy"] += 1
        return self.target(*args, **kwargs)


def calls_of_a_step(stack, monkeypatch):
    """Python and NumPy calls per step in the second epoch."""
    stack._epoch()
    while len(stack.solver._table) < N_ROWS // BATCH:  # not to count refills
        stack.solver._tabulate()
    counts = collections.Counter()

    def count(frame, event, arg):
        counts["python"] += event == "call" and "/skdeep/" in frame.f_code.co_filename

    with monkeypatch.context() as patch:
        for module in (
            activations,
            batches,
            reader,
            bound_solver,
            layers,
            dropout,
            losses_base,
            objective,
            solvers_base,
            sgd,
            adam,
            adagrad,
            lion,
        ):
            patch.setattr(module, "np", Counted(np, counts))
        sys.setprofile(count)
        try:
            stack._epoch()
        finally:
            sys.setprofile(None)
    return {name: n / (N_ROWS // BATCH) for name, n in counts.items()}


@pytest.mark.parametrize("solver", [Adam(), SGD()], ids=["adam", "sgd"])
def test_calls_of_a_step(solver, monkeypatch):
    counts = calls_of_a_step(stack_of(solver), monkeypatch)
    assert counts["python"] <= 31
    assert counts["numpy"] <= 28


def test_a_stack_makes_no_more_calls_than_one_network(monkeypatch):
    alone = calls_of_a_step(stack_of(Adam()), monkeypatch)
    together = calls_of_a_step(stack_of(Adam(), n_models=5), monkeypatch)
    assert together["python"] == alone["python"]
    # Each epoch shuffles the rows of each model separately.
    assert together["numpy"] - alone["numpy"] <= 2 * 5 / (N_ROWS // BATCH)


LAYOUTS = {  # arrays of data frames are column-major, and a selection of columns has gaps
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "gaps": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", [None, "float32"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fit_makes_no_copy_of_X(layout, early_stopping, dtype):
    X = LAYOUTS[layout](np.random.default_rng(0).normal(size=(40_000, 100)))
    params = {"hidden_layer_sizes": (5,), "max_iter": 2, "random_state": 0, "dtype": dtype}
    model = DeepRegressor(early_stopping=early_stopping, **params)
    with pytest.warns(match="Maximum iterations"):
        model.fit(X[:500], X[:500, 0])  # to import and cache everything first
    tracemalloc.start()
    try:
        with pytest.warns(match="Maximum iterations"):
            model.fit(X, X[:, 0])
        model.predict(X)
        if not early_stopping:
            model.partial_fit(X, X[:, 0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Chunks of a forward pass have up to 2^20 elements, and may be staged in X's dtype.
    assert peak < X.nbytes / 2


@pytest.mark.parametrize("validated", [False, True])
def test_partial_fit_does_not_copy_the_curves_of_previous_calls(validated):
    X, y = np.ones((1, 3)), np.ones(1)
    model = DeepRegressor(hidden_layer_sizes=(4,), random_state=0)

    def call(y=y):
        model.partial_fit(X, y, **({"X_val": X, "y_val": y} if validated else {}))

    call()
    history = model._training_state.history
    curves = [history.loss_curve]
    if validated:
        curves += [history.validation_scores, history.validation_loss_curve]
    for curve in curves:
        curve *= 10**6  # as long as after a million calls
    call()  # the lists make room for more
    tracemalloc.start()
    try:
        call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000  # a copy of a curve is 8 MB
    assert [len(curve) for curve in curves] == [10**6 + 2] * len(curves)
    assert model.loss_curve_ is curves[0]
    assert model.loss_curve_[-1] == model.loss_ != model.loss_curve_[0]
    with pytest.raises(ValueError, match="diverged"):
        call(y=np.array([1e200]))
    assert [len(curve) for curve in curves] == [10**6 + 2] * len(curves)


def test_pickle_grows_with_the_network_only():
    import pickle

    sizes = []
    for n_rows in (100, 10_000):
        X = np.zeros((n_rows, 30))
        model = DeepClassifier((10,), max_iter=1)
        with pytest.warns(match="Maximum iterations"):
            model.fit(X, np.arange(n_rows) % 2)
        sizes.append(len(pickle.dumps(model)))
    assert abs(sizes[1] - sizes[0]) < 100
