"""Laws: what cannot be used is refused with words that help, and a refusal changes nothing.

Each message names what was wrong, what was given and what is allowed. Training that
diverges is refused in the same way, and names the epoch.
"""

import pickle
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdeep import (
    LBFGS,
    SGD,
    Adadelta,
    Adam,
    AdamW,
    Cosine,
    DeepClassifier,
    DeepRegressor,
    Exponential,
    InverseTime,
    InvScaling,
    Linear,
    Lion,
    Normal,
    OneCycle,
    RMSprop,
    StepDecay,
    WarmUp,
    lockstep,
)
from skdeep.schedules import SCHEDULES

RNG = np.random.RandomState(0)
N = 30
X = RNG.normal(size=(N, 3))
NUMBERS = X[:, 0] + 1
BINARY = np.arange(N) % 2
CLASSES = np.arange(N) % 3
NAMES = np.array(["a", "b", "c"])[CLASSES]
LABELS = (RNG.uniform(size=(N, 3)) > 0.5).astype(int)
COLUMNS = np.c_[CLASSES, CLASSES[::-1]]
ONES = np.ones(N)
POSITIVE = np.abs(NUMBERS) + 1


def with_entry(array, value, index=0):
    """A float copy of `array` with one entry replaced."""
    array = np.array(array, float)
    array.flat[index] = value
    return array


def classifier(**params):
    return DeepClassifier(
        **{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **params}
    )


def regressor(**params):
    return DeepRegressor(
        **{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **params}
    )


@dataclass
class Call:
    """A method call on an estimator."""

    method: str
    args: tuple
    kwargs: dict = field(default_factory=dict)

    def on(self, model: Any) -> Any:
        return getattr(model, self.method)(*self.args, **self.kwargs)


def call(method, *args, **kwargs):
    return Call(method, args, kwargs)


def case(name, model, *calls, words):
    """Calls of which the last one must be refused, in words that hold `words`."""
    return pytest.param(model, calls[:-1], calls[-1], words, id=name)


def state(model):
    return pickle.dumps(vars(model))


def holds(message, word):
    # X and y must stand alone; all else may be a part of a word.
    return bool(re.search(rf"\b{word}\b", message)) if len(word) == 1 else word in message


def refused(model, bad, words):
    """Check that the call is refused, in helpful words, and leaves no trace."""
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        bad.on(model)
    message = str(caught.value)
    missing = [word for word in words if not holds(message, word)]
    assert not missing, f"{missing} not in {type(caught.value).__name__}: {message}"
    assert isinstance(caught.value, ValueError), f"{type(caught.value).__name__}: {message}"
    assert len(message) < 2000, f"a message of {len(message)} characters is not read"
    assert state(model) == before, "the estimator has changed"


# The data

fit_c = call("fit", X, CLASSES)
fit_r = call("fit", X, NUMBERS)
part_c = call("partial_fit", X, CLASSES, classes=[0, 1, 2])

DATA = [
    case(
        "X-nan", classifier(), call("fit", with_entry(X, np.nan), CLASSES), words=["X", "NaN"]
    ),
    case("X-inf", regressor(), call("fit", with_entry(X, np.inf), NUMBERS), words=["X", "inf"]),
    case("X-1d", regressor(), call("fit", NUMBERS, NUMBERS), words=["2D", "1D"]),
    case("X-3d", regressor(), call("fit", X[None], NUMBERS), words=["dim 3", "<= 2"]),
    case("X-words", regressor(), call("fit", X.astype(str), NUMBERS), words=["strings"]),
    case("X-complex", regressor(), call("fit", X + 1j, NUMBERS), words=["Complex"]),
    case("X-no-rows", regressor(), call("fit", X[:0], NUMBERS[:0]), words=["0 sample", "1"]),
    case("X-no-columns", regressor(), call("fit", X[:, :0], NUMBERS), words=["0 feature", "1"]),
    case("y-nan", regressor(), call("fit", X, with_entry(NUMBERS, np.nan)), words=["y", "NaN"]),
    case("y-inf", regressor(), call("fit", X, with_entry(NUMBERS, np.inf)), words=["y", "inf"]),
    case(
        "y-nan-class", classifier(), call("fit", X, with_entry(CLASSES, np.nan)), words=["NaN"]
    ),
    case(
        "y-none-among-labels",
        classifier(),
        call("fit", X, np.array([None, *NAMES[1:]], object)),
        words=["Unknown label type"],
    ),
    case("y-missing", classifier(), call("fit", X, None), words=["requires y", "None"]),
    case(
        "y-3d", classifier(), call("fit", X, np.ones((N, 2, 2), int)), words=["dim 3", "<= 2"]
    ),
    case("y-short", classifier(), call("fit", X, CLASSES[:-1]), words=["30", "29", "samples"]),
    case(
        "y-one-class",
        classifier(),
        call("fit", X, np.array(["a"] * N)),
        words=["y", "one class", "'a'", "at least two classes"],
    ),
    case("y-one-row", classifier(), call("fit", X[:1], [7]), words=["y", "one class", "7"]),
    case("y-continuous", classifier(), call("fit", X, NUMBERS), words=["continuous"]),
    case("y-continuous-columns", classifier(), call("fit", X, X), words=["continuous-multi"]),
    case(
        "y-column-of-one-class",
        classifier(),
        call("fit", X, np.c_[CLASSES, 0 * CLASSES]),
        words=["y", "one class", "[0]", "at least two classes"],
    ),
    case(
        "y-zero-gamma",
        regressor(loss="gamma"),
        call("fit", X, 0 * NUMBERS),
        words=["y > 0", "0.0", "loss='gamma'", "loss='poisson'"],
    ),
    case(
        "y-columns-quantile",
        regressor(loss="quantile"),
        call("fit", X, X[:, :2]),
        words=["loss='quantile'", "y", "2", "MultiOutputRegressor"],
    ),
    case(
        "y-sparse-column",
        classifier(),
        call("fit", X, sp.csr_array(LABELS[:, :1])),
        words=["y", "parse"],
    ),
    case(
        "y-matrix-of-other-numbers",
        classifier(),
        call("fit", X, 2 * LABELS - 1),
        words=["y", "indicator matrix", "0 and 1", "[-1, 1]"],
    ),
    case("y-words", regressor(), call("fit", X, NAMES), words=["y", "'a'"]),
    case("y-object-words", regressor(), call("fit", X, NAMES.astype(object)), words=["'a'"]),
    case("y-numerals", regressor(), call("fit", X, NUMBERS.astype(str)), words=["y"]),
    case(
        "y-numerals-poisson",
        regressor(loss="poisson"),
        call("fit", X, np.abs(NUMBERS).astype(str)),
        words=["y"],
    ),
    case("y-sparse", regressor(), call("fit", X, sp.csr_array(X[:, :2])), words=["y", "parse"]),
    case(
        "y-negative-poisson",
        regressor(loss="poisson"),
        call("fit", X, with_entry(np.abs(NUMBERS), -1.5)),
        words=["y >= 0", "-1.5", "loss='poisson'", "squared_error"],
    ),
    case(
        "weights-negative",
        classifier(),
        call("fit", X, CLASSES, with_entry(ONES, -1)),
        words=["sample_weight", "Negative"],
    ),
    case(
        "weights-all-zero",
        classifier(),
        call("fit", X, CLASSES, 0 * ONES),
        words=["ample weights", "at least one non-zero"],
    ),
    case(
        "weights-short",
        classifier(),
        call("fit", X, CLASSES, ONES[:-1]),
        words=["sample_weight", "(29,)", "(30,)"],
    ),
    case(
        "weights-2d",
        regressor(),
        call("fit", X, NUMBERS, np.ones((N, 2))),
        words=["ample weights", "1D", "2D", "30"],
    ),
    case(
        "weights-nan",
        regressor(),
        call("fit", X, NUMBERS, with_entry(ONES, np.nan)),
        words=["sample_weight", "NaN"],
    ),
    case(
        "weights-inf",
        regressor(),
        call("fit", X, NUMBERS, with_entry(ONES, np.inf)),
        words=["sample_weight", "inf"],
    ),
    case(
        "weights-partial_fit",
        regressor(),
        fit_r,
        call("partial_fit", X, NUMBERS, -ONES),
        words=["sample_weight", "Negative"],
    ),
    case(
        "weights-zero-in-split",
        classifier(early_stopping=True),
        call("fit", X, CLASSES, with_entry(0 * ONES, 1)),
        words=["sample_weight", "early_stopping", "zero"],
    ),
]

