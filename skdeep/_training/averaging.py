"""A moving average of the parameters over the steps."""

from collections.abc import Sequence

import numpy as np

from skdeep._arrays import Array, column
from skdeep._training.model_run import ModelRun


class WeightAverage:
    """Moving average of the parameters over steps, of decay d [1]_.

    mean <- mean + max(1 - d, 1 / n) (theta - mean) at step n: the plain mean at first, so
    that the start is forgotten, and an exponential one later.

    Parameters
    ----------
    theta : ndarray of shape (*models, n_params)
    decays : sequence of float
        One a model, in (0, 1).
    watches : sequence of ModelRun
        Which hold the averages so far.

    References
    ----------
    .. [1] Polyak & Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM Journal on Control and Optimization 30, 1992.
    """

    def __init__(
        self, theta: Array, decays: Sequence[float], watches: Sequence[ModelRun]
    ) -> None:
        models = theta.shape[:-1]
        starts = [watch.theta if watch.average is None else watch.average for watch in watches]
        self.mean = np.concatenate(starts).reshape(theta.shape)
        n_before = [
            watch.solver_state.n_steps if watch.solver_state else 0 for watch in watches
        ]
        self._n_steps = column(n_before, models, theta.dtype)
        self._least = column([1 - decay for decay in decays], models, theta.dtype)
        self._away = np.empty_like(theta)

    def update(self, theta: Array) -> None:
        self._n_steps += 1
        np.subtract(theta, self.mean, out=self._away)
        self._away *= np.maximum(self._least, 1 / self._n_steps)
        self.mean += self._away
