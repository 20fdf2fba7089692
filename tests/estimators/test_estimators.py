"""Law: with data, attributes, warm starts and generators, ours do as scikit-learn's MLP does.

MLPClassifier and MLPRegressor of scikit-learn, with the same parameters, are the truth
wherever they have one. What is ours alone (dtype, solver specs) is held against the
spelling that it stands for.
"""

import contextlib
import inspect
import io
import pickle
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, RegressorChain
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, get_tags
from threadpoolctl import threadpool_info, threadpool_limits

from skdeep import LBFGS, SGD, Adam, Cosine, DeepClassifier, DeepRegressor, StepDecay, WarmUp
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
NAMES_OF_TWO = np.array(["yes", "a longer no"])[BINARY]

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


# Construction

NEW_PARAMETERS = {
    "dtype": None,
    "l1_ratio": 0.0,
    "dropout": 0.0,
    "batch_norm": False,
    "layer_norm": False,
    "max_norm": None,
    "clip_norm": None,
    "weight_init": None,
    "bias": True,
    "residual": False,
    "init_output_bias": None,
    "weight_averaging": 0.0,
    "weight_decay": 0.01,  # of solvers that MLP has not
    "rho": 0.9,
    "validation_scoring": None,
    "restore_best": True,
    "max_time": None,
}
OF_CLASSES = {
    "loss": "log_loss",
    "class_weight": None,
    "label_smoothing": 0.0,
    "focal_gamma": 2.0,
    "output_activation": None,
}
OF_NUMBERS = {"output_activation": None, "huber_delta": 1.0, "quantile": 0.5}


@KINDS
def test_parameters_are_those_of_mlp_and_new_ones_come_last(kind):
    ours = inspect.signature(kind).parameters
    theirs = inspect.signature(TWINS[kind]).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name
        assert ours[name].kind == parameter.kind, name
    new = {name: ours[name] for name in list(ours)[len(theirs) :]}
    assert all(parameter.kind == parameter.KEYWORD_ONLY for parameter in new.values())
    # A new parameter is off by default; this table says what off is.
    own = OF_CLASSES if kind is DeepClassifier else OF_NUMBERS
    assert {name: new[name].default for name in new} == NEW_PARAMETERS | own


@KINDS
def test_docstring_tells_of_each_parameter(kind):
    section = kind.__doc__.split("    Attributes\n")[0]
    documented = re.findall(r"^    (\w+) : ", section, re.MULTILINE)
    assert sorted(documented) == sorted(inspect.signature(kind).parameters)


@KINDS
def test_tags_are_those_of_mlp(kind):
    ours, theirs = (get_tags(estimator()) for estimator in (kind, TWINS[kind]))
    assert ours.input_tags == theirs.input_tags
    assert ours.classifier_tags == theirs.classifier_tags
    assert ours.regressor_tags == theirs.regressor_tags
    assert ours.non_deterministic == theirs.non_deterministic
    # MLPRegressor takes y of several columns, and does not say so; MLPClassifier refuses.
    assert ours.target_tags.multi_output


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


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_each_kind_of_target_is_learnt_as_mlp_learns_it(task, solver):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver)
    ours.fit(X, y)
    theirs.fit(X, y)
    assert_same_predictions(ours, theirs, X, rtol=1e-6)
    prediction, truth = ours.predict(X), theirs.predict(X)
    assert prediction.shape == truth.shape
    assert prediction.dtype == truth.dtype
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-10)
    if kind is DeepClassifier:
        assert_array_equal(ours.classes_, theirs.classes_)
        assert ours.classes_.dtype == theirs.classes_.dtype


