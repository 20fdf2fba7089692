"""What a hyperparameter is: its default, what it may be and its sentence, each said once.

The checks, the reader of files, the docstrings and the docs' tables read them here, from the
fields of specs, and from ``estimators/parameters.py``.

A spec is a small dataclass of hyperparameters: what to do, never what was done. It has the two
methods that scikit-learn's ``clone`` and searches need, so ``GridSearchCV`` reaches into it
(``solver__momentum``), and into a spec that it holds (``solver__learning_rate__decay``).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Real
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Interval:
    """Numbers between two bounds.

    Parameters
    ----------
    low, high : float
    closed : {'left', 'right', 'both', 'neither'}, default='left'
        Which of the bounds are included.
    whole : bool, default=False
        If True, only whole numbers are included.
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
COUNT = Interval(1, whole=True)


@dataclass(frozen=True)
class Hyperparameter:
    """A parameter of an estimator.

    Parameters
    ----------
    default : object
    allowed : tuple
        What it may be: intervals, types, tuples of strings, None, or one of scikit-learn's
        words ('boolean', 'array-like', 'random_state', 'verbose').
    text : str
        What it does, for the docstring.
    kind : str, default=''
        Its type in the docstring; by default, `allowed` in words.
    """

    default: Any
    allowed: tuple[Any, ...]
    text: str
    kind: str = ""

    def entry(self, name: str) -> str:
        """Its entry in a docstring."""
        kind = self.kind or " or ".join(map(_in_words, self.allowed))
        lines = [line.strip() for line in self.text.strip().splitlines()]
        return "\n    ".join([f"{name} : {kind}, default={self.default!r}", *lines])


def _in_words(allowed: Any) -> str:
    if isinstance(allowed, Interval):
        return f"{'int' if allowed.whole else 'float'} in {allowed}"
    if isinstance(allowed, tuple):
        return "{" + ", ".join(map(repr, allowed)) + "}"
    return {"boolean": "bool"}.get(allowed, str(allowed))


class Spec:
    """Base of the spec dataclasses: parameters that scikit-learn can read and set.

    Attributes
    ----------
    kinds_by_name : dict
        The specs that names in its fields stand for.
    """

    kinds_by_name: ClassVar[dict[str, Any]] = {}

    @classmethod
    @cache
    def field_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters, in order of declaration."""
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]

    @classmethod
    @cache
    def shared_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters that an estimator shares with it."""
        return tuple(f.name for f in fields(cls) if "shared" in f.metadata)  # type: ignore[arg-type]

    @classmethod
    @cache
    def number_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters that are numbers, as their defaults say."""
        return tuple(
            field.name
            for field in fields(cls)  # type: ignore[arg-type]
            if isinstance(field.default, Real) and not isinstance(field.default, bool)
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Hyperparameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of a spec that this one holds come too, as ``field__name``.

        Returns
        -------
        params : dict
        """
        params = {name: getattr(self, name) for name in self.field_names()}
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Spec):
                    inner = value.get_params()
                    params |= {f"{name}__{key}": own for key, own in inner.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set hyperparameters by name.

        Parameters
        ----------
        **params : dict
            New values; ``field__name`` is the `name` of the spec in `field`.

        Returns
        -------
        self : Spec

        Raises
        ------
        ValueError
            If a name is not one of the spec's.
        """
        own, inner = self._by_owner(params)
        for name, value in own.items():
            setattr(self, name, value)
        for name, of_spec in inner.items():
            getattr(self, name).set_params(**of_spec)
        return self

    def _by_owner(self, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        # Own fields and those of specs in fields, all known: nothing is set before that.
        own = {name: value for name, value in params.items() if "__" not in name}
        inner: dict[str, dict[str, Any]] = {}
        for name in [name for name in params if name not in own]:
            holder, _, key = name.partition("__")
            inner.setdefault(holder, {})[key] = params[name]
        after = {name: getattr(self, name) for name in self.field_names()} | own
        for holder, of_spec in inner.items():
            value: Any = after.get(holder)
            key = next(iter(of_spec))
            if isinstance(value, str):
                check_holds_parameters(holder, value, key, self.kinds_by_name, after)
            if not isinstance(value, Spec):
                self._refuse(f"{holder}__{key}")
            value._by_owner(of_spec)
        for name in own:
            if name not in self.field_names():
                self._refuse(name)
        return own, inner

    def _refuse(self, name: str) -> None:
        raise ValueError(
            f"Invalid parameter {name!r} for {type(self).__name__}. Valid parameters are: "
            f"{list(self.get_params())!r}."
        )


def check_holds_parameters(
    field: str, value: Any, key: str, kinds: Mapping[str, Any], siblings: Iterable[str]
) -> None:
    """Raise ValueError where `field` holds nothing whose `key` could be set, as a name.

    `kinds` are the specs that names stand for, `siblings` the parameters beside `field`.
    """
    if hasattr(value, "set_params") and not isinstance(value, type):
        return
    problem = f"{field}__{key} cannot be set, because {field}={value!r}"
    if not isinstance(value, str):
        raise ValueError(f"{problem} has no parameters.")
    kind = kinds.get(value)
    advice = "give an object" if kind is None else f"write {field}={kind.__name__}()"
    if kind is not None and key in kind.field_names() and key in siblings:
        advice += f", or set {key} instead of {field}__{key}"
    raise ValueError(f"{problem} is a name, which has no parameters: {advice}.")


def allowed_fields(kind: type) -> dict[str, tuple[Any, ...]]:
    """What each field of a dataclass may be, as in `Hyperparameter.allowed`, by name."""
    return {one.name: one.metadata.get("allowed", ()) for one in fields(kind)}


def field_of(default: Any, *allowed: Any) -> Any:
    """A field of a spec, with its default and what it may be."""
    return field(default=default, metadata={"allowed": allowed})


def shared_field(name: str, default: Any = None) -> Any:
    """A field of a solver that an estimator has a parameter for, with the same bounds.

    A solver given by name takes its value from the estimator. `default` is that of the
    solver's own; None is the estimator's.
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
        ``(t + 1) ** power_t`` after t rows), 'adaptive' (divided by 5 each time progress
        stalls for `n_iter_no_change` epochs, until it is below 1e-6), 'inverse_time', 'step',
        'linear', 'exponential', 'cosine' or 'one_cycle'; an object of
        :mod:`skdeep.schedules`, such as ``WarmUp(5, Cosine())``; or a callable that takes the
        step, counted from 0, and returns the rate. Used by all stochastic solvers.
        """,
        "str, schedule or callable",
    ),
    "learning_rate_init": Hyperparameter(
        0.001, (POSITIVE,), "Initial learning rate. Used by all stochastic solvers."
    ),
    "power_t": Hyperparameter(
        0.5, (NOT_NEGATIVE,), "Exponent of ``learning_rate='invscaling'``."
    ),
    "momentum": Hyperparameter(0.9, (Interval(0, 1, "both"),), "Momentum of ``solver='sgd'``."),
    "nesterovs_momentum": Hyperparameter(
        True, ("boolean",), "If True, the momentum of ``solver='sgd'`` is Nesterov's."
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
        1e-8, (POSITIVE,), "Added to the root of the second moment by the same solvers."
    ),
    "max_fun": Hyperparameter(
        15000, (COUNT,), "Maximum number of loss evaluations of ``solver='lbfgs'``."
    ),
}
