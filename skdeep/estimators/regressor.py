"""Neural network regressor."""

from numbers import Integral
from typing import Any, ClassVar

from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from skdeep._arrays import Array
from skdeep.estimators.base import DeepEstimator
from skdeep.estimators.consistency import check_network_model
from skdeep.estimators.parameters import REGRESSOR, constraints, documented
from skdeep.estimators.targets import RegressionTarget, quantiles_of, with_regression_loss
from skdeep.metrics.scorers import mean_pinball_loss_of_quantiles


@documented(REGRESSOR)
class DeepRegressor(RegressorMixin, DeepEstimator):
    """Neural network for regression to one or several targets.

    A multi-layer perceptron, trained by backpropagation [1]_ from the initial weights of [2]_.
    Parameters, defaults and results are those of
    :class:`sklearn.neural_network.MLPRegressor`; those from `dtype` on are additional.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    DeepClassifier : Neural network classifier.

    References
    ----------
    {references}

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

    _parameter_constraints: ClassVar[dict[str, Any]] = constraints(REGRESSOR)

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
        norm=None,
        max_norm=None,
        clip_norm=None,
        weight_init=None,
        bias=True,
        residual=False,
        init_output_bias=None,
        weight_averaging=0.0,
        validation_scoring=None,
        restore_best=True,
        max_time=None,
        output_activation=None,
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
        self.norm = norm
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.weight_init = weight_init
        self.bias = bias
        self.residual = residual
        self.init_output_bias = init_output_bias
        self.weight_averaging = weight_averaging
        self.validation_scoring = validation_scoring
        self.restore_best = restore_best
        self.max_time = max_time
        self.output_activation = output_activation
        self.quantile = quantile

    def _validate_params(self) -> None:
        if isinstance(self.loss, (Integral, tuple, list)):
            raise ValueError(
                f"The 'loss' parameter of DeepRegressor is {self.loss!r}. As in MLPRegressor, "
                f"loss comes first: pass hidden_layer_sizes={self.loss!r} by keyword."
            )
        super()._validate_params()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        loss = self.loss if isinstance(self.loss, str) else None
        tags.target_tags.multi_output = loss != "quantile"
        tags.target_tags.positive_only = loss in ("poisson", "gamma")
        return tags

    def _target_for(self, y: Any, incremental: bool, fresh: bool) -> RegressionTarget:
        return self._with_loss(RegressionTarget(1 if y.ndim == 1 else y.shape[1]))

    def _with_loss(self, target: RegressionTarget) -> RegressionTarget:
        return with_regression_loss(target, self.loss, self.quantile, self.output_activation)

    def _class_weights(self, y: Any, target: Any, incremental: bool) -> None:
        return None

    def _check_fitted(self) -> None:
        check_network_model(self, (RegressionTarget,))

    def predict(self, X: Any) -> Array:
        """Predict target values.

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
        quantiles = quantiles_of(getattr(self, "_target", None))
        if len(quantiles) < 2:
            return super().score(X, y, sample_weight)
        return -mean_pinball_loss_of_quantiles(y, self.predict(X), quantiles, sample_weight)
