"""Checks of X, y and sample weights, and messages that name the columns at fault."""

import datetime
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    validate_data,
)

# Types of dates, times and durations; those of pandas are subclasses.
TIMES = (np.datetime64, np.timedelta64, datetime.date, datetime.time, datetime.timedelta)

# Maximum number of columns that an error message names.
N_NAMED = 5

# Number of elements that are checked at once, so that they stay in the cache.
CHUNK = 1 << 16


def _is_plain(X: Any, estimator: BaseEstimator) -> bool:
    # True if scikit-learn's validation, which takes 0.1 ms, would return this very array.
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.char in "fd"
        and X.shape[0] > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
        and _is_finite(X)
    )


def _is_finite(array: np.ndarray) -> bool:
    # If a sum is finite, all terms are. If it overflows, scikit-learn's check decides.
    if get_config()["assume_finite"]:
        return True
    if array.flags.forc:
        flat = array.ravel("K")
        return math.isfinite(np.vdot(flat, flat))  # for one row 1 us instead of 4
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(array.sum())


def check_X(estimator: BaseEstimator, X: Any) -> Any:
    """Validate `X` for prediction; return a finite numeric array or CSR matrix."""
    return X if _is_plain(X, estimator) else _validated(estimator, X, reset=False)


def check_X_y(
    estimator: BaseEstimator, X: Any, y: Any, *, y_numeric: bool, reset: bool
) -> tuple[Any, Any]:
    """Validate `X` and `y` for training; `reset` sets the estimator's feature attributes."""
    if (
        not reset
        and _is_plain(X, estimator)
        and type(y) is np.ndarray
        and y.shape == (len(X),)
        and y.dtype.kind in ("f" if y_numeric else "biu")
        and _is_finite(y)
    ):
        return X, y
    X, y = _validated(estimator, X, y, multi_output=True, reset=reset)
    return X, _numbers(y) if y_numeric else y


def _validated(estimator: BaseEstimator, X: Any, *y: Any, **options: Any) -> Any:
    # scikit-learn's validation, with errors that name the columns of X.
    if hasattr(X, "dtypes") or getattr(getattr(X, "dtype", None), "kind", "") in "mMO":
        _check_no_times(X)
    try:
        arrays = validate_data(
            estimator, X, *y, accept_sparse="csr", dtype="numeric", **options
        )
        checked, *rest = arrays if y else (arrays,)
        if checked.dtype.kind == "O":  # from lists, and from frames with categories
            checked = checked.astype(np.float64)
            assert_all_finite(checked, input_name="X")
    except (ValueError, TypeError, OverflowError) as error:
        message = _about_text(X) or _about_missing(X, estimator)
        if not message:
            raise
        raise (TypeError if isinstance(error, TypeError) else ValueError)(message) from error
    if checked.dtype.kind in "mM":  # from a list
        _check_no_times(checked)
    return (checked, *rest) if y else checked


# Columns at fault, and what is wrong with them


@dataclass
class _Column:
    """A column of a table, which is read on demand."""

    name: str
    dtype: Any
    read: Callable[[], Any]

    @property
    def holds_times(self) -> bool:
        if getattr(self.dtype, "kind", "") == "O" and self.dtype == object:
            return any(isinstance(value, TIMES) for value in self.read())
        is_temporal = getattr(self.dtype, "is_temporal", None)  # polars
        return is_temporal() if is_temporal else getattr(self.dtype, "kind", "") in ("m", "M")

    def floats(self) -> np.ndarray:
        values = self.read()
        if hasattr(values, "iloc"):
            values = values.astype(float)  # converts pandas' missing values
        return np.asarray(values, dtype=float)


