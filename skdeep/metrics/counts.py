"""Input checks of metrics, and one-vs-rest counts."""

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
    """Columns of labels; columns of an object array get the dtype of their values."""
    columns = list(np.asarray(y).T)
    return [
        np.array(column.tolist()) if column.dtype.kind == "O" else column for column in columns
    ]


def dense(y: Any) -> Array:
    """`y` as an array, also if it is sparse."""
    return y.toarray() if issparse(y) else np.asarray(y)


def flat_weights(sample_weight: Any, y: Any) -> Array | None:
    """Sample weights of shape (n_samples,), validated as in `fit`, or None."""
    weight = check_weights(sample_weight, y)
    return None if weight is None else weight[:, 0]


def flat_labels(y: Any) -> Any:
    """Labels, with a single column raveled to shape (n_samples,)."""
    single = not issparse(y) and np.ndim(y) == 2 and np.shape(y)[1] == 1
    return column_or_1d(y) if single else y


def check_labels(labels: Any) -> Array | None:
    """The classes to count as an array, or None; ValueError if they are not distinct."""
    if labels is None:
        return None
    classes = np.asarray(labels)
    if classes.ndim != 1 or len(set(classes.tolist())) != len(classes) or not len(classes):
        raise ValueError(
            "labels must be a list or array of one or more distinct classes, or None for those "
            f"of y_true and y_pred; got {labels!r}."
        )
    return classes


def one_vs_rest_counts(
    y_true: Any, y_pred: Any, labels: Any, sample_weight: Any
) -> tuple[Array, Array]:
    """Labels, and an array of shape (n_labels, 4) with their tp, tn, fp and fn."""
    y_true, y_pred, labels = flat_labels(y_true), flat_labels(y_pred), check_labels(labels)
    weight = flat_weights(sample_weight, y_true)
    pairs = multilabel_confusion_matrix(y_true, y_pred, sample_weight=weight, labels=labels)
    labels = unique_labels(y_true, y_pred) if labels is None else labels
    counts = np.column_stack([pairs[:, 1, 1], pairs[:, 0, 0], pairs[:, 0, 1], pairs[:, 1, 0]])
    return labels, counts


def numbers_in_columns(
    y_true: Any, y_pred: Any, sample_weight: Any
) -> tuple[Array, Array, Array | None]:
    """`y_true` and `y_pred` as float64 of shape (n_samples, n_outputs), and weights or None."""
    true, pred = (
        check_array(y, ensure_2d=False, dtype=np.float64, input_name=name)
        for y, name in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    check_consistent_length(true, pred)
    true, pred = true.reshape(len(true), -1), pred.reshape(len(pred), -1)
    if true.shape != pred.shape:
        raise ValueError(
            f"y_true has {true.shape[1]} columns and y_pred {pred.shape[1]}: both need one "
            "column per output."
        )
    return true, pred, flat_weights(sample_weight, true)


def check_threshold(threshold: float) -> None:
    """Raise ValueError if `threshold` is not a positive number."""
    if not isinstance(threshold, Real) or not float(threshold) > 0:
        raise ValueError(
            "threshold must be a number above 0, in the unit of y, as errors count if they are "
            f"strictly below it; got {threshold!r}."
        )
