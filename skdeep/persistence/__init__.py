"""Fitted estimators to files and back."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skdeep.persistence.checkpoints import Checkpoint, resume
from skdeep.persistence.go_networks import from_go_deep, from_gopher_neural
from skdeep.persistence.saving import load, save
from skdeep.persistence.trusted import SKOPS_TRUSTED

if TYPE_CHECKING:
    from skdeep.persistence.onnx import to_onnx

__all__ = [
    "SKOPS_TRUSTED",
    "Checkpoint",
    "from_go_deep",
    "from_gopher_neural",
    "load",
    "resume",
    "save",
    "to_onnx",
]


def __getattr__(name: str) -> Any:
    # Others need not wait for skl2onnx.
    if name == "to_onnx":
        return import_module("skdeep.persistence.onnx").to_onnx
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
