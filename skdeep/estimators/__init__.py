"""The estimators: `DeepClassifier` and `DeepRegressor`."""

from skdeep.estimators.classifier import DeepClassifier
from skdeep.estimators.regressor import DeepRegressor

__all__ = [
    "DeepClassifier",
    "DeepRegressor",
]