@pytest.mark.parametrize("kind", TWINS)
def test_column_is_a_vector_with_one_warning(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        column = clone(ours).fit(X, y[:, None])
    seen = [w for w in caught if issubclass(w.category, DataConversionWarning)]
    assert len(seen) == 1, f"{len(seen)} warnings for one column"
    assert_same_weights(column, ours.fit(X, y), rtol=0, atol=0)
    assert_array_equal(column.predict(X), ours.predict(X))
    with pytest.warns(DataConversionWarning):
        theirs.fit(X, y[:, None])
    assert column.predict(X).shape == theirs.predict(X).shape == (N,)


def test_one_label_of_a_matrix_is_binary():
    with pytest.warns(DataConversionWarning):
        ours = pair(DeepClassifier)[0].fit(X, LABELS[:, :1])
    assert_array_equal(ours.classes_, [0, 1])
    assert ours.predict(X).shape == (N,)


def test_two_columns_of_zeros_and_ones_are_labels_not_classes():
    ours = pair(DeepClassifier)[0].fit(X, LABELS[:, :2])
    assert ours.out_activation_ == "logistic"
    assert ours.predict(X).shape == (N, 2)
    assert not np.allclose(ours.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("task", ["binary-int", "classes", "labels"])
def test_log_probabilities(task):
    ours = DeepClassifier(**PARAMS).set_params(solver="lbfgs", max_iter=40)
    ours.fit(X, TASKS[task][1])
    probability, logarithm = ours.predict_proba(X), ours.predict_log_proba(X)
    with np.errstate(divide="ignore"):
        assert_array_equal(logarithm, np.log(probability))
    # A rare class of two keeps its probability, which 1 - p would round to 0.
    if task == "binary-int":
        assert (probability > 0).all()
        assert logarithm.min() < -40


@pytest.mark.parametrize("task", ["binary-int", "classes", "labels", "numbers", "two-columns"])
def test_score_takes_weights(task):
    kind, y = TASKS[task]
    ours = pair(kind)[0].fit(X, y)
    score = accuracy_score if kind is DeepClassifier else r2_score
    assert ours.score(X, y, sample_weight=WEIGHTS) == pytest.approx(
        score(y, ours.predict(X), sample_weight=WEIGHTS), rel=1e-12
    )


# Several columns of classes, which scikit-learn's MLP refuses

BOTH = np.c_[CODES, 5 + CODES[::-1] % 2]
COLUMNS_OF_CLASSES = {
    "int": BOTH,
    "list": BOTH.tolist(),
    "frame": pd.DataFrame(BOTH, columns=["a", "b"]),
    "names": np.c_[
        np.array(["b", "cc", "a"])[CODES],
        NAMES_OF_TWO,
    ],
    "objects": np.c_[np.array(["b", "cc", "a"])[CODES], NAMES_OF_TWO].astype(object),
    "float": BOTH.astype(float),
    "uint8": BOTH.astype(np.uint8),
    "three": np.c_[BOTH, CODES[::-1]],
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", COLUMNS_OF_CLASSES)
def test_columns_of_classes_are_learnt(name, solver):
    y = COLUMNS_OF_CLASSES[name]
    table = np.asarray(y)
    ours = DeepClassifier((40,), solver=solver, max_iter=400, random_state=0, alpha=0)
    ours.set_params(learning_rate_init=0.05).fit(X, y)
    prediction = ours.predict(X)
    assert prediction.shape == table.shape
    # Objects that are all strings become strings, as in a single column.
    assert prediction.dtype.kind == table.dtype.kind.replace("O", "U")
    assert isinstance(ours.classes_, list)
    right = (prediction == table).all(axis=1)
    assert ours.score(X, y) == pytest.approx(right.mean())
    assert ours.score(X, y, WEIGHTS) == pytest.approx(np.average(right, weights=WEIGHTS))
    assert right.mean() > 0.9
    found = zip(
        table.T,
        ours.classes_,
        ours.predict_proba(X),
        ours.predict_log_proba(X),
        prediction.T,
        strict=True,
    )
    for column, classes, probability, logarithm, predicted in found:
        assert_array_equal(classes, np.unique(column))
        assert probability.shape == (N, len(classes))
        assert_allclose(probability.sum(axis=1), 1)
        with np.errstate(divide="ignore"):
            assert_array_equal(logarithm, np.log(probability))
        assert_array_equal(classes[probability.argmax(axis=1)], predicted)
    assert ours.n_outputs_ == sum(1 if len(c) == 2 else len(c) for c in ours.classes_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_columns_of_two_classes_are_learnt_as_mlp_learns_labels(solver):
    # Two columns of two classes each ask for the same network as two labels.
    ours, theirs = pair(DeepClassifier, solver=solver)
    columns = LABELS[:, :2] + [0, 2]
    ours.fit(X, columns)
    theirs.fit(X, LABELS[:, :2])
    assert_same_weights(ours, theirs, rtol=1e-6)
    assert_array_equal(ours.predict(X) - [0, 2], theirs.predict(X))
    for i, probability in enumerate(ours.predict_proba(X)):
        assert_allclose(probability[:, 1], theirs.predict_proba(X)[:, i], rtol=1e-6)
    assert ours.score(X, columns) == pytest.approx(theirs.score(X, LABELS[:, :2]))


def test_early_stopping_on_columns_of_classes_watches_the_share_of_rows_all_right():
    ours = DeepClassifier(**PARAMS, validation_fraction=0.5, early_stopping=True)
    ours.fit(X, BOTH)
    shares = 30 * np.array(ours.validation_scores_)
    assert_allclose(shares, shares.round())
    given = DeepClassifier(**PARAMS).fit(X, BOTH, X_val=X, y_val=BOTH)
    assert given.best_validation_score_ == pytest.approx(given.score(X, BOTH))
    assert given.best_validation_score_ == max(given.validation_scores_)


@pytest.mark.parametrize("name", ["int", "names", "objects"])
def test_partial_fit_on_columns_of_classes(name):
    y = np.asarray(COLUMNS_OF_CLASSES[name])
    classes = [np.unique(column) for column in y.T]
    ours = DeepClassifier(**PARAMS)
    few = y[:, 0] != classes[0][2]
    ours.partial_fit(X[few], y[few], classes=classes)
    ours.partial_fit(X, y).partial_fit(X, y, classes=classes)
    for known, given in zip(ours.classes_, classes, strict=True):
        assert_array_equal(known, given)
    assert ours.predict(X).shape == y.shape


def test_warm_start_on_columns_of_classes():
    ours = DeepClassifier(**PARAMS, warm_start=True).fit(X, BOTH).fit(X, BOTH)
    alone = DeepClassifier(**PARAMS | {"max_iter": 12}).fit(X, BOTH)
    assert_same_weights(ours, alone, rtol=0, atol=0)


def test_columns_of_numbers_beside_names():
    y = np.c_[np.array(["b", "cc", "a"], object)[CODES], 5 + BINARY.astype(object)]
    classes = [["a", "b", "cc"], [5, 6]]
    ours = DeepClassifier(**PARAMS).partial_fit(X, y, classes=classes)
    prediction = ours.predict(X)
    assert prediction.dtype == object
    assert {type(label) for label in prediction[:, 0]} == {str}
    assert not any(isinstance(label, str) for label in prediction[:, 1])


def test_fit_on_columns_of_numbers_beside_names():
    frame = pd.DataFrame({"a": np.array(["b", "cc", "a"])[CODES], "b": 5 + BINARY})
    ours = DeepClassifier(**PARAMS).fit(X, frame)
    assert_array_equal(ours.classes_[1], [5, 6])


# Fitted attributes

NEW_ATTRIBUTES = {"norms_", "validation_loss_curve_", "best_iter_"}
# Ours also after L-BFGS; scikit-learn's MLP has them after stochastic solvers only.
EXTRA = {
    "adam": set(),
    "sgd": set(),
    "lbfgs": {"loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"},
}


def fitted_attributes(model):
    return {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", ["binary-int", "classes", "labels", "numbers", "two-columns"])
def test_fitted_attributes_are_those_of_mlp(task, solver, early_stopping):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver, early_stopping=early_stopping)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    ours.fit(frame, y)
    theirs.fit(frame, y)
    common = fitted_attributes(theirs)
    assert fitted_attributes(ours) - common == EXTRA[solver] | NEW_ATTRIBUTES
    assert common - fitted_attributes(ours) == set()
    assert_same_weights(ours, theirs, rtol=1e-6, atol=1e-8)
    for name in common - {"coefs_", "intercepts_"}:
        a, b = getattr(ours, name), getattr(theirs, name)
        if isinstance(b, float | list):
            assert type(a) is type(b) or isinstance(a, float), name
            assert_allclose(a, b, rtol=1e-7, err_msg=name)
        else:
            assert_array_equal(a, b, err_msg=name)
    assert ours.norms_ == []
    if early_stopping and solver != "lbfgs":
        assert len(ours.validation_loss_curve_) == len(ours.validation_scores_)
        assert ours.validation_scores_[ours.best_iter_ - 1] == ours.best_validation_score_
        assert ours.best_iter_ == 1 + np.argmax(ours.validation_scores_)
    else:
        assert ours.validation_loss_curve_ is ours.best_iter_ is None


@KINDS
def test_docstring_tells_of_each_fitted_attribute(kind):
    ours = pair(kind)[0].fit(pd.DataFrame(X, columns=list("abcdef")), fit_target(kind))
    section = kind.__doc__.split("    Attributes\n")[1].split("    See Also\n")[0]
    documented = re.findall(r"^    (\w+_) : ", section, re.MULTILINE)
    assert sorted(documented) == sorted(fitted_attributes(ours))


@KINDS
def test_figures_of_lbfgs(kind):
    ours = pair(kind, solver="lbfgs")[0].fit(X, fit_target(kind))
    assert len(ours.loss_curve_) == ours.n_iter_ == 2
    assert ours.loss_curve_[-1] == ours.loss_ == ours.best_loss_
    assert (np.diff(ours.loss_curve_) < 0).all()
    assert ours.validation_scores_ is ours.validation_loss_curve_ is ours.best_iter_ is None
    assert ours.best_validation_score_ is None
    assert ours.t_ == 0


# Weights written by the user


def write_element(model):
    model.coefs_[0][1, 2] = 3.0
    model.intercepts_[-1][0] = -2.0


def write_slice(model):
    model.coefs_[1][:, 0] = 0
    model.intercepts_[0][:] = 1.5


def write_in_place(model):
    model.coefs_[1] *= 0.5
    model.intercepts_[1] += 1


def write_item(model):
    model.coefs_[1] = np.linspace(-1, 1, 35).reshape(7, 5)
    model.intercepts_[0] = np.linspace(0, 1, 7)


def write_fortran(model):
    model.coefs_[1] = np.asfortranarray(np.linspace(-1, 1, 35).reshape(7, 5))


def write_integers(model):
    model.coefs_[0] = np.arange(42).reshape(6, 7) % 3 - 1


def write_float32(model):
    model.coefs_ = [coef.astype(np.float32) / 2 for coef in model.coefs_]
    model.intercepts_ = [bias.astype(np.float32) for bias in model.intercepts_]


def write_lists(model):
    rng = np.random.RandomState(1)
    model.coefs_ = [rng.normal(size=coef.shape) for coef in model.coefs_]
    model.intercepts_ = [rng.normal(size=bias.shape) for bias in model.intercepts_]


WRITES = [
    write_element,
    write_slice,
    write_in_place,
    write_item,
    write_fortran,
    write_integers,
    write_float32,
    write_lists,
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_written_weights_predict_and_are_trained_on(kind, solver, write):
    y = fit_target(kind)
    ours, theirs = (model.fit(X, y) for model in pair(kind, solver=solver))
    before = ours.predict(X)
    for model in (ours, theirs):
        write(model)
    single = write is write_float32
    assert_same_predictions(ours, theirs, X, rtol=1e-4 if single else 1e-8)
    if kind is DeepRegressor:
        assert not np.allclose(ours.predict(X), before)
    if write is write_integers:
        return  # scikit-learn cannot train on them
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if single else {}
    for _ in range(2):
        for model in (ours, theirs):
            model.partial_fit(X, y)
        assert_same_weights(ours, theirs, **tolerance)


@KINDS
def test_written_weights_may_have_other_hidden_widths(kind):
    y = fit_target(kind)
    ours, theirs = (model.fit(X, y) for model in pair(kind))
    rng = np.random.RandomState(1)
    n_out = ours.n_outputs_
    coefs = [rng.normal(size=shape) for shape in ((6, 9), (9, 4), (4, n_out))]
    for model in (ours, theirs):
        model.coefs_ = [coef.copy() for coef in coefs]
        model.intercepts_ = [np.ones(coef.shape[1]) for coef in coefs]
    assert_same_predictions(ours, theirs, X)


@pytest.mark.parametrize("write", WRITES)
@KINDS
def test_warm_start_goes_on_from_written_weights(kind, write):
    # Without momentum and in a fixed order MLP, too, has nothing to go on with but weights.
    y = fit_target(kind)
    plain = {"solver": "sgd", "momentum": 0.0, "shuffle": False, "warm_start": True}
    ours, theirs = (model.fit(X, y) for model in pair(kind, **plain))
    single = write is write_float32
    if write is write_integers:
        return  # scikit-learn cannot train on them
    for model in (ours, theirs):
        write(model)
        model.fit(X, y)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if single else {}
    assert_same_weights(ours, theirs, **tolerance)


NAMED = sorted(set(ALL_SOLVERS) - {"lbfgs"})


@pytest.mark.parametrize("solver", NAMED)
@KINDS
def test_each_solver_goes_on_from_written_weights(kind, solver):
    y = fit_target(kind)
    ours = kind(**PARAMS, solver=solver, warm_start=True).fit(X, y)
    write_lists(ours)
    coefs = [coef.copy() for coef in ours.coefs_]
    # At a rate of next to nothing the weights stay what they are.
    ours.set_params(learning_rate_init=1e-13, momentum=0.0).fit(X, y)
    for coef, written in zip(ours.coefs_, coefs, strict=True):
        assert_allclose(coef, written, atol=1e-6)


# Going on


@KINDS
def test_warm_start_of_lbfgs_equals_mlps(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind, solver="lbfgs", warm_start=True)
    for rows in (slice(None), slice(0, 50), slice(10, None)):
        for model in (ours, theirs):
            model.fit(X[rows], y[rows])
        assert_same_weights(ours, theirs, rtol=1e-6, atol=1e-8)
        assert ours.n_iter_ == theirs.n_iter_


def assert_same_fit(ours, theirs):
    """The same to the bit, whatever the number of calls that it took."""
    assert ours.loss_curve_ == theirs.loss_curve_
    for name in (
        "validation_scores_",
        "validation_loss_curve_",
        "best_validation_score_",
        "best_iter_",
        "best_loss_",
        "loss_",
        "t_",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("coefs_", "intercepts_", "norms_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            assert_array_equal(a, b, err_msg=name)
            assert a.dtype == b.dtype


GOING_ON = {
    **{solver: {"solver": solver} for solver in NAMED},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "spec": {"solver": SGD(momentum=0.5, learning_rate_init=0.05)},
    # The rest of the schedules run over the epochs of a call.
    **{
        name: {"solver": "sgd", "learning_rate": name, "learning_rate_init": 0.05}
        for name in ("invscaling", "adaptive", "inverse_time", "step", "exponential")
    },
    "stalling": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 10.0,
        "n_iter_no_change": 3,
    },
    "function": {"learning_rate": lambda step: 0.01 / (1 + step)},
    "in order": {"shuffle": False},
    "one batch": {"batch_size": "auto"},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.1},
    "early stopping, last": {"early_stopping": True, "restore_best": False},
    "validated by loss": {"early_stopping": True, "validation_scoring": "loss"},
    "dropout": {"dropout": 0.3},
    "dropout of the input": {"dropout": [0.2, 0.0, 0.4], "batch_size": "auto"},
    "batch norm": {"batch_norm": True},
    "layer norm": {"layer_norm": True, "bias": False},
    "averaged": {"weight_averaging": 0.9},
    "averaged, one batch": {"weight_averaging": 0.99, "batch_size": "auto"},
    "averaged, early stopping": {
        "weight_averaging": 0.9,
        "early_stopping": True,
        "learning_rate_init": 0.1,
    },
    "all": {
        "solver": "nadam",
        "weight_averaging": 0.9,
        "early_stopping": True,
        "dropout": 0.2,
        "batch_norm": True,
        "residual": True,
        "clip_norm": 0.5,
        "max_norm": 2.0,
        "l1_ratio": 0.5,
        "weight_init": "orthogonal",
        "init_output_bias": "baseline",
    },
    "float32": {"dtype": "float32"},
}
EXACT = PARAMS | {"n_iter_no_change": 100, "tol": 0.0}
STATES = {"int": lambda: 3, "generator": lambda: np.random.RandomState(3)}


def reloaded(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("between", [lambda model: model, reloaded], ids=["", "pickled"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", GOING_ON)
@KINDS
def test_two_fits_of_ten_epochs_are_one_of_twenty(kind, name, state, between):
    if name == "function" and between is reloaded:
        pytest.skip("a lambda cannot be pickled")
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    whole = kind(**params | {"max_iter": 20, "random_state": STATES[state]()}).fit(X, y)
    parts = kind(**params | {"max_iter": 10, "random_state": STATES[state]()}, warm_start=True)
    parts = between(parts.fit(X, y))
    assert not np.array_equal(parts.loss_curve_, whole.loss_curve_)
    assert_same_fit(parts.fit(X, y), whole)
    assert parts.n_iter_ == 10


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "averaged", "all"])
@KINDS
def test_parts_of_any_length_and_weights(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    whole = kind(**params | {"max_iter": 12}).fit(X, y, WEIGHTS)
    parts = kind(**params, warm_start=True)
    for n_epochs in (1, 6, 2, 3):
        parts.set_params(max_iter=n_epochs).fit(X, y, WEIGHTS)
    assert_same_fit(parts, whole)


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "batch norm"])
@KINDS
def test_parts_validated_on_given_rows(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name]
    validation = {"X_val": X[:20], "y_val": y[:20], "sample_weight_val": WEIGHTS[:20]}
    whole = kind(**params | {"max_iter": 20}).fit(X, y, **validation)
    parts = kind(**params | {"max_iter": 10}, warm_start=True)
    parts.fit(X, y, **validation).fit(X, y, **validation)
    assert_same_fit(parts, whole)


@pytest.mark.parametrize("name", ["adam", "early stopping", "dropout", "averaged", "all"])
@KINDS
def test_warm_start_without_a_seed_goes_on(kind, name):
    y = fit_target(kind)
    params = EXACT | GOING_ON[name] | {"random_state": None, "learning_rate_init": 0.001}
    parts = kind(**params, warm_start=True).fit(X, y)
    first = reloaded(parts)
    parts.fit(X, y)
    assert parts.loss_curve_[:6] == first.loss_curve_
    assert len(parts.loss_curve_) == 12
    assert parts.t_ == 2 * first.t_
    # A start anew would lie farther from these weights than they from zero.
    moved = np.linalg.norm(parts.coefs_[0] - first.coefs_[0])
    assert moved < 0.5 * np.linalg.norm(first.coefs_[0])


ROW_CHANGES = [
    (slice(None), slice(0, 50)),
    (slice(0, 50), slice(None)),
    (slice(0, 50), slice(10, 60)),
]


@pytest.mark.parametrize("rows", ROW_CHANGES, ids=str)
@pytest.mark.parametrize(
    "name", ["adam", "sgd", "early stopping", "dropout", "averaged", "all"]
)
@KINDS
def test_warm_start_goes_on_with_other_rows(kind, name, rows):
    y = fit_target(kind)
    first, second = rows
    params = EXACT | GOING_ON[name]
    model = kind(**params, warm_start=True).fit(X[first], y[first])
    curve, steps = list(model.loss_curve_), model._solver_state.n_steps
    twin = reloaded(model)
    for each in (model, twin):
        each.fit(X[second], y[second])
    assert_same_fit(model, twin)
    assert model.loss_curve_[:6] == curve
    assert len(model.loss_curve_) == 12
    assert model._solver_state.n_steps > steps
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize(
    "change", [{"solver": "sgd"}, {"random_state": 9}, {"batch_size": 20}, {"alpha": 0.1}]
)
@KINDS
def test_warm_start_goes_on_with_other_parameters(kind, change):
    y = fit_target(kind)
    model = kind(**EXACT, warm_start=True).fit(X, y)
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(**change, learning_rate_init=1e-13).fit(X, y)
    for coef, own in zip(model.coefs_, before, strict=True):
        assert_allclose(coef, own, atol=1e-6)
    assert len(model.loss_curve_) == 12


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_warm_start_with_early_stopping_keeps_the_best_epoch_of_all(kind, solver):
    # scikit-learn keeps the last epoch here: it trains its copy of the best in place.
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, warm_start=True, early_stopping=True, max_iter=40)
    ours.set_params(learning_rate_init=0.03, validation_fraction=0.3).fit(X, y)
    best = pickle.loads(pickle.dumps(ours))
    ours.set_params(learning_rate_init=100.0).fit(X, y)
    assert_array_equal(ours.validation_scores_[: best.n_iter_], best.validation_scores_)
    assert ours.best_validation_score_ == max(ours.validation_scores_)
    assert ours.best_validation_score_ == best.best_validation_score_, "not a bad enough rate"
    assert_same_weights(ours, best, rtol=0, atol=0)


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_fit_without_warm_start_forgets(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    fresh = clone(ours).fit(X, y)
    again = clone(ours).fit(X[:40, :4], y[:40]).fit(X, y)
    assert_same_weights(again, fresh, rtol=0, atol=0)
    assert again.loss_curve_ == fresh.loss_curve_
    assert again.t_ == fresh.t_
    assert again.n_features_in_ == 6


@pytest.mark.parametrize("solver", SOLVERS)
def test_fit_without_warm_start_takes_other_classes(solver):
    ours, _ = pair(DeepClassifier, solver=solver)
    ours.fit(X, CODES).fit(X, BINARY + 7)
    assert_array_equal(ours.classes_, [7, 8])
    ours.fit(X, LABELS)
    assert ours.predict(X).shape == LABELS.shape


ROWS = [slice(0, 20), slice(20, 30), slice(25, 60)]


@pytest.mark.parametrize("after_fit", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize(
    "task", ["binary-names", "classes", "labels", "numbers", "two-columns"]
)
def test_series_of_partial_fits_equals_mlps(task, solver, weighted, after_fit):
    kind, y = TASKS[task]
    ours, theirs = pair(kind, solver=solver, learning_rate_init=0.02)
    if after_fit:
        ours.fit(X, y)
        theirs.fit(X, y)
    declared = {} if kind is DeepRegressor else {"classes": np.unique(y)}
    if task == "labels":
        declared = {"classes": np.arange(3)}
    for rows in ROWS:
        for model in (ours, theirs):
            weights = WEIGHTS[rows] if weighted else None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # batches larger than the rows
                model.partial_fit(X[rows], y[rows], sample_weight=weights, **declared)
        declared = {}
        assert_same_weights(ours, theirs)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-10)
        assert ours.n_iter_ == theirs.n_iter_ == 1
        assert ours.t_ == theirs.t_
    assert_same_predictions(ours, theirs, X)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_)


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_schedule_goes_on_over_partial_fits(schedule):
    params = {"solver": "sgd", "learning_rate": schedule, "learning_rate_init": 0.1}
    ours, theirs = pair(DeepRegressor, **params, tol=10.0, n_iter_no_change=2)
    for _ in range(12):
        for model in (ours, theirs):
            model.partial_fit(X, NUMBERS)
        assert_same_weights(ours, theirs, rtol=1e-9)


@KINDS
def test_partial_fit_on_single_rows(kind):
    y = fit_target(kind)
    ours, theirs = pair(kind, batch_size="auto")
    declared = {} if kind is DeepRegressor else {"classes": [0, 1, 2]}
    for row in range(6):
        for model in (ours, theirs):
            model.partial_fit(X[[row]], y[[row]], **declared)
    assert_same_weights(ours, theirs)


def test_first_partial_fit_needs_no_classes_where_y_is_an_indicator_matrix():
    ours, _ = pair(DeepClassifier)
    ours.partial_fit(X, LABELS)
    assert ours.predict(X).shape == LABELS.shape


@pytest.mark.parametrize(
    ("first", "second"), [("sgd", "adam"), ("adam", "sgd"), ("lbfgs", "adam")]
)
@KINDS
def test_partial_fit_with_another_solver_starts_that_solver_anew(kind, first, second):
    y = fit_target(kind)
    changed = pair(kind, solver=first)[0].fit(X, y).set_params(solver=second, batch_size=16)
    anew = pair(kind, solver=second)[0].fit(X, y)
    anew._solver_state = None
    anew.coefs_ = [coef.copy() for coef in changed.coefs_]
    anew.intercepts_ = [bias.copy() for bias in changed.intercepts_]
    for model in (changed, anew):
        model.partial_fit(X, y)
    assert_same_weights(changed, anew, rtol=0, atol=0)


# Batches and order


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_batch_larger_than_the_table_is_clipped_with_a_warning(kind, solver):
    y = fit_target(kind)
    with pytest.warns(UserWarning, match=r"batch_size=1000.* 60 .*clipped"):
        clipped = pair(kind, solver=solver, batch_size=1000)[0].fit(X, y)
    assert_same_weights(clipped, pair(kind, solver=solver, batch_size=60)[0].fit(X, y), 0, 0)


def test_lbfgs_does_not_clip_batches():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*clipped", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        DeepRegressor(**PARAMS | {"solver": "lbfgs", "batch_size": 1000}).fit(X, NUMBERS)


@KINDS
def test_warnings_point_at_the_line_that_called(kind):
    y = fit_target(kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind(**PARAMS | {"batch_size": 1000}).fit(X, y)
        kind(**PARAMS | {"solver": "lbfgs"}).fit(X, y)
    assert {w.category for w in caught} == {UserWarning, ConvergenceWarning}
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.parametrize("batch_size", [16, 60])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_without_shuffling_rows_keep_their_order(kind, solver, batch_size):
    y = fit_target(kind)
    ours, theirs = pair(kind, solver=solver, shuffle=False, batch_size=batch_size)
    assert_same_weights(ours.fit(X, y), theirs.fit(X, y))
    if batch_size < N:
        back = clone(ours).fit(X[::-1].copy(), y[::-1].copy())
        assert not np.allclose(back.coefs_[0], ours.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize("batch_size", [16, "auto"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_shared_generator_is_left_where_mlp_leaves_it(
    kind, solver, early_stopping, shuffle, batch_size
):
    y = fit_target(kind)
    params = PARAMS | {
        "solver": solver,
        "early_stopping": early_stopping,
        "shuffle": shuffle,
        "batch_size": batch_size,
    }
    ours, theirs = np.random.RandomState(5), np.random.RandomState(5)
    kind(**params | {"random_state": ours}).fit(X, y)
    TWINS[kind](**params | {"random_state": theirs}).fit(X, y)
    assert_array_equal(ours.randint(1 << 30, size=5), theirs.randint(1 << 30, size=5))


# Tables

SPARSE = [
    sp.csr_matrix,
    sp.csc_matrix,
    sp.csr_array,
    sp.csc_array,
    sp.coo_array,
    sp.lil_array,
]
HOLES = np.where(np.abs(X) < 0.7, 0, X)


@pytest.mark.parametrize("convert", SPARSE)
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_sparse_table_equals_dense(kind, solver, convert):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    table = convert(HOLES)
    fit_sparse, fit_dense = clone(ours).fit(table, y), clone(ours).fit(HOLES, y)
    assert_same_weights(fit_sparse, fit_dense, rtol=1e-8, atol=1e-10)
    assert_allclose(fit_sparse.predict(table), fit_dense.predict(HOLES))
    assert_allclose(fit_dense.predict(table), fit_dense.predict(HOLES))


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_sparse_table_equals_dense_with_all_else(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=True)
    a, b = clone(ours), clone(ours)
    a.fit(sp.csr_array(HOLES), y, WEIGHTS)
    b.fit(HOLES, y, WEIGHTS)
    assert_same_weights(a, b)
    assert_allclose(a.validation_scores_, b.validation_scores_)
    for model, table in ((a, sp.csc_array(HOLES)), (b, HOLES)):
        model.set_params(early_stopping=False).partial_fit(table, y, WEIGHTS)
    assert_same_weights(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_sparse_table_of_other_dtypes(dtype):
    whole = np.abs(HOLES).round().astype(dtype)
    ours, _ = pair(DeepRegressor)
    a = clone(ours).fit(sp.csr_array(whole), NUMBERS)
    b = clone(ours).fit(whole, NUMBERS)
    assert a.coefs_[0].dtype == b.coefs_[0].dtype
    assert_same_weights(a, b, rtol=1e-4 if dtype == np.float32 else 1e-10, atol=1e-6)


COLUMNS = ["a", "b", "c", "d", "e", "f"]
FRAMES = {
    "pandas": pd.DataFrame(X, columns=COLUMNS),
    "polars": pl.DataFrame(X, schema=COLUMNS),
}


@pytest.mark.parametrize("library", FRAMES)
@KINDS
def test_data_frame(kind, library):
    y, frame = fit_target(kind), FRAMES[library]
    ours, _ = pair(kind)
    named = clone(ours).fit(frame, y)
    assert_array_equal(named.feature_names_in_, COLUMNS)
    assert_same_weights(named, clone(ours).fit(X, y), rtol=0, atol=0)
    assert_allclose(named.predict(frame), clone(ours).fit(X, y).predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match="feature names"):
        named.predict(frame[COLUMNS[::-1]])
    with pytest.warns(UserWarning, match="feature names"):
        named.predict(X)
    assert not hasattr(named.fit(X, y), "feature_names_in_")


@pytest.mark.parametrize("library", FRAMES)
def test_data_frame_in_partial_fit(library):
    frame = FRAMES[library]
    ours = pair(DeepRegressor)[0].partial_fit(frame, NUMBERS)
    assert_array_equal(ours.feature_names_in_, COLUMNS)
    with pytest.raises(ValueError, match="feature names"):
        ours.partial_fit(frame[COLUMNS[::-1]], NUMBERS)


def test_data_frame_of_mixed_dtypes():
    frame = pd.DataFrame(
        {
            "whole": np.arange(N, dtype="int8") % 5,
            "yes": BINARY.astype(bool),
            "single": X[:, 0].astype("float32"),
            "nullable": pd.array(np.arange(N) % 3, dtype="Int64"),
        }
    )
    ours, _ = pair(DeepRegressor)
    plain = clone(ours).fit(frame.astype(float).to_numpy(), NUMBERS)
    assert_same_weights(clone(ours).fit(frame, NUMBERS), plain)


def test_lists_are_tables():
    ours, _ = pair(DeepRegressor)
    a = clone(ours).fit(X.tolist(), NUMBERS.tolist())
    assert_same_weights(a, clone(ours).fit(X, NUMBERS))


@pytest.mark.parametrize("order", ["F", "strided", "backwards", "big-endian", "read-only"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_layout_of_the_table_does_not_matter(solver, order):
    table = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "backwards": X[::-1].copy()[::-1],
        "big-endian": X.astype(">f8"),
        "read-only": X.copy(),
    }[order]
    table.flags.writeable = order != "read-only"
    ours, _ = pair(DeepClassifier, solver=solver)
    a, b = clone(ours).fit(table, CODES), clone(ours).fit(X, CODES)
    assert_same_weights(a, b, rtol=1e-7, atol=1e-9)
    assert_allclose(a.predict_proba(table), b.predict_proba(X), rtol=1e-7)


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_data_are_not_written_to(kind, solver):
    y = np.array(fit_target(kind))
    table, weights = X.copy(), WEIGHTS.copy()
    pair(kind, solver=solver)[0].fit(table, y, weights).predict(table)
    assert_array_equal(table, X)
    assert_array_equal(weights, WEIGHTS)
    assert_array_equal(y, fit_target(kind))


# Dtypes

WHOLE = np.abs(20 * X).astype(np.uint8)


@pytest.mark.parametrize(
    ("given", "dtype", "computed"),
    [
        ("float32", None, "float32"),
        ("float64", None, "float64"),
        ("float16", None, "float64"),
        ("int64", None, "float64"),
        ("uint8", None, "float64"),
        ("bool", None, "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("uint8", "float32", "float32"),
        ("int64", "float32", "float32"),
    ],
)
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_dtype_of_computation(kind, solver, given, dtype, computed):
    y = fit_target(kind)
    table = (WHOLE if given in ("uint8", "bool") else 0.1 * WHOLE).astype(given)
    ours = pair(kind, solver=solver, max_iter=4)[0].set_params(dtype=dtype).fit(table, y)
    assert {array.dtype for array in ours.coefs_ + ours.intercepts_} == {np.dtype(computed)}
    raw = ours.predict_proba(table) if kind is DeepClassifier else ours.predict(table)
    assert raw.dtype == computed
    # The same as converting the table by hand.
    by_hand = clone(ours).set_params(dtype=None).fit(table.astype(computed), y)
    tight = (
        {"rtol": 1e-8, "atol": 1e-10} if computed == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    )
    assert_same_weights(ours, by_hand, **tight)
    if solver != "lbfgs":
        ours.partial_fit(table, y)
    assert ours.coefs_[0].dtype == computed


def test_dtype_is_kept_from_the_first_fit_on():
    ours = pair(DeepRegressor)[0].fit(X.astype(np.float32), NUMBERS)
    ours.partial_fit(X, NUMBERS)
    assert ours.coefs_[0].dtype == np.float32
    assert ours.set_params(warm_start=True).fit(X, NUMBERS).coefs_[0].dtype == np.float32
    assert ours.set_params(warm_start=False).fit(X, NUMBERS).coefs_[0].dtype == np.float64


@pytest.mark.parametrize("given", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_table_on_disk_equals_table_in_memory(solver, given, tmp_path):
    table = WHOLE.astype(given)
    path = tmp_path / "table"
    table.tofile(path)
    on_disk = np.memmap(path, dtype=given, mode="r", shape=table.shape)
    ours, _ = pair(DeepClassifier, solver=solver, early_stopping=True)
    a, b = clone(ours).fit(on_disk, CODES), clone(ours).fit(table, CODES)
    assert_same_weights(a, b, rtol=0, atol=0)
    assert_array_equal(a.predict_proba(on_disk), b.predict_proba(table))


# Solver specs

SPELLINGS = [
    ({"solver": "sgd", "momentum": 0.5}, SGD(momentum=0.5)),
    (
        {
            "solver": "sgd",
            "learning_rate": "invscaling",
            "power_t": 0.3,
            "nesterovs_momentum": False,
        },
        SGD(learning_rate="invscaling", power_t=0.3, nesterovs_momentum=False),
    ),
    (
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
        SGD(learning_rate="adaptive", learning_rate_init=0.1),
    ),
    (
        {
            "solver": "adam",
            "learning_rate_init": 0.01,
            "beta_1": 0.8,
            "beta_2": 0.99,
            "epsilon": 1e-6,
        },
        Adam(learning_rate_init=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-6),
    ),
    ({"solver": "adam"}, Adam()),
    ({"solver": "lbfgs", "max_fun": 4}, LBFGS(max_fun=4)),
]


@pytest.mark.parametrize(
    ("named", "spec"), SPELLINGS, ids=[repr(spec) for _, spec in SPELLINGS]
)
@KINDS
def test_spec_is_another_spelling_of_the_named_solver(kind, named, spec):
    y = fit_target(kind)
    params = PARAMS | {"tol": 0.01, "n_iter_no_change": 1}
    by_name = kind(**params | named).fit(X, y)
    # What a spec holds is read from it alone.
    other = {"learning_rate_init": 7.0, "momentum": 0.123, "beta_1": 0.123, "max_fun": 1}
    by_spec = kind(**params | other, solver=spec).fit(X, y)
    assert_same_weights(by_spec, by_name, rtol=0, atol=0)
    assert by_spec.loss_curve_ == by_name.loss_curve_
    if named["solver"] != "lbfgs":
        for model in (by_name, by_spec):
            model.partial_fit(X, y)
        assert_same_weights(by_spec, by_name, rtol=0, atol=0)


@KINDS
def test_fit_leaves_the_spec_alone(kind):
    spec = SGD(learning_rate="adaptive", learning_rate_init=0.1)
    model = pair(kind)[0].set_params(solver=spec, tol=1.0, n_iter_no_change=1)
    model.fit(X, fit_target(kind))
    assert model.solver is spec
    assert spec == SGD(learning_rate="adaptive", learning_rate_init=0.1)


@KINDS
def test_clone_copies_the_spec(kind):
    model = kind(solver=SGD(momentum=0.5))
    copy = clone(model).set_params(solver__momentum=0.7)
    assert copy.solver == SGD(momentum=0.7)
    assert model.solver == SGD(momentum=0.5)


@KINDS
def test_parameters_reach_into_the_spec(kind):
    model = kind(solver=SGD(momentum=0.5))
    deep = model.get_params(deep=True)
    assert {name for name in deep if name.startswith("solver__")} == {
        "solver__learning_rate",
        "solver__learning_rate_init",
        "solver__power_t",
        "solver__momentum",
        "solver__nesterovs_momentum",
    }
    assert deep["solver__momentum"] == 0.5
    assert not any("__" in name for name in model.get_params(deep=False))
    assert not any("__" in name for name in kind().get_params(deep=True))
    assert model.set_params(solver=Adam(), solver__beta_1=0.5).solver == Adam(beta_1=0.5)


@KINDS
def test_parameters_reach_into_a_spec_that_a_spec_holds(kind):
    warm = WarmUp(2, StepDecay(30, 0.5))
    model = kind(solver=SGD(learning_rate=warm))
    assert model.get_params()["solver__learning_rate__then__factor"] == 0.5
    copy = clone(model).set_params(
        solver__learning_rate__epochs=3, solver__learning_rate__then__factor=0.1
    )
    assert copy.solver.learning_rate == WarmUp(3, StepDecay(30, 0.1))
    assert warm == WarmUp(2, StepDecay(30, 0.5))
    copy.set_params(solver__learning_rate=Cosine(), solver__learning_rate__restarts=2)
    assert copy.solver.learning_rate == Cosine(2)
    by_name = kind(learning_rate=StepDecay()).set_params(learning_rate__every=7)
    assert by_name.learning_rate == StepDecay(7)


@pytest.mark.parametrize(
    "solver", ["adam", Adam(beta_1=0.5), SGD(momentum=0.5), LBFGS(max_fun=3)], ids=repr
)
@KINDS
def test_repr_reads_as_the_call_that_makes_it(kind, solver):
    model = kind(hidden_layer_sizes=(5, 3), solver=solver, alpha=0.01)
    again = eval(repr(model))
    assert again.get_params() | {"solver": 0} == model.get_params() | {"solver": 0}
    assert again.solver == solver
    assert "max_iter" not in repr(model)
    assert "alpha" in model._repr_html_()


def test_search_over_names_and_specs():
    solvers = ["adam", "sgd", Adam(learning_rate_init=0.05), SGD(momentum=0.5), LBFGS()]
    model = DeepClassifier((8,), max_iter=10, random_state=0)
    search = GridSearchCV(model, {"solver": solvers, "alpha": [0, 1.0]}, cv=3).fit(X, CODES)
    for row, params in enumerate(search.cv_results_["params"]):
        alone = cross_val_score(clone(model).set_params(**params), X, CODES, cv=3)
        assert search.cv_results_["mean_test_score"][row] == pytest.approx(alone.mean())
    assert search.best_estimator_.solver == search.best_params_["solver"]


def test_search_reaches_into_a_spec_in_a_pipeline():
    params = {"hidden_layer_sizes": (8,), "max_iter": 10, "random_state": 0}
    named = params | {"solver": "sgd", "learning_rate_init": 0.05}
    spec = SGD(learning_rate_init=0.05)
    chain = make_pipeline(StandardScaler(), DeepRegressor(**params, solver=spec))
    values = [0.1, 0.5, 0.95]
    search = GridSearchCV(chain, {"deepregressor__solver__momentum": values}, cv=3)
    search.fit(X, NUMBERS)
    spelled = []
    for momentum in values:
        model = DeepRegressor(**named, momentum=momentum)
        chain = make_pipeline(StandardScaler(), model)
        spelled.append(cross_val_score(chain, X, NUMBERS, cv=3).mean())
    assert len(set(spelled)) == 3
    assert_allclose(search.cv_results_["mean_test_score"], spelled)
    assert spec == SGD(learning_rate_init=0.05)


IN_OTHER_ESTIMATORS = {
    "one-vs-rest": (OneVsRestClassifier, DeepClassifier, CODES),
    "multi-output": (MultiOutputClassifier, DeepClassifier, LABELS),
    "bagging": (
        partial(BaggingClassifier, n_estimators=2, random_state=0),
        DeepClassifier,
        CODES,
    ),
    "calibrated": (partial(CalibratedClassifierCV, cv=2), DeepClassifier, CODES),
    "threshold": (partial(TunedThresholdClassifierCV, cv=2), DeepClassifier, BINARY),
    "boosted": (
        partial(AdaBoostClassifier, n_estimators=2, random_state=0),
        DeepClassifier,
        CODES,
    ),
    "transformed-y": (
        partial(TransformedTargetRegressor, func=np.sinh, inverse_func=np.arcsinh),
        DeepRegressor,
        NUMBERS / 10,
    ),
    "chain": (RegressorChain, DeepRegressor, np.c_[NUMBERS, X[:, 3]]),
}


@pytest.mark.parametrize("name", IN_OTHER_ESTIMATORS)
def test_other_estimators_work_with_ours_as_with_mlp(name):
    wrap, kind, y = IN_OTHER_ESTIMATORS[name]
    ours, theirs = (wrap(model).fit(X, y) for model in pair(kind, learning_rate_init=0.02))
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)


@KINDS
def test_weights_are_routed(kind):
    y = fit_target(kind)
    with config_context(enable_metadata_routing=True):
        model = pair(kind)[0].set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_validate(
            model, X, y, cv=2, params={"sample_weight": WEIGHTS}, return_estimator=True
        )
    half = slice(N // 2, None) if kind is DeepRegressor else None
    if half:
        alone = pair(kind)[0].fit(X[half], y[half], WEIGHTS[half])
        assert_same_weights(found["estimator"][0], alone, rtol=0, atol=0)
    assert len(found["test_score"]) == 2


# Interruption


class InterruptingOutput(io.StringIO):
    """Standard output that presses Ctrl-C when the row of a given epoch is printed."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def write(self, text):
        if re.match(rf"\s*{self.epoch}\s", text):
            self.epoch = None
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_interruption_between_epochs_keeps_what_was_learnt(kind, solver, early_stopping):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=early_stopping, max_iter=50)
    with (
        contextlib.redirect_stdout(InterruptingOutput(3)),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        ours.set_params(verbose=True).fit(X, y)
    alone = clone(ours).set_params(verbose=False, max_iter=3).fit(X, y)
    assert_same_weights(ours, alone, rtol=0, atol=0)
    for name in ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_"):
        assert getattr(ours, name) == getattr(alone, name), name
    for model in (ours, alone):
        model.set_params(verbose=False, early_stopping=False).partial_fit(X, y)
    assert_same_weights(ours, alone, rtol=0, atol=0)


class InterruptingTable(sp.csr_matrix):
    """A table that presses Ctrl-C when rows are taken from it for the n-th time."""

    countdown = 0

    def __getitem__(self, key):
        type(self).countdown -= 1
        if type(self).countdown == 0:
            raise KeyboardInterrupt
        return super().__getitem__(key)


@pytest.mark.parametrize("n_reads", [1, 4, 7, 10])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_interruption_within_an_epoch_equals_mlps(kind, solver, n_reads):
    y = fit_target(kind)
    ours, theirs = pair(kind, solver=solver)
    for model in (ours, theirs):
        InterruptingTable.countdown = n_reads
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(InterruptingTable(HOLES), y)
    assert InterruptingTable.countdown == 0
    assert_same_weights(ours, theirs)
    assert ours.n_iter_ == theirs.n_iter_ == (n_reads - 1) // 4
    assert_allclose(ours.loss_curve_, theirs.loss_curve_)
    InterruptingTable.countdown = 0
    for model in (ours, theirs):
        model.partial_fit(HOLES, y)
    assert_same_weights(ours, theirs)


@KINDS
def test_interruption_of_lbfgs_leaves_the_estimator_as_it_was(kind):
    y = fit_target(kind)
    ours, _ = pair(kind, solver="lbfgs", verbose=True)
    with contextlib.redirect_stdout(InterruptingOutput(2)), pytest.raises(KeyboardInterrupt):
        ours.fit(X, y)
    assert fitted_attributes(ours) == set()


# Manners


def surroundings():
    return {
        "floating-point errors": np.geterr(),
        "warning filters": list(warnings.filters),
        "random state": check_random_state(None).get_state()[1].tolist(),
        "threads": [pool["num_threads"] for pool in threadpool_info()],
        "print options": np.get_printoptions(),
    }


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("event", ["end", "divergence", "interruption"])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_global_state_is_left_alone(kind, solver, event):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, verbose=event == "interruption")
    table = X * 1e250 if event == "divergence" else X
    with np.errstate(over="ignore", under="warn", divide="ignore"), threadpool_limits(2):
        before = surroundings()
        assert 2 in before["threads"]
        with (
            contextlib.redirect_stdout(InterruptingOutput(2)),
            contextlib.suppress(ValueError, KeyboardInterrupt),
        ):
            ours.fit(table, y).predict(table)
        assert surroundings() == before


def test_fits_in_threads_equal_fits_in_turn_and_leave_the_threads_of_blas():
    models = [
        pair(kind, solver=solver, random_state=seed, max_iter=20)[0]
        for kind in TWINS
        for solver in SOLVERS
        for seed in range(4)
    ]

    def fit(model):
        return clone(model).fit(X, fit_target(type(model)))

    in_turn = [fit(model) for model in models]
    with threadpool_limits(2):
        before = surroundings()["threads"]
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(fit, models))
        assert surroundings()["threads"] == before
    for a, b in zip(together, in_turn, strict=True):
        assert_same_weights(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_nothing_is_printed_unless_asked(kind, solver, early_stopping, capfd):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=early_stopping)
    ours.fit(X, y).predict(X)
    if solver != "lbfgs":
        ours.set_params(early_stopping=False).partial_fit(X, y)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_fit_is_repeatable(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    assert_same_weights(clone(ours).fit(X, y), clone(ours).fit(X, y), rtol=0, atol=0)
    other = clone(ours).set_params(random_state=4).fit(X, y)
    assert not np.allclose(other.coefs_[0], clone(ours).fit(X, y).coefs_[0])
