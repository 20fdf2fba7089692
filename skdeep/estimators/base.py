"""Base class of the estimators. A fit checks the data, builds a task, trains and keeps.

``coefs_``, ``intercepts_`` and ``norms_`` are the model: views of one flat vector after a fit,
or whatever the user puts there later.
"""

from functools import cache
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdeep._arrays import Array
from skdeep._checks.data import check_fits_dtype, check_X
from skdeep._checks.documentation import Documented
from skdeep._checks.parameters import fit_context, unchanged_on_error
from skdeep._network.network import Network, Parameters
from skdeep._parallel.conductor import train_task
from skdeep._training.fit_task import FitResult, History
from skdeep.estimators.build import (
    dropout_of,
    network_of,
    solver_of,
    trains_on_all_rows,
)
from skdeep.estimators.callbacks import CallbackBridge
from skdeep.estimators.fitted import attributes_after, attributes_of
from skdeep.estimators.model import Model, model_of
from skdeep.estimators.outcome import check_outcome
from skdeep.estimators.plain_state import PlainState
from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
    Target,
)
from skdeep.estimators.task import build_task
from skdeep.estimators.training_data import check_training_data
from skdeep.estimators.validation_set import Validation
from skdeep.estimators.warm_start import Done, TrainingState
from skdeep.hyperparameters import check_holds_parameters
from skdeep.inspection.summary import Summary, html_section
from skdeep.losses import Focal, Huber
from skdeep.schedules import SCHEDULES
from skdeep.solvers import SOLVERS

# What a parameter that is a name stands for, if that is an object with parameters.
NAMED = {**SOLVERS, **SCHEDULES, "focal": Focal, "huber": Huber}


def is_stochastic(estimator: Any) -> bool:
    """True if `partial_fit` is available; raises AttributeError if not."""
    if trains_on_all_rows(estimator):
        raise AttributeError(
            "partial_fit needs a stochastic solver, such as 'adam' or 'sgd'; "
            f"solver={estimator.solver!r} trains on all rows at once."
        )
    return True


@cache
def _param_names(kind: Any, _init: Any) -> tuple[str, ...]:
    # Searches ask for the names in each clone: inspecting the signature each time took a tenth
    # of a search of small fits.
    return tuple(super(DeepEstimator, kind)._get_param_names())


class DeepEstimator(Documented, PlainState, CallbackSupportMixin, BaseEstimator):
    """Base of the classifier and the regressor; see them for the parameters."""

    _parameter_constraints: ClassVar[dict[str, Any]]
    _network: Network
    _target: Any
    _training_state: TrainingState
    best_loss_: float | None
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None
    best_iter_: int | None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    @classmethod
    def _get_param_names(cls) -> list[str]:
        kind: Any = cls
        return list(_param_names(kind, kind.__init__))

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            New values; ``solver__name`` is the parameter `name` of the object in `solver`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter, or the one before ``__`` has no parameters.
        """
        names = self._get_param_names()
        for path in params:
            name, is_inner, key = path.partition("__")
            if is_inner and name in names:
                value = params.get(name, getattr(self, name))
                check_holds_parameters(name, value, key, NAMED, names)
        return super().set_params(**params)

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
        """Fit the network to `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training data: finite numbers, scaled, for example by ``StandardScaler``.
        y : array-like of shape (n_samples,) or (n_samples, n_columns)
            Class labels, an indicator matrix for multi-label, or numbers for regression
            (at least 0 for ``loss='poisson'``, above 0 for 'gamma').
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, at least 0, not all 0.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, instead of a share of `X`.
        y_val : array-like, default=None
            Targets of `X_val`, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weight of each row of `X_val`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, or training diverges. The estimator is left
            unchanged.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, validation, incremental=False)

    @available_if(is_stochastic)
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
        """Train for one more epoch on the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            A part of the data, at least one row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, as in `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, at least 0, not all 0.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Rows to validate on after the epoch.
        y_val : array-like, default=None
            Targets of `X_val`, in the shape of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weight of each row of `X_val`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            As in `fit`.
        """
        validation = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, validation, incremental=True)

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def _resume(
        self, X: Any, y: Any, sample_weight: Any, validation: Validation, done: Done
    ) -> Self:
        # Goes on with a fit that was cut off, whose state the estimator has.
        return self._fit(X, y, sample_weight, validation, incremental=False, done=done)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation,
        incremental: bool,
        done: Done | None = None,
    ) -> Self:
        context: Any = None
        if getattr(self, "_skl_callbacks", None):
            n_epochs = 1 if incremental else self.max_iter - (done.n_iter if done else 0)
            context = self._init_callback_context(
                task_name="partial_fit" if incremental else "fit", max_subtasks=n_epochs
            )
        with unchanged_on_error(self):
            goes_on = self.warm_start or incremental or done is not None
            fresh = not (goes_on and hasattr(self, "coefs_"))
            data = check_training_data(
                self, X, y, sample_weight, validation, fresh, incremental
            )
            task, stream = build_task(self, data, fresh, incremental, done or Done())

            def attributes(result: FitResult, grows: bool = False) -> dict[str, Any]:
                before = task.history if grows else task.history.copy()
                history = before.extend(result.history)
                return attributes_after(task, result, history, data.target, stream)

            bridge = None
            if context is not None:
                bridge = CallbackBridge(context, self, task, attributes, data.y, sample_weight)
                task.on_epoch = [*task.on_epoch, bridge]
            result = train_task(task)
            check_outcome(self, task, result, incremental)
            # Curves grow in place, as copies of long ones would cost more than a step. But a
            # callback may yet raise an error, which leaves the estimator as it was.
            self.__dict__.update(attributes(result, grows=bridge is None))
            if bridge is not None:
                bridge.close(result)
        return self

    def _make_fitted(self, target: Target, params: Parameters, history: History) -> Self:
        # See `skdeep.estimators.model.make_fitted`.
        solver_of(self)
        network = network_of(self, len(params.weights[0]), target.n_outputs, dropout_of(self))
        self.n_features_in_ = len(params.weights[0])
        if isinstance(target, ClassTarget | MultilabelTarget | MultiOutputTarget):
            self.classes_ = target.classes
        model = Model.at(network, network.pack(params), target)
        self.__dict__.update(attributes_of(model, history))
        return self

    def _raw_output(self, X: Any) -> Array:
        if not self.__sklearn_is_fitted__():  # the tags that the check reads cost 5 us
            check_is_fitted(self)
        X = check_X(self, X)
        check_fits_dtype(self, X, self.coefs_[0].dtype)
        return model_of(self).raw_output(X)

    def summary(self) -> Summary:
        """The network as a table: layers, output shapes, numbers of parameters.

        Returns
        -------
        table : Summary
            A string; a notebook displays it as an HTML table.

        Raises
        ------
        NotFittedError
            Before `fit`, as the network depends on the columns of `X` and `y`.
        """
        check_is_fitted(self)
        return Summary.of(self._network)

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        # In diagrams, also of what contains the estimator: scikit-learn's table of fitted
        # attributes, followed by that of the layers.
        attributes = super()._get_fitted_attr_html(doc_link)
        if hasattr(self, "_network"):
            plain_html = attributes._html_repr
            layers = html_section(self.summary().rows)
            attributes._html_repr = lambda: plain_html() + layers
        return attributes
