"""Laws: each option of the estimators does what its docstring says.

Truth is a formula in NumPy, scikit-learn's own function, or the same fit said otherwise.
The core's tests look at gradients; these look at what a user sees.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import huber, softmax
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
)

from skdeep import DeepClassifier, DeepRegressor, Focal, Huber
from tests.estimators.iris import (
    CLASSIFIER_LOSSES,
    COLOURS,
    NUMBERS,
    REGRESSOR_LOSSES,
    RNG,
    STILL,
    TASKS,
    WEIGHTS,
    N,
    X,
    assert_same,
    differ,
    model,
)

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
    with pytest.raises(ValueError, match=r"mutually exclusive.*output_activation=None"):
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
    focal = model(loss=Focal(0)).fit(X, y, WEIGHTS)
    assert_same(focal, model().fit(X, y, WEIGHTS), 1e-7)
    assert differ(focal, model(loss=Focal(1)).fit(X, y, WEIGHTS))


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
    assert constant_fit(y, loss=Huber(1e-3)) == pytest.approx(median, abs=0.05)
    assert constant_fit(y, loss=Huber(100.0)) == pytest.approx(mean, abs=0.02)
    for delta in (0.5, 2.0):
        best = minimize_scalar(lambda c, delta=delta: huber(delta, y - c).sum()).x
        assert constant_fit(y, loss=Huber(delta)) == pytest.approx(best, abs=0.02)
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
