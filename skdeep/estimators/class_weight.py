"""Class weights, checked and multiplied into the weights of rows."""

from numbers import Real
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._checks.data import in_safe_range
from skdeep.estimators.targets import ClassTarget, MultilabelTarget, MultiOutputTarget
from skdeep.metrics.counts import dense, label_columns


def times_class_weight(
    sample_weight: Array | None, class_weight: Any, y: Any, dtype: np.dtype
) -> Array | None:
    """Sample weights times the weights of their classes, of shape (n_samples, 1)."""
    of_rows = None if sample_weight is None else in_safe_range(sample_weight, dtype)
    if class_weight is None:
        return of_rows
    weight = in_safe_range(class_weight_of_rows(class_weight, y)[:, None], dtype)
    if of_rows is not None:
        weight = in_safe_range(of_rows * weight, dtype)
    if not weight.any():
        raise ValueError(
            "class_weight and sample_weight give every row a weight of 0: raise some of them."
        )
    return weight


def explicit_class_weight(
    class_weight: Any, y: Any, target: ClassTarget | MultilabelTarget | MultiOutputTarget
) -> Any:
    """The weight of every class: a dict for one column of labels, else a list of dicts.

    'balanced' is n_samples / (n_classes * number of rows of the class).
    """
    single = isinstance(target, ClassTarget)
    columns = [y] if single else label_columns(dense(y))
    classes: list[Array]
    if isinstance(target, ClassTarget):
        classes = [target.classes]
    elif isinstance(target, MultilabelTarget):
        classes = [np.arange(2)] * len(columns)
    else:
        classes = target.classes
    if isinstance(class_weight, str):
        given = [_balanced(column) for column in columns]
    else:
        given = [class_weight] if single else class_weight
    if not isinstance(given, list) or len(given) != len(columns):
        wanted = "a dict" if single else f"a list of {len(columns)} dicts, one a column of y"
        raise ValueError(f"class_weight must be 'balanced' or {wanted}; got {class_weight!r}.")
    for i, (weights, known) in enumerate(zip(given, classes, strict=True)):
        if not isinstance(weights, dict):
            where = "" if single else f" in its entry {i}"
            raise ValueError(f"class_weight must hold dicts; got {weights!r}{where}.")
        unknown = [label for label in weights if label not in known.tolist()]
        if unknown:
            raise ValueError(
                f"class_weight names classes that are not in y: {unknown!r}. Known are "
                f"{known.tolist()!r}."
            )
        if not all(isinstance(w, Real) and 0 <= float(w) < np.inf for w in weights.values()):
            raise ValueError(
                f"class_weight must be finite numbers of 0 or more; got {weights!r}."
            )
    filled = [
        {label: weights.get(label, 1.0) for label in known.tolist()}
        for weights, known in zip(given, classes, strict=True)
    ]
    return filled[0] if single else filled


def _balanced(column: Array) -> dict[Any, float]:
    labels, counts = np.unique(column, return_counts=True)
    weights = len(column) / (len(labels) * counts)
    return dict(zip(labels.tolist(), weights.tolist(), strict=True))


def class_weight_of_rows(explicit: Any, y: Any) -> Array:
    """Weight of each row, of shape (n_samples,); over several columns, the product."""
    if isinstance(explicit, dict):
        explicit, columns = [explicit], [y]
    else:
        columns = label_columns(dense(y))
    weight = np.ones(len(columns[0]))
    for weights, column in zip(explicit, columns, strict=True):
        labels, codes = np.unique(column, return_inverse=True)
        with np.errstate(over="ignore"):
            weight *= np.array([weights[label] for label in labels.tolist()])[codes]
    if not np.isfinite(weight).all():
        raise ValueError(
            "class_weight is too large: its product over the columns of y is infinite. Divide "
            "the weights of each column by the largest."
        )
    return weight
