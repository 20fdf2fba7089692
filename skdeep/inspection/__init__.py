"""Summaries of fitted networks."""

from skdeep.inspection.summary import html_summary, text_summary

__all__ = [
    "html_summary",
    "text_summary",
]
