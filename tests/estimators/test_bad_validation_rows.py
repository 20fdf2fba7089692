"""Laws: validation rows and options that do not go together are refused."""

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import LBFGS, Normal
from tests.estimators.refusals import (
    CLASSES,
    COLUMNS,
    LABELS,
    NUMBERS,
    ONES,
    X,
    call,
    case,
    classifier,
    fit_c,
    fit_r,
    refused,
    regressor,
    with_entry,
)

POSITIVE = np.abs(NUMBERS) + 1


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
            ("norm", "batch"),
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


@pytest.mark.parametrize(
    ("model", "before", "bad", "words"),
    VALIDATION + TOGETHER + WORDS,
)
def test_data_that_cannot_be_used_is_refused(model, before, bad, words):
    model = clone(model)
    for good in before:
        good.on(model)
    refused(model, bad, words)
