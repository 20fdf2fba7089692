"""The promise that makes switching safe: the numbers of scikit-learn's own MLP.

With the same parameters and ``random_state``, loss curve, weights and predictions agree
over the whole table of solver, activation, schedule, early stopping, sample weights and
task. Nothing is approximate but rounding.
"""

import itertools
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neural_network import MLPClassifier, MLPRegressor, _multilayer_perceptron

from skdeep import DeepClassifier, DeepRegressor

RTOL = 1e-6
N_ROWS = 150

SOLVERS = {
    "sgd": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.05},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "lbfgs": {"solver": "lbfgs"},
}
SCHEDULES = ("constant", "invscaling", "adaptive")
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
TASKS = ("binary", "multiclass", "multilabel", "regression", "multioutput", "poisson")


def _cells():
    for name, activation, task, weighted in itertools.product(
        SOLVERS, ACTIVATIONS, TASKS, (False, True)
    ):
        schedules = SCHEDULES if SOLVERS[name]["solver"] == "sgd" else ("constant",)
        stops = (False,) if name == "lbfgs" else (False, True)
        for schedule, early_stopping in itertools.product(schedules, stops):
            yield name, activation, schedule, early_stopping, weighted, task


def _data(task):
    rng = np.random.RandomState(7)
    X = rng.normal(size=(N_ROWS, 6))
    signal = np.tanh(X @ rng.normal(size=(6, 3))) + 0.3 * rng.normal(size=(N_ROWS, 3))
    y = {
        "binary": np.array(["no", "yes"])[(signal[:, 0] > 0).astype(int)],
        "multiclass": signal.argmax(axis=1),
        "multilabel": (signal > 0).astype(int),
        "regression": signal[:, 0],
        "multioutput": signal,
        "poisson": rng.poisson(np.exp(signal[:, 0])).astype(float),
    }[task]
    return X, y, rng.uniform(0.1, 3, N_ROWS)


def _pair(task, **params):
    params = {"hidden_layer_sizes": (8, 5), "max_iter": 20, "random_state": 3, **params}
    if task in ("binary", "multiclass", "multilabel"):
        return MLPClassifier(**params), DeepClassifier(**params)
    if task == "poisson":
        params["loss"] = "poisson"
    return MLPRegressor(**params), DeepRegressor(**params)


def _fit(estimators, X, y, sample_weight):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [est.fit(X, y, sample_weight=sample_weight) for est in estimators]


def _assert_equal(theirs, ours, X):
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=RTOL)
    if theirs.solver == "lbfgs":
        return
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=RTOL)
    for name in ("coefs_", "intercepts_"):
        for own, other in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(own, other, rtol=RTOL, atol=1e-10)
    if theirs.early_stopping:
        np.testing.assert_allclose(
            ours.validation_scores_, theirs.validation_scores_, rtol=RTOL
        )
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if not theirs.early_stopping:
        np.testing.assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=RTOL)
    method = "predict_proba" if hasattr(theirs, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), rtol=RTOL)


def _summed_squared_loss(y_true, y_pred, sample_weight=None):
    return 0.5 * np.average((y_true - y_pred) ** 2, weights=sample_weight, axis=0).sum()


def _mean_squared_loss(y_true, y_pred, sample_weight=None):
    return _summed_squared_loss(y_true, y_pred, sample_weight) / y_true.shape[1]


# scikit-learn 1.9 takes the mean over the targets, 1.10 is to take the sum. This changes the
# loss that is reported, and with it when training stops, but no gradient.
SCIKIT_LEARN_SUMS = _multilayer_perceptron.LOSS_FUNCTIONS["squared_error"](
    np.zeros((1, 2)), np.ones((1, 2))
) == _summed_squared_loss(np.zeros((1, 2)), np.ones((1, 2)))


def _give_scikit_learn_our_loss(monkeypatch, solver):
    """Make the loss of several targets that scikit-learn goes by what skdeep goes by.

    With L-BFGS the sum: by the mean, beside the gradient of the sum, its line search gives
    up. With all others the mean. What skdeep reports is always the mean.
    """
    ours = _summed_squared_loss if solver == "lbfgs" else _mean_squared_loss
    monkeypatch.setitem(_multilayer_perceptron.LOSS_FUNCTIONS, "squared_error", ours)


