"""Tables as they come: data frames and arrays of numbers, categories, dates and booleans."""

from skdeep.tabular.classifier import TabularClassifier
from skdeep.tabular.recipes import Recipe
from skdeep.tabular.regressor import TabularRegressor
from skdeep.tabular.target_means import TargetMeans
from skdeep.tabular.transformer import TableTransformer

__all__ = ["Recipe", "TableTransformer", "TabularClassifier", "TabularRegressor", "TargetMeans"]
