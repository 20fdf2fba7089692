"""Files read up to a limit and replaced atomically; helpers for error messages."""

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

# Default size limit of a file, in bytes.
MAX_BYTES = 2**30


@contextmanager
def prefix_errors(source: Any) -> Iterator[None]:
    """Turn any error into a ValueError whose message starts with the path or name.

    A damaged or malicious file can raise errors of any type.
    """
    name = os.fspath(source)
    try:
        yield
    except RecursionError:
        raise ValueError(f"{name}: it is nested too deeply.") from None
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(f"{name}: {kind}{error}") from error


def check_fields(
    tree: Any,
    known: Any,
    needed: Any,
    what: str,
    advice: str = "which this version of skdeep does not know: upgrade skdeep if a newer "
    "version wrote it",
) -> dict[str, Any]:
    """Return `tree` if it is a dict with all `needed` fields and only `known` ones."""
    if not isinstance(tree, dict):
        raise ValueError(f"{what} must be an object; got {short_repr(tree)}.")
    unknown = sorted(set(tree) - set(known), key=str)
    if unknown:
        raise ValueError(f"{what} has {short_repr(unknown[0])}, {advice}.")
    missing = sorted(set(needed) - set(tree))
    if missing:
        raise ValueError(f"{what} lacks {missing[0]!r}.")
    return tree


def short_repr(value: Any) -> str:
    """Repr of a value for an error message, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def read_bytes(path: PathLike, max_bytes: int) -> bytes:
    """Read a file of at most `max_bytes`; OSError if there is none."""
    name = os.fspath(path)
    with open(path, "rb", opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name}: it is a pipe or a device. Pass a regular file.")
        if status.st_size <= max_bytes:
            return file.read(status.st_size)
    raise ValueError(
        f"{name}: it has {status.st_size:,} bytes, more than max_bytes={max_bytes:,}. If you "
        "trust it, raise max_bytes."
    )


def replace(path: PathLike, data: bytes) -> None:
    """Write `data` to a file atomically: if anything fails, the previous content stays.

    An existing file keeps its permissions, and a symbolic link remains one.
    """
    place = os.path.realpath(path)
    draft = ""
    try:
        mode = stat.S_IMODE(os.stat(place).st_mode) if os.path.exists(place) else None
        # The draft must not be readable by more users than the file.
        draft, descriptor = _new_draft(place, 0o666 if mode is None else 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                _publish(draft, place, mode)
        if fcntl is None:  # Windows cannot move an open file
            _publish(draft, place, mode)
    except BaseException as error:
        if os.path.exists(draft):
            os.remove(draft)
        if isinstance(error, OSError):
            # Name the path that the caller passed, not the draft.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a pipe without a writer would block.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _publish(draft: str, place: str, mode: int | None) -> None:
    if mode is not None:
        os.chmod(draft, mode)
    os.replace(draft, place)
    if fcntl is not None:
        # The name reaches the disk too, not only the content, where the file system can do it.
        with suppress(OSError):
            folder = os.open(os.path.dirname(place), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _new_draft(place: str, mode: int) -> tuple[str, int]:
    # Path and descriptor of a new file next to `place`, locked while it is open.
    folder, name = os.path.split(place)
    prefix = os.path.join(folder, f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-")
    if fcntl is not None:
        _remove_abandoned(prefix)
    while True:
        draft = prefix + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.open(draft, flags, mode)
        if fcntl is None:
            return draft, file
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.exists(draft):
            return draft, file
        os.close(file)  # another save removed it as abandoned, before it was locked


def _remove_abandoned(prefix: str) -> None:
    # An unlocked draft is from a save that was killed.
    for draft in glob.glob(glob.escape(prefix) + "*"):
        with suppress(OSError), open(draft, "rb", opener=_open_without_waiting) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.remove(draft)
