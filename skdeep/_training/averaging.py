"""Moving average of the parameters over training steps."""

from collections.abc import Sequence

import numpy as np

from skdeep._arrays import Array, column
from skdeep._training.model_run import ModelRun


class WeightAverage:
    """Moving average of the parameters over steps, with decay d [1]_.

    At step n, mean <- mean + max(1 - d, 1 / n) (theta - mean): a plain mean at first, so that
    the initial parameters are forgotten, then an exponential moving average. Each model has
    its decay in (0, 1) and its run, with the average so far.

    .. [1] Polyak & Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM Journal on Control and Optimization 30, 1992.
    """

    def __init__(self, theta: Array, decays: Sequence[float], runs: Sequence[ModelRun]) -> None:
        models = theta.shape[:-1]
        starts = [run.theta if run.average is None else run.average for run in runs]
        self.mean = np.concatenate(starts, dtype=theta.dtype).reshape(theta.shape)
        n_before = [run.solver_state.n_steps if run.solver_state else 0 for run in runs]
        self._n_steps = column(n_before, models, theta.dtype)
        self._min_weight = column([1 - decay for decay in decays], models, theta.dtype)
        self._difference = np.empty_like(theta)

    def update(self, theta: Array) -> None:
        self._n_steps += 1
        np.subtract(theta, self.mean, out=self._difference)
        self._difference *= np.maximum(self._min_weight, 1 / self._n_steps)
        self.mean += self._difference
