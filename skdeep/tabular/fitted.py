"""What fitted tabular estimators consist of: read by files, which put them together again."""

from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from skdeep._arrays import Array
from skdeep.tabular.encoders import Encoder
from skdeep.tabular.ensemble import CURVES, OUTCOME, Ensemble, curves_of, report_of
from skdeep.tabular.recipes import recipes_of
from skdeep.tabular.target_means import TargetMeans
from skdeep.tabular.transformer import TableTransformer


class FittedTable(NamedTuple):
    """What a TableTransformer has learnt.

    Attributes
    ----------
    n_features : int
        Number of columns of the table.
    names : list of str or None
    encoders : list of Encoder
        Each column is of one encoder, or dropped.
    dropped : dict of int -> str
        Indices of columns, and why they are dropped.
    target_names : list of str
        Suffixes of the columns of target means.
    target_means : TargetMeans or None
    """

    n_features: int
    names: list[str] | None
    encoders: list[Encoder]
    dropped: dict[int, str]
    target_names: list[str]
    target_means: TargetMeans | None


def table_of(transformer: Any) -> FittedTable:
    """What a fitted transformer has learnt."""
    n_features = transformer.n_features_in_
    names = getattr(transformer, "feature_names_in_", None)
    places = {name: i for i, name in enumerate(range(n_features) if names is None else names)}
    return FittedTable(
        n_features,
        None if names is None else names.tolist(),
        transformer._encoders,
        {places[name]: reason for name, reason in transformer.dropped_.items()},
        transformer._target_names,
        transformer.target_means_,
    )


def make_transformer_fitted(
    transformer: TableTransformer, table: FittedTable
) -> TableTransformer:
    """Make a transformer as it is after a fit that learnt `table`."""
    transformer.n_features_in_ = table.n_features
    if table.names is not None:
        transformer.feature_names_in_ = np.array(table.names, dtype=object)
    transformer._set_encoders(table.encoders, table.dropped)
    transformer.target_means_ = table.target_means
    transformer._target_names = table.target_names
    n_means = len(transformer.n_levels_) * len(table.target_names)
    transformer.n_numeric_ = n_means + sum(len(one.numeric) for one in table.encoders)
    return transformer


def ensemble_of(estimator: Any) -> Ensemble:
    """The ensemble of a fitted estimator."""
    return estimator._ensemble


def outcomes_of(estimator: Any) -> list[list[dict[str, Any]]]:
    """What came of each member of each recipe, by the names of OUTCOME and CURVES."""
    figures = [{n: row[n] for n in OUTCOME} for row in estimator.members_.to_dict().values()]
    curves = zip(*(getattr(estimator, f"{name}s_") for name in CURVES), strict=True)
    outcomes = (
        own | dict(zip(CURVES, both, strict=True))
        for own, both in zip(figures, curves, strict=True)
    )
    return [list(islice(outcomes, len(stack.members))) for stack in estimator._ensemble.stacks]


def check_parameters(estimator: Any) -> None:
    """Raise ValueError if a parameter of the estimator cannot be used."""
    estimator._validate_params()
    recipes_of(estimator, estimator._recipes_by_effort)


def make_fitted(
    estimator: Any,
    transformer: TableTransformer,
    ensemble: Ensemble,
    outcomes: list[list[dict[str, Any]]],
    oof_prediction: Array,
    validation_score: float,
) -> Any:
    """Make a TabularClassifier or TabularRegressor as it is after a fit."""
    estimator.transformer_ = transformer
    estimator.n_features_in_ = transformer.n_features_in_
    if hasattr(transformer, "feature_names_in_"):
        estimator.feature_names_in_ = transformer.feature_names_in_
    if hasattr(ensemble.target, "classes"):
        estimator.classes_ = ensemble.target.classes
    estimator._ensemble = ensemble
    estimator.oof_prediction_ = oof_prediction
    estimator.validation_score_ = validation_score
    estimator.members_ = report_of(outcomes, ensemble.weights)
    vars(estimator).update(curves_of(outcomes))
    estimator.n_iter_ = max(row["epochs"] for rows in outcomes for row in rows)
    return estimator
