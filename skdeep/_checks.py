"""What users hand in, checked; and the one place that imports scikit-learn's privates."""

import datetime
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any, NoReturn

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

from skdeep import hyperparameters

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_X",
    "check_X_y",
    "check_fits_dtype",
    "check_hidden_layer_sizes",
    "check_spec",
    "check_weights",
    "constraints_of",
    "constraints_of_spec",
    "far_larger_column",
    "fit_context",
    "in_safe_range",
    "takes_sample_weight",
    "unchanged_on_error",
    "validate_parameter_constraints",
]

# Attributes that an estimator has while its fit tells callbacks of itself.
CALLBACK_CONTEXT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")

# Types of objects that are a date, a time or a duration; pandas' are subclasses.
TIMES = (
    *(np.datetime64, np.timedelta64),
    *(datetime.date, datetime.time, datetime.timedelta),
)

# Columns that an error message names.
N_NAMED = 5

# Elements of a table that are looked at together, so that they are read once.
CHUNK = 1 << 16


class StrOptions(_StrOptions):
    """scikit-learn's, which lists its choices in an order that each process draws anew."""

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


def constraints_of(allowed: Iterable[Any]) -> list[Any]:
    """What a hyperparameter may be, in the words of scikit-learn's checks."""
    return [_constraint(one) for one in allowed]


def _constraint(allowed: Any) -> Any:
    if isinstance(allowed, hyperparameters.Interval):
        kind = Integral if allowed.whole else Real
        bounds = [None if math.isinf(x) else x for x in (allowed.low, allowed.high)]
        return Interval(kind, *bounds, closed=allowed.closed)
    if isinstance(allowed, tuple):
        return StrOptions(set(allowed))
    return Options(Real, {allowed}) if isinstance(allowed, float) else allowed


def constraints_of_spec(kind: type) -> dict[str, list[Any]]:
    """What each hyperparameter of a spec may be; a name is that of a spec, such as 'cosine'."""
    names = tuple(getattr(kind, "kinds_by_name", ()))
    return {
        name: constraints_of(names if one is str else one for one in allowed)
        for name, allowed in hyperparameters.allowed_fields(kind).items()
        if allowed
    }


def check_spec(spec: Any) -> None:
    """Raise ValueError if a hyperparameter of the spec, or of a spec in it, cannot be used."""
    constraints = constraints_of_spec(type(spec))
    params = {name: getattr(spec, name) for name in constraints}
    for name, value in params.items():
        if isinstance(value, type) and issubclass(value, hyperparameters.Spec):
            raise ValueError(
                f"{name} is the class {value.__name__}: pass an object, {value.__name__}()."
            )
    validate_parameter_constraints(constraints, params, caller_name=type(spec).__name__)
    for value in params.values():
        if isinstance(value, hyperparameters.Spec):
            check_spec(value)


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
    return _validated(estimator, X, reset=False)


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
    X, y = _validated(estimator, X, y, multi_output=True, reset=reset)
    return X, _numbers(y) if y_numeric else y


def _validated(estimator: BaseEstimator, X: Any, *y: Any, **options: Any) -> Any:
    # scikit-learn's validation, in whose errors the columns of X are named.
    if hasattr(X, "dtypes") or getattr(getattr(X, "dtype", None), "kind", "") in "mMO":
        _refuse_times(X)
    try:
        found = validate_data(estimator, X, *y, accept_sparse="csr", dtype="numeric", **options)
        checked, *rest = found if y else (found,)
        if checked.dtype.kind == "O":  # as scikit-learn leaves lists, and frames of categories
            checked = checked.astype(np.float64)
            assert_all_finite(checked, input_name="X")
    except (ValueError, TypeError, OverflowError) as error:
        words = _about_text(X) or _about_missing(X, estimator)
        if not words:
            raise
        raise (TypeError if isinstance(error, TypeError) else ValueError)(words) from error
    if checked.dtype.kind in "mM":  # of a list
        _refuse_times(checked)
    return (checked, *rest) if y else checked


# What is wrong with which column


