"""Checks everything that is passed to a fit, in one place."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from skdeep._arrays import Array
from skdeep._checks.data import check_fits_dtype, check_weights, check_X_y
from skdeep.estimators.build import dropout_of, solver_of
from skdeep.estimators.class_weight import times_class_weight
from skdeep.estimators.targets import Target, flat_column
from skdeep.estimators.unread import refuse_with_lbfgs, warn_of_unread
from skdeep.estimators.validation_set import (
    Validation,
    ValidationRows,
    check_scorer_takes_weights,
    check_validation_fraction,
    check_validation_rows,
    check_validation_scoring,
)
from skdeep.solvers import LBFGS, StochasticSolver


@dataclass
class TrainingData:
    """What a fit trains and validates on, and by which solver.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray
        As passed, but a single column is a vector.
    target : Target
    encoded : ndarray of shape (n_samples, n_outputs)
        Targets as the network is trained on them.
    weight : ndarray of shape (n_samples, 1) or None
        Sample weights times class weights.
    dtype : dtype
        Of weights and computations.
    solver : StochasticSolver or LBFGS
    dropout : tuple of float
    validation : ValidationRows or None
        Passed by the user; rows that early stopping holds out come later.
    scorer : callable or None
        Of `validation_scoring`.
    """

    X: Any
    y: Any
    target: Target
    encoded: Array
    weight: Array | None
    dtype: np.dtype
    solver: StochasticSolver | LBFGS
    dropout: tuple[float, ...]
    validation: ValidationRows | None
    scorer: Any


def check_training_data(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    validation: Validation,
    fresh: bool,
    incremental: bool,
) -> TrainingData:
    """Check everything that a call to `fit` or `partial_fit` is given.

    Parameters
    ----------
    estimator : DeepClassifier or DeepRegressor
    X, y, sample_weight, validation
        As passed to `fit`.
    fresh : bool
        If True, nothing is resumed.
    incremental : bool
        If True, the call is one to `partial_fit`.
    """
    X, y = check_X_y(
        estimator, X, y, y_numeric=isinstance(estimator, RegressorMixin), reset=fresh
    )
    y = flat_column(y)
    target = estimator._target_for(y, incremental, fresh)
    encoded = target.encode(y)
    solver, dropout = solver_of(estimator), dropout_of(estimator)
    if fresh or not incremental:
        warn_of_unread(estimator, validation[0] is not None, incremental)
    dtype = _dtype(estimator, X, fresh)
    check_fits_dtype(estimator, X, dtype)
    class_weights = estimator._class_weights(y, target, incremental)
    sample_weight = check_weights(sample_weight, X)
    weight = times_class_weight(sample_weight, class_weights, y, dtype)
    rows, scorer = None, None
    if isinstance(solver, LBFGS):
        refuse_with_lbfgs(estimator, dropout, any(part is not None for part in validation))
    else:
        scorer = check_validation_scoring(estimator)
        rows = check_validation_rows(estimator, validation, target, class_weights, dtype)
        if rows is not None:
            if validation[2] is not None:
                check_scorer_takes_weights(estimator, scorer, "sample_weight_val")
        elif estimator.early_stopping:
            _check_early_stopping(estimator, X.shape[0], incremental)
            if sample_weight is not None:
                check_scorer_takes_weights(estimator, scorer, "sample_weight")
    return TrainingData(X, y, target, encoded, weight, dtype, solver, dropout, rows, scorer)


def _dtype(estimator: Any, X: Any, fresh: bool) -> np.dtype:
    if estimator.dtype is not None:
        return np.dtype(estimator.dtype)
    if not fresh:
        return estimator.coefs_[0].dtype
    return np.dtype("float32" if X.dtype == np.float32 else "float64")


def _check_early_stopping(estimator: Any, n_rows: int, incremental: bool) -> None:
    if incremental:
        raise ValueError(
            "partial_fit does not support early_stopping=True: one call is one epoch. "
            "Set early_stopping=False, or use fit."
        )
    check_validation_fraction(estimator.validation_fraction, n_rows)
