"""The scikit-learn face: validate, encode, train, decode.

Both estimators share everything but their targets. A fit makes one fit task, hands it to
``train`` and keeps what comes back. ``coefs_``, ``intercepts_`` and ``norms_`` are the
model: views of one flat vector after a fit, and whatever the user puts there later.
"""

import copy
import math
import warnings
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import Tags, check_random_state, estimator_html_repr
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from skdeep._arrays import Array
from skdeep._checks import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    check_fits_dtype,
    check_validation_fraction,
    check_weights,
    check_X,
    check_X_y,
    far_larger_column,
    fit_context,
    in_safe_range,
    takes_sample_weight,
    unchanged_on_error,
)
from skdeep._network.network import Network
from skdeep._network.workspace import Parameters
from skdeep._parallel.conductor import fit as train_task
from skdeep._training.bound_solver import SolverState
from skdeep._training.fit_task import FitResult, FitTask, History
from skdeep.estimators.build import (
    dropout_of,
    network_of,
    refuse_with_lbfgs,
    solver_of,
    start_of,
    warn_of_unread,
)
from skdeep.estimators.callbacks import CallbackBridge, ValidationSet, score_with, snapshot
from skdeep.estimators.progress import EpochTable
from skdeep.estimators.targets import (
    ClassTarget,
    MultiOutputTarget,
    RegressionTarget,
    class_target,
    class_weight_of_rows,
    explicit_class_weight,
    flat_column,
)
from skdeep.hyperparameters import check_holds_parameters
from skdeep.initializers import INITIALIZERS, Initializer
from skdeep.inspection import html_summary, text_summary
from skdeep.losses import (
    CLASSIFICATION_LOSSES,
    LINKS,
    REGRESSION_LOSSES,
    QuantileLoss,
    regression_loss,
)
from skdeep.metrics import get_scorer
from skdeep.metrics.scorers import MadeScorer, mean_pinball_loss_of_quantiles, rows_right
from skdeep.schedules import SCHEDULES, Schedule
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver

# Share of its first value by which a loss that rose is worth a warning: more than a bad
# start of the solver's, less than what shows in no score any more.
RISE = 9

# Factor by which a loss above 1 rises only where training will not come back.
HOPELESS = 1e20

# Share of a constant prediction's loss down to which nothing was learned.
NO_BETTER = 0.95

# X_val, y_val and sample_weight_val.
Validation = tuple[Any, Any, Any]


def _is_stochastic(estimator: "_DeepEstimator") -> bool:
    if estimator.solver == "lbfgs" or isinstance(estimator.solver, LBFGS):
        raise AttributeError(
            f"partial_fit needs a stochastic solver, such as 'adam' or 'sgd'; solver="
            f"{estimator.solver!r} looks at all rows at once."
        )
    return True


@dataclass
class _Stream:
    """The random numbers of a fit, so that a warm start can go on in them.

    Attributes
    ----------
    random_state : int, RandomState or None
        The estimator's parameter.
    state : tuple or None
        Of the generator before the first draw; None where an int says it all.
    n_rows : int
        Rows of the data.
    n_epochs : int
        Epochs drawn so far.
    """

    random_state: Any
    state: Any
    n_rows: int
    n_epochs: int = 0

    def fits(self, random_state: Any, n_rows: int) -> bool:
        """Whether these are its parameter and its rows."""
        same = random_state is self.random_state or random_state == self.random_state
        return same and n_rows == self.n_rows

    def generator(self) -> np.random.RandomState:
        """A generator as it was before the first draw."""
        if self.state is None:
            return check_random_state(self.random_state)
        generator = np.random.RandomState()
        generator.set_state(self.state)
        return generator


