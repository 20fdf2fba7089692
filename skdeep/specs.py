"""A spec is a small dataclass of hyperparameters: what to do, never what was done.

It carries the two methods that scikit-learn's ``clone`` and searches ask of anything
that holds parameters, so ``GridSearchCV`` reaches into it (``solver__momentum``).
"""

from dataclasses import fields
from functools import cache
from typing import Any, Self


class Spec:
    """Base of the spec dataclasses: parameters that scikit-learn can read and set."""

    @classmethod
    @cache
    def field_names(cls) -> tuple[str, ...]:
        """Names of the hyperparameters, in order of declaration."""
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Hyperparameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Accepted for scikit-learn's sake: a spec holds no nested estimators.

        Returns
        -------
        params : dict
        """
        return {name: getattr(self, name) for name in self.field_names()}

    def set_params(self, **params: Any) -> Self:
        """Set hyperparameters by name.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        self : Spec

        Raises
        ------
        ValueError
            If a name is not one of the spec's.
        """
        unknown = sorted(set(params) - set(self.field_names()))
        if unknown:
            raise ValueError(
                f"Invalid parameter {unknown[0]!r} for {type(self).__name__}. "
                f"Valid parameters are: {list(self.field_names())!r}."
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self
