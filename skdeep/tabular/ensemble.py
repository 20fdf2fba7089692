"""A fitted ensemble: stacks of networks, and how their predictions become one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.inference import raw_output
from skdeep._network.network import Network
from skdeep.estimators.targets import RegressionTarget
from skdeep.metrics.tables import Report
from skdeep.tabular.blending import (
    fit_temperature,
    greedy_weights,
    prediction_loss,
    with_temperature,
)
from skdeep.tabular.members import Member, TargetScale
from skdeep.tabular.recipes import Recipe

# Rows that are predicted at once, so that the predictions of all members take little memory.
CHUNK_ROWS = 8192

# What is reported of a member, besides its weight.
OUTCOME = ("fold", "epochs", "best_epoch", "validation_loss")

# What is kept of its course: a number for each epoch.
CURVES = ("loss_curve", "validation_loss_curve")


@dataclass
class MemberStack:
    """The members of a recipe: networks of one shape.

    Attributes
    ----------
    recipe : Recipe
        With the estimator's own parameters in place of its.
    network : Network
    theta : ndarray of shape (n_members, n_params)
    members : list of Member
    temperature : float
        Exponent of the probabilities of a classifier's stack.
    """

    recipe: Recipe
    network: Network
    theta: Array
    members: list[Member]
    temperature: float = 1.0

    def predictions(self, target: Any, shared: Array, codes: Array) -> Array:
        """Predictions of each member, of shape (n_members, n_rows, n_columns)."""
        raw: Any
        if any(member.means is not None for member in self.members):
            raw = [
                raw_output(
                    self.network, self.network.views(theta), member.matrix(shared, codes)
                )
                for member, theta in zip(self.members, self.theta, strict=True)
            ]
        else:
            raw = raw_output(self.network, self.network.views(self.theta), shared)
        return np.stack(
            [
                decoded(target, member, one)
                for member, one in zip(self.members, raw, strict=True)
            ]
        )


def decoded(target: Any, member: Member, raw: Array) -> Array:
    """Probabilities, or numbers in the units of y, of shape (n_rows, n_columns)."""
    raw = raw.astype(float)
    if member.scale is not None:
        return member.scale.inverse_transform(target.loss.output(raw))
    return target.probabilities(raw)


@dataclass
class Ensemble:
    """Stacks of members, and how their predictions become one.

    Attributes
    ----------
    stacks : list of MemberStack
        One per recipe.
    weights : ndarray of shape (n_stacks,)
        Of each recipe in the average; they sum to 1.
    target : Target
    temperature : float
        Exponent of the probabilities, once they are averaged over the recipes.
    """

    stacks: list[MemberStack]
    weights: Array
    target: Any
    temperature: float = 1.0

    def predict(self, shared: Array, codes: Array) -> Array:
        """Blended probabilities, or numbers, of shape (n_rows, n_columns)."""
        chunks = []
        for rows in _chunks(len(shared)):

            def average(k: int, rows: slice = rows) -> Array:
                own = self.stacks[k].predictions(self.target, shared[rows], codes[rows])
                return own.mean(axis=0)

            chunks.append(self.blended(average))
        return np.concatenate(chunks)

    def blended(self, average: Callable[[int], Array]) -> Array:
        """Blend of what `average` returns for the number of a stack, calibrated.

        All have shape (n_rows, n_columns). Stacks of weight 0 are not asked.
        """
        prediction: Any = sum(
            weight * with_temperature(self.target, average(k), self.stacks[k].temperature)
            for k, weight in enumerate(self.weights)
            if weight > 0
        )
        scales = [m.scale for stack in self.stacks for m in stack.members if m.scale]
        if scales:
            # An average of equal numbers may differ from them by rounding.
            low, high = (
                np.array([getattr(s, name) for s in scales]) for name in ("low", "high")
            )
            return np.clip(prediction, low.min(axis=0), high.max(axis=0))
        return with_temperature(self.target, prediction, self.temperature)


def blend(
    stacks: list[MemberStack],
    target: Any,
    out_of_fold: Array,
    encoded: Array,
    weight: Array | None,
) -> Ensemble:
    """The ensemble of some stacks, weighted and calibrated by their out-of-fold predictions.

    These have shape (n_stacks, n_rows, n_columns), and `encoded` are the targets of the rows.
    Each stack is calibrated before they are weighted: one that smooths its labels, and so is
    too timid, would not get the weight that it deserves.
    """
    for stack, own in zip(stacks, out_of_fold, strict=True):
        stack.temperature = fit_temperature(target, own, encoded, weight)
    if len(stacks) == 1:
        return Ensemble(stacks, np.ones(1), target)
    predictions = [
        with_temperature(target, own, stack.temperature)
        for stack, own in zip(stacks, out_of_fold, strict=True)
    ]
    if isinstance(target, RegressionTarget):
        # As trained: whatever the unit of y, and columns count alike.
        scale = TargetScale.fit(encoded, weight, target)
        encoded, predictions = scale.transform(encoded), list(map(scale.transform, predictions))
    weights = greedy_weights(predictions, lambda p: prediction_loss(target, encoded, p, weight))
    blended = np.tensordot(weights, np.stack(predictions), 1)
    temperature = fit_temperature(target, blended, encoded, weight)
    return Ensemble(stacks, weights, target, temperature)


def report_of(outcomes: list[list[dict[str, Any]]], weights: Array) -> Report:
    """Table of the members: what came of each member of each recipe, and its weight."""
    rows = {}
    for recipe, (members, weight) in enumerate(zip(outcomes, weights, strict=True)):
        for k, outcome in enumerate(members):
            name = f"{recipe}.{k}" if len(outcomes) > 1 else str(k)
            own = {key: outcome[key] for key in OUTCOME}
            rows[name] = {**own, "weight": float(weight) / len(members)}
    return Report(rows, ((*OUTCOME, "weight"),), ".4f")


def curves_of(outcomes: list[list[dict[str, Any]]]) -> dict[str, list[list[float]]]:
    """The attributes with the curves of the members, in the order of the rows of `members_`."""
    return {
        f"{curve}s_": [outcome[curve] for members in outcomes for outcome in members]
        for curve in CURVES
    }


def _chunks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)