class _DeepEstimator(CallbackSupportMixin, BaseEstimator):
    """What classifier and regressor share; see them for the parameters."""

    _history: History

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": "no_validation",  # by `build`, which knows the layers
        "solver": [StrOptions(set(SOLVERS)), StochasticSolver, LBFGS],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), Schedule, callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "layer_norm": ["boolean"],
        "max_norm": [Interval(Real, 0, None, closed="neither"), None],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "weight_init": [StrOptions(set(INITIALIZERS)), Initializer, list, tuple, None],
        "bias": ["boolean"],
        "residual": ["boolean"],
        "init_output_bias": [StrOptions({"baseline"}), None],
        "weight_averaging": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "rho": [Interval(Real, 0, 1, closed="left")],
        "validation_scoring": [str, callable, None],
        "restore_best": ["boolean"],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            New values; ``solver__name`` is the `name` of the object in `solver`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter, or no object to have it.
        """
        names = self._get_param_names()
        for path in params:
            field, is_inner, key = path.partition("__")
            if is_inner and field in names:
                value = params.get(field, getattr(self, field))
                check_holds_parameters(field, value, key, {**SOLVERS, **SCHEDULES}, names)
        return super().set_params(**params)

    # A fit, end to end

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation,
        incremental: bool,
    ) -> Self:
        context: Any = None
        if getattr(self, "_skl_callbacks", None):
            context = self._init_callback_context(
                max_subtasks=1 if incremental else self.max_iter
            )
        with unchanged_on_error(self):
            fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            X, y = check_X_y(
                self, X, y, y_numeric=isinstance(self, RegressorMixin), reset=fresh
            )
            y = flat_column(y)
            self._target = self._target_for(y, incremental)
            task = self._task(X, y, sample_weight, validation, fresh, incremental)
            bridge = None
            if context is not None:
                metadata = {"sample_weight": sample_weight}
                context.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
                attributes = partial(self._fitted_attributes, task.network)
                bridge = CallbackBridge(
                    context, self, attributes, X, y, metadata, task.max_iter
                )
                task.on_epoch = [*task.on_epoch, bridge]
            result = train_task(task)
            self._keep(task, result, incremental)
            if bridge is not None:
                bridge.close()
                context.call_on_fit_task_end(
                    estimator=self,
                    X=X,
                    y=y,
                    metadata=metadata,
                    reconstruction_attributes=lambda: attributes(result.theta),
                )
        return self

    def _task(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation,
        fresh: bool,
        incremental: bool,
    ) -> FitTask:
        target = self._target
        solver = solver_of(self)
        if fresh or not incremental:
            warn_of_unread(self, validated=validation[0] is not None)
        rates = dropout_of(self)
        network = self._network_for(X, fresh, rates)
        weights = self._class_weights(y, incremental)
        stream, generator, known = self._randomness(X, solver, fresh, incremental)
        n_before = 0 if stream is None else stream.n_epochs
        task = FitTask(
            network=network,
            loss=target.loss,
            solver=solver,
            X=X,
            y=target.encode(y),
            sample_weight=None,
            theta=self._start(network, generator, X.dtype, fresh, n_before),
            generator=generator,
            alpha=self.alpha,
            max_iter=1 if incremental else self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            history=History() if fresh else self._history,
            solver_state=known,
            n_epochs_before=n_before,
            l1_ratio=self.l1_ratio,
            dropout=rates,
            mask_generator=self._mask_generator_for(generator, fresh) if rates else None,
            clip_norm=self.clip_norm,
            max_norm=self.max_norm,
            weight_averaging=self.weight_averaging,
            max_time=math.inf if self.max_time is None else self.max_time,
            restore_best=self.restore_best and not incremental,
        )
        dtype = task.theta.dtype
        check_fits_dtype(self, X, dtype)
        given = check_weights(sample_weight, X)
        task.sample_weight = _times(given, weights, y, dtype)
        self._stream = stream
        if isinstance(solver, LBFGS):
            refuse_with_lbfgs(self, any(part is not None for part in validation))
        else:
            self._validate_with(task, y, validation, given is not None, weights, incremental)
            task.batch_size = self._rows_per_batch(task.n_rows)
            if isinstance(self.random_state, Integral) and task.batch_size == task.n_rows:
                task.shuffle = False  # the order of one batch changes only rounding
        if fresh and self.init_output_bias == "baseline":
            self._start_from_baseline(task)
        if self.verbose:
            unit = _unit(solver).capitalize()
            task.on_epoch = [EpochTable(with_score=task.validate is not None, unit=unit)]
        return task

    def _network_for(self, X: Any, fresh: bool, rates: tuple[float, ...]) -> Network:
        network = network_of(self, X.shape[1], self._target.n_outputs, rates)
        if not fresh:
            shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
            if [coef.shape for coef in self.coefs_] != shapes:
                raise ValueError(
                    f"Training cannot go on: the fitted weights have shapes "
                    f"{[coef.shape for coef in self.coefs_]}, but the parameters and y ask for "
                    f"{shapes}. Keep hidden_layer_sizes and the columns of y as they were, or "
                    "fit anew with warm_start=False."
                )
            if network.n_params != self._network.n_params:
                raise ValueError(
                    "Training cannot go on: bias, batch_norm or layer_norm are not as in the "
                    "fit before. Set them back, or fit anew with warm_start=False."
                )
            if network == self._network:
                return self._network  # which has its layout computed
        return network

    def _randomness(
        self, X: Any, solver: Any, fresh: bool, incremental: bool
    ) -> tuple[_Stream | None, np.random.RandomState | None, Any]:
        # The stream to go on in, a generator to draw from, and the solver's state.
        n_rows = X.shape[0]
        known = None if fresh else self._state_to_go_on_from()
        if known is not None and type(solver) is not known.solver:
            known = None
        if known is not None and not incremental:
            # A rate that the user changed since counts from now on.
            known = replace(
                known, rate=known.rate * (solver.learning_rate_init / known.rate_init)
            )
        stream = getattr(self, "_stream", None)
        if (
            stream is not None
            and known is not None
            and not (fresh or incremental)
            and stream.fits(self.random_state, n_rows)
        ):
            return stream, stream.generator(), known
        # A generator that nobody else draws from need not be made, nor be drawn from,
        # where nothing depends on it: seeding one takes a fifth of a one-row partial_fit.
        own = isinstance(self.random_state, Integral)
        one_batch = n_rows <= (200 if self.batch_size == "auto" else self.batch_size)
        if own and one_batch and not (fresh or self.early_stopping):
            return None, None, known
        generator = check_random_state(self.random_state)
        if incremental:
            return None, generator, known
        state = None if own else generator.get_state()
        return _Stream(self.random_state, state, n_rows), generator, known

    def _mask_generator_for(
        self, generator: np.random.RandomState | None, fresh: bool
    ) -> np.random.Generator:
        # Its seed is drawn even where the fit before has one to go on with, so that what
        # is drawn after it stays the same.
        if generator is None:
            generator = check_random_state(self.random_state)
        seed = generator.randint(2**31)
        known = None if fresh else self._mask_generator
        return (
            np.random.Generator(np.random.SFC64(seed))
            if known is None
            else copy.deepcopy(known)
        )

    def _start(
        self,
        network: Network,
        generator: np.random.RandomState | None,
        given: np.dtype,
        fresh: bool,
        n_before: int,
    ) -> Array:
        # Flat vector to start from, in the dtype of computation.
        dtype = np.dtype(self.dtype or ("float32" if given == np.float32 else "float64"))
        if generator is not None and (fresh or n_before):
            # A fit that goes on draws what it drew, to come to what it has not.
            drawn = start_of(self, network, generator, dtype)
            if fresh:
                return drawn
        return network.pack(Parameters(self.coefs_, self.intercepts_, self.norms_))

    def _state_to_go_on_from(self) -> SolverState | None:
        # The last epoch's parameters, where the fit returned others, count no more once the
        # user has written over what it returned.
        state = self._solver_state
        if state is not None and state.live is not None:
            params = Parameters(self.coefs_, self.intercepts_, self.norms_)
            if self._network.checksum(params) != self._checksum:
                state = replace(state, live=None, average=None)
        return state

    def _start_from_baseline(self, task: FitTask) -> None:
        if not self.bias:
            raise ValueError("init_output_bias='baseline' needs bias=True.")
        rows = slice(None) if task.rows is None else task.rows
        y = task.y[rows].astype(float)
        weight = None if task.sample_weight is None else task.sample_weight[rows]
        params = task.network.views(task.theta)
        params.weights[-1][...] = 0
        params.biases[-1][...] = task.loss.baseline(y, weight)

    # Validation

    def _validate_with(
        self,
        task: FitTask,
        y: Any,
        validation: Validation,
        weighted: bool,
        weights: Any,
        incremental: bool,
    ) -> None:
        X_val, y_val, weight_val = validation
        scorer, dtype = self._validation_scorer(), task.theta.dtype
        if X_val is not None:
            if y_val is None:
                raise ValueError("X_val is given without y_val. Give both, or neither.")
            X_val, y_val = self._checked_validation(X_val, y_val, dtype)
            weighted = weight_val is not None
            weight_val = _times(check_weights(weight_val, X_val), weights, y_val, dtype)
            rows = None
        elif y_val is not None or weight_val is not None:
            raise ValueError(
                "y_val or sample_weight_val is given without X_val. Give both, or neither."
            )
        elif self.early_stopping:
            X_val = task.X
            rows = self._hold_out(task, incremental)
            y_val = y[rows]
            weight_val = None if task.sample_weight is None else task.sample_weight[rows]
        else:
            return
        network, target = task.network, self._target
        takes_weights = scorer is None or takes_sample_weight(scorer)
        if weighted and not takes_weights:
            name = "sample_weight" if rows is not None else "sample_weight_val"
            raise ValueError(
                f"validation_scoring={self.validation_scoring!r} takes no sample weights, but "
                f"{name} is given. Choose a score that takes them, or pass a function of your "
                "own, (estimator, X, y, sample_weight=None) -> score, that may ignore them."
            )

        def raw_output(theta: Array) -> Array:
            return network.raw_output(network.views(theta), X_val, rows)

        task.validate = ValidationSet(
            raw_output,
            task.y[rows] if rows is not None else target.encode(y_val),
            None if weight_val is None else weight_val[:, 0],
            task.loss,
            self._scoring(scorer, takes_weights, network, X_val, rows, y_val),
        )
        task.stop_on_score = self.early_stopping

    def _checked_validation(self, X_val: Any, y_val: Any, dtype: np.dtype) -> tuple[Any, Any]:
        try:
            X_val, y_val = check_X_y(
                self, X_val, y_val, y_numeric=isinstance(self, RegressorMixin), reset=False
            )
            check_fits_dtype(self, X_val, dtype)
            y_val = flat_column(y_val)
            self._target.check(y_val, all_classes=False)
        except ValueError as error:
            raise ValueError(f"In X_val and y_val, here called X and y: {error}") from error
        return X_val, y_val

    def _validation_scorer(self) -> Any:
        # A name that does not exist is an error where there are no validation rows, too.
        if self.validation_scoring in (None, "loss"):
            return None
        try:
            return get_scorer(self.validation_scoring)
        except ValueError as error:
            raise ValueError(f"validation_scoring: {error}") from error

    def _scoring(
        self,
        scorer: Any,
        takes_weights: bool,
        network: Network,
        X_val: Any,
        rows: Array | None,
        y_val: Any,
    ) -> Any:
        # (theta, encoded, raw, weight) -> score; None for the loss.
        target, scoring = self._target, self.validation_scoring
        if scoring == "loss" or (scoring is None and not getattr(target, "has_score", True)):
            return None
        if scoring is None:
            return lambda theta, encoded, raw, weight: target.score(encoded, raw, weight)
        # Scorers by name, and what make_scorer makes, look at predictions alone. These are
        # there already, and the rows of X, of which there may be many, are not copied.
        if isinstance(scoring, str) or isinstance(scorer, MadeScorer):
            X, predicts = np.empty((y_val.shape[0], 0)), False
        else:
            X, predicts = X_val if rows is None else X_val[rows], True

        def score(theta: Array, encoded: Array, raw: Array, weight: Array | None) -> float:
            fitted = snapshot(self, self._fitted_attributes(network, theta))
            if not predicts:
                fitted._raw_output = lambda X: raw.copy()
            # Those of classes alone are left out where the scorer takes none.
            own = weight if takes_weights else None
            return score_with(scorer, scoring, fitted, X, y_val, own)

        return score

    def _hold_out(self, task: FitTask, incremental: bool) -> Array:
        # Split off the rows on whose score training stops: their numbers.
        if incremental:
            raise ValueError(
                "partial_fit does not support early_stopping=True: one call is one epoch. "
                "Set early_stopping=False, or use fit."
            )
        n_rows, sample_weight = task.X.shape[0], task.sample_weight
        check_validation_fraction(self.validation_fraction, n_rows)
        task.rows, held_out = train_test_split(
            np.arange(n_rows),
            random_state=task.generator,
            test_size=self.validation_fraction,
            stratify=self._target.strata(task.y),
        )
        if sample_weight is not None:
            parts = (sample_weight[held_out], sample_weight[task.rows])
            if not all(part.any() for part in parts):
                raise ValueError(
                    "sample_weight is zero on all training rows or on all validation rows of "
                    "the early_stopping split: drop rows of zero weight before fitting."
                )
        return held_out

    def _rows_per_batch(self, n_rows: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warnings.warn(
                f"batch_size={self.batch_size} is larger than the {n_rows} training rows: it "
                f"is clipped to {n_rows}.",
                stacklevel=7,
            )
        return min(self.batch_size, n_rows)

    # What is kept

    def _fitted_attributes(self, network: Network, theta: Array) -> dict[str, Any]:
        # All that predict needs, for the flat vector `theta`.
        weights, biases, norms = network.views(theta)
        return {
            "coefs_": weights,
            "intercepts_": [bias[0] for bias in biases],
            "norms_": [array[0] for array in norms],
            "n_layers_": len(network.layers) + 1,
            "n_outputs_": network.n_out,
            "out_activation_": self._target.loss.out_activation,
            "_network": network,
        }

    def _keep(self, task: FitTask, result: FitResult, incremental: bool) -> None:
        # From a fit result to fitted attributes, or to an error.
        history = result.history
        problem = self._divergence(task, result)
        if problem:
            advice = "scale X (StandardScaler)"
            if isinstance(self, RegressorMixin):
                advice += " and y (TransformedTargetRegressor)"
            if isinstance(task.solver, StochasticSolver):
                advice += ", and try a smaller learning_rate_init"
            raise ValueError(
                f"Training diverged in {_unit(task.solver)} {result.n_iter or 1}: {problem}. "
                f"To mend it, {advice}. The estimator is left as it was before this call."
            )
        self._tell(task, result, incremental)
        for name, value in self._fitted_attributes(task.network, result.theta).items():
            setattr(self, name, value)
        self._solver_state = result.solver_state
        # Only parameters to go on from that are not those returned may be outdated.
        state = result.solver_state
        self._checksum = (
            None
            if state is None or state.live is None
            else task.network.checksum(task.network.views(result.theta))
        )
        self._mask_generator = task.mask_generator
        if self._stream is not None:
            self._stream = replace(self._stream, n_epochs=task.n_epochs_before + result.n_iter)
        self._history = history
        self.n_iter_ = result.n_iter
        self.t_ = history.n_rows_seen
        self.loss_ = result.loss
        self.loss_curve_ = history.loss_curve
        validated = task.validate is not None
        self.best_loss_ = None if task.stop_on_score else history.best_loss
        self.validation_scores_ = history.validation_scores if validated else None
        self.validation_loss_curve_ = history.validation_loss_curve if validated else None
        self.best_iter_ = (history.best_iter or None) if validated else None
        best_score = history.best_score if history.best_iter else math.nan
        self.best_validation_score_ = best_score if validated else None

    def _divergence(self, task: FitTask, result: FitResult) -> str:
        # What of the result cannot be used; nothing where it can.
        if result.outcome == "diverged":
            return "the loss or the weights are no longer finite"
        curve = result.history.loss_curve[-result.n_iter :]
        restored = task.validate is not None and task.restore_best
        known = bool(curve) and result.n_iter > 0 and not restored
        if known and curve[-1] > HOPELESS * max(abs(curve[0]), 1):
            return f"the loss rose from {curve[0]:.3g} to {curve[-1]:.3g}"
        return ""

    def _adopt(self, target: Any, params: Parameters, history: History) -> Self:
        # Be as after a fit that ended with these weights, and whose solver starts anew. The
        # target has its loss, and the arrays have the shapes that the parameters ask for.
        network = network_of(self, len(params.weights[0]), target.n_outputs, dropout_of(self))
        theta = network.pack(params)
        nothing = np.empty((0, 0))
        task = FitTask(
            network, target.loss, solver_of(self), nothing, nothing, None, theta, None
        )
        self.n_features_in_ = len(params.weights[0])
        self._target, self._stream = target, None
        if not isinstance(target, RegressionTarget):
            self.classes_ = target.classes
        result = FitResult(theta, None, history, 0, math.nan, "stopped")
        self._keep(task, result, incremental=True)
        return self

    def _tell(self, task: FitTask, result: FitResult, incremental: bool) -> None:
        # Why training ended, where the user would want to know.
        if result.outcome == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=7)
        elif result.outcome in ("max_iter", "max_time") and not incremental:
            limit = {
                "max_iter": f"Maximum iterations ({self.max_iter})",
                "max_time": f"Time limit (max_time={self.max_time} seconds)",
            }[result.outcome]
            warnings.warn(
                f"{limit} reached and the optimization hasn't converged yet. Increase "
                f"{result.outcome}, or scale X (StandardScaler).",
                ConvergenceWarning,
                stacklevel=7,
            )
        elif result.outcome not in ("max_iter", "max_time", "converged", "stopped"):
            warnings.warn(
                f"L-BFGS gave up after {result.n_iter} iteration(s): {result.outcome} Scale X "
                "(StandardScaler), or increase alpha.",
                ConvergenceWarning,
                stacklevel=7,
            )
        history = result.history
        if task.validate is not None and not history.best_iter:
            warnings.warn(
                f"validation_scoring={self.validation_scoring!r} gave no finite score on the "
                f"validation rows in any epoch (the last is {history.validation_scores[-1]}), "
                "so the weights of the last epoch are kept. Use another score, or validation "
                "rows on which it is defined, such as some of every class.",
                UserWarning,
                stacklevel=7,
            )
        curve = history.loss_curve
        if not (incremental or task.history.loss_curve) and self._tell_of_scale(task, result):
            pass
        elif not incremental and curve and curve[-1] > curve[0] + RISE * abs(curve[0]):
            warnings.warn(
                f"The loss rose from {curve[0]:.3g} to {curve[-1]:.3g}. Try a smaller "
                "learning_rate_init, or scale X (StandardScaler).",
                ConvergenceWarning,
                stacklevel=7,
            )
        if self.verbose and not incremental:
            print(f"Ended after {result.n_iter} {_unit(task.solver)}s: {result.outcome}.")

    def _tell_of_scale(self, task: FitTask, result: FitResult) -> bool:
        # Warn where nothing was learned beside a column that is far larger than the others.
        found = far_larger_column(task.X) if result.outcome != "interrupted" else None
        if found is None:
            return False
        rows = slice(None) if task.rows is None else task.rows
        y = task.y[rows].astype(float)
        weight = None if task.sample_weight is None else task.sample_weight[rows]
        raw = np.tile(task.loss.baseline(y, weight), (len(y), 1))
        flat = None if weight is None else weight[:, 0]
        constant = ValidationSet(lambda theta: raw, y, flat, task.loss, None)(task.theta)[1]
        if not result.loss >= constant - (1 - NO_BETTER) * abs(constant):
            return False
        column, size, median = found
        names = getattr(self, "feature_names_in_", None)
        name = column if names is None else repr(names[column])
        warnings.warn(
            f"X is not scaled: the mean absolute value of column {name} is {size:.2g}, that of "
            f"the median column {median:.2g}; and the loss, {result.loss:.3g}, is no better "
            f"than that of a constant prediction, {constant:.3g}. Scale X (StandardScaler; "
            "where values have long tails, RobustScaler or QuantileTransformer).",
            ConvergenceWarning,
            stacklevel=8,
        )
        return True

    def _raw_output(self, X: Any) -> Array:
        # Raw output of shape (n_samples, n_outputs_), in the dtype of the weights.
        check_is_fitted(self)
        X = check_X(self, X)
        check_fits_dtype(self, X, self.coefs_[0].dtype)
        # The weights say what the network is: users may have put others in their place.
        network = self._network.with_shapes([coef.shape for coef in self.coefs_])
        return network.raw_output(Parameters(self.coefs_, self.intercepts_, self.norms_), X)

    # What is shown

    def summary(self) -> str:
        """The network as a table of text: layers, output shapes, numbers of parameters.

        Returns
        -------
        table : str

        Raises
        ------
        NotFittedError
            Before `fit`: the columns of `X` and `y` make the network.
        """
        check_is_fitted(self)
        return text_summary(self._network)

    def _html_repr(self) -> str:
        # scikit-learn's own, with the fitted network below.
        shown = estimator_html_repr(self)
        if not hasattr(self, "_network"):
            return shown
        return f"{shown.removesuffix('</body>')}{html_summary(self._network)}</body>"


def _unit(solver: Any) -> str:
    # What max_iter counts.
    return "epoch" if isinstance(solver, StochasticSolver) else "iteration"


def _are_columns(classes: Any) -> bool:
    # Whether these are the classes of several columns of y.
    return isinstance(classes, (list, tuple)) and all(
        isinstance(own, (list, tuple, np.ndarray)) for own in classes
    )


def _times(
    sample_weight: Array | None, class_weight: Any, y: Any, dtype: np.dtype
) -> Array | None:
    # Weights of rows times those of their classes, as a column of shape (n_samples, 1).
    of_rows = None if sample_weight is None else in_safe_range(sample_weight, dtype)
    if class_weight is None:
        return of_rows
    weight = in_safe_range(class_weight_of_rows(class_weight, y)[:, None], dtype)
    if of_rows is not None:
        weight = in_safe_range(of_rows * weight, dtype)
    if not weight.any():
        raise ValueError("class_weight and sample_weight leave every row a weight of 0.")
    return weight


class DeepClassifier(ClassifierMixin, _DeepEstimator):
    """Neural network for binary, multi-class and multi-label classification.

    Layers of weighted sums and a nonlinear function, trained by backpropagation [1]_ from
    the starting weights of [2]_. Parameters, defaults and numbers are those of
    :class:`sklearn.neural_network.MLPClassifier`; all after `dtype` are further ones.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Width of each hidden layer, each at least 1.

    activation : str, object or list, default='relu'
        Function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', 'leaky_relu',
        'elu', 'selu', 'gelu', 'silu', 'mish' or 'softplus', or an object of your own with
        methods ``value(z)`` and ``derivative(z)`` (:class:`skdeep.activations.Custom`); a
        list has one for each hidden layer. Formulas are in :mod:`skdeep.activations`.

    solver : str or solver spec, default='adam'
        How the weights move: 'adam', 'sgd', 'adamw', 'nadam', 'amsgrad', 'rmsprop', 'adagrad',
        'adadelta', 'lion' or 'lbfgs'. A name takes its hyperparameters from the parameters
        below; a spec (:class:`~skdeep.Adam`, :class:`~skdeep.SGD`, ...) carries its own, and
        searches reach into it (``solver__momentum``). Which reads which: the user
        guide has a table.

    alpha : float, default=0.0001
        Strength of the penalty on the weights, in [0, inf): alpha / 2 times their squared
        norm (see `l1_ratio`), divided by the batch's sum of sample weights.

    batch_size : int or 'auto', default='auto'
        Rows of a batch, at least 1; 'auto' is ``min(200, n_samples)``.
        L-BFGS does not read it.

    learning_rate : str, schedule or callable, default='constant'
        How the learning rate changes: 'constant', 'invscaling' (divided by
        ``(t + 1) ** power_t`` after t rows), 'adaptive' (divided by 5 each time progress
        stalls for `n_iter_no_change` epochs, stopping below 1e-6), 'inverse_time', 'step',
        'linear', 'exponential', 'cosine' or 'one_cycle'; a spec of :mod:`skdeep.schedules`,
        such as ``WarmUp(5, Cosine())``; or a callable, step (from 0) -> rate. Unlike
        scikit-learn's MLP, every stochastic solver follows it.

    learning_rate_init : float, default=0.001
        Learning rate of the stochastic solvers, in (0, inf).

    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).

    max_iter : int, default=200
        Largest number of epochs; of iterations with 'lbfgs'.

    shuffle : bool, default=True
        Whether each epoch takes the rows in a new order.

    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of rows.

    tol : float, default=1e-4
        Training stops where loss (or validation score) has not improved by this much for
        `n_iter_no_change` epochs; with 'lbfgs', where no entry of the gradient is larger.

    verbose : bool or int, default=False
        Whether to print a row with epoch, elapsed time, loss and validation score.

    warm_start : bool, default=False
        Whether `fit` goes on where the fit before left off: weights, solver, learning rate,
        order of rows, validation rows. Two fits of 10 epochs are then one of 20.

    momentum : float, default=0.9
        Of 'sgd' and 'rmsprop', in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of 'sgd' is Nesterov's.

    early_stopping : bool, default=False
        Whether to stop when the score on validation rows stalls: on `X_val` where `fit` is
        given one, else on `validation_fraction` of the rows, which are set aside. 'lbfgs'
        does not read it.

    validation_fraction : float, default=0.1
        Share of rows set aside by `early_stopping`, in [0, 1).

    beta_1 : float, default=0.9
        Decay of the first moment of 'adam', 'adamw', 'nadam', 'amsgrad' and 'lion', in [0, 1).

    beta_2 : float, default=0.999
        Decay of the second moment of these, in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment, in (0, inf).

    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which training stops.

    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.

    dtype : {'float32', 'float64'} or None, default=None
        Of weights and computation. None takes float32 for a float32 `X` and float64
        for all else. ``"float32"`` takes little more than half the time, whatever the dtype of
        `X`, which is converted batch by batch.

    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, in [0, 1]: alpha * (l1_ratio * norm_1 +
        (1 - l1_ratio) / 2 * norm_2 ** 2), as in an elastic net.

    dropout : float or list of float, default=0.0
        Share of each hidden layer's outputs that a training step drops, in [0, 1) [3]_; a
        list has the rate of the input first, then one for each hidden layer.

    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation [4]_.

    layer_norm : bool, default=False
        Whether hidden layers are normalised over their units before their activation [5]_.

    max_norm : float or None, default=None
        Largest norm of a unit's incoming weights, in (0, inf).

    clip_norm : float or None, default=None
        Largest norm of the gradient of all parameters; a longer one is scaled down to it.

    weight_init : str, spec, list of ndarray or None, default=None
        How weights start: 'glorot_uniform', 'glorot_normal', 'he_uniform', 'he_normal',
        'lecun_normal', 'orthogonal', ``Uniform(low, high)``, ``Normal(mean, std)``
        (:mod:`skdeep.initializers`), or each layer's weights. None is scikit-learn's: [2]_,
        biases drawn too.

    bias : bool, default=True
        Whether layers have a bias; without, `intercepts_` is empty.

    residual : bool, default=False
        Whether a hidden layer as wide as its input adds it to its output.

    init_output_bias : {'baseline'} or None, default=None
        'baseline' starts the network as the best constant prediction: output weights of 0
        and the constant as output bias.

    weight_averaging : float, default=0.0
        Decay of a moving average of the weights over steps, in [0, 1), such as 0.999, which
        then validates and predicts; 0 is off.

    weight_decay : float, default=0.01
        Of 'adamw' and 'lion', in [0, inf).

    rho : float, default=0.9
        Decay of the squared gradients of 'rmsprop' and 'adadelta', in [0, 1).

    validation_scoring : str, callable or None, default=None
        Score of the validation rows: None is the estimator's own, 'loss' the negative loss;
        else a name or a callable as in :func:`skdeep.metrics.get_scorer`.

    restore_best : bool, default=True
        Whether, with validation rows, `fit` ends with the weights of the best epoch.

    max_time : float or None, default=None
        Seconds after which training stops, at the end of an epoch.

    loss : {'log_loss', 'squared_error', 'focal'}, default='log_loss'
        What is made small: the log-loss, half the squared error of the probabilities (Brier
        score), or the focal loss. Formulas are in
        :mod:`skdeep.losses`.

    class_weight : dict, list of dict, 'balanced' or None, default=None
        Weight of each class, times `sample_weight`; classes that are not named weigh 1. For
        several columns of `y` a list, and rows weigh the product. 'balanced' is
        n_samples / (n_classes * rows of the class).

    label_smoothing : float, default=0.0
        Share s of the target that is spread evenly over the K classes, in [0, 1):
        (1 - s) y + s / K.

    focal_gamma : float, default=2.0
        Of ``loss='focal'``, in [0, inf): how much easy rows count less.

    output_activation : {'softmax', 'logistic'} or None, default=None
        None has one logistic output for two classes, and softmax over one a class for more.
        A name has one output a class for two as well; with 'logistic' each class is decided
        by itself against the rest, and its probabilities need not add up to 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of these
        One for each column of labels. Labels in the order of the columns of `predict_proba`.

    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer. What is written here is what predicts.

    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.

    norms_ : list of ndarray of shape (n_out,)
        Scale, shift and running figures of each layer that has a norm.

    loss_ : float
        Loss of the last epoch.

    best_loss_ : float or None
        Lowest loss of any epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (of each iteration with 'lbfgs').

    validation_scores_ : list of float or None
        Score of the validation rows after each epoch (`validation_scoring`); None where there
        are none.

    validation_loss_curve_ : list of float or None
        Loss of the validation rows after each epoch, without penalty.

    best_validation_score_ : float or None
        The highest of these scores, NaN if none is finite.

    best_iter_ : int or None
        Epoch of the highest validation score, from 1; None without validation rows, or if no
        score is finite.

    n_iter_ : int
        Epochs of the last call; iterations with 'lbfgs'.

    t_ : int
        Training rows seen, those of every epoch counted.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names that are all strings.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Columns of the network's output.

    out_activation_ : str
        Function of the output: 'logistic' for two classes and multi-label,
        'softmax' for more classes, unless `output_activation` names it.

    See Also
    --------
    DeepRegressor : The same for numbers.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    .. [3] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014.
    .. [4] Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
       reducing internal covariate shift", ICML 2015.
    .. [5] Ba, Kiros & Hinton, "Layer normalization", arXiv:1607.06450.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdeep import DeepClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(
    ...     StandardScaler(), DeepClassifier((8,), max_iter=1000, random_state=0)
    ... )
    >>> model.fit(X, y).predict(X[:3])
    array([0, 0, 0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_DeepEstimator._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFICATION_LOSSES))],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "focal_gamma": [Interval(Real, 0, None, closed="left")],
        "output_activation": [StrOptions({"softmax", "logistic"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dtype=None,
        l1_ratio=0.0,
        dropout=0.0,
        batch_norm=False,
        layer_norm=False,
        max_norm=None,
        clip_norm=None,
        weight_init=None,
        bias=True,
        residual=False,
        init_output_bias=None,
        weight_averaging=0.0,
        weight_decay=0.01,
        rho=0.9,
        validation_scoring=None,
        restore_best=True,
        max_time=None,
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
        focal_gamma=2.0,
        output_activation=None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dtype = dtype
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.layer_norm = layer_norm
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.weight_init = weight_init
        self.bias = bias
        self.residual = residual
        self.init_output_bias = init_output_bias
        self.weight_averaging = weight_averaging
        self.weight_decay = weight_decay
        self.rho = rho
        self.validation_scoring = validation_scoring
        self.restore_best = restore_best
        self.max_time = max_time
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma
        self.output_activation = output_activation

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.output_activation != "softmax"
        tags.target_tags.multi_output = True
        return tags

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network on `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers; scale them first (``StandardScaler``).
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_columns)
            Labels of at least two classes, an indicator matrix of 0 and 1, or several columns
            of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, in place of a share of `X`.
        y_val : array-like, default=None
            Their targets, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DeepClassifier

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or training diverges; the
            estimator is then as it was before.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, validation, incremental=False)

    @available_if(_is_stochastic)
    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Go on training for one epoch over the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            A part of the data, of one row or more.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, which need not be of all classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.
        classes : array-like of shape (n_classes,) or list of these, default=None
            All labels that will ever come; for several columns of labels, a list of each
            column's. Needed in the first call, unless `y` is an indicator matrix.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, in place of a share of `X`.
        y_val : array-like, default=None
            Their targets, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DeepClassifier

        Raises
        ------
        ValueError
            If a label is not one of `classes`, or as in `fit`.
        """
        validation = X_val, y_val, sample_weight_val
        with unchanged_on_error(self):
            self._declare(y, classes)
            return self._fit(X, y, sample_weight, validation, incremental=True)

    def _declare(self, y: Any, classes: Any) -> None:
        # The first call of a series fixes the classes; later ones may only repeat them.
        if not hasattr(self, "classes_"):
            if np.ndim(y) == 2 and _are_columns(classes):
                if len(classes) != np.shape(y)[1]:
                    raise ValueError(
                        f"classes has {len(classes)} entries, but y has {np.shape(y)[1]} "
                        "columns: give a list with the classes of each column."
                    )
                self._target = MultiOutputTarget(
                    [ClassTarget(unique_labels(c)) for c in classes]
                )
                self.classes_ = self._target.classes
                return
            if type_of_target(y).startswith("multilabel"):
                labels = np.arange(np.shape(y)[1])
                if classes is not None and not np.array_equal(classes, labels):
                    raise ValueError(
                        f"classes={classes!r} does not go with an indicator matrix of "
                        f"{len(labels)} columns: its classes are {labels.tolist()!r}. Leave "
                        "classes out."
                    )
                return
            if classes is not None and np.ndim(y) == 2 and np.shape(y)[1] > 1:
                raise ValueError(
                    f"classes must be a list with the classes of each of the {np.shape(y)[1]} "
                    f"columns of y; got {classes!r}."
                )
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit: a part of the "
                    "data need not show all labels."
                )
            self._target = ClassTarget(unique_labels(classes))
            self.classes_ = self._target.classes
        elif classes is not None and not self._are_known(classes):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )

    def _are_known(self, classes: Any) -> bool:
        if isinstance(self.classes_, list):
            if not _are_columns(classes):
                return False
            pairs = list(zip(self.classes_, classes, strict=False))
            return len(classes) == len(self.classes_) and all(
                np.array_equal(known, unique_labels(given)) for known, given in pairs
            )
        return np.array_equal(self.classes_, unique_labels(classes))

    def _target_for(self, y: Any, incremental: bool) -> Any:
        if (incremental or self.warm_start) and hasattr(self, "classes_"):
            target = self._target
            target.check(y, all_classes=not incremental)
        else:
            target = class_target(y)
            self.classes_ = target.classes
        return self._with_loss(target)

    def _with_loss(self, target: Any) -> Any:
        # The target with what the parameters make of it.
        return target.with_loss(
            self.loss, self.focal_gamma, self.label_smoothing, self.output_activation
        )

    def _class_weights(self, y: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' does not go with partial_fit, which does not see all "
                "rows: give a dict, such as that of "
                "sklearn.utils.class_weight.compute_class_weight over all of y."
            )
        return explicit_class_weight(self.class_weight, y, self._target)

    def predict(self, X: Any) -> Array:
        """Most probable labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        raw = self._raw_output(X)
        return self._target.decode(raw)

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), or list of these
            One for each column of labels. In [0, 1], columns as in `classes_`. Rows add up to
            1, except for multi-label and ``output_activation='logistic'``, where each column
            is a label's own probability.
        """
        raw = self._raw_output(X)
        return self._target.probabilities(raw)

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            -inf where a probability rounds to 0.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if isinstance(probabilities, list):
                return [np.log(own) for own in probabilities]
            return np.log(probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy: the share of rows whose labels are all right.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_columns)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        if isinstance(getattr(self, "_target", None), MultiOutputTarget):
            return rows_right(np.asarray(y), self.predict(X), sample_weight)
        return super().score(X, y, sample_weight)


class DeepRegressor(RegressorMixin, _DeepEstimator):
    """Neural network for regression to one or several targets.

    Layers of weighted sums and a nonlinear function, trained by backpropagation [1]_ from
    the starting weights of [2]_. Parameters, defaults and numbers are those of
    :class:`sklearn.neural_network.MLPRegressor`; all after `dtype` are further ones.

    Parameters
    ----------
    loss : str or object, default='squared_error'
        What is made small: 'squared_error', 'absolute_error', 'huber', 'log_cosh', 'poisson'
        (counts, y >= 0), 'gamma' (y > 0), 'quantile', or an object of your own with methods
        ``loss(y_true, y_pred)`` and ``gradient(y_true, y_pred)``
        (:class:`skdeep.losses.PointwiseLoss`). Formulas are in
        :mod:`skdeep.losses`.

    hidden_layer_sizes : int or array-like of int, default=(100,)
        Width of each hidden layer, each at least 1.

    activation : str, object or list, default='relu'
        Function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', 'leaky_relu',
        'elu', 'selu', 'gelu', 'silu', 'mish' or 'softplus', or an object of your own with
        methods ``value(z)`` and ``derivative(z)`` (:class:`skdeep.activations.Custom`); a
        list has one for each hidden layer. Formulas are in :mod:`skdeep.activations`.

    solver : str or solver spec, default='adam'
        How the weights move: 'adam', 'sgd', 'adamw', 'nadam', 'amsgrad', 'rmsprop', 'adagrad',
        'adadelta', 'lion' or 'lbfgs'. A name takes its hyperparameters from the parameters
        below; a spec (:class:`~skdeep.Adam`, :class:`~skdeep.SGD`, ...) carries its own, and
        searches reach into it (``solver__momentum``). Which reads which: the user
        guide has a table.

    alpha : float, default=0.0001
        Strength of the penalty on the weights, in [0, inf): alpha / 2 times their squared
        norm (see `l1_ratio`), divided by the batch's sum of sample weights.

    batch_size : int or 'auto', default='auto'
        Rows of a batch, at least 1; 'auto' is ``min(200, n_samples)``.
        L-BFGS does not read it.

    learning_rate : str, schedule or callable, default='constant'
        How the learning rate changes: 'constant', 'invscaling' (divided by
        ``(t + 1) ** power_t`` after t rows), 'adaptive' (divided by 5 each time progress
        stalls for `n_iter_no_change` epochs, stopping below 1e-6), 'inverse_time', 'step',
        'linear', 'exponential', 'cosine' or 'one_cycle'; a spec of :mod:`skdeep.schedules`,
        such as ``WarmUp(5, Cosine())``; or a callable, step (from 0) -> rate. Unlike
        scikit-learn's MLP, every stochastic solver follows it.

    learning_rate_init : float, default=0.001
        Learning rate of the stochastic solvers, in (0, inf).

    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).

    max_iter : int, default=200
        Largest number of epochs; of iterations with 'lbfgs'.

    shuffle : bool, default=True
        Whether each epoch takes the rows in a new order.

    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of rows.

    tol : float, default=1e-4
        Training stops where loss (or validation score) has not improved by this much for
        `n_iter_no_change` epochs; with 'lbfgs', where no entry of the gradient is larger.

    verbose : bool or int, default=False
        Whether to print a row with epoch, elapsed time, loss and validation score.

    warm_start : bool, default=False
        Whether `fit` goes on where the fit before left off: weights, solver, learning rate,
        order of rows, validation rows. Two fits of 10 epochs are then one of 20.

    momentum : float, default=0.9
        Of 'sgd' and 'rmsprop', in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of 'sgd' is Nesterov's.

    early_stopping : bool, default=False
        Whether to stop when the score on validation rows stalls: on `X_val` where `fit` is
        given one, else on `validation_fraction` of the rows, which are set aside. 'lbfgs'
        does not read it.

    validation_fraction : float, default=0.1
        Share of rows set aside by `early_stopping`, in [0, 1).

    beta_1 : float, default=0.9
        Decay of the first moment of 'adam', 'adamw', 'nadam', 'amsgrad' and 'lion', in [0, 1).

    beta_2 : float, default=0.999
        Decay of the second moment of these, in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment, in (0, inf).

    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which training stops.

    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.

    dtype : {'float32', 'float64'} or None, default=None
        Of weights and computation. None takes float32 for a float32 `X` and float64
        for all else. ``"float32"`` takes little more than half the time, whatever the dtype of
        `X`, which is converted batch by batch.

    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, in [0, 1]: alpha * (l1_ratio * norm_1 +
        (1 - l1_ratio) / 2 * norm_2 ** 2), as in an elastic net.

    dropout : float or list of float, default=0.0
        Share of each hidden layer's outputs that a training step drops, in [0, 1) [3]_; a
        list has the rate of the input first, then one for each hidden layer.

    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation [4]_.

    layer_norm : bool, default=False
        Whether hidden layers are normalised over their units before their activation [5]_.

    max_norm : float or None, default=None
        Largest norm of a unit's incoming weights, in (0, inf).

    clip_norm : float or None, default=None
        Largest norm of the gradient of all parameters; a longer one is scaled down to it.

    weight_init : str, spec, list of ndarray or None, default=None
        How weights start: 'glorot_uniform', 'glorot_normal', 'he_uniform', 'he_normal',
        'lecun_normal', 'orthogonal', ``Uniform(low, high)``, ``Normal(mean, std)``
        (:mod:`skdeep.initializers`), or each layer's weights. None is scikit-learn's: [2]_,
        biases drawn too.

    bias : bool, default=True
        Whether layers have a bias; without, `intercepts_` is empty.

    residual : bool, default=False
        Whether a hidden layer as wide as its input adds it to its output.

    init_output_bias : {'baseline'} or None, default=None
        'baseline' starts the network as the best constant prediction: output weights of 0
        and the constant as output bias.

    weight_averaging : float, default=0.0
        Decay of a moving average of the weights over steps, in [0, 1), such as 0.999, which
        then validates and predicts; 0 is off.

    weight_decay : float, default=0.01
        Of 'adamw' and 'lion', in [0, inf).

    rho : float, default=0.9
        Decay of the squared gradients of 'rmsprop' and 'adadelta', in [0, 1).

    validation_scoring : str, callable or None, default=None
        Score of the validation rows: None is the estimator's own, 'loss' the negative loss;
        else a name or a callable as in :func:`skdeep.metrics.get_scorer`.

    restore_best : bool, default=True
        Whether, with validation rows, `fit` ends with the weights of the best epoch.

    max_time : float or None, default=None
        Seconds after which training stops, at the end of an epoch.

    output_activation : str or None, default=None
        Function of the output, which bounds predictions: 'identity', 'logistic' to (0, 1),
        'tanh' to (-1, 1), 'softplus' or 'exp' to positive numbers. None is the loss's own:
        'exp' for 'poisson' and 'gamma', else 'identity'.

    huber_delta : float, default=1.0
        Error from which on ``loss='huber'`` is linear, in units of `y`, in (0, inf).

    quantile : float or list of float, default=0.5
        Of ``loss='quantile'``, in (0, 1). A list gives `predict` a column for each; they
        never cross.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer. What is written here is what predicts.

    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.

    norms_ : list of ndarray of shape (n_out,)
        Scale, shift and running figures of each layer that has a norm.

    loss_ : float
        Loss of the last epoch.

    best_loss_ : float or None
        Lowest loss of any epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (of each iteration with 'lbfgs').

    validation_scores_ : list of float or None
        Score of the validation rows after each epoch (`validation_scoring`); None where there
        are none.

    validation_loss_curve_ : list of float or None
        Loss of the validation rows after each epoch, without penalty.

    best_validation_score_ : float or None
        The highest of these scores, NaN if none is finite.

    best_iter_ : int or None
        Epoch of the highest validation score, from 1; None without validation rows, or if no
        score is finite.

    n_iter_ : int
        Epochs of the last call; iterations with 'lbfgs'.

    t_ : int
        Training rows seen, those of every epoch counted.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names that are all strings.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Columns of the network's output.

    out_activation_ : str
        Function of the output.

    See Also
    --------
    DeepClassifier : The same for classes.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    .. [3] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014.
    .. [4] Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
       reducing internal covariate shift", ICML 2015.
    .. [5] Ba, Kiros & Hinton, "Layer normalization", arXiv:1607.06450.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = DeepRegressor(
    ...     hidden_layer_sizes=(20,), solver="lbfgs", max_iter=500, random_state=0
    ... )
    >>> round(model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2), 2)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_DeepEstimator._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES)), HasMethods(["loss", "gradient"])],
        "output_activation": [StrOptions(set(LINKS)), None],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dtype=None,
        l1_ratio=0.0,
        dropout=0.0,
        batch_norm=False,
        layer_norm=False,
        max_norm=None,
        clip_norm=None,
        weight_init=None,
        bias=True,
        residual=False,
        init_output_bias=None,
        weight_averaging=0.0,
        weight_decay=0.01,
        rho=0.9,
        validation_scoring=None,
        restore_best=True,
        max_time=None,
        output_activation=None,
        huber_delta=1.0,
        quantile=0.5,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dtype = dtype
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.layer_norm = layer_norm
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.weight_init = weight_init
        self.bias = bias
        self.residual = residual
        self.init_output_bias = init_output_bias
        self.weight_averaging = weight_averaging
        self.weight_decay = weight_decay
        self.rho = rho
        self.validation_scoring = validation_scoring
        self.restore_best = restore_best
        self.max_time = max_time
        self.output_activation = output_activation
        self.huber_delta = huber_delta
        self.quantile = quantile

    def _validate_params(self) -> None:
        if isinstance(self.loss, (Integral, tuple, list)):
            raise ValueError(
                f"The 'loss' parameter of DeepRegressor is {self.loss!r}. It is the first, as "
                f"MLPRegressor's: write hidden_layer_sizes={self.loss!r}."
            )
        super()._validate_params()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        loss = self.loss if isinstance(self.loss, str) else None
        tags.target_tags.multi_output = loss != "quantile"
        tags.target_tags.positive_only = loss in ("poisson", "gamma")
        return tags

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network on `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers; scale them first (``StandardScaler``).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; 0 or more for ``loss='poisson'``, above 0 for 'gamma'.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, in place of a share of `X`.
        y_val : array-like, default=None
            Their targets, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DeepRegressor

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or training diverges; the
            estimator is then as it was before.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, validation, incremental=False)

    @available_if(_is_stochastic)
    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Go on training for one epoch over the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            A part of the data, of one row or more.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; 0 or more for ``loss='poisson'``, above 0 for 'gamma'.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, in place of a share of `X`.
        y_val : array-like, default=None
            Their targets, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DeepRegressor

        Raises
        ------
        ValueError
            As in `fit`.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, validation, incremental=True)

    def _target_for(self, y: Any, incremental: bool) -> RegressionTarget:
        given = [self.quantile] if isinstance(self.quantile, Real) else list(self.quantile)
        fits = all(isinstance(one, Real) and 0 < float(one) < 1 for one in given)
        if not given or not fits or len(set(given)) < len(given):
            raise ValueError(
                "quantile must be a number between 0 and 1, or a list of such, none twice; got "
                f"{self.quantile!r}."
            )
        quantiles = np.array(given, float)
        # The network's columns ascend, so that they cannot cross; the user's need not.
        order = np.argsort(quantiles)
        loss = regression_loss(
            self.loss,
            self.output_activation,
            self.huber_delta,
            tuple(quantiles[order].tolist()),
        )
        return RegressionTarget(loss, 1 if y.ndim == 1 else y.shape[1], np.argsort(order))

    def _class_weights(self, y: Any, incremental: bool) -> None:
        return None

    def predict(self, X: Any) -> Array:
        """Predicted numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_quantiles)
        """
        raw = self._raw_output(X)
        return self._target.decode(raw)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination; for several quantiles, minus their mean pinball loss.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        loss = getattr(getattr(self, "_target", None), "loss", None)
        if not isinstance(loss, QuantileLoss) or len(loss.quantiles) == 1:
            return super().score(X, y, sample_weight)
        # Those of the fit, in the order of its columns.
        quantiles = [loss.quantiles[k] for k in self._target.order]
        return -mean_pinball_loss_of_quantiles(y, self.predict(X), quantiles, sample_weight)
