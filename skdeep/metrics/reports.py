"""Reports of many metrics at once, per class or per output.

All metrics of a class follow from four counts, those of this class against all others.
"""

import warnings
from collections import Counter
from numbers import Real
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from skdeep._arrays import Array
from skdeep.metrics.counts import check_threshold, numbers_in_columns, one_vs_rest_counts
from skdeep.metrics.tables import Report, Rows, printable

AVERAGES = ("micro avg", "macro avg", "weighted avg")

# Columns of the tables that are printed below each other, so that each fits a terminal.
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


def _divide(numerator: Array, denominator: Array, otherwise: float) -> Array:
    out = np.full(len(numerator), otherwise)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)


def _rates(counts: Array, otherwise: float) -> tuple[dict[str, Array], dict[str, Array]]:
    # Metrics by name from rows of counts, and masks of where they are undefined.
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
    # As in scikit-learn: ignores undefined values, and all weights if they are all zero.
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
    affected = [
        f"{metric} of {', '.join(printable(name) for name in np.array(names)[where])}"
        for metric, where in undefined.items()
        if where.any()
    ]
    if affected:
        warnings.warn(
            f"Division by zero, so set to 0.0: {'; '.join(affected)}. Use the zero_division "
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
    """Report of counts and rates for each class.

    The report has one row per class, in which the class is compared with all others: TP and FN
    are the samples of the class that were predicted as such or not, FP and TN the other
    samples that were predicted as this class or not. Each is a count, or the sum of the sample
    weights. The columns are:

    ============================== ==================================================
    Column                         Formula
    ============================== ==================================================
    ``tp``, ``tn``, ``fp``, ``fn`` counts
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

    Three rows of averages follow: ``micro avg`` applies the formulas to the summed counts,
    ``macro avg`` is the mean over the classes, and ``weighted avg`` the mean weighted by
    support (TP + FN). Their counts are sums over the classes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices, which give one row per column.
    labels : array-like of shape (n_rows,), default=None
        Distinct classes to report, in this order; for an indicator matrix, column indices. If
        None, all classes of `y_true` and `y_pred` are reported in sorted order.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.
    zero_division : {'warn', 0.0, 1.0, np.nan}, default='warn'
        Value of a rate whose denominator is zero, as in
        :func:`sklearn.metrics.classification_report`: 'warn' acts as 0.0 and raises a warning;
        nan values are excluded from macro and weighted averages.

    Returns
    -------
    report : Report
        To be printed, or converted by :meth:`Report.to_dict` or :meth:`Report.to_frame`.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` differ in kind or length, an argument is invalid, or two rows
        would have the same name, such as a class named 'macro avg'.

    Warns
    -----
    UndefinedMetricWarning
        If ``zero_division='warn'`` and some denominator is zero.

    See Also
    --------
    sklearn.metrics.classification_report : Only precision, recall, F1 and support.
    sklearn.metrics.ConfusionMatrixDisplay : Plot of which classes are confused.

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
    classes, counts = one_vs_rest_counts(y_true, y_pred, labels, sample_weight)
    names = [str(label) for label in classes]
    repeated = [name for name, n in Counter([*names, *AVERAGES]).items() if n > 1]
    if repeated:
        raise ValueError(
            "Rows of a report, including the averages, need distinct names, but there would be "
            f"several {', '.join(map(repr, repeated))}: rename these classes in y_true and "
            "y_pred."
        )
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


def _named(counts: Array) -> dict[str, float]:
    return dict(zip(("tp", "tn", "fp", "fn"), counts.tolist(), strict=True))


def regression_report(
    y_true: Any, y_pred: Any, *, threshold: float = 0.5, sample_weight: Any = None
) -> Report:
    """Report of regression metrics for each output.

    The report has one row per output, named by its index, and ``average``, the mean of these
    rows. With e = y_pred - y_true, the columns are:

    =========================== =========================================================
    Column                      Meaning
    =========================== =========================================================
    ``within_threshold``        fraction of samples with abs(e) strictly below `threshold`
    ``mean_absolute_error``     mean of abs(e)
    ``root_mean_squared_error`` square root of the mean of e^2
    ``r2``                      1 - sum of e^2 / sum of (y_true - its mean)^2
    ``distance``                mean of e^2 / 2
    =========================== =========================================================

    With fewer than two samples, ``r2`` is nan, with scikit-learn's warning. For several
    outputs, :func:`~skdeep.metrics.distance` is the sum of its column, and
    :func:`~skdeep.metrics.within_threshold` counts samples within the threshold in all outputs.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    threshold : float, default=0.5
        Positive threshold, in the unit of `y_true`.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    report : Report
        To be printed, or converted by :meth:`Report.to_dict` or :meth:`Report.to_frame`.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or `threshold` is not positive.

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
        # For a single sample, scikit-learn returns one nan for all outputs.
        "r2": np.broadcast_to(r2_score(true, pred, **each), error.shape[1:]),
        "distance": np.average(error**2, axis=0, weights=weight) / 2,
    }
    rows = {
        str(i): {name: float(values[i]) for name, values in columns.items()}
        for i in range(error.shape[1])
    }
    rows["average"] = {name: float(values.mean()) for name, values in columns.items()}
    return Report(rows, (tuple(columns),), "#.4g")
