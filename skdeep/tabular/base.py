"""Base class of the tabular estimators. A fit reads the table, trains the members, and blends.

Members are tasks of the core: those of one recipe are trained as one stack.
"""

import math
import time
import warnings
from itertools import groupby
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from skdeep._arrays import Array
from skdeep._checks.data import check_weights
from skdeep._checks.documentation import Documented
from skdeep._checks.parameters import fit_context, unchanged_on_error
from skdeep._network.inference import raw_output
from skdeep._parallel.conductor import n_jobs_for, train_tasks
from skdeep._training.fit_task import FitResult, FitTask, stack_key
from skdeep.estimators.class_weight import times_class_weight
from skdeep.estimators.plain_state import PlainState
from skdeep.estimators.unread import CALLER
from skdeep.tabular.ensemble import (
    OUTCOME,
    Ensemble,
    MemberStack,
    blend,
    curves_of,
    decoded,
    report_of,
)
from skdeep.tabular.folds import folds_of
from skdeep.tabular.members import Member, TrainingTable, build_members
from skdeep.tabular.progress import Epochs, Progress
from skdeep.tabular.recipes import Recipe, recipes_of
from skdeep.tabular.time_limit import within
from skdeep.tabular.transformer import TableTransformer


class Trained(NamedTuple):
    """A member, its task and its result."""

    member: Member
    task: FitTask
    result: FitResult


class Built:
    """The members of a recipe, and their tasks."""

    def __init__(self, recipe: Recipe, built: list[tuple[Member, FitTask]]) -> None:
        self.recipe = recipe
        self.members = [member for member, _ in built]
        self.tasks = [task for _, task in built]


