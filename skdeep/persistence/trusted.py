"""The classes that skops files of our estimators hold."""

from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.plain_state import Record
from skdeep.tabular import TableTransformer, TabularClassifier, TabularRegressor

#: Paths of the classes of skdeep in skops files: pass them as `trusted` to ``skops.io.load``,
#: and as `skops_trusted_types` to ``mlflow.sklearn.log_model``. Everything else in the state of
#: an estimator is arrays and plain Python.
SKOPS_TRUSTED: list[str] = [
    f"{kind.__module__}.{kind.__qualname__}"
    for kind in (
        DeepClassifier,
        DeepRegressor,
        TabularClassifier,
        TabularRegressor,
        TableTransformer,
        Record,
    )
]
