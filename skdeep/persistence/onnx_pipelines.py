"""Converters for skl2onnx, so that pipelines with networks of skdeep become ONNX graphs.

They write the same nodes as `to_onnx`. As for scikit-learn's estimators, numbers have the dtype
of the pipeline's input: float64 if that is float64, else float32.
"""

import warnings
from typing import Any

import numpy as np

from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.model import model_of
from skdeep.persistence.onnx_graph import ROWS, Graph
from skdeep.persistence.onnx_networks import raw_output
from skdeep.persistence.onnx_outputs import outputs, signature


class PipelineGraph(Graph):
    """A graph that is a part of another, which skl2onnx builds."""

    def __init__(self, dtype: Any, scope: Any, container: Any) -> None:
        super().__init__(dtype)
        self.scope = scope
        self.container = container

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, named as skl2onnx would."""
        name = self.scope.get_unique_variable_name(op.lower())
        self._add_node(op, inputs, name, attributes)
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array, named as skl2onnx would."""
        super().constant(value, dtype)
        tensor = self.constants.pop()
        name = self.scope.get_unique_variable_name("constant")
        content = list(tensor.string_data) or tensor
        self.container.add_initializer(name, tensor.data_type, list(tensor.dims), content)
        return name

    def name_as(self, name: str, value: str) -> None:
        """Give a value the name of an output of the part."""
        self._add_node("Identity", [value], name, {})

    def _add_node(self, op: str, inputs: Any, output: str, attributes: dict[str, Any]) -> None:
        name = self.scope.get_unique_operator_name(op)
        self.container.add_node(op, list(inputs), output, name=name, **attributes)


def register() -> None:
    """Make the converters known to skl2onnx."""
    from skl2onnx import update_registered_converter

    update_registered_converter(
        DeepClassifier,
        "SkdeepDeepClassifier",
        _set_output_types,
        _convert,
        parser=_parse_classifier,
        # "nocl" is read by skl2onnx itself.
        options={"zipmap": [True, False, "columns"], "nocl": [False]},
    )
    update_registered_converter(
        DeepRegressor, "SkdeepDeepRegressor", _set_output_types, _convert
    )


def _parse_classifier(
    scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    from skl2onnx import _parse
    from skl2onnx.common.data_types import FloatTensorType

    zipmap = scope.get_options(model, {"zipmap": True})["zipmap"]
    outputs = _parse._parse_sklearn_simple_model(scope, model, inputs, custom_parsers)
    if isinstance(model.classes_, list):
        if zipmap == "columns":
            warnings.warn(
                "The option zipmap='columns' is ignored: for several columns of classes, "
                "probabilities are a sequence of arrays.",
                stacklevel=2,
            )
        return outputs
    if not zipmap:
        return outputs
    if zipmap != "columns":
        # ZipMap takes float32 only.
        cast = scope.declare_local_operator("SklearnCast")
        cast.inputs = outputs[1:]
        cast.outputs.append(scope.declare_local_variable("shares", FloatTensorType()))
        outputs = [outputs[0], *cast.outputs]
    return _parse._apply_zipmap(zipmap, scope, model, inputs[0].type, outputs)


def _dtype(operator: Any) -> type[np.floating]:
    from skl2onnx.common.data_types import DoubleTensorType

    is_double = any(isinstance(each.type, DoubleTensorType) for each in operator.inputs)
    return np.float64 if is_double else np.float32


def _set_output_types(operator: Any) -> None:
    from skl2onnx.common import data_types as types
    from skl2onnx.common.utils import check_input_and_output_types

    numeric = [
        types.BooleanTensorType,
        types.DoubleTensorType,
        types.FloatTensorType,
        types.Int64TensorType,
    ]
    check_input_and_output_types(operator, good_input_types=numeric)
    of_dtype = {
        np.dtype(np.float32): types.FloatTensorType,
        np.dtype(np.float64): types.DoubleTensorType,
        np.dtype(np.int64): types.Int64TensorType,
        np.dtype(object): types.StringTensorType,
    }
    n_rows = operator.inputs[0].get_first_dimension()
    declared = signature(model_of(operator.raw_operator).target, _dtype(operator))
    for output, (dtype, shape) in zip(operator.outputs, declared.values(), strict=True):
        of_type = of_dtype[np.dtype(dtype)]
        if shape is None:
            output.set_type(types.SequenceType(of_type()))
        else:
            output.set_type(of_type([n_rows if n == ROWS else n for n in shape]))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    network, params, target = model_of(operator.raw_operator)
    graph = PipelineGraph(_dtype(operator), scope, container)
    parts = [graph.cast(each.full_name, graph.dtype) for each in operator.inputs]
    x = parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)
    values = outputs(graph, target, raw_output(graph, network, params, x))
    for output, value in zip(operator.outputs, values, strict=True):
        graph.name_as(output.full_name, value)