PREDICTION = [
    case(
        f"{method}-{name}",
        classifier(),
        fit_c,
        call(method, given),
        words=words,
    )
    for method in ("predict", "predict_proba", "predict_log_proba")
    for name, given, words in [
        ("columns", X[:, :2], ["X", "2 features", "3 features"]),
        ("nan", with_entry(X, np.nan), ["X", "NaN"]),
        ("inf", np.array([[np.inf, -np.inf, 0]]), ["X", "inf"]),
        ("1d", NUMBERS, ["2D", "1D"]),
    ]
]

SERIES = [
    case(
        "classes-missing",
        classifier(),
        call("partial_fit", X, CLASSES),
        words=["classes", "first call to partial_fit"],
    ),
    case(
        "classes-lack-one",
        classifier(),
        call("partial_fit", X, CLASSES, classes=[0, 1]),
        words=["y", "[2]", "[0, 1]"],
    ),
    case(
        "classes-only-one",
        classifier(),
        call("partial_fit", X, 0 * CLASSES, classes=[0]),
        words=["classes", "one class", "[0]", "at least two"],
    ),
    case(
        "classes-none-at-all",
        classifier(),
        call("partial_fit", X, CLASSES, classes=[]),
        words=["classes", "[]", "at least two"],
    ),
    case(
        "classes-a-number",
        classifier(),
        call("partial_fit", X, CLASSES, classes=3),
        words=["array-like", "3"],
    ),
    case(
        "classes-change",
        classifier(),
        part_c,
        call("partial_fit", X, CLASSES, classes=[0, 1, 2, 3]),
        words=["classes", "[0, 1, 2, 3]", "[0, 1, 2]"],
    ),
    case(
        "unseen-number",
        classifier(),
        part_c,
        call("partial_fit", X, CLASSES + 1),
        words=["y", "[3]", "[0, 1, 2]"],
    ),
    case(
        "unseen-name",
        classifier(),
        part_c,
        call("partial_fit", X, NAMES),
        words=["y", "'a'", "[0, 1, 2]"],
    ),
    case(
        "nan-first",
        classifier(),
        call("partial_fit", X, with_entry(CLASSES, np.nan), classes=[0, 1]),
        words=["NaN"],
    ),
    case(
        "unseen-object-name",
        classifier(),
        part_c,
        call("partial_fit", X, NAMES.astype(object)),
        words=["y", "'a'", "[0, 1, 2]"],
    ),
    case(
        "labels-with-a-number-for-classes",
        classifier(),
        call("partial_fit", X, LABELS, classes=3),
        words=["classes", "3"],
    ),
    case(
        "columns-of-X",
        classifier(),
        part_c,
        call("partial_fit", X[:, :2], CLASSES),
        words=["X", "2 features", "3 features"],
    ),
    case(
        "columns-of-y",
        regressor(),
        fit_r,
        call("partial_fit", X, X[:, :2]),
        words=["y", "1)", "2)"],
    ),
    case(
        "continuous",
        classifier(),
        fit_c,
        call("partial_fit", np.tile(X, (100, 1)), np.linspace(-1, 1, 100 * N)),
        words=["y", "classes", "-1.0", "[0, 1, 2]"],
    ),
    case(
        "labels-other-number",
        classifier(),
        call("partial_fit", X, LABELS),
        call("partial_fit", X, LABELS[:, :2]),
        words=["y", "3 columns", "(30, 2)"],
    ),
    case(
        "labels-then-classes",
        classifier(),
        call("partial_fit", X, LABELS),
        call("partial_fit", X, BINARY),
        words=["y", "3 columns", "(30,)"],
    ),
    case(
        "labels-then-no-indicators",
        classifier(),
        call("partial_fit", X, LABELS),
        call("partial_fit", X, 3 * LABELS + 2),
        words=["y", "indicator matrix"],
    ),
    case(
        "labels-then-numbers",
        classifier(),
        call("partial_fit", X, LABELS),
        call("partial_fit", X, LABELS + 0.5),
        words=["y", "continuous-multioutput"],
    ),
    case(
        "columns-without-classes",
        classifier(),
        call("partial_fit", X, COLUMNS),
        words=["classes", "first call to partial_fit"],
    ),
    case(
        "columns-lack-a-class",
        classifier(),
        call("partial_fit", X, COLUMNS, classes=[[0, 1, 2], [0, 1]]),
        words=["y", "[2]", "[0, 1]"],
    ),
    case(
        "columns-with-one-class",
        classifier(),
        call("partial_fit", X, COLUMNS, classes=[[0, 1, 2], [0]]),
        words=["classes", "one class", "[0]", "at least two"],
    ),
    case(
        "columns-change-classes",
        classifier(),
        call("partial_fit", X, COLUMNS, classes=[[0, 1, 2], [0, 1, 2]]),
        call("partial_fit", X, COLUMNS, classes=[[0, 1, 2], [0, 1]]),
        words=["classes", "[0, 1]", "[0, 1, 2]"],
    ),
    case(
        "columns-then-classes",
        classifier(),
        call("fit", X, COLUMNS),
        call("partial_fit", X, CLASSES),
        words=["y", "2 columns", "(30,)"],
    ),
    case(
        "classes-then-columns",
        classifier(),
        fit_c,
        call("partial_fit", X, COLUMNS),
        words=["y", "(30, 2)"],
    ),
    case(
        "balanced",
        classifier(class_weight="balanced"),
        part_c,
        words=["class_weight='balanced'", "partial_fit", "dict"],
    ),
    case(
        "labels-with-fewer-classes",
        classifier(),
        call("partial_fit", X, LABELS, classes=np.array([0, 1])),
        words=["classes", "[0, 1]"],
    ),
    case(
        "classes-then-labels",
        classifier(),
        fit_c,
        call("partial_fit", X, LABELS),
        words=["y", "(30, 3)"],
    ),
    case(
        "two-classes-then-two-labels",
        classifier(),
        call("fit", X, BINARY),
        call("partial_fit", X, LABELS[:, :2]),
        words=["y", "(30, 2)"],
    ),
    case(
        "poisson-negative-later",
        regressor(loss="poisson"),
        call("fit", X, np.abs(NUMBERS)),
        call("partial_fit", X, with_entry(np.abs(NUMBERS), -1.5)),
        words=["y >= 0", "-1.5", "loss='poisson'"],
    ),
    case(
        "early_stopping-regressor",
        regressor(early_stopping=True),
        call("partial_fit", X, NUMBERS),
        words=["partial_fit", "early_stopping=True", "early_stopping=False"],
    ),
    case(
        "early_stopping-classifier",
        classifier(early_stopping=True),
        part_c,
        words=["partial_fit", "early_stopping=True", "early_stopping=False"],
    ),
    case(
        "sizes",
        classifier(),
        fit_c,
        call("set_params", hidden_layer_sizes=(5,)),
        call("partial_fit", X, CLASSES),
        words=["hidden_layer_sizes", "(3, 4)", "(3, 5)"],
    ),
]