class _Column:
    """A column of a table, read only when its values are asked for."""

    def __init__(self, name: str, dtype: Any, read: Callable[[], Any]) -> None:
        self.name = name
        self.dtype = dtype
        self.read = read

    @property
    def holds_times(self) -> bool:
        if getattr(self.dtype, "kind", "") == "O" and self.dtype == object:
            return any(isinstance(value, TIMES) for value in self.read())
        is_temporal = getattr(self.dtype, "is_temporal", None)  # of polars
        return is_temporal() if is_temporal else getattr(self.dtype, "kind", "") in ("m", "M")

    def floats(self) -> np.ndarray:
        values = self.read()
        if hasattr(values, "iloc"):
            values = values.astype(float)  # which reads pandas' missing values
        return np.asarray(values, dtype=float)


def _columns(X: Any) -> list[_Column]:
    # None where `X` is no table.
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        table = X.iloc if hasattr(X, "iloc") else X
        pairs = zip(X.columns, X.dtypes, strict=True)
        return [
            _Column(repr(name), dtype, lambda i=i: table[:, i])  # type: ignore[misc]
            for i, (name, dtype) in enumerate(pairs)
        ]
    try:
        X = np.asarray(X)
    except ValueError:
        return []
    if X.ndim != 2:
        return []
    # As objects, strings are quoted as such: 'a', not np.str_('a').
    given, X = X.dtype, X.astype(object) if X.dtype.kind in "US" else X
    return [
        _Column(str(i), given, lambda i=i: X[:, i])  # type: ignore[misc]
        for i in range(X.shape[1])
    ]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return f"column{'s' * (len(names) > 1)} {', '.join(names[:N_NAMED])}{more}"


def _refuse_times(X: Any) -> None:
    found = [f"{c.name} ({c.dtype})" for c in _columns(X) if c.holds_times]
    if found:
        raise ValueError(
            f"X must hold numbers, but has dates or durations in {_named(found)}. Convert them "
            "first: divide a duration by a unit, such as np.timedelta64(1, 'D'); turn a date "
            "into days since another date, or into year, month and weekday (skrub's "
            f"TableVectorizer does so). {_about_text(X)}".rstrip()
        )


def _about_text(X: Any) -> str:
    # What to say where columns, but for times, cannot be read as numbers; else nothing.
    if issparse(X):
        return ""
    found, reasons = [], []
    columns = _columns(X)
    for column in columns:
        if getattr(column.dtype, "kind", "") == "c" or column.holds_times:
            continue
        try:
            column.floats()
        except (ValueError, TypeError, OverflowError) as reason:
            found.append(f"{column.name} ({column.dtype})")
            reasons.append(str(reason).rstrip("."))
    if found:
        return (
            f"X must hold numbers, but has other values in {_named(found)}: {reasons[0]}. "
            "Encode categories first, with OneHotEncoder, OrdinalEncoder or TargetEncoder in a "
            "sklearn.compose.make_column_transformer, or with skrub's TableVectorizer."
        )
    if columns and getattr(columns[0].dtype, "kind", "") in ("U", "S"):
        return (
            f"X must hold numbers, but holds strings (dtype {columns[0].dtype}): use "
            "X.astype(float)."
        )
    return ""


def _about_missing(X: Any, estimator: BaseEstimator) -> str:
    # What to say where X has NaN or infinity; nothing where all is finite.
    nan, infinite = _places(X, np.isnan), _places(X, np.isinf)
    names, n_rows = nan if nan[0] else infinite
    if not names:
        return ""
    where = f"in {n_rows} row{'s' * (n_rows > 1)}, in {_named(names)}"
    if names is infinite[0]:
        return (
            "Input X contains infinity or a value too large for dtype('float64'), "
            f"{where}. Replace these values, or drop the rows."
        )
    return (
        f"Input X contains NaN, {where}. {type(estimator).__name__} does not accept missing "
        "values: fill them first, with sklearn.impute.SimpleImputer in a pipeline, or drop the "
        "rows."
    )


