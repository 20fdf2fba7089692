"""Learning from a stream whose rules change, and the accuracy while learning.

Each chunk of rows is first predicted and then used for training (test, then train), so every
row is a test row once and none are set aside. The rule that assigns classes to rows changes
twice. The accuracy over all rows so far hardly shows these changes; that of the last rows
does.

The network is compared with a copy that stopped learning after the first thousand rows, and
with the most frequent class so far. The plot needs matplotlib:

    python examples/prequential.py --plot prequential.png

``--chunk 1`` trains on one row at a time.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier

N_ROWS, N_FEATURES = 9000, 10
DRIFTS = (3000, 6000)
FREEZE_AT = 1000  # where the frozen network stops learning
WINDOW = 500
NAMES = ("learning", "frozen", "majority")


def stream(rng):
    """Rows, and their classes by one of three rules; one class in twenty is wrong."""
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    a, b, c, d = X[:, :4].T
    rules = (a * b > -0.3, a + 2 * np.abs(c) > 1, c - d > -0.4)
    rule = np.searchsorted(DRIFTS, np.arange(N_ROWS), side="right")
    y = np.choose(rule, rules) ^ (rng.uniform(size=N_ROWS) < 0.05)
    scale = 10.0 ** rng.uniform(-2, 2, N_FEATURES)
    return scale * X, y.astype(int)


def network():
    return DeepClassifier((50,), learning_rate_init=0.01, alpha=0.01, random_state=0)


def test_then_train(X, y, chunk):
    """Which rows each of the three predicted correctly: bool array of shape (3, rows)."""
    scaler, learning, frozen = StandardScaler(), network(), network()
    seen = np.zeros(2)
    right = np.zeros((3, len(y)), bool)
    for start in range(0, len(y), chunk):
        rows = slice(start, start + chunk)
        if start:
            now = scaler.transform(X[rows])
            right[0, rows] = learning.predict(now) == y[rows]
            right[1, rows] = frozen.predict(now) == y[rows]
        right[2, rows] = y[rows] == np.argmax(seen)
        # The scaler learns from the stream as well, after the predictions.
        now = scaler.partial_fit(X[rows]).transform(X[rows])
        learning.partial_fit(now, y[rows], classes=[0, 1])
        if start < FREEZE_AT:
            frozen.partial_fit(now, y[rows], classes=[0, 1])
        seen += np.bincount(y[rows], minlength=2)
    return right


def cumulative(right):
    """Accuracy over all rows up to each row."""
    return np.cumsum(right, axis=-1) / np.arange(1, right.shape[-1] + 1)


def windowed(right):
    """Accuracy over the last rows up to each row, from the first full window on."""
    sums = np.cumsum(right, axis=-1)
    sums[:, WINDOW:] -= sums[:, :-WINDOW].copy()
    return sums[:, WINDOW - 1 :] / WINDOW


def plot(path, right):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    rows = np.arange(N_ROWS) + 1
    last = windowed(right)
    colors = ("tab:blue", "tab:orange", "tab:gray")
    for name, color, line in zip(NAMES, colors, last, strict=True):
        axes.plot(rows[WINDOW - 1 :], line, color=color, label=f"{name}, last {WINDOW} rows")
    axes.plot(
        rows[WINDOW - 1 :],
        cumulative(right)[0, WINDOW - 1 :],
        color=colors[0],
        linestyle=":",
        label="learning, all rows so far",
    )
    for drift in DRIFTS:
        axes.axvline(drift, color="black", linestyle="--", linewidth=1)
        axes.annotate(
            "the rule changes",
            (drift, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(5, 0),
            textcoords="offset points",
        )
    axes.set(xlabel="rows seen", ylabel="accuracy, before learning", xlim=(0, N_ROWS))
    axes.set_ylim(0.45, 1)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chunk", type=int, default=10, metavar="ROWS", help="rows at a time")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="PNG file to write")
    arguments = parser.parse_args()
    X, y = stream(np.random.RandomState(0))
    right = test_then_train(X, y, arguments.chunk)
    if arguments.plot:
        plot(arguments.plot, right)

    print(f"accuracy of the last {WINDOW} rows, and of all so far")
    print(f"{'rows':<8}" + "".join(f"{name:>10}" for name in NAMES) + f"{'all rows':>10}")
    last, whole = windowed(right), cumulative(right)
    for n in range(WINDOW, N_ROWS + 1, WINDOW):
        numbers = [*last[:, n - WINDOW], whole[0, n - 1]]
        mark = "  the rule changes" if n in DRIFTS else ""
        print(f"{n:<8}" + "".join(f"{number:>10.3f}" for number in numbers) + mark)


if __name__ == "__main__":
    main()
