"""Rows of reports agree with counting and, where it has the column, with scikit-learn."""

import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    balanced_accuracy_score,
    classification_report,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from skdeep.metrics import (
    class_report,
    distance,
    one_vs_rest_accuracy,
    one_vs_rest_balanced_accuracy,
    regression_report,
    within_threshold,
)

RNG = np.random.RandomState(0)
COUNTS = ("tp", "tn", "fp", "fn")
RATES = (
    *("recall", "specificity", "precision", "fallout", "false_discovery_rate"),
    *("negative_predictive_value", "accuracy", "f1", "balanced_accuracy", "informedness"),
    "markedness",
)
AVERAGES = ("micro avg", "macro avg", "weighted avg")
SHARED = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
ERRORS = (
    *("within_threshold", "mean_absolute_error", "root_mean_squared_error"),
    *("r2", "distance"),
)
ZERO_DIVISION = pytest.mark.parametrize("zero_division", ["warn", 0.0, 1.0, np.nan, 1])


def close(value):
    return pytest.approx(value, nan_ok=True)


def row_by_counting(true, pred, weight, otherwise):
    """All columns of a class, from booleans sample by sample."""
    n = dict.fromkeys(COUNTS, 0)
    for is_, said, w in zip(true, pred, weight, strict=True):
        n[("t" if is_ == said else "f") + ("p" if said else "n")] += w
    tp, tn, fp, fn = n.values()

    def share(part, whole):
        return part / whole if whole else otherwise

    recall, specificity = share(tp, tp + fn), share(tn, tn + fp)
    precision, npv = share(tp, tp + fp), share(tn, tn + fn)
    return n | {
        "recall": recall,
        "specificity": specificity,
        "precision": precision,
        "fallout": share(fp, fp + tn),
        "false_discovery_rate": share(fp, fp + tp),
        "negative_predictive_value": npv,
        "accuracy": share(tp + tn, tp + tn + fp + fn),
        "f1": share(2 * tp, 2 * tp + fp + fn),
        "balanced_accuracy": (recall + specificity) / 2,
        "informedness": recall + specificity - 1,
        "markedness": precision + npv - 1,
    }


@st.composite
def labelled(draw):
    """True and predicted labels or indicators, and weights."""
    n = draw(st.integers(1, 10))
    weights = st.lists(st.integers(0, 3), min_size=n, max_size=n).filter(any)
    if draw(st.booleans()):
        names = draw(st.sampled_from([[0, 1, 2], ["a", "b"], ["spam", "egg", "", "ham"]]))
        rows = st.lists(st.sampled_from(names), min_size=n, max_size=n)
        return np.array(draw(rows)), np.array(draw(rows)), np.array(draw(weights))
    bits = st.lists(st.integers(0, 1), min_size=3 * n, max_size=3 * n)
    true, pred = (np.array(draw(bits)).reshape(n, 3) for _ in range(2))
    return true, pred, np.array(draw(weights))


def classes_of(true, pred):
    """For each row name, masks of the samples that have the class and are predicted so."""
    if true.ndim == 2:
        return {str(j): (true[:, j] == 1, pred[:, j] == 1) for j in range(true.shape[1])}
    return {str(own): (true == own, pred == own) for own in np.union1d(true, pred)}


def average(values, weights):
    defined = ~np.isnan(values)
    if not defined.any():
        return np.nan
    weights = weights[defined]
    return np.average(values[defined], weights=weights if weights.any() else None)


