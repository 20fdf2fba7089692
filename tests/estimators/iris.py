"""Iris, its kinds of y and helpers, on which each option is tried."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skdeep import DeepClassifier, DeepRegressor

RNG = np.random.RandomState(0)


X, SPECIES = load_iris(return_X_y=True)


X, SPECIES = scale(X[::2]), SPECIES[::2]


N = len(X)


WEIGHTS = RNG.uniform(0.2, 2, N)


NUMBERS = X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=N)


COLOURS = np.array(["red", "blue", "green"])[SPECIES]


# Kinds of y, each with weights for its classes; a class that is not named weighs 1.
TASKS = {
    "binary": ((SPECIES == 2).astype(int), {1: 3.0}),
    "labels": (COLOURS, {"red": 0.5, "green": 2.0}),
    "multilabel": (
        np.column_stack([SPECIES == 0, SPECIES > 0, X[:, 0] > 0]).astype(int),
        [{0: 2.0}, {1: 0.5, 0: 1.5}, {}],
    ),
    "multioutput": (
        np.column_stack([SPECIES, 5 + (X[:, 0] > 0), 1 + (SPECIES > 1)]),
        [{0: 2.0}, {5: 0.5, 6: 3.0}, {}],
    ),
}


CLASSIFIER_LOSSES = ["log_loss", "squared_error", "focal"]


REGRESSOR_LOSSES = {
    "squared_error": NUMBERS,
    "absolute_error": NUMBERS,
    "huber": NUMBERS,
    "log_cosh": NUMBERS,
    "poisson": np.round(np.exp(NUMBERS / 2)),
    "gamma": np.exp(NUMBERS / 2),
    "quantile": NUMBERS,
}


BOTH = [(DeepClassifier, COLOURS), (DeepRegressor, NUMBERS)]


KINDS = pytest.mark.parametrize(("kind", "y"), BOTH, ids=["classifier", "regressor"])


STILL = {"learning_rate_init": 1e-100, "alpha": 0}  # trains, and moves nothing


def model(kind=DeepClassifier, **params):
    defaults = {
        "hidden_layer_sizes": (6, 6),
        "learning_rate_init": 0.01,
        "max_iter": 4,
        "batch_size": 20,
        "random_state": 1,
    }
    return kind(**defaults | params)


def assert_same(one, other, rtol=0.0):
    """The same weights and losses: to the bit, or to `rtol`."""
    for name in ("coefs_", "intercepts_", "norms_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * 0.1, err_msg=name)
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=rtol)


def differ(one, other):
    return not all(np.array_equal(a, b) for a, b in zip(one.coefs_, other.coefs_, strict=True))


def flat(fitted):
    arrays = [*fitted.coefs_, *fitted.intercepts_, *fitted.norms_]
    return np.concatenate([array.ravel() for array in arrays])
