"""Scorers that scikit-learn lacks, and `get_scorer`, which also finds those of scikit-learn."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, make_scorer, mean_pinball_loss
from sklearn.metrics import get_scorer as sklearn_get_scorer
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.multiclass import is_multilabel, unique_labels

from skdeep._arrays import Array
from skdeep.metrics.counts import dense, flat_labels, flat_weights, label_columns
from skdeep.metrics.functions import (
    class_distance,
    distance,
    macro_f_measure,
    one_vs_rest_accuracy,
    one_vs_rest_balanced_accuracy,
    within_threshold,
)

# The type of scorers made by make_scorer has no public name.
MadeScorer = type(make_scorer(accuracy_score))


class EstimatorScorer:
    """A scorer that depends on the estimator, such as on its type or its classes.

    It can be used like scorers from :func:`sklearn.metrics.make_scorer`, which only see the
    predictions.

    Parameters
    ----------
    name : str
        Name in :func:`get_scorer`.
    score : callable
        Function (estimator, X, y, sample_weight) -> score; higher is better.
    """

    def __init__(self, name: str, score: Callable[[Any, Any, Any, Any], float]) -> None:
        self._name = name
        self._score = score
        self._sample_weight_request: bool | str | None = None

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score of a fitted estimator; higher is better."""
        return self._score(estimator, X, y, sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None) -> Self:
        """Set whether sample weights are passed, if metadata routing is enabled.

        Parameters
        ----------
        sample_weight : bool, str or None
            If True, sample weights are passed; if False, they are ignored; if a str, the
            metadata of that name is passed; if None, passing sample weights is an error.

        Returns
        -------
        self : EstimatorScorer
        """
        self._sample_weight_request = sample_weight
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Get the metadata request of this scorer."""
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=self._sample_weight_request)
        return request

    def _accept_sample_weight(self) -> bool:
        # Called by scikit-learn's searches over several scores.
        return True

    def __repr__(self) -> str:
        return f"get_scorer({self._name!r})"


def _classifies(estimator: Any, name: str) -> bool:
    if not is_classifier(estimator) and not is_regressor(estimator):
        raise ValueError(
            f"{name!r} scores classifiers and regressors; got {estimator!r}, which is neither "
            "by scikit-learn's is_classifier and is_regressor."
        )
    return is_classifier(estimator)


def _check_shape(y: Any, shape: tuple[int, ...]) -> None:
    if np.shape(y) != shape:
        raise ValueError(
            f"y must have the shape of the predictions, {shape}: one column for each that the "
            f"classifier was fitted on; got {np.shape(y)}."
        )


def rows_right(y_true: Array, y_pred: Array, sample_weight: Any) -> float:
    """Fraction of rows with all labels right, as accuracy_score takes one column only."""
    _check_shape(y_true, y_pred.shape)
    right = (y_pred == y_true).all(axis=1)
    return float(np.average(right, weights=flat_weights(sample_weight, right)))


def _simple(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    classifies, y_pred = _classifies(estimator, "simple"), estimator.predict(X)
    if not classifies:
        return within_threshold(y, y_pred, sample_weight=sample_weight)
    if np.ndim(y_pred) == 1 or np.shape(y_pred)[1] == 1:
        return float(accuracy_score(y, y_pred, sample_weight=sample_weight))
    return rows_right(dense(y), dense(y_pred), sample_weight)


def _one_vs_rest_accuracy(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    # All classes of the estimator: if those of y and y_pred alone counted, the number of
    # classes would depend on the predictions.
    if not is_classifier(estimator):
        raise ValueError(
            f"'one_vs_rest_accuracy' scores classifiers only; got {estimator!r}. For "
            "regressors, use 'simple' or 'neg_distance'."
        )
    y, y_pred = flat_labels(y), estimator.predict(X)
    labels = unique_labels(estimator.classes_, y) if np.ndim(y_pred) == 1 else None
    return one_vs_rest_accuracy(y, y_pred, labels=labels, sample_weight=sample_weight)


def _neg_distance(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    if not _classifies(estimator, "neg_distance"):
        return -distance(y, estimator.predict(X), sample_weight=sample_weight)
    y_proba, labels = estimator.predict_proba(X), estimator.classes_
    if not isinstance(y_proba, list):
        if np.ndim(y) == 1 or np.shape(y)[1] == 1:
            y_proba, labels = _with_unseen(y_proba, labels, column_or_1d(y))
    elif _is_yes_or_no(labels) and is_multilabel(y):
        # Forests return this for an indicator matrix; a label may have a single class.
        y_proba = np.column_stack(
            [p @ values for p, values in zip(y_proba, labels, strict=True)]
        )
    else:
        _check_shape(y, (len(y_proba[0]), len(y_proba)))
        pairs = zip(y_proba, labels, label_columns(y), strict=True)
        y_proba, labels = map(list, zip(*(_with_unseen(*p) for p in pairs), strict=True))
    return -class_distance(y, y_proba, labels=labels, sample_weight=sample_weight)


def _is_yes_or_no(labels: list[Array]) -> bool:
    return all(
        values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all() for values in labels
    )


def _with_unseen(y_proba: Array, labels: Array, y: Array) -> tuple[Array, Array]:
    # Classes that were not in the training data have probability 0.
    unseen = np.setdiff1d(unique_labels(labels, y), labels)
    zeros = np.zeros((len(y_proba), len(unseen)))
    return np.hstack([y_proba, zeros]), np.concatenate([labels, unseen])


def mean_pinball_loss_of_quantiles(
    y: Any, y_pred: Array, quantiles: Any, sample_weight: Any
) -> float:
    """Mean pinball loss over several quantiles, with one column of `y_pred` for each."""
    columns = np.reshape(y_pred, (len(y_pred), -1)).T
    losses = [
        mean_pinball_loss(y, column, sample_weight=sample_weight, alpha=quantile)
        for column, quantile in zip(columns, quantiles, strict=True)
    ]
    return float(np.mean(losses))


def _neg_mean_pinball_loss(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    quantiles = _quantiles_of(estimator)
    return -mean_pinball_loss_of_quantiles(y, estimator.predict(X), quantiles, sample_weight)


def _quantiles_of(estimator: Any) -> Array:
    # Quantiles of the regressor inside pipelines, searches and target transformers.
    inner = estimator
    while not hasattr(inner, "quantile"):
        if isinstance(inner, Pipeline):
            inner = inner[-1]
        elif hasattr(inner, "regressor_"):
            inner = inner.regressor_
        elif hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        else:
            break
    quantile = getattr(inner, "quantile", None)
    if quantile is None or getattr(inner, "loss", "quantile") != "quantile":
        raise ValueError(
            "'neg_mean_pinball_loss' scores quantile regressors, such as "
            f"DeepRegressor(loss='quantile', quantile=[0.1, 0.9]); got {inner!r}."
        )
    return np.ravel(quantile)


#: Scorers by name. `get_scorer` returns copies.
SCORERS = {
    "one_vs_rest_accuracy": EstimatorScorer("one_vs_rest_accuracy", _one_vs_rest_accuracy),
    "one_vs_rest_balanced_accuracy": make_scorer(one_vs_rest_balanced_accuracy),
    "macro_f_measure": make_scorer(macro_f_measure),
    "simple": EstimatorScorer("simple", _simple),
    "within_threshold": make_scorer(within_threshold),
    "neg_distance": EstimatorScorer("neg_distance", _neg_distance),
    "neg_mean_pinball_loss": EstimatorScorer("neg_mean_pinball_loss", _neg_mean_pinball_loss),
}


def get_scorer(scoring: Any) -> Any:
    """Get a scorer by name, from :data:`SCORERS` or from scikit-learn.

    scikit-learn's searches only know scikit-learn's names, so pass them the scorer:
    ``GridSearchCV(..., scoring=get_scorer("neg_distance"))``. `validation_scoring` of
    skdeep's estimators also accepts the names.

    Parameters
    ----------
    scoring : str, callable or None
        Anything that :func:`sklearn.metrics.get_scorer` accepts, or one of:

        - 'one_vs_rest_accuracy', averaged over all classes of the classifier;
        - 'one_vs_rest_balanced_accuracy', 'macro_f_measure', 'within_threshold';
        - 'simple': for a classifier, the fraction of samples with all labels right; for a
          regressor, :func:`within_threshold` with threshold 0.5;
        - 'neg_distance': for a classifier, the negative :func:`class_distance`, where classes
          that were not in the training data have probability 0; for a regressor, the negative
          :func:`distance`;
        - 'neg_mean_pinball_loss', for a regressor of one or several quantiles, also inside a
          pipeline, a search or a :class:`~sklearn.compose.TransformedTargetRegressor`.

    Returns
    -------
    scorer : callable
        Function ``scorer(estimator, X, y, sample_weight=None)`` -> score; higher is better.
        A copy, so that `set_score_request` does not affect other scorers.

    Raises
    ------
    ValueError
        If there is no scorer with that name.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdeep import DeepClassifier
    >>> from skdeep.metrics import get_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DeepClassifier((10,), solver="lbfgs", random_state=0)
    >>> grid = {"alpha": [0.1, 100.0]}
    >>> search = GridSearchCV(model, grid, scoring=get_scorer("neg_distance"))
    >>> search.fit(X, y).best_params_
    {'alpha': 0.1}
    """
    if not isinstance(scoring, str):
        return sklearn_get_scorer(scoring)
    if scoring in SCORERS:
        return copy.deepcopy(SCORERS[scoring])
    try:
        return sklearn_get_scorer(scoring)
    except ValueError as error:
        raise ValueError(
            f"There is no scorer with the name {scoring!r}. skdeep has {', '.join(SCORERS)}; "
            "sklearn.metrics.get_scorer_names() lists scikit-learn's."
        ) from error
