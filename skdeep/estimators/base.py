"""The scikit-learn face: validate, encode, train, decode.

Both estimators share everything but their targets. A fit makes one fit task, hands it to
``train`` and keeps what comes back. ``coefs_``, ``intercepts_`` and ``norms_`` are the
model: views of one flat vector after a fit, and whatever the user puts there later.
"""

import copy
import math
import warnings
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import Tags, check_random_state, estimator_html_repr
from sklearn.utils.validation import check_is_fitted

from skdeep._arrays import Array
from skdeep._checks import (
    Interval,
    Options,
    StrOptions,
    check_fits_dtype,
    check_weights,
    check_X,
    check_X_y,
    far_larger_column,
    takes_sample_weight,
    unchanged_on_error,
)
from skdeep._network.inference import raw_output
from skdeep._network.network import Network, Parameters
from skdeep._parallel.conductor import train_task
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
from skdeep.estimators.callbacks import CallbackBridge, EpochTable, score_with, snapshot
from skdeep.estimators.class_weight import times_class_weight
from skdeep.estimators.targets import RegressionTarget, flat_column
from skdeep.estimators.validation_set import (
    Validation,
    ValidationSet,
    check_validation_fraction,
)
from skdeep.estimators.warm_start import RandomStream
from skdeep.hyperparameters import check_holds_parameters
from skdeep.initializers import INITIALIZERS, Initializer
from skdeep.inspection import html_summary, text_summary
from skdeep.metrics import get_scorer
from skdeep.metrics.scorers import MadeScorer
from skdeep.schedules import SCHEDULES, Schedule
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver

# Share of its first value by which a loss that rose is worth a warning: more than a bad
# start of the solver's, less than what shows in no score any more.
RISE = 9

# Factor by which a loss above 1 rises only where training will not come back.
HOPELESS = 1e20

# Share of a constant prediction's loss down to which nothing was learned.
NO_BETTER = 0.95


def _is_stochastic(estimator: "_DeepEstimator") -> bool:
    if estimator.solver == "lbfgs" or isinstance(estimator.solver, LBFGS):
        raise AttributeError(
            f"partial_fit needs a stochastic solver, such as 'adam' or 'sgd'; solver="
            f"{estimator.solver!r} looks at all rows at once."
        )
    return True


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
        task.sample_weight = times_class_weight(given, weights, y, dtype)
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
    ) -> tuple[RandomStream | None, np.random.RandomState | None, Any]:
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
        return RandomStream(self.random_state, state, n_rows), generator, known

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
            weight_val = times_class_weight(
                check_weights(weight_val, X_val), weights, y_val, dtype
            )
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

        def validation_output(theta: Array) -> Array:
            return raw_output(network, network.views(theta), X_val, rows)

        task.validate = ValidationSet(
            validation_output,
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
        params = Parameters(self.coefs_, self.intercepts_, self.norms_)
        return raw_output(network, params, X)

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
