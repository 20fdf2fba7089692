"""Laws: the benchmark's arithmetic, and what its contestants and their processes are given."""

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.benchmarks import race, stage
from tests.benchmarks.cases import DIGITS_32, FLOOR, JAX, MLP, MLP_64, OURS, OURS_64, TORCH
from tests.benchmarks.contestants import build
from tests.benchmarks.page import Page
from tests.benchmarks.report import Ratios, exponent, spread

TIMES = {
    OURS: [2.0, 4.0, 2.0],
    MLP: [4.0, 12.0, 2.0],  # 2, 3 and 1 times ours
    TORCH: [1.0, 3.0, 4.0],  # 0.5, 0.75 and 2
    OURS_64: [8.0, 8.0, 8.0],
    MLP_64: [8.0, 16.0, 32.0],
    FLOOR: [1.0, 1.0, 1.0],
}


def test_ratios_are_taken_within_a_repeat_and_losses_stand_out():
    found = Ratios("t", "ms", [MLP, TORCH, JAX, FLOOR, MLP_64], rows={"case": TIMES})
    *_, row = found.table().splitlines()
    assert row == (
        "| case | 2e+03 | 2 (1-3) | **0.75 (0.5-2)** | - | 0.5 (0.25-0.5) | 2 (1-4) |"
    )
    assert found.faster() == [["t", "case", "PyTorch", "0.75 (0.5-2)"]]


def test_page_lists_losses_of_all_tables_the_lowest_first():
    page = Page(None, [OURS, TORCH], 3, [1], lambda title, data: True)
    assert page.losses() == ""
    page.ratios(Ratios("a", "s", [TORCH], rows={"one": TIMES}), "a.png")
    page.ratios(Ratios("b", "s", [TORCH], rows={"two": TIMES | {TORCH: [1.0, 2.0, 1.0]}}), "")
    page.ratios(Ratios("c", "s", [TORCH]), "c.png")
    assert [line[:9] for line in page.losses().splitlines()[-2:]] == ["| b | two", "| a | one"]


def test_a_single_measurement_has_no_spread_and_none_has_a_dash():
    assert [spread([0.5], 10), spread([]), spread([1, 3, 2])] == ["5", "-", "2 (1-3)"]


def test_exponent_is_that_of_a_power():
    sizes = [1, 10, 100]
    assert exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)


def test_steps_and_set_up_add_up_to_the_fit(monkeypatch, tmp_path):
    measured = stage.Stage(OURS, DIGITS_32, tmp_path)
    seconds = {1: 5.0, DIGITS_32.epochs: 5.0 + 2 * (DIGITS_32.epochs - 1)}
    monkeypatch.setattr(
        measured, "fit", lambda epochs=None: seconds[epochs or DIGITS_32.epochs]
    )
    step, set_up = measured.step_and_set_up()
    assert set_up == pytest.approx(3)  # 2 seconds an epoch, of 57 steps
    assert step == pytest.approx(2 / 57)


def environment(name):
    return {key: os.environ.get(key) for key in (race.KERNELS, *race.THREADS)}, race.cores()


def test_worker_has_its_cores_and_threads_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv(race.KERNELS, "Nehalem")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = dict(os.environ), race.cores()
    with race.Race(1) as one:
        chosen, its_cores = one.ask("any", environment)
    assert chosen == {race.KERNELS: None} | dict.fromkeys(race.THREADS, "1")
    assert len(its_cores) == 1 or not hasattr(os, "sched_setaffinity")
    assert (dict(os.environ), race.cores()) == before


def test_peers_that_are_not_asked_for_need_not_be_installed():
    code = """
import sys
from importlib.abc import MetaPathFinder
class Uninstalled(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("torch", "jax", "matplotlib"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Uninstalled())
from tests.benchmarks import __main__ as page
print(*page.contestants("mlp,floor"), sep=", ")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == f"{OURS}, {MLP}, {FLOOR}, {OURS_64}, {MLP_64}", done.stderr


def accuracies(name):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    found = []
    for one_cycle in (False, True):
        case = replace(DIGITS_32, epochs=5, rate=0.005, one_cycle=one_cycle)
        model = build(name, case, seed=1)
        if hasattr(model, "prepare"):
            model.prepare(X, y)
        model.fit(X, y)
        found.append(np.mean(model.predict(X) == y))
    return found


@pytest.mark.parametrize(("kind", "name"), [("skdeep", OURS), ("torch", TORCH), ("jax", JAX)])
def test_contestants_learn_the_same(kind, name):
    if find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    with race.Race(1) as one:
        assert min(one.ask(name, accuracies)) > 0.97
