"""The criteria of the Go engine that scikit-learn lacks, or defines otherwise.

Means over one-vs-rest problems, the share of numbers within a threshold, and the distance of a
network's output to the ideal. Their scorers are in ``metrics``.
"""

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
    flat_labels,
    flat_weights,
    label_columns,
    numbers_in_columns,
    one_vs_rest_counts,
)


def one_vs_rest_accuracy(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Mean over the classes of the accuracy of "this class" against "any other".

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{TP_k + TN_k}{TP_k + TN_k + FP_k + FN_k}

    A wrong label is wrong for two of the K classes, and right for the others. So this is
    1 - 2 (1 - a) / K, with a the :func:`sklearn.metrics.accuracy_score`: equal to it for two
    classes, above it for more, and of the same order among models. Multi-label, it is 1 -
    :func:`sklearn.metrics.hamming_loss`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        True labels, or an indicator matrix.
    y_pred : array-like, in the shape of `y_true`
        Predicted labels.
    labels : array-like of shape (n_classes,), default=None
        The K classes; None takes those of `y_true` and `y_pred`. Give all of them where a
        part of the data may lack some, as each class more raises the mean. Those of an
        indicator matrix are numbers of columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    score : float
        In [0, 1], higher is better.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` are not labels of one kind and length.

    Examples
    --------
    >>> from skdeep.metrics import one_vs_rest_accuracy
    >>> one_vs_rest_accuracy([0, 1, 2, 3], [0, 1, 2, 2])
    0.875
    """
    _, counts = one_vs_rest_counts(y_true, y_pred, labels, sample_weight)
    # Each class has all samples, so that the mean of fractions is a fraction of sums.
    return float(counts[:, :2].sum() / counts.sum())


def one_vs_rest_balanced_accuracy(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Mean over the classes of the mean of recall and specificity.

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{1}{2} \left(
        \frac{TP_k}{TP_k + FN_k} + \frac{TN_k}{TN_k + FP_k} \right)

    :func:`sklearn.metrics.balanced_accuracy_score` is the mean of the recalls alone: equal for
    two classes, and for more mostly lower, as specificities are high where classes are many.

    As there, classes without a sample in `y_true` have no recall and are left out. Where all
    samples are of one class, it has no specificity, and its recall is the score.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        True labels, or an indicator matrix.
    y_pred : array-like, in the shape of `y_true`
        Predicted labels.
    labels : array-like of shape (n_classes,), default=None
        The classes to take the mean over; None takes all. Those of an indicator matrix are
        numbers of columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    score : float
        In [0, 1], higher is better; nan where no class has a sample in `y_true`.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` are not labels of one kind and length.

    Warns
    -----
    UserWarning
        If `y_pred` has classes that `y_true` has not.
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
            "y_pred contains classes not in y_true: they are left out of the mean.",
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
    r"""Mean over the classes of the F-measure.

    .. math:: \frac{1}{K} \sum_{k=1}^K \frac{2 TP_k}{2 TP_k + FP_k + FN_k}

    This is :func:`sklearn.metrics.f1_score` with ``average='macro'``, by the name of those who
    know it so. A class that is neither in `y_true` nor in `y_pred` counts as 0, with a warning.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        True labels, or an indicator matrix.
    y_pred : array-like, in the shape of `y_true`
        Predicted labels.
    labels : array-like of shape (n_classes,), default=None
        The K classes; None takes those of `y_true` and `y_pred`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    score : float
        In [0, 1], higher is better.

    Raises
    ------
    ValueError
        If `y_true` and `y_pred` are not labels of one kind and length.

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
    """Share of samples whose every prediction is less than a threshold off.

    An error of just the threshold is outside. With several outputs, a sample counts where all
    of them are within.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like, in the shape of `y_true`
        Predictions.
    threshold : float, default=0.5
        Above 0, in the unit of `y_true`. The default rounds to the right whole number.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    score : float
        In [0, 1], higher is better.

    Raises
    ------
    ValueError
        If the shapes differ, something is not finite, or `threshold` is not above 0.

    Examples
    --------
    >>> from skdeep.metrics import within_threshold
    >>> within_threshold([1.0, 2.0, 3.0, 4.0], [1.1, 2.0, 2.5, 8.0])
    0.5
    """
    check_threshold(threshold)
    true, pred, weight = numbers_in_columns(y_true, y_pred, sample_weight)
    right = (np.abs(pred - true) < threshold).all(axis=1)
    return float(np.average(right, weights=weight))


def distance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean over the samples of half the squared distance between prediction and target.

    .. math:: \frac{1}{n} \sum_{i=1}^n \frac{1}{2} \lVert \hat y_i - y_i \rVert^2

    This is :func:`sklearn.metrics.mean_squared_error` times n_outputs / 2. Of probabilities and
    labels it is :func:`class_distance`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like, in the shape of `y_true`
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    loss : float
        0 or more, in the squared unit of `y_true`; lower is better.

    Raises
    ------
    ValueError
        If the shapes differ or something is not finite.

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
    r"""Mean over the samples of half the squared distance between probabilities and the ideal.

    .. math:: \frac{1}{n} \sum_{i=1}^n \frac{1}{2} \sum_{k=1}^K (p_{ik} - [y_i = k])^2

    This is :func:`sklearn.metrics.brier_score_loss` with ``scale_by_half=True``: for two
    classes its default, for more half of that. Probabilities need not add up to 1 here, and
    a sample may have several labels.

    Several columns of labels count as rows of all columns side by side, each with a column
    for every class. An indicator matrix has one column per label, that of the 1. So where
    yes and no are given as two classes with probabilities p and 1 - p, that is with a list
    as `labels`, the distance is twice that of the same labels as an indicator matrix.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_columns)
        True labels, an indicator matrix, or several columns of labels.
    y_proba : array-like of shape (n_samples, n_classes), or list of these
        What `predict_proba` gives, with a column per class, for two classes as well; for an
        indicator matrix a column per label, or a list as random forests have it, with the
        columns of 0 and 1 in each entry; for several columns of labels a list with an entry
        for each.
    labels : array-like of shape (n_classes,), or list of these, default=None
        Classes in the order of the columns of `y_proba`, that is `classes_`. None takes the
        sorted ones of `y_true`, which then has to have them all. An indicator matrix does not
        need it; several columns of labels do.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, 0 or more, not all 0.

    Returns
    -------
    loss : float
        Lower is better: in [0, 1] where probabilities add up to 1, in [0, n_labels / 2] for an
        indicator matrix, in [0, n_columns] for several columns of labels, of 0 and 1 too.

    Raises
    ------
    ValueError
        If `labels` does not go with the columns of `y_proba`, or lacks one of `y_true`.

    Examples
    --------
    >>> from skdeep.metrics import class_distance
    >>> class_distance(["a", "b"], [[0.8, 0.2], [0.4, 0.6]], labels=["a", "b"])
    0.1
    """
    if _is_list_of_tables(y_proba):
        ideal, y_proba = _ideal_of_columns(y_true, y_proba, labels)
    else:
        y_proba = check_array(y_proba, ensure_2d=False, dtype=np.float64, input_name="y_proba")
        if y_proba.ndim != 2:
            raise ValueError(
                "y_proba must have a column for each class, as predict_proba gives it, for two "
                f"classes as well; got shape {y_proba.shape}."
            )
        ideal = _ideal(y_true, labels, y_proba.shape)
    return distance(ideal, y_proba, sample_weight=sample_weight)


def _is_list_of_tables(y_proba: Any) -> bool:
    return isinstance(y_proba, list | tuple) and len(y_proba) > 0 and np.ndim(y_proba[0]) == 2


def _ideal(y_true: Any, labels: Any, shape: tuple[int, int]) -> Array:
    # What the network would say if it were right and sure: 0 or 1 in each column.
    y_true = check_array(y_true, accept_sparse="csr", ensure_2d=False, dtype=None)
    y_true = y_true.toarray() if hasattr(y_true, "toarray") else y_true
    if y_true.ndim == 2 and y_true.shape[1] > 1:
        if y_true.shape == shape and np.isin(y_true, (0, 1)).all():
            return y_true.astype(np.float64)
        raise ValueError(
            f"y_true of shape {y_true.shape} goes with y_proba of shape {shape} only as an "
            "indicator matrix of 0 and 1 in the same shape; several columns of labels need a "
            "list of probabilities and one of labels, an entry per column."
        )
    return _one_hot(column_or_1d(y_true), labels, shape[1])


def _one_hot(y_true: Array, labels: Any, n_columns: int) -> Array:
    labels = np.unique(y_true) if labels is None else column_or_1d(labels)
    if len(labels) != n_columns:
        raise ValueError(
            f"There are {len(labels)} labels, {labels.tolist()!r}, but y_proba has {n_columns} "
            "columns: pass as labels the class of each column, such as classes_."
        )
    ideal = y_true[:, None] == labels
    unknown = ~ideal.any(axis=1)
    if unknown.any():
        raise ValueError(
            f"y_true has the label {y_true[unknown][:1].tolist()[0]!r}, which is not among "
            f"labels={labels.tolist()!r}, the classes of the columns of y_proba."
        )
    return ideal.astype(np.float64)


def _ideal_of_columns(y_true: Any, y_proba: list, labels: Any) -> tuple[Array, Array]:
    # For a list of probabilities: the ideal, and the probabilities side by side.
    if labels is None and all(np.shape(p)[1:] == (2,) for p in y_proba):
        # What forests have for an indicator matrix: of each label only the column of 1 counts.
        ones = np.column_stack([np.asarray(p)[:, 1] for p in y_proba])
        return _ideal(y_true, None, ones.shape), ones
    y_true = check_array(y_true, dtype=None, input_name="y_true")
    n_columns = y_true.shape[1]
    if labels is None or not len(labels) == len(y_proba) == n_columns:
        raise ValueError(
            f"y_true has {n_columns} columns: y_proba and labels must be lists with an entry "
            f"for each; got {len(y_proba)} and "
            f"{'no labels' if labels is None else len(labels)}."
        )
    columns = zip(label_columns(y_true), labels, y_proba, strict=True)
    ideal = [_one_hot(column, own, np.shape(p)[1]) for column, own, p in columns]
    return np.hstack(ideal), np.hstack(y_proba)