WARM = [
    case(
        "fewer-classes",
        classifier(warm_start=True),
        fit_c,
        call("fit", X, BINARY),
        words=["warm_start", "y", "[0, 1, 2]", "[0, 1]"],
    ),
    case(
        "more-classes",
        classifier(warm_start=True),
        call("fit", X, BINARY),
        fit_c,
        words=["y", "[2]", "[0, 1]"],
    ),
    case(
        "labels-after-classes",
        classifier(warm_start=True),
        fit_c,
        call("fit", X, LABELS),
        words=["y", "(30, 3)"],
    ),
    case(
        "classes-after-labels",
        classifier(warm_start=True),
        call("fit", X, LABELS),
        fit_c,
        words=["y", "3 columns", "(30,)"],
    ),
    case(
        "fewer-labels",
        classifier(warm_start=True),
        call("fit", X, LABELS),
        call("fit", X, LABELS[:, :2]),
        words=["y", "3 columns", "(30, 2)"],
    ),
    case(
        "sizes",
        classifier(warm_start=True),
        fit_c,
        call("set_params", hidden_layer_sizes=(4, 4)),
        fit_c,
        words=["hidden_layer_sizes", "(3, 4)", "(4, 4)", "warm_start=False"],
    ),
    case(
        "columns-of-X",
        regressor(warm_start=True),
        fit_r,
        call("fit", X[:, :2], NUMBERS),
        words=["X", "2 features", "3 features"],
    ),
    case(
        "columns-of-y",
        regressor(warm_start=True),
        fit_r,
        call("fit", X, X[:, :2]),
        words=["y", "(4, 1)", "(4, 2)", "warm_start=False"],
    ),
]

WARM += [
    case(
        f"switch-{name}",
        regressor(warm_start=True),
        fit_r,
        call("set_params", **{name: value}),
        fit_r,
        words=[name, "warm_start=False"],
    )
    for name, value in [("bias", False), ("batch_norm", True), ("layer_norm", True)]
]
WARM.append(
    case(
        "fewer-classes-in-a-column",
        classifier(warm_start=True),
        call("fit", X, COLUMNS),
        call("fit", X[:2], COLUMNS[:2]),
        words=["warm_start", "y", "[0, 1, 2]", "[0, 1]"],
    )
)

