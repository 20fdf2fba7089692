"""Validation rows: passed by the user, or held out from the training rows.

They are checked first, with everything else that a fit is given; scored after each epoch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.model_selection import train_test_split

from skdeep._arrays import Array
from skdeep._checks.data import check_fits_dtype, check_weights, check_X_y
from skdeep._checks.parameters import takes_sample_weight
from skdeep._network.inference import raw_output
from skdeep._network.network import Network
from skdeep.estimators.callbacks import score_with, snapshot
from skdeep.estimators.class_weight import times_class_weight
from skdeep.estimators.model import Model
from skdeep.estimators.targets import Target, flat_column
from skdeep.losses import Loss
from skdeep.metrics.scorers import MadeScorer, get_scorer

# X_val, y_val and sample_weight_val.
Validation = tuple[Any, Any, Any]


@dataclass
class ValidationRows:
    """Rows to validate on.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    rows : ndarray of int or None
        Which of its rows; all if None.
    y : ndarray
        Their targets, as passed.
    encoded : ndarray of shape (n_rows, n_outputs)
        Their targets, as the network is trained on them.
    weight : ndarray of shape (n_rows, 1) or None
    """

    X: Any
    rows: Array | None
    y: Any
    encoded: Array
    weight: Array | None


class ValidationSet:
    """Score and loss of the validation rows, after each epoch.

    Parameters
    ----------
    network : Network
    data : ValidationRows
    loss : Loss
    score : callable or None
        (theta, encoded, raw, weight) -> score, higher is better; None takes the negative
        loss.
    """

    def __init__(
        self,
        network: Network,
        data: ValidationRows,
        loss: Loss,
        score: Callable[[Array, Array, Array, Array | None], float] | None,
    ) -> None:
        self.network = network
        self.data = data
        self.weight = None if data.weight is None else data.weight[:, 0]
        self.loss = loss
        self.score = score

    def __call__(self, theta: Array) -> tuple[float, float]:
        data = self.data
        raw = raw_output(self.network, self.network.views(theta), data.X, data.rows)
        if not np.isfinite(raw).all():
            return np.nan, np.nan
        score = None
        if self.score is not None:
            score = self.score(theta, data.encoded, raw, self.weight)
        loss = mean_loss(self.loss, data.encoded, raw, self.weight)
        return -loss if score is None else float(score), loss

    def part(self, rows: Array) -> "ValidationSet":
        """The same for some of the rows, numbered from 0."""
        data = self.data
        chosen = ValidationRows(
            data.X,
            rows if data.rows is None else data.rows[rows],
            None if data.y is None else data.y[rows],
            data.encoded[rows],
            None if data.weight is None else data.weight[rows],
        )
        return ValidationSet(self.network, chosen, self.loss, self.score)


def mean_loss(loss: Loss, encoded: Array, raw: Array, weight: Array | None) -> float:
    """Mean loss as it is reported, without penalty; `weight` has shape (n_rows,)."""
    # Losses take columns one after another in memory, and overwrite the raw output.
    raw = np.array(raw, order="F")
    y = np.asfortranarray(encoded, raw.dtype)
    weight = np.ones(len(raw)) if weight is None else weight
    share = (weight / weight.sum()).astype(raw.dtype)[:, None]
    value = loss.value_and_gradient(y, raw, share, np.empty_like(raw), np.empty_like(raw))
    return float(value) / (raw.shape[1] if loss.averages_columns else 1)


# Checks


def check_validation_scoring(estimator: Any) -> Any:
    """The scorer of `validation_scoring`; None for the estimator's own score and the loss."""
    if estimator.validation_scoring in (None, "loss"):
        return None
    try:
        return get_scorer(estimator.validation_scoring)
    except ValueError as error:
        raise ValueError(f"validation_scoring: {error}") from error


def check_validation_rows(
    estimator: Any, validation: Validation, target: Target, class_weights: Any, dtype: np.dtype
) -> ValidationRows | None:
    """The validation rows that were passed to `fit`; None if there are none."""
    X, y, weight = validation
    if X is None:
        if y is not None or weight is not None:
            raise ValueError(
                "y_val or sample_weight_val is given without X_val. Give both, or neither."
            )
        return None
    if y is None:
        raise ValueError("X_val is given without y_val. Give both, or neither.")
    try:
        X, y = check_X_y(
            estimator, X, y, y_numeric=isinstance(estimator, RegressorMixin), reset=False
        )
        check_fits_dtype(estimator, X, dtype)
        y = flat_column(y)
        target.check(y, all_classes=False)
    except ValueError as error:
        raise ValueError(f"In X_val and y_val, here called X and y: {error}") from error
    weight = times_class_weight(check_weights(weight, X), class_weights, y, dtype)
    return ValidationRows(X, None, y, target.encode(y), weight)