@given(labelled(), st.sampled_from([0.0, 1.0, np.nan]), st.booleans())
@settings(deadline=None, max_examples=120, derandomize=True)
def test_rows_are_what_counting_says(drawn, zero_division, weighted):
    true, pred, weight = drawn
    given_weight = weight if weighted else None
    weight = weight if weighted else np.ones(len(true), int)
    report = class_report(
        true, pred, sample_weight=given_weight, zero_division=zero_division
    ).to_dict()
    expected = {
        name: row_by_counting(*pair, weight, zero_division)
        for name, pair in classes_of(true, pred).items()
    }
    assert list(report) == [*expected, *AVERAGES]
    for name, row in expected.items():
        assert list(report[name]) == [*COUNTS, *RATES]
        assert report[name] == close(row)
    # Averages are means of the columns above, or the formulas for the summed counts.
    columns = {key: np.array([row[key] for row in expected.values()]) for key in row}
    support = columns["tp"] + columns["fn"]
    ones = np.ones(len(support))
    together = [
        np.concatenate(parts) for parts in zip(*classes_of(true, pred).values(), strict=True)
    ]
    pooled = row_by_counting(*together, np.tile(weight, len(expected)), zero_division)
    assert report["micro avg"] == close(pooled)
    for key in RATES:
        assert report["macro avg"][key] == close(average(columns[key], ones))
        assert report["weighted avg"][key] == close(average(columns[key], support))
    for key in COUNTS:
        assert {report[name][key] for name in AVERAGES} == {columns[key].sum()}
    # A weight is a number of repetitions; classes without weight have no row there.
    repeated = [np.repeat(y, weight, axis=0) for y in (true, pred)]
    again = class_report(*repeated, zero_division=zero_division).to_dict()
    for name in set(again) - set(AVERAGES):
        assert report[name] == close(again[name])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@given(labelled(), st.sampled_from(["warn", 0.0, 1.0, np.nan]))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_columns_that_scikit_learn_has(drawn, zero_division):
    true, pred, weight = drawn
    kwargs = {"sample_weight": weight, "zero_division": zero_division}
    report = class_report(true, pred, **kwargs).to_dict()
    theirs = classification_report(
        true,
        pred,
        output_dict=True,
        labels=None if true.ndim == 2 else np.union1d(true, pred),
        **kwargs,
    )
    for name in set(theirs) & set(report):
        for own, other in SHARED.items():
            assert report[name][own] == close(theirs[name][other])
        if name not in AVERAGES:
            assert report[name]["tp"] + report[name]["fn"] == close(theirs[name]["support"])
    micro = precision_recall_fscore_support(true, pred, average="micro", **kwargs)[:3]
    assert [report["micro avg"][key] for key in SHARED] == [close(value) for value in micro]


ABSENT = {
    "never predicted": ([0, 1, 2, 2], [0, 1, 1, 1]),
    "never true": ([0, 1, 1, 1], [0, 1, 2, 2]),
    "one class": ([1, 1], [1, 1]),
    "no labels": (np.zeros((2, 2), int), np.zeros((2, 2), int)),
}