def _columns(X: Any) -> list[_Column]:
    # Empty if `X` is not a table.
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        dtypes, names = list(X.dtypes), [repr(name) for name in X.columns]
        table = getattr(X, "iloc", X)
    else:
        try:
            X = np.asarray(X)
        except ValueError:
            return []
        if X.ndim != 2:
            return []
        dtypes, names = [X.dtype] * X.shape[1], [str(i) for i in range(X.shape[1])]
        # As objects, so that errors quote strings as 'a', not as np.str_('a').
        table = X.astype(object) if X.dtype.kind in "US" else X
    return [
        _Column(name, dtypes[i], lambda i=i: table[:, i])  # type: ignore[misc]
        for i, name in enumerate(names)
    ]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return f"column{'s' * (len(names) > 1)} {', '.join(names[:N_NAMED])}{more}"


def _check_no_times(X: Any) -> None:
    names = [f"{c.name} ({c.dtype})" for c in _columns(X) if c.holds_times]
    if names:
        raise ValueError(
            f"X must be numeric, but has dates or durations in {_named(names)}. Convert them "
            "first: divide durations by a unit, such as np.timedelta64(1, 'D'); convert dates "
            "to days since a fixed date, or to year, month and weekday (as skrub's "
            f"TableVectorizer does). {_about_text(X)}".rstrip()
        )


def _about_text(X: Any) -> str:
    # Message about columns, other than times, that cannot be converted to numbers, or "".
    names, reasons = [], []
    columns = _columns(X)
    for column in columns:
        if getattr(column.dtype, "kind", "") == "c" or column.holds_times:
            continue
        try:
            column.floats()
        except (ValueError, TypeError, OverflowError) as reason:
            names.append(f"{column.name} ({column.dtype})")
            reasons.append(str(reason).rstrip("."))
    if names:
        return (
            f"X must be numeric, but has other values in {_named(names)}: {reasons[0]}. "
            "Encode categories first, with OneHotEncoder, OrdinalEncoder or TargetEncoder in a "
            "sklearn.compose.make_column_transformer, or with skrub's TableVectorizer."
        )
    if columns and getattr(columns[0].dtype, "kind", "") in ("U", "S"):
        return (
            f"X must be numeric, but contains strings (dtype {columns[0].dtype}): use "
            "X.astype(float)."
        )
    return ""


def _about_missing(X: Any, estimator: BaseEstimator) -> str:
    # Message about NaN or infinity in X, or "" if all values are finite.
    if place := _place(X, np.isnan):
        return (
            f"Input X contains NaN, {place}. {type(estimator).__name__} does not accept "
            "missing values: impute them first, with sklearn.impute.SimpleImputer in a "
            "pipeline, or drop the rows."
        )
    if place := _place(X, np.isinf):
        return (
            "Input X contains infinity or a value too large for dtype('float64'), "
            f"{place}. Replace these values or drop the rows."
        )
    return ""


def _place(X: Any, test: Callable[[np.ndarray], np.ndarray], feature_names: Any = None) -> str:
    # Where values pass `test`, such as "in 3 rows, in columns 0, 2"; "" if nowhere.
    if issparse(X):
        entries = X.tocoo()
        hit = test(entries.data)
        names = [str(column) for column in np.unique(entries.col[hit])]
        n_rows = len(np.unique(entries.row[hit]))
    else:
        names, rows = [], np.zeros(1, bool)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # complex numbers have an error of their own
            for column in _columns(X):
                hit = test(column.floats())
                if hit.any():
                    names.append(column.name)
                    rows = rows | hit
        n_rows = int(rows.sum())
    if not names:
        return ""
    if feature_names is not None:
        names = [repr(feature_names[int(name)]) for name in names]
    return f"in {n_rows} row{'s' * (n_rows > 1)}, in {_named(names)}"


