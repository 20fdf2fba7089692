"""Laws: penalties and limits are what their formulas say."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from skdeep import DeepClassifier, DeepRegressor
from tests.estimators.iris import KINDS, NUMBERS, RNG, STILL, N, X, assert_same, flat, model


def penalised_weights(fitted):
    return np.concatenate([coef.ravel() for coef in fitted.coefs_])


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
