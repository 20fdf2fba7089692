"""Section on searches: in lockstep, in processes, and what is scikit-learn's own share."""

import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, lockstep
from tests.benchmarks.page import Page, section
from tests.benchmarks.race import Race, cores, say
from tests.benchmarks.report import DOES_NOTHING, Ratios, counted

NOTE = """\
A grid search of networks in a pipeline with `StandardScaler`, 5 folds, in float64: time of a
peer divided by the time of `lockstep()` in the same repeat. An estimator that does nothing
shows scikit-learn's own share: no way to fit can take less. The first table finds worker
processes warm, as after a few such searches; in the second each search is the first of its
process, and pays for workers if it starts any."""

LOCKSTEP = "skdeep, lockstep"
PLAIN = "skdeep, one process"
PROCESSES = "skdeep, `n_jobs=2`"
MLP_PROCESSES = "MLPClassifier, `n_jobs=2`"
MLP_PLAIN = "MLPClassifier, one process"
N_FOLDS = 5


class Nothing(ClassifierMixin, BaseEstimator):
    """Learns nothing, and predicts the first class."""

    def __init__(self, learning_rate_init: float = 0.1, alpha: float = 0.1) -> None:
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> "Nothing":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


# What a search is run with: the kind of estimator, the jobs, and the context.
WAYS: dict[str, tuple[type, int | None, Callable[[], Any]]] = {
    LOCKSTEP: (DeepClassifier, None, lockstep),
    DOES_NOTHING: (Nothing, None, nullcontext),
    PLAIN: (DeepClassifier, None, nullcontext),
    PROCESSES: (DeepClassifier, 2, nullcontext),
    MLP_PLAIN: (MLPClassifier, None, nullcontext),
    MLP_PROCESSES: (MLPClassifier, 2, nullcontext),
}


@dataclass(frozen=True)
class Search:
    """Data, network and grid."""

    name: str
    load: Callable[..., Any]
    n_hidden: int
    epochs: int
    n_rates: int
    n_alphas: int = 5

    def __str__(self) -> str:
        n_fits = self.n_rates * self.n_alphas * N_FOLDS
        return f"{self.name}, {counted(n_fits, 'fit')} of {counted(self.epochs, 'epoch')}"


WARM = (
    Search("wine 13-8-3", load_wine, 8, 60, 8),
    Search("breast cancer 30-30-2", load_breast_cancer, 30, 25, 8),
    Search("digits 64-64-10", load_digits, 64, 20, 8),
)
FIRST = (
    Search("wine 13-8-3", load_wine, 8, 60, 2, 2),
    Search("digits 64-50-10", load_digits, 50, 20, 2, 2),
)


def searches(page: Page) -> str:
    repeats = min(page.repeats, 3)
    on = f"on {counted(page.all_cores, 'core')}"
    peers = [DOES_NOTHING, PROCESSES, *[MLP_PROCESSES] * ("mlp float32" in page.names)]
    warm = Ratios(f"Searches of 200 fits {on}", "s", peers, LOCKSTEP)
    with Race(page.all_cores) as race:
        for search in WARM:
            if page.wanted(f"search of {search}", ""):
                for way in (LOCKSTEP, *peers):
                    race.ask(way, warm_up, search)
                ways = [LOCKSTEP, *peers]
                warm.rows[str(search)] = race.in_turn(ways, repeats, timed, search)
                say(f"{warm.title}: {warm.table().splitlines()[-1]}")
    peers = [PLAIN, *[MLP_PLAIN] * ("mlp float32" in page.names)]
    first = Ratios(f"The first search of a process {on}", "s", peers, LOCKSTEP)
    for search in FIRST:
        if page.wanted(f"first search of {search}", ""):
            first.rows[str(search)] = _first(page, search, [LOCKSTEP, *peers], repeats)
            say(f"{first.title}: {first.table().splitlines()[-1]}")
    tables = [
        page.ratios(warm, "benchmarks_searches.png"),
        page.ratios(first, "benchmarks_first_search.png"),
    ]
    return section("Searches in lockstep", NOTE, *tables)


def _first(page: Page, search: Search, ways: list[str], repeats: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for repeat in range(repeats):
        turn = repeat % len(ways)
        for way in ways[turn:] + ways[:turn]:
            with Race(page.all_cores) as fresh:
                seconds[way].append(fresh.ask(way, timed, search, repeat))
    return seconds


def search_seconds(way: str, search: Search, epochs: int) -> float:
    """In a worker: time of a search in which no fit stops early."""
    warnings.simplefilter("ignore")
    kind, n_jobs, context = WAYS[way]
    options: dict[str, Any] = {}
    if kind is not Nothing:
        options = {
            "hidden_layer_sizes": (search.n_hidden,),
            "max_iter": epochs,
            "tol": 0,
            "n_iter_no_change": np.inf,
            "random_state": 0,
        }
    prefix = kind.__name__.lower()
    grid = {
        f"{prefix}__learning_rate_init": np.geomspace(1e-3, 3e-2, search.n_rates),
        f"{prefix}__alpha": np.geomspace(1e-5, 1e-1, search.n_alphas),
    }
    model = make_pipeline(StandardScaler(), kind(**options))
    searched = GridSearchCV(model, grid, cv=N_FOLDS, n_jobs=n_jobs, refit=False)
    X, y = search.load(return_X_y=True)
    start = time.perf_counter()
    with context():
        searched.fit(X, y)
    return time.perf_counter() - start


def warm_up(way: str, search: Search) -> None:
    """In a worker: start the processes, which lockstep does after a few such searches."""
    with lockstep(n_processes=len(cores())) if way == LOCKSTEP else nullcontext():
        search_seconds(PLAIN if way == LOCKSTEP else way, search, 1)


def timed(way: str, search: Search, repeat: int) -> float:
    return search_seconds(way, search, search.epochs)
