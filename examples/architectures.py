"""Layers: one activation for each, your own activation, skips, initializers, no biases.

``residual=True`` adds the input of a hidden layer to its output if both have the same width. A
network of ten layers that barely learns without these skips learns well with them.
``summary()`` prints the layers of a fitted network.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdeep import DeepClassifier, Normal


@dataclass(frozen=True)
class Snake:
    """z + sin(z)^2, a custom activation: any object with these two methods works."""

    def value(self, z):
        return z + np.sin(z) ** 2

    def derivative(self, z):
        return 1 + np.sin(2 * z)


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


def main():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    print(f"{'architecture':<24} {'parameters':>10} {'accuracy':>9}")
    for name, params in VARIANTS.items():
        model = DeepClassifier(
            learning_rate_init=0.005, max_iter=25, dtype="float32", random_state=0, **params
        )
        with warnings.catch_warnings():
            # The number of epochs is fixed: the comparison is about where they lead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X_train, y_train)
        n_params = sum(array.size for array in [*model.coefs_, *model.intercepts_])
        print(f"{name:<24} {n_params:>10,} {model.score(X_test, y_test):>9.3f}")

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


if __name__ == "__main__":
    main()
