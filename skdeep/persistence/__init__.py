"""Fitted estimators to files and back."""

from skdeep.persistence.go_networks import from_go_deep, from_gopher_neural
from skdeep.persistence.saving import load, save
from skdeep.persistence.trusted import SKOPS_TRUSTED

__all__ = ["SKOPS_TRUSTED", "from_go_deep", "from_gopher_neural", "load", "save"]