V = {"X_val": X, "y_val": CLASSES}
VALIDATION = [
    case(f"{method}-{name}", model, call(method, *args, **kwargs), words=words)
    for method in ("fit", "partial_fit")
    for name, model, args, kwargs, words in [
        ("no-y_val", regressor(), (X, NUMBERS), {"X_val": X}, ["X_val", "without y_val"]),
        ("no-X_val", regressor(), (X, NUMBERS), {"y_val": NUMBERS}, ["without X_val"]),
        (
            "weights-alone",
            regressor(),
            (X, NUMBERS),
            {"sample_weight_val": ONES},
            ["sample_weight_val", "without X_val"],
        ),
        (
            "columns",
            regressor(),
            (X, NUMBERS),
            {"X_val": X[:, :2], "y_val": NUMBERS},
            ["X", "2 features", "3 features"],
        ),
        (
            "nan",
            regressor(),
            (X, NUMBERS),
            {"X_val": with_entry(X, np.nan), "y_val": NUMBERS},
            ["X", "NaN"],
        ),
        (
            "short",
            regressor(),
            (X, NUMBERS),
            {"X_val": X, "y_val": NUMBERS[1:]},
            ["30", "29", "samples"],
        ),
        (
            "columns-of-y",
            regressor(),
            (X, NUMBERS),
            {"X_val": X, "y_val": X[:, :2]},
            ["y must have 1", "2"],
        ),
        (
            "no-rows",
            regressor(),
            (X, NUMBERS),
            {"X_val": X[:0], "y_val": NUMBERS[:0]},
            ["0 sample", "1"],
        ),
        (
            "gamma",
            regressor(loss="gamma"),
            (X, POSITIVE),
            {"X_val": X, "y_val": 0 * POSITIVE},
            ["y > 0", "loss='gamma'"],
        ),
        (
            "weights-short",
            regressor(),
            (X, NUMBERS),
            {"X_val": X, "y_val": NUMBERS, "sample_weight_val": ONES[1:]},
            ["sample_weight", "(29,)", "(30,)"],
        ),
        (
            "weights-negative",
            regressor(),
            (X, NUMBERS),
            {"X_val": X, "y_val": NUMBERS, "sample_weight_val": -ONES},
            ["sample_weight", "Negative"],
        ),
        (
            "weights-zero",
            regressor(),
            (X, NUMBERS),
            {"X_val": X, "y_val": NUMBERS, "sample_weight_val": 0 * ONES},
            ["ample weights", "at least one non-zero"],
        ),
    ]
] + [
    case(
        "unseen-class",
        classifier(),
        call("fit", X, CLASSES, X_val=X, y_val=CLASSES + 1),
        words=["y", "[3]", "[0, 1, 2]"],
    ),
    case(
        "matrix",
        classifier(),
        call("fit", X, CLASSES, X_val=X, y_val=COLUMNS),
        words=["y", "(30, 2)"],
    ),
    case(
        "other-labels",
        classifier(),
        call("fit", X, LABELS, X_val=X, y_val=LABELS[:, :2]),
        words=["y", "indicator matrix", "3 columns", "(30, 2)"],
    ),
]

EARLY = {"early_stopping": True}
TOGETHER = [
    case(
        "both-norms",
        classifier(batch_norm=True, layer_norm=True),
        fit_c,
        words=["batch_norm", "layer_norm", "both True", "choose one"],
    ),
    case(
        "baseline-without-bias",
        classifier(bias=False, init_output_bias="baseline"),
        fit_c,
        words=["init_output_bias='baseline'", "bias=True"],
    ),
    case(
        "lbfgs-X_val",
        classifier(solver="lbfgs"),
        call("fit", X, CLASSES, **V),
        words=["X_val", "solver='lbfgs'", "'adam'"],
    ),
    *(
        case(
            f"{solver!r:.5}-{name}",
            regressor(solver=solver, **{name: value}),
            fit_r,
            words=[f"{name} does not", "solver='lbfgs'", "'adam'", f"leave {name} out"],
        )
        for solver in ("lbfgs", LBFGS())
        for name, value in [
            ("dropout", 0.5),
            ("dropout", [0.1, 0.0]),
            ("batch_norm", True),
            ("max_norm", 1.0),
            ("clip_norm", 1.0),
            ("weight_averaging", 0.9),
        ]
    ),
    *(
        case(
            f"activation-{len(given)}",
            classifier(hidden_layer_sizes=(4, 4), activation=given),
            fit_c,
            words=["activation", f"{len(given)} entries", "2 hidden layers"],
        )
        for given in ([], ["relu"], ["relu"] * 3)
    ),
    *(
        case(
            f"dropout-{given}",
            classifier(dropout=given),
            fit_c,
            words=["dropout", "[0, 1)", "list of 2", "input", repr(given)],
        )
        for given in ([], [0.1], [0.1] * 3, [0.1, 1.0], [-0.1, 0.1], [0.1, "a"])
    ),
    *(
        case(
            f"weight_init-{i}",
            classifier(weight_init=given),
            fit_c,
            words=["weight_init", "[(3, 4), (4, 3)]", shapes],
        )
        for i, (given, shapes) in enumerate(
            [
                ([np.ones((3, 4))], "[(3, 4)]"),
                ([np.ones((4, 3)), np.ones((3, 4))], "[(4, 3), (3, 4)]"),
                ((1, 2), "[(), ()]"),
                ([], "[]"),
            ]
        )
    ),
    case(
        "class_weight-unknown",
        classifier(class_weight={7: 1.0}),
        fit_c,
        words=["class_weight", "[7]", "[0, 1, 2]"],
    ),
    case(
        "class_weight-negative",
        classifier(class_weight={0: -1.0}),
        fit_c,
        words=["class_weight", "0 or more", "-1.0"],
    ),
    case(
        "class_weight-nan",
        classifier(class_weight={0: np.nan}),
        fit_c,
        words=["class_weight", "0 or more", "nan"],
    ),
    case(
        "class_weight-all-zero",
        classifier(class_weight=dict.fromkeys(range(3), 0)),
        fit_c,
        words=["class_weight", "sample_weight", "0"],
    ),
    *(
        case(
            f"class_weight-{name}",
            classifier(class_weight=given),
            call("fit", X, y),
            words=["class_weight", "'balanced'", "list", n_columns, repr(given)],
        )
        for name, given, y, n_columns in [
            ("dict-for-columns", {0: 1.0}, COLUMNS, "2"),
            ("dict-for-labels", {0: 1.0}, LABELS, "3"),
            ("list-too-long", [{0: 1.0}] * 3, COLUMNS, "2"),
        ]
    ),
    case(
        "quantile-outside",
        regressor(loss="quantile", quantile=[0.1, 1.5]),
        fit_r,
        words=["quantile", "1.5", "between 0 and 1"],
    ),
    case(
        "quantile-none",
        regressor(loss="quantile", quantile=[]),
        fit_r,
        words=["quantile", "[]"],
    ),
    case(
        "quantile-twice",
        regressor(loss="quantile", quantile=[0.5, 0.5]),
        fit_r,
        words=["quantile", "twice"],
    ),
    case(
        "quantile-link",
        regressor(loss="quantile", output_activation="exp"),
        fit_r,
        words=["loss='quantile'", "'exp'", "None"],
    ),
    case(
        "poisson-link",
        regressor(loss="poisson", output_activation="identity"),
        call("fit", X, POSITIVE),
        words=["loss='poisson'", "above 0", "'identity'", "'exp'", "None"],
    ),
    case(
        "scoring-unknown",
        classifier(**EARLY, validation_scoring="acuracy"),
        fit_c,
        words=["'acuracy'", "scoring", "get_scorer_names"],
    ),
]


