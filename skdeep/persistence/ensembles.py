"""Fitted TabularClassifier and TabularRegressor as documents: a transformer and stacks."""

import math
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._checks.parameters import check_spec
from skdeep.estimators.targets import RegressionTarget, with_regression_loss
from skdeep.persistence.encoding import decode_params, encode, encode_params
from skdeep.persistence.fields import Fields
from skdeep.persistence.files import short_repr
from skdeep.persistence.tables import (
    decode_target_means,
    decode_transformer,
    encode_target_means,
    encode_transformer,
)
from skdeep.persistence.targets import decode_target, encode_target, output_of
from skdeep.tabular import Recipe, TableTransformer
from skdeep.tabular.ensemble import CURVES, Ensemble, MemberStack
from skdeep.tabular.fitted import check_parameters, ensemble_of, make_fitted, outcomes_of
from skdeep.tabular.members import Member, TargetScale, network_for

SECTIONS = (
    "version", "estimator", "params", "target", "transformer", "stacks", "weights",
    "temperature", "oof_prediction", "validation_score",
)  # fmt: skip
STACK = ("recipe", "theta", "members", "temperature")
MEMBER = (
    "fold", "epochs", "best_epoch", "validation_loss", "loss_curve", "validation_loss_curve",
    "scale", "means",
)  # fmt: skip
SCALE = ("center", "scale", "low", "high")
# Values, 0 where they are NaN, and where that is, or null if nowhere.
OOF = ("values", "missing")

# The exponent of probabilities is chosen within [1/16, 16].
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.06, 16.1

ADVICE = {"cv": ", or set_params(cv=None) if you need not fit again with these folds"}


def determined_by_params(estimator: Any) -> dict[str, Any]:
    """Parts of a fitted estimator that change if its parameters do."""
    return {"its output": output_of(ensemble_of(estimator).target)}


def document_of(estimator: Any) -> dict[str, Any]:
    """The sections of a fitted estimator."""
    ensemble, oof = ensemble_of(estimator), estimator.oof_prediction_
    missing = np.isnan(oof)
    return {
        "estimator": type(estimator).__name__,
        "params": encode_params(estimator, ADVICE),
        "target": encode_target(ensemble.target),
        "transformer": encode_transformer(estimator.transformer_),
        "stacks": [
            {
                "recipe": _encode_recipe(stack.recipe),
                "theta": stack.theta,
                "members": [
                    _encode_member(*pair) for pair in zip(stack.members, outcomes, strict=True)
                ],
                "temperature": stack.temperature,
            }
            for stack, outcomes in zip(ensemble.stacks, outcomes_of(estimator), strict=True)
        ],
        "weights": ensemble.weights,
        "temperature": ensemble.temperature,
        "oof_prediction": {
            "values": np.where(missing, 0.0, oof),
            "missing": missing if missing.any() else None,
        },
        "validation_score": encode(estimator.validation_score_),
    }


def _encode_recipe(recipe: Recipe) -> Any:
    try:
        return encode(recipe)
    except TypeError as error:
        raise ValueError(
            f"The recipe {short_repr(recipe)} cannot be saved, because {error}. Use "
            "joblib.dump, whose files can hold code."
        ) from None


def _encode_member(member: Member, outcome: dict[str, Any]) -> dict[str, Any]:
    scale, means = member.scale, member.means
    return {
        **{name: encode(value) for name, value in outcome.items()},
        "scale": scale and {name: getattr(scale, name) for name in SCALE},
        "means": means and encode_target_means(means),
    }


def estimator_of(document: dict[str, Any], kind: type) -> Any:
    """A fitted TabularClassifier or TabularRegressor."""
    read = Fields(document, SECTIONS, "")
    if document["version"] == 1:
        raise ValueError(f"version 1 of the format has no {kind.__name__}.")
    defaults = kind().get_params(deep=False)
    estimator = kind(**decode_params(document["params"], defaults, "params"))
    check_parameters(estimator)
    transformer = decode_transformer(document["transformer"])
    if transformer.target_means_ is not None:
        raise ValueError("transformer.target_means must be null: each member has its own.")
    oof = _oof_prediction(document["oof_prediction"])
    target = _target(document["target"], estimator, oof)
    stacks, outcomes = [], []
    for i, tree in enumerate(read.items("stacks")):
        stack, of_stack = _stack(tree, f"stacks.{i}", transformer, target)
        stacks.append(stack)
        outcomes.append(of_stack)
    ensemble = Ensemble(stacks, _weights(read, len(stacks)), target, _temperature(read, target))
    score = read.number("validation_score")
    return make_fitted(estimator, transformer, ensemble, outcomes, oof, score)


