"""Bytes of a file, read within a limit and replaced at once; words for what is wrong."""

import glob
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

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


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that nobody writes to would be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _publish(draft: str, place: str, mode: int | None) -> None:
    if mode is not None:
        os.chmod(draft, mode)
    os.replace(draft, place)


def _new_draft(place: str, mode: int) -> tuple[str, int]:
    # Path and descriptor of a new file beside `place`, locked for as long as it is open.
    folder, name = os.path.split(place)
    own = os.path.join(folder, f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-")
    if fcntl is not None:
        _remove_left_behind(own)
    while True:
        draft = own + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.open(draft, flags, mode)
        if fcntl is None:
            return draft, file
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.exists(draft):
            return draft, file
        os.close(file)  # it was taken for one left behind, before it was locked


def _remove_left_behind(own: str) -> None:
    # Drafts that nobody holds a lock on are of a save that was killed.
    for draft in glob.glob(glob.escape(own) + "*"):
        with suppress(OSError), open(draft, "rb", opener=_open_at_once) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.remove(draft)
