"""Neural-network estimators for scikit-learn users, trained by NumPy alone."""

from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.parallel import lockstep
from skdeep.solvers import LBFGS, SGD, Adam

__version__ = "0.1.0"

__all__ = ["LBFGS", "SGD", "Adam", "DeepClassifier", "DeepRegressor", "lockstep"]