def worded(name, model, bad, words):
    return case(name, model, bad, words=words)


WORDS = [
    worded(
        "classes-list-for-labels",
        classifier(),
        call("partial_fit", X, LABELS, classes=[0, 1]),
        ["classes", "[0, 1]", "indicator matrix"],
    ),
    worded(
        "classes-flat-for-columns",
        classifier(),
        call("partial_fit", X, COLUMNS, classes=[0, 1, 2]),
        ["classes", "[0, 1, 2]", "column"],
    ),
    worded(
        "classes-for-fewer-columns",
        classifier(),
        call("partial_fit", X, COLUMNS, classes=[[0, 1, 2]]),
        ["classes", "2 columns"],
    ),
    *(
        worded(
            f"class_weight-{i}",
            classifier(class_weight=given),
            call("fit", X, y),
            ["class_weight", "dict"],
        )
        for i, (given, y) in enumerate(
            [([1, 2], COLUMNS), ([None, {}], COLUMNS), (["balanced", {}], COLUMNS)]
        )
    ),
    worded(
        "class_weight-word",
        classifier(class_weight={0: "a"}),
        fit_c,
        ["class_weight", "'a'"],
    ),
    worded(
        "class_weight-inf",
        classifier(class_weight={0: np.inf}),
        fit_c,
        ["class_weight", "inf"],
    ),
    worded(
        "activation-function",
        classifier(activation=np.tanh),
        fit_c,
        ["activation", "'relu'"],
    ),
    worded(
        "weight_init-nan",
        classifier(weight_init=[np.ones((3, 4)), np.full((4, 3), np.nan)]),
        fit_c,
        ["weight_init", "finite"],
    ),
    worded(
        "weight_init-std",
        classifier(weight_init=Normal(0, -1)),
        fit_c,
        ["Normal", "std", "-1"],
    ),
    worded(
        "quantile-nan",
        regressor(loss="quantile", quantile=[np.nan]),
        fit_r,
        ["quantile", "nan"],
    ),
    worded(
        "quantile-2d",
        regressor(loss="quantile", quantile=[[0.1, 0.2]]),
        fit_r,
        ["quantile"],
    ),
    worded(
        "quantile-word",
        regressor(loss="quantile", quantile=["a"]),
        fit_r,
        ["quantile", "'a'"],
    ),
]

TOGETHER.append(
    case(
        "activation-one-of-a-list",
        classifier(activation=["rleu"]),
        fit_c,
        words=["activation", "'relu'", "'tanh'", "'identity'", "'mish'", "'rleu'", "list"],
    )
)

SPLIT = [
    case(
        "nothing",
        regressor(early_stopping=True, validation_fraction=0),
        fit_r,
        words=["validation_fraction", "0"],
    ),
    case(
        "one-row",
        regressor(early_stopping=True, validation_fraction=0.01),
        fit_r,
        words=["validation_fraction=0.01", "30 rows", "at least 2"],
    ),
    case(
        "no-row-left",
        regressor(early_stopping=True, validation_fraction=0.99),
        fit_r,
        words=["validation_fraction", "0.99"],
    ),
]


@pytest.mark.parametrize(
    ("model", "before", "bad", "words"),
    DATA + PREDICTION + SERIES + WARM + VALIDATION + TOGETHER + WORDS + SPLIT,
)
def test_data_that_cannot_be_used_is_refused(model, before, bad, words):
    model = clone(model)
    for good in before:
        good.on(model)
    refused(model, bad, words)


def test_words_on_a_first_fit_do_not_speak_of_an_earlier_one():
    with pytest.raises(ValueError, match="indicator matrix") as caught:
        classifier().fit(X, 2 * LABELS - 1)
    assert "first call" not in str(caught.value)


# The parameters

