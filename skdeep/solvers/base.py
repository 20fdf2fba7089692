"""Base class of the stochastic solvers, and the transforms that they share.

A solver sees the flat vector of parameters and its gradient, nothing else. Its spec is a
dataclass of hyperparameters with a method ``update``, which updates one block of the vector.
Hyperparameters are columns of shape ``(*models, 1)``, so the same code serves one network and
a stack. ``update`` may use the gradient as scratch, because the next backward pass overwrites
it. ``BoundSolver`` runs a solver.

Running means are stored without their constant, as m / (1 - decay), which saves a pass over
the vector; ``factors`` includes the constant in the numbers for ``update``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import Spec, shared_field
from skdeep.schedules import SCHEDULES, InvScaling, Schedule, as_schedule

# In-place transforms of one block of shape (*models, block)


def accumulate(moment: Array, decay: Array, term: Array) -> None:
    """moment <- decay * moment + term."""
    moment *= decay
    moment += term


def accumulate_square(moment: Array, decay: Array, term: Array, out: Array) -> None:
    """moment <- decay * moment + term^2; `out`, which may be `term`, is scratch."""
    np.multiply(term, term, out=out)
    moment *= decay
    moment += out


def root(moment: Array, epsilon: Array, out: Array) -> None:
    """out <- sqrt(moment) + epsilon."""
    np.sqrt(moment, out=out)
    out += epsilon


@dataclass
class StochasticSolver(Spec):
    """Base class of solvers that update the parameters after each batch.

    Parameters
    ----------
    learning_rate : str, schedule or callable, default='constant'
        How the learning rate changes: a name in ``skdeep.schedules.SCHEDULES``, for the
        schedule with its default parameters; a schedule; or a function that takes the step,
        counted from 0, and returns the learning rate.
    learning_rate_init : float in (0, inf), default=0.001
        Initial learning rate. With 'one_cycle' and with a warm-up it is the peak.
    power_t : float in [0, inf), default=0.5
        Exponent of 'invscaling'.

    Attributes
    ----------
    n_moments : int
        Number of vectors, of the size of the parameters, that a fit keeps between steps.
    n_scratch : int
        Number of additional vectors, of the size of a block, that `update` needs.
    """

    learning_rate: str | Schedule | Callable[[int], float] = shared_field("learning_rate")
    learning_rate_init: float = shared_field("learning_rate_init")
    power_t: float = shared_field("power_t")

    kinds_by_name: ClassVar = SCHEDULES
    n_moments: ClassVar[int]
    n_scratch: ClassVar[int] = 0

    def schedule(self) -> Schedule:
        """Schedule of the learning rate."""
        if self.learning_rate == "invscaling":
            return InvScaling(self.power_t)
        return as_schedule(self.learning_rate)

    def scales(self) -> dict[str, Schedule]:
        """Schedules of other numeric hyperparameters, by name: their values multiply these."""
        return {}

    def factors(
        self, columns: dict[str, Array], rate: Array, n_steps: Array
    ) -> tuple[Array, ...]:
        """Numbers of shape (*models, 1) for `update` in this step.

        Parameters
        ----------
        columns : dict of ndarray of shape (*models, 1), or (..., *models, 1) if it varies
            Numeric hyperparameters.
        rate : ndarray of shape (*models, 1), or (..., *models, 1) if it varies
            Learning rate.
        n_steps : ndarray of shape (..., *models, 1)
            Number of this step, counted from 1. Leading axes are for several steps.
        """
        raise NotImplementedError

    def update(
        self, theta: Array, grad: Array, moments: Sequence[Array], factors: Sequence[Array]
    ) -> None:
        """Update one block of `theta` in place.

        Parameters
        ----------
        theta, grad : ndarray of shape (*models, block)
            Parameters and their gradient, which may be overwritten.
        moments : sequence of ndarray of shape (*models, block)
            `n_moments` vectors that are kept between steps, then `n_scratch` that are not.
        factors : sequence of ndarray of shape (*models, 1), or () for one network
            Result of `factors`, in the dtype of `theta`.
        """
        raise NotImplementedError
