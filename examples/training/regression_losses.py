"""
A loss for each kind of target
==============================

What does a prediction estimate? The mean with the squared error, which outliers distort; the
median with the absolute error; any other quantile with the quantile loss. Huber's loss lies
between the first two. Predictions of counts and fractions cannot leave their range, and a
loss of your own is two methods.
"""

import warnings
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error, mean_poisson_deviance

from skdeep import DeepRegressor
from skdeep.losses import Huber

warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
rng = np.random.RandomState(0)
X, mean = make_friedman1(n_samples=1500, n_features=5, random_state=0)
mean = (mean - mean.mean()) / mean.std()
train, test = slice(0, 1000), slice(1000, None)


def fitted(y, **params):
    """A network trained on the first thousand rows of y."""
    network = DeepRegressor(
        hidden_layer_sizes=(30,), learning_rate_init=0.01, random_state=0, **params
    )
    return network.fit(X[train], y[train])


def row(name, measure, value):
    print(f"{name:<28} {measure:<20} {value:>7.3f}")


# %%
# Outliers
# --------
#
# One row in ten is too high by 8 standard deviations. What counts is the error without them.
# The baseline is the median of all training rows.

print(f"{'loss':<28} {'measure':<20} {'value':>7}")
outliers = mean + 8.0 * (rng.uniform(size=len(mean)) < 0.1)
predictions = {}
for loss in ("squared_error", "absolute_error", Huber(delta=0.2)):
    name = "huber" if isinstance(loss, Huber) else loss
    predictions[name] = fitted(outliers, loss=loss).predict(X[test])
    row(name, "error without outlier", mean_absolute_error(mean[test], predictions[name]))
constant = np.full(len(mean[test]), np.median(outliers[train]))
row("median of all rows", "error without outlier", mean_absolute_error(mean[test], constant))

# %%
# With the squared error, predictions are too high everywhere, by a tenth of the outliers.

figure, grid = plt.subplots(
    1, 3, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained"
)
for axes, (name, prediction) in zip(grid, predictions.items(), strict=True):
    axes.plot(mean[test], prediction, ".", color="tab:blue", alpha=0.5)
    axes.plot([-2.5, 2.5], [-2.5, 2.5], "--", color="black", linewidth=1)
    axes.set(title=name, xlabel="true value")
grid[0].set_ylabel("prediction")
plt.show()

# %%
# Counts
# ------
#
# ``"poisson"`` predicts the mean of counts, which is never negative. The baseline is the mean
# of all counts.

counts = rng.poisson(np.exp(mean))
prediction = fitted(counts, loss="poisson").predict(X[test])
row("poisson", "Poisson deviance", mean_poisson_deviance(counts[test], prediction))
constant = np.full(len(prediction), counts[train].mean())
row("mean of all counts", "Poisson deviance", mean_poisson_deviance(counts[test], constant))

# %%
# Quantiles
# ---------
#
# Two quantiles make a band for eight rows out of ten. They never cross.

noisy = mean + rng.normal(scale=0.5, size=len(mean))
low, high = fitted(noisy, loss="quantile", quantile=[0.1, 0.9], alpha=1).predict(X[test]).T
inside = (low < noisy[test]) & (noisy[test] < high)
row("quantile [0.1, 0.9]", "share of rows between", inside.mean())
row("quantile [0.1, 0.9]", "bands that cross", np.mean(low > high))

# %%
# Fractions
# ---------
#
# A logistic output keeps predictions between 0 and 1.

fraction = 1 / (1 + np.exp(-3 * noisy))
prediction = fitted(fraction, output_activation="logistic").predict(X[test])
row("output_activation logistic", "lowest prediction", prediction.min())
row("output_activation logistic", "highest prediction", prediction.max())

# %%
# A loss of your own
# ------------------
#
# Two methods, each with a number for each element. Here, predictions that are too high cost ten
# times as much as those that are too low, and become rare.


@dataclass(frozen=True)
class Asymmetric:
    """Squared error that weights predictions that are too high `above` times."""

    above: float = 10.0

    def loss(self, y_true, y_pred):
        error = y_pred - y_true
        return np.where(error > 0, self.above, 1.0) * error**2

    def gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return 2 * np.where(error > 0, self.above, 1.0) * error


for loss in ("squared_error", Asymmetric()):
    prediction = fitted(noisy, loss=loss, alpha=1).predict(X[test])
    name = loss if isinstance(loss, str) else "own: too high is dear"
    row(name, "rows too high", np.mean(prediction > noisy[test]))
