"""Summaries and plots of fitted networks."""

from skdeep.inspection.summary import LayerRow, Summary

__all__ = ["LayerRow", "Summary"]