SIZES = ["hidden_layer_sizes", "int", "1"]
PARAMETERS = [
    ("hidden_layer_sizes", (), SIZES),
    ("hidden_layer_sizes", [], SIZES),
    ("hidden_layer_sizes", (5, 0), SIZES),
    ("hidden_layer_sizes", (-3,), SIZES),
    ("hidden_layer_sizes", 0, SIZES),
    ("hidden_layer_sizes", -1, SIZES),
    ("hidden_layer_sizes", 2.5, SIZES),
    ("hidden_layer_sizes", (10, 2.0), SIZES),
    ("hidden_layer_sizes", np.array([2.0, 3.0]), SIZES),
    ("hidden_layer_sizes", (np.nan,), SIZES),
    ("hidden_layer_sizes", (10, "a"), SIZES),
    ("hidden_layer_sizes", [[3, 4]], SIZES),
    ("hidden_layer_sizes", "ten", SIZES),
    ("hidden_layer_sizes", None, SIZES),
    (
        "activation",
        "rleu",
        ["'relu'", "'tanh'", "'logistic'", "'identity'", "'gelu'", "value(z)"],
    ),
    ("activation", np.tanh, ["value(z)", "derivative(z)"]),
    ("activation", None, ["value(z)", "derivative(z)"]),
    ("solver", "adm", ["'adam'", "'sgd'", "'lbfgs'", "StochasticSolver"]),
    ("solver", SGD, ["'sgd'", "StochasticSolver"]),
    ("solver", None, ["'adam'"]),
    ("loss", "mse", ["'squared_error'", "'poisson'"]),
    ("dtype", "float16", ["'float32'", "'float64'", "None"]),
    ("dtype", np.float32, ["'float32'", "'float64'", "None"]),
    ("learning_rate", "cosin", ["'constant'", "'invscaling'", "'adaptive'", "'cosine'"]),
    ("learning_rate", 0.1, ["'constant'", "'invscaling'", "'adaptive'"]),
    ("learning_rate_init", 0, ["(0.0, inf)"]),
    ("learning_rate_init", np.inf, ["(0.0, inf)"]),
    ("alpha", -1, ["[0.0, inf)"]),
    ("alpha", np.nan, ["[0.0, inf)"]),
    ("batch_size", 0, ["'auto'", "[1, inf)"]),
    ("batch_size", 2.5, ["'auto'", "[1, inf)"]),
    ("batch_size", "all", ["'auto'", "[1, inf)"]),
    ("power_t", -1, ["[0.0, inf)"]),
    ("max_iter", 0, ["[1, inf)"]),
    ("max_iter", 2.5, ["[1, inf)"]),
    ("shuffle", "no", ["bool"]),
    ("random_state", "seed", ["int", "RandomState", "None"]),
    ("tol", -1, ["[0.0, inf)"]),
    ("verbose", "loud", ["int", "bool"]),
    ("warm_start", "yes", ["bool"]),
    ("momentum", 1.5, ["[0.0, 1.0]"]),
    ("nesterovs_momentum", 0.5, ["bool"]),
    ("early_stopping", "yes", ["bool"]),
    ("validation_fraction", 1.0, ["[0.0, 1.0)"]),
    ("l1_ratio", 1.5, ["[0.0, 1.0]"]),
    ("dropout", 1.0, ["[0.0, 1.0)", "array-like"]),
    ("dropout", "half", ["[0.0, 1.0)", "array-like"]),
    ("batch_norm", "yes", ["bool"]),
    ("layer_norm", 1.5, ["bool"]),
    ("max_norm", 0, ["(0.0, inf)", "None"]),
    ("clip_norm", -1, ["(0.0, inf)", "None"]),
    ("weight_init", "he", ["'he_normal'", "'glorot_uniform'", "Initializer", "list", "None"]),
    ("weight_init", Normal, ["'he_normal'", "Initializer", "list", "None"]),
    ("bias", "no", ["bool"]),
    ("residual", "no", ["bool"]),
    ("init_output_bias", "mean", ["'baseline'", "None"]),
    ("weight_averaging", 1.0, ["[0.0, 1.0)"]),
    ("weight_averaging", -0.1, ["[0.0, 1.0)"]),
    ("weight_decay", -1, ["[0.0, inf)"]),
    ("rho", 1.0, ["[0.0, 1.0)"]),
    ("validation_scoring", 3, ["str", "callable", "None"]),
    ("restore_best", "x", ["bool"]),
    ("max_time", 0, ["(0.0, inf)", "None"]),
    ("beta_1", 1.0, ["[0.0, 1.0)"]),
    ("beta_2", 1.0, ["[0.0, 1.0)"]),
    ("epsilon", 0, ["(0.0, inf)"]),
    ("n_iter_no_change", 0, ["[1, inf)", "inf"]),
    ("n_iter_no_change", 2.5, ["[1, inf)", "inf"]),
    ("max_fun", 0, ["[1, inf)"]),
]
OF_NUMBERS = [
    ("output_activation", "relu", ["'exp'", "'softplus'", "'identity'", "None"]),
    ("huber_delta", 0, ["(0.0, inf)"]),
    ("quantile", 0, ["(0.0, 1.0)", "array-like"]),
    ("quantile", 1.0, ["(0.0, 1.0)", "array-like"]),
    ("quantile", "a", ["(0.0, 1.0)", "array-like"]),
]
OF_CLASSES = [
    ("loss", "logloss", ["'log_loss'", "'focal'", "'squared_error'"]),
    ("class_weight", "balance", ["'balanced'", "dict", "list", "None"]),
    ("class_weight", 3, ["'balanced'", "dict", "list", "None"]),
    ("label_smoothing", 1.0, ["[0.0, 1.0)"]),
    ("output_activation", "tanh", ["softmax", "logistic", "tanh"]),
    ("focal_gamma", -1, ["[0.0, inf)"]),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value", "allowed"), PARAMETERS + OF_NUMBERS)
def test_parameter_that_cannot_be_used_is_refused(name, value, allowed, method):
    model = regressor(**{name: value})
    refused(model, call(method, X, NUMBERS), [name, repr(value), *allowed])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value", "allowed"), OF_CLASSES)
def test_parameter_of_classes_that_cannot_be_used_is_refused(name, value, allowed, method):
    model = classifier(**{name: value})
    declared = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    refused(model, call(method, X, CLASSES, **declared), [name, repr(value), *allowed])


@pytest.mark.parametrize(("make", "own"), [(regressor, OF_NUMBERS), (classifier, OF_CLASSES)])
def test_table_of_parameters_is_complete(make, own):
    unchecked = set(make().get_params()) - {name for name, _, _ in PARAMETERS + own}
    assert not unchecked, f"no bad value is tried for {sorted(unchecked)}"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (SGD(momentum=2), ["'momentum'", "SGD", "[0.0, 1.0]", "Got 2"]),
        (SGD(learning_rate="cosin"), ["'learning_rate'", "SGD", "'adaptive'", "'cosin'"]),
        (SGD(learning_rate_init=0), ["'learning_rate_init'", "SGD", "(0.0, inf)", "Got 0"]),
        (SGD(power_t=-1), ["'power_t'", "SGD", "[0.0, inf)", "Got -1"]),
        (SGD(nesterovs_momentum="no"), ["'nesterovs_momentum'", "SGD", "bool", "'no'"]),
        (Adam(learning_rate_init="x"), ["'learning_rate_init'", "Adam", "(0.0, inf)", "'x'"]),
        (Adam(beta_1=1.0), ["'beta_1'", "Adam", "[0.0, 1.0)", "Got 1.0"]),
        (Adam(beta_2=-0.1), ["'beta_2'", "Adam", "[0.0, 1.0)", "Got -0.1"]),
        (Adam(epsilon=0), ["'epsilon'", "Adam", "(0.0, inf)", "Got 0"]),
        (AdamW(weight_decay=-1), ["'weight_decay'", "AdamW", "[0.0, inf)", "Got -1"]),
        (RMSprop(rho=2), ["'rho'", "RMSprop", "[0.0, 1.0)", "Got 2"]),
        (Adadelta(rho=1), ["'rho'", "Adadelta", "[0.0, 1.0)", "Got 1"]),
        (Lion(beta_1=2), ["'beta_1'", "Lion", "[0.0, 1.0)", "Got 2"]),
        (LBFGS(max_fun=0), ["'max_fun'", "LBFGS", "[1, inf)", "Got 0"]),
        (SGD(learning_rate=Cosine), ["class Cosine", "Cosine()"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else repr(value),
)
@pytest.mark.parametrize("model", [classifier(), regressor()], ids=["classifier", "regressor"])
def test_spec_field_that_cannot_be_used_is_refused(model, spec, words):
    model = clone(model).set_params(solver=spec)
    refused(model, call("fit", X, BINARY), words)


SCHEDULE_FIELDS = [
    (InvScaling(-1), ["'power_t'", "InvScaling", "[0.0, inf)"]),
    (InverseTime(-1), ["'decay'", "InverseTime", "[0.0, inf)"]),
    (StepDecay(0), ["'every'", "StepDecay", "(0.0, inf)"]),
    (StepDecay(factor=0), ["'factor'", "StepDecay", "(0.0, inf)"]),
    (Exponential(0), ["'decay'", "Exponential", "(0.0, 1.0]"]),
    (Exponential(3), ["'decay'", "Exponential", "(0.0, 1.0]"]),
    (Linear(-0.1), ["'end'", "Linear", "[0.0, inf)"]),
    (Cosine(-1), ["'restarts'", "Cosine", "[0, inf)"]),
    (Cosine(0.5), ["'restarts'", "Cosine", "int"]),
    (Cosine(end=-1), ["'end'", "Cosine", "[0.0, inf)"]),
    (OneCycle(1.0), ["'pct_start'", "OneCycle", "[0.0, 1.0)"]),
    (OneCycle(div_factor=0.5), ["'div_factor'", "OneCycle", "[1.0, inf)"]),
    (OneCycle(final_div_factor=0), ["'final_div_factor'", "OneCycle", "(0.0, inf)"]),
    (WarmUp(-1), ["'epochs'", "WarmUp", "[0.0, inf)"]),
    (WarmUp(1, "cosin"), ["'then'", "WarmUp", "'cosine'", "'cosin'"]),
    (WarmUp(1, Cosine), ["class Cosine", "Cosine()"]),
    (WarmUp(1, WarmUp(1, Cosine(-1))), ["'restarts'", "Cosine", "[0, inf)"]),
]


@pytest.mark.parametrize(("schedule", "words"), SCHEDULE_FIELDS, ids=repr)
@pytest.mark.parametrize("model", [classifier(), regressor()], ids=["classifier", "regressor"])
def test_schedule_field_that_cannot_be_used_is_refused(model, schedule, words):
    model = clone(model).set_params(learning_rate=schedule)
    refused(model, call("fit", X, BINARY), words)


def test_table_of_schedule_fields_is_complete():
    tried = {(type(schedule), words[0].strip("'")) for schedule, words in SCHEDULE_FIELDS}
    fields = {
        (schedule, name) for schedule in SCHEDULES.values() for name in schedule.field_names()
    }
    assert fields <= tried


class Shapeless:
    def value(self, z):
        return z[:1]

    def derivative(self, z):
        return 1.0


class Flat:
    def value(self, z):
        return z

    def derivative(self, z):
        return 1.0


class Always:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate


class SteepLine(Linear):
    pass


USERS_OWN = [
    ("activation", Shapeless(), ["Shapeless.value", "(1, ", "one number for each element"]),
    ("activation", Flat(), ["Flat.derivative", "()", "one number for each element"]),
    ("learning_rate", Always(-0.001), ["learning_rate(0)", "-0.001", "0 or more"]),
    ("learning_rate", Always(None), ["learning_rate(0)", "None", "finite"]),
    ("learning_rate", Always(np.nan), ["learning_rate(0)", "nan", "finite"]),
    ("learning_rate", SteepLine(end=-1), ["'end'", "SteepLine", "[0.0, inf)"]),
    ("validation_scoring", "neg_distanc", ["validation_scoring", "neg_distance"]),
]


@pytest.mark.parametrize(("name", "value", "words"), USERS_OWN)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_what_users_bring_is_checked(make, name, value, words):
    refused(make(**{name: value}), call("fit", X, BINARY), words)


@pytest.mark.parametrize("sizes", [50, (50,), [50, 20]])
def test_layers_in_the_place_of_the_loss_are_told_their_name(sizes):
    words = ["'loss'", "DeepRegressor", f"hidden_layer_sizes={sizes!r}"]
    refused(DeepRegressor(sizes), call("fit", X, NUMBERS), words)


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_loss_that_rose_is_told(make):
    # Each step multiplies the weights by 1 - rate * alpha / n = -2.3, beside the gradient.
    model = make(solver="sgd", learning_rate_init=100, momentum=0, alpha=1, activation="tanh")
    with pytest.warns(ConvergenceWarning, match="rose from .* smaller learning_rate_init"):
        model.set_params(max_iter=5).fit(X, BINARY)
    assert model.loss_ > 10 * model.loss_curve_[0]


@pytest.mark.parametrize("name", ["n_processes", "memory"])
@pytest.mark.parametrize("value", [-1, 0, "2", 1.5])
def test_counts_of_lockstep_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} must be an int of 1 or more; got {value!r}"):
        lockstep(**{name: value})


@pytest.mark.parametrize("y", [np.zeros((N, 1)), np.zeros(N), np.zeros((N, 3))], ids=np.shape)
def test_score_of_several_columns_is_of_as_many(y):
    model = classifier().fit(X, np.column_stack([CLASSES, BINARY + 3]))
    with pytest.raises(ValueError, match=r"shape of the predictions, \(30, 2\)"):
        model.score(X, y)


@pytest.mark.parametrize("weight", [np.zeros(N), np.full(N, -1.0), np.ones(3)])
def test_weights_of_score_over_several_columns_are_checked(weight):
    y = np.column_stack([CLASSES, BINARY + 3])
    with pytest.raises(ValueError, match=r"[Ww]eight|sample_weight"):
        classifier().fit(X, y).score(X, y, weight)


@pytest.mark.parametrize("set_field", ["solver__speed", "solver__solver"])
def test_unknown_spec_field_is_named(set_field):
    with pytest.raises(ValueError, match=r"'(speed|solver)' for SGD.*momentum"):
        classifier(solver=SGD()).set_params(**{set_field: 1})


@pytest.mark.parametrize(
    "set_field", ["solver__learning_rate__speed", "solver__momentum__decay"]
)
def test_unknown_field_of_a_spec_in_a_spec_is_named(set_field):
    model = classifier(solver=SGD(learning_rate=StepDecay()))
    with pytest.raises(ValueError, match=r"'(speed|momentum__decay)' for .*every"):
        model.set_params(**{set_field: 1})
    assert model.solver == SGD(learning_rate=StepDecay())


def test_a_spec_that_refuses_a_field_has_set_none():
    solver = SGD(learning_rate=WarmUp(then=Cosine()))
    for bad in (
        {"learning_rate__then__speed": 1},
        {"learning_rate__": 1},
        {"learning_rate__then": Linear(), "learning_rate__then__restarts": 2},
        {"speed": 1},
    ):
        with pytest.raises(ValueError, match="Invalid parameter"):
            solver.set_params(momentum=0.1, **bad)
        assert solver == SGD(learning_rate=WarmUp(then=Cosine()))


@pytest.mark.parametrize("solver", ["lbfgs", LBFGS(max_fun=7)], ids=repr)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_does_not_exist_where_the_solver_needs_all_rows(make, solver):
    model = make(solver=solver)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        model.partial_fit(X, BINARY)
    reason = str(caught.value.__cause__)
    assert all(word in reason for word in ("'adam'", "'sgd'", f"solver={solver!r}")), reason


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_appears_with_the_solver(make):
    model = make(solver="lbfgs")
    assert hasattr(model.set_params(solver="sgd"), "partial_fit")
    assert not hasattr(model.set_params(solver=LBFGS()), "partial_fit")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_prediction_before_fit_is_refused(method):
    with pytest.raises(NotFittedError, match=r"DeepClassifier.*not fitted"):
        getattr(classifier(), method)(X)


# Divergence

TOO_FAR = {
    "sgd": regressor(solver="sgd", learning_rate_init=1e10, activation="identity", max_iter=50),
    "sgd-float32": regressor(solver="sgd", learning_rate_init=1e10, dtype="float32"),
    "sgd-spec": regressor(solver=SGD(learning_rate_init=1e10), dtype="float32"),
    "sgd-batches": regressor(solver="sgd", learning_rate_init=1e10, batch_size=4, max_iter=50),
    "sgd-early-stopping": regressor(
        solver="sgd", learning_rate_init=1e10, dtype="float32", early_stopping=True
    ),
    "adam": regressor(learning_rate_init=1e200),
    "adam-float32": regressor(learning_rate_init=1e10, dtype="float32"),
    "adam-early-stopping": regressor(
        learning_rate_init=1e10, dtype="float32", early_stopping=True
    ),
    "poisson": regressor(
        loss="poisson", solver="sgd", learning_rate_init=10, activation="identity"
    ),
    "classifier-sgd": classifier(solver="sgd", learning_rate_init=1e200),
    "classifier-adam": classifier(learning_rate_init=1e20, dtype="float32"),
}


def target_of(model):
    return CLASSES if isinstance(model, DeepClassifier) else np.abs(NUMBERS)


def diverged(model, X, y, method="fit"):
    """Check that the call diverges without a trace; give the epoch that it names."""
    before = state(model)
    with pytest.raises(ValueError, match=r"diverged in (epoch|iteration) \d+") as caught:
        getattr(model, method)(X, y)
    assert state(model) == before, "the estimator has changed"
    return int(re.search(r"(?:epoch|iteration) (\d+)", str(caught.value)).group(1))


@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_leaves_an_unfitted_estimator_unfitted(name):
    model = clone(TOO_FAR[name])
    diverged(model, X, target_of(model))
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_names_its_epoch(name):
    model = clone(TOO_FAR[name])
    epoch = diverged(model, X, target_of(model))
    diverged(model.set_params(max_iter=epoch), X, target_of(model))
    if epoch > 1:
        # Its loss is finite, though it may be beyond all measure.
        model.set_params(max_iter=epoch - 1)
        try:
            told = str(model.fit(X, target_of(model)).loss_curve_)
        except ValueError as error:
            told = str(error)
        assert not re.search("nan|inf|no longer finite", told)


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", TOO_FAR)
def test_divergence_of_a_second_fit_keeps_the_first(name, warm_start):
    bad = clone(TOO_FAR[name]).set_params(warm_start=warm_start)
    good = {
        "solver": "adam",
        "learning_rate_init": 0.001,
        "max_iter": 3,
        "early_stopping": False,
    }
    model = clone(bad).set_params(**good).fit(X, target_of(bad))
    twin = pickle.loads(pickle.dumps(model))
    model.set_params(**{name: getattr(bad, name) for name in good})
    diverged(model, X, target_of(bad))
    assert np.array_equal(model.predict(X), twin.predict(X))
    for each in (model, twin):
        each.set_params(**good).partial_fit(X, target_of(bad))
    for ours, theirs in zip(model.coefs_, twin.coefs_, strict=True):
        assert np.array_equal(ours, theirs)
    assert model.loss_curve_ == twin.loss_curve_


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_divergence_of_partial_fit_keeps_the_solver_state(solver, dtype):
    model = regressor(solver=solver, dtype=dtype, momentum=0.5)
    model.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    twin = pickle.loads(pickle.dumps(model))
    size = np.sqrt(float(np.finfo(dtype).max))
    assert diverged(model, X * size, NUMBERS, "partial_fit") == 1
    for each in (model, twin):
        each.partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    for ours, theirs in zip(model.coefs_, twin.coefs_, strict=True):
        assert np.array_equal(ours, theirs)
    assert model.t_ == twin.t_
    assert model.loss_curve_ == twin.loss_curve_


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_divergence_on_overflowing_X(make, solver):
    model = make(solver=solver)
    y = target_of(model)
    diverged(model, X * 1e200, y)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    model.set_params(warm_start=True).fit(X, y)
    before = model.predict(X)
    diverged(model, X * 1e200, y)
    assert np.array_equal(model.predict(X), before)


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_table_whose_sum_overflows_raises_no_warning(make, method):
    model = make(solver="sgd", warm_start=True, batch_size=5)
    y = target_of(model)
    model.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        diverged(model, np.abs(X) / np.abs(X).max() * 1e308, y, method)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e12), ("float64", 1e100)])
def test_overflow_of_the_moments_is_divergence(dtype, size):
    """Squares of the gradient overflow where loss and weights do not: Adam stands still."""
    diverged(regressor(solver="adam", dtype=dtype), X * size, NUMBERS * size)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_words_on_divergence_name_no_parameter_that_lbfgs_does_not_read(make):
    model = make(solver="lbfgs")
    with pytest.raises(ValueError, match="diverged") as caught:
        model.fit(X * 1e200, target_of(model))
    assert "diverged in iteration" in str(caught.value)
    assert "learning_rate" not in str(caught.value)
    assert "scale X" in str(caught.value)