def _places(X: Any, test: Callable[[np.ndarray], np.ndarray]) -> tuple[list[str], int]:
    # Names of the columns that hold such values, and the number of rows that do.
    if issparse(X):
        entries = X.tocoo()
        hit = test(entries.data)
        names = [str(column) for column in np.unique(entries.col[hit])]
        return names, len(np.unique(entries.row[hit]))
    names, rows = [], np.zeros(0, bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # complex numbers are refused by others
        for column in _columns(X):
            hit = test(column.floats())
            if hit.any():
                names.append(column.name)
                rows = rows | hit if rows.size else hit
    return names, int(rows.sum())


def check_fits_dtype(estimator: BaseEstimator, X: Any, dtype: np.dtype) -> None:
    """Raise ValueError where a finite value of `X` is infinite in the dtype of computation.

    `X` is not copied, and not looked at where its own dtype has no larger numbers.
    """
    if X.dtype.kind != "f" or X.dtype.itemsize <= dtype.itemsize:
        return
    table = X.data if issparse(X) else X
    n_rows = max(1, CHUNK // max(1, math.prod(table.shape[1:])))
    with np.errstate(over="ignore"):
        for start in range(0, len(table), n_rows):
            chunk = table[start : start + n_rows]
            if np.isinf(dtype.type(chunk.max())) or np.isinf(dtype.type(chunk.min())):
                _refuse_too_large(estimator, X, dtype)


def _refuse_too_large(estimator: BaseEstimator, X: Any, dtype: np.dtype) -> NoReturn:
    names, n_rows = _places(X, lambda values: np.isinf(values.astype(dtype)))
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None:
        names = [repr(known[int(name)]) for name in names]
    wider = ", or set dtype='float64'" if dtype == np.float32 else ""
    raise ValueError(
        f"X has values too large for {dtype}, the dtype of computation, in {n_rows} "
        f"row{'s' * (n_rows > 1)}, in {_named(names)}. Rescale X (StandardScaler){wider}."
    )


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


def far_larger_column(X: Any) -> tuple[int, float, float] | None:
    """The column that dwarfs the others, or saturates hidden units by itself; None if none.

    Over evenly spaced rows: the mean absolute value of the largest column is more than 100
    times the median column's (taken as 1 where that is smaller), or more than 10,000. Ages,
    pixels, counts and indicators are not.

    Returns
    -------
    column, size, median : int, float, float
    """
    n_rows, n_columns = X.shape
    rows = np.linspace(0, n_rows - 1, min(n_rows, max(10, min(1000, 10**5 // n_columns))))
    with np.errstate(over="ignore"):
        sizes = np.asarray(abs(X[rows.astype(int)].astype(np.float64)).mean(axis=0)).ravel()
    column = int(sizes.argmax())
    if sizes[column] == 0:
        return None
    median = float(np.median(sizes[sizes > 0]))
    if sizes[column] <= min(100 * max(median, 1.0), 1e4):
        return None
    return column, float(sizes[column]), median


def check_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Sample weights as a column of float64, of shape (n_samples, 1).

    Raises
    ------
    ValueError
        If they are not one finite number a row, or some is negative, or all are zero.
    """
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return weight[:, None]


def in_safe_range(weight: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Weights divided by the largest where that is too large or small for `dtype`.

    Only ratios of weights count in the loss, but their sum divides the penalty: weights stay
    as they are as long as the largest lies between the square roots of the dtype's smallest
    and largest number. Then sums over rows, and products of two weights, are in its range.
    """
    largest = weight.max()
    limits = np.finfo(dtype)
    if largest == 0 or math.sqrt(limits.tiny) <= largest <= math.sqrt(limits.max):
        return weight
    return weight / largest


def takes_sample_weight(scorer: Callable[..., Any]) -> bool:
    """Whether a scorer, or the function that `make_scorer` made one of, takes weights."""
    try:
        params = signature(getattr(scorer, "_score_func", scorer)).parameters
    except ValueError:  # a function that is not Python's, and does not say
        return True
    kinds = [param.kind for param in params.values()]
    return "sample_weight" in params or Parameter.VAR_KEYWORD in kinds


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
