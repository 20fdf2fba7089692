"""Parameters in files of version 1, under their present names and with the same meaning.

Version 1 had two booleans for the norm, the parameters of the losses beside `loss`, and all
hyperparameters of a solver given by name beside `solver`.
"""

from typing import Any

from skdeep._checks.parameters import constraints_of, validate_parameter_constraints
from skdeep.hyperparameters import NOT_NEGATIVE, POSITIVE, SHARE
from skdeep.losses import Focal, Huber
from skdeep.persistence.encoding import decode
from skdeep.persistence.files import check_fields
from skdeep.solvers import SOLVERS

# Parameters that were removed: their defaults and allowed values.
REMOVED: dict[str, tuple[Any, Any]] = {
    "batch_norm": (False, "boolean"),
    "layer_norm": (False, "boolean"),
    "weight_decay": (0.01, NOT_NEGATIVE),
    "rho": (0.9, SHARE),
}
REMOVED_FROM: dict[str, dict[str, tuple[Any, Any]]] = {
    "DeepClassifier": {**REMOVED, "focal_gamma": (2.0, NOT_NEGATIVE)},
    "DeepRegressor": {**REMOVED, "huber_delta": (1.0, POSITIVE)},
}
ADDED = {"norm"}
# Losses by name that became objects, and the removed parameter of each.
LOSSES: dict[str, tuple[str, Any, str]] = {
    "DeepClassifier": ("focal", Focal, "focal_gamma"),
    "DeepRegressor": ("huber", Huber, "huber_delta"),
}


def decode_params(tree: Any, estimator: str, defaults: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an estimator from those of version 1; `defaults` are today's."""
    removed = REMOVED_FROM[estimator]
    check_fields(tree, {*defaults, *removed} - ADDED, (), "params")
    params = {name: decode(value) for name, value in tree.items()}
    old = {name: params.pop(name, default) for name, (default, _) in removed.items()}
    allowed = {name: constraints_of([values]) for name, (_, values) in removed.items()}
    validate_parameter_constraints(allowed, old, caller_name=estimator)
    if old["batch_norm"] and old["layer_norm"]:
        raise ValueError("batch_norm and layer_norm are both true, but a layer has one norm.")
    params["norm"] = "batch" if old["batch_norm"] else "layer" if old["layer_norm"] else None
    name, kind, parameter = LOSSES[estimator]
    loss = params.get("loss")
    if type(loss) is str and loss == name:
        params["loss"] = kind(old[parameter])
    return _with_solver(params, {**defaults, **old, **params})


def _with_solver(params: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    # A solver given by name took all its hyperparameters from the estimator, and now takes
    # few. If that changes one, they move to a solver object, beside which they are not read.
    kind = SOLVERS.get(values["solver"]) if type(values["solver"]) is str else None
    if kind is None:
        return params
    # Hyperparameters that were added since then have their defaults.
    solver = kind(**{name: values[name] for name in kind.field_names() if name in values})
    if solver == kind(**{name: values[name] for name in kind.shared_names()}):
        return params
    others = {name: params[name] for name in params.keys() - {*kind.field_names()}}
    return {**others, "solver": solver}
