"""Parameter values as trees of JSON values and arrays, and back, without running code.

Values are numbers, strings, lists, tuples, dicts, arrays, and the specs of skdeep: solvers,
schedules, initializers, activations, losses. A spec is stored as its name and its fields, which
are checked when they are decoded.
"""

import dataclasses
import math
from numbers import Real
from typing import Any

import numpy as np

from skdeep._checks.parameters import constraints_of_spec, validate_parameter_constraints
from skdeep.activations import ACTIVATIONS
from skdeep.initializers import INITIALIZERS, Normal, Uniform
from skdeep.losses import Focal, Huber
from skdeep.persistence.files import check_fields, short_repr
from skdeep.persistence.formats import MEMBER_DTYPES, digest
from skdeep.schedules import SCHEDULES, AcrossCalls, WarmUp
from skdeep.solvers import SOLVERS
from skdeep.tabular.recipes import Recipe

# The classes that a file can name; none of them runs code from the file.
SPECS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *SOLVERS.values(),
        *SCHEDULES.values(),
        WarmUp,
        AcrossCalls,
        Uniform,
        Normal,
        *map(type, INITIALIZERS.values()),
        *map(type, ACTIVATIONS.values()),
        Focal,
        Huber,
        Recipe,
    )
}


def encode(value: Any) -> Any:
    """Encode a value: JSON values as they are, others as an object with a type.

    It is a TypeError if restoring the value would need to run code.
    """
    if value is None or type(value) in (bool, int, str, np.ndarray):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    if type(value) is list:
        return [encode(one) for one in value]
    if type(value) is tuple:
        return {"type": "tuple", "items": encode(list(value))}
    if type(value) is dict:
        return {"type": "dict", "items": [encode(list(pair)) for pair in value.items()]}
    if isinstance(value, np.floating) and not np.isfinite(value):
        return {"type": "float", "value": repr(float(value)), "dtype": value.dtype.str}
    if isinstance(value, np.generic):
        return {"type": "scalar", "value": np.asarray(value)}
    if type(value) is np.random.RandomState:
        return _encode_random_state(value)
    if SPECS.get(type(value).__name__) is type(value):
        names = [field.name for field in dataclasses.fields(value)]
        fields = {name: encode(getattr(value, name)) for name in names}
        return {"type": type(value).__name__, "fields": fields}
    raise TypeError(f"it holds an object of the type {type(value).__qualname__}")


def encode_params(estimator: Any, advice: dict[str, str] | None = None) -> dict[str, Any]:
    """Encode the parameters of an estimator; ValueError if one would need code.

    `advice` says, by name, what else can be done about a parameter.
    """
    params = {}
    for name, value in estimator.get_params(deep=False).items():
        try:
            params[name] = encode(value)
            digest({name: params[name]})
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The parameter {name}={short_repr(value)} cannot be saved, because {error}. "
                f"Use joblib.dump, whose files can hold code{(advice or {}).get(name, '')}."
            ) from None
    return params


def decode(tree: Any) -> Any:
    """Decode what `encode` returned; ValueError if the tree is not valid."""
    if type(tree) is int and not -(2**63) <= tree < 2**64:
        raise ValueError("an integer does not fit 64 bits.")
    if type(tree) is list:
        return [decode(one) for one in tree]
    if type(tree) is not dict:
        return tree
    kind = tree.get("type")
    if kind == "float":
        return _decode_float(check_fields(tree, ("type", "value", "dtype"), ("value",), kind))
    if kind in ("tuple", "dict"):
        items = check_fields(tree, ("type", "items"), ("items",), kind)["items"]
        if type(items) is not list:
            raise ValueError(f"the items of a {kind} must be a list.")
        return tuple(map(decode, items)) if kind == "tuple" else _decode_dict(items)
    if kind == "scalar":
        value = check_fields(tree, ("type", "value"), ("value",), kind)["value"]
        if type(value) is not np.ndarray or value.ndim or value.dtype.kind == "O":
            raise ValueError("a scalar must be an array of shape ().")
        return value[()]
    if kind == "RandomState":
        return _decode_random_state(tree)
    if type(kind) is str and kind in SPECS:
        fields = check_fields(tree, ("type", "fields"), ("fields",), kind)["fields"]
        return _decode_spec(kind, fields)
    raise ValueError(
        f"the type {short_repr(kind)} is not known to this version of skdeep: upgrade skdeep."
    )


def decode_params(tree: Any, defaults: dict[str, Any], path: str) -> dict[str, Any]:
    """Decode parameters, or those of them that a file has; `defaults` has all."""
    params = {}
    for name, value in check_fields(tree, defaults, (), path).items():
        try:
            params[name] = decode(value)
        except ValueError as error:
            raise ValueError(f"{path}.{name}: {error}") from None
    return params


def _decode_float(tree: dict[str, Any]) -> Any:
    if tree["value"] not in ("inf", "-inf", "nan"):
        raise ValueError(
            f"a float must be a number, 'inf', '-inf' or 'nan'; got {short_repr(tree)}."
        )
    value, dtype = float(tree["value"]), tree.get("dtype")
    if dtype not in (None, "<f2", *MEMBER_DTYPES):
        raise ValueError(f"a float has the unknown dtype {short_repr(dtype)}.")
    return value if dtype is None else np.dtype(dtype).type(value)


def _decode_dict(items: list[Any]) -> dict[Any, Any]:
    decoded: dict[Any, Any] = {}
    for item in items:
        if type(item) is not list or len(item) != 2:
            raise ValueError("a dict must be a list of pairs.")
        key, value = map(decode, item)
        if not isinstance(key, (str, Real, np.bool_)) or key in decoded or key != key:
            raise ValueError(f"a dict has the key {short_repr(key)} twice, or it is not a key.")
        decoded[key] = value
    return decoded


def _decode_spec(kind: str, fields: Any) -> Any:
    declared = dataclasses.fields(SPECS[kind])
    names = [field.name for field in declared]
    needed = [field.name for field in declared if field.default is dataclasses.MISSING]
    params = {k: decode(v) for k, v in check_fields(fields, names, needed, kind).items()}
    allowed = constraints_of_spec(SPECS[kind])
    # A file holds no code.
    constraints = {k: [one for one in allowed[k] if one is not callable] for k in params}
    validate_parameter_constraints(constraints, params, caller_name=kind)
    return SPECS[kind](**params)


def _encode_random_state(generator: np.random.RandomState) -> dict[str, Any]:
    state: Any = generator.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise TypeError(f"its bit generator is {state['bit_generator']}")
    return {
        "type": "RandomState",
        "key": state["state"]["key"],
        "pos": int(state["state"]["pos"]),
        "has_gauss": int(state["has_gauss"]),
        "gauss": float(state["gauss"]),
    }


def _decode_random_state(tree: dict[str, Any]) -> np.random.RandomState:
    names = ("type", "key", "pos", "has_gauss", "gauss")
    check_fields(tree, names, names, "RandomState")
    key, pos, has_gauss, gauss = [tree[name] for name in names[1:]]
    is_valid = (
        type(key) is np.ndarray
        and key.dtype.str == "<u4"
        and key.shape == (624,)
        # An all-zero state yields only zeros, so that a normal draw never ends.
        and key[1:].any()
        and type(pos) is int
        and 0 <= pos <= 624
        and type(has_gauss) is int
        and has_gauss in (0, 1)
        and type(gauss) is float
    )
    if not is_valid:
        raise ValueError("a RandomState does not hold a valid Mersenne Twister state.")
    generator = np.random.RandomState()
    generator.set_state(("MT19937", key, pos, has_gauss, gauss))
    return generator
