"""All solvers on one problem, and all learning-rate schedules in one picture.

A solver given by name takes the parameters that it shares with scikit-learn's MLP from the
estimator; an object carries its own, with defaults that suit it. Thirty epochs of an easy
problem are no ranking: differences of one percent are chance. The plot needs matplotlib:

    python examples/solvers_and_schedules.py --plot schedules.png
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import skdeep
from skdeep.schedules import Span, as_schedule

RATE, EPOCHS = 0.003, 30
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
STEPS_PER_EPOCH, N_ROWS = 7, 1347  # of the training set
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


def score_of(X, y, **params):
    """Test accuracy of a small network after a fixed number of epochs."""
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    params.update(max_iter=EPOCHS, dtype="float32", random_state=0)
    model = skdeep.DeepClassifier((50,), **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X_train, y_train).score(X_test, y_test)


def rates_of(schedule):
    """Learning rate at each step of a fit that stalls in epochs 10 and 20."""
    span = Span(0, per_epoch=STEPS_PER_EPOCH, n_steps=STEPS_PER_EPOCH * EPOCHS)
    rate, rates = RATE, []
    for epoch in range(EPOCHS):
        steps = np.arange(STEPS_PER_EPOCH) + epoch * STEPS_PER_EPOCH
        rates.extend(np.broadcast_to(schedule.rates(rate, steps, span), steps.shape))
        rate = schedule.after_epoch(rate, RATE, (epoch + 1) * N_ROWS)
        if epoch + 1 in (10, 20):
            rate = schedule.on_plateau(rate) or rate
    return np.array(rates)


def plot(path):
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(
        7, 2, figsize=(8, 13), sharex=True, sharey=True, layout="constrained"
    )
    epochs = np.arange(STEPS_PER_EPOCH * EPOCHS) / STEPS_PER_EPOCH
    for (name, schedule), axes in zip(SCHEDULES.items(), grid.flat, strict=True):
        axes.plot(epochs, rates_of(as_schedule(schedule)), color="tab:blue")
        axes.set_title(name, fontsize=10)
        axes.grid(alpha=0.3)
        axes.set_ylim(0, RATE * 1.05)
    figure.suptitle(f"Learning rate with learning_rate_init={RATE}, max_iter={EPOCHS}")
    figure.supxlabel("epoch")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plot", type=Path, metavar="PATH", help="PNG file to write")
    arguments = parser.parse_args()
    if arguments.plot:
        plot(arguments.plot)
    X, y = load_digits(return_X_y=True)
    print(f"{'solver':<28} {'accuracy':>9}")
    for solver in SOLVERS:
        print(f"{type(solver).__name__:<28} {score_of(X, y, solver=solver):>9.3f}")
    print(f"\n{'schedule, with Adam':<28} {'accuracy':>9}")
    for name, schedule in SCHEDULES.items():
        score = score_of(X, y, learning_rate=schedule, learning_rate_init=RATE)
        print(f"{name:<28} {score:>9.3f}")


if __name__ == "__main__":
    main()
