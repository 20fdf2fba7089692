"""Lion, which steps by the sign of a momentum."""

from dataclasses import dataclass

import numpy as np

from skdeep.hyperparameters import NOT_NEGATIVE, SHARE, field_of
from skdeep.solvers.base import StochasticSolver, accumulate


@dataclass
class Lion(StochasticSolver):
    """Steps of equal size by the sign of a momentum: algorithm 2 of [1]_.

    c = beta_1 m + (1 - beta_1) g; theta <- theta - rate * (sign(c) + weight_decay theta);
    m <- beta_2 m + (1 - beta_2) g.

    The paper recommends learning rates 3 to 10 times smaller than AdamW's, and weight decay
    as many times larger.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    beta_1 : float in [0, 1), default=0.9
        Weight of the momentum in the direction c of the step.
    beta_2 : float in [0, 1), default=0.99
        Decay rate of the momentum.
    weight_decay : float in [0, inf), default=0.01
        Each step shrinks the parameters by this times the learning rate.

    References
    ----------
    .. [1] Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    Examples
    --------
    >>> from skdeep import DeepRegressor, Lion
    >>> DeepRegressor(solver=Lion(learning_rate_init=1e-4)).solver.beta_2
    0.99
    """

    beta_1: float = field_of(0.9, SHARE)
    beta_2: float = field_of(0.99, SHARE)
    weight_decay: float = field_of(0.01, NOT_NEGATIVE)

    n_moments = 1
    n_scratch = 1

    def factors(self, columns, rate, n_steps):
        beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
        share = beta_1 * (1 - beta_2) / (1 - beta_1)
        return share, beta_2, rate, 1 - rate * columns["weight_decay"]

    def update(self, theta, grad, moments, factors):
        momentum, scratch = moments
        share, beta_2, rate, shrink = factors
        np.multiply(momentum, share, out=scratch)
        scratch += grad
        np.sign(scratch, out=scratch)
        theta *= shrink
        scratch *= rate
        theta -= scratch
        accumulate(momentum, beta_2, grad)
