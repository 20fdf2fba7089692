"""Laws: each option of the estimators does what its docstring says.

Truth is a formula in NumPy, scikit-learn's own function, or the same fit said otherwise.
The core's tests look at gradients; these look at what a user sees.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, huber, softmax
from sklearn.datasets import load_iris
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)
from sklearn.preprocessing import scale
from sklearn.utils.class_weight import compute_sample_weight

from skdeep import DeepClassifier, DeepRegressor
from skdeep.initializers import Normal, Uniform
from skdeep.schedules import SCHEDULES, Constant, Cosine, WarmUp
from skdeep.solvers import LBFGS, SOLVERS

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
ALL_LOSSES = [
    *((DeepClassifier, loss, COLOURS) for loss in CLASSIFIER_LOSSES),
    *((DeepClassifier, loss, TASKS["binary"][0]) for loss in CLASSIFIER_LOSSES),
    *((DeepRegressor, loss, y) for loss, y in REGRESSOR_LOSSES.items()),
]
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


def rows_weighed(y, class_weight):
    """The weight of each row, row by row."""
    columns = y.reshape(N, -1)
    dicts = class_weight if isinstance(class_weight, list) else [class_weight]
    found = []
    for row in columns.tolist():
        own = [weights.get(label, 1.0) for weights, label in zip(dicts, row, strict=True)]
        found.append(math.prod(own))
    return np.array(found)


def penalised_weights(fitted):
    return np.concatenate([coef.ravel() for coef in fitted.coefs_])


# Weights


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_class_weight_is_a_factor_of_sample_weight(task, weighted, params):
    y, class_weight = TASKS[task]
    weight = WEIGHTS if weighted else np.ones(N)
    of_rows = model(**params).fit(X, y, weight * rows_weighed(y, class_weight))
    of_classes = model(class_weight=class_weight, **params)
    of_classes.fit(X, y, WEIGHTS if weighted else None)
    assert_same(of_rows, of_classes)
    assert of_rows.validation_scores_ == of_classes.validation_scores_
    assert differ(of_classes, model(**params).fit(X, y, WEIGHTS if weighted else None))


@pytest.mark.parametrize("task", TASKS)
def test_balanced_is_scikit_learns(task):
    y = TASKS[task][0]
    balanced = model(class_weight="balanced").fit(X, y)
    assert_same(balanced, model().fit(X, y, compute_sample_weight("balanced", y)), 1e-9)


@pytest.mark.parametrize("task", TASKS)
def test_class_weight_in_partial_fit(task):
    y, class_weight = TASKS[task]
    classes = [np.unique(column) for column in y.T] if task == "multioutput" else None
    classes = np.unique(y) if y.ndim == 1 else classes
    of_rows, of_classes = model(), model(class_weight=class_weight)
    weight = rows_weighed(y, class_weight)
    for rows in (slice(0, 40), slice(30, 75)):
        of_rows.partial_fit(X[rows], y[rows], weight[rows], classes=classes)
        of_classes.partial_fit(X[rows], y[rows], classes=classes)
    assert_same(of_rows, of_classes)


def test_balanced_does_not_go_with_partial_fit():
    with pytest.raises(ValueError, match="does not go with partial_fit"):
        model(class_weight="balanced").partial_fit(X, SPECIES, classes=[0, 1, 2])


def test_class_weight_counts_on_validation_rows():
    y, class_weight = TASKS["labels"]
    fitted = model(class_weight=class_weight, restore_best=False)
    fitted.fit(X, y, X_val=X[::3], y_val=y[::3], sample_weight_val=WEIGHTS[::3])
    weight = (WEIGHTS * rows_weighed(y, class_weight))[::3]
    right = fitted.predict(X[::3]) == y[::3]
    assert fitted.validation_scores_[-1] == pytest.approx(np.average(right, weights=weight))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(("kind", "loss", "y"), ALL_LOSSES)
def test_weights_are_repetitions(kind, loss, y, solver):
    times = RNG.randint(1, 3, N)
    params = {"loss": loss, "solver": solver, "alpha": 0, "shuffle": False}
    params["batch_size"] = "auto"
    weighted = model(kind, **params).fit(X, y, times.astype(float))
    repeated = model(kind, **params).fit(X.repeat(times, axis=0), y.repeat(times))
    assert_same(weighted, repeated, 1e-6)


@pytest.mark.parametrize(("kind", "loss", "y"), ALL_LOSSES)
def test_only_ratios_of_weights_count(kind, loss, y):
    fitted = model(kind, loss=loss, alpha=0).fit(X, y, WEIGHTS)
    assert_same(fitted, model(kind, loss=loss, alpha=0).fit(X, y, 7.3 * WEIGHTS), 1e-7)
    ones = model(kind, loss=loss).fit(X, y, np.ones(N))
    assert_same(ones, model(kind, loss=loss).fit(X, y), 1e-7)


def test_classes_of_weight_one_change_nothing():
    weighted = model().fit(X, COLOURS, WEIGHTS)
    ones = dict.fromkeys(COLOURS.tolist(), 1)
    assert_same(weighted, model(class_weight=ones).fit(X, COLOURS, WEIGHTS))
    assert_same(model().fit(X, COLOURS), model(class_weight=ones).fit(X, COLOURS), 1e-9)


BAD_WEIGHTS = [
    ("labels", {"red": "2"}),
    ("labels", {"red": -1}),
    ("labels", {"red": np.inf}),
    ("labels", {"red": np.nan}),
    ("labels", {"pink": 1}),
    ("labels", [{"red": 1}]),
    ("labels", dict.fromkeys(COLOURS.tolist(), 0)),
    ("multilabel", {0: 1}),
    ("multioutput", [None, {}, {}]),
    ("multioutput", [{}, {}]),
]


@pytest.mark.parametrize(("task", "class_weight"), BAD_WEIGHTS)
def test_bad_class_weights_are_named(task, class_weight):
    with pytest.raises(ValueError, match="class_weight"):
        model(class_weight=class_weight).fit(X, TASKS[task][0])


# Losses


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
@pytest.mark.parametrize("task", TASKS)
def test_every_classifier_loss_learns_every_task(task, loss, solver):
    y = TASKS[task][0]
    fitted = model(loss=loss, solver=solver, max_iter=40, learning_rate_init=0.02).fit(X, y)
    chance = np.unique(y, axis=0, return_counts=True)[1].max() / N
    assert fitted.score(X, y) > chance + 0.2
    probabilities = fitted.predict_proba(X)
    for own in probabilities if isinstance(probabilities, list) else [probabilities]:
        assert ((own >= 0) & (own <= 1)).all()
        if task != "multilabel":
            np.testing.assert_allclose(own.sum(axis=1), 1)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error", "focal"])
@pytest.mark.parametrize("task", ["binary", "labels"])
def test_classes_decided_each_by_itself_are_a_multilabel_fit(task, loss):
    # Of one network, trained on a column of yes and no for each class.
    y = TASKS[task][0]
    classes = np.unique(y)
    params = {"loss": loss, "max_iter": 60, "label_smoothing": 0.1}
    by_class = model(output_activation="logistic", **params).fit(X, y)
    by_label = model(**params).fit(X, (y[:, None] == classes).astype(int))
    assert by_class.loss_curve_ == by_label.loss_curve_
    np.testing.assert_array_equal(by_class.predict_proba(X), by_label.predict_proba(X))
    most = by_class.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(by_class.predict(X), classes[most])
    assert by_class.n_outputs_ == len(classes)
    assert by_class.out_activation_ == "logistic"
    assert by_class.score(X, y) > 0.8


def test_softmax_of_two_classes_has_two_outputs():
    y = TASKS["binary"][0]
    fitted = model(output_activation="softmax", hidden_layer_sizes=(6,), max_iter=60).fit(X, y)
    assert fitted.coefs_[-1].shape[1] == 2
    hidden = np.maximum(X @ fitted.coefs_[0] + fitted.intercepts_[0], 0)
    raw = hidden @ fitted.coefs_[1] + fitted.intercepts_[1]
    np.testing.assert_allclose(fitted.predict_proba(X), softmax(raw, axis=1), rtol=1e-12)
    assert fitted.score(X, y) > 0.8


def test_softmax_of_labels_is_refused():
    with pytest.raises(ValueError, match="leave output_activation out"):
        model(output_activation="softmax").fit(X, TASKS["multilabel"][0])


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("task", ["binary", "labels", "multilabel"])
def test_label_smoothing_moves_frequencies_towards_each_other(task, share):
    # Rows all alike: the best probabilities are the mean target.
    y = TASKS[task][0]
    fitted = model(label_smoothing=share, solver="lbfgs", alpha=0, max_iter=500, tol=1e-9)
    found = fitted.fit(np.zeros((N, 1)), y).predict_proba(np.zeros((1, 1)))[0]
    if task == "multilabel":
        np.testing.assert_allclose(found, (1 - share) * y.mean(axis=0) + share / 2, rtol=1e-4)
    else:
        counts = np.unique(y, return_counts=True)[1]
        expected = (1 - share) * counts / N + share / len(counts)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("task", ["binary", "labels", "multilabel"])
def test_label_smoothing_makes_the_network_less_sure(task):
    y = TASKS[task][0]
    params = {"max_iter": 60, "learning_rate_init": 0.03, "early_stopping": True}
    sure = model(**params).fit(X, y)
    unsure = model(label_smoothing=0.3, **params).fit(X, y)
    assert unsure.predict_proba(X).max() < sure.predict_proba(X).max()


@pytest.mark.parametrize("task", TASKS)
def test_focal_loss_of_gamma_0_is_log_loss(task):
    y = TASKS[task][0]
    focal = model(loss="focal", focal_gamma=0).fit(X, y, WEIGHTS)
    assert_same(focal, model().fit(X, y, WEIGHTS), 1e-7)
    assert differ(focal, model(loss="focal", focal_gamma=1).fit(X, y, WEIGHTS))


@pytest.mark.parametrize(("loss", "y"), REGRESSOR_LOSSES.items())
def test_every_regressor_loss_learns(loss, y):
    fitted = model(DeepRegressor, loss=loss, max_iter=60, learning_rate_init=0.02).fit(X, y)
    assert fitted.score(X, y) > 0.4
    assert fitted.loss_curve_[-1] < 0.8 * fitted.loss_curve_[0]


def constant_fit(y, **params):
    """What is predicted where rows are all alike."""
    params = {"learning_rate": "cosine", "max_iter": 300, "n_iter_no_change": 300} | params
    fitted = DeepRegressor(
        hidden_layer_sizes=(1,), learning_rate_init=0.1, random_state=0, alpha=0, **params
    )
    return fitted.fit(np.zeros((len(y), 1)), y).predict(np.zeros((1, 1)))[0]


def test_constant_of_each_loss():
    y = RNG.exponential(2, size=151)
    mean, median = y.mean(), np.median(y)
    assert constant_fit(y) == pytest.approx(mean, abs=0.02)
    assert constant_fit(y, loss="absolute_error") == pytest.approx(median, abs=0.05)
    assert constant_fit(y, loss="huber", huber_delta=1e-3) == pytest.approx(median, abs=0.05)
    assert constant_fit(y, loss="huber", huber_delta=100.0) == pytest.approx(mean, abs=0.02)
    for delta in (0.5, 2.0):
        best = minimize_scalar(lambda c, delta=delta: huber(delta, y - c).sum()).x
        assert constant_fit(y, loss="huber", huber_delta=delta) == pytest.approx(best, abs=0.02)
    best = minimize_scalar(lambda c: np.log(np.cosh(y - c)).sum()).x
    assert constant_fit(y, loss="log_cosh") == pytest.approx(best, abs=0.02)
    assert constant_fit(y, loss="poisson") == pytest.approx(mean, abs=0.02)
    assert constant_fit(y, loss="gamma") == pytest.approx(mean, abs=0.02)
    quartiles = constant_fit(y, loss="quantile", quantile=[0.75, 0.25])
    np.testing.assert_allclose(quartiles, np.quantile(y, [0.75, 0.25]), atol=0.1)


def test_quantiles_cover_their_share_in_the_users_order_and_never_cross():
    levels = [0.9, 0.1, 0.5]
    table = RNG.uniform(-1, 1, (400, 1))
    y = table[:, 0] + (1.2 + table[:, 0]) * RNG.normal(size=400)
    fitted = model(
        DeepRegressor, loss="quantile", quantile=levels, max_iter=150, batch_size=100
    )
    predictions = fitted.fit(table, y).predict(table)
    assert predictions.shape == (400, 3)
    np.testing.assert_allclose((y[:, None] <= predictions).mean(axis=0), levels, atol=0.06)
    far = fitted.predict(RNG.normal(size=(500, 1)) * 100)[:, [1, 2, 0]]
    assert (np.diff(far, axis=1) >= 0).all()
    losses = [mean_pinball_loss(y, p, alpha=q) for p, q in zip(predictions.T, levels)]  # noqa: B905
    assert fitted.score(table, y) == pytest.approx(-np.mean(losses))


def test_score_is_of_the_quantiles_that_were_fitted():
    fitted = model(DeepRegressor, loss="quantile", quantile=[0.8, 0.2]).fit(X, NUMBERS)
    score = fitted.score(X, NUMBERS)
    assert fitted.set_params(quantile=0.5).score(X, NUMBERS) == score


@pytest.mark.parametrize("quantile", [[], [0.1, 0.1], [0.0, 0.5], [[0.1, 0.2]]])
def test_bad_quantiles_are_named(quantile):
    with pytest.raises(ValueError, match="quantile"):
        model(DeepRegressor, loss="quantile", quantile=quantile).fit(X, NUMBERS)


def test_one_quantile_is_a_vector_however_it_is_given():
    one = model(DeepRegressor, loss="quantile", quantile=0.3).fit(X, NUMBERS)
    other = model(DeepRegressor, loss="quantile", quantile=[0.3]).fit(X, NUMBERS)
    assert_same(one, other)
    assert one.predict(X).shape == other.predict(X).shape == (N,)


RANGES = {"logistic": (0, 1), "tanh": (-1, 1), "softplus": (0, np.inf), "exp": (0, np.inf)}


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "log_cosh"])
def test_output_activation_bounds_predictions(name, loss):
    low, high = RANGES[name]
    fitted = model(DeepRegressor, loss=loss, output_activation=name).fit(X, NUMBERS)
    predictions = fitted.predict(10 * X)
    assert (predictions >= low).all()
    assert (predictions <= high).all()
    assert fitted.out_activation_ == name


@dataclass(frozen=True)
class OwnSquaredError:
    def loss(self, y_true, y_pred):
        return (y_pred - y_true) ** 2 / 2

    def gradient(self, y_true, y_pred):
        return y_pred - y_true


@pytest.mark.parametrize("output_activation", [None, "softplus"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_own_loss_is_trained_as_the_built_in_one(solver, output_activation):
    params = {"solver": solver, "output_activation": output_activation}
    own = model(DeepRegressor, loss=OwnSquaredError(), **params).fit(X, NUMBERS, WEIGHTS)
    assert_same(own, model(DeepRegressor, **params).fit(X, NUMBERS, WEIGHTS), 1e-7)


def entropy(y):
    share = np.unique(y, return_counts=True)[1] / len(y)
    return -share @ np.log(share)


def alike(y, constant):
    return np.full(len(y), constant)


# (kind, params, y, loss of the best constant)
BASELINES = [
    (DeepClassifier, {}, COLOURS, entropy(COLOURS)),
    (DeepClassifier, {}, TASKS["binary"][0], entropy(TASKS["binary"][0])),
    (
        DeepClassifier,
        {},
        TASKS["multilabel"][0],
        sum(entropy(column) for column in TASKS["multilabel"][0].T),
    ),
    (
        DeepClassifier,
        {},
        TASKS["multioutput"][0],
        sum(entropy(column) for column in TASKS["multioutput"][0].T),
    ),
    (DeepRegressor, {}, NUMBERS, NUMBERS.var() / 2),
    (
        DeepRegressor,
        {"loss": "absolute_error"},
        NUMBERS,
        mean_absolute_error(NUMBERS, alike(NUMBERS, np.median(NUMBERS))),
    ),
    *(
        (DeepRegressor, {"loss": loss}, y, deviance(y, alike(y, y.mean())) / 2)
        for loss, deviance in [
            ("poisson", mean_poisson_deviance),
            ("gamma", mean_gamma_deviance),
        ]
        for y in [REGRESSOR_LOSSES["gamma"]]
    ),
    (
        DeepRegressor,
        {"loss": "quantile", "quantile": 0.9},
        NUMBERS,
        min(mean_pinball_loss(NUMBERS, alike(NUMBERS, c), alpha=0.9) for c in NUMBERS),
    ),
]


@pytest.mark.parametrize(("kind", "params", "y", "expected"), BASELINES)
def test_baseline_starts_at_the_best_constant(kind, params, y, expected):
    params = params | STILL | {"init_output_bias": "baseline", "max_iter": 1}
    assert model(kind, **params).fit(X, y).loss_curve_[0] == pytest.approx(expected)


# Regularisation

PENALTIES = {0.0: lambda w: w @ w / 2, 1.0: lambda w: np.abs(w).sum()}
PENALTIES[0.3] = lambda w: 0.3 * PENALTIES[1.0](w) + 0.7 * PENALTIES[0.0](w)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_penalty_is_the_formula(l1_ratio):
    params = {"l1_ratio": l1_ratio, "alpha": 0.7, "max_iter": 1, "batch_size": N}
    fitted = model(DeepRegressor, **STILL | params).fit(X, NUMBERS)
    error = mean_squared_error(NUMBERS, fitted.predict(X)) / 2
    penalty = 0.7 / N * PENALTIES[l1_ratio](penalised_weights(fitted))
    assert fitted.loss_ == pytest.approx(error + penalty)


def test_l1_brings_more_weights_near_0_than_l2():
    table = np.hstack([X, RNG.normal(size=(N, 6))])
    near_0 = [
        np.mean(
            np.abs(
                model(
                    DeepRegressor,
                    l1_ratio=l1_ratio,
                    alpha=1.0,
                    max_iter=150,
                    learning_rate="cosine",
                    n_iter_no_change=200,
                )
                .fit(table, NUMBERS)
                .coefs_[0]
            )
            < 1e-3
        )
        for l1_ratio in (0.0, 1.0)
    ]
    assert near_0[1] > near_0[0] + 0.2


@KINDS
@pytest.mark.parametrize("limit", [0.1, 1.0])
def test_max_norm_bounds_columns(kind, y, limit):
    fitted = model(kind, max_norm=limit, learning_rate_init=0.1).fit(X, y)
    norms = np.concatenate([np.linalg.norm(coef, axis=0) for coef in fitted.coefs_])
    assert (norms <= limit * (1 + 1e-12)).all()
    assert norms.max() > limit * 0.99


@KINDS
@pytest.mark.parametrize("name", ["max_norm", "clip_norm"])
def test_a_far_limit_changes_nothing(kind, y, name):
    assert_same(model(kind, **{name: 1e100}).fit(X, y), model(kind).fit(X, y))


@KINDS
def test_clip_norm_bounds_the_step(kind, y):
    params = {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.5, "batch_size": N}
    fitted = model(kind, clip_norm=1e-3, **params)
    classes = {"classes": np.unique(y)} if kind is DeepClassifier else {}
    for _ in range(3):
        before = flat(fitted) if hasattr(fitted, "coefs_") else None
        fitted.partial_fit(X, y, **classes)
        if before is not None:
            assert np.linalg.norm(flat(fitted) - before) == pytest.approx(0.5e-3)


def flat(fitted):
    arrays = [*fitted.coefs_, *fitted.intercepts_, *fitted.norms_]
    return np.concatenate([array.ravel() for array in arrays])


# Architecture

FUNCTIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "logistic": expit}


def by_hand(fitted, table):
    """Raw output in plain NumPy."""
    out = table
    activations = fitted.activation
    if isinstance(activations, str):
        activations = [activations] * (len(fitted.coefs_) - 1)
    norms = iter(fitted.norms_)
    biases = fitted.intercepts_ or [0.0] * len(fitted.coefs_)
    for coef, bias, name in zip(fitted.coefs_, biases, [*activations, None], strict=True):
        z = out @ coef + bias
        if name and fitted.layer_norm:
            z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
            z = z * next(norms) + next(norms)
        elif name and fitted.batch_norm:
            gain, shift, mean, var = (next(norms) for _ in range(4))
            z = gain * (z - mean) / np.sqrt(var + 1e-5) + shift
        skips = name and fitted.residual and coef.shape[0] == coef.shape[1]
        z = FUNCTIONS[name](z) if name else z
        out = z + out if skips else z
    return out


ARCHITECTURES = [
    {},
    {"bias": False},
    {"residual": True},
    {"batch_norm": True},
    {"layer_norm": True},
    {"dropout": 0.3},
    {"dropout": [0.2, 0.0, 0.4]},
    {"activation": ["tanh", "logistic"]},
    {"batch_norm": True, "residual": True, "dropout": 0.2, "bias": False, "activation": "tanh"},
    {"layer_norm": True, "residual": True, "weight_averaging": 0.9, "max_norm": 2.0},
]


@pytest.mark.parametrize("params", ARCHITECTURES, ids=str)
def test_prediction_is_the_formula(params):
    fitted = model(DeepRegressor, **params).fit(X, NUMBERS)
    np.testing.assert_allclose(fitted.predict(X), by_hand(fitted, X)[:, 0], rtol=1e-9)
    if params:
        assert differ(fitted, model(DeepRegressor).fit(X, NUMBERS))


@pytest.mark.parametrize("params", ARCHITECTURES, ids=str)
@KINDS
def test_every_architecture_learns_and_goes_on_row_by_row(kind, y, params):
    fitted = model(kind, max_iter=60, **params).fit(X, y)
    assert fitted.loss_curve_[-1] < 0.9 * fitted.loss_curve_[0]
    before = flat(fitted)
    fitted.partial_fit(X[:1], y[:1])
    assert np.isfinite(flat(fitted)).all()
    assert not np.array_equal(before, flat(fitted))


def test_batch_norm_keeps_its_figures_over_a_single_row():
    fitted = model(batch_norm=True).fit(X, COLOURS)
    means = [fitted.norms_[2].copy(), fitted.norms_[6].copy()]
    fitted.partial_fit(X[:1], COLOURS[:1])
    np.testing.assert_array_equal(means, [fitted.norms_[2], fitted.norms_[6]])


def test_no_bias():
    fitted = model(DeepRegressor, bias=False).fit(X, NUMBERS)
    assert fitted.intercepts_ == []
    assert fitted.predict(np.zeros((1, 4)))[0] == 0  # relu(0) is 0
    with pytest.raises(ValueError, match="needs bias=True"):
        model(bias=False, init_output_bias="baseline").fit(X, COLOURS)


class OwnTanh:
    def value(self, z):
        return np.tanh(z)

    def derivative(self, z):
        return 1 - np.tanh(z) ** 2


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@KINDS
def test_spellings_of_an_activation(kind, y, solver):
    name = model(kind, solver=solver, activation="tanh").fit(X, y)
    assert_same(name, model(kind, solver=solver, activation=["tanh"] * 2).fit(X, y))
    for own in (OwnTanh(), [OwnTanh(), "tanh"]):
        assert_same(name, model(kind, solver=solver, activation=own).fit(X, y), 1e-6)


@KINDS
def test_spellings_of_no_dropout(kind, y):
    assert_same(model(kind, dropout=0.0).fit(X, y), model(kind, dropout=[0, 0, 0.0]).fit(X, y))
    one = model(kind, dropout=0.3).fit(X, y)
    assert_same(one, model(kind, dropout=[0, 0.3, 0.3]).fit(X, y))


# Standard deviation of a layer's weights, by name.
SPREADS = {
    "glorot_uniform": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "glorot_normal": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "he_uniform": lambda n_in, n_out: math.sqrt(2 / n_in),
    "he_normal": lambda n_in, n_out: math.sqrt(2 / n_in),
    "lecun_normal": lambda n_in, n_out: math.sqrt(1 / n_in),
    "orthogonal": lambda n_in, n_out: math.sqrt(1 / max(n_in, n_out)),
    Normal(0, 0.5): lambda n_in, n_out: 0.5,
    Uniform(-3, 3): lambda n_in, n_out: math.sqrt(3),
}


@pytest.mark.parametrize("law", SPREADS, ids=str)
def test_weights_start_with_their_spread(law):
    params = {"weight_init": law, "hidden_layer_sizes": (150, 100), "max_iter": 1}
    fitted = model(**STILL | params).fit(X, COLOURS)
    middle = fitted.coefs_[1]
    assert middle.std() == pytest.approx(SPREADS[law](150, 100), rel=0.03)
    if law == "orthogonal":
        np.testing.assert_allclose(middle.T @ middle, np.eye(100), atol=1e-12)
    if not str(law).startswith("glorot_uniform"):
        assert max(np.abs(bias).max() for bias in fitted.intercepts_) < 1e-90


def test_weights_start_as_given():
    arrays = [RNG.normal(size=shape) for shape in [(4, 6), (6, 6), (6, 1)]]
    fitted = model(DeepRegressor, weight_init=arrays, max_iter=2, **STILL).fit(X, NUMBERS)
    for coef, array in zip(fitted.coefs_, arrays, strict=True):
        np.testing.assert_array_equal(coef, array)
    with pytest.raises(ValueError, match="weight_init has arrays of shapes"):
        model(DeepRegressor, weight_init=arrays[:2]).fit(X, NUMBERS)


# Solvers and schedules

RATES = {
    "adam": 0.01,
    "sgd": 0.05,
    "adamw": 0.01,
    "nadam": 0.01,
    "amsgrad": 0.01,
    "rmsprop": 0.003,
    "adagrad": 0.05,
    "adadelta": 100.0,  # its own rate is 1, with a larger epsilon
    "lion": 0.003,
    "lbfgs": 0.001,
}
UNUSUAL = {
    "momentum": 0.6,
    "nesterovs_momentum": False,
    "beta_1": 0.8,
    "beta_2": 0.95,
    "epsilon": 1e-3,
    "rho": 0.7,
    "weight_decay": 0.2,
    "learning_rate": "cosine",
    "max_fun": 20,
}


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_name_is_the_spec_of_its_parameters(kind, y, solver):
    named = model(kind, solver=solver, **UNUSUAL)
    fields = {name: getattr(named, name) for name in SOLVERS[solver].field_names()}
    assert_same(named.fit(X, y), model(kind, solver=SOLVERS[solver](**fields)).fit(X, y))
    # Each parameter that the solver has counts.
    for name in fields:
        if name in UNUSUAL and not isinstance(SOLVERS[solver](), LBFGS):
            default = {name: getattr(kind(), name)}
            assert differ(named, model(kind, solver=solver, **UNUSUAL | default).fit(X, y))


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_every_solver_learns(kind, y, solver):
    params = {"solver": solver, "learning_rate_init": RATES[solver], "max_iter": 80}
    score = model(kind, **params).fit(X, y).score(X, y)
    assert score > (0.85 if kind is DeepClassifier else 0.5)


def averaged(thetas, decay):
    """Polyak's mean of what the weights were after each step, which forgets with `decay`."""
    mean = np.zeros_like(thetas[0])
    for n, theta in enumerate(thetas, 1):
        mean = mean + max(1 - decay, 1 / n) * (theta - mean)
    return mean


