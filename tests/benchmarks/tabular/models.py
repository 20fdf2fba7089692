"""The models: ours, and peers with their defaults and what they need to read a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from skdeep import TabularClassifier, TabularRegressor
from tests.benchmarks.tabular.tables import REGRESSION

REFERENCE = "HistGradientBoosting"
DEFAULT = "skdeep default"


@dataclass(frozen=True)
class Model:
    """One contestant.

    Attributes
    ----------
    make : callable
        Gives an estimator from the task, the seed, and the names of the categories and of the
        numbers among the columns.
    package : str or None
        What must be installed besides the dependencies.
    only_classes : bool
        Whether it is the same as the default where the target is a number, and left out there.
    patch : dict
        Names in ``skdeep.tabular.members``, and what stands there while the model is fitted.
    """

    make: Callable[[str, int, list[str], list[str]], Any]
    package: str | None = None
    only_classes: bool = False
    patch: Mapping[str, Any] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return self.package is None or find_spec(self.package) is not None


def tabular(task: str, seed: int, **parameters: Any) -> Any:
    """Our estimator for the task."""
    kind = TabularRegressor if task == REGRESSION else TabularClassifier
    return kind(random_state=seed, **parameters)


def _ours(effort: str) -> Model:
    return Model(lambda task, seed, categories, numbers: tabular(task, seed, effort=effort))


def _boosting(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
    regression = task == REGRESSION
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(random_state=seed)


def _forest(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1
    )
    columns = make_column_transformer(
        (SimpleImputer(strategy="median"), numbers), (codes, categories)
    )
    kind = RandomForestRegressor if task == REGRESSION else RandomForestClassifier
    return make_pipeline(columns, kind(random_state=seed))


def _mlp(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
    # Missing categories become a level of their own.
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    )
    if task != REGRESSION:
        return make_pipeline(columns, MLPClassifier(random_state=seed))
    network = make_pipeline(columns, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(network, transformer=StandardScaler())


def _lightgbm(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
    lightgbm = import_module("lightgbm")
    kind = lightgbm.LGBMRegressor if task == REGRESSION else lightgbm.LGBMClassifier
    return kind(random_state=seed, n_jobs=1, verbosity=-1)


def _catboost(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
    catboost = import_module("catboost")
    kind = catboost.CatBoostRegressor if task == REGRESSION else catboost.CatBoostClassifier
    model = kind(
        random_seed=seed,
        cat_features=categories,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    return make_pipeline(FunctionTransformer(partial(_as_text, categories=categories)), model)


def _as_text(X: Any, categories: list[str]) -> Any:
    # CatBoost takes no missing category.
    text = {name: X[name].astype(object).fillna("missing").astype(str) for name in categories}
    return X.assign(**text)


MODELS = {
    "skdeep fast": _ours("fast"),
    DEFAULT: _ours("default"),
    "skdeep best": _ours("best"),
    REFERENCE: Model(_boosting),
    "LightGBM": Model(_lightgbm, package="lightgbm"),
    "CatBoost": Model(_catboost, package="catboost"),
    "random forest": Model(_forest),
    "MLP in a pipeline": Model(_mlp),
}