@ZERO_DIVISION
@pytest.mark.parametrize("case", ABSENT)
def test_zero_division_is_scikit_learns(case, zero_division):
    true, pred = ABSENT[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = class_report(true, pred, zero_division=zero_division).to_dict()
    told = [w for w in caught if w.category is UndefinedMetricWarning]
    assert len(told) == len(caught) == (zero_division == "warn")
    if told:
        assert told[0].filename == __file__
        assert "zero_division" in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = classification_report(
            true, pred, output_dict=True, zero_division=zero_division
        )
    for name in set(theirs) & set(report):
        for own, other in SHARED.items():
            assert report[name][own] == close(theirs[name][other])


def test_zero_division_of_each_fraction():
    # All samples are of one class, so that there are no negatives, true or predicted.
    row = class_report([1, 1], [1, 1], zero_division=np.nan).to_dict()["1"]
    undefined = {name for name in RATES if np.isnan(row[name])}
    assert undefined == {
        *("specificity", "fallout", "negative_predictive_value"),
        *("balanced_accuracy", "informedness", "markedness"),
    }
    row = class_report([1, 1], [1, 1], labels=[0], zero_division=np.nan).to_dict()["0"]
    undefined = {name for name in RATES if np.isnan(row[name])}
    assert undefined == {
        *("recall", "precision", "false_discovery_rate", "f1"),
        *("balanced_accuracy", "informedness", "markedness"),
    }


def test_the_warning_names_what_is_not_defined():
    words = r"set to 0.0: precision of b; false_discovery_rate of b\. Use the zero_division"
    with pytest.warns(UndefinedMetricWarning, match=words):
        class_report(["a", "b", "c"], ["a", "c", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        class_report(["a", "b", "c"], ["a", "c", "b"])


@pytest.mark.parametrize("wrong", ["zero", "0", "1.0", "nan", [1], 0.5, None, -1, 2.0])
def test_zero_division_is_checked(wrong):
    with pytest.raises(ValueError, match=r"zero_division must be 'warn', 0.0, 1.0 or np.nan"):
        class_report([0, 1], [0, 1], zero_division=wrong)


def test_relatives_among_scores():
    true, pred = RNG.randint(4, size=(2, 60))
    row = class_report(true, pred).to_dict()["macro avg"]
    assert row["accuracy"] == close(one_vs_rest_accuracy(true, pred))
    assert row["balanced_accuracy"] == close(one_vs_rest_balanced_accuracy(true, pred))
    assert row["recall"] == close(balanced_accuracy_score(true, pred))


def test_labels_choose_and_order_rows():
    true, pred = ["a", "b", "c", "c"], ["a", "b", "b", "c"]
    every = class_report(true, pred).to_dict()
    some = class_report(true, pred, labels=["c", "a"]).to_dict()
    assert list(some) == ["c", "a", *AVERAGES]
    assert some["c"] == every["c"]
    assert some["micro avg"]["tp"] == 2
    columns = class_report(np.eye(3, dtype=int), np.eye(3, dtype=int), labels=[2, 0])
    assert list(columns.to_dict()) == ["2", "0", *AVERAGES]


def test_labels_in_any_container():
    true, pred = RNG.randint(3, size=(2, 20))
    expected = class_report(true, pred).to_dict()
    for as_ in (list, pd.Series, lambda y: y[:, None]):
        assert class_report(as_(true), as_(pred)).to_dict() == expected
    bits = RNG.randint(2, size=(20, 3))
    other = RNG.randint(2, size=(20, 3))
    expected = class_report(bits, other).to_dict()
    assert class_report(sparse.csr_array(bits), sparse.csr_array(other)).to_dict() == expected


@pytest.mark.parametrize(
    ("true", "pred", "words"),
    [
        ([0, 1], [0, 1, 1], "inconsistent numbers"),
        ([0.5, 1.5], [0.5, 1.5], "continuous"),
        ([0, 1], [[0, 1], [1, 0]], "mix"),
    ],
)
def test_refuses(true, pred, words):
    with pytest.raises(ValueError, match=words):
        class_report(true, pred)
    with pytest.raises(ValueError, match="zero"):
        class_report([0, 1], [0, 1], sample_weight=[0, 0])


@pytest.mark.parametrize("name", AVERAGES)
def test_names_of_rows_are_unique(name):
    with pytest.raises(ValueError, match=f"distinct names.* several '{name}'"):
        class_report([name, "b"], [name, "b"])
    assert set(
        class_report([name, "b"], [name, "b"], labels=["b"], zero_division=0.0).to_dict()
    ) == {"b", *AVERAGES}


@pytest.mark.parametrize("labels", [[], {1, 2}, [1, 1, 2], "12", 1], ids=str)
def test_labels_are_checked(labels):
    with pytest.raises(ValueError, match="labels must be a list or array of one or more"):
        class_report([1, 2], [1, 2], labels=labels)


# Numbers


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_one_sample_has_no_r2(n_outputs):
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        report = regression_report([[1.0] * n_outputs], [[2.0] * n_outputs]).to_dict()
    assert list(report) == [*map(str, range(n_outputs)), "average"]
    row = dict(zip(ERRORS, (0.0, 1.0, 1.0, np.nan, 0.5), strict=True))
    assert all(found == close(row) for found in report.values())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_regression_rows(n_outputs, weighted):
    true = RNG.normal(size=(30, n_outputs))
    pred = true + RNG.normal(size=true.shape)
    kwargs = {"sample_weight": RNG.randint(3, size=30) if weighted else None}
    report = regression_report(true, pred, threshold=0.7, **kwargs).to_dict()
    assert list(report) == [*map(str, range(n_outputs)), "average"]
    measures = (
        lambda *y, **kw: within_threshold(*y, threshold=0.7, **kw),
        *(mean_absolute_error, root_mean_squared_error, r2_score, distance),
    )
    for j in range(n_outputs):
        pair = true[:, j], pred[:, j]
        values = [measure(*pair, **kwargs) for measure in measures]
        assert report[str(j)] == close(dict(zip(ERRORS, values, strict=True)))
    for name in ERRORS:
        column = [report[str(j)][name] for j in range(n_outputs)]
        assert report["average"][name] == close(np.mean(column))
    for name, measure in zip(ERRORS[1:4], measures[1:4], strict=True):
        assert report["average"][name] == close(measure(true, pred, **kwargs))
    total = sum(report[str(j)]["distance"] for j in range(n_outputs))
    assert distance(true, pred, **kwargs) == close(total)
    if n_outputs == 1:
        flat = regression_report(true[:, 0].tolist(), pred[:, 0], threshold=0.7, **kwargs)
        assert flat.to_dict() == report


def test_regression_threshold():
    report = regression_report([0, 0], [0.5, 0.25]).to_dict()
    assert report["0"]["within_threshold"] == 0.5
    for wrong in (0, "a", None, [0.5]):
        with pytest.raises(ValueError, match="threshold must be a number above 0"):
            regression_report([0, 0], [0, 0], threshold=wrong)
    with pytest.raises(ValueError, match="1 columns and y_pred 2"):
        regression_report([0, 0], [[0, 0], [0, 0]])


# As text, dict, frame and HTML

LONG = "a label of many words"
SHOWN = {
    "classes": class_report([LONG, "b", "c", "c"], [LONG, "b", "b", "c"]),
    "weighted": class_report(
        [10, 2, 2], [10, 2, 10], sample_weight=[1000.5, 1, 0.25], zero_division=np.nan
    ),
    "one class": class_report([0, 0], [0, 0], zero_division=np.nan),
    "labels": class_report(np.eye(3, dtype=int), np.ones((3, 3), int), zero_division=1.0),
    "regression": regression_report(RNG.normal(size=(9, 2)) * [1e6, 1], np.zeros((9, 2))),
    "one target": regression_report([1.0, 2.0], [1.0, 2.5]),
}
EACH_REPORT = pytest.mark.parametrize("report", SHOWN.values(), ids=SHOWN)


def read(table, names):
    """Headings and cells of a printed table, by their positions."""
    lines = table.splitlines()
    rule = next(i for i, line in enumerate(lines) if set(line) == {"-"})
    body = lines[rule + 1 :]
    width = len(lines[rule])
    # All rows have the width of the rule, and no line is wider.
    assert {len(line) for line in body} == {width}
    assert all(len(line) <= width for line in lines)
    start = max(map(len, names))
    assert [line[:start].rstrip() for line in body] == names
    # Columns are right-aligned: each cell ends where its headings end.
    ends = [[match.end() for match in re.finditer(r"\S+", line[start:])] for line in body]
    assert all(row == ends[0] for row in ends)
    words = [[] for _ in ends[0]]
    for line in lines[:rule]:
        for match in re.finditer(r"\S+", line[start:]):
            words[ends[0].index(match.end())].append(match[0])
    return ["_".join(own) for own in words], [line[start:].split() for line in body]


@EACH_REPORT
def test_text_is_aligned_and_complete(report):
    rows = report.to_dict()
    text = str(report)
    assert text == repr(report)
    assert not re.search(r"[ \t]$", text, re.MULTILINE)
    shown = {name: {} for name in rows}
    for table in text.split("\n\n"):
        headings, body = read(table, list(rows))
        for name, cells in zip(rows, body, strict=True):
            shown[name] |= dict(zip(headings, cells, strict=True))
    for name, row in rows.items():
        assert set(shown[name]) == set(row)
        for column, value in row.items():
            cell = shown[name][column]
            assert float(cell) == pytest.approx(value, abs=5e-4, rel=1e-3, nan_ok=True)
            assert ("." in cell) == (isinstance(value, float) and not np.isnan(value))


@pytest.mark.parametrize(
    ("label", "width"),
    [("日本語", 6), ("ｱ", 1), ("\uff21", 2), ("e\u0301", 1), ("é", 1), ("한a", 3)],
)
def test_wide_labels_do_not_shift_rows(label, width):
    plain = "x" * width
    shown = str(class_report([label, "y"], [label, "y"], labels=[label, "y"]))
    expected = str(class_report([plain, "y"], [plain, "y"]))
    assert shown.replace(label, plain) == expected
    longer = label * 9
    shown = str(class_report([longer, "y"], [longer, "y"], labels=[longer, "y"]))
    plain *= 9
    assert shown.replace(longer, plain) == str(class_report([plain, "y"], [plain, "y"]))


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        *(("a\nb", r"a\nb"), ("\t", r"\t"), ("\x1b[2J", r"\x1b[2J")),
        *(("\u202e", r"\u202e"), ("\u2028", r"\u2028")),
    ],
)
def test_control_characters_are_escaped(label, shown):
    report = class_report([label, "y"], [label, "y"], labels=[label, "y"])
    assert label in report.to_dict()
    assert str(report) == str(class_report([shown, "y"], [shown, "y"], labels=[shown, "y"]))
    with pytest.warns(UndefinedMetricWarning) as told:
        class_report([label, "y"], ["y", "y"])
    assert shown in str(told[0].message)


def test_text_fits_a_terminal():
    assert max(map(len, str(SHOWN["labels"]).splitlines())) <= 88


@EACH_REPORT
def test_dict_and_frame_agree(report):
    rows, frame = report.to_dict(), report.to_frame()
    assert list(frame.index) == list(rows)
    for name, row in rows.items():
        assert list(frame.columns) == list(row)
        assert frame.loc[name].to_dict() == close(row)
        assert all(type(value) in (int, float) for value in row.values())
    counted = [column for column in frame if column in COUNTS]
    whole = all(isinstance(row[column], int) for row in rows.values() for column in counted)
    assert all(frame[column].dtype.kind == ("i" if whole else "f") for column in counted)
    html = report._repr_html_()
    assert html.count("<tr") == len(rows) + 1
    assert all(name in html for name in [*rows, *row])
    # The results are copies.
    column = next(iter(row))
    rows[name][column] = -99
    del rows[next(iter(rows))]
    assert report.to_dict().keys() == set(frame.index)
    assert report.to_dict()[name][column] != -99


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    report = SHOWN["classes"]
    with pytest.raises(ImportError, match=r"to_frame\(\) needs pandas.*to_dict\(\)"):
        report.to_frame()
    assert report._repr_html_() is None
    assert "recall" in str(report)
