"""Solvers: how the flat vector of parameters follows its gradient."""

from skdeep.solvers.adagrad import Adadelta, Adagrad, RMSprop
from skdeep.solvers.adam import Adam, AdamW, AMSGrad, NAdam
from skdeep.solvers.base import StochasticSolver
from skdeep.solvers.lbfgs import LBFGS
from skdeep.solvers.lion import Lion
from skdeep.solvers.sgd import SGD

SOLVERS: dict[str, type[StochasticSolver] | type[LBFGS]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "nadam": NAdam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "lion": Lion,
    "lbfgs": LBFGS,
}

__all__ = [
    "LBFGS",
    "SGD",
    "SOLVERS",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "NAdam",
    "RMSprop",
    "StochasticSolver",
]
