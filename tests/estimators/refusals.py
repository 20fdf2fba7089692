"""Data and helpers for what is refused: a call, the words it must give, nothing changed."""

import pickle
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from skdeep import DeepClassifier, DeepRegressor

RNG = np.random.RandomState(0)


N = 30


X = RNG.normal(size=(N, 3))


NUMBERS = X[:, 0] + 1


BINARY = np.arange(N) % 2


CLASSES = np.arange(N) % 3


NAMES = np.array(["a", "b", "c"])[CLASSES]


LABELS = (RNG.uniform(size=(N, 3)) > 0.5).astype(int)


COLUMNS = np.c_[CLASSES, CLASSES[::-1]]


ONES = np.ones(N)


def with_entry(array, value, index=0):
    """A float copy of `array` with one entry replaced."""
    array = np.array(array, float)
    array.flat[index] = value
    return array


def classifier(**params):
    return DeepClassifier(
        **{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **params}
    )


def regressor(**params):
    return DeepRegressor(
        **{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **params}
    )


@dataclass
class Call:
    """A method call on an estimator."""

    method: str
    args: tuple
    kwargs: dict = field(default_factory=dict)

    def on(self, model: Any) -> Any:
        return getattr(model, self.method)(*self.args, **self.kwargs)


def call(method, *args, **kwargs):
    return Call(method, args, kwargs)


def case(name, model, *calls, words):
    """Calls of which the last one must be refused, in words that hold `words`."""
    return pytest.param(model, calls[:-1], calls[-1], words, id=name)


def state(model):
    return pickle.dumps(vars(model))


def holds(message, word):
    # X and y must stand alone; all else may be a part of a word.
    return bool(re.search(rf"\b{word}\b", message)) if len(word) == 1 else word in message


def refused(model, bad, words):
    """Check that the call is refused, in helpful words, and leaves no trace."""
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        bad.on(model)
    message = str(caught.value)
    missing = [word for word in words if not holds(message, word)]
    assert not missing, f"{missing} not in {type(caught.value).__name__}: {message}"
    assert isinstance(caught.value, ValueError), f"{type(caught.value).__name__}: {message}"
    assert len(message) < 2000, f"a message of {len(message)} characters is not read"
    assert state(model) == before, "the estimator has changed"


# The data

fit_c = call("fit", X, CLASSES)


fit_r = call("fit", X, NUMBERS)
