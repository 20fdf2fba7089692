"""Ablations: the default recipe with one thing changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from skdeep.tabular import Recipe
from skdeep.tabular.recipes import CLASSIFIER_RECIPES, REGRESSOR_RECIPES
from tests.benchmarks.tabular.models import DEFAULT, MODELS, Model, tabular
from tests.benchmarks.tabular.tables import REGRESSION


def _changed(
    change: Callable[[Recipe], Recipe], *, only_classes: bool = False, **parameters: Any
) -> Model:
    def make(task: str, seed: int, categories: list[str], numbers: list[str]) -> Any:
        recipes = REGRESSOR_RECIPES if task == REGRESSION else CLASSIFIER_RECIPES
        return tabular(task, seed, recipe=change(recipes["default"][0]), **parameters)

    return Model(make, only_classes=only_classes)


def _set(*, only_classes: bool = False, **fields: Any) -> Model:
    return _changed(lambda recipe: replace(recipe, **fields), only_classes=only_classes)


def _half_rate(recipe: Recipe) -> Recipe:
    return replace(recipe, learning_rate_init=recipe.learning_rate_init / 2)


def _no_start(*args: Any) -> None:
    """Leave the random start as it is."""


ABLATIONS = {
    DEFAULT: MODELS[DEFAULT],
    "no numerical embedding": _set(embedding=None),
    "periodic embedding": _set(embedding="periodic"),
    # The scale stays at 1.
    "no scaling layer": replace(MODELS[DEFAULT], patch={"SCALING_RATE": 0.0}),
    "no data-driven start": replace(MODELS[DEFAULT], patch={"start_from_data": _no_start}),
    "ReLU": _set(activation="relu"),
    "SiLU": _set(activation="silu"),
    "half the learning rate": _changed(_half_rate),
    "one cosine": _set(learning_rate="cosine"),
    "no label smoothing": _set(label_smoothing=0.0, only_classes=True),
    "label smoothing 0.1": _set(label_smoothing=0.1, only_classes=True),
    "no dropout": _set(dropout=0.0),
    "dropout 0.25": _set(dropout=0.25),
    "weight decay 0.1": _set(weight_decay=0.1),
    "no average of the weights": _set(weight_averaging=0.0),
    "batches of 256": _set(batch_size=256),
    "64 epochs": _set(max_iter=64),
    "64 bins": _set(n_bins=64),
    "two hidden layers": _set(hidden_layer_sizes=(128, 128)),
    "width 256": _set(hidden_layer_sizes=(256, 256, 256)),
    "4 members": _changed(replace, n_members=4),
    "12 members": _changed(replace, n_members=12),
}
