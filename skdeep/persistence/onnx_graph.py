"""A small builder of ONNX graphs: nodes are added one by one, and named as they come."""

from typing import Any

import numpy as np

from skdeep._arrays import Array

# Runtimes of two years ago load these.
OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes, constants and inputs of a graph to be.

    Values are known by their names: each method returns the name of what it adds.
    `dtype` is that of the floating-point numbers of the graph.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.opset = OPSET

    def node(self, op: str, *inputs: str, since: int = OPSET, **attributes: Any) -> str:
        """Add a node with one output. `since` is the opset that its operator needs."""
        from onnx import helper

        output = self._unused(f"{op.lower()}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        self.opset = max(self.opset, since)
        return output

    def cast(self, value: str, dtype: Any) -> str:
        """Convert to another dtype."""
        from onnx import helper

        return self.node("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array. Floating-point numbers have the graph's dtype unless told otherwise."""
        from onnx import numpy_helper

        array: Array = np.asarray(value, dtype)
        if dtype is None and array.dtype.kind == "f":
            array = array.astype(self.dtype)
        name = self._unused(f"constant_{len(self.constants)}")
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def input(self, name: str, dtype: Any, shape: tuple[Any, ...]) -> str:
        """Add an input of the graph; a string or None in `shape` is a dynamic dimension."""
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def _unused(self, name: str) -> str:
        # An input may be called as a node would be: inputs come first.
        while any(name == each.name for each in self.inputs):
            name += "_"
        return name