def check_scorer_takes_weights(estimator: Any, scorer: Any, name: str) -> None:
    """Raise ValueError if the scorer cannot use the weights that were passed as `name`."""
    if scorer is not None and not takes_sample_weight(scorer):
        raise ValueError(
            f"validation_scoring={estimator.validation_scoring!r} takes no sample weights, but "
            f"{name} is given. Choose a score that takes them, or pass a function of your "
            "own, (estimator, X, y, sample_weight=None) -> score, that may ignore them."
        )


def check_validation_fraction(fraction: float, n_samples: int) -> None:
    """Raise ValueError if a split leaves too few rows to validate or to train on."""
    n_held_out = math.ceil(fraction * n_samples)
    if n_held_out < 2 or n_held_out >= n_samples:
        raise ValueError(
            f"The validation set of early_stopping is too small or too large: "
            f"validation_fraction={fraction} of {n_samples} rows is {n_held_out}, but at least "
            "2 rows are needed to validate and 1 to train on. Change validation_fraction, "
            "give more data, or set early_stopping=False."
        )


# Building


def hold_out(
    estimator: Any, data: Any, generator: np.random.RandomState | None
) -> tuple[Array, ValidationRows]:
    """Numbers of the rows to train on, and the rows that early stopping sets aside.

    Parameters
    ----------
    estimator : DeepClassifier or DeepRegressor
    data : TrainingData
    generator : RandomState or None
    """
    strata = data.target.strata(data.encoded)
    try:
        rows, held_out = train_test_split(
            np.arange(data.X.shape[0]),
            random_state=generator,
            test_size=estimator.validation_fraction,
            stratify=strata,
        )
    except ValueError as error:
        if strata is None:
            raise
        raise ValueError(
            "early_stopping=True holds out rows of both classes, but y has "
            f"{sorted(np.unique(strata, return_counts=True)[1].tolist())} rows of them and "
            f"validation_fraction={estimator.validation_fraction}. Give more rows, pass X_val "
            "to fit, or set early_stopping=False."
        ) from error
    weight = data.weight
    if weight is not None and not (weight[rows].any() and weight[held_out].any()):
        raise ValueError(
            "sample_weight is zero on all training rows or on all validation rows of "
            "the early_stopping split: drop rows of zero weight before fitting."
        )
    own_weight = None if weight is None else weight[held_out]
    return rows, ValidationRows(
        data.X, held_out, data.y[held_out], data.encoded[held_out], own_weight
    )


def score_of(
    estimator: Any, scorer: Any, network: Network, target: Target, data: ValidationRows
) -> Callable[[Array, Array, Array, Array | None], float] | None:
    """(theta, encoded, raw, weight) -> score; None for the loss."""
    scoring = estimator.validation_scoring
    if scoring == "loss" or (scoring is None and not target.has_score):
        return None
    if scoring is None:
        return lambda theta, encoded, raw, weight: target.score(encoded, raw, weight)
    # Scorers by name, and those of make_scorer, use predictions only. These are known, so
    # the rows of X, of which there may be many, are not copied.
    predicts = not (isinstance(scoring, str) or isinstance(scorer, MadeScorer))
    if predicts:
        X = data.X if data.rows is None else data.X[data.rows]
    else:
        X = np.empty((data.y.shape[0], 0))
    takes_weights = takes_sample_weight(scorer)

    def score(theta: Array, encoded: Array, raw: Array, weight: Array | None) -> float:
        attributes = Model.at(network, theta, target).fitted_attributes()
        fitted = snapshot(estimator, attributes)
        if not predicts:
            fitted._raw_output = lambda X: raw.copy()
        # Class weights alone are left out if the scorer takes no weights.
        own_weight = weight if takes_weights else None
        return score_with(scorer, scoring, fitted, X, data.y, own_weight)

    return score
