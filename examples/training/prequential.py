"""
Learning from a stream whose rules change
=========================================

What if the rule behind the data changes while the model is in use? Each chunk of rows is
first predicted and then used for training (test, then train), so every row is a test row once
and none are set aside. The rule that assigns classes to rows changes twice. The baselines are
a copy of the network that stopped learning after the first thousand rows, and the most
frequent class so far.

``--chunk 1`` trains on one row at a time.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier

parser = argparse.ArgumentParser(description="Test, then train, on a stream.")
parser.add_argument("--chunk", type=int, default=10, metavar="ROWS", help="rows at a time")
CHUNK = parser.parse_args().chunk
N_ROWS, N_FEATURES = 9000, 10
DRIFTS = (3000, 6000)
FREEZE_AT = 1000  # where the frozen network stops learning
WINDOW = 500
NAMES = ("learning", "frozen", "majority")

# %%
# The stream
# ----------
#
# Three rules, one after another, and one class in twenty that is wrong.

rng = np.random.RandomState(0)
X = rng.normal(size=(N_ROWS, N_FEATURES))
a, b, c, d = X[:, :4].T
rules = (a * b > -0.3, a + 2 * np.abs(c) > 1, c - d > -0.4)
rule = np.searchsorted(DRIFTS, np.arange(N_ROWS), side="right")
y = (np.choose(rule, rules) ^ (rng.uniform(size=N_ROWS) < 0.05)).astype(int)
X = 10.0 ** rng.uniform(-2, 2, N_FEATURES) * X

# %%
# Test, then train
# ----------------
#
# The scaler learns from the stream as well, after the predictions.


def network():
    return DeepClassifier((50,), learning_rate_init=0.01, alpha=0.01, random_state=0)


scaler, learning, frozen = StandardScaler(), network(), network()
seen = np.zeros(2)
right = np.zeros((3, N_ROWS), bool)
for start in range(0, N_ROWS, CHUNK):
    rows = slice(start, start + CHUNK)
    if start:
        now = scaler.transform(X[rows])
        right[0, rows] = learning.predict(now) == y[rows]
        right[1, rows] = frozen.predict(now) == y[rows]
    right[2, rows] = y[rows] == np.argmax(seen)
    now = scaler.partial_fit(X[rows]).transform(X[rows])
    learning.partial_fit(now, y[rows], classes=[0, 1])
    if start < FREEZE_AT:
        frozen.partial_fit(now, y[rows], classes=[0, 1])
    seen += np.bincount(y[rows], minlength=2)

# %%
# The accuracy of the last rows
# -----------------------------

whole = np.cumsum(right[0]) / np.arange(1, N_ROWS + 1)
sums = np.cumsum(right, axis=-1)
sums[:, WINDOW:] -= sums[:, :-WINDOW].copy()
last = sums[:, WINDOW - 1 :] / WINDOW

print(f"{'rows':<8}" + "".join(f"{name:>10}" for name in NAMES) + f"{'all rows':>10}")
for n in range(WINDOW, N_ROWS + 1, WINDOW):
    numbers = [*last[:, n - WINDOW], whole[n - 1]]
    mark = "  the rule changes" if n in DRIFTS else ""
    print(f"{n:<8}" + "".join(f"{number:>10.3f}" for number in numbers) + mark)

# %%
# At each change the accuracy drops, and the network that goes on learning recovers within a
# thousand rows, where the frozen copy does not. The accuracy over all rows so far (dotted)
# hardly shows the changes: it is no measure to watch a stream by.

figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
shown = np.arange(WINDOW, N_ROWS + 1)
for name, color, line in zip(NAMES, ("tab:blue", "tab:orange", "tab:gray"), last, strict=True):
    axes.plot(shown, line, color=color, label=f"{name}, last {WINDOW} rows")
axes.plot(
    shown,
    whole[WINDOW - 1 :],
    color="tab:blue",
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
axes.set(
    xlabel="rows seen", ylabel="accuracy, before learning", xlim=(0, N_ROWS), ylim=(0.45, 1)
)
axes.grid(alpha=0.3)
figure.legend(loc="outside upper center", ncols=2, frameon=False)
plt.show()
