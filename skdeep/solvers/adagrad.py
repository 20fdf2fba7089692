"""Solvers that scale by past squared gradients: RMSprop, Adagrad, Adadelta."""

from dataclasses import dataclass

import numpy as np

from skdeep.hyperparameters import POSITIVE, SHARE, Interval, field_of, shared_field
from skdeep.solvers.base import StochasticSolver, accumulate, accumulate_square, root


@dataclass
class RMSprop(StochasticSolver):
    """Gradients divided by the root of their running mean square [1]_, as in PyTorch.

    v <- rho v + (1 - rho) g^2; u <- momentum * u + g / (sqrt(v) + epsilon);
    theta <- theta - rate * u. The mean square is not centered.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    rho : float in [0, 1), default=0.9
        Decay rate of the mean square. PyTorch calls it alpha; its default is 0.99.
    epsilon : float in (0, inf), default=1e-8
        Added to the square root.
    momentum : float in [0, 1], default=0.0
        Decay rate of the velocity u.

    References
    ----------
    .. [1] Tieleman & Hinton, "Lecture 6.5 - RMSprop", Coursera: Neural networks for
       machine learning, 2012.

    Examples
    --------
    >>> from skdeep import DeepRegressor, RMSprop
    >>> DeepRegressor(solver=RMSprop(rho=0.99)).solver.rho
    0.99
    """

    rho: float = field_of(0.9, SHARE)
    epsilon: float = field_of(1e-8, POSITIVE)
    momentum: float = field_of(0.0, Interval(0, 1, "both"))

    n_moments = 2
    n_scratch = 1

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
    """Gradients divided by the root of the sum of their squares [1]_, as in PyTorch.

    s <- s + g^2; theta <- theta - rate * g / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    epsilon : float in (0, inf), default=1e-10
        Added to the square root.

    References
    ----------
    .. [1] Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and
       stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from skdeep import Adagrad, DeepRegressor
    >>> DeepRegressor(solver=Adagrad(learning_rate_init=0.01)).solver.epsilon
    1e-10
    """

    epsilon: float = field_of(1e-10, POSITIVE)

    n_moments = 1
    n_scratch = 1

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
    """Steps in units of the parameters: algorithm 1 of [1]_, as in PyTorch.

    v <- rho v + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(v + epsilon) * g;
    u <- rho u + (1 - rho) d^2; theta <- theta - rate * d.

    Parameters
    ----------
    learning_rate : str, schedule or callable, default='constant'
        See :class:`~skdeep.solvers.StochasticSolver`.
    learning_rate_init : float in (0, inf), default=1.0
        Initial learning rate. The default gives the paper's algorithm, which has none.
    power_t : float in [0, inf), default=0.5
        See :class:`~skdeep.solvers.StochasticSolver`.
    rho : float in [0, 1), default=0.9
        Decay rate of both mean squares.
    epsilon : float in (0, inf), default=1e-6
        Added to both mean squares. It sets the size of the first steps.

    References
    ----------
    .. [1] Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> from skdeep import Adadelta, DeepRegressor
    >>> DeepRegressor(solver=Adadelta(rho=0.95)).solver.rho
    0.95
    """

    learning_rate_init: float = shared_field("learning_rate_init", default=1.0)
    rho: float = field_of(0.9, SHARE)
    epsilon: float = field_of(1e-6, POSITIVE)

    n_moments = 2
    n_scratch = 1

    def factors(self, columns, rate, n_steps):
        return columns["rho"], columns["epsilon"] / (1 - columns["rho"]), rate

    def update(self, theta, grad, moments, factors):
        # The constant 1 - rho is the same in both roots, so it cancels in their ratio.
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
