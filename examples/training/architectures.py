"""
Layers: activations, skips, initializers
========================================

Which layers can a network have, and what do they do for it? One activation for all layers or
one for each, your own activation, skips that let a deep network learn, weight initializers,
no biases. ``summary()`` shows the layers of a fitted network. The baseline is a linear model.
"""

import warnings
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdeep import DeepClassifier, Normal

# The number of epochs is fixed: the comparison is about where they lead.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

# %%
# An activation of your own
# -------------------------
#
# Any object with these two methods works.


@dataclass(frozen=True)
class Snake:
    """z + sin(z)^2."""

    def value(self, z):
        return z + np.sin(z) ** 2

    def derivative(self, z):
        return 1 + np.sin(2 * z)


# %%
# Eight architectures
# -------------------
#
# ``residual=True`` adds the input of a hidden layer to its output if both have the same width.

DEEP = (32,) * 10
VARIANTS = {
    "one layer": {"hidden_layer_sizes": (64,)},
    "mixed activations": {"hidden_layer_sizes": (64, 32), "activation": ["gelu", "tanh"]},
    "custom activation": {"hidden_layer_sizes": (64,), "activation": Snake()},
    "no bias": {"hidden_layer_sizes": (64,), "bias": False},
    "Normal(0, 0.1)": {"hidden_layer_sizes": (64,), "weight_init": Normal(0, 0.1)},
    "he_normal": {"hidden_layer_sizes": (64,), "weight_init": "he_normal"},
    "ten layers": {"hidden_layer_sizes": DEEP, "activation": "logistic"},
    "ten layers, residual": {
        "hidden_layer_sizes": DEEP,
        "activation": "logistic",
        "residual": True,
    },
}
curves = {}
print(f"{'architecture':<24} {'parameters':>10} {'accuracy':>9}")
for name, params in VARIANTS.items():
    model = DeepClassifier(
        learning_rate_init=0.005, max_iter=25, dtype="float32", random_state=0, **params
    ).fit(X_train, y_train)
    n_params = sum(array.size for array in [*model.coefs_, *model.intercepts_])
    curves[name] = model.loss_curve_
    print(f"{name:<24} {n_params:>10,} {model.score(X_test, y_test):>9.3f}")
line = LogisticRegression(max_iter=500).fit(X_train, y_train)
n_params = line.coef_.size + line.intercept_.size
print(f"{'linear model':<24} {n_params:>10,} {line.score(X_test, y_test):>9.3f}")

# %%
# A network of ten logistic layers learns nothing: its gradients vanish on the way back to the
# first. With skips, the same network learns.

figure, axes = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
for name, curve in curves.items():
    deep = name.startswith("ten")
    axes.plot(
        np.arange(1, 26),
        curve,
        color={"ten layers": "tab:orange", "ten layers, residual": "tab:blue"}.get(
            name, "0.75"
        ),
        linewidth=2.5 if deep else 1,
        label=name
        if deep
        else ("networks of one or two layers" if name == "one layer" else None),
    )
axes.set(xlabel="epoch", ylabel="training loss")
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %%
# All at once
# -----------
#
# What a fitted network consists of:

mixed = DeepClassifier(
    (64, 64, 32),
    activation=["gelu", "gelu", Snake()],
    norm="batch",
    dropout=[0.1, 0.2, 0.2, 0.0],
    residual=True,
    early_stopping=True,
    random_state=0,
).fit(X_train, y_train)
print(f"\n{mixed.summary()}")
