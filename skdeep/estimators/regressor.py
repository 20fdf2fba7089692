"""The regressor."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skdeep._arrays import Array
from skdeep._checks import HasMethods, Interval, StrOptions, fit_context
from skdeep.estimators.base import _DeepEstimator, _is_stochastic
from skdeep.estimators.targets import RegressionTarget
from skdeep.losses import (
    OUTPUT_ACTIVATIONS,
    REGRESSION_LOSSES,
    Huber,
    QuantileLoss,
    regression_loss,
)
from skdeep.metrics.scorers import mean_pinball_loss_of_quantiles


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
        "loss": [StrOptions(set(REGRESSION_LOSSES)), Huber, HasMethods(["loss", "gradient"])],
        "output_activation": [StrOptions(set(OUTPUT_ACTIVATIONS)), None],
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
            Huber(self.huber_delta) if self.loss == "huber" else self.loss,
            self.output_activation,
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