@pytest.mark.parametrize(
    ("solver", "activation", "schedule", "early_stopping", "weighted", "task"), list(_cells())
)
def test_parity(solver, activation, schedule, early_stopping, weighted, task, monkeypatch):
    X, y, weight = _data(task)
    estimators = _pair(
        task,
        activation=activation,
        learning_rate=schedule,
        early_stopping=early_stopping,
        validation_fraction=0.2,
        # Patience short enough that 'adaptive' slows down and early stopping stops.
        n_iter_no_change=2 if schedule == "adaptive" or early_stopping else 10,
        tol=1e-2 if schedule == "adaptive" else 1e-4,
        batch_size=32,  # a short last batch
        **SOLVERS[solver],
    )
    if task == "multioutput":
        _give_scikit_learn_our_loss(monkeypatch, solver)
    theirs, ours = _fit(estimators, X, y, weight if weighted else None)
    if solver == "lbfgs" and task == "multioutput":
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=RTOL, atol=1e-7)
    else:
        _assert_equal(theirs, ours, X)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_parity_of_sparse_input(solver, task, monkeypatch):
    if task == "multioutput":
        _give_scikit_learn_our_loss(monkeypatch, solver)
    X, y, weight = _data(task)
    X[np.abs(X) < 0.7] = 0
    estimators = _pair(task, batch_size=32, **SOLVERS[solver])
    X = sp.csr_array(X)
    theirs, ours = _fit(estimators, X, y, weight)
    if solver == "lbfgs" and task == "multioutput":
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=RTOL, atol=1e-7)
    else:
        _assert_equal(theirs, ours, X)


def test_the_loss_of_several_targets_is_reported_as_a_mean():
    X, y, weight = _data("multioutput")
    endless = {"alpha": 0, "tol": 0, "n_iter_no_change": 100}  # the loss decides nothing
    theirs, ours = _fit(_pair("multioutput", **endless), X, y, weight)
    share = 1 / y.shape[1] if SCIKIT_LEARN_SUMS else 1
    np.testing.assert_allclose(
        ours.loss_curve_, np.multiply(theirs.loss_curve_, share), rtol=RTOL
    )


@pytest.mark.parametrize("params", [{"shuffle": False}, {"batch_size": "auto"}, {"alpha": 5.0}])
@pytest.mark.parametrize("solver", SOLVERS)
def test_parity_of_further_options(solver, params):
    X, y, weight = _data("multiclass")
    estimators = _pair("multiclass", **{"batch_size": 32, **SOLVERS[solver], **params})
    _assert_equal(*_fit(estimators, X, y, weight), X)


def test_lbfgs_multioutput_objective_is_consistent():
    # The difference to scikit-learn named above, seen from outside: with a penalty that
    # counts, the sum that both claim to descend on ends far lower.
    rng = np.random.RandomState(0)
    X = rng.randn(200, 10)
    y = np.tanh(X @ rng.randn(10, 20)) + 0.1 * rng.randn(200, 20)
    params = {"hidden_layer_sizes": (30,), "solver": "lbfgs", "alpha": 1.0, "max_iter": 200}
    estimators = [cls(random_state=0, **params) for cls in (MLPRegressor, DeepRegressor)]
    objectives = []
    for est in _fit(estimators, X, y, None):
        penalty = 0.5 * est.alpha * sum((coef**2).sum() for coef in est.coefs_) / len(X)
        objectives.append(_summed_squared_loss(y, est.predict(X)) + penalty)
    assert objectives[1] < (1.05 if SCIKIT_LEARN_SUMS else 0.8) * objectives[0]


def test_restart_after_a_fit_draws_as_scikit_learn_does():
    X, y, _ = _data("binary")
    generators = [np.random.RandomState(5) for _ in range(2)]
    estimators = [
        cls((4,), max_iter=3, random_state=generator)
        for cls, generator in zip((MLPClassifier, DeepClassifier), generators, strict=True)
    ]
    for _ in range(2):  # the generator is shared by both fits
        _assert_equal(*_fit(estimators, X, y, None), X)
    assert generators[0].randint(1 << 30) == generators[1].randint(1 << 30)
