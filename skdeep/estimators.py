"""The scikit-learn face: validate, encode, train, decode.

Both estimators share everything but their targets. A fit makes one fit task, hands it to
``train`` and keeps what comes back. ``coefs_`` and ``intercepts_`` are the model: views
of one flat vector after a fit, and whatever the user puts there later.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import Tags, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from skdeep.activations import ACTIVATIONS
from skdeep.losses import REGRESSION_LOSSES
from skdeep.network import Network
from skdeep.parallel import fit as train_task
from skdeep.progress import EpochTable
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver
from skdeep.targets import (
    ClassTarget,
    MultilabelTarget,
    RegressionTarget,
    class_target,
    flat_column,
)
from skdeep.tasks import FitResult, FitTask, History
from skdeep.validation import (
    Interval,
    Options,
    StrOptions,
    check_hidden_layer_sizes,
    check_validation_fraction,
    check_weights,
    check_X,
    check_X_y,
    fit_context,
    unchanged_on_error,
    validate_parameter_constraints,
)

Array = np.ndarray


def _is_stochastic(estimator: "_DeepEstimator") -> bool:
    if estimator.solver == "lbfgs" or isinstance(estimator.solver, LBFGS):
        raise AttributeError(
            f"partial_fit needs a stochastic solver, such as 'adam' or 'sgd'; solver="
            f"{estimator.solver!r} looks at all rows at once."
        )
    return True


class _DeepEstimator(BaseEstimator):
    """What classifier and regressor share; see them for the parameters."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions(set(SOLVERS)), StochasticSolver, LBFGS],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # A fit, end to end

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> Self:
        with unchanged_on_error(self):
            fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            X, y = check_X_y(
                self, X, y, y_numeric=isinstance(self, RegressorMixin), reset=fresh
            )
            y = flat_column(y)
            self._target = self._target_for(y, incremental)
            task = self._task(X, y, sample_weight, fresh, incremental)
            self._keep(task, train_task(task), incremental)
        return self

    def _task(
        self, X: Any, y: Any, sample_weight: Any, fresh: bool, incremental: bool
    ) -> FitTask:
        target = self._target
        # A generator that nobody else draws from need not be made, nor be drawn from,
        # where nothing depends on it: seeding one takes a fifth of a one-row partial_fit.
        own = isinstance(self.random_state, Integral)
        one_batch = X.shape[0] <= (200 if self.batch_size == "auto" else self.batch_size)
        idle = own and one_batch and not (fresh or self.early_stopping)
        generator = None if idle else check_random_state(self.random_state)
        widths = check_hidden_layer_sizes(self.hidden_layer_sizes)
        widths = [X.shape[1], *widths, target.n_outputs]
        network = Network.perceptron(widths, ACTIVATIONS[self.activation])
        task = FitTask(
            network=network,
            loss=target.loss,
            solver=self._solver_spec(),
            X=X,
            y=target.encode(y),
            sample_weight=check_weights(sample_weight, X),
            theta=self._start(network, generator, X.dtype, fresh),
            generator=generator,
            alpha=self.alpha,
            max_iter=1 if incremental else self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            history=History() if fresh else self._history,
        )
        if isinstance(task.solver, StochasticSolver):
            known = self._solver_state if incremental and not fresh else None
            if known is not None and isinstance(task.solver, known.solver):
                task.solver_state = known
            if self.early_stopping:
                self._hold_out(task, incremental)
            task.batch_size = self._rows_per_batch(task.n_rows)
            if own and task.batch_size == task.n_rows:
                task.shuffle = False  # the order of one batch changes only rounding
        if self.verbose:
            task.on_epoch = EpochTable(with_score=task.validate is not None)
        return task

    def _solver_spec(self) -> StochasticSolver | LBFGS:
        if not isinstance(self.solver, str):
            params = self.solver.get_params()
            known = self._parameter_constraints
            constraints = {name: known[name] for name in params if name in known}
            validate_parameter_constraints(
                constraints, params, caller_name=type(self.solver).__name__
            )
            return self.solver
        spec = SOLVERS[self.solver]
        return spec(**{name: getattr(self, name) for name in spec.field_names()})

    def _start(
        self,
        network: Network,
        generator: np.random.RandomState | None,
        given: np.dtype,
        fresh: bool,
    ) -> Array:
        # Flat vector to start from, in the dtype of computation.
        if fresh and generator is not None:
            own = "float32" if given == np.float32 else "float64"
            gain = 2.0 if self.activation == "logistic" else 6.0
            return network.initial(generator, gain, np.dtype(self.dtype or own))
        shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
        if [coef.shape for coef in self.coefs_] != shapes:
            raise ValueError(
                f"Training cannot go on: the fitted weights have shapes "
                f"{[coef.shape for coef in self.coefs_]}, but the parameters and y ask for "
                f"{shapes}. Keep hidden_layer_sizes and the columns of y as they were, or "
                "fit anew with warm_start=False."
            )
        return network.pack(self.coefs_, self.intercepts_)

    def _hold_out(self, task: FitTask, incremental: bool) -> None:
        # Split off the rows on whose score training stops.
        if incremental:
            raise ValueError(
                "partial_fit does not support early_stopping=True: one call is one epoch. "
                "Set early_stopping=False, or use fit."
            )
        target, network = self._target, task.network
        X, y, sample_weight = task.X, task.y, task.sample_weight
        check_validation_fraction(self.validation_fraction, X.shape[0])
        task.rows, held_out = train_test_split(
            np.arange(X.shape[0]),
            random_state=task.generator,
            test_size=self.validation_fraction,
            stratify=target.strata(y),
        )
        y_val = y[held_out]
        weight_val = None if sample_weight is None else sample_weight[held_out, 0]
        if sample_weight is not None:
            parts = (sample_weight[held_out], sample_weight[task.rows])
            if not all(part.any() for part in parts):
                raise ValueError(
                    "sample_weight is zero on all training rows or on all validation rows of "
                    "the early_stopping split: drop rows of zero weight before fitting."
                )

        def validate(weights: list[Array], biases: list[Array]) -> float:
            raw = network.raw_output(weights, biases, X, held_out)
            return target.score(y_val, raw, weight_val) if np.isfinite(raw).all() else np.nan

        task.validate = validate

    def _rows_per_batch(self, n_rows: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warnings.warn(
                f"batch_size={self.batch_size} is larger than the {n_rows} training rows: it "
                f"is clipped to {n_rows}.",
                stacklevel=6,
            )
        return min(self.batch_size, n_rows)

    def _keep(self, task: FitTask, result: FitResult, incremental: bool) -> None:
        # From a fit result to fitted attributes, or to an error.
        history = result.history
        if result.outcome == "diverged":
            advice = "scale X (StandardScaler)"
            if isinstance(self, RegressorMixin):
                advice += " and y (TransformedTargetRegressor)"
            if isinstance(task.solver, StochasticSolver):
                advice += ", and try a smaller learning_rate_init"
            raise ValueError(
                f"Training diverged in epoch {result.n_iter or 1}: the loss or the weights are "
                f"no longer finite. To mend it, {advice}. The estimator is left as it was "
                "before this call."
            )
        self._tell(result, incremental)
        weights, biases = task.network.views(result.theta)
        self.coefs_ = weights
        self.intercepts_ = [bias[0] for bias in biases]
        self._solver_state = result.solver_state
        self._history = history
        self.n_iter_ = result.n_iter
        self.n_layers_ = len(task.network.layers) + 1
        self.n_outputs_ = task.network.n_out
        self.out_activation_ = task.loss.out_activation
        self.t_ = history.n_rows_seen
        self.loss_ = result.loss
        self.loss_curve_ = history.loss_curve
        validated = task.validate is not None
        self.best_loss_ = None if validated else history.best_loss
        self.validation_scores_ = history.validation_scores if validated else None
        self.best_validation_score_ = history.best_score if validated else None

    def _tell(self, result: FitResult, incremental: bool) -> None:
        # Why training ended, where the user would want to know.
        if result.outcome == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=6)
        elif result.outcome == "max_iter" and not incremental:
            warnings.warn(
                f"Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet. Increase max_iter, or scale X (StandardScaler).",
                ConvergenceWarning,
                stacklevel=6,
            )
        elif result.outcome not in ("max_iter", "converged"):
            warnings.warn(
                f"L-BFGS gave up after {result.n_iter} iteration(s): {result.outcome} Scale X "
                "(StandardScaler), or increase alpha.",
                ConvergenceWarning,
                stacklevel=6,
            )
        if self.verbose and not incremental:
            print(f"Ended after {result.n_iter} epochs: {result.outcome}.")

    def _raw_output(self, X: Any) -> Array:
        # Raw output of shape (n_samples, n_outputs_), in the dtype of the weights.
        check_is_fitted(self)
        X = check_X(self, X)
        # The weights say what the network is: users may have put others in their place.
        widths = [self.coefs_[0].shape[0], *(coef.shape[1] for coef in self.coefs_)]
        network = Network.perceptron(widths, ACTIVATIONS[self.activation])
        return network.raw_output(self.coefs_, self.intercepts_, X)


