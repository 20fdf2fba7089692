"""Data and helpers that hold an estimator against its scikit-learn twin."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skdeep import DeepClassifier, DeepRegressor
from skdeep.solvers import SOLVERS as ALL_SOLVERS

N = 60


X, CODES = make_classification(
    n_samples=N, n_features=6, n_informative=5, n_redundant=0, n_classes=3, random_state=0
)


RNG = np.random.RandomState(0)


WEIGHTS = RNG.uniform(0.1, 2, N)


NUMBERS = X[:, 0] * X[:, 1] + np.sin(X[:, 2])


LABELS = (X[:, :3] + 0.3 * RNG.normal(size=(N, 3)) > 0).astype(int)


BINARY = LABELS[:, 0]


PARAMS = {"hidden_layer_sizes": (7, 5), "max_iter": 6, "random_state": 3, "batch_size": 16}


SOLVERS = ["adam", "sgd", "lbfgs"]


STOCHASTIC = ["adam", "sgd"]


TWINS = {DeepClassifier: MLPClassifier, DeepRegressor: MLPRegressor}


KINDS = pytest.mark.parametrize("kind", TWINS, ids=lambda kind: kind.__name__)


def pair(kind, **params):
    """Our estimator and scikit-learn's, with the same parameters."""
    params = PARAMS | params
    if params.get("solver") == "lbfgs":
        # Few iterations: in its line search scikit-learn cuts the log-loss off at 36.
        params |= {"batch_size": "auto", "max_iter": min(params["max_iter"], 2)}
    return kind(**params), TWINS[kind](**params)


def fit_target(kind):
    return CODES if kind is DeepClassifier else NUMBERS


def dense(table):
    return table.toarray() if sp.issparse(table) else np.asarray(table)


def assert_same_weights(ours, theirs, rtol=1e-10, atol=1e-12):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=name)


def assert_same_predictions(ours, theirs, X, rtol=1e-8):
    atol = rtol / 100
    if isinstance(ours, DeepRegressor):
        assert_allclose(ours.predict(X), theirs.predict(X), rtol=rtol, atol=atol)
        return
    assert_array_equal(dense(ours.predict(X)), dense(theirs.predict(X)))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=rtol, atol=atol)


# Tasks

TASKS = {
    "binary-int": (DeepClassifier, BINARY),
    "binary-bool": (DeepClassifier, BINARY.astype(bool)),
    "binary-names": (DeepClassifier, np.array(["yes", "a longer no"])[BINARY]),
    "binary-minus-one": (DeepClassifier, 2 * BINARY - 1),
    "binary-float": (DeepClassifier, BINARY.astype(float)),
    "classes": (DeepClassifier, CODES),
    "classes-with-gaps": (DeepClassifier, np.array([-5, 0, 17])[CODES]),
    "classes-uint8": (DeepClassifier, CODES.astype(np.uint8)),
    "classes-names": (DeepClassifier, np.array(["b", "c", "a"])[CODES]),
    "classes-objects": (DeepClassifier, np.array(["b", "cc", "a"], object)[CODES]),
    "classes-list": (DeepClassifier, CODES.tolist()),
    "classes-series": (DeepClassifier, pd.Series(CODES, index=np.arange(N)[::-1])),
    "classes-string-series": (DeepClassifier, pd.Series(["b", "c", "a"]).iloc[CODES]),
    "classes-string-dtype": (
        DeepClassifier,
        pd.Series(np.array(["b", "c", "a"])[CODES], dtype="string"),
    ),
    "classes-categorical": (
        DeepClassifier,
        pd.Series(pd.Categorical(np.array(["b", "c", "a"])[CODES])),
    ),
    "classes-nullable": (DeepClassifier, pd.Series(CODES, dtype="Int64")),
    "classes-polars": (DeepClassifier, pl.Series(np.array(["b", "c", "a"])[CODES].tolist())),
    "labels": (DeepClassifier, LABELS),
    "labels-bool": (DeepClassifier, LABELS.astype(bool)),
    "labels-frame": (DeepClassifier, pd.DataFrame(LABELS, columns=list("abc"))),
    "labels-csr-matrix": (DeepClassifier, sp.csr_matrix(LABELS)),
    "labels-csr-array": (DeepClassifier, sp.csr_array(LABELS)),
    "labels-csc-array": (DeepClassifier, sp.csc_array(LABELS)),
    "numbers": (DeepRegressor, NUMBERS),
    "numbers-int": (DeepRegressor, np.arange(N) % 7),
    "numbers-uint8": (DeepRegressor, (np.arange(N) % 7).astype(np.uint8)),
    "numbers-float32": (DeepRegressor, NUMBERS.astype(np.float32)),
    "numbers-bool": (DeepRegressor, BINARY.astype(float)),
    "numbers-list": (DeepRegressor, NUMBERS.tolist()),
    "numbers-series": (DeepRegressor, pd.Series(NUMBERS, index=np.arange(N)[::-1])),
    "numbers-polars": (DeepRegressor, pl.Series(NUMBERS)),
    "numbers-object": (DeepRegressor, NUMBERS.astype(object)),
    "two-columns": (DeepRegressor, np.c_[NUMBERS, X[:, 3]]),
    "two-columns-fortran": (DeepRegressor, np.asfortranarray(np.c_[NUMBERS, X[:, 3]])),
    "two-columns-frame": (DeepRegressor, pd.DataFrame({"a": NUMBERS, "b": X[:, 3]})),
}


def fitted_attributes(model):
    return {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}


NAMED = sorted(set(ALL_SOLVERS) - {"lbfgs"})


HOLES = np.where(np.abs(X) < 0.7, 0, X)
