"""Checks of what a fitted estimator consists of, for models that come from elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

FLOATS = ("float64", "float32")


@contextmanager
def refusing_inconsistent(estimator: BaseEstimator) -> Iterator[None]:
    """Turn any error into a ValueError that says that the estimator is not usable.

    What does not fit together can raise errors of any type.
    """
    try:
        yield
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(
            f"This {type(estimator).__name__} is not a consistent model: {kind}"
            f"{str(error).rstrip('.')}. Fit it again, or use an intact copy."
        ) from error


def require_fitted(estimator: BaseEstimator) -> None:
    """Raise NotFittedError before `fit`."""
    check_is_fitted(estimator)


def require(holds: Any, name: str, needed: str, given: Any) -> None:
    """Raise ValueError, which says what is needed of `name`, unless `holds`."""
    if not holds:
        shown = repr(given)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
        raise ValueError(f"{name} must be {needed}; got {shown}.")


def require_type(name: str, value: Any, *kinds: type) -> None:
    """Raise ValueError unless the value is of exactly one of the types."""
    names = " or ".join("None" if one is type(None) else one.__name__ for one in kinds)
    require(type(value) in kinds, name, f"of type {names}", value)


def require_count(name: str, value: Any, low: int = 0) -> None:
    """Raise ValueError unless the value is an integer of at least `low`."""
    is_count = isinstance(value, int | np.integer) and type(value) is not bool and value >= low
    require(is_count, name, f"an integer of at least {low}", value)


def require_array(
    name: str, value: Any, shape: tuple[int | None, ...], *dtypes: str, finite: bool = True
) -> None:
    """Raise ValueError unless the value is an array of finite numbers of the given shape.

    None in `shape` stands for any length above 0; `dtypes` are by default those of floats.
    """
    require(isinstance(value, np.ndarray), name, "an array", value)
    allowed = dtypes or FLOATS
    if value.dtype not in [np.dtype(one) for one in allowed]:
        raise ValueError(f"{name} must be of dtype {' or '.join(allowed)}; got {value.dtype}.")
    fits = len(value.shape) == len(shape) and all(
        length > 0 if n is None else length == n
        for n, length in zip(shape, value.shape, strict=True)
    )
    if not fits:
        needed = str(shape).replace("None", "*")
        raise ValueError(f"{name} must have the shape {needed}; got {value.shape}.")
    if finite and not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite; it has infinite values or NaN.")
