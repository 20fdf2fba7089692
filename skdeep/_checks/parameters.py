"""Checks of parameters, with scikit-learn's constraints and error messages."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from inspect import signature
from numbers import Integral, Real
from typing import Any

from sklearn import base
from sklearn.utils import _param_validation as validation

from skdeep.hyperparameters import Interval, Spec

fit_context = base._fit_context
HasMethods = validation.HasMethods
validate_parameter_constraints = validation.validate_parameter_constraints

# Attributes that scikit-learn sets on an estimator while callbacks are active.
CALLBACK_CONTEXT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


class StrOptions(validation.StrOptions):
    """scikit-learn's StrOptions with the options in a fixed order, for stable messages."""

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


def constraints_of(allowed: Iterable[Any]) -> list[Any]:
    """Convert a hyperparameter's valid values to scikit-learn's constraints."""
    return [_constraint(one) for one in allowed]


def _constraint(allowed: Any) -> Any:
    if isinstance(allowed, Interval):
        kind = Integral if allowed.whole else Real
        bounds = [None if math.isinf(x) else x for x in (allowed.low, allowed.high)]
        return validation.Interval(kind, *bounds, closed=allowed.closed)
    if isinstance(allowed, tuple):
        return StrOptions(set(allowed))
    return validation.Options(Real, {allowed}) if isinstance(allowed, float) else allowed


@cache
def constraints_of_spec(kind: type) -> dict[str, list[Any]]:
    """Constraints of each hyperparameter of a spec; strings are names, such as 'cosine'."""
    names = tuple(getattr(kind, "kinds_by_name", ()))
    return {
        field.name: constraints_of(names if one is str else one for one in allowed)
        for field in fields(kind)
        if (allowed := field.metadata.get("allowed"))
    }


def check_spec(spec: Any) -> None:
    """Raise ValueError if a hyperparameter of the spec, or of a nested spec, is invalid."""
    constraints = constraints_of_spec(type(spec))  # type: ignore[arg-type]
    params = {name: getattr(spec, name) for name in constraints}
    for name, value in params.items():
        if isinstance(value, type) and issubclass(value, Spec):
            raise ValueError(
                f"{name} is the class {value.__name__}: pass an instance, {value.__name__}()."
            )
    validate_parameter_constraints(constraints, params, caller_name=type(spec).__name__)
    for value in params.values():
        if isinstance(value, Spec):
            check_spec(value)
    spec.check()


@contextmanager
def unchanged_on_error(estimator: base.BaseEstimator) -> Iterator[None]:
    """Restore the estimator's attributes if fitting fails.

    A shallow copy is enough, because fitting sets new objects. The attributes of a callback
    context stay, because scikit-learn needs them to tear callbacks down.
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
    """Return True if a scorer, or the function it wraps, accepts sample weights."""
    try:
        params = signature(getattr(scorer, "_score_func", scorer)).parameters
    except ValueError:  # a compiled function without a signature
        return True
    return "sample_weight" in params or any(p.kind is p.VAR_KEYWORD for p in params.values())


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the widths of the hidden layers as a list; ValueError if one is invalid."""
    widths = [sizes] if isinstance(sizes, Integral) else list(sizes)
    if not widths or not all(isinstance(w, Integral) and int(w) >= 1 for w in widths):
        raise ValueError(
            "hidden_layer_sizes must be an int or a non-empty sequence of ints, each at least "
            f"1, such as (100,) or (64, 32); got {sizes!r}."
        )
    return [int(width) for width in widths]
