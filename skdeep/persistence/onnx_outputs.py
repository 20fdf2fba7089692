"""From raw output to predictions, probabilities and labels, as ONNX nodes.

Labels are int64 or text, as in other exports of scikit-learn's estimators: booleans become 0
and 1. An array has one dtype: if columns of labels are of both kinds, all become text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
    RegressionTarget,
)
from skdeep.losses import Loss
from skdeep.persistence.onnx_graph import ROWS, Graph
from skdeep.persistence.onnx_networks import identity, softplus

# Name -> dtype and shape, of which None is a sequence of arrays.
Signature = dict[str, tuple[Any, tuple[Any, ...] | None]]


def signature(target: Any, dtype: Any) -> Signature:
    """The outputs of a target, named as skl2onnx names them; numbers have the given dtype."""
    if isinstance(target, RegressionTarget):
        return {"variable": (dtype, (ROWS, target.n_outputs))}
    if isinstance(target, MultiOutputTarget):
        label_dtype = label_columns(target)[0].dtype
        label_shape: tuple[Any, ...] = (ROWS, len(target.targets))
        return {"label": (label_dtype, label_shape), "probabilities": (dtype, None)}
    probabilities = dtype, (ROWS, len(target.classes))
    if isinstance(target, MultilabelTarget):
        return {"label": (np.int64, probabilities[1]), "probabilities": probabilities}
    labels = onnx_labels(target.classes)
    return {"label": (labels.dtype, (ROWS,)), "probabilities": probabilities}


def outputs(graph: Graph, target: Any, raw: str) -> list[str]:
    """Values of the outputs in `signature`, from raw output of shape (rows, n_outputs)."""
    if isinstance(target, RegressionTarget):
        return [ordered(graph, target, loss_output(graph, target.loss, raw))]
    if isinstance(target, MultilabelTarget):
        label = graph.cast(graph.node("Greater", raw, graph.constant(0.0)), np.int64)
        return [label, probabilities(graph, target, raw)]
    if isinstance(target, MultiOutputTarget):
        return _outputs_of_columns(graph, target, raw)
    labels = onnx_labels(target.classes)
    return [_label(graph, target, labels, raw), probabilities(graph, target, raw)]


def _outputs_of_columns(graph: Graph, target: MultiOutputTarget, raw: str) -> list[str]:
    labels, shares, start = [], [], 0
    axis = graph.constant([1])
    for own, classes in zip(target.targets, label_columns(target), strict=True):
        bounds = [graph.constant([k]) for k in (start, start + own.n_outputs)]
        part = graph.node("Slice", raw, *bounds, axis)
        label = _label(graph, own, classes, part)
        labels.append(graph.node("Unsqueeze", label, axis))
        shares.append(probabilities(graph, own, part))
        start += own.n_outputs
    label = graph.node("Concat", *labels, axis=1)
    return [label, graph.node("SequenceConstruct", *shares)]


# Predictions


def loss_output(graph: Graph, loss: Loss, raw: str) -> str:
    """Predictions of a loss from raw output, of the same shape."""
    return _LOSS_OUTPUTS[loss.out_activation](graph, raw)


def probabilities(graph: Graph, target: Any, raw: str) -> str:
    """Probabilities of the classes of a column or of labels, of shape (*models, rows, n)."""
    if isinstance(target, ClassTarget) and target.n_outputs == 1:
        raw = graph.node("Concat", graph.node("Neg", raw), raw, axis=-1)
    return loss_output(graph, target.loss, raw)


def ordered(graph: Graph, target: RegressionTarget, prediction: str) -> str:
    """Columns of several quantiles in the order of the estimator's parameter."""
    if target.order is None or (np.diff(target.order) > 0).all():
        return prediction
    return graph.node("Gather", prediction, graph.constant(target.order), axis=1)


def _cumulated_softplus(graph: Graph, raw: str) -> str:
    # The lowest quantile, and the steps from each to the next.
    zero, one, end, axis = (graph.constant([k]) for k in (0, 1, np.iinfo(np.int64).max, -1))
    lowest = graph.node("Slice", raw, zero, one, axis)
    steps = softplus(graph, graph.node("Slice", raw, one, end, axis))
    return graph.node(
        "CumSum", graph.node("Concat", lowest, steps, axis=-1), graph.constant(-1)
    )


_LOSS_OUTPUTS = {
    "identity": identity,
    "logistic": lambda graph, raw: graph.node("Sigmoid", raw),
    "softmax": lambda graph, raw: graph.node("Softmax", raw, axis=-1),
    "tanh": lambda graph, raw: graph.node("Tanh", raw),
    "softplus": softplus,
    "exp": lambda graph, raw: graph.node("Exp", raw),
    "cumulated softplus": _cumulated_softplus,
}


# Labels


def best_label(graph: Graph, labels: Array, columns: str) -> str:
    """The label of the largest of several columns, of shape (rows,)."""
    index = graph.node("ArgMax", columns, axis=1, keepdims=0)
    return graph.node("Gather", graph.constant(labels), index)


def _label(graph: Graph, target: ClassTarget, labels: Array, raw: str) -> str:
    if target.n_outputs > 1:
        return best_label(graph, labels, raw)
    is_second = graph.node("Greater", raw, graph.constant(0.0))
    index = graph.node("Squeeze", graph.cast(is_second, np.int64), graph.constant([1]))
    return graph.node("Gather", graph.constant(labels), index)


def label_columns(target: MultiOutputTarget) -> Sequence[Array]:
    """The labels of each column, of one dtype."""
    columns = [onnx_labels(own.classes) for own in target.targets]
    if len({own.dtype for own in columns}) > 1:
        return [own.astype(str).astype(object) for own in columns]
    return columns


def onnx_labels(classes: Array) -> Array:
    """Labels as int64, or as text in an array of objects."""
    labels = np.array(classes.tolist()) if classes.dtype == object else classes
    if labels.dtype.kind in "UT":
        return labels.astype(object)
    if labels.dtype.kind in "biuf":
        whole = labels.astype(np.int64)
        if (whole == labels).all():
            return whole
    raise ValueError(
        f"Labels {classes[:3].tolist()!r}... of dtype {classes.dtype} cannot be exported to "
        "ONNX: train with whole numbers or text."
    )
