"""A small builder of ONNX graphs: nodes are added one by one, and named as they come."""

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdeep._arrays import Array

# Runtimes of two years ago load these.
OPSET = 17
ML_OPSET = 3
IR_VERSION = 8

# Domain of operators beyond arithmetic.
ML = "ai.onnx.ml"

# The dimension of rows, of any length.
ROWS = "rows"


class Graph:
    """Nodes, constants, inputs and outputs of a graph to be.

    Values are known by their names: each method returns the name of what it adds.
    `dtype` is that of the floating-point numbers of the graph.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def computing_in(self, dtype: Any) -> Self:
        """The same graph, to which numbers of another dtype are added."""
        other = copy.copy(self)
        other.dtype = np.dtype(dtype)
        return other

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        from onnx import helper

        # No column of a table has such a name.
        output = f"/{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array. Floating-point numbers have the graph's dtype unless told otherwise."""
        from onnx import numpy_helper

        name = f"/constant_{len(self.constants)}"
        array: Array = np.asarray(value, dtype)
        if dtype is None and array.dtype.kind == "f":
            array = array.astype(self.dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """Add a conversion to another dtype."""
        return self.node("Cast", value, to=_element_type(dtype))

    def input(self, name: str, dtype: Any, shape: Sequence[Any]) -> str:
        """Add an input of the graph; a string or None in `shape` is a dynamic dimension."""
        from onnx import helper

        self.inputs.append(helper.make_tensor_value_info(name, _element_type(dtype), shape))
        return name

    def output(self, name: str, value: str, dtype: Any, shape: Sequence[Any] | None) -> str:
        """Give a value the name of an output; a `shape` of None is a sequence of arrays.

        Where an input has that name, the output is called "output_" and the name.
        """
        from onnx import helper

        while any(name == other.name for other in self.inputs):
            name = f"output_{name}"
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        kind = "tensor_sequence" if shape is None else "tensor"
        make = getattr(helper, f"make_{kind}_value_info")
        self.outputs.append(make(name, _element_type(dtype), shape))
        return name

    def model(self, name: str) -> Any:
        """The ModelProto."""
        from onnx import helper

        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.constants)
        opsets = {"": OPSET}
        if any(node.domain == ML for node in self.nodes):
            opsets[ML] = ML_OPSET
        return helper.make_model(
            graph,
            producer_name="skdeep",
            opset_imports=[helper.make_opsetid(*one) for one in opsets.items()],
            ir_version=IR_VERSION,
        )


def _element_type(dtype: Any) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