@pytest.mark.parametrize("decay", [0.5, 0.9])
@KINDS
def test_weight_averaging_is_the_mean_over_steps(kind, y, decay):
    classes = {"classes": np.unique(y)} if kind is DeepClassifier else {}
    plain, mean = model(kind, batch_size=N), model(kind, batch_size=N, weight_averaging=decay)
    thetas = []
    for _ in range(6):
        thetas.append(flat(plain.partial_fit(X, y, **classes)))
        mean.partial_fit(X, y, **classes)
        np.testing.assert_allclose(flat(mean), averaged(thetas, decay), rtol=1e-9)
    whole = model(kind, batch_size=N, weight_averaging=decay, max_iter=6, shuffle=False)
    np.testing.assert_allclose(flat(whole.fit(X, y)), flat(mean), rtol=1e-9)


@pytest.mark.parametrize("schedule", [lambda step: 0.01, Constant(), WarmUp(0), Cosine(end=1)])
@KINDS
def test_constant_schedules_are_one(kind, y, schedule):
    assert_same(model(kind).fit(X, y), model(kind, learning_rate=schedule).fit(X, y), 1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
@KINDS
def test_schedule_is_the_spec_of_its_name(kind, y, name):
    one = model(kind, learning_rate=name).fit(X, y)
    assert_same(one, model(kind, learning_rate=SCHEDULES[name]()).fit(X, y))
    if name not in ("constant", "adaptive", "step"):  # which change later
        assert differ(one, model(kind).fit(X, y))


STEPS = {
    "constant": [0.1, 0.1, 0.1, 0.1],
    "linear": [0.1, 0.075, 0.05, 0.025],
    "cosine": [0.1, 0.05 * (1 + 2**-0.5), 0.05, 0.05 * (1 - 2**-0.5)],
    "exponential": [0.1, 0.098, 0.09604, 0.0941192],
    "inverse_time": [0.1, 0.1 / 1.1, 0.1 / 1.2, 0.1 / 1.3],
    lambda step: 0.1 / 2**step: [0.1, 0.05, 0.025, 0.0125],
}


@pytest.mark.parametrize(
    "learning_rate", STEPS, ids=lambda given: getattr(given, "__name__", str(given))
)
def test_steps_have_the_length_of_the_schedule(learning_rate):
    # Clipped gradients are all as long as each other: a step is as long as its rate.
    class Weights:
        found = []

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                self.found.append(flat(fitted_estimator))

    params = {"solver": "sgd", "momentum": 0, "clip_norm": 1e-2, "batch_size": N}
    params |= {"learning_rate": learning_rate, "learning_rate_init": 0.1}
    fitted = model(DeepRegressor, **params)
    fitted.set_callbacks(Weights()).fit(X, NUMBERS)
    steps = np.linalg.norm(np.diff(Weights.found, axis=0), axis=1)
    np.testing.assert_allclose(steps, np.array(STEPS[learning_rate][1:]) / 100, rtol=1e-9)