class TabularEstimator(Documented, PlainState, CallbackSupportMixin, BaseEstimator):
    """Base of the classifier and the regressor; see them for the parameters."""

    _parameter_constraints: ClassVar[dict[str, Any]]
    _recipes_by_effort: ClassVar[dict[str, tuple[Recipe, ...]]]
    _ensemble: Ensemble
    cv: Any
    n_members: int | None
    n_jobs: int | None
    max_time: float | None
    verbose: bool | int
    random_state: Any
    categorical_features: Any
    dtype: str

    # What differs between the two estimators.

    def _check_y(self, y: Any) -> Array:
        """Targets, checked, with a single column as a vector."""
        raise NotImplementedError

    def _target_of(self, y: Array) -> Any:
        """The target, with its loss."""
        raise NotImplementedError

    def _class_weights(self, y: Array, target: Any) -> Any:
        """Weight of each class, or None."""
        raise NotImplementedError

    def _strata(self, table: TrainingTable) -> Array | None:
        """Labels by which folds are stratified, or None."""
        raise NotImplementedError

    def _shaped(self, prediction: Array) -> Array:
        """Predictions of shape (n_rows, n_columns) as `oof_prediction_` has them."""
        raise NotImplementedError

    def _decoded(self, prediction: Array) -> Array:
        """Predictions of shape (n_rows, n_columns) as `predict` returns them."""
        raise NotImplementedError

    def _score_of(self, y: Array, decoded: Array, weight: Array | None) -> float:
        """Score of what `predict` returns, as of `score`."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Fit the ensemble to a table.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table: numbers, booleans, categories, text of few distinct values, dates and
            durations, with missing values; see :class:`TableTransformer`.
        y : array-like of shape (n_samples,) or (n_samples, n_columns)
            Class labels, an indicator matrix for multi-label, or numbers for regression.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, at least 0, and above 0 for at least two. Rows of weight 0 are
            not trained on, but have out-of-fold predictions.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for splitters such as ``GroupKFold`` in `cv`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If a parameter or the data are invalid. The estimator is left unchanged.
        """
        deadline = time.monotonic() + (math.inf if self.max_time is None else self.max_time)
        with unchanged_on_error(self):
            recipes = recipes_of(self, self._recipes_by_effort)
            context: Any = None
            n_epochs = sum(recipe.max_iter for recipe in recipes)
            if getattr(self, "_skl_callbacks", None):
                context = self._init_callback_context(max_subtasks=n_epochs)
            table = self._read_table(X, y, sample_weight)
            generator = check_random_state(self.random_state)
            splits = folds_of(
                self.cv, max(recipe.n_members for recipe in recipes), table.y, table.weight,
                self._strata(table), groups, generator,
            )  # fmt: skip
            seeds = [generator.randint(2**31, size=recipe.n_members) for recipe in recipes]
            epochs = None
            if context is not None:
                data = {"X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
                epochs = Epochs(context, self, data, n_epochs)
            built = [
                Built(recipe, build_members(table, recipe, splits, own))
                for recipe, own in zip(recipes, seeds, strict=True)
            ]
            trained: list[list[Trained]] = []
            stackable = _groups(built)
            for i, group in enumerate(stackable):
                left = (deadline - time.monotonic()) / (len(stackable) - i)
                stopped = left <= 0 or (epochs is not None and epochs.stopped)
                if not stopped or not trained:
                    trained += self._train(table, group, epochs, left)
            self._keep(recipes[: len(trained)], table, splits, trained)
            if epochs is not None:
                epochs.close(lambda: self._attributes(self._ensemble))
        return self

    def _train(
        self, table: TrainingTable, group: list[Built], epochs: Epochs | None, seconds: float
    ) -> list[list[Trained]]:
        # The members of recipes that make one stack.
        tasks = [task for built in group for task in built.tasks]
        n_jobs = min(n_jobs_for(self.n_jobs), len(tasks))
        if math.isfinite(seconds):
            tasks = within(tasks, seconds, n_jobs)

        def attributes(thetas: Array) -> dict[str, Any]:
            ends = np.cumsum([len(built.members) for built in group])
            parts = np.split(thetas, ends[:-1])
            stacks = [
                MemberStack(built.recipe, tasks[0].network, part, built.members)
                for built, part in zip(group, parts, strict=True)
            ]
            equal = np.full(len(group), 1 / len(group))
            return self._attributes(Ensemble(stacks, equal, table.target))

        # Members in other processes are not watched.
        if n_jobs == 1 and (self.verbose or epochs is not None):
            progress = Progress(len(tasks), bool(self.verbose), epochs, attributes)
            for k, task in enumerate(tasks):
                task.on_epoch = [progress.of_member(k)]
        start = time.perf_counter()
        results = train_tasks(tasks, self.n_jobs)
        if self.verbose:
            print(
                f"Ended {len(tasks)} members after {max(each.n_iter for each in results)} "
                f"epochs and {time.perf_counter() - start:.2f} s: "
                f"{', '.join(sorted({each.outcome for each in results}))}."
            )
        pairs = iter(zip(tasks, results, strict=True))
        return [[Trained(member, *next(pairs)) for member in built.members] for built in group]

    def _attributes(self, ensemble: Ensemble) -> dict[str, Any]:
        # What `predict` needs.
        names = ("transformer_", "classes_", "n_features_in_", "feature_names_in_")
        known = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return {"_ensemble": ensemble, **known}

    def _read_table(self, X: Any, y: Any, sample_weight: Any) -> TrainingTable:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y = self._check_y(y)
        transformer = TableTransformer(
            categorical_features=self.categorical_features, dtype=self.dtype
        )
        shared, codes = transformer.fit_encode(X)
        check_consistent_length(X, y)
        target = self._target_of(y)
        weight = times_class_weight(
            check_weights(sample_weight, shared),
            self._class_weights(y, target),
            y,
            shared.dtype,
        )
        self.transformer_ = transformer
        self.n_features_in_ = transformer.n_features_in_
        if hasattr(transformer, "feature_names_in_"):
            self.feature_names_in_ = transformer.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        encoded = target.encode(y).astype(float)
        return TrainingTable(shared, transformer.n_numeric_, codes, target, y, encoded, weight)

    def _keep(
        self,
        recipes: list[Recipe],
        table: TrainingTable,
        splits: list[tuple[Array, Array]],
        trained: list[list[Trained]],
    ) -> None:
        recipes, trained = _not_diverged(recipes, trained)
        stacks = [
            MemberStack(
                recipe,
                members[0].task.network,
                np.stack([each.result.theta for each in members]),
                [each.member for each in members],
            )
            for recipe, members in zip(recipes, trained, strict=True)
        ]
        out_of_fold = np.stack([_out_of_fold(table, members, splits) for members in trained])
        # Of rows that were held out from a member of each recipe.
        seen = np.isfinite(out_of_fold).all(axis=(0, 2))
        weight = None if table.weight is None else table.weight[seen, 0]
        self._ensemble = blend(
            stacks, table.target, out_of_fold[:, seen], table.encoded[seen], weight
        )
        blended = self._ensemble.blended(out_of_fold.__getitem__)
        self.oof_prediction_ = self._shaped(blended)
        self.validation_score_ = self._score_of(
            table.y[seen], self._decoded(blended[seen]), weight
        )
        outcomes = [[_outcome(each) for each in members] for members in trained]
        self.members_ = report_of(outcomes, self._ensemble.weights)
        self.__dict__.update(curves_of(outcomes))
        self.n_iter_ = max(each.result.n_iter for members in trained for each in members)

    def _predict(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._ensemble.predict(*self.transformer_.encode(X))


def _groups(built: list[Built]) -> list[list[Built]]:
    # Recipes in a row that differ in numbers only, whose members are trained as one stack.
    return [list(group) for _, group in groupby(built, lambda one: stack_key(one.tasks[0]))]


def _not_diverged(
    recipes: list[Recipe], trained: list[list[Trained]]
) -> tuple[list[Recipe], list[list[Trained]]]:
    # Members with finite weights, and the recipes that have any.
    finite = [
        [each for each in members if np.isfinite(each.result.theta).all()]
        for members in trained
    ]
    n_finite, n_members = (sum(map(len, lists)) for lists in (finite, trained))
    advice = "Reduce learning_rate_init, or look for extreme values in y."
    if not n_finite:
        raise ValueError(
            f"Training diverged: the weights of all members are infinite or NaN. {advice}"
        )
    if n_finite < n_members:
        warnings.warn(
            f"Training diverged in {n_members - n_finite} of {n_members} members, which are "
            f"left out. {advice}",
            stacklevel=CALLER,
        )
    kept = [k for k, members in enumerate(finite) if members]
    return [recipes[k] for k in kept], [finite[k] for k in kept]


def _out_of_fold(
    table: TrainingTable, members: list[Trained], splits: list[tuple[Array, Array]]
) -> Array:
    """Prediction of each row by the members that held it out; NaN where there is none."""
    total: Any = 0.0
    n_members = np.zeros((len(table.shared), 1))
    for member, task, result in members:
        held_out = splits[member.fold][1]
        raw = raw_output(task.network, task.network.views(result.theta), task.X, held_out)
        own = decoded(table.target, member, raw)
        prediction = np.zeros((len(table.shared), own.shape[1]))
        prediction[held_out] = own
        total = total + prediction
        n_members[held_out] += 1
    with np.errstate(invalid="ignore"):
        return total / n_members


def _outcome(trained: Trained) -> dict[str, Any]:
    member, _, result = trained
    values = (
        member.fold,
        result.n_iter,
        result.history.best_iter,
        -result.history.best_score,
    )
    return {
        **dict(zip(OUTCOME, values, strict=True)),
        "loss_curve": result.history.loss_curve,
        "validation_loss_curve": result.history.validation_loss_curve,
    }
