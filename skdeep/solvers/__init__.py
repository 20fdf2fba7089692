"""Solvers: how a flat vector of parameters moves against its gradient."""

from skdeep.solvers.base import (
    LBFGS,
    SGD,
    SOLVERS,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RMSprop,
    StochasticSolver,
)

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
