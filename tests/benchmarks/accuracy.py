"""Section on the time to reach an accuracy, which is what users wait for.

A recipe is an architecture and a number of epochs that suffice: the fewest, among those tried
by hand, with which every seed tried arrived. Each repeat has another seed.
"""

import time
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import JAX, JAX_COLD, MLP, OURS, TORCH, Case
from tests.benchmarks.contestants import build
from tests.benchmarks.data import load_split
from tests.benchmarks.page import Page, section
from tests.benchmarks.race import Race, say
from tests.benchmarks.report import Ratios, counted, label, spread, table

NOTE = """\
Time of a whole fit, set-up included, by a recipe that reaches the accuracy on the test rows (of
digits, a quarter of them): that of a peer divided by that of skdeep in the same repeat. skdeep,
PyTorch and JAX share a recipe, Adam with a rate that follows one cycle and the same number of
epochs, so that their times differ by their speed alone. The Adam of MLPClassifier has a
constant rate: it is fitted twice, the second time with `warm_start` and a tenth of the rate.
Each repeat starts from another seed; the second table has the accuracies that came of it, in
percent."""


class TwoRates:
    """MLPClassifier as its users lower the rate: a second fit goes on where the first ended."""

    def __init__(self, case: Case, seed: int) -> None:
        self.model = build(MLP, case, seed)

    def fit(self, X: Any, y: Any) -> None:
        self.model.fit(X, y)
        rate, epochs = self.model.learning_rate_init / 10, max(self.model.max_iter // 3, 1)
        self.model.set_params(warm_start=True, learning_rate_init=rate, max_iter=epochs)
        self.model.fit(X, y)

    def predict(self, X: Any) -> Any:
        return self.model.predict(X)


@dataclass(frozen=True)
class Goal:
    """An accuracy, and the recipes that reach it."""

    accuracy: float
    recipe: Case
    theirs: Case

    @property
    def name(self) -> str:
        return f"{self.recipe.data} {100 * self.accuracy:g} %"

    def contestant(self, name: str, seed: int) -> Any:
        return TwoRates(self.theirs, seed) if name == MLP else build(name, self.recipe, seed)

    def words(self, name: str) -> str:
        """The recipe of a contestant, to be read."""
        case = self.theirs if name == MLP else self.recipe
        shape = f"{'-'.join(map(str, case.widths))}, batch {case.batch}"
        if name != MLP:
            return f"{shape}, {case.epochs} epochs, one cycle to rate {case.rate:g}"
        then = f"{max(case.epochs // 3, 1)} with {case.rate / 10:g}"
        return f"{shape}, {case.epochs} epochs with rate {case.rate:g}, {then}"


def _goal(
    data: str, accuracy: float, hidden: int, batch: int, epochs: int, rate: float, theirs: Case
) -> Goal:
    widths = (theirs.widths[0], hidden, theirs.widths[-1])
    recipe = Case(data, widths, batch, epochs, rate=rate, one_cycle=True)
    return Goal(accuracy, recipe, replace(theirs, data=data))


GOALS = (
    _goal("digits", 0.97, 64, 32, 10, 0.02, Case("", (64, 64, 10), 32, 9, rate=0.01)),
    _goal("mnist", 0.975, 128, 256, 3, 0.01, Case("", (784, 128, 10), 128, 3, rate=0.003)),
    _goal("mnist", 0.98, 128, 256, 7, 0.01, Case("", (784, 160, 10), 128, 6, rate=0.003)),
    _goal(
        "fashion-mnist", 0.88, 128, 256, 7, 0.01, Case("", (784, 160, 10), 256, 6, rate=0.003)
    ),
)


def time_to_accuracy(page: Page) -> str:
    names = [name for name in (OURS, MLP, TORCH, JAX) if name in page.names]
    peers = [name for name in (MLP, TORCH, JAX, JAX_COLD) if name.split(",")[0] in names]
    found = Ratios(f"Time on {counted(page.all_cores, 'core')}", "s", peers)
    reached = []
    with Race(page.all_cores) as race:
        for goal in GOALS:
            if not page.wanted(f"accuracy of {goal.name}", goal.recipe.data):
                continue
            for name in names:
                race.ask(name, warm_up, goal, page.data)
            answers = race.in_turn(names, min(page.repeats, 3), reach, goal, page.data)
            times = {name: [fit for fit, _, _ in answers[name]] for name in names}
            if JAX in names:
                times[JAX_COLD] = [fit + compiling for fit, compiling, _ in answers[JAX]]
            found.rows[goal.name] = times
            reached += [
                [
                    goal.name,
                    label(name),
                    goal.words(name),
                    _accuracies(answers[name]),
                ]
                for name in names
            ]
            say(f"accuracy: {found.table().splitlines()[-1]}")
    if not reached:
        return ""
    header = ("goal", "library", "recipe", "accuracy")
    recipes = f"### Recipes, and the accuracy reached\n\n{table(header, reached)}"
    return section(
        "Time to accuracy", NOTE, page.ratios(found, "benchmarks_accuracy.png"), recipes
    )


def _accuracies(answers: list[tuple[float, float, float]]) -> str:
    return spread([accuracy for _, _, accuracy in answers], 100)


@lru_cache(maxsize=1)
def _rows(data: str, dtype: str, folder: Path):
    return load_split(data, dtype, folder)


def warm_up(name: str, goal: Goal, folder: Path) -> None:
    """In a contestant's process: read the data, and a small fit to import what is needed."""
    warnings.simplefilter("ignore")
    X, y, _, _ = _rows(goal.recipe.data, name.split()[1], folder)
    build(name, replace(goal.recipe, epochs=1, one_cycle=False)).fit(X[:1000], y[:1000])


def reach(name: str, goal: Goal, folder: Path, seed: int) -> tuple[float, float, float]:
    """In a contestant's process: seconds of a fit and of compiling, and test accuracy."""
    X, y, X_test, y_test = _rows(goal.recipe.data, name.split()[1], folder)
    model = goal.contestant(name, seed)
    compiling = model.prepare(X, y) if hasattr(model, "prepare") else 0.0
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    return seconds, compiling, float((model.predict(X_test) == y_test).mean())
