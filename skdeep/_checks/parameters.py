"""Checks of parameters, in the terms of scikit-learn's own."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions

from skdeep import hyperparameters

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_hidden_layer_sizes",
    "check_spec",
    "constraints_of",
    "constraints_of_spec",
    "fit_context",
    "takes_sample_weight",
    "unchanged_on_error",
    "validate_parameter_constraints",
]

# Attributes that an estimator has while its fit tells callbacks of itself.
CALLBACK_CONTEXT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


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
