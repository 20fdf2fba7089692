"""Checks of what users pass; the only place that imports scikit-learn's private names."""
