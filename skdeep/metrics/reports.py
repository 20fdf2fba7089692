"""What right and wrong predictions add up to, as a table: per class, or per output.

Everything of a class follows from four counts, those of "this class" against "any other".
"""

import unicodedata
import warnings
from collections import Counter
from importlib import import_module
from numbers import Real
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from skdeep._arrays import Array
from skdeep.metrics.counts import check_threshold, numbers_in_columns, one_vs_rest_counts

Rows = dict[str, dict[str, float]]

AVERAGES = ("micro avg", "macro avg", "weighted avg")

# Columns of the text, table under table, so that each fits a terminal.
CLASS_TABLES = (
    (
        *("tp", "tn", "fp", "fn", "accuracy"),
        *("f1", "balanced_accuracy", "informedness", "markedness"),
    ),
    (
        *("recall", "specificity", "precision", "fallout"),
        *("false_discovery_rate", "negative_predictive_value"),
    ),
)
ERROR_TABLES = (
    (
        *("within_threshold", "mean_absolute_error", "root_mean_squared_error"),
        *("r2", "distance"),
    ),
)


class Report:
    """Measures in rows and columns, from :func:`class_report` or :func:`regression_report`.

    It prints as aligned text and shows as a table in a notebook, where pandas is installed.

    Parameters
    ----------
    rows : dict of str -> dict of str -> number
        Name of the row -> name of the column -> value; each row has the same columns.
    tables : tuple of tuple of str
        Which columns the text shows side by side, table under table.
    number_format : str
        Format of the text's fractions, such as '.3f'.
    """

    def __init__(self, rows: Rows, tables: tuple[tuple[str, ...], ...], number_format: str):
        self._rows = rows
        self._tables = tables
        self._number_format = number_format

    def to_dict(self) -> Rows:
        """The table as a dict.

        Returns
        -------
        rows : dict of str -> dict of str -> int or float
            Name of the row -> name of the column -> value, not rounded. Counts are int
            unless there were sample weights.
        """
        return {name: row.copy() for name, row in self._rows.items()}

    def to_frame(self) -> Any:
        """The table as a data frame.

        Returns
        -------
        frame : pandas.DataFrame
            Names of rows as index, not rounded.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            raise ImportError(
                "to_frame() needs pandas, which cannot be imported: install it "
                "(pip install pandas), or use to_dict()."
            ) from error
        return pandas.DataFrame.from_dict(self._rows, orient="index")

    def __repr__(self) -> str:
        return "\n\n".join(self._text(columns) for columns in self._tables)

    def _repr_html_(self) -> str | None:
        # None lets a notebook show the text.
        try:
            return self.to_frame().to_html()
        except ImportError:
            return None

    def _text(self, columns: tuple[str, ...]) -> str:
        body = [
            [_printable(name), *(self._cell(row[column]) for column in columns)]
            for name, row in self._rows.items()
        ]
        headings = [[], *(column.split("_") for column in columns)]
        height = max(map(len, headings))
        head = [
            [
                words[i - height + len(words)] if i >= height - len(words) else ""
                for words in headings
            ]
            for i in range(height)
        ]
        widths = [max(map(_width, cells)) for cells in zip(*head, *body, strict=True)]
        lines = [
            "  ".join(
                [
                    cells[0] + " " * (widths[0] - _width(cells[0])),
                    *map(str.rjust, cells[1:], widths[1:]),
                ]
            ).rstrip()
            for cells in [*head, *body]
        ]
        return "\n".join([*lines[:height], "-" * max(map(_width, lines)), *lines[height:]])

    def _cell(self, value: float) -> str:
        return str(value) if isinstance(value, int) else format(value, self._number_format)


def _width(text: str) -> int:
    # Columns of a terminal: East Asian wide characters take two, combining ones none.
    return sum(
        1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
        if not unicodedata.combining(c)
    )


def _printable(text: str) -> str:
    # What would break or reorder a line (controls, formats, separators) as its escape.
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else c
        for c in text
    )


def _divide(numerator: Array, denominator: Array, otherwise: float) -> Array:
    out = np.full(len(numerator), otherwise)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)


def _rates(counts: Array, otherwise: float) -> tuple[dict[str, Array], dict[str, Array]]:
    # From counts in rows to measures, and to where those are not defined.
    tp, tn, fp, fn = counts.T
    fractions = {
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "precision": (tp, tp + fp),
        "fallout": (fp, fp + tn),
        "false_discovery_rate": (fp, fp + tp),
        "negative_predictive_value": (tn, tn + fn),
        "accuracy": (tp + tn, tp + tn + fp + fn),
        "f1": (2 * tp, 2 * tp + fp + fn),
    }
    rates = {name: _divide(*pair, otherwise) for name, pair in fractions.items()}
    rates["balanced_accuracy"] = (rates["recall"] + rates["specificity"]) / 2
    rates["informedness"] = rates["recall"] + rates["specificity"] - 1
    rates["markedness"] = rates["precision"] + rates["negative_predictive_value"] - 1
    return rates, {name: pair[1] == 0 for name, pair in fractions.items()}


def _mean(values: Array, weights: Array) -> float:
    # As scikit-learn: without what is not defined, and plain where all weights are zero.
    defined = ~np.isnan(values)
    if not defined.any():
        return np.nan
    values, weights = values[defined], weights[defined]
    return float(np.average(values, weights=weights if weights.any() else None))


def _replacement(zero_division: Any) -> float:
    if isinstance(zero_division, str) and zero_division == "warn":
        return 0.0
    if isinstance(zero_division, Real):
        value = float(zero_division)
        if value in (0.0, 1.0) or np.isnan(value):
            return value
    raise ValueError(
        f"zero_division must be 'warn', 0.0, 1.0 or np.nan; got {zero_division!r}."
    )


def _warn(undefined: dict[str, Array], names: list[str]) -> None:
    told = [
        f"{measure} of {', '.join(_printable(name) for name in np.array(names)[where])}"
        for measure, where in undefined.items()
        if where.any()
    ]
    if told:
        warnings.warn(
            f"Nothing to divide by, so set to 0.0: {'; '.join(told)}. Use the zero_division "
            "parameter to control this behavior.",
            UndefinedMetricWarning,
            stacklevel=3,
        )


def class_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Report:
    """Everything that the right and wrong predictions of each class come to.

    One row per class, in which the class stands against all others: TP and FN are the rows of
    the class that were predicted as such or missed, FP and TN the other rows that were taken
    for it or not. Each is a count, or with sample weights the sum of them. The columns:

    ============================== ==================================================
    Column                         Formula
    ============================== ==================================================
    ``tp``, ``tn``, ``fp``, ``fn`` the counts
    ``recall``                     TP / (TP + FN): sensitivity, true positive rate
    ``specificity``                TN / (TN + FP): true negative rate
    ``precision``                  TP / (TP + FP): positive predictive value
    ``fallout``                    FP / (FP + TN): false positive rate
    ``false_discovery_rate``       FP / (FP + TP)
    ``negative_predictive_value``  TN / (TN + FN)
    ``accuracy``                   (TP + TN) / (TP + TN + FP + FN)
    ``f1``                         2 TP / (2 TP + FP + FN): F-measure
    ``balanced_accuracy``          (recall + specificity) / 2
    ``informedness``               recall + specificity - 1: Youden's J
    ``markedness``                 precision + negative predictive value - 1
    ============================== ==================================================

    Three rows of averages follow: ``micro avg`` takes the formulas of the summed counts,
    ``macro avg`` is the mean over the classes, ``weighted avg`` their mean weighted by support
    (TP + FN). Their counts are sums.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        True labels, or an indicator matrix, of which each column is a row of the report.
    y_pred : array-like, in the shape of `y_true`
        Predicted labels.
    labels : array-like of shape (n_rows,), default=None
        Which classes to report, in which order, each once; None takes all of `y_true` and
        `y_pred`, sorted. Those of an indicator matrix are numbers of columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.
    zero_division : {'warn', 0.0, 1.0, np.nan}, default='warn'
        Value of a fraction of nothing by nothing, as in
        :func:`sklearn.metrics.classification_report`: 'warn' is 0.0 and a warning, and what
        is nan is left out of macro and weighted averages.

    Returns
    -------
    report : Report
        Print it, or take :meth:`Report.to_dict` or :meth:`Report.to_frame`.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` are not labels of one kind and length, an argument is none of
        the above, or two rows would have one name, such as a class 'macro avg'.

    Warns
    -----
    UndefinedMetricWarning
        If ``zero_division='warn'`` and some fraction has nothing to divide by.

    See Also
    --------
    sklearn.metrics.classification_report : Precision, recall and F1 of these.
    sklearn.metrics.ConfusionMatrixDisplay : Which class is taken for which, as a picture.

    References
    ----------
    Powers, "Evaluation: from precision, recall and F-measure to ROC, informedness, markedness
    and correlation", Journal of Machine Learning Technologies 2, 2011.

    Examples
    --------
    >>> from skdeep.metrics import class_report
    >>> report = class_report(["a", "a", "b", "c"], ["a", "b", "b", "c"])
    >>> print(report)
                                                   balanced
                  tp  tn  fp  fn  accuracy     f1  accuracy  informedness  markedness
    ---------------------------------------------------------------------------------
    a              1   2   0   1     0.750  0.667     0.750         0.500       0.667
    b              1   2   1   0     0.750  0.667     0.833         0.667       0.500
    c              1   3   0   0     1.000  1.000     1.000         1.000       1.000
    micro avg      3   7   1   1     0.833  0.750     0.812         0.625       0.625
    macro avg      3   7   1   1     0.833  0.778     0.861         0.722       0.722
    weighted avg   3   7   1   1     0.812  0.750     0.833         0.667       0.708
    <BLANKLINE>
                                                               false    negative
                                                           discovery  predictive
                  recall  specificity  precision  fallout       rate       value
    ----------------------------------------------------------------------------
    a              0.500        1.000      1.000    0.000      0.000       0.667
    b              1.000        0.667      0.500    0.333      0.500       1.000
    c              1.000        1.000      1.000    0.000      0.000       1.000
    micro avg      0.750        0.875      0.750    0.125      0.250       0.875
    macro avg      0.833        0.889      0.833    0.111      0.167       0.889
    weighted avg   0.750        0.917      0.875    0.083      0.125       0.833
    >>> report.to_dict()["a"]["recall"]
    0.5
    """
    otherwise = _replacement(zero_division)
    found, counts = one_vs_rest_counts(y_true, y_pred, labels, sample_weight)
    names = [str(label) for label in found]
    _check_names([*names, *AVERAGES])
    rates, undefined = _rates(counts, otherwise)
    if isinstance(zero_division, str):
        _warn(undefined, names)
    support = counts[:, 0] + counts[:, 3]
    totals = counts.sum(axis=0)
    pooled, _ = _rates(totals[None], otherwise)
    averages = (
        {rate: float(value[0]) for rate, value in pooled.items()},
        {rate: _mean(v, np.ones(len(v))) for rate, v in rates.items()},
        {rate: _mean(v, support) for rate, v in rates.items()},
    )
    rows: Rows = {
        name: _named(counts[i]) | {rate: float(value[i]) for rate, value in rates.items()}
        for i, name in enumerate(names)
    }
    for name, average in zip(AVERAGES, averages, strict=True):
        rows[name] = _named(totals) | average
    return Report(rows, CLASS_TABLES, ".3f")


def _check_names(names: list[str]) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise ValueError(
            f"Rows of a report need different names, those of the averages included; twice "
            f"there would be {', '.join(map(repr, twice))}: rename these classes, in y_true as "
            "in y_pred."
        )


def _named(counts: Array) -> dict[str, float]:
    return dict(zip(("tp", "tn", "fp", "fn"), counts.tolist(), strict=True))


def regression_report(
    y_true: Any, y_pred: Any, *, threshold: float = 0.5, sample_weight: Any = None
) -> Report:
    """How far predictions of numbers are from their targets.

    One row per output, named by its number, and ``average``, the mean of these rows. With e the
    errors of an output, y_pred - y_true, the columns are:

    =========================== =========================================================
    Column                      Meaning
    =========================== =========================================================
    ``within_threshold``        share of samples with abs(e) strictly below `threshold`
    ``mean_absolute_error``     mean of abs(e)
    ``root_mean_squared_error`` root of the mean of e^2
    ``r2``                      1 - sum of e^2 / sum of (y_true - its mean)^2
    ``distance``                mean of e^2 / 2
    =========================== =========================================================

    Of fewer than two samples ``r2`` is nan, with scikit-learn's warning.
    Over several outputs, :func:`~skdeep.metrics.distance` is the sum of its column, and
    :func:`~skdeep.metrics.within_threshold` the share of samples that are within in all.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like, in the shape of `y_true`
        Predictions.
    threshold : float, default=0.5
        Above 0, in the unit of `y_true`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    report : Report
        Print it, or take :meth:`Report.to_dict` or :meth:`Report.to_frame`.

    Raises
    ------
    ValueError
        If the shapes differ, something is not finite, or `threshold` is not above 0.

    Warns
    -----
    UndefinedMetricWarning
        If there are fewer than two samples.

    Examples
    --------
    >>> from skdeep.metrics import regression_report
    >>> print(regression_report([1.0, 2.0, 3.0], [1.1, 2.0, 2.0]))
                                     root
                            mean     mean
                within  absolute  squared
             threshold     error    error      r2  distance
    -------------------------------------------------------
    0           0.6667    0.3667   0.5802  0.4950    0.1683
    average     0.6667    0.3667   0.5802  0.4950    0.1683
    """
    check_threshold(threshold)
    true, pred, weight = numbers_in_columns(y_true, y_pred, sample_weight)
    error = np.abs(pred - true)
    each = {"multioutput": "raw_values", "sample_weight": weight}
    columns = {
        "within_threshold": np.average(error < threshold, axis=0, weights=weight),
        "mean_absolute_error": mean_absolute_error(true, pred, **each),
        "root_mean_squared_error": root_mean_squared_error(true, pred, **each),
        # Of a single sample scikit-learn has one nan for all outputs.
        "r2": np.broadcast_to(r2_score(true, pred, **each), error.shape[1:]),
        "distance": np.average(error**2, axis=0, weights=weight) / 2,
    }
    rows = {
        str(i): {name: float(values[i]) for name, values in columns.items()}
        for i in range(error.shape[1])
    }
    rows["average"] = {name: float(values.mean()) for name, values in columns.items()}
    return Report(rows, ERROR_TABLES, "#.4g")
