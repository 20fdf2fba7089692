"""How the parameters move: a solver sees a flat vector, its gradient, and nothing else.

A solver's spec is a dataclass of hyperparameters with ``update``, its recipe for one
block of the vector, written in a few transforms that the recipes share. Hyperparameters
are columns of shape ``(*models, 1)``, so one recipe serves one network and a stack. Recipes use
the gradient as scratch: the next backward pass assigns it anew. A
``BoundSolver`` puts a solver to work.

Running means are kept without their constant, as m / (1 - decay), which saves a pass over
the vector; ``factors`` puts the constant into the numbers that the recipe takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import Spec, shared_field
from skdeep.schedules import SCHEDULES, InvScaling, Schedule, as_schedule

# Transforms of one block, of shape (*models, block), in place


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
    """Base of the solvers that move a little after each batch.

    Parameters
    ----------
    learning_rate : str, Schedule or callable, default='constant'
        How the rate changes: one of the names in ``skdeep.schedules.SCHEDULES``, which
        stands for the schedule with its defaults; a schedule; or a function of the step,
        counted from 0, that returns the learning rate itself.
    learning_rate_init : float, default=0.001
        Learning rate that the schedule starts from or, in 'one_cycle' and after a warm-up,
        leads up to; in (0, inf).
    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).

    Attributes
    ----------
    n_moments : int
        How many vectors, as long as the parameters, a fit keeps between steps.
    n_scratch : int
        How many vectors, as long as a block, `update` needs besides.
    """

    learning_rate: str | Schedule | Callable[[int], float] = shared_field("learning_rate")
    learning_rate_init: float = shared_field("learning_rate_init")
    power_t: float = shared_field("power_t")

    kinds_by_name: ClassVar = SCHEDULES
    n_moments: ClassVar[int]
    n_scratch: ClassVar[int] = 0

    def schedule(self) -> Schedule:
        """How the learning rate changes."""
        if self.learning_rate == "invscaling":
            return InvScaling(self.power_t)
        return as_schedule(self.learning_rate)

    def factors(
        self, columns: dict[str, Array], rate: Array, n_steps: Array
    ) -> tuple[Array, ...]:
        """Numbers of shape (*models, 1) that `update` takes in this step.

        Parameters
        ----------
        columns : dict of ndarray of shape (*models, 1)
            Numeric hyperparameters.
        rate : ndarray of shape (*models, 1), or (..., *models, 1) where it varies
            Learning rate.
        n_steps : ndarray of shape (..., *models, 1)
            Which step this is, from 1; leading axes ask for several steps.
        """
        raise NotImplementedError

    def update(
        self, theta: Array, grad: Array, moments: Sequence[Array], factors: Sequence[Array]
    ) -> None:
        """Move one block of `theta` in place.

        Parameters
        ----------
        theta, grad : ndarray of shape (*models, block)
            Parameters, and their gradient, which is scratch.
        moments : sequence of ndarray of shape (*models, block)
            `n_moments` vectors, kept between steps, then `n_scratch` that are not.
        factors : sequence of ndarray of shape (*models, 1), or () for one network
            What `factors` gave, in the dtype of `theta`.
        """
        raise NotImplementedError
