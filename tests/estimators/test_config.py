"""scikit-learn's configuration is honored: `assume_finite` and `skip_parameter_validation`."""

import numpy as np
import pytest
from sklearn import config_context

from skdeep import DeepClassifier, DeepRegressor, TabularClassifier

X = np.random.default_rng(0).normal(size=(60, 4))
Y = X[:, 0] + X[:, 1] ** 2
HOLED = np.where(np.arange(4) == 2, np.nan, X)


@pytest.mark.parametrize("order", ["C", "F", "slice"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_unless_assumed(order, dtype, value):
    model = DeepRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, Y)
    table = np.zeros((5, 8), dtype, order="F" if order == "F" else "C")
    table = table[:, ::2] if order == "slice" else np.require(table[:, :4], dtype, order)
    table[3, 1] = value
    with pytest.raises(ValueError, match=r"contains NaN|contains infinity"):
        model.predict(table)
    with pytest.raises(ValueError, match=r"contains NaN|contains infinity"):
        model.partial_fit(table, np.zeros(5))
    with config_context(assume_finite=True), np.errstate(invalid="ignore"):
        assert np.isfinite(model.predict(table)[[0, 1, 2, 4]]).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_finite_values_are_accepted(order):
    model = DeepRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, Y)
    table = np.full((2, 4), 1e200, order=order)  # whose squares overflow
    assert np.isfinite(model.predict(table)).all()


@pytest.mark.parametrize("estimator", [DeepClassifier, TabularClassifier])
def test_parameters_are_not_validated_if_scikit_learn_is_told_so(estimator):
    model = estimator(verbose="no", max_iter=1, random_state=0)
    with pytest.raises(ValueError, match="'verbose' parameter"):
        model.fit(X, Y > 0)
    with config_context(skip_parameter_validation=True):
        model.set_params(verbose=0).fit(X, Y > 0)
        assert estimator(max_iter=1, verbose=np.bool_(False)).fit(X, Y > 0)
