"""Metrics that scikit-learn lacks or defines differently."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import f1_score
from sklearn.utils import check_array, column_or_1d

from skdeep._arrays import Array
from skdeep.metrics.counts import (
    check_labels,
    check_threshold,
    dense,
    flat_labels,
    flat_weights,
    label_columns,
    numbers_in_columns,
    one_vs_rest_counts,
)


def one_vs_rest_accuracy(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Accuracy of each class against all others, averaged over the classes.

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{TP_k + TN_k}{TP_k + TN_k + FP_k + FN_k}

    A misclassified sample is wrong for two of the K classes and right for the others, so this
    is 1 - 2 (1 - a) / K, where a is :func:`sklearn.metrics.accuracy_score`: equal to a for two
    classes and larger for more, with the same ranking of models. For multi-label targets, it is
    1 - :func:`sklearn.metrics.hamming_loss`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like of shape (n_classes,), default=None
        The K classes; for an indicator matrix, column indices. If None, the classes of
        `y_true` and `y_pred`. Pass all classes if some may be absent from the data, since every
        additional class raises the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    score : float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` differ in kind or length.

    Examples
    --------
    >>> from skdeep.metrics import one_vs_rest_accuracy
    >>> one_vs_rest_accuracy([0, 1, 2, 3], [0, 1, 2, 2])
    0.875
    """
    _, counts = one_vs_rest_counts(y_true, y_pred, labels, sample_weight)
    # All classes have the same denominator, so the mean is a ratio of sums.
    return float(counts[:, :2].sum() / counts.sum())


