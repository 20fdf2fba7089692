"""Recipes: how the members of an ensemble see the table, and how they are trained.

The defaults follow RealMLP [1]_. An ensemble of several recipes mixes networks that see the
table differently, which lowers the error more than networks that differ in numbers only.

.. [1] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and boosted
   trees on tabular data", NeurIPS 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from skdeep._checks.parameters import check_hidden_layer_sizes, check_spec
from skdeep.activations import ACTIVATIONS
from skdeep.hyperparameters import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Spec, field_of
from skdeep.schedules import SCHEDULES


@dataclass
class Recipe(Spec):
    """How a member of an ensemble sees the table, and how it is trained.

    Parameters
    ----------
    embedding : {'periodic', 'piecewise'} or None, default='piecewise'
        What is added to each numeric column: trained combinations of cosines, trained piecewise
        linear functions with `n_bins` bins between quantiles, or nothing.
    hidden_layer_sizes : tuple of int, default=(128, 128, 128)
        Width of each hidden layer.
    activation : str, default='selu'
        Activation of the hidden layers: a name in ``skdeep.activations.ACTIVATIONS``.
    learning_rate : str, default='coslog'
        Schedule of the learning rate: a name in ``skdeep.schedules.SCHEDULES``.
    learning_rate_init : float in (0, inf), default=0.04
        Learning rate. A layer with n inputs learns at 1 / sqrt(n) of it, biases and embeddings
        at a tenth, and the scaling of the columns at six times this rate.
    max_iter : int in [1, inf), default=40
        Number of epochs.
    batch_size : int in [1, inf), default=128
        Maximum number of rows in a batch. Small tables have smaller ones: at least 16 batches,
        or as many as have 16 rows.
    dropout : float in [0, 1), default=0.15
        Dropout rate of the hidden layers; falls to 0 in the second half of training.
    weight_decay : float in [0, inf), default=0.02
        Decoupled decay of the weights; falls to 0 in the second half of training.
    label_smoothing : float in [0, 1), default=0.05
        Share of the target that is spread evenly over the classes.
    weight_averaging : float in [0, 1), default=0.95
        Decay of the moving average of the weights over steps.
    sigma : float in (0, inf), default=0.1
        Standard deviation of the initial frequencies of the periodic embedding.
    n_bins : int in [1, inf), default=24
        Number of bins of the piecewise embedding.
    n_members : int in [1, inf), default=8
        Number of networks.

    Examples
    --------
    >>> from skdeep.tabular import Recipe
    >>> Recipe(embedding=None, max_iter=32).get_params()["max_iter"]
    32
    """

    embedding: str | None = field_of("piecewise", ("periodic", "piecewise"), None)
    hidden_layer_sizes: Sequence[int] | int = field_of((128, 128, 128), "array-like", COUNT)
    activation: str = field_of("selu", tuple(ACTIVATIONS))
    learning_rate: str = field_of("coslog", tuple(SCHEDULES))
    learning_rate_init: float = field_of(0.04, POSITIVE)
    max_iter: int = field_of(40, COUNT)
    batch_size: int = field_of(128, COUNT)
    dropout: float = field_of(0.15, SHARE)
    weight_decay: float = field_of(0.02, NOT_NEGATIVE)
    label_smoothing: float = field_of(0.05, SHARE)
    weight_averaging: float = field_of(0.95, SHARE)
    sigma: float = field_of(0.1, POSITIVE)
    n_bins: int = field_of(24, COUNT)
    n_members: int = field_of(8, COUNT)

    kinds_by_name: ClassVar = {}


_FAST = Recipe(activation="relu", learning_rate="cosine", max_iter=20, n_members=5)


def _variants(default: Recipe) -> dict[str, tuple[Recipe, ...]]:
    # Recipes by effort. Members that see the table differently, or have another activation,
    # make different errors.
    longer = replace(default, max_iter=48)
    others = (replace(longer, activation="relu"), replace(longer, embedding=None))
    own = {name: getattr(default, name) for name in ("learning_rate_init", "label_smoothing")}
    return {
        "fast": (replace(_FAST, **own),),
        "default": (default,),
        "best": (longer, *others),
    }


CLASSIFIER_RECIPES = _variants(Recipe())
REGRESSOR_RECIPES = _variants(
    Recipe(activation="mish", learning_rate_init=0.2, label_smoothing=0.0)
)


def recipes_of(estimator: Any, by_effort: dict[str, tuple[Recipe, ...]]) -> list[Recipe]:
    """The recipes of an estimator, with its own parameters in place of theirs."""
    given = estimator.recipe
    if given is None:
        given = by_effort[estimator.effort]
    recipes = [given] if isinstance(given, Recipe) else list(given)
    if not recipes or not all(isinstance(one, Recipe) for one in recipes):
        raise ValueError(f"recipe must be a Recipe or a non-empty list of them; got {given!r}.")
    own: dict[str, Any] = {
        name: value
        for name in Recipe.field_names()
        if (value := getattr(estimator, name, None)) is not None
    }
    recipes = [replace(one, **own) for one in recipes]
    for one in recipes:
        check_spec(one)
        check_hidden_layer_sizes(one.hidden_layer_sizes)
    return recipes
