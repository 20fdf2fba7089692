"""Summaries and plots of fitted networks. The plots need matplotlib."""

from skdeep.inspection.curves import LossCurveDisplay
from skdeep.inspection.networks import NetworkDisplay
from skdeep.inspection.rates import ScheduleDisplay
from skdeep.inspection.summary import LayerRow, Summary

__all__ = ["LayerRow", "LossCurveDisplay", "NetworkDisplay", "ScheduleDisplay", "Summary"]
