"""Neural-network estimators for scikit-learn users, trained by NumPy and SciPy."""

from skdeep._parallel.lockstep import lockstep
from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.initializers import Normal, Uniform
from skdeep.losses import Focal, Huber
from skdeep.schedules import (
    AcrossCalls,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    FlatCosine,
    InverseTime,
    InvScaling,
    Linear,
    OneCycle,
    StepDecay,
    WarmUp,
)
from skdeep.solvers import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RMSprop,
)
from skdeep.tabular import TableTransformer, TabularClassifier, TabularRegressor

__version__ = "0.1.0"

__all__ = [
    "LBFGS",
    "SGD",
    "AMSGrad",
    "AcrossCalls",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adaptive",
    "Constant",
    "CosLog",
    "Cosine",
    "DeepClassifier",
    "DeepRegressor",
    "Exponential",
    "FlatCosine",
    "Focal",
    "Huber",
    "InvScaling",
    "InverseTime",
    "Linear",
    "Lion",
    "NAdam",
    "Normal",
    "OneCycle",
    "RMSprop",
    "StepDecay",
    "TableTransformer",
    "TabularClassifier",
    "TabularRegressor",
    "Uniform",
    "WarmUp",
    "lockstep",
]
