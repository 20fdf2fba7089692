"""Metrics, scorers and reports."""

from skdeep.metrics.functions import (
    class_distance,
    distance,
    macro_f_measure,
    one_vs_rest_accuracy,
    one_vs_rest_balanced_accuracy,
    within_threshold,
)
from skdeep.metrics.reports import class_report, regression_report
from skdeep.metrics.scorers import SCORERS, EstimatorScorer, get_scorer
from skdeep.metrics.tables import Report

__all__ = [
    "SCORERS",
    "EstimatorScorer",
    "Report",
    "class_distance",
    "class_report",
    "distance",
    "get_scorer",
    "macro_f_measure",
    "one_vs_rest_accuracy",
    "one_vs_rest_balanced_accuracy",
    "regression_report",
    "within_threshold",
]
