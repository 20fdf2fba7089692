"""Quantile loss: several quantiles at once, which never cross."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit

from skdeep.losses.base import Loss, total, weighted_quantiles
from skdeep.losses.output_activations import OUTPUT_ACTIVATIONS


@dataclass(frozen=True)
class QuantileLoss(Loss):
    """max(q e, (q - 1) e) with e = y - p, summed over several quantiles q of one target.

    The first column of the raw output is the lowest quantile, and each later column adds
    log(1 + exp(raw_k)), so that predictions never cross [1]_. The reported value is the mean
    over quantiles; for one quantile it is scikit-learn's ``mean_pinball_loss``.

    Parameters
    ----------
    quantiles : tuple of float
        Levels in (0, 1), in ascending order.

    References
    ----------
    .. [1] Koenker & Bassett, "Regression quantiles", Econometrica 46, 1978.
    """

    quantiles: tuple[float, ...] = (0.5,)
    averages_columns = True

    def __post_init__(self):
        if not self.quantiles or any(a >= b for a, b in pairwise((0, *self.quantiles, 1))):
            raise ValueError(
                f"quantiles={self.quantiles!r} must be distinct numbers in (0, 1), in "
                "ascending order."
            )

    @property
    def out_activation(self):
        return "identity" if len(self.quantiles) == 1 else "cumulated softplus"

    def value_and_gradient(self, y, raw, weight, out, scratch):
        np.copyto(scratch, raw)
        self.output(scratch)
        np.subtract(y, scratch, out=scratch)  # e
        np.less(scratch, 0, out=out)
        columns = [out[..., k] for k in range(len(self.quantiles))]
        for column, quantile in zip(columns, self.quantiles, strict=True):
            column -= quantile
        scratch *= out
        value = -total(weight, scratch)
        out *= weight
        # Each column of the raw output shifts its own quantile and all higher ones.
        for below, above in reversed(list(pairwise(columns))):
            below += above
        gaps = raw[..., 1:]
        out[..., 1:] *= expit(gaps, out=gaps)
        return value

    def output(self, raw):
        gaps = raw[..., 1:]
        np.logaddexp(gaps, 0, out=gaps)
        for k in range(1, len(self.quantiles)):
            raw[..., k] += raw[..., k - 1]
        return raw

    def check_targets(self, y):
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(
                f"loss='quantile' needs a single target, but y has shape {y.shape}. Fit one "
                "estimator per target, as sklearn.multioutput.MultiOutputRegressor does."
            )

    def start(self, y, share):
        values = np.array([weighted_quantiles(y, share, q)[0] for q in self.quantiles])
        # Where quantiles tie, as those of counts do, the slope of softplus would vanish.
        steps = np.maximum(OUTPUT_ACTIVATIONS["softplus"].link(np.diff(values)), -5.0)
        return np.hstack([values[:1], steps])
