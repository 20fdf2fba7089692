"""TabularRegressor: numbers, one or several per row, and quantiles."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import Tags

from skdeep._arrays import Array
from skdeep._checks.data import check_numbers
from skdeep.estimators.parameters import constraints
from skdeep.estimators.targets import (
    RegressionTarget,
    flat_column,
    quantiles_of,
    with_regression_loss,
)
from skdeep.metrics.scorers import mean_pinball_loss_of_quantiles
from skdeep.tabular.base import TabularEstimator
from skdeep.tabular.ensemble_consistency import check_ensemble
from skdeep.tabular.members import TrainingTable
from skdeep.tabular.parameters import REGRESSOR, documented
from skdeep.tabular.recipes import REGRESSOR_RECIPES

# Larger targets overflow when squared; if all are smaller than its reciprocal, they vanish.
LARGEST = 1e140


@documented(REGRESSOR)
class TabularRegressor(RegressorMixin, TabularEstimator):
    """Regressor for tables as they come: an ensemble of small networks.

    Takes data frames and arrays with numbers, booleans, categories, dates and missing values,
    and needs neither a pipeline nor settings. The members follow RealMLP [1]_, are trained as
    one stack, and each holds out another fold of the rows, by which it chooses its epoch. So
    all rows are used, and there are out-of-fold predictions of each. Targets need no scaling;
    predictions are averaged, and stay within the range of the targets seen in training.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    TabularClassifier : The same for labels.
    TableTransformer : How columns become numbers.
    DeepRegressor : A single network, with every setting.

    References
    ----------
    .. [1] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep import TabularRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> y = 1000 * (X[:, 0] + np.abs(X[:, 1]))
    >>> X[:20, 0] = np.nan
    >>> model = TabularRegressor(n_members=5, random_state=0).fit(X, y)
    >>> bool(model.validation_score_ > 0.6)
    True
    >>> interval = TabularRegressor(
    ...     n_members=5, loss="quantile", quantile=[0.1, 0.9], random_state=0
    ... ).fit(X, y)
    >>> low, high = interval.predict(X).T
    >>> bool(0.6 < np.mean((low < y) & (y < high)) < 1)
    True
    """

    _parameter_constraints = constraints(REGRESSOR)
    _recipes_by_effort = REGRESSOR_RECIPES

    def __init__(
        self,
        effort="default",
        *,
        loss="squared_error",
        quantile=0.5,
        n_members=None,
        cv=None,
        max_iter=None,
        hidden_layer_sizes=None,
        learning_rate_init=None,
        dropout=None,
        weight_decay=None,
        categorical_features="from_dtype",
        recipe=None,
        max_time=None,
        n_jobs=None,
        verbose=False,
        random_state=None,
        dtype="float32",
    ) -> None:
        self.effort = effort
        self.loss = loss
        self.quantile = quantile
        self.n_members = n_members
        self.cv = cv
        self.max_iter = max_iter
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate_init = learning_rate_init
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.categorical_features = categorical_features
        self.recipe = recipe
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state
        self.dtype = dtype

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.loss != "quantile"
        tags.target_tags.positive_only = self.loss in ("poisson", "gamma")
        return tags

    def _check_fitted(self) -> None:
        check_ensemble(self, RegressionTarget)

    def _check_y(self, y: Any) -> Array:
        y = flat_column(check_numbers(y))
        size = np.abs(y).max()
        if size > LARGEST or 0 < size < 1 / LARGEST:
            raise ValueError(
                f"y has values as large as {size:.3g}, whose squares are too "
                f"{'large' if size > 1 else 'small'} for float64: change its unit."
            )
        return y

    def _target_of(self, y: Array) -> RegressionTarget:
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        return with_regression_loss(RegressionTarget(n_columns), self.loss, self.quantile)

    def _class_weights(self, y: Array, target: Any) -> None:
        return None

    def _strata(self, table: TrainingTable) -> None:
        return None

    def _shaped(self, prediction: Array) -> Array:
        order = self._ensemble.target.order
        prediction = prediction if order is None else prediction[:, order]
        return prediction[:, 0] if prediction.shape[1] == 1 else prediction

    def _decoded(self, prediction: Array) -> Array:
        return self._shaped(prediction)

    def _score_of(self, y: Array, decoded: Array, weight: Array | None) -> float:
        quantiles = quantiles_of(self._ensemble.target)
        if len(quantiles) > 1:
            return -mean_pinball_loss_of_quantiles(y, decoded, quantiles, weight)
        return float(r2_score(y, decoded, sample_weight=weight))

    def predict(self, X: Any) -> Array:
        """Predict target values.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_quantiles)
        """
        return self._decoded(self._predict(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination; for several quantiles, minus their mean pinball loss.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        return self._score_of(self._check_y(y), self.predict(X), sample_weight)
