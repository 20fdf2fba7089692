"""Whatever ends a search ends its processes: Ctrl-C once or twice, at any moment, or a kill.

A search runs in a process of its own, in a process group of its own, which a fixture kills
in the end, whatever became of the test. Its fits do not end by themselves, but for a limit in
case the group's killer is itself killed.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks for processes in /proc"
)

# What nothing should take, however loaded the machine is: a failure, not a measurement.
SECONDS = 120

PROGRAM = """
import os, signal, sys
from pathlib import Path
import numpy as np
from sklearn.model_selection import GridSearchCV
from skdeep import DeepClassifier, lockstep

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
n_processes, begun = int(sys.argv[1]), Path(sys.argv[2])
X = np.random.default_rng(0).normal(size=(60, 5))
y = (X[:, 0] > 0).astype(int)
params = {"hidden_layer_sizes": (6,), "random_state": 0}
endless = {"max_iter": 10**9, "n_iter_no_change": np.inf, "max_time": 240.0}

class Telling(DeepClassifier):
    def fit(self, X, y):
        if self.max_time is not None:
            begun.joinpath(str(os.getpid())).touch()
        return super().fit(X, y)

def search(**more):
    model = Telling(learning_rate_init=0.05, **params, **more)
    return GridSearchCV(model, {"alpha": [1e-4, 1e-2]}, cv=2, refit=False).fit(X, y)

def say(word):
    print(word, flush=True)
    if not sys.stdin.readline():
        sys.exit(1)

state = "ready"
with lockstep(n_processes=n_processes):
    while True:
        try:
            if state == "ready":
                state = "interrupted"  # before the search, which nothing else ends
                print("ready", flush=True)
                search(**endless)
            elif state == "interrupted":
                say("interrupted")
                state = "again"
            else:
                scores = search(max_iter=50).cv_results_["mean_test_score"]
                say("again" if min(scores) > 0.6 else scores)
                state = "ready"
        except KeyboardInterrupt:
            pass
"""


def processes(group):
    """Command of each process of a group that has not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, in_group = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:3]
            command = (folder / "cmdline").read_text()
        except OSError:  # ended meanwhile
            continue
        if int(in_group) == group and state not in "ZX":
            found.append(command)
    return found


def workers(group):
    return [command for command in processes(group) if "popen_loky" in command]


def wait_until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Search:
    """A running PROGRAM, and what it says."""

    def __init__(self, n_processes, folder):
        self.begun = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(n_processes), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.group = self.process.pid
        self.lines = queue.Queue()
        self.last = None
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def says(self, word):
        """Read a line; what a second interrupt made it say again counts as said."""
        line = self.lines.get(timeout=SECONDS)
        while line == self.last:
            line = self.lines.get(timeout=SECONDS)
        assert line == word
        self.last = line

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def n_begun(self):
        return len(list(self.begun.iterdir()))

    def forget_begun(self):
        for path in self.begun.iterdir():
            path.unlink()

    def end(self):
        if processes(self.group):
            os.killpg(self.group, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def start(tmp_path):
    started = []

    def start(n_processes):
        started.append(Search(n_processes, tmp_path))
        return started[-1]

    yield start
    for search in started:
        search.end()


# Whether fits have begun; seconds until the first Ctrl-C, and from there to the second.
MOMENTS = [
    (False, 0.0, None),
    (False, 0.1, 0.0),
    (False, 0.4, 0.001),
    (False, 0.8, 0.01),
    (True, 0.0, None),
    (True, 0.0, 0.001),
    (True, 0.3, 0.003),
    (True, 0.3, 0.01),
    (True, 0.3, 0.03),
]


@pytest.mark.parametrize("n_processes", [1, 2])
@pytest.mark.parametrize("kill", [os.kill, os.killpg])  # by a program, and at a terminal
def test_interrupts_end_a_search_and_its_workers(start, n_processes, kill):
    search = start(n_processes)
    for has_begun, first, second in MOMENTS:
        search.says("ready")
        if has_begun:
            wait_until(lambda: search.n_begun() == n_processes)
        time.sleep(first)
        kill(search.group, signal.SIGINT)
        if second is not None:
            time.sleep(second)
            kill(search.group, signal.SIGINT)
        search.says("interrupted")
        wait_until(lambda: not workers(search.group))
        search.forget_begun()
        search.go_on()
        search.says("again")
        search.go_on()


def test_workers_end_with_a_parent_that_is_killed(start):
    search = start(2)
    wait_until(lambda: search.n_begun() == 2)
    assert len(workers(search.group)) == 2
    search.process.kill()
    wait_until(lambda: not processes(search.group))
