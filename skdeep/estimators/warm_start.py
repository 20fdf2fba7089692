"""Random numbers of a fit that a later fit can resume."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state


@dataclass
class RandomStream:
    """The random numbers of a fit, so that a warm start can go on in them.

    Attributes
    ----------
    random_state : int, RandomState or None
        The estimator's parameter.
    state : tuple or None
        Of the generator before the first draw; None where an int says it all.
    n_rows : int
        Rows of the data.
    n_epochs : int
        Epochs drawn so far.
    """

    random_state: Any
    state: Any
    n_rows: int
    n_epochs: int = 0

    def fits(self, random_state: Any, n_rows: int) -> bool:
        """Whether these are its parameter and its rows."""
        same = random_state is self.random_state or random_state == self.random_state
        return same and n_rows == self.n_rows

    def generator(self) -> np.random.RandomState:
        """A generator as it was before the first draw."""
        if self.state is None:
            return check_random_state(self.random_state)
        generator = np.random.RandomState()
        generator.set_state(self.state)
        return generator
