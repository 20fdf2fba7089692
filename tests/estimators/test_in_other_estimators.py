"""Laws: ensembles, chains and routing work with ours as with scikit-learn's MLP."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.model_selection import TunedThresholdClassifierCV, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, RegressorChain

from skdeep import DeepClassifier, DeepRegressor
from tests.estimators.twins import (
    BINARY,
    CODES,
    KINDS,
    LABELS,
    NUMBERS,
    WEIGHTS,
    N,
    X,
    assert_same_weights,
    fit_target,
    pair,
)

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
