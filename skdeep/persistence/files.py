"""Bytes of a file, read within a limit and replaced at once; words for what is wrong."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skdeep.persistence.formats import _new_draft, _open_at_once, _publish, fcntl

PathLike = str | os.PathLike[str]

# Bytes that a file may have unless the caller says otherwise.
MAX_BYTES = 2**30


@contextmanager
def refusals(source: Any) -> Iterator[None]:
    """Make of whatever goes wrong a ValueError that begins with the path, or name, given.

    What a broken or hostile file brings about is known only to who wrote it.
    """
    name = os.fspath(source)
    try:
        yield
    except RecursionError:
        raise ValueError(f"{name}: it is nested too deep.") from None
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(f"{name}: {kind}{error}") from error


def check_fields(
    tree: Any,
    known: Any,
    needed: Any,
    what: str,
    advice: str = "which this version of skdeep does not know: upgrade skdeep if a newer one "
    "wrote it",
) -> dict[str, Any]:
    """`tree`, which must be a dict with all of `needed` and nothing that is not `known`."""
    if not isinstance(tree, dict):
        raise ValueError(f"{what} must be an object; got {shown(tree)}.")
    unknown = sorted(set(tree) - set(known), key=str)
    if unknown:
        raise ValueError(f"{what} has {shown(unknown[0])}, {advice}.")
    lacking = sorted(set(needed) - set(tree))
    if lacking:
        raise ValueError(f"{what} lacks {lacking[0]!r}.")
    return tree


def shown(value: Any) -> str:
    """What `value` looks like, in a few words, for an error."""
    found = repr(value)
    return found if len(found) <= 60 else f"{found[:60]}..."


def read_bytes(path: PathLike, max_bytes: int) -> bytes:
    """Content of a file of `max_bytes` at most; OSError where there is none."""
    name = os.fspath(path)
    with open(path, "rb", opener=_open_at_once) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{name}: it is a pipe or a device. Give a file.")
        if found.st_size <= max_bytes:
            return file.read(found.st_size)
    raise ValueError(
        f"{name}: it has {found.st_size:,} bytes, more than max_bytes={max_bytes:,}. If you "
        "trust it, raise max_bytes."
    )


def replace(path: PathLike, data: bytes) -> None:
    """Put `data` into a file: all of it, or what was there stays, whatever happens between.

    A file that is there keeps its permissions, and a link goes on pointing to it.
    """
    place = os.path.realpath(path)
    draft = ""
    try:
        mode = stat.S_IMODE(os.stat(place).st_mode) if os.path.exists(place) else None
        # Nobody may read the draft who may not read the file.
        draft, descriptor = _new_draft(place, 0o666 if mode is None else 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                _publish(draft, place, mode)
        if fcntl is None:  # Windows moves no open file
            _publish(draft, place, mode)
    except BaseException as error:
        if os.path.exists(draft):
            os.remove(draft)
        if isinstance(error, OSError):
            # The draft's name would tell the caller nothing.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