def _oof_prediction(tree: Any) -> Array:
    read = Fields(tree, OOF, "oof_prediction")
    ndim = read["values"].ndim if type(read["values"]) is np.ndarray else 1
    # The number of columns bounds the target, so there must be as many values.
    values = read.array("values", "<f8", (None,) * min(max(ndim, 1), 2))
    if not values.size:
        raise read.refusal("values", "not empty")
    if read["missing"] is not None:
        values = np.where(read.array("missing", "|b1", values.shape), np.nan, values)
    return values


def _target(tree: Any, estimator: Any, oof: Array) -> Any:
    target = decode_target(tree, estimator, 1 if oof.ndim == 1 else oof.shape[1])
    if isinstance(target, RegressionTarget):
        target = with_regression_loss(target, estimator.loss, estimator.quantile)
        shape = oof.shape[:1] if target.n_outputs == 1 else (len(oof), target.n_outputs)
    else:
        shape = len(oof), len(target.classes)
    if oof.shape != shape:
        raise ValueError(
            f"oof_prediction.values must have the shape {shape}, as the target and the "
            f"parameters ask for; got {oof.shape}."
        )
    return target


def _weights(read: Fields, n_stacks: int) -> Array:
    weights = read.array("weights", "<f8", (n_stacks,))
    if (weights < 0).any() or not math.isclose(weights.sum(), 1, rel_tol=1e-9):
        raise read.refusal("weights", "0 or more, and sum to 1")
    return weights


def _temperature(read: Fields, target: Any) -> float:
    value = read["temperature"]
    if type(value) is not float or not MIN_TEMPERATURE < value < MAX_TEMPERATURE:
        raise read.refusal("temperature", "a number from 1/16 to 16")
    if isinstance(target, RegressionTarget) and value != 1:
        raise read.refusal("temperature", "1.0 for a regressor")
    return value


# Stacks


def _stack(
    tree: Any, path: str, transformer: TableTransformer, target: Any
) -> tuple[MemberStack, list[dict[str, Any]]]:
    # A stack, and what came of its members.
    read = Fields(tree, STACK, path)
    recipe = read.value("recipe")
    if not isinstance(recipe, Recipe):
        raise read.refusal("recipe", "a Recipe")
    check_spec(recipe)
    regresses = isinstance(target, RegressionTarget)
    n_targets = target.n_columns if regresses else target.n_outputs
    n_means = len(transformer.n_levels_) * n_targets
    # Only numbers: nothing of the size that the recipe claims is made.
    network = network_for(
        recipe,
        n_means + len(transformer.get_feature_names_out()),
        n_means + transformer.n_numeric_,
        target.n_outputs,
    )
    members = read.items("members")
    if not members:
        raise read.refusal("members", "not empty")
    theta = read.array("theta", transformer.dtype, (len(members), network.n_params))
    n_columns = n_targets if regresses else None
    found = [
        _member(one, f"{path}.members.{k}", transformer.n_levels_, n_targets, n_columns)
        for k, one in enumerate(members)
    ]
    own = [member for member, _ in found]
    stack = MemberStack(recipe, network, theta, own, _temperature(read, target))
    return stack, [outcome for _, outcome in found]


def _member(
    tree: Any, path: str, n_levels: list[int], n_targets: int, n_columns: int | None
) -> tuple[Member, dict[str, Any]]:
    # A member, whose targets have `n_columns` if they are numbers, and what came of it.
    read = Fields(tree, MEMBER, path)
    epochs = read.count("epochs")
    outcome = {
        "fold": read.count("fold"),
        "epochs": epochs,
        "best_epoch": read.count("best_epoch", 0, epochs),
        "validation_loss": read.number("validation_loss"),
        **{name: read.numbers(name, epochs) for name in CURVES},
    }
    scale = means = None
    if n_columns is not None:
        inner = Fields(read["scale"], SCALE, read.at("scale"))
        scale = TargetScale(*(inner.array(name, "<f8", (n_columns,)) for name in SCALE))
        if (scale.scale <= 0).any() or (scale.low > scale.high).any():
            raise read.refusal("scale", "above 0, and low at most high")
    elif read["scale"] is not None:
        raise read.refusal("scale", "null for a classifier")
    if n_levels:
        means = decode_target_means(read["means"], read.at("means"), n_levels, n_targets)
    elif read["means"] is not None:
        raise read.refusal("means", "null without columns of codes")
    return Member(outcome["fold"], scale, means), outcome
