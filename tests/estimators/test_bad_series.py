"""Laws: calls that do not follow from those before are refused, and change nothing."""

import numpy as np
import pytest
from sklearn.base import clone

from tests.estimators.refusals import (
    BINARY,
    CLASSES,
    COLUMNS,
    LABELS,
    NAMES,
    NUMBERS,
    N,
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

part_c = call("partial_fit", X, CLASSES, classes=[0, 1, 2])


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
    for name, value in [("bias", False), ("norm", "batch"), ("norm", "layer")]
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


@pytest.mark.parametrize(
    ("model", "before", "bad", "words"),
    SERIES + WARM,
)
def test_data_that_cannot_be_used_is_refused(model, before, bad, words):
    model = clone(model)
    for good in before:
        good.on(model)
    refused(model, bad, words)