def check_fits_dtype(estimator: BaseEstimator, X: Any, dtype: np.dtype) -> None:
    """Raise ValueError if a finite value of `X` overflows in the dtype of computation.

    `X` is not copied, and not read if its own dtype is not wider.
    """
    if X.dtype.kind != "f" or X.dtype.itemsize <= dtype.itemsize:
        return
    table = X.data if issparse(X) else X
    n_rows = max(1, CHUNK // max(1, math.prod(table.shape[1:])))
    chunks = (table[start : start + n_rows] for start in range(0, len(table), n_rows))
    with np.errstate(over="ignore"):
        if not any(np.isinf(dtype.type(max(c.max(), -c.min()))) for c in chunks):
            return
        names = getattr(estimator, "feature_names_in_", None)
        place = _place(X, lambda values: np.isinf(values.astype(dtype)), names)
    wider = ", or set dtype='float64'" if dtype == np.float32 else ""
    raise ValueError(
        f"X has values too large for {dtype}, the dtype of computation, {place}. "
        f"Scale X (StandardScaler){wider}."
    )


def _numbers(y: Any) -> np.ndarray:
    if issparse(y):
        raise ValueError(
            "y is a sparse matrix, which is not supported in regression: use y.toarray()."
        )
    if y.dtype.kind in "biuf":
        return y
    if y.dtype.kind != "O":
        first = str(y.flat[0])
        raise ValueError(
            f"y must be numeric in regression; got dtype {y.dtype}, such as {first!r}."
        )
    try:
        numbers = y.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must be numeric in regression: {error}.") from error
    assert_all_finite(numbers, input_name="y")
    return numbers


def check_numbers(y: Any) -> np.ndarray:
    """Validate the targets of a regression; return them as float64, of one or two axes."""
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
    y = _numbers(y).astype(np.float64)
    assert_all_finite(y, input_name="y")
    return y


def check_labels(y: Any) -> np.ndarray:
    """Validate labels, of one or two axes: none is missing, and all are of one type."""
    checked = check_array(
        y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    if checked.dtype.kind in "fc":
        assert_all_finite(checked, input_name="y")
    is_list = isinstance(y, list | tuple)
    if checked.dtype.kind == "O" or (is_list and checked.dtype.kind == "U"):
        labels = np.array(y, dtype=object).ravel() if is_list else checked.ravel()
        # Not equal to itself: NaN, and pandas' NA, of which a comparison is NA again.
        missing = sum(
            one is None or type(one).__name__ == "NAType" or bool(one != one) for one in labels
        )
        if missing:
            raise ValueError(
                f"y has {missing} missing labels (None, NaN or NA): drop these rows, or give "
                "them a label of their own."
            )
        kinds = {"str" if isinstance(one, str) else type(one).__name__ for one in labels}
        if "str" in kinds and len(kinds) > 1:
            raise ValueError(
                f"y holds labels of types {', '.join(sorted(kinds))}: convert them to one type."
            )
    return checked


def far_larger_column(X: Any) -> tuple[int, float, float] | None:
    """Find a column that dominates the others; return its index, size and the median size.

    On evenly spaced rows, its mean absolute value is more than 100 times that of the median
    column (or more than 100, if the median is below 1), or more than 10,000. Ages, pixels,
    counts and indicators stay below.
    """
    n_rows, n_columns = X.shape
    rows = np.linspace(0, n_rows - 1, min(n_rows, max(10, min(1000, 10**5 // n_columns))))
    with np.errstate(over="ignore"):
        sizes = np.asarray(abs(X[rows.astype(int)].astype(np.float64)).mean(axis=0)).ravel()
    column = int(sizes.argmax())
    median = float(np.median(sizes[sizes > 0])) if sizes[column] else 0.0
    if sizes[column] <= min(100 * max(median, 1.0), 1e4):
        return None
    return column, float(sizes[column]), median


def input_names(estimator: BaseEstimator, input_features: Any) -> np.ndarray:
    """Return the names of the columns of X, of which `input_features` has to be a list."""
    return _check_feature_names_in(estimator, input_features)


def check_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Validate sample weights; return them as float64 of shape (n_samples, 1)."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return weight[:, None]


def in_safe_range(weight: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Divide weights by the largest, if that is too large or too small for `dtype`.

    The loss depends only on the ratios of weights, but the penalty is divided by their sum.
    So weights are unchanged as long as the largest is between the square roots of the
    dtype's smallest and largest numbers. Then sums over rows and products of two weights do
    not overflow.
    """
    largest = weight.max()
    limits = np.finfo(dtype)
    if largest == 0 or math.sqrt(limits.tiny) <= largest <= math.sqrt(limits.max):
        return weight
    return weight / largest
