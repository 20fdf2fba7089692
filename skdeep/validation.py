"""What users hand in, checked; and the one place that imports scikit-learn's privates."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_X",
    "check_X_y",
    "check_hidden_layer_sizes",
    "check_validation_fraction",
    "check_weights",
    "fit_context",
    "unchanged_on_error",
    "validate_parameter_constraints",
]

# Attributes that an estimator has while its fit tells callbacks of itself.
CALLBACK_CONTEXT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


class StrOptions(_StrOptions):
    """scikit-learn's, which lists its choices in an order that each process draws anew."""

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


@contextmanager
def unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Leave the estimator as it was where fitting fails.

    What fitting sets are new objects, so the attributes of before are all there is to
    bring back. By those of a callback context scikit-learn takes callbacks down, later.
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        context = {k: v for k, v in vars(estimator).items() if k in CALLBACK_CONTEXT}
        vars(estimator).clear()
        vars(estimator).update(before | context)
        raise


def _is_plain(X: Any, estimator: BaseEstimator) -> bool:
    # Whether scikit-learn's validation would hand back this very array: then what takes
    # 0.1 ms to find out for any container is a few questions to a NumPy array.
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.char in "fd"
        and X.shape[0] > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
        and _adds_up(X)
    )


def _adds_up(array: np.ndarray) -> bool:
    # A finite sum has finite terms; one that overflows is left to scikit-learn's check.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def check_X(estimator: BaseEstimator, X: Any) -> Any:
    """`X` to predict for, as a finite numeric array or CSR matrix of the right width."""
    if _is_plain(X, estimator):
        return X
    return validate_data(estimator, X, accept_sparse="csr", dtype="numeric", reset=False)


def check_X_y(
    estimator: BaseEstimator, X: Any, y: Any, *, y_numeric: bool, reset: bool
) -> tuple[Any, Any]:
    """`X` and `y` to learn from; sets the estimator's feature attributes on `reset`."""
    if (
        not reset
        and _is_plain(X, estimator)
        and type(y) is np.ndarray
        and y.shape == (len(X),)
        and y.dtype.kind in ("f" if y_numeric else "biu")
        and _adds_up(y)
    ):
        return X, y
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csr",
        multi_output=True,
        dtype="numeric",
        reset=reset,
    )
    return X, _numbers(y) if y_numeric else y


def _numbers(y: Any) -> np.ndarray:
    if issparse(y):
        raise ValueError(
            "y is a sparse matrix, which regression does not take: use y.toarray()."
        )
    if y.dtype.kind in "biuf":
        return y
    if y.dtype.kind != "O":
        first = str(y.flat[0])
        raise ValueError(
            f"y must hold numbers in regression; got dtype {y.dtype}, such as {first!r}."
        )
    try:
        numbers = y.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must hold numbers in regression: {error}.") from error
    assert_all_finite(numbers, input_name="y")
    return numbers


def check_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Sample weights as a column, of shape (n_samples, 1).

    Raises
    ------
    ValueError
        If they are not one finite number a row, or some is negative, or all are zero.
    """
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
    return weight[:, None]


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Widths of the hidden layers as a list.

    Raises
    ------
    ValueError
        If there is none, or one is not a whole number of 1 or more.
    """
    widths = [sizes] if isinstance(sizes, Integral) else list(sizes)
    if not widths or not all(
        isinstance(width, Integral) and int(width) >= 1 for width in widths
    ):
        raise ValueError(
            "hidden_layer_sizes must be an int or a sequence of at least one int, each 1 or "
            f"more, such as (100,) or (64, 32); got {sizes!r}."
        )
    return [int(width) for width in widths]


def check_validation_fraction(fraction: float, n_samples: int) -> None:
    """Raise ValueError where a split leaves too few rows to validate or to train on."""
    n_held_out = math.ceil(fraction * n_samples)
    if n_held_out < 2 or n_held_out >= n_samples:
        raise ValueError(
            f"The validation set of early_stopping is too small or too large: "
            f"validation_fraction={fraction} of {n_samples} rows is {n_held_out}, but at least "
            "2 rows are needed to validate and 1 to train on. Change validation_fraction, "
            "give more data, or set early_stopping=False."
        )
