"""Tables as they come: data frames and arrays of numbers, categories, dates and booleans."""

from skdeep.tabular.target_means import TargetMeans
from skdeep.tabular.transformer import TableTransformer

__all__ = ["TableTransformer", "TargetMeans"]
