"""Hyperparameters: the default, valid values and description of each, declared once.

Parameter checks, docstrings and the loading of files use these declarations.

A spec is a small dataclass of hyperparameters. It says what to do and keeps no state. It has
the two methods that scikit-learn's ``clone`` and searches need, so ``GridSearchCV`` can set
its parameters (``solver__momentum``) and those of nested specs
(``solver__learning_rate__decay``).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Real
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Interval:
    """Interval of valid numbers, or of integers only if `whole`.

    `closed` says which bounds are included: 'left', 'right', 'both' or 'neither'.
    """

    low: float = 0
    high: float = math.inf
    closed: str = "left"
    whole: bool = False

    def __str__(self) -> str:
        left = "[" if self.closed in ("left", "both") else "("
        right = "]" if self.closed in ("right", "both") else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


FINITE = Interval(-math.inf, math.inf, "neither")
NOT_NEGATIVE = Interval()
POSITIVE = Interval(closed="neither")
SHARE = Interval(0, 1, "left")
WHOLE = Interval(-math.inf, math.inf, "neither", whole=True)
COUNT = Interval(1, whole=True)


@dataclass(frozen=True)
class Hyperparameter:
    """Declaration of an estimator's parameter.

    `allowed` lists the valid values: intervals, types, tuples of strings, None, or
    scikit-learn's 'boolean', 'array-like', 'random_state' and 'verbose'. `text` and `kind`,
    by default derived from `allowed`, are description and type for the docstring.
    """

    default: Any
    allowed: tuple[Any, ...]
    text: str
    kind: str = ""

    def entry(self, name: str) -> str:
        """Entry for a docstring."""
        kind = self.kind or " or ".join(map(_in_words, self.allowed))
        lines = [line.strip() for line in self.text.strip().splitlines()]
        return "\n    ".join([f"{name} : {kind}, default={self.default!r}", *lines])


def _in_words(allowed: Any) -> str:
    if isinstance(allowed, Interval):
        return f"{'int' if allowed.whole else 'float'} in {allowed}"
    if isinstance(allowed, tuple):
        return "{" + ", ".join(map(repr, allowed)) + "}"
    return {"boolean": "bool"}.get(allowed, str(allowed))


@dataclass
class Spec:
    """Base class of specs, whose parameters scikit-learn can get and set."""

    # Spec classes by the names that a field accepts for them.
    kinds_by_name: ClassVar[dict[str, Any]] = {}

    @classmethod
    @cache
    def field_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters, in order of declaration."""
        return tuple(f.name for f in fields(cls))

    @classmethod
    @cache
    def shared_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters that are also parameters of an estimator."""
        return tuple(f.name for f in fields(cls) if "shared" in f.metadata)

    @classmethod
    @cache
    def number_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters whose default is a number."""
        numbers = (f for f in fields(cls) if isinstance(f.default, Real))
        return tuple(f.name for f in numbers if not isinstance(f.default, bool))

    def check(self) -> None:
        """Raise ValueError if hyperparameters that are valid by themselves cannot be used."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get hyperparameters by name.

        Parameters
        ----------
        deep : bool, default=True
            If True, include the hyperparameters of nested specs, as ``field__name``.
        """
        params = {name: getattr(self, name) for name in self.field_names()}
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Spec):
                    nested = value.get_params()
                    params |= {f"{name}__{key}": inner for key, inner in nested.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set hyperparameters by name.

        Parameters
        ----------
        **params : dict
            New values. ``field__name`` sets `name` of the spec in `field`.

        Raises
        ------
        ValueError
            If a name is invalid. Nothing is set then.
        """
        direct, nested = self._split(params)
        for name, value in direct.items():
            setattr(self, name, value)
        for name, inner in nested.items():
            getattr(self, name).set_params(**inner)
        return self

    def _split(self, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        # Values of fields, and of nested specs by field. Raises if any name is invalid.
        direct: dict[str, Any] = {}
        nested: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            field_name, separator, key = name.partition("__")
            group = nested.setdefault(field_name, {}) if separator else direct
            group[key if separator else name] = value
        after = self.get_params(deep=False) | direct
        invalid = []
        for field_name, inner in nested.items():
            value = after.get(field_name)
            key = next(iter(inner))
            if isinstance(value, str):
                check_holds_parameters(field_name, value, key, self.kinds_by_name, after)
            if isinstance(value, Spec):
                value._split(inner)
            else:
                invalid.append(f"{field_name}__{key}")
        invalid += [name for name in direct if name not in self.field_names()]
        if invalid:
            raise ValueError(
                f"Invalid parameter {invalid[0]!r} for {type(self).__name__}. Valid "
                f"parameters are: {list(self.get_params())!r}."
            )
        return direct, nested


def check_holds_parameters(
    field: str, value: Any, key: str, kinds: Mapping[str, Any], siblings: Iterable[str]
) -> None:
    """Raise ValueError if the `value` of `field` has no parameters, so no `key` to set.

    `kinds` are the spec classes by name, `siblings` the parameters beside `field`.
    """
    if hasattr(value, "set_params") and not isinstance(value, type):
        return
    problem = f"{field}__{key} cannot be set, because {field}={value!r}"
    if not isinstance(value, str):
        raise ValueError(f"{problem} has no parameters: set {field} to an object that has.")
    kind = kinds.get(value)
    advice = "give an object" if kind is None else f"write {field}={kind.__name__}()"
    if kind is not None and key in kind.field_names() and key in siblings:
        advice += f", or set {key} instead of {field}__{key}"
    raise ValueError(f"{problem} is a name, which has no parameters: {advice}.")


def field_of(default: Any, *allowed: Any) -> Any:
    """Declare a field of a spec, with its default and valid values."""
    return field(default=default, metadata={"allowed": allowed})


def shared_field(name: str, default: Any = None) -> Any:
    """Declare a field of a solver that is also a parameter of the estimators.

    A solver that is specified by name takes the estimator's value. `default` is for solver
    objects; None means the estimator's default.
    """
    shared = SHARED[name]
    return field(
        default=shared.default if default is None else default,
        metadata={"allowed": shared.allowed, "shared": True},
    )


SHARED: dict[str, Hyperparameter] = {
    "learning_rate": Hyperparameter(
        "constant",
        (str, Spec, callable),
        """
        How the learning rate changes: 'constant', 'invscaling' (divided by
        ``(t + 1) ** power_t`` after t samples), 'adaptive' (divided by 5 each time there is
        no progress for `n_iter_no_change` epochs, down to 1e-6), 'inverse_time', 'step',
        'linear', 'exponential', 'cosine', 'one_cycle', 'coslog' or 'flat_cosine'; an object
        of :mod:`skdeep.schedules`, such as ``WarmUp(5, Cosine())``; or a callable that takes
        the step, counted from 0, and returns the rate. Used by all stochastic solvers.
        """,
        "str, schedule or callable",
    ),
    "learning_rate_init": Hyperparameter(
        0.001, (POSITIVE,), "Initial learning rate. Used by all stochastic solvers."
    ),
    "power_t": Hyperparameter(
        0.5, (NOT_NEGATIVE,), "Exponent of ``learning_rate='invscaling'``."
    ),
    "momentum": Hyperparameter(0.9, (Interval(0, 1, "both"),), "Momentum of 'sgd'."),
    "nesterovs_momentum": Hyperparameter(
        True, ("boolean",), "If True, 'sgd' uses Nesterov's momentum."
    ),
    "beta_1": Hyperparameter(
        0.9,
        (SHARE,),
        "Decay rate of the first moment of 'adam', 'adamw', 'amsgrad' and 'nadam'.",
    ),
    "beta_2": Hyperparameter(
        0.999, (SHARE,), "Decay rate of the second moment of the same solvers."
    ),
    "epsilon": Hyperparameter(
        1e-8, (POSITIVE,), "Added to the square root of the second moment by the same solvers."
    ),
    "max_fun": Hyperparameter(
        15000, (COUNT,), "Maximum number of loss evaluations of 'lbfgs'."
    ),
}
