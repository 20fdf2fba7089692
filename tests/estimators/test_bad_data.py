"""Laws: what cannot be used is refused with words that help, and a refusal changes nothing.

Each message names what was wrong, what was given and what is allowed. Training that
diverges is refused in the same way, and names the epoch.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from tests.estimators.refusals import (
    CLASSES,
    LABELS,
    NAMES,
    NUMBERS,
    ONES,
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
    DATA + PREDICTION + SPLIT,
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
