"""The page's rows, a check of each, and what they are measured by."""

import re
import textwrap
from pathlib import Path

from sklearn.base import clone

from skdeep import SGD

DOCS = Path(__file__).parents[2] / "docs"


PAGE = (DOCS / "coming_from_go.rst").read_text(encoding="utf-8")


CHECKS = {}


def code_blocks(text):
    pattern = r"^( *)\.\. code-block:: python\n\n((?:\1   .*\n|\n)+)"
    return [textwrap.dedent(block) for _, block in re.findall(pattern, text, re.MULTILINE)]


SETUP, RECIPE = code_blocks(PAGE)


def fresh():
    names = {}
    exec(SETUP, names)
    return names


def check(*keys):
    """What a row comes to: (names after it, value of its last expression)."""

    def add(function):
        for key in keys:
            assert key not in CHECKS, key
            CHECKS[key] = function
        return function

    return add


# What the rows are measured by

GO_DEEP = {
    "Config": {
        "Inputs": 4,
        "Layout": [3, 1],
        "Activation": 1,
        "Mode": 3,
        "Loss": 2,
        "Bias": True,
    },
    "Weights": [
        [
            [0.1, -0.2, 0.3, -0.4, 0.5],
            [-0.5, 0.4, -0.3, 0.2, 0.1],
            [0.2, 0.3, -0.4, 0.1, -0.2],
        ],
        [[1.5, -2.0, 0.5, -0.3]],
    ],
}


GOPHER = {
    "Enters": 4,
    "Weights": [
        [[0.1, -0.2, 0.3, -0.4], [-0.5, 0.4, -0.3, 0.2], [0.2, 0.3, -0.4, 0.1]],
        [[1.0, -2.0, 0.5], [-1.0, 1.5, 0.2]],
    ],
    "OutLabels": {"0": "R", "1": "M"},
}


def first_weights(model, X, y):
    """Where a fit starts: one step of no length."""
    still = clone(model).set_params(solver=SGD(learning_rate_init=1e-300), max_iter=1)
    return still.set_params(random_state=0).fit(X, y)
