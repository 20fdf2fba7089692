"""Interrupting or killing a search ends its processes: one or two Ctrl-C, at any moment.

Each search runs in a separate process and process group, which a fixture kills in the end. Its
fits never converge, but have a time limit in case the fixture does not get to run.
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

# Timeout of each wait, generous enough for a loaded machine.
SECONDS = 120

# Runs searches that are interrupted, each time waiting until the test has checked what is left,
# and then one that ends by itself. After a late interrupt, a step is printed again.
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

def say(word):
    os.write(1, word.encode() + b"\\n")  # at once: an interrupt cannot part the line

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
                say("right" if search.best_score_ > 0.6 else "wrong")
            elif step % 2:
                say("interrupted")
                while not (folder / f"seen-{step}").exists():
                    time.sleep(0.01)
                    if os.getppid() != parent:
                        sys.exit(1)
            else:
                step += 1  # before the search, which nothing but an interrupt ends
                say("ready")
                GridSearchCV(endless, grid, cv=2).fit(X, y)
                sys.exit(1)
            step += 1
        except KeyboardInterrupt:
            pass
"""


def processes(group):
    """Command lines of the running processes of a group."""
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, in_group = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:3]
            command = (folder / "cmdline").read_text()
        except OSError:  # has ended in the meantime
            continue
        if int(in_group) == group and state not in "ZX":
            commands.append(command)
    return commands


def workers(group):
    return [command for command in processes(group) if "popen_loky" in command]


def wait_until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Search:
    """A running PROGRAM and its output."""

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
        threading.Thread(target=self.read_lines, daemon=True).start()

    def read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def expect(self, word):
        """Read a line, skipping repetitions after a late interrupt."""
        line = self.lines.get(timeout=SECONDS)
        while line == self.last:
            line = self.lines.get(timeout=SECONDS)
        assert line == word
        self.last = line

    def n_begun(self):
        return len(list(self.folder.glob("begun-*")))

    def resume(self):
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


# Whether to wait until fits have begun; seconds until the first Ctrl-C, and from there to the
# second; whether the search alone receives it, or also its workers, as in a terminal.
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
        search.expect("ready")
        if has_begun:
            wait_until(lambda: search.n_begun() == n_processes)
        time.sleep(first)
        kill(search.group, signal.SIGINT)
        if second is not None:
            time.sleep(second)
            kill(search.group, signal.SIGINT)
        search.expect("interrupted")
        wait_until(lambda: not workers(search.group))
        search.resume()
    search.expect("right")
    assert search.process.wait(timeout=SECONDS) == 0
    wait_until(lambda: not processes(search.group))


def test_workers_end_if_their_parent_is_killed(start):
    search = start(2)
    wait_until(lambda: search.n_begun() == 2)
    assert len(workers(search.group)) == 2
    search.process.kill()
    wait_until(lambda: not processes(search.group))
