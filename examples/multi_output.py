"""Targets with several columns, and training in parts.

The type of ``y`` determines the task: columns of labels, each with its own classes; labels of
which any number can apply; or several numbers. ``partial_fit`` trains on the rows as they
arrive, and with ``warm_start``, two fits of 10 epochs equal one of 20, to the last digit.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits, load_linnerud, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def row(task, y, model, score):
    print(f"{task:<28} {y.shape!s:<12} {model.n_outputs_:>8} {score:>7.3f}")


def several_columns(digit):
    """The digit that an image shows, and two properties that follow from it, as strings."""
    names = np.array(DIGITS)
    parity = np.where(digit % 2, "odd", "even")
    size = np.where(digit < 3, "small", np.where(digit < 7, "middle", "large"))
    return np.column_stack([names[digit], parity, size])


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
    print(f"{'task':<28} {'y':<12} {'outputs':>8} {'score':>7}")
    X, digit = load_digits(return_X_y=True)
    X = X / 16
    Y = several_columns(digit)
    X_train, X_test, Y_train, Y_test = train_test_split(X, Y, random_state=0)
    params = {"learning_rate_init": 0.01, "dtype": "float32", "random_state": 0}
    model = DeepClassifier((50,), max_iter=30, **params).fit(X_train, Y_train)
    row("columns of labels", Y_train, model, model.score(X_test, Y_test))

    X_many, Y_many = make_multilabel_classification(n_samples=800, random_state=0)
    X_many = StandardScaler().fit_transform(X_many)
    split = train_test_split(X_many, Y_many, random_state=0)
    many = DeepClassifier((50,), max_iter=30, **params).fit(split[0], split[2])
    row("multi-label", split[2], many, many.score(split[1], split[3]))

    X_body, Y_body = (StandardScaler().fit_transform(a) for a in load_linnerud(return_X_y=True))
    body = DeepRegressor(
        hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0
    ).fit(X_body, Y_body)
    row("several numbers (training)", Y_body, body, body.score(X_body, Y_body))

    parts = DeepClassifier((50,), **params)
    classes = [np.unique(column) for column in Y.T]
    for _ in range(10):
        for start in range(0, len(X_train), 300):
            part = slice(start, start + 300)
            parts.partial_fit(X_train[part], Y_train[part], classes=classes)
    row("columns, by partial_fit", Y_train, parts, parts.score(X_test, Y_test))

    shown = dict(zip(("digit", "parity", "size"), model.predict(X_test[:1])[0], strict=True))
    print(f"\nthe first test image: {', '.join(f'{k} {v}' for k, v in shown.items())}")
    p = model.predict_proba(X_test[:1])
    print(f"probabilities of its columns: {', '.join(f'{column.max():.3f}' for column in p)}")

    twenty = DeepClassifier((50,), max_iter=20, **params).fit(X_train, Y_train)
    ten = DeepClassifier((50,), max_iter=10, warm_start=True, **params).fit(X_train, Y_train)
    ten.fit(X_train, Y_train)
    pairs = zip(ten.coefs_, twenty.coefs_, strict=True)
    difference = max(np.abs(one - other).max() for one, other in pairs)
    print(f"\nlargest difference of 10 + 10 epochs from 20: {difference}")


if __name__ == "__main__":
    main()
