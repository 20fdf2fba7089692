"""A fit in a process that dies at a moment of its choice, and is gone on with by the next.

``python -m tests.persistence.killed path moment ...`` starts a process for each moment, and
prints how it ended and how many epochs the file has then. A moment is "epoch n", after n epochs
of the process; "draft n", "rename n" or "synced n", in the midst of writing its n-th file; or
"full n": the disk is full from then on, and the fit fails.
"""

import json
import os
import signal
import sys

import numpy as np

from skdeep import DeepClassifier
from skdeep.persistence import Checkpoint, load, resume

EVERY = 3
N_EPOCHS = 40
RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4))
Y = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + RNG.normal(size=(120, 3)), axis=1)]


def model():
    """All that a fit may have to remember."""
    return DeepClassifier(
        hidden_layer_sizes=(8,),
        early_stopping=True,
        n_iter_no_change=N_EPOCHS,
        max_iter=N_EPOCHS,
        batch_size=25,
        dropout=0.2,
        norm="batch",
        weight_averaging=0.9,
        learning_rate="cosine",
        random_state=np.random.RandomState(5),
    )


class AfterEpochs:
    """Callback that does something at the end of each epoch of this process."""

    def __init__(self, act):
        self.act = act

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.act()


class AtEpoch(AfterEpochs):
    """Callback that does something at the end of one epoch of this process."""

    def __init__(self, n, act):
        self.n_left = n

        def count_down():
            self.n_left -= 1
            if self.n_left == 0:
                act()

        super().__init__(count_down)


def train(path, *callbacks):
    """Start the fit, or go on with it."""
    if os.path.exists(path):
        return resume(path, X, Y, callbacks=callbacks)
    return model().set_callbacks(Checkpoint(path, every=EVERY), *callbacks).fit(X, Y)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def fill_the_disk():
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))


def before(function, n):
    """The function of the system, before whose n-th call the process dies."""

    def call(*args):
        nonlocal n
        n -= 1
        if n == 0:
            die()
        return function(*args)

    return call


def train_until(path, moment):
    """Train in this process, until it dies."""
    kind, n = moment.split()
    callbacks = []
    if kind == "epoch":
        callbacks = [AtEpoch(int(n), die)]
    elif kind == "full":
        callbacks = [AtEpoch(int(n), fill_the_disk)]
    elif kind == "rename":
        os.replace = before(os.replace, int(n))
    else:  # a file is synced before its name, and its folder after
        os.fsync = before(os.fsync, 2 * int(n) - (kind == "draft"))
    train(path, *callbacks)


def status_after(path, moment):
    """How a process ends, as of ``os.waitstatus_to_exitcode``, and epochs in the file."""
    process = os.fork()
    if process:
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return status, load(path).n_iter_ if os.path.exists(path) else None
    try:
        train_until(path, moment)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
    finally:
        os._exit(1)


if __name__ == "__main__":
    print(json.dumps([status_after(sys.argv[1], moment) for moment in sys.argv[2:]]))
