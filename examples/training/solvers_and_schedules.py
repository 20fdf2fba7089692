"""
All solvers and all schedules
=============================

Which solvers are there, and how does the learning rate move? A solver given by name takes the
parameters that it shares with scikit-learn's MLP from the estimator; an object carries its own,
with defaults that suit it. Thirty epochs of an easy problem are no ranking: differences of one
percent are chance. The baseline is a linear model.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import skdeep
from skdeep.schedules import Span, as_schedule

warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
RATE, EPOCHS = 0.003, 30
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

# %%
# Ten solvers
# -----------

SOLVERS = [
    skdeep.SGD(learning_rate_init=0.1),
    *(
        spec(learning_rate_init=RATE)
        for spec in (skdeep.Adam, skdeep.AdamW, skdeep.AMSGrad, skdeep.NAdam, skdeep.RMSprop)
    ),
    skdeep.Adagrad(learning_rate_init=0.03),
    skdeep.Adadelta(),
    skdeep.Lion(learning_rate_init=RATE / 3),
    skdeep.LBFGS(),
]


def fitted(**params):
    """A small network after a fixed number of epochs."""
    network = skdeep.DeepClassifier(
        (50,), max_iter=EPOCHS, dtype="float32", random_state=0, **params
    )
    return network.fit(X_train, y_train)


curves = {}
print(f"{'solver':<28} {'accuracy':>9}")
for solver in SOLVERS:
    model, name = fitted(solver=solver), type(solver).__name__
    curves[name] = model.loss_curve_
    print(f"{name:<28} {model.score(X_test, y_test):>9.3f}")
line = LogisticRegression(max_iter=500).fit(X_train, y_train)
print(f"{'linear model':<28} {line.score(X_test, y_test):>9.3f}")

# %%
# L-BFGS (dashed) sees all rows in each of its iterations, and the others a batch in each of
# seven steps an epoch.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for number, (name, curve) in enumerate(curves.items()):
    axes.plot(
        np.arange(1, len(curve) + 1),
        curve,
        "--" if name == "LBFGS" else "-",
        color=f"C{number}",
        label=name,
    )
axes.set(xlabel="epoch or iteration", ylabel="training loss", yscale="log")
axes.grid(alpha=0.3)
axes.legend(ncols=2, fontsize="small")
plt.show()

# %%
# Fourteen schedules
# ------------------
#
# A schedule is a name, an object with its own parameters, or a function of the step.

SCHEDULES = {
    "constant": "constant",
    "InvScaling(0.1)": skdeep.InvScaling(0.1),
    "adaptive, stalled twice": "adaptive",
    "InverseTime(0.2)": skdeep.InverseTime(0.2),
    "StepDecay(10, 0.5)": skdeep.StepDecay(every=10, factor=0.5),
    "Exponential(0.9)": skdeep.Exponential(0.9),
    "linear": "linear",
    "cosine": "cosine",
    "Cosine(restarts=3, end=0.1)": skdeep.Cosine(restarts=3, end=0.1),
    "one_cycle": "one_cycle",
    "coslog": "coslog",
    "flat_cosine": "flat_cosine",
    "WarmUp(3, Cosine())": skdeep.WarmUp(3, skdeep.Cosine()),
    "a function of the step": lambda step: RATE * (1 + np.cos(step / 10)) / 2,
}
print(f"{'schedule, with Adam':<28} {'accuracy':>9}")
for name, schedule in SCHEDULES.items():
    model = fitted(learning_rate=schedule, learning_rate_init=RATE)
    print(f"{name:<28} {model.score(X_test, y_test):>9.3f}")

# %%
# The learning rate over the epochs, as a fit sees it that stalls in epochs 10 and 20. The
# finite schedules end with the fit; the others would go on.

STEPS_PER_EPOCH = 7


def rates_of(schedule):
    """Learning rate at each step."""
    span = Span(0, per_epoch=STEPS_PER_EPOCH, n_steps=STEPS_PER_EPOCH * EPOCHS)
    rate, rates = RATE, []
    for epoch in range(EPOCHS):
        steps = np.arange(STEPS_PER_EPOCH) + epoch * STEPS_PER_EPOCH
        rates.extend(np.broadcast_to(schedule.rates(rate, steps, span), steps.shape))
        rate = schedule.after_epoch(rate, RATE, (epoch + 1) * len(X_train))
        if epoch + 1 in (10, 20):
            rate = schedule.on_plateau(rate) or rate
    return np.array(rates)


figure, grid = plt.subplots(
    5, 3, figsize=(9, 9), sharex=True, sharey=True, layout="constrained"
)
epochs = np.arange(STEPS_PER_EPOCH * EPOCHS) / STEPS_PER_EPOCH
for (name, schedule), axes in zip(SCHEDULES.items(), grid.flat, strict=False):
    axes.plot(epochs, rates_of(as_schedule(schedule)), color="tab:blue")
    axes.set_title(name, fontsize=10)
    axes.grid(alpha=0.3)
    axes.set_ylim(0, RATE * 1.05)
grid.flat[-1].axis("off")
figure.supxlabel("epoch")
plt.show()
