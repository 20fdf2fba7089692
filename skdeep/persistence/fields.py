"""An object of a document, whose fields are checked as they are read."""

from numbers import Real
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.persistence.encoding import decode
from skdeep.persistence.files import check_fields, short_repr


class Fields:
    """An object of a document that has exactly the given fields.

    Errors name a field by its path, such as "transformer.encoders.0.levels".

    Parameters
    ----------
    tree : object
        Refused unless it is a dict.
    names : sequence of str
    path : str
        "" for the document itself.
    """

    def __init__(self, tree: Any, names: Any, path: str) -> None:
        self.tree = check_fields(tree, names, names, path or "the file")
        self.path = path

    def __getitem__(self, name: str) -> Any:
        return self.tree[name]

    def at(self, name: Any) -> str:
        """Path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def refusal(self, name: str, needed: str) -> ValueError:
        """The error of a field that is not what is needed."""
        return ValueError(f"{self.at(name)} must be {needed}; got {short_repr(self[name])}.")

    def value(self, name: str) -> Any:
        """A value that `encode` returned."""
        try:
            return decode(self[name])
        except ValueError as error:
            raise ValueError(f"{self.at(name)}: {error}") from None

    def count(self, name: str, low: int = 0, high: int | None = None) -> int:
        """An integer in [low, high]."""
        value = self[name]
        if type(value) is not int or value < low or (high is not None and value > high):
            bound = "" if high is None else f", and at most {high}"
            raise self.refusal(name, f"an integer of at least {low}{bound}")
        return value

    def number(self, name: str) -> Any:
        """A number, which may be infinite or NaN."""
        value = self.value(name)
        if not isinstance(value, Real) or type(value) is bool:
            raise self.refusal(name, "a number")
        return value

    def numbers(self, name: str, n: int) -> list[float]:
        """A list of `n` floats, which may be infinite or NaN."""
        values = self.value(name)
        if (
            type(values) is not list
            or len(values) != n
            or any(type(value) is not float for value in values)
        ):
            raise self.refusal(name, f"a list of {n} numbers, one for each epoch")
        return values

    def flag(self, name: str) -> bool:
        """True or False."""
        if type(self[name]) is not bool:
            raise self.refusal(name, "true or false")
        return self[name]

    def items(self, name: str, n: int | None = None) -> list[Any]:
        """A list, of `n` values."""
        value = self[name]
        if type(value) is not list or n not in (None, len(value)):
            raise self.refusal(name, "a list" if n is None else f"a list of {n}")
        return value

    def texts(self, name: str, n: int | None = None) -> list[str]:
        """A list of strings."""
        if not all(type(text) is str for text in self.items(name, n)):
            raise self.refusal(name, "a list of strings")
        return self[name]

    def array(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> Array:
        """An array of the given shape, in which None stands for any length."""
        value = self[name]
        needed = f"an array of {np.dtype(dtype)} of shape {shape}".replace("None", "*")
        if type(value) is not np.ndarray:
            raise self.refusal(name, needed)
        fits = len(value.shape) == len(shape) and all(
            n in (None, length) for n, length in zip(shape, value.shape, strict=True)
        )
        if not fits or value.dtype != np.dtype(dtype):
            raise ValueError(
                f"{self.at(name)} must be {needed}; got {value.dtype} of shape {value.shape}."
            )
        return value


def decode_names(names: Any, n_features: int, path: str) -> list[str] | None:
    """Names of the columns of X, or None."""
    if names is None:
        return None
    if type(names) is not list or not all(type(name) is str for name in names):
        raise ValueError(f"{path} must be a list of strings, or null.")
    if len(names) != n_features:
        raise ValueError(f"{path} has {len(names)} names for {n_features} columns.")
    return names
