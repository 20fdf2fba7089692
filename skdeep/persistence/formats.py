"""A model as a document: a tree of what JSON can say, with NumPy arrays as leaves.

A document has two forms of one meaning: a text (.json), or a text beside arrays (.npz, a zip
archive). Neither holds code. What is read is not trusted: nothing is allocated by a size that
the file only claims, and a SHA-256 over the content, which is the same in both forms, tells
whether it is what was written.
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
from skdeep.persistence.files import PathLike, check_fields, refusals, shown

FORMAT = "skdeep"
VERSION = 2
# Versions that can be read; see `version_1` for what changed.
READABLE = (1, 2)

# Dtypes of the arrays that are members of an .npz; all others stand in its text.
MEMBER_DTYPES = ("<f4", "<f8")
HEADER = "header.npy"

ELEMENTS = {"b": bool, "i": int, "u": int, "f": float, "U": str}
# All strings of an array take the place of the longest: so many characters for each one that
# is there, an empty string counting as one.
MAX_PADDING = 64
# Characters of a name in a text: those of this format have no more than 30.
MAX_NAME = 100


# JSON


def parse(data: bytes) -> Any:
    """Strict JSON: no name twice in an object, none of endless length, no NaN or Infinity.

    Raises
    ------
    ValueError
        If it is anything else, or nested too deep.
    """
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("it is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{shown(twice)} stands twice in one object.")
    if max(map(len, found), default=0) > MAX_NAME:
        longest = max(found, key=len)
        raise ValueError(f"the name {shown(longest)} has more than {MAX_NAME} characters.")
    return found


def _no_number(token: str) -> None:
    raise ValueError(f"{token} is no number of JSON.")


def _text(value: Any, indent: str = "") -> str:
    # A line for each member, but for a list of numbers or a small object one line in all.
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


# The place of an array, such as "weights.coefs_.0", is put together where there is one: until
# then it is (the place above, the last name), which costs the same however long the names are.


def _joined(at: Any) -> str:
    names = []
    while at:
        at, name = at
        names.append(str(name))
    return ".".join(reversed(names))


def _pack(tree: Any, put: Callable[[str, Array], Any], at: Any = ()) -> Any:
    # The tree with what `put` makes of each array and its place.
    if isinstance(tree, np.ndarray):
        kind = tree.dtype.newbyteorder("<")
        return put(_joined(at), np.ascontiguousarray(tree, kind).reshape(tree.shape))
    if isinstance(tree, dict):
        return {name: _pack(one, put, (at, name)) for name, one in tree.items()}
    if isinstance(tree, list):
        return [_pack(one, put, (at, i)) for i, one in enumerate(tree)]
    return tree


def _unpack(tree: Any, get: Callable[[str, dict[str, Any]], Any], at: Any = ()) -> Any:
    # The way back: `get` makes the array of a place and of what stands there.
    if isinstance(tree, dict):
        if tree.get("type") == "array":
            return get(_joined(at), tree)
        return {name: _unpack(one, get, (at, name)) for name, one in tree.items()}
    if isinstance(tree, list):
        return [_unpack(one, get, (at, i)) for i, one in enumerate(tree)]
    return tree


def _inline(place: str, array: Array) -> dict[str, Any]:
    flat = array.ravel().tolist()
    _check_elements(place, array.dtype, flat)
    return {
        "type": "array",
        "dtype": string_dtype(place, flat) if array.dtype.kind == "U" else array.dtype.str,
        "shape": list(array.shape),
        "data": array.tolist(),
    }


def _from_inline(place: str, tree: dict[str, Any]) -> Array:
    names = ("type", "dtype", "shape", "data")
    check_fields(tree, names, names, place)
    name, shape = tree["dtype"], tree["shape"]
    flat = _flat(place, tree["data"], shape)
    if type(name) is not str or not re.fullmatch(r"[<|][biuf][1248]|<U\d{1,9}|\|O", name):
        raise ValueError(f"{place} has the unknown dtype {shown(name)}.")
    if name.startswith("<U") and name != (fitting := string_dtype(place, flat)):
        raise ValueError(
            f"{place} has the dtype {name}, but its strings are as long as {fitting}."
        )
    dtype = np.dtype(name)
    _check_elements(place, dtype, flat)
    with np.errstate(all="ignore"):
        array = np.array(flat, dtype)
    if dtype.str != name or array.tolist() != flat:
        raise ValueError(f"{place} has elements that are none of dtype {name}.")
    return array.reshape(shape)


def _flat(place: str, data: Any, shape: list[int]) -> list[Any]:
    # The elements of nested lists of the given lengths.
    if shape == []:
        return [data]
    if type(shape) is not list or type(data) is not list or [len(data)] != shape[:1]:
        raise ValueError(f"{place} is not of the shape {shown(shape)} that it claims.")
    if len(shape) == 1:
        return data
    return list(chain.from_iterable(_flat(place, row, shape[1:]) for row in data))


def string_dtype(place: str, flat: list[Any]) -> str:
    """The dtype that holds the strings and is no wider, unless most of it were padding."""
    lengths = [len(one) for one in flat if isinstance(one, str)]
    width = max(lengths, default=0) or 1
    if width * len(flat) > MAX_PADDING * (sum(lengths) + len(flat)):
        raise ValueError(
            f"{place} has a string of {width:,} characters among {len(flat):,} that are mostly "
            "much shorter, and each would take the place of the longest: shorten it."
        )
    return f"<U{width}"


def _check_elements(place: str, dtype: np.dtype, flat: list[Any]) -> None:
    kinds = {*ELEMENTS.values()} if dtype.kind == "O" else {ELEMENTS.get(dtype.kind)}
    found = set(map(type, flat))
    if not found <= kinds or (dtype.itemsize > 8 and dtype.kind != "U"):
        raise ValueError(f"{place} is an array that a file cannot hold, of dtype {dtype}")
    if float in found and not all(math.isfinite(x) for x in flat if type(x) is float):
        raise ValueError(f"{place} has elements that are not finite")


def digest(document: Any) -> str:
    """SHA-256 of the content, in hexadecimal, whatever the form.

    That of JSON with sorted names, no spaces, and for each array of floats its dtype, its
    shape and the SHA-256 of its bytes: little endian, rows one after another.
    """

    def put(place: str, array: Array) -> dict[str, Any]:
        if array.dtype.str not in MEMBER_DTYPES:
            return _inline(place, array)
        own = hashlib.sha256(array.tobytes()).hexdigest()
        return {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": own}

    packed = _pack(document, put)
    text = json.dumps(packed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


# The two forms


def _to_json(document: dict[str, Any]) -> bytes:
    return (_text(_pack(document, _inline)) + "\n").encode()


def _from_json(data: bytes) -> tuple[Any, Callable[[str, dict[str, Any]], Array]]:
    return parse(data), _from_inline


def _to_npz(document: dict[str, Any]) -> bytes:
    members: dict[str, Array] = {}

    def put(place: str, array: Array) -> dict[str, Any]:
        if array.dtype.str not in MEMBER_DTYPES:
            return _inline(place, array)
        members[f"{place}.npy"] = array
        return {"type": "array", "member": f"{place}.npy"}

    text = _text(_pack(document, put)).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in {HEADER: np.frombuffer(text, np.uint8), **members}.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)
    return stream.getvalue()


def _from_npz(data: bytes) -> tuple[Any, Callable[[str, dict[str, Any]], Array]]:
    members = _members(data)
    if HEADER not in members:
        raise ValueError(f"it has no {HEADER}.")
    tree = parse(_array(HEADER, members.pop(HEADER), ("|u1",)).tobytes())
    wanted: set[str] = set()

    def note(place: str, own: dict[str, Any]) -> None:
        if "member" in own:
            wanted.add(f"{place}.npy")

    _unpack(tree, note)
    if wanted != set(members):
        odd = shown(min(wanted ^ set(members)))
        raise ValueError(f"its header and its members do not agree about {odd}.")

    def get(place: str, own: dict[str, Any]) -> Array:
        if "member" not in own:
            return _from_inline(place, own)
        name = f"{place}.npy"
        if own != {"type": "array", "member": name}:
            raise ValueError(f"{place} must be the member {name}; got {shown(own)}.")
        return _array(name, members[name], MEMBER_DTYPES)

    return tree, get


def _members(data: bytes) -> dict[str, bytes]:
    # No more bytes than the archive has: what is compressed might be any number.
    found: dict[str, bytes] = {}
    n_left = len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            name, n_bytes = info.filename, info.file_size
            stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == n_bytes
            if not stored or info.flag_bits & 1:
                raise ValueError(f"{shown(name)} is compressed or encrypted.")
            n_left -= n_bytes
            if n_left < 0:
                raise ValueError("its members claim more bytes than it has.")
            if name in found:
                raise ValueError(f"it has {shown(name)} twice.")
            found[name] = archive.read(info)
    return found


def _array(name: str, data: bytes, dtypes: tuple[str, ...]) -> Array:
    # An .npy file in memory, whose header may claim whatever it likes.
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} is an .npy file of version {version}.")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=1000)
    body = data[stream.tell() :]
    if fortran or dtype.str not in dtypes:
        raise ValueError(f"{name} must be of a dtype in {dtypes}, in C order; got {dtype.str}.")
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{name} has {len(body)} bytes, which are no array of shape {shape}.")
    array = np.frombuffer(body, dtype).reshape(shape).copy()
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has elements that are not finite.")
    return array


FORMS: dict[str, tuple[Callable[..., bytes], Callable[..., Any]]] = {
    ".json": (_to_json, _from_json),
    ".npz": (_to_npz, _from_npz),
}


def form_of(path: PathLike) -> tuple[Callable[..., bytes], Callable[..., Any]]:
    """Writer and reader of the form that the suffix of `path` names."""
    name = os.path.basename(os.fspath(path))
    if name in ("", os.curdir, os.pardir):
        raise ValueError(
            f"{os.fspath(path)}: it is a folder. Give a file in it, such as x.json."
        )
    suffix = Path(name).suffix
    if suffix not in FORMS:
        raise ValueError(
            f"{os.fspath(path)}: the suffix says in which form a model is stored: .json, to "
            f"be read by people too, or .npz, which is compact; got {suffix!r}."
        )
    return FORMS[suffix]


def encoded(path: PathLike, document: dict[str, Any]) -> bytes:
    """What is to stand in the file: the document with format, version and digest."""
    to_bytes, _ = form_of(path)
    document = {"format": FORMAT, "version": VERSION, **document}
    return to_bytes({**document, "sha256": digest(document)})


def decoded(path: PathLike, data: bytes) -> dict[str, Any]:
    """The document of what stands in the file; its fields are up to the caller to check."""
    _, from_bytes = form_of(path)
    with refusals(path):
        return _checked(*from_bytes(data))


def _checked(tree: Any, get: Callable[[str, dict[str, Any]], Array]) -> dict[str, Any]:
    if type(tree) is not dict or tree.get("format") != FORMAT:
        raise ValueError("it is no model that skdeep.persistence.save wrote.")
    version = tree.get("version")
    if type(version) is not int or version not in READABLE:
        raise ValueError(
            f"it has version {shown(version)} of the format, but this skdeep reads versions "
            f"1 to {VERSION} only: upgrade skdeep."
        )
    given = tree.pop("sha256", None)
    document = _unpack(tree, get)
    if digest(document) != given:
        raise ValueError(
            "its content is not what was saved: the SHA-256 in it is another. Take a copy "
            "that is whole."
        )
    del document["format"]
    return document
