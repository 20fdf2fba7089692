"""What an estimator predicts, as a document: classes, labels, or numbers."""

from itertools import pairwise
from typing import Any

import numpy as np

from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
    RegressionTarget,
)
from skdeep.persistence.files import check_fields, short_repr

# The types of target that each estimator has.
TYPES = {
    "DeepClassifier": ("classes", "labels", "columns"),
    "DeepRegressor": ("numbers",),
    "TabularClassifier": ("classes", "labels"),
    "TabularRegressor": ("numbers",),
}


def encode_target(target: Any) -> dict[str, Any]:
    """A target as its type and what it is made of."""
    if isinstance(target, RegressionTarget):
        return {"type": "numbers", "n_columns": target.n_columns}
    if isinstance(target, MultilabelTarget):
        return {"type": "labels", "n_labels": target.n_outputs}
    if isinstance(target, MultiOutputTarget):
        return {"type": "columns", "classes": list(target.classes)}
    return {"type": "classes", "classes": target.classes}


def output_of(target: Any) -> tuple[Any, ...]:
    """How the output of a network becomes predictions, as far as parameters say it."""
    order = getattr(target, "order", None)
    quantiles = getattr(target.loss, "quantiles", None)
    return target.loss.out_activation, quantiles, None if order is None else order.tolist()


def decode_target(tree: Any, estimator: Any, n_outputs: int) -> Any:
    """The target, without its loss, from what `encode_target` returned.

    `n_outputs` is the number of outputs of the weights, or of the columns predicted.
    """
    kind = tree.get("type") if type(tree) is dict else None
    if type(kind) is not str or kind not in TYPES[type(estimator).__name__]:
        raise ValueError(
            f"a {type(estimator).__name__} has no target of type {short_repr(kind)}."
        )
    if kind == "numbers" or kind == "labels":
        name = "n_columns" if kind == "numbers" else "n_labels"
        n = check_fields(tree, ("type", name), (name,), "target")[name]
        if type(n) is not int or not 1 <= n <= n_outputs:
            raise ValueError(
                f"target.{name} must be an integer from 1 to {n_outputs}, the number of "
                f"columns of the output; got {short_repr(n)}."
            )
        return RegressionTarget(n) if kind == "numbers" else MultilabelTarget(n)
    classes = check_fields(tree, ("type", "classes"), ("classes",), "target")["classes"]
    if kind == "classes":
        return _class_target(classes)
    if type(classes) is not list or len(classes) < 2:
        raise ValueError("target must have a list of at least two arrays of classes.")
    return MultiOutputTarget([_class_target(column) for column in classes])


def _class_target(classes: Any) -> ClassTarget:
    if type(classes) is not np.ndarray or classes.ndim != 1:
        raise ValueError("classes must be an array of shape (n_classes,).")
    if not all(a < b for a, b in pairwise(classes.tolist())):
        raise ValueError("classes must be sorted and distinct.")
    return ClassTarget(classes)