def one_vs_rest_balanced_accuracy(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Mean of recall and specificity of each class, averaged over the classes.

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{1}{2} \left(
        \frac{TP_k}{TP_k + FN_k} + \frac{TN_k}{TN_k + FP_k} \right)

    :func:`sklearn.metrics.balanced_accuracy_score` is the mean of the recalls alone. It is
    equal for two classes and mostly lower for more, as specificity is high with many classes.

    As in that function, classes without samples in `y_true` have no recall and are excluded. If
    all samples are of one class, it has no specificity, and its recall is the score.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like of shape (n_classes,), default=None
        The classes to average over; for an indicator matrix, column indices. If None, all.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    score : float
        In [0, 1]; higher is better. nan if no class has a sample in `y_true`.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` differ in kind or length.

    Warns
    -----
    UserWarning
        If `y_pred` has classes that are not in `y_true`.
    UndefinedMetricWarning
        If no class has a sample in `y_true`.

    Examples
    --------
    >>> from skdeep.metrics import one_vs_rest_balanced_accuracy
    >>> one_vs_rest_balanced_accuracy([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 1])
    0.875
    """
    _, counts = one_vs_rest_counts(y_true, y_pred, labels, sample_weight)
    tp, tn, fp, fn = counts.T
    present = tp + fn > 0
    if fp[~present].any():
        warnings.warn(
            "y_pred contains classes not in y_true: they are excluded from the mean.",
            stacklevel=2,
        )
    if not present.any():
        warnings.warn(
            "No class has a sample in y_true: one_vs_rest_balanced_accuracy is nan.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan
    tp, tn, fp, fn = counts[present].T
    recall = tp / (tp + fn)
    specificity = np.divide(tn, tn + fp, out=recall.copy(), where=tn + fp > 0)
    return float((recall + specificity).mean() / 2)


def macro_f_measure(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""F-measure of each class, averaged over the classes.

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{2 TP_k}{2 TP_k + FP_k + FN_k}

    This is :func:`sklearn.metrics.f1_score` with ``average='macro'``. A class that is in
    neither `y_true` nor `y_pred` counts as 0, with a warning.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like of shape (n_classes,), default=None
        The K classes. If None, the classes of `y_true` and `y_pred`.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    score : float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` differ in kind or length.

    Examples
    --------
    >>> from skdeep.metrics import macro_f_measure
    >>> round(macro_f_measure([0, 1, 2, 2], [0, 1, 2, 1]), 3)
    0.778
    """
    y_true, y_pred, labels = flat_labels(y_true), flat_labels(y_pred), check_labels(labels)
    weight = flat_weights(sample_weight, y_true)
    return float(f1_score(y_true, y_pred, labels=labels, average="macro", sample_weight=weight))


def within_threshold(
    y_true: Any, y_pred: Any, *, threshold: float = 0.5, sample_weight: Any = None
) -> float:
    """Fraction of samples with absolute errors below a threshold.

    Errors equal to the threshold do not count as within. With several outputs, all errors of a
    sample have to be below the threshold.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    threshold : float, default=0.5
        Positive threshold, in the unit of `y_true`. With the default, predictions count that
        round to the right integer.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    score : float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or `threshold` is not positive.

    Examples
    --------
    >>> from skdeep.metrics import within_threshold
    >>> within_threshold([1.0, 2.0, 3.0, 4.0], [1.1, 2.0, 2.5, 8.0])
    0.5
    """
    check_threshold(threshold)
    true, pred, weight = numbers_in_columns(y_true, y_pred, sample_weight)
    within = (np.abs(pred - true) < threshold).all(axis=1)
    return float(np.average(within, weights=weight))


def distance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Half the squared distance between predictions and targets, averaged over the samples.

    .. math:: \frac{1}{n} \sum_{i=1}^n \frac{1}{2} \lVert \hat y_i - y_i \rVert^2

    This is :func:`sklearn.metrics.mean_squared_error` times n_outputs / 2. For labels and
    predicted probabilities, use :func:`class_distance`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    loss : float
        Non-negative, in the squared unit of `y_true`; lower is better.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    Examples
    --------
    >>> from skdeep.metrics import distance
    >>> distance([[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [3.0, 2.0]])
    1.25
    """
    true, pred, weight = numbers_in_columns(y_true, y_pred, sample_weight)
    return float(np.average(((pred - true) ** 2).sum(axis=1), weights=weight) / 2)


def class_distance(
    y_true: Any, y_proba: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Half the squared distance between probabilities and labels, averaged over the samples.

    .. math:: \frac{1}{n} \sum_{i=1}^n \frac{1}{2} \sum_{k=1}^K (p_{ik} - [y_i = k])^2

    This is :func:`sklearn.metrics.brier_score_loss` with ``scale_by_half=True``, which is its
    default for two classes. Here, probabilities need not sum to 1, and a sample may have
    several labels.

    For several columns of labels, the distances of the columns are summed. An indicator matrix
    has only one probability per label. If its labels are passed as columns with two classes
    each, and `labels` as a list, the distance is therefore twice as large.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_columns)
        True labels, an indicator matrix, or several columns of labels.
    y_proba : array-like of shape (n_samples, n_classes), or list of these
        Output of `predict_proba`, with one column per class, also for two classes. For an
        indicator matrix, one column per label, or a list of arrays with columns for 0 and 1, as
        random forests return it. For several columns of labels, a list with one array each.
    labels : array-like of shape (n_classes,), or list of these, default=None
        Classes in the order of the columns of `y_proba`, as in `classes_`. If None, the sorted
        classes of `y_true`, which then has to contain them all. Not needed for an indicator
        matrix; required for several columns of labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights: non-negative, with a positive sum.

    Returns
    -------
    loss : float
        Lower is better. In [0, 1] if probabilities sum to 1, in [0, n_labels / 2] for an
        indicator matrix, and in [0, n_columns] for several columns of labels.

    Raises
    ------
    ValueError
        If `labels` does not match the columns of `y_proba`, or lacks a class of `y_true`.

    Examples
    --------
    >>> from skdeep.metrics import class_distance
    >>> class_distance(["a", "b"], [[0.8, 0.2], [0.4, 0.6]], labels=["a", "b"])
    0.1
    """
    if isinstance(y_proba, list | tuple) and y_proba and np.ndim(y_proba[0]) == 2:
        ideal, y_proba = _ideal_of_columns(y_true, y_proba, labels)
    else:
        y_proba = check_array(y_proba, ensure_2d=False, dtype=np.float64, input_name="y_proba")
        if y_proba.ndim != 2:
            raise ValueError(
                "y_proba must have a column for each class, also for two classes, as returned "
                f"by predict_proba; got shape {y_proba.shape}."
            )
        ideal = _ideal(y_true, labels, y_proba.shape)
    return distance(ideal, y_proba, sample_weight=sample_weight)


def _ideal(y_true: Any, labels: Any, shape: tuple[int, int]) -> Array:
    # The best possible probabilities: 0 or 1 in each column.
    y_true = dense(check_array(y_true, accept_sparse="csr", ensure_2d=False, dtype=None))
    if y_true.ndim == 2 and y_true.shape[1] > 1:
        if y_true.shape == shape and np.isin(y_true, (0, 1)).all():
            return y_true.astype(np.float64)
        raise ValueError(
            f"With y_proba of shape {shape}, y_true of shape {y_true.shape} must be an "
            "indicator matrix of 0 and 1 in the same shape. For several columns of labels, "
            "pass y_proba and labels as lists with one entry per column."
        )
    return _one_hot(column_or_1d(y_true), labels, shape[1])


def _one_hot(y_true: Array, labels: Any, n_columns: int) -> Array:
    labels = np.unique(y_true) if labels is None else column_or_1d(labels)
    if len(labels) != n_columns:
        raise ValueError(
            f"There are {len(labels)} labels, {labels.tolist()!r}, but y_proba has {n_columns} "
            "columns: pass the class of each column as labels, such as classes_."
        )
    ideal = y_true[:, None] == labels
    unknown = ~ideal.any(axis=1)
    if unknown.any():
        raise ValueError(
            f"y_true has the label {y_true[unknown][:1].tolist()[0]!r}, which is not among "
            f"labels={labels.tolist()!r}, the classes of the columns of y_proba."
        )
    return ideal.astype(np.float64)


def _ideal_of_columns(y_true: Any, y_proba: Any, labels: Any) -> tuple[Array, Array]:
    # For a list of probabilities: the best ones and the given ones, stacked horizontally.
    if labels is None and all(np.shape(p)[1:] == (2,) for p in y_proba):
        # Forests return this for an indicator matrix; only the columns of 1 count.
        ones = np.column_stack([np.asarray(p)[:, 1] for p in y_proba])
        return _ideal(y_true, None, ones.shape), ones
    y_true = check_array(y_true, dtype=None, input_name="y_true")
    n_columns = y_true.shape[1]
    if labels is None or not len(labels) == len(y_proba) == n_columns:
        raise ValueError(
            f"y_true has {n_columns} columns, so y_proba and labels must be lists with one "
            f"entry per column; got {len(y_proba)} and "
            f"{'no labels' if labels is None else len(labels)}."
        )
    columns = zip(label_columns(y_true), labels, y_proba, strict=True)
    ideal = [_one_hot(column, classes, np.shape(p)[1]) for column, classes, p in columns]
    return np.hstack(ideal), np.hstack(y_proba)
