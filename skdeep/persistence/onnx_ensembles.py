"""Ensembles as ONNX nodes: a stack of members is one network of batched matrix products.

The networks compute in the graph's dtype, what follows in float64, as in prediction.
"""

from functools import reduce
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.estimators.targets import ClassTarget, MultilabelTarget, RegressionTarget
from skdeep.persistence.onnx_graph import Graph
from skdeep.persistence.onnx_networks import raw_output
from skdeep.persistence.onnx_outputs import (
    best_label,
    loss_output,
    onnx_labels,
    ordered,
    probabilities,
)
from skdeep.tabular.blending import TINY
from skdeep.tabular.ensemble import Ensemble, MemberStack
from skdeep.tabular.members import Member


def ensemble_outputs(graph: Graph, ensemble: Ensemble, shared: str, codes: str) -> str:
    """What `Ensemble.predict` returns: float64 of shape (rows, n_columns).

    `shared` are the columns that all members see, of shape (rows, n_columns), and `codes` the
    categories of many levels, int64 of shape (rows, n_codes), -1 if missing or unseen; they are
    not read where members have no target means.
    """
    double = graph.computing_in(np.float64)
    target: Any = ensemble.target
    averages = []
    for stack, weight in zip(ensemble.stacks, ensemble.weights, strict=True):
        if weight > 0:
            x = _matrices(graph, stack.members, shared, codes)
            raw = raw_output(graph, stack.network, stack.network.views(stack.theta), x)
            predictions = _decoded(double, target, stack, double.cast(raw, np.float64))
            average = double.node("ReduceMean", predictions, axes=[0], keepdims=0)
            average = _with_temperature(double, target, average, stack.temperature)
            averages.append(double.node("Mul", average, double.constant(weight)))
    blended = reduce(lambda a, b: double.node("Add", a, b), averages)
    return _calibrated(double, ensemble, blended)


def tabular_outputs(graph: Graph, target: Any, prediction: str) -> list[str]:
    """Values of the outputs in `signature`, from what `ensemble_outputs` returns."""
    if isinstance(target, RegressionTarget):
        return [ordered(graph, target, prediction)]
    if isinstance(target, MultilabelTarget):
        half = graph.constant(0.5, np.float64)
        return [graph.cast(graph.node("Greater", prediction, half), np.int64), prediction]
    return [best_label(graph, onnx_labels(target.classes), prediction), prediction]


def _matrices(graph: Graph, members: list[Member], shared: str, codes: str) -> str:
    # The columns that each member sees, of shape (n_members, rows, n_columns).
    shape = graph.constant([len(members), 1, 1])
    x = graph.node("Expand", shared, shape)
    if members[0].means is None:
        return x
    starts, means = _means(members)
    rows = graph.node("Add", codes, graph.constant(starts))
    # (n_members, rows, n_codes, n_targets)
    values = graph.node("Gather", graph.constant(means), rows, axis=1)
    flat = graph.constant([len(members), -1, len(starts) * means.shape[-1]])
    return graph.node("Concat", graph.node("Reshape", values, flat), x, axis=-1)


def _means(members: list[Member]) -> tuple[Array, Array]:
    """Scaled target means of all columns in one table, of shape (n_members, n, n_targets).

    The means of level k of column j are in row starts[j] + k; before them are those of
    missing and unseen levels, whose code is -1.
    """
    all_means: list[Any] = [member.means for member in members]
    n_levels = [len(means) - 1 for means in all_means[0].means]
    parts = []
    for j, n in enumerate(n_levels):
        codes = np.zeros((n + 1, len(n_levels)), np.int64)
        codes[:, j] = np.arange(-1, n)
        scaled = np.array([means.transform(codes) for means in all_means])
        parts.append(scaled.reshape(len(members), n + 1, len(n_levels), -1)[:, :, j])
    starts = np.cumsum([0, *(n + 1 for n in n_levels[:-1])]) + 1
    return starts, np.concatenate(parts, axis=1)


def _decoded(graph: Graph, target: Any, stack: MemberStack, raw: str) -> str:
    # Predictions of each member, of shape (n_members, rows, n_columns).
    scales: list[Any] = [member.scale for member in stack.members]
    if scales[0] is None:
        return probabilities(graph, target, raw)
    center, scale, low, high = (
        graph.constant(np.array([getattr(one, name) for one in scales])[:, None])
        for name in ("center", "scale", "low", "high")
    )
    prediction = graph.node("Mul", loss_output(graph, target.loss, raw), scale)
    prediction = graph.node("Add", prediction, center)
    return graph.node("Min", graph.node("Max", prediction, low), high)


def _calibrated(graph: Graph, ensemble: Ensemble, prediction: str) -> str:
    scales: list[Any] = [m.scale for stack in ensemble.stacks for m in stack.members]
    if scales[0] is not None:
        low = np.min([scale.low for scale in scales], axis=0)
        high = np.max([scale.high for scale in scales], axis=0)
        above = graph.node("Max", prediction, graph.constant(low))
        return graph.node("Min", above, graph.constant(high))
    return _with_temperature(graph, ensemble.target, prediction, ensemble.temperature)


def _with_temperature(graph: Graph, target: Any, prediction: str, temperature: float) -> str:
    if temperature == 1:
        return prediction
    exponent = graph.constant(temperature)
    logs = _log(graph, prediction)
    if isinstance(target, ClassTarget):
        return graph.node("Softmax", graph.node("Mul", logs, exponent), axis=-1)
    # Of a label and its absence.
    absent = graph.node("Sub", graph.constant(1.0), prediction)
    odds = graph.node("Sub", logs, _log(graph, absent))
    return graph.node("Sigmoid", graph.node("Mul", odds, exponent))


def _log(graph: Graph, probability: str) -> str:
    return graph.node("Log", graph.node("Max", probability, graph.constant(TINY)))
