"""A fit that is killed at random moments, again and again: what is lost, and what it ends with.

``python -m tests.benchmarks.kills [kills]`` prints the figures. Each process goes on where the
one before was killed. A second table has the cost of checkpoints.
"""

import mmap
import os
import signal
import sys
import tempfile
import time
from itertools import count

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._testing import ignore_warnings

from skdeep import DeepClassifier
from skdeep.persistence import Checkpoint, load, resume
from tests.persistence.killed import AfterEpochs

EVERY = 3
RNG = np.random.RandomState(0)
X = RNG.normal(size=(2000, 20)).astype("f4")
Y = np.argmax(X[:, :5] + RNG.normal(size=(2000, 5)), axis=1)


def model(n_epochs):
    return DeepClassifier(
        hidden_layer_sizes=(256, 128),
        early_stopping=True,
        n_iter_no_change=n_epochs,
        max_iter=n_epochs,
        dropout=0.2,
        norm="batch",
        weight_averaging=0.99,
        learning_rate="cosine",
        random_state=0,
    )


def count_in(memory, n_before):
    """Callback that counts the epochs of the fit in memory that outlives the process."""
    n_epochs = count(n_before + 1)
    return AfterEpochs(lambda: write_count(memory, next(n_epochs)))


def write_count(memory, n):
    memory[:8] = n.to_bytes(8, "little")


def train(path, n_epochs, *callbacks):
    if os.path.exists(path):
        return resume(path, X, Y, callbacks=callbacks)
    return model(n_epochs).set_callbacks(Checkpoint(path, every=EVERY), *callbacks).fit(X, Y)


def kill_one(path, n_epochs, seconds):
    """Epochs that a process had done and in the file, and whether it was killed in a write."""
    memory = mmap.mmap(-1, 8)
    n_before = load(path).n_iter_ if os.path.exists(path) else 0
    write_count(memory, n_before)
    process = os.fork()
    if not process:
        try:
            train(path, n_epochs, count_in(memory, n_before))
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    n_kept = load(path).n_iter_ if os.path.exists(path) else 0  # fails if it is not whole
    wrote = len(os.listdir(os.path.dirname(path))) > os.path.exists(path)
    return int.from_bytes(memory[:8], "little"), n_kept, wrote


def main(n_kills=100, n_epochs=600):
    moments = np.random.RandomState(1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fit.npz")
        deaths = [kill_one(path, n_epochs, moments.uniform(0, 0.8)) for _ in range(n_kills)]
        lost = [done - kept for done, kept, _ in deaths]
        assert max(lost) < EVERY, lost
        print(f"Killed {n_kills} times, {sum(w for *_, w in deaths)} of them in a write.")
        print(f"The last file had {deaths[-1][1]} of {n_epochs} epochs; it was always whole.")
        print(f"Epochs lost: at most {max(lost)}, {np.mean(lost):.2f} on average.")
        again = train(path, n_epochs)
        size = os.path.getsize(path)
    whole = model(n_epochs).fit(X, Y)
    assert all(map(np.array_equal, whole.coefs_, again.coefs_))
    assert (whole.loss_curve_, whole.validation_scores_) == (
        again.loss_curve_,
        again.validation_scores_,
    )
    assert (whole.n_iter_, whole.best_iter_) == (again.n_iter_, again.best_iter_)
    print("It ended with the weights and curves of the fit that was not killed.")
    n_epochs = 60
    print(f"{n_epochs} epochs, {size / 1e6:.1f} MB a file:")
    for every in (None, 10, 1):
        with tempfile.TemporaryDirectory() as folder:
            estimator = model(n_epochs)
            if every is not None:
                estimator.set_callbacks(Checkpoint(os.path.join(folder, "f.npz"), every=every))
            start = time.perf_counter()
            estimator.fit(X, Y)
            print(f"  every={every}: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    with ignore_warnings(category=ConvergenceWarning):
        main(*map(int, sys.argv[1:]))
