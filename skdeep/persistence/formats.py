"""A model as a document: a tree of JSON values with NumPy arrays as leaves.

A document has two equivalent formats: text (.json), or text and arrays (.npz, a zip archive).
Neither holds code. Files are not trusted: no memory is allocated based on a size that a file
merely claims, and a SHA-256 of the content, the same in both formats, detects damage.
"""

import hashlib
import io
import json
import math
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep.persistence.files import PathLike, check_fields, prefix_errors, short_repr

FORMAT = "skdeep"
VERSION = 2
# Versions that can be read; `version_1` has what changed.
READABLE = (1, 2)

# Dtypes of the arrays that are members of an .npz; others are in its text.
MEMBER_DTYPES = ("<f4", "<f8")
HEADER = "header.npy"

ELEMENTS = {"b": bool, "i": int, "u": int, "f": float, "U": str}
# Each string of an array takes as much memory as the longest: at most this many characters per
# actual character, where an empty string counts as one.
MAX_PADDING = 64
# Maximum length of a name; those of this format have at most 30 characters.
MAX_NAME = 100


# JSON


def parse(data: bytes) -> Any:
    """Parse strict JSON: no duplicate or very long names, no NaN or Infinity."""
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{short_repr(twice)} is in one object twice.")
    if max(map(len, members), default=0) > MAX_NAME:
        longest = max(members, key=len)
        raise ValueError(f"the name {short_repr(longest)} has more than {MAX_NAME} characters.")
    return members


def _refuse_constant(token: str) -> None:
    raise ValueError(f"{token} is not a JSON number.")


