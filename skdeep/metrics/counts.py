"""Labels, weights and numbers in the shape that metrics count by."""

from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import multilabel_confusion_matrix
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skdeep._arrays import Array
from skdeep._checks.data import check_weights


def label_columns(y: Any) -> list[Array]:
    """Columns of labels, each in a dtype of its own: numbers beside strings are objects."""
    columns = list(np.asarray(y).T)
    return [
        np.array(column.tolist()) if column.dtype.kind == "O" else column for column in columns
    ]


def dense(y: Any) -> Array:
    return y.toarray() if issparse(y) else np.asarray(y)


def flat_weights(sample_weight: Any, y: Any) -> Array | None:
    """Sample weights, of shape (n_samples,), checked as those of a fit; or None."""
    weight = check_weights(sample_weight, y)
    return None if weight is None else weight[:, 0]


def flat_labels(y: Any) -> Any:
    """Labels as they are, but a single column as a vector."""
    single = not issparse(y) and np.ndim(y) == 2 and np.shape(y)[1] == 1
    return column_or_1d(y) if single else y


def check_labels(labels: Any) -> Array | None:
    """The classes to count, or None.

    Raises
    ------
    ValueError
        If they are no sequence of one or more different classes.
    """
    if labels is None:
        return None
    found = np.asarray(labels)
    if found.ndim != 1 or len(set(found.tolist())) != len(found) or not len(found):
        raise ValueError(
            "labels must be a list or array of one or more classes, each of them once, or None "
            f"for those of y_true and y_pred; got {labels!r}."
        )
    return found


def one_vs_rest_counts(
    y_true: Any, y_pred: Any, labels: Any, sample_weight: Any
) -> tuple[Array, Array]:
    """Labels, and for each of them tp, tn, fp, fn: columns of an array (n_labels, 4)."""
    y_true, y_pred, labels = flat_labels(y_true), flat_labels(y_pred), check_labels(labels)
    weight = flat_weights(sample_weight, y_true)
    pairs = multilabel_confusion_matrix(y_true, y_pred, sample_weight=weight, labels=labels)
    found = unique_labels(y_true, y_pred) if labels is None else labels
    counts = np.column_stack([pairs[:, 1, 1], pairs[:, 0, 0], pairs[:, 0, 1], pairs[:, 1, 0]])
    return found, counts


def numbers_in_columns(
    y_true: Any, y_pred: Any, sample_weight: Any
) -> tuple[Array, Array, Array | None]:
    """Two equal shapes (n_samples, n_outputs) of finite float64, and weights or None.

    Raises
    ------
    ValueError
        If the shapes differ, or something is no finite number.
    """
    true, pred = (
        check_array(y, ensure_2d=False, dtype=np.float64, input_name=name)
        for y, name in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    check_consistent_length(true, pred)
    true, pred = true.reshape(len(true), -1), pred.reshape(len(pred), -1)
    if true.shape != pred.shape:
        raise ValueError(
            f"y_true has {true.shape[1]} columns and y_pred {pred.shape[1]}: give both one "
            "column per output."
        )
    return true, pred, flat_weights(sample_weight, true)


def check_threshold(threshold: float) -> None:
    """Raise ValueError where nothing can be strictly within a threshold."""
    if not isinstance(threshold, Real) or not float(threshold) > 0:
        raise ValueError(
            f"threshold must be above 0, a number in the unit of y: errors count that are "
            f"strictly below it; got {threshold!r}."
        )
