"""Stochastic gradient descent with momentum."""

from dataclasses import dataclass

import numpy as np

from skdeep.hyperparameters import shared_field
from skdeep.solvers.base import StochasticSolver


@dataclass
class SGD(StochasticSolver):
    """Stochastic gradient descent with momentum.

    v <- momentum * v - rate * g; theta <- theta + v, or with Nesterov's momentum
    theta <- theta + momentum * v - rate * g [1]_.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    momentum : float in [0, 1], default=0.9
        Decay rate of the velocity v.
    nesterovs_momentum : bool, default=True
        If True, use Nesterov's momentum.

    References
    ----------
    .. [1] Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and
       momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> from skdeep import DeepClassifier, SGD
    >>> DeepClassifier(solver=SGD(momentum=0.8)).get_params()["solver__momentum"]
    0.8
    """

    momentum: float = shared_field("momentum")
    nesterovs_momentum: bool = shared_field("nesterovs_momentum")

    n_moments = 1

    def factors(self, columns, rate, n_steps):
        return rate, columns["momentum"]

    def update(self, theta, grad, moments, factors):
        (velocity,) = moments
        rate, momentum = factors
        grad *= rate
        velocity *= momentum
        velocity -= grad
        if self.nesterovs_momentum:
            theta -= grad
            np.multiply(velocity, momentum, out=grad)
            theta += grad
        else:
            theta += velocity
