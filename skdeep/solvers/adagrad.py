"""Solvers that scale by past squared gradients: Adagrad, Adadelta, RMSprop."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skdeep.hyperparameters import POSITIVE, SHARE, Interval, field_of, shared_field
from skdeep.solvers.base import StochasticSolver, accumulate, accumulate_square, root


@dataclass
class RMSprop(StochasticSolver):
    """Gradients over the root of their running mean square [1]_, as PyTorch's RMSprop.

    v <- rho v + (1 - rho) g^2; u <- momentum * u + g / (sqrt(v) + epsilon);
    theta <- theta - rate * u. Not centred.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    rho : float, default=0.9
        Decay of the mean square, in [0, 1); PyTorch's alpha, there 0.99.
    epsilon : float, default=1e-8
        Added to the root, in (0, inf).
    momentum : float, default=0.0
        In [0, 1].

    References
    ----------
    .. [1] Tieleman & Hinton, "Lecture 6.5 - RMSprop", Coursera: Neural networks for
       machine learning, 2012.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import RMSprop
    >>> DeepRegressor(solver=RMSprop(rho=0.99)).solver.rho
    0.99
    """

    rho: float = field_of(0.9, SHARE)
    epsilon: float = field_of(1e-8, POSITIVE)
    momentum: float = field_of(0.0, Interval(0, 1, "both"))

    n_moments: ClassVar[int] = 2
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        spread = np.sqrt(1 - columns["rho"])
        return columns["rho"], columns["epsilon"] / spread, columns["momentum"], rate / spread

    def update(self, theta, grad, moments, factors):
        second, velocity, scratch = moments
        rho, epsilon, momentum, gain = factors
        accumulate_square(second, rho, grad, out=scratch)
        root(second, epsilon, out=scratch)
        grad /= scratch
        accumulate(velocity, momentum, grad)
        np.multiply(velocity, gain, out=grad)
        theta -= grad


@dataclass
class Adagrad(StochasticSolver):
    """Gradients over the root of the sum of all their squares [1]_, as PyTorch's Adagrad.

    s <- s + g^2; theta <- theta - rate * g / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    epsilon : float, default=1e-10
        Added to the root, in (0, inf).

    References
    ----------
    .. [1] Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and
       stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import Adagrad
    >>> DeepRegressor(solver=Adagrad(learning_rate_init=0.01)).solver.epsilon
    1e-10
    """

    epsilon: float = field_of(1e-10, POSITIVE)

    n_moments: ClassVar[int] = 1
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        return rate, columns["epsilon"]

    def update(self, theta, grad, moments, factors):
        total, scratch = moments
        rate, epsilon = factors
        np.multiply(grad, grad, out=scratch)
        total += scratch
        root(total, epsilon, out=scratch)
        grad /= scratch
        grad *= rate
        theta -= grad


@dataclass
class Adadelta(StochasticSolver):
    """Steps in the unit of the parameters: algorithm 1 of [1]_, as PyTorch's Adadelta.

    v <- rho v + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(v + epsilon) * g;
    u <- rho u + (1 - rho) d^2; theta <- theta - rate * d.

    Parameters
    ----------
    learning_rate : str, Schedule or callable, default='constant'
        As of every :class:`StochasticSolver`.
    learning_rate_init : float, default=1.0
        The paper has none, which is 1; in (0, inf).
    power_t : float, default=0.5
        As of every :class:`StochasticSolver`.
    rho : float, default=0.9
        Decay of both mean squares, in [0, 1).
    epsilon : float, default=1e-6
        Added to both mean squares, in (0, inf): what the first steps are made of.

    References
    ----------
    .. [1] Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import Adadelta
    >>> DeepRegressor(solver=Adadelta(rho=0.95)).solver.rho
    0.95
    """

    learning_rate_init: float = shared_field("learning_rate_init", default=1.0)
    rho: float = field_of(0.9, SHARE)
    epsilon: float = field_of(1e-6, POSITIVE)

    n_moments: ClassVar[int] = 2
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        return columns["rho"], columns["epsilon"] / (1 - columns["rho"]), rate

    def update(self, theta, grad, moments, factors):
        # The constant 1 - rho is the same in both roots, and leaves their ratio.
        second, second_step, scratch = moments
        rho, epsilon, rate = factors
        accumulate_square(second, rho, grad, out=scratch)
        for moment, ufunc in ((second, np.divide), (second_step, np.multiply)):
            np.add(moment, epsilon, out=scratch)
            np.sqrt(scratch, out=scratch)
            ufunc(grad, scratch, out=grad)
        accumulate_square(second_step, rho, grad, out=scratch)
        grad *= rate
        theta -= grad
