"""Small models and mixed tables that several files of tests share."""

import numpy as np
import pandas as pd

from skdeep import TabularClassifier, TabularRegressor
from skdeep.tabular import Recipe

N = 120


def recipe(**parameters):
    defaults = {"hidden_layer_sizes": (8, 8), "max_iter": 3, "batch_size": 32}
    return Recipe(**defaults | parameters)


def classifier(**parameters):
    defaults = {"recipe": recipe(), "n_members": 3, "random_state": 0}
    return TabularClassifier(**defaults | parameters)


def regressor(**parameters):
    rates = {"activation": "mish", "learning_rate_init": 0.2, "label_smoothing": 0.0}
    defaults = {"recipe": recipe(**rates), "n_members": 3, "random_state": 0}
    return TabularRegressor(**defaults | parameters)


def table(seed=0, n=N, many=True):
    """Numbers with holes, a category, and a category of many levels."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.exponential(size=n)})
    frame.loc[::7, "z"] = np.nan
    frame["letter"] = rng.choice(list("abc"), n)
    if many:
        # Two rows of each: too few to be joined as rare.
        frame["many"] = np.char.add("level ", (rng.permutation(n) // 2).astype(str))
    return frame


def numbers(frame, seed=0):
    noise = np.random.default_rng(seed).normal(size=len(frame))
    return 50 + 10 * frame["x"].to_numpy() + 5 * (frame["letter"] == "a").to_numpy() + noise


def classes(frame, n_classes=3):
    return numbers(frame).argsort().argsort() * n_classes // len(frame)


TARGETS = {
    "two classes": (classifier, lambda frame: classes(frame, 2), {}),
    "classes": (classifier, lambda frame: np.array(["low", "mid", "up"])[classes(frame)], {}),
    "labels": (
        classifier,
        lambda frame: np.c_[classes(frame, 2), frame["letter"] == "b", classes(frame) == 1] * 1,
        {},
    ),
    "numbers": (regressor, numbers, {}),
    "two columns": (
        regressor,
        lambda frame: np.c_[numbers(frame), 1e6 * frame["x"]],
        {},
    ),
    "quantiles": (
        regressor,
        numbers,
        {"loss": "quantile", "quantile": [0.9, 0.1, 0.5]},
    ),
    "absolute": (
        regressor,
        numbers,
        {"loss": "absolute_error"},
    ),
    "huber": (regressor, numbers, {"loss": "huber"}),
    "poisson": (
        regressor,
        lambda frame: np.round(np.exp(frame["x"].to_numpy())),
        {"loss": "poisson"},
    ),
    "gamma": (
        regressor,
        lambda frame: np.exp(frame["x"].to_numpy()),
        {"loss": "gamma"},
    ),
}


def model_of(name, **parameters):
    """A small model, and the function that makes its target of a table."""
    kind, target, own = TARGETS[name]
    return kind(**own | parameters), target
