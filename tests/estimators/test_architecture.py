"""Laws: each option of the architecture predicts by its formula."""

import math

import numpy as np
import pytest
from scipy.special import expit

from skdeep import DeepRegressor
from skdeep.initializers import Normal, Uniform
from tests.estimators.iris import (
    COLOURS,
    KINDS,
    NUMBERS,
    RNG,
    STILL,
    X,
    assert_same,
    differ,
    flat,
    model,
)

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
        if name and fitted.norm == "layer":
            z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
            z = z * next(norms) + next(norms)
        elif name and fitted.norm == "batch":
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
    {"norm": "batch"},
    {"norm": "layer"},
    {"dropout": 0.3},
    {"dropout": [0.2, 0.0, 0.4]},
    {"activation": ["tanh", "logistic"]},
    {"norm": "batch", "residual": True, "dropout": 0.2, "bias": False, "activation": "tanh"},
    {"norm": "layer", "residual": True, "weight_averaging": 0.9, "max_norm": 2.0},
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
    fitted = model(norm="batch").fit(X, COLOURS)
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
