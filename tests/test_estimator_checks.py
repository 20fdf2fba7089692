"""Law: both estimators pass every check of scikit-learn, with each solver, named or as spec.

No check is expected to fail, and scikit-learn's MLP passes the same ones. The checks ask
for an accuracy of 0.83 and an R^2 of 0.5, also on targets in the hundreds: the learning
rates and numbers of epochs are just large enough for one and small enough for the other.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdeep import LBFGS, SGD, Adam, DeepClassifier, DeepRegressor

SETTINGS = [
    {"solver": "adam", "learning_rate_init": 0.03, "max_iter": 20},
    {"solver": "sgd", "learning_rate_init": 0.002, "max_iter": 60},
    {"solver": "lbfgs", "max_iter": 20},
    {"solver": Adam(learning_rate_init=0.03, beta_2=0.99), "max_iter": 20},
    {"solver": SGD(learning_rate_init=0.002, momentum=0.85), "max_iter": 60},
    {"solver": LBFGS(max_fun=50), "max_iter": 20},
]
ESTIMATORS = [
    *(
        kind(hidden_layer_sizes=(20,), **setting)
        for kind in (DeepClassifier, DeepRegressor)
        for setting in SETTINGS
    ),
    # Trained until probabilities round to 0 and 1.
    DeepClassifier(solver="lbfgs", max_iter=100),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator, check):
    check(estimator)