class DeepClassifier(ClassifierMixin, _DeepEstimator):
    """Neural network for binary, multi-class and multi-label classification.

    Layers of weighted sums and a nonlinear function, trained by backpropagation [1]_ to
    the smallest log-loss, from the starting weights of [2]_. Parameters, defaults and
    numbers are those of :class:`sklearn.neural_network.MLPClassifier`.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Width of each hidden layer, each at least 1.

    activation : str, default='relu'
        Function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu',
        'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish' or 'softplus'. Formulas and
        sources are in :mod:`skdeep.activations`.

    solver : {'adam', 'sgd', 'lbfgs'} or solver spec, default='adam'
        How the weights move. A name takes its hyperparameters from the parameters below;
        a spec (:class:`~skdeep.Adam`, :class:`~skdeep.SGD`, :class:`~skdeep.LBFGS`)
        carries its own, and searches reach into it (``solver__momentum``).

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights, in [0, inf): alpha / 2 times their
        squared norm, divided by the batch's sum of sample weights.

    batch_size : int or 'auto', default='auto'
        Rows of a batch, at least 1; 'auto' is ``min(200, n_samples)``.
        L-BFGS does not read it.

    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule of 'sgd'. 'constant' keeps `learning_rate_init`; 'invscaling' divides it
        by ``(t + 1) ** power_t`` after t rows; 'adaptive' divides it by 5 each time
        progress stalls for `n_iter_no_change` epochs, and stops below 1e-6.

    learning_rate_init : float, default=0.001
        Learning rate of 'sgd' and 'adam', in (0, inf).

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
        Whether `fit` starts from the weights of the fit before.

    momentum : float, default=0.9
        Of 'sgd', in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of 'sgd' is Nesterov's.

    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside, stop when their score
        stalls, and keep the weights of the best epoch. 'lbfgs' does not read it.

    validation_fraction : float, default=0.1
        Share of rows set aside by `early_stopping`, in [0, 1).

    beta_1 : float, default=0.9
        Decay of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.999
        Decay of the second moment of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment of 'adam', in (0, inf).

    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which training stops.

    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.

    dtype : {'float32', 'float64'} or None, default=None
        Of weights and computation. None takes float32 for a float32 `X` and float64
        for all else. ``"float32"`` takes little more than half the time, whatever the dtype of
        `X`, which is converted batch by batch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.

    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer. What is written here is what predicts.

    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.

    loss_ : float
        Loss of the last epoch.

    best_loss_ : float or None
        Lowest loss of any epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (of each iteration with 'lbfgs').

    validation_scores_ : list of float or None
        Accuracy on the validation rows after each epoch; None without `early_stopping`.

    best_validation_score_ : float or None
        The highest of them.

    n_iter_ : int
        Epochs of the last call; iterations with 'lbfgs'.

    t_ : int
        Training rows seen, each epoch's counted anew.

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
        'softmax' for more classes.

    See Also
    --------
    DeepRegressor : The same for numbers.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network on `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers; scale them first (``StandardScaler``).
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of at least two classes, or an indicator matrix of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.

        Returns
        -------
        self : DeepClassifier

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or training diverges; the
            estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(_is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
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
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call, unless `y` is
            an indicator matrix.

        Returns
        -------
        self : DeepClassifier

        Raises
        ------
        ValueError
            If a label is not one of `classes`, or as in `fit`.
        """
        with unchanged_on_error(self):
            self._declare(y, classes)
            return self._fit(X, y, sample_weight, incremental=True)

    def _declare(self, y: Any, classes: Any) -> None:
        # The first call of a series fixes the classes; later ones may only repeat them.
        if not hasattr(self, "classes_"):
            if type_of_target(y).startswith("multilabel"):
                labels = np.arange(np.shape(y)[1])
                if classes is not None and not np.array_equal(classes, labels):
                    raise ValueError(
                        f"classes={classes!r} does not go with an indicator matrix of "
                        f"{len(labels)} columns: its classes are {labels.tolist()!r}. Leave "
                        "classes out."
                    )
                return
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit: a part of the "
                    "data need not show all labels."
                )
            self._target = ClassTarget(unique_labels(classes))
            self.classes_ = self._target.classes
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )

    def _target_for(self, y: Any, incremental: bool) -> ClassTarget | MultilabelTarget:
        if (incremental or self.warm_start) and hasattr(self, "classes_"):
            self._target.check(y, all_classes=not incremental)
            return self._target
        target = class_target(y)
        self.classes_ = target.classes
        return target

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
        probabilities : ndarray of shape (n_samples, n_classes)
            In [0, 1], columns as in `classes_`. Rows add up to 1, except for
            multi-label, where each column is a label's own probability.
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
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class DeepRegressor(RegressorMixin, _DeepEstimator):
    """Neural network for regression to one or several targets.

    Layers of weighted sums and a nonlinear function, trained by backpropagation [1]_ from
    the starting weights of [2]_. Parameters, defaults and numbers are those of
    :class:`sklearn.neural_network.MLPRegressor`.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, default='squared_error'
        What is made small: half the squared error, or half the Poisson deviance. The
        latter is for counts and rates, y >= 0, and predicts through an exponential.
        Formulas are in :mod:`skdeep.losses`.

    hidden_layer_sizes : int or array-like of int, default=(100,)
        Width of each hidden layer, each at least 1.

    activation : str, default='relu'
        Function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu',
        'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish' or 'softplus'. Formulas and
        sources are in :mod:`skdeep.activations`.

    solver : {'adam', 'sgd', 'lbfgs'} or solver spec, default='adam'
        How the weights move. A name takes its hyperparameters from the parameters below;
        a spec (:class:`~skdeep.Adam`, :class:`~skdeep.SGD`, :class:`~skdeep.LBFGS`)
        carries its own, and searches reach into it (``solver__momentum``).

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights, in [0, inf): alpha / 2 times their
        squared norm, divided by the batch's sum of sample weights.

    batch_size : int or 'auto', default='auto'
        Rows of a batch, at least 1; 'auto' is ``min(200, n_samples)``.
        L-BFGS does not read it.

    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule of 'sgd'. 'constant' keeps `learning_rate_init`; 'invscaling' divides it
        by ``(t + 1) ** power_t`` after t rows; 'adaptive' divides it by 5 each time
        progress stalls for `n_iter_no_change` epochs, and stops below 1e-6.

    learning_rate_init : float, default=0.001
        Learning rate of 'sgd' and 'adam', in (0, inf).

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
        Whether `fit` starts from the weights of the fit before.

    momentum : float, default=0.9
        Of 'sgd', in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of 'sgd' is Nesterov's.

    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside, stop when their score
        stalls, and keep the weights of the best epoch. 'lbfgs' does not read it.

    validation_fraction : float, default=0.1
        Share of rows set aside by `early_stopping`, in [0, 1).

    beta_1 : float, default=0.9
        Decay of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.999
        Decay of the second moment of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment of 'adam', in (0, inf).

    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which training stops.

    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.

    dtype : {'float32', 'float64'} or None, default=None
        Of weights and computation. None takes float32 for a float32 `X` and float64
        for all else. ``"float32"`` takes little more than half the time, whatever the dtype of
        `X`, which is converted batch by batch.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer. What is written here is what predicts.

    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.

    loss_ : float
        Loss of the last epoch.

    best_loss_ : float or None
        Lowest loss of any epoch; None with `early_stopping`.

    loss_curve_ : list of float
        Loss of each epoch (of each iteration with 'lbfgs').

    validation_scores_ : list of float or None
        R^2 on the validation rows after each epoch; None without `early_stopping`.

    best_validation_score_ : float or None
        The highest of them.

    n_iter_ : int
        Epochs of the last call; iterations with 'lbfgs'.

    t_ : int
        Training rows seen, each epoch's counted anew.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names that are all strings.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Columns of the network's output.

    out_activation_ : str
        Function of the output: 'identity', or 'exp' for ``loss='poisson'``.

    See Also
    --------
    DeepClassifier : The same for classes.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_DeepEstimator._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
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
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            dtype=dtype,
        )
        self.loss = loss

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network on `X` and `y`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Numbers; scale them first (``StandardScaler``).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; 0 or more for ``loss='poisson'``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.

        Returns
        -------
        self : DeepRegressor

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or training diverges; the
            estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(_is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go on training for one epoch over the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            A part of the data, of one row or more.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; 0 or more for ``loss='poisson'``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, 0 or more, not all 0.

        Returns
        -------
        self : DeepRegressor

        Raises
        ------
        ValueError
            As in `fit`.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _target_for(self, y: Any, incremental: bool) -> RegressionTarget:
        return RegressionTarget(self.loss, 1 if y.ndim == 1 else y.shape[1])

    def predict(self, X: Any) -> Array:
        """Predicted numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        raw = self._raw_output(X)
        return self._target.decode(raw)
