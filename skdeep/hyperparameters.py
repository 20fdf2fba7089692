"""A spec is a small dataclass of hyperparameters: what to do, never what was done.

It carries the two methods that scikit-learn's ``clone`` and searches ask of anything
that holds parameters, so ``GridSearchCV`` reaches into it (``solver__momentum``), and into
a spec that it holds (``solver__learning_rate__decay``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from functools import cache
from math import inf
from numbers import Real
from typing import Any, ClassVar, Self


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
        for field, of_field in inner.items():
            getattr(self, field).set_params(**of_field)
        return self

    def _by_owner(self, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        # Own fields and those of specs in fields, all known: nothing is set before that.
        own = {name: value for name, value in params.items() if "__" not in name}
        inner: dict[str, dict[str, Any]] = {}
        for name in [name for name in params if name not in own]:
            field, _, key = name.partition("__")
            inner.setdefault(field, {})[key] = params[name]
        after = {name: getattr(self, name) for name in self.field_names()} | own
        for field, of_field in inner.items():
            value: Any = after.get(field)
            key = next(iter(of_field))
            if isinstance(value, str):
                check_holds_parameters(field, value, key, self.kinds_by_name, after)
            if not isinstance(value, Spec):
                self._refuse(f"{field}__{key}")
            value._by_owner(of_field)
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


@dataclass(frozen=True)
class Interval:
    """Numbers between two bounds."""

    low: float = 0
    high: float = inf
    closed: str = "left"


NOT_NEGATIVE = Interval()
POSITIVE = Interval(closed="neither")


def field_of(default: Any, *allowed: Any) -> Any:
    """A field of a spec: its default, and the values that it allows."""
    return dataclass_field(default=default, metadata={"allowed": allowed})
