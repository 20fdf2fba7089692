"""TabularClassifier: labels and multi-label indicators."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags

from skdeep._arrays import Array
from skdeep._checks.data import check_labels
from skdeep.estimators.class_weight import explicit_class_weight
from skdeep.estimators.parameters import constraints
from skdeep.estimators.targets import ClassTarget, MultilabelTarget, class_target, flat_column
from skdeep.tabular.base import TabularEstimator
from skdeep.tabular.ensemble_consistency import check_ensemble
from skdeep.tabular.members import TrainingTable
from skdeep.tabular.parameters import CLASSIFIER, documented
from skdeep.tabular.recipes import CLASSIFIER_RECIPES


@documented(CLASSIFIER)
class TabularClassifier(ClassifierMixin, TabularEstimator):
    """Classifier for tables as they come: an ensemble of small networks.

    Takes data frames and arrays with numbers, booleans, categories, dates and missing values,
    and needs neither a pipeline nor settings. The members follow RealMLP [1]_, are trained as
    one stack, and each holds out another fold of the rows, by which it chooses its epoch. So
    all rows are used, and there are out-of-fold predictions of each. Probabilities are averaged
    and calibrated by one exponent [2]_.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multi-label, the numbers of the columns of `y`.
    {attributes}

    See Also
    --------
    TabularRegressor : The same for numbers.
    TableTransformer : How columns become numbers.
    DeepClassifier : A single network, with every setting.

    References
    ----------
    .. [1] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024.
    .. [2] Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep import TabularClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = np.empty((200, 2), dtype=object)
    >>> X[:, 0] = rng.normal(size=200)
    >>> X[:, 1] = rng.choice(["red", "green", "blue"], size=200)
    >>> y = np.where((X[:, 0] > 0) | (X[:, 1] == "red"), "yes", "no")
    >>> X[:20, 0] = None
    >>> model = TabularClassifier(n_members=5, max_iter=20, random_state=0).fit(X, y)
    >>> model.predict([[1.5, "green"], [-1.5, "blue"], [-1.5, "red"]]).tolist()
    ['yes', 'no', 'yes']
    >>> bool(model.validation_score_ > 0.8)
    True
    """

    _parameter_constraints = constraints(CLASSIFIER)
    _recipes_by_effort = CLASSIFIER_RECIPES

    def __init__(
        self,
        effort="default",
        *,
        n_members=None,
        cv=None,
        max_iter=None,
        hidden_layer_sizes=None,
        learning_rate_init=None,
        dropout=None,
        weight_decay=None,
        label_smoothing=None,
        class_weight=None,
        categorical_features="from_dtype",
        recipe=None,
        max_time=None,
        n_jobs=None,
        verbose=False,
        random_state=None,
        dtype="float32",
    ) -> None:
        self.effort = effort
        self.n_members = n_members
        self.cv = cv
        self.max_iter = max_iter
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate_init = learning_rate_init
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.categorical_features = categorical_features
        self.recipe = recipe
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state
        self.dtype = dtype

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _check_fitted(self) -> None:
        check_ensemble(self, ClassTarget, MultilabelTarget)

    def _check_y(self, y: Any) -> Array:
        return flat_column(check_labels(y))

    def _target_of(self, y: Array) -> ClassTarget | MultilabelTarget:
        target = class_target(y)
        if not isinstance(target, ClassTarget | MultilabelTarget):
            raise ValueError(
                f"y has {y.shape[1]} columns of labels: TabularClassifier takes one column of "
                "labels, or an indicator matrix of 0 and 1. Use "
                "sklearn.multioutput.MultiOutputClassifier to fit one model per column."
            )
        self.classes_ = target.classes
        return target

    def _class_weights(self, y: Array, target: Any) -> Any:
        if self.class_weight is None:
            return None
        return explicit_class_weight(self.class_weight, y, target)

    def _strata(self, table: TrainingTable) -> Array | None:
        if isinstance(table.target, MultilabelTarget):
            return None
        return np.searchsorted(self.classes_, table.y)

    def _shaped(self, prediction: Array) -> Array:
        return prediction

    def _decoded(self, prediction: Array) -> Array:
        if isinstance(self._ensemble.target, MultilabelTarget):
            return (prediction > 0.5).astype(int)
        return self.classes_[prediction.argmax(axis=1)]

    def _score_of(self, y: Array, decoded: Array, weight: Array | None) -> float:
        return float(accuracy_score(y, decoded, sample_weight=weight))

    def predict(self, X: Any) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        return self._decoded(self._predict(X))

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In [0, 1], with columns in the order of `classes_`. Rows sum to 1; for multi-label,
            each column is the probability of its label.
        """
        return self._predict(X)

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            -inf for a probability that rounds to 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
