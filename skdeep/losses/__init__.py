"""Loss functions, and the output activations of regressors."""

from skdeep.losses.base import Loss, RegressionLoss
from skdeep.losses.classification import (
    CLASSIFICATION_LOSSES,
    BinaryFocalLoss,
    BinaryLogLoss,
    BinaryLoss,
    BinarySquaredError,
    Focal,
    MultinomialFocalLoss,
    MultinomialLogLoss,
    MultinomialLoss,
    MultinomialSquaredError,
    MultiOutputLoss,
    classification_loss,
)
from skdeep.losses.output_activations import OUTPUT_ACTIVATIONS, OutputActivation
from skdeep.losses.quantile import QuantileLoss
from skdeep.losses.regression import (
    REGRESSION_LOSSES,
    AbsoluteError,
    ActivatedLoss,
    HalfGammaLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    Huber,
    HuberLoss,
    LogCosh,
    PointwiseLoss,
    regression_loss,
)

__all__ = [
    "CLASSIFICATION_LOSSES",
    "OUTPUT_ACTIVATIONS",
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "ActivatedLoss",
    "BinaryFocalLoss",
    "BinaryLogLoss",
    "BinaryLoss",
    "BinarySquaredError",
    "Focal",
    "HalfGammaLoss",
    "HalfPoissonLoss",
    "HalfSquaredError",
    "Huber",
    "HuberLoss",
    "LogCosh",
    "Loss",
    "MultiOutputLoss",
    "MultinomialFocalLoss",
    "MultinomialLogLoss",
    "MultinomialLoss",
    "MultinomialSquaredError",
    "OutputActivation",
    "PointwiseLoss",
    "QuantileLoss",
    "RegressionLoss",
    "classification_loss",
    "regression_loss",
]
