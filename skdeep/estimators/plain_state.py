"""The state of an estimator in pickles and skops files: arrays and plain Python.

Every object of skdeep in it, such as a network or a solver's moments, becomes a `Record`: the
path of its class, and its attributes. So those who load a skops file need to trust the
estimators and this one class. A record names data of skdeep only, and no code of theirs runs
when they are put together again.
"""

import sys
from dataclasses import is_dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdeep._checks.fitted import refusing_inconsistent
from skdeep.estimators.targets import Target
from skdeep.metrics.tables import Report


class Record(NamedTuple):
    """What stands for an object of skdeep.

    Attributes
    ----------
    kind : str
        Path of its class; "class" for a class itself, whose path is the content; "dict" for a
        dict with other keys than strings, whose pairs are the content.
    content : dict, str or list
        Attributes by name.
    """

    kind: str
    content: Any


class PlainState:
    """Base of the estimators, for their state in files; also for ``copy.deepcopy``."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {name: plain(value) for name, value in state.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        restored = {name: restore(value) for name, value in state.items()}
        super().__setstate__(restored)  # type: ignore[misc]

    def _check_fitted(self) -> None:
        """Raise an error if what was fitted does not fit together."""
        raise NotImplementedError

    def __sklearn_validate_model__(self) -> None:
        """Check that the fitted state is consistent: shapes, classes, dtypes, finite numbers.

        It is for models from a file, which may have been damaged or forged: scikit-learn's
        ``validate_model``, announced for version 1.10, calls it. What is not fitted passes.

        Raises
        ------
        ValueError
            If it is not; the message names what is wrong.
        """
        try:
            check_is_fitted(self)
        except NotFittedError:
            return
        with refusing_inconsistent(self):  # type: ignore[arg-type]
            self._check_fitted()


def plain(value: Any) -> Any:
    """`value` with records for objects of skdeep; objects of other packages stay."""
    kind: Any = type(value)
    if kind in (list, tuple):
        return kind(map(plain, value))
    if kind is dict:
        if all(type(name) is str for name in value):
            return {name: plain(one) for name, one in value.items()}
        return Record("dict", [[name, plain(one)] for name, one in value.items()])
    if kind is type and _is_data(value):
        return Record("class", _path(value))
    if _is_data(kind):
        cached = _cached_names(kind)
        content = {name: plain(one) for name, one in vars(value).items() if name not in cached}
        return Record(_path(kind), content)
    return value


def restore(value: Any) -> Any:
    """What `plain` was given; ValueError if a record is not of this version of skdeep."""
    kind: Any = type(value)
    if kind in (list, tuple):
        return kind(map(restore, value))
    if kind is dict:
        return {name: restore(one) for name, one in value.items()}
    if kind is not Record:
        return value
    if value.kind == "dict":
        return {name: restore(one) for name, one in value.content}
    if value.kind == "class":
        return _class_at(value.content)
    of_skdeep = _class_at(value.kind)
    restored = of_skdeep.__new__(of_skdeep)
    vars(restored).update(restore(value.content))
    return restored


@cache
def _is_data(kind: type) -> bool:
    # Classes of users derive from ours, but come with code of their own.
    ours = kind.__module__.split(".")[0] == "skdeep"
    return ours and (is_dataclass(kind) or issubclass(kind, Target | Report))


@cache
def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@cache
def _cached_names(kind: type) -> frozenset[str]:
    found = {name for name in dir(kind) if isinstance(getattr(kind, name), cached_property)}
    return frozenset(found)


def _class_at(path: str) -> Any:
    module, _, name = path.rpartition(".")
    kind = getattr(sys.modules.get(module), name, None)
    if not isinstance(kind, type) or not _is_data(kind):
        raise ValueError(
            f"The state has an object of the class {path!r}, which this version of skdeep does "
            "not have: use the version that wrote it."
        )
    return kind
