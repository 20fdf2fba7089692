"""Members of an ensemble: what each sees of the rows and of the targets, and its fit task."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._checks.parameters import check_hidden_layer_sizes
from skdeep._network.data_driven import start_from_data
from skdeep._network.input_layers import (
    InputLayer,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
    Scaling,
)
from skdeep._network.network import Network, Part
from skdeep._training.fit_task import FitTask
from skdeep.activations import ACTIVATIONS
from skdeep.estimators.targets import RegressionTarget, Target
from skdeep.estimators.validation_set import ValidationRows, ValidationSet
from skdeep.initializers import LecunNormal
from skdeep.schedules import SCHEDULES, FlatCosine
from skdeep.solvers import AdamW
from skdeep.tabular.recipes import Recipe
from skdeep.tabular.target_means import TargetMeans

# Factors of the learning rate.
BIAS_RATE = 0.1
EMBEDDING_RATE = 0.1
SCALING_RATE = 6.0

# Columns of the piecewise linear embedding of a number.
N_COMPONENTS = 4

# Decay of the second moment, shorter than Adam's default, as in RealMLP.
BETA_2 = 0.95

# Batches of an epoch, unless they would have fewer rows: fewer steps train too little.
MIN_BATCHES = 16
MIN_ROWS = 16

# Rows by which initial weights and bins are chosen.
N_START_ROWS = 1000


@dataclass
class TargetScale:
    """Location, scale and range of the targets that a member was trained on.

    All have shape (n_columns,). Networks are trained on (y - center) / scale.
    """

    center: Array
    scale: Array
    low: Array
    high: Array

    @classmethod
    def fit(cls, y: Array, weight: Array | None, target: Target) -> "TargetScale":
        """From targets of shape (n_rows, n_columns); those of an exponential are not moved."""
        mean = np.average(y, axis=0, weights=weight)
        if target.loss.out_activation == "exp":
            center, scale = np.zeros_like(mean), mean
        else:
            center = mean
            scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        scale = np.where(scale > 0, scale, 1.0)
        return cls(center, scale, y.min(axis=0), y.max(axis=0))

    def transform(self, y: Array) -> Array:
        """Targets as the network is trained on them."""
        return (y - self.center) / self.scale

    def inverse_transform(self, prediction: Array) -> Array:
        """Predictions in the units of the targets, within the range seen in training."""
        return np.clip(prediction * self.scale + self.center, self.low, self.high)


@dataclass
class Member:
    """What a member of the ensemble needs besides its parameters.

    Attributes
    ----------
    fold : int
        Number of the fold that it validates on.
    scale : TargetScale or None
        Of a regressor's targets.
    means : TargetMeans or None
        Of the categories of many levels.
    """

    fold: int
    scale: TargetScale | None = None
    means: TargetMeans | None = None

    def matrix(self, shared: Array, codes: Array) -> Array:
        """The columns that the member sees."""
        return (
            shared if self.means is None else _with_means(self.means.transform(codes), shared)
        )


def _with_means(means: Array, shared: Array) -> Array:
    # Numbers come first.
    return np.hstack([means, shared]).astype(shared.dtype, copy=False)


@dataclass
class TrainingTable:
    """The rows of a fit.

    Attributes
    ----------
    shared : ndarray of shape (n_rows, n_columns)
        What all members see: numbers first.
    n_numeric : int
    codes : ndarray of shape (n_rows, n_codes)
        Categories of many levels, whose target means differ from member to member.
    target : Target
        Without label smoothing.
    y : ndarray
        Targets, as passed.
    encoded : ndarray of shape (n_rows, n_outputs)
        Targets, as `target` encodes them.
    weight : ndarray of shape (n_rows, 1) or None
    """

    shared: Array
    n_numeric: int
    codes: Array
    target: Any
    y: Any
    encoded: Array
    weight: Array | None


def network_for(recipe: Recipe, n_in: int, n_numeric: int, n_out: int) -> Network:
    """The network of a recipe, from `n_in` columns, of which the first are numbers."""
    inputs: list[InputLayer] = []
    if recipe.embedding == "periodic" and n_numeric:
        inputs.append(PeriodicEmbedding(n_in, n_numeric, sigma=recipe.sigma))
    elif recipe.embedding == "piecewise" and n_numeric:
        inputs.append(PiecewiseLinearEmbedding(n_in, n_numeric, recipe.n_bins, N_COMPONENTS))
    inputs.append(Scaling(inputs[-1].n_out if inputs else n_in))
    hidden = check_hidden_layer_sizes(recipe.hidden_layer_sizes)
    return Network.perceptron(
        [n_in, *hidden, n_out],
        ACTIVATIONS[recipe.activation],
        dropout=[False, *[recipe.dropout > 0] * len(hidden)],
        inputs=inputs,
    )


def parts_of(network: Network) -> tuple[Part, ...]:
    """Learning rates and decay of the parts of the flat vector.

    A weight of a layer with n inputs learns at 1 / sqrt(n): with Adam, this is the same as
    weights of variance 1 whose sums are divided by sqrt(n). Only weights decay.
    """
    slices = network.slices
    parts = [
        Part(*place, rate=1 / math.sqrt(layer.n_in))
        for place, layer in zip(slices["weights"], network.layers, strict=True)
    ]
    parts += [Part(*place, rate=BIAS_RATE, decay=0.0) for place in slices["biases"]]
    places = iter(slices["inputs"])
    for layer in network.inputs:
        rate = SCALING_RATE if isinstance(layer, Scaling) else EMBEDDING_RATE
        trained = [next(places) for _ in layer.shapes]
        parts += [Part(*place, rate=rate, decay=0.0) for place in trained]
        for _ in layer.fixed_shapes:
            next(places)
    return tuple(parts)


def build_members(
    table: TrainingTable,
    recipe: Recipe,
    splits: Sequence[tuple[Array, Array]],
    seeds: Sequence[int],
) -> list[tuple[Member, FitTask]]:
    """The members of a recipe, one for each seed, and their fit tasks.

    Member k validates on the held-out rows of split k, counted in a circle.
    """
    target, encoded = table.target, table.encoded
    if not isinstance(target, RegressionTarget):
        target = target.with_loss("log_loss", recipe.label_smoothing)
        encoded = target.encode(table.y).astype(table.shared.dtype)
    # Members of one number of batches make one stack; none of them has a tiny last batch.
    n_rows = max(len(rows) for rows, _ in splits)
    n_batches = max(-(-n_rows // recipe.batch_size), min(MIN_BATCHES, -(-n_rows // MIN_ROWS)))
    return [
        _build_member(table, recipe, target, encoded, splits, k, n_batches, seed)
        for k, seed in enumerate(seeds)
    ]


def _build_member(
    table: TrainingTable,
    recipe: Recipe,
    target: Target,
    encoded: Array,
    splits: Sequence[tuple[Array, Array]],
    k: int,
    n_batches: int,
    seed: int,
) -> tuple[Member, FitTask]:
    member = Member(k % len(splits))
    rows, held_out = splits[member.fold]
    generator = np.random.RandomState(seed)
    plain = table.encoded
    weight = None if table.weight is None else table.weight[:, 0]
    if isinstance(target, RegressionTarget):
        own = None if weight is None else weight[rows]
        member.scale = TargetScale.fit(plain[rows], own, target)
        encoded = plain = member.scale.transform(plain)
    X, n_numeric = table.shared, table.n_numeric
    if table.codes.shape[1]:
        member.means = TargetMeans()
        means = member.means.fit_transform(table.codes, table.encoded, rows, generator, weight)
        X, n_numeric = _with_means(means, X), n_numeric + means.shape[1]
    network = network_for(recipe, X.shape[1], n_numeric, target.n_outputs)
    validation = ValidationRows(
        X,
        held_out,
        None,
        plain[held_out],
        None if table.weight is None else table.weight[held_out],
    )
    n_hidden = len(network.layers) - 1
    return member, FitTask(
        network=network,
        loss=target.loss,
        solver=AdamW(
            learning_rate=SCHEDULES[recipe.learning_rate](),
            learning_rate_init=recipe.learning_rate_init,
            beta_2=BETA_2,
            weight_decay=recipe.weight_decay,
            decay_schedule=FlatCosine(),
        ),
        X=X,
        y=encoded.astype(X.dtype, copy=False),
        sample_weight=table.weight,
        theta=_initial_theta(network, X, rows, generator),
        generator=generator,
        rows=rows,
        validate=ValidationSet(network, validation, target.loss, None),
        weight_averaging=recipe.weight_averaging,
        alpha=0.0,
        batch_size=-(-len(rows) // n_batches),
        max_iter=recipe.max_iter,
        n_iter_no_change=math.inf,
        dropout=(0.0, *[recipe.dropout] * n_hidden) if recipe.dropout else (),
        dropout_schedule=FlatCosine(),
        mask_generator=np.random.default_rng(generator.randint(2**31)),
        parts=parts_of(network),
    )


def _initial_theta(
    network: Network, X: Array, rows: Array, generator: np.random.RandomState
) -> Array:
    sample = X[generator.permutation(rows)[:N_START_ROWS]]
    theta = network.initial(generator, 1.0, X.dtype, LecunNormal(), sample)
    start_from_data(network, theta, sample, generator)
    return theta
