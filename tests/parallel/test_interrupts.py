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

# Searches, each until it is interrupted and then until the test has seen to what is left;
# at last one that ends by itself. An interrupt that comes late only has a step said again.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from sklearn.model_selection import GridSearchCV
from skdeep import DeepClassifier, lockstep

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
n_processes, n_searches, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
parent = os.getppid()
X = np.random.default_rng(0).normal(size=(60, 5))
y = (X[:, 0] > 0).astype(int)
model = DeepClassifier((6,), learning_rate_init=0.05, max_iter=50, random_state=0)
grid = {"alpha": [1e-4, 1e-2]}

class Endless(DeepClassifier):
    def fit(self, X, y):
        (folder / f"begun-{os.getpid()}").touch()
        return super().fit(X, y)

endless = Endless((6,), max_iter=10**9, n_iter_no_change=np.inf, max_time=240.0)

step = 0
with lockstep(n_processes=n_processes):
    while step <= 2 * n_searches:
        try:
            if step == 2 * n_searches:
                search = GridSearchCV(model, grid, cv=2).fit(X, y)
                print("right" if search.best_score_ > 0.6 else "wrong", flush=True)
            elif step % 2:
                print("interrupted", flush=True)
                while not (folder / f"seen-{step}").exists():
                    time.sleep(0.01)
                    if os.getppid() != parent:
                        sys.exit(1)
            else:
                step += 1  # before the search, which nothing but an interrupt ends
                print("ready", flush=True)
                GridSearchCV(endless, grid, cv=2).fit(X, y)
                sys.exit(1)
            step += 1
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

    def __init__(self, n_processes, n_searches, folder):
        self.folder = folder
        self.step = 1
        self.last = None
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(n_processes), str(n_searches), str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.group = self.process.pid
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def says(self, word):
        """Read a line; what a late interrupt made it say again counts as said."""
        line = self.lines.get(timeout=SECONDS)
        while line == self.last:
            line = self.lines.get(timeout=SECONDS)
        assert line == word
        self.last = line

    def n_begun(self):
        return len(list(self.folder.glob("begun-*")))

    def go_on(self):
        for path in self.folder.glob("begun-*"):
            path.unlink()
        (self.folder / f"seen-{self.step}").touch()
        self.step += 2

    def end(self):
        if processes(self.group):
            os.killpg(self.group, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    started = []

    def start(n_processes, n_searches=1):
        started.append(Search(n_processes, n_searches, tmp_path))
        return started[-1]

    yield start
    for search in started:
        search.end()


# Whether fits have begun; seconds until the first Ctrl-C, and from there to the second; who
# gets it: the search's process, or its workers as well, as in a terminal.
MOMENTS = [
    (False, 0.0, None, os.kill),
    (False, 0.1, 0.0, os.killpg),
    (False, 0.3, 0.001, os.kill),
    (False, 0.6, 0.01, os.kill),
    (True, 0.0, None, os.killpg),
    (True, 0.0, 0.001, os.kill),
    (True, 0.2, 0.003, os.kill),
    (True, 0.2, 0.01, os.killpg),
    (True, 0.2, 0.03, os.kill),
]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_interrupts_end_a_search_and_its_workers(start, n_processes):
    search = start(n_processes, len(MOMENTS))
    for has_begun, first, second, kill in MOMENTS:
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
        search.go_on()
    search.says("right")
    assert search.process.wait(timeout=SECONDS) == 0
    wait_until(lambda: not processes(search.group))


def test_workers_end_with_a_parent_that_is_killed(start):
    search = start(2)
    wait_until(lambda: search.n_begun() == 2)
    assert len(workers(search.group)) == 2
    search.process.kill()
    wait_until(lambda: not processes(search.group))
