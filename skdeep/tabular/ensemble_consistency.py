"""Whether a fitted tabular estimator fits together: what ``__sklearn_validate_model__`` checks.

The networks of each recipe must be those that it describes, between the columns of the
transformer and the target, and their members must have what the target and the table ask for.
"""

import math
from typing import Any

import numpy as np

from skdeep._checks.fitted import require, require_array, require_count, require_type
from skdeep._checks.parameters import check_spec
from skdeep.estimators.consistency import check_classes, check_columns, check_target
from skdeep.estimators.targets import ClassTarget, RegressionTarget
from skdeep.metrics.tables import Report
from skdeep.tabular.consistency import check_target_means, check_transformer
from skdeep.tabular.ensemble import Ensemble, MemberStack
from skdeep.tabular.members import Member, TargetScale, network_for
from skdeep.tabular.recipes import Recipe
from skdeep.tabular.transformer import TableTransformer


def check_ensemble(estimator: Any, *kinds: type) -> None:
    """Raise ValueError unless a fitted ensemble of one of the kinds of targets is usable."""
    transformer, ensemble = estimator.transformer_, estimator._ensemble
    require_type("transformer_", transformer, TableTransformer)
    check_transformer(transformer)
    means = transformer.target_means_
    require(means is None, "target_means_ of transformer_", "None", means)
    check_columns(estimator)
    n_features = transformer.n_features_in_
    given = estimator.n_features_in_
    require(given == n_features, "n_features_in_", f"{n_features}", given)
    require_type("_ensemble", ensemble, Ensemble)
    target = ensemble.target
    require_type("the target", target, *kinds)
    check_target(target)
    if not isinstance(target, RegressionTarget):
        check_classes(estimator, target)
    for i, stack in enumerate(ensemble.stacks):
        _check_stack(f"stacks[{i}]", stack, transformer, target)
    n_members = sum(len(stack.members) for stack in ensemble.stacks)
    require(n_members > 0, "the number of members", "1 or more", n_members)
    _check_blend(ensemble)
    _check_reports(estimator, target, n_members)


def _check_blend(ensemble: Ensemble) -> None:
    weights = ensemble.weights
    require_array("the weights of recipes", weights, (len(ensemble.stacks),), "float64")
    is_share = (weights >= 0).all() and math.isclose(weights.sum(), 1, rel_tol=1e-9)
    require(is_share, "the weights of recipes", "0 or more, and sum to 1", weights)
    _check_temperature("the temperature", ensemble.temperature)


def _check_temperature(name: str, temperature: Any) -> None:
    require_type(name, temperature, float, np.float64)
    require(0 < temperature < math.inf, name, "above 0 and finite", temperature)


def _check_reports(estimator: Any, target: Any, n_members: int) -> None:
    require_type("members_", estimator.members_, Report)
    n = len(estimator.members_.to_dict())
    require(n == n_members, "members_", f"of {n_members} members", n)
    for name in ("loss_curves_", "validation_loss_curves_"):
        curves = getattr(estimator, name)
        require_type(name, curves, list)
        require(len(curves) == n_members, name, f"a list of {n_members}", len(curves))
        for curve in curves:
            require_array(name, np.asarray(curve), (None,), "float64", finite=False)
    n_columns = target.n_outputs
    if isinstance(target, ClassTarget):
        n_columns = len(target.classes)
    is_vector = isinstance(target, RegressionTarget) and n_columns == 1
    shape = (None,) if is_vector else (None, n_columns)
    oof = estimator.oof_prediction_  # NaN where no member held the row out
    require_array("oof_prediction_", oof, shape, "float64", finite=False)


def _check_stack(name: str, stack: Any, transformer: Any, target: Any) -> None:
    require_type(name, stack, MemberStack)
    require_type(f"{name}.recipe", stack.recipe, Recipe)
    check_spec(stack.recipe)
    regresses = isinstance(target, RegressionTarget)
    n_targets = target.n_columns if regresses else target.n_outputs
    n_means = len(transformer.n_levels_) * n_targets
    network = network_for(
        stack.recipe,
        n_means + len(transformer.get_feature_names_out()),
        n_means + transformer.n_numeric_,
        target.n_outputs,
    )
    same = stack.network == network
    require(same, f"{name}.network", "that of its recipe, columns and target", stack.network)
    shape = (len(stack.members), network.n_params)
    require_array(f"{name}.theta", stack.theta, shape)
    _check_temperature(f"{name}.temperature", stack.temperature)
    for k, member in enumerate(stack.members):
        inner = f"{name}.members[{k}]"
        require_type(inner, member, Member)
        require_count(f"{inner}.fold", member.fold)
        require_type(f"{inner}.scale", member.scale, TargetScale if regresses else type(None))
        if regresses:
            _check_target_scale(f"{inner}.scale", member.scale, target.n_columns)
        if transformer.n_levels_:
            levels = transformer.n_levels_
            check_target_means(f"{inner}.means", member.means, levels, n_targets)
        else:
            require(member.means is None, f"{inner}.means", "None", member.means)


def _check_target_scale(name: str, scale: Any, n_columns: int) -> None:
    for part in ("center", "scale", "low", "high"):
        require_array(f"{name}.{part}", getattr(scale, part), (n_columns,), "float64")
    in_order = (scale.scale > 0).all() and (scale.low <= scale.high).all()
    require(in_order, name, "above 0, with low at most high", scale)
