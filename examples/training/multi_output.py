"""
Targets with several columns, and training in parts
===================================================

Can one network answer several questions at once? The type of ``y`` determines the task:
columns of labels, each with its own classes; labels of which any number can apply; or several
numbers. ``partial_fit`` trains on the rows as they arrive, and with ``warm_start``, two fits
of 10 epochs equal one of 20, to the last digit. The baseline of each task always gives the
same answer.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_linnerud, make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor

warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
PARAMS = {"learning_rate_init": 0.01, "dtype": "float32", "random_state": 0}


def row(task, y, model, score, baseline):
    print(f"{task:<28} {y.shape!s:<12} {model.n_outputs_:>8} {baseline:>9.3f} {score:>7.3f}")


def constant(X_train, Y_train, X_test, Y_test):
    """Fraction of rows in which the most frequent labels are all right."""
    always = DummyClassifier().fit(X_train, Y_train).predict(X_test)
    return np.all(always == Y_test, axis=1).mean()


# %%
# Columns of labels
# -----------------
#
# The digit that an image shows, and two properties that follow from it, as strings.

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
X, digit = load_digits(return_X_y=True)
parity = np.where(digit % 2, "odd", "even")
size = np.where(digit < 3, "small", np.where(digit < 7, "middle", "large"))
Y = np.column_stack([np.array(DIGITS)[digit], parity, size])
X_train, X_test, Y_train, Y_test = train_test_split(X / 16, Y, random_state=0)
by_constant = constant(X_train, Y_train, X_test, Y_test)

print(f"{'task':<28} {'y':<12} {'outputs':>8} {'constant':>9} {'score':>7}")
model = DeepClassifier((50,), max_iter=30, **PARAMS).fit(X_train, Y_train)
row("columns of labels", Y_train, model, model.score(X_test, Y_test), by_constant)

# %%
# Labels of which any number can apply
# ------------------------------------
#
# The score is the fraction of rows in which all five labels are right.

X_many, Y_many = make_multilabel_classification(n_samples=800, random_state=0)
X_many = StandardScaler().fit_transform(X_many)
A, B, Y_A, Y_B = train_test_split(X_many, Y_many, random_state=0)
many = DeepClassifier((50,), max_iter=30, **PARAMS).fit(A, Y_A)
row("multi-label", Y_A, many, many.score(B, Y_B), constant(A, Y_A, B, Y_B))

# %%
# Several numbers
# ---------------
#
# Weight, waist and pulse of 20 people: so few that this only shows how it is done. The score is
# :math:`R^2` on the training rows, which is 0 for a constant.

X_body, Y_body = (StandardScaler().fit_transform(a) for a in load_linnerud(return_X_y=True))
body = DeepRegressor(
    hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0
).fit(X_body, Y_body)
row("several numbers (training)", Y_body, body, body.score(X_body, Y_body), 0.0)

# %%
# Rows as they arrive
# -------------------

parts = DeepClassifier((50,), **PARAMS)
classes = [np.unique(column) for column in Y.T]
for _ in range(10):
    for start in range(0, len(X_train), 300):
        part = slice(start, start + 300)
        parts.partial_fit(X_train[part], Y_train[part], classes=classes)
row("columns, by partial_fit", Y_train, parts, parts.score(X_test, Y_test), by_constant)

# %%
# Fits that resume
# ----------------

twenty = DeepClassifier((50,), max_iter=20, **PARAMS).fit(X_train, Y_train)
ten = DeepClassifier((50,), max_iter=10, warm_start=True, **PARAMS).fit(X_train, Y_train)
ten.fit(X_train, Y_train)
pairs = zip(ten.coefs_, twenty.coefs_, strict=True)
difference = max(np.abs(one - other).max() for one, other in pairs)
print(f"largest difference of 10 + 10 epochs from 20: {difference}")

# %%
# Four images, and the three answers of the network, each with its probability.

p = model.predict_proba(X_test[:4])
figure, grid = plt.subplots(1, 4, figsize=(9, 3), layout="constrained")
for k, (axes, answers) in enumerate(zip(grid, model.predict(X_test[:4]), strict=True)):
    axes.imshow(X_test[k].reshape(8, 8), cmap="gray_r")
    lines = [
        f"{answer}: {column[k].max():.2f}" for answer, column in zip(answers, p, strict=True)
    ]
    axes.set_title("\n".join(lines), fontsize=10)
    axes.axis("off")
plt.show()
print("the first:", ", ".join(model.predict(X_test[:1])[0]))