def _text(value: Any, indent: str = "") -> str:
    # One line per member, except that a list of numbers or a small object is one line.
    if not isinstance(value, (dict, list)):
        return json.dumps(value, allow_nan=False)
    members = value.values() if isinstance(value, dict) else value
    flat = not any(isinstance(member, (dict, list)) for member in members)
    if flat and (isinstance(value, list) or len(value) <= 4):
        return json.dumps(value, allow_nan=False)
    inner = indent + " "
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {_text(one, inner)}" for name, one in value.items()]
    else:
        lines = [_text(one, inner) for one in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{last}"


# Arrays


def _joined(at: Any) -> str:
    # The path of an array, such as "weights.coefs_.0". Until it is needed, it is the pair (path
    # of the parent, last name), which costs the same however long names are.
    names = []
    while at:
        at, name = at
        names.append(str(name))
    return ".".join(reversed(names))


def _pack(tree: Any, put: Callable[[str, Array], Any], at: Any = ()) -> Any:
    # The tree with each float array replaced by put(path, array), and other arrays by text.
    if isinstance(tree, np.ndarray):
        kind = tree.dtype.newbyteorder("<")
        array = np.ascontiguousarray(tree, kind).reshape(tree.shape)
        return (put if kind.str in MEMBER_DTYPES else _inline)(_joined(at), array)
    if isinstance(tree, dict):
        return {name: _pack(one, put, (at, name)) for name, one in tree.items()}
    if isinstance(tree, list):
        return [_pack(one, put, (at, i)) for i, one in enumerate(tree)]
    return tree


def _unpack(tree: Any, get: Callable[[str, dict[str, Any]], Any], at: Any = ()) -> Any:
    # The inverse of `_pack`: each array is get(path, packed).
    if isinstance(tree, dict):
        if tree.get("type") == "array":
            return get(_joined(at), tree)
        return {name: _unpack(one, get, (at, name)) for name, one in tree.items()}
    if isinstance(tree, list):
        return [_unpack(one, get, (at, i)) for i, one in enumerate(tree)]
    return tree


def _inline(path: str, array: Array) -> dict[str, Any]:
    flat = array.ravel().tolist()
    _check_elements(path, array.dtype, flat)
    return {
        "type": "array",
        "dtype": string_dtype(path, flat) if array.dtype.kind == "U" else array.dtype.str,
        "shape": list(array.shape),
        "data": array.tolist(),
    }


def _from_inline(path: str, tree: dict[str, Any]) -> Array:
    names = ("type", "dtype", "shape", "data")
    check_fields(tree, names, names, path)
    name, shape = tree["dtype"], tree["shape"]
    flat = _flat(path, tree["data"], shape)
    if type(name) is not str or not re.fullmatch(r"[<|][biuf][1248]|<U\d{1,9}|\|O", name):
        raise ValueError(f"{path} has the unknown dtype {short_repr(name)}.")
    if name.startswith("<U") and name != (fitting := string_dtype(path, flat)):
        raise ValueError(
            f"{path} has the dtype {name}, but its strings are as long as {fitting}."
        )
    dtype = np.dtype(name)
    _check_elements(path, dtype, flat)
    with np.errstate(all="ignore"):
        array = np.array(flat, dtype)
    if dtype.str != name or array.tolist() != flat:
        raise ValueError(f"{path} has elements that are not of dtype {name}.")
    return array.reshape(shape)


def _flat(path: str, data: Any, shape: list[int]) -> list[Any]:
    # Elements of nested lists of the given shape.
    if shape == []:
        return [data]
    if type(shape) is not list or type(data) is not list or [len(data)] != shape[:1]:
        raise ValueError(f"{path} does not have the shape {short_repr(shape)} that it claims.")
    if len(shape) == 1:
        return data
    return list(chain.from_iterable(_flat(path, row, shape[1:]) for row in data))


def string_dtype(path: str, flat: list[Any]) -> str:
    """The narrowest dtype for the strings; ValueError if most of it would be padding."""
    lengths = [len(one) for one in flat if isinstance(one, str)]
    width = max(lengths, default=0) or 1
    if width * len(flat) > MAX_PADDING * (sum(lengths) + len(flat)):
        raise ValueError(
            f"{path} has a string of {width:,} characters among {len(flat):,} that are mostly "
            "much shorter, and each would take as much memory as the longest: shorten it."
        )
    return f"<U{width}"


def _check_elements(path: str, dtype: np.dtype, flat: list[Any]) -> None:
    kinds = {*ELEMENTS.values()} if dtype.kind == "O" else {ELEMENTS.get(dtype.kind)}
    types = set(map(type, flat))
    if not types <= kinds or (dtype.itemsize > 8 and dtype.kind != "U"):
        raise ValueError(f"{path} is an array of dtype {dtype}, which a file cannot hold")
    if float in types and not all(math.isfinite(x) for x in flat if type(x) is float):
        raise ValueError(f"{path} has elements that are not finite")


def digest(document: Any) -> str:
    """SHA-256 of the content in hexadecimal, the same for both formats.

    It is that of the JSON with sorted names and without spaces, in which an array of floats is
    its dtype, its shape and the SHA-256 of its bytes (little endian, C order).
    """

    def put(path: str, array: Array) -> dict[str, Any]:
        hashed = hashlib.sha256(array.tobytes()).hexdigest()
        return {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": hashed}

    packed = _pack(document, put)
    text = json.dumps(packed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


# The two formats


def _to_json(document: dict[str, Any]) -> bytes:
    return (_text(_pack(document, _inline)) + "\n").encode()


def _to_npz(document: dict[str, Any]) -> bytes:
    members: dict[str, Array] = {}

    def put(path: str, array: Array) -> dict[str, Any]:
        members[f"{path}.npy"] = array
        return {"type": "array", "member": f"{path}.npy"}

    text = _text(_pack(document, put)).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in {HEADER: np.frombuffer(text, np.uint8), **members}.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)
    return stream.getvalue()


def _from_npz(data: bytes) -> tuple[Any, dict[str, bytes]]:
    # Text and members. Never more bytes than the archive has; a compressed member could expand
    # to any size.
    members: dict[str, bytes] = {}
    n_left = len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            name, n_bytes = info.filename, info.file_size
            stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == n_bytes
            if not stored or info.flag_bits & 1:
                raise ValueError(f"{short_repr(name)} is compressed or encrypted.")
            n_left -= n_bytes
            if n_left < 0:
                raise ValueError("its members claim more bytes than it has.")
            if name in members:
                raise ValueError(f"it has {short_repr(name)} twice.")
            members[name] = archive.read(info)
    if HEADER not in members:
        raise ValueError(f"it has no {HEADER}.")
    return parse(_array(HEADER, members.pop(HEADER), ("|u1",)).tobytes()), members


def _array(name: str, data: bytes, dtypes: tuple[str, ...]) -> Array:
    # An .npy file in memory, whose header is not trusted.
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} is an .npy file of version {version}.")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=1000)
    body = data[stream.tell() :]
    if fortran or dtype.str not in dtypes:
        raise ValueError(f"{name} must be of a dtype in {dtypes}, in C order; got {dtype.str}.")
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{name} has {len(body)} bytes, which do not match the shape {shape}.")
    array = np.frombuffer(body, dtype).reshape(shape).copy()
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has elements that are not finite.")
    return array


FORMATS: dict[str, tuple[Callable[..., bytes], Callable[..., Any]]] = {
    ".json": (_to_json, lambda data: (parse(data), {})),
    ".npz": (_to_npz, _from_npz),
}


def format_of(path: PathLike) -> tuple[Callable[..., bytes], Callable[..., Any]]:
    """Writer and reader of the format that the suffix of `path` names."""
    name = os.path.basename(os.fspath(path))
    if name in ("", os.curdir, os.pardir):
        raise ValueError(
            f"{os.fspath(path)}: it is a folder. Pass a file in it, such as x.json."
        )
    suffix = Path(name).suffix
    if suffix not in FORMATS:
        raise ValueError(
            f"{os.fspath(path)}: the suffix must be .json, which people can read, or .npz, "
            f"which is compact; got {suffix!r}."
        )
    return FORMATS[suffix]


def encoded(path: PathLike, document: dict[str, Any]) -> bytes:
    """Content of the file: the document with format, version and SHA-256."""
    to_bytes, _ = format_of(path)
    document = {"format": FORMAT, "version": VERSION, **document}
    return to_bytes({**document, "sha256": digest(document)})


def decoded(path: PathLike, data: bytes) -> dict[str, Any]:
    """The document in the content of a file; the caller checks its fields."""
    _, from_bytes = format_of(path)
    with prefix_errors(path):
        tree, members = from_bytes(data)
        if type(tree) is not dict or tree.get("format") != FORMAT:
            raise ValueError("it is not a model that skdeep.persistence.save wrote.")
        version = tree.get("version")
        if type(version) is not int or version not in READABLE:
            raise ValueError(
                f"it has version {short_repr(version)} of the format, but this skdeep reads "
                f"versions 1 to {VERSION} only: upgrade skdeep."
            )
        expected = tree.pop("sha256", None)

        def get(path: str, packed: dict[str, Any]) -> Array:
            if "member" not in packed:
                return _from_inline(path, packed)
            name = f"{path}.npy"
            if packed != {"type": "array", "member": name}:
                raise ValueError(f"{path} must be the member {name}; got {short_repr(packed)}.")
            if name not in members:
                raise ValueError(
                    f"its header and its members do not agree about {short_repr(name)}."
                )
            return _array(name, members.pop(name), MEMBER_DTYPES)

        document = _unpack(tree, get)
        if members:
            odd = short_repr(min(members))
            raise ValueError(f"its header and its members do not agree about {odd}.")
        if digest(document) != expected:
            raise ValueError(
                "its content is not what was saved, as its SHA-256 does not match. Use an "
                "intact copy."
            )
        del document["format"]
        return document
