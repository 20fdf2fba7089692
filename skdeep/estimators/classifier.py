"""Neural network classifier."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from skdeep._arrays import Array
from skdeep._checks.parameters import check_spec, fit_context, unchanged_on_error
from skdeep.estimators.base import DeepEstimator, is_stochastic
from skdeep.estimators.class_weight import explicit_class_weight
from skdeep.estimators.consistency import CLASSES, check_network_model
from skdeep.estimators.parameters import CLASSIFIER, constraints, documented
from skdeep.estimators.targets import ClassTarget, MultiOutputTarget, class_target
from skdeep.hyperparameters import Spec
from skdeep.metrics.scorers import rows_right


def _are_columns(classes: Any) -> bool:
    # Whether these are the classes of several columns of y.
    return isinstance(classes, (list, tuple)) and all(
        isinstance(own, (list, tuple, np.ndarray)) for own in classes
    )


@documented(CLASSIFIER)
class DeepClassifier(ClassifierMixin, DeepEstimator):
    """Neural network for binary, multi-class and multi-label classification.

    A multi-layer perceptron, trained by backpropagation [1]_ from the initial weights of [2]_.
    Parameters, defaults and results are those of
    :class:`sklearn.neural_network.MLPClassifier`; those from `dtype` on are additional.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Class labels, in the order of the columns of `predict_proba`; for several columns of
        labels, a list with those of each column.

    {attributes}

    See Also
    --------
    DeepRegressor : Neural network regressor.

    References
    ----------
    {references}

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

    _parameter_constraints: ClassVar[dict[str, Any]] = constraints(CLASSIFIER)

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
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
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
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.output_activation = output_activation

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.output_activation != "softmax"
        tags.target_tags.multi_output = True
        return tags

    @available_if(is_stochastic)
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
        """Train for one more epoch on the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            A part of the data, at least one row.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels; not every class need be among them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, at least 0, not all 0.
        classes : array-like of shape (n_classes,) or list of these, default=None
            All classes that `y` will have in any call; for several columns of labels, a list
            with those of each column. Required in the first call, unless `y` is an indicator
            matrix.
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
                        f"classes={classes!r} does not match an indicator matrix of "
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
                    "classes must be passed on the first call to partial_fit, because a batch "
                    "may not contain every class."
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

    def _target_for(self, y: Any, incremental: bool, fresh: bool) -> Any:
        if (incremental or not fresh) and hasattr(self, "classes_"):
            target = self._target
            target.check(y, all_classes=not incremental)
        else:
            target = class_target(y)
            self.classes_ = target.classes
        return self._with_loss(target)

    def _with_loss(self, target: Any) -> Any:
        if isinstance(self.loss, Spec):
            check_spec(self.loss)
        return target.with_loss(self.loss, self.label_smoothing, self.output_activation)

    def _class_weights(self, y: Any, target: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit, which does not see "
                "all rows: pass a dict, such as that of "
                "sklearn.utils.class_weight.compute_class_weight over all of y."
            )
        return explicit_class_weight(self.class_weight, y, target)

    def _check_fitted(self) -> None:
        check_network_model(self, CLASSES)

    def predict(self, X: Any) -> Array:
        """Predict class labels.

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
            In [0, 1], with columns in the order of `classes_`; a list with one array per column
            of labels if `y` has several. Rows sum to 1, except for multi-label and
            ``output_activation='logistic'``, where each column is the probability of its label.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is invalid.
        """
        raw = self._raw_output(X)
        return self._target.probabilities(raw)

    def predict_log_proba(self, X: Any) -> Array | list[Array]:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), or list of these
            -inf for a probability that rounds to 0.
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
