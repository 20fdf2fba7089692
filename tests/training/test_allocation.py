"""What a step and a fit allocate, counted in bytes."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from skdeep._network.network import Network
from skdeep._training.fit_task import FitTask
from skdeep._training.stack import Stack
from skdeep.activations import ACTIVATIONS
from skdeep.losses import MultinomialLogLoss
from skdeep.solvers import SGD, Adam

BATCH = 256


def peak_of_steps(n_rows, solver, activation, dtype, weighted, n_models):
    """Bytes that the second batch of an epoch allocates at its peak."""
    network = Network.perceptron((784, 512, 256, 10), ACTIVATIONS[activation])
    X = np.zeros((n_rows, 784), np.uint8)  # cast batch by batch
    y = np.zeros((n_rows, 10), bool)
    y[:, 0] = True
    weight = np.ones((n_rows, 1)) if weighted else None
    tasks = []
    for seed in range(n_models):
        generator = np.random.RandomState(seed)
        theta = network.initial(generator, 6.0, np.dtype(dtype))
        tasks.append(
            FitTask(
                network, MultinomialLogLoss(), solver, X, y, weight, theta, generator,
                batch_size=BATCH,
            )
        )  # fmt: skip
    stack = Stack(tasks)
    stack._arrange(stack.watches)
    batches = stack.batches.epoch()

    def step():
        batch = next(batches)
        loss = stack.objective.loss_and_grad(batch)
        penalty = stack.objective.penalty_and_grad(batch.scale)
        stack.objective.reported(loss, penalty)
        stack.descent.step()

    step()  # what is bound once, at the first batch of a size
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n_rows", [BATCH * 3, BATCH * 24])
@pytest.mark.parametrize(
    ("solver", "activation", "dtype", "weighted", "n_models"),
    [
        (Adam(), "relu", np.float32, False, 1),
        (Adam(), "relu", np.float64, True, 1),
        (SGD(), "tanh", np.float32, False, 1),
        (Adam(), "mish", np.float32, True, 2),
    ],
)
def test_a_step_allocates_nothing_that_grows(
    n_rows, solver, activation, dtype, weighted, n_models
):
    # The network's parameters take 2 MB and a batch of pixels 200 kB in float32; what a
    # step may allocate is a few numbers and NumPy's fixed cast buffers (8192 elements).
    peak = peak_of_steps(n_rows, solver, activation, dtype, weighted, n_models)
    assert peak < 96 * 1024


FIT_ON_MEMMAP = """
import sys, warnings
import numpy as np
from skdeep import DeepRegressor
warnings.simplefilter("ignore")

def anonymous_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

X = np.memmap(sys.argv[1], dtype=np.float64, mode="r", shape=(1_000_000, 125))
y = np.asarray(X[:, 0]) + 1
model = DeepRegressor(
    hidden_layer_sizes=(10,), early_stopping=True, max_iter=2, batch_size=1000, random_state=0
)
model.set_params(**eval(sys.argv[2]))
small = model.fit(np.ones((2000, 125)) * np.arange(2000)[:, None] / 2000, np.arange(2000.0))
before = anonymous_kb()
import threading
peak, done = [before], threading.Event()

def watch():
    while not done.wait(0.02):
        peak.append(anonymous_kb())

thread = threading.Thread(target=watch, daemon=True)
thread.start()
model.fit(X, y)
model.predict(X)
done.set()
thread.join()
print(max(peak) - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("params", "limit"),
    [
        ("{}", 80e6),
        ("{'dtype': 'float32'}", 80e6),
        ("{'solver': 'lbfgs'}", 80e6),
        ("{'validation_scoring': 'neg_mean_absolute_error'}", 80e6),
        # A function of one's own is given the held-out rows, 100 MB of them.
        ("{'validation_scoring': lambda model, X, y: model.score(X, y)}", 200e6),
    ],
)
def test_a_fit_on_a_memmap_adds_little_memory(tmp_path, params, limit):
    path = tmp_path / "X.dat"
    with open(path, "wb") as file:
        file.truncate(1_000_000 * 125 * 8)  # 1 GB of zeros that take no disk
    command = [sys.executable, "-c", FIT_ON_MEMMAP, str(path), params]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < limit
