"""The estimators: `DeepClassifier` and `DeepRegressor`."""

from skdeep.estimators.base import DeepClassifier, DeepRegressor

__all__ = [
    "DeepClassifier",
    "DeepRegressor",
]
