"""Fitted estimators to files and back."""

from skdeep.persistence.checkpoints import Checkpoint, resume
from skdeep.persistence.go_networks import from_go_deep, from_gopher_neural
from skdeep.persistence.saving import load, save

__all__ = ["Checkpoint", "from_go_deep", "from_gopher_neural", "load", "resume", "save"]
