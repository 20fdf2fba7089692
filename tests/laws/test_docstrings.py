"""Laws: a spec's docstring has each field in order, with its type, bounds and default."""

import inspect
import re
from ast import literal_eval
from dataclasses import MISSING, fields

import pytest

from skdeep.hyperparameters import SHARED, Hyperparameter, allowed_fields
from skdeep.initializers import Initializer
from skdeep.losses.classification import BinaryFocalLoss, MultinomialFocalLoss
from skdeep.losses.regression import HuberLoss
from skdeep.schedules import Schedule
from skdeep.solvers import SOLVERS, StochasticSolver


def subclasses(base):
    return [kind for kind in base.__subclasses__() if kind.__module__.startswith("skdeep.")]


SPECS = [
    StochasticSolver,
    *SOLVERS.values(),
    *subclasses(Schedule),
    *subclasses(Initializer),
    *(BinaryFocalLoss, MultinomialFocalLoss, HuberLoss),
]
INHERITED = tuple(field.name for field in fields(StochasticSolver))
SCHEDULE_OR_NAME = SHARED["learning_rate"]


def documented(kind):
    """(names, type, default) of each entry under Parameters in a class's docstring."""
    _, _, section = inspect.cleandoc(kind.__doc__).partition("Parameters\n----------\n")
    section = re.split(r"\n\n(?=.+\n-+\n)", section)[0]
    for line in section.splitlines():
        if line and not line.startswith(" "):
            names, _, rest = line.partition(" : ")
            words, _, default = rest.partition(", default=")
            yield tuple(names.split(", ")), words, literal_eval(default) if default else MISSING


def expected_type(allowed):
    """The type that a docstring has to name, with bounds, or None if any will do."""
    if allowed == SCHEDULE_OR_NAME.allowed:
        return SCHEDULE_OR_NAME.kind
    if not allowed:
        return None
    header = Hyperparameter(None, allowed, "").entry("name").splitlines()[0]
    return header.removeprefix("name : ").removesuffix(", default=None")


@pytest.mark.parametrize("kind", SPECS)
def test_each_field_is_documented_with_its_bounds_and_default(kind):
    declared, allowed, listed = {f.name: f for f in fields(kind)}, allowed_fields(kind), []
    inherited = {f.name: f for f in fields(StochasticSolver)}
    for names, words, default in documented(kind):
        listed += names
        if names == INHERITED:
            assert issubclass(kind, StochasticSolver)
            assert all(declared[name].default == inherited[name].default for name in names)
            continue
        (name,) = names
        assert name in declared, f"{kind.__name__} has no {name}"
        assert words == (expected_type(allowed[name]) or words), name
        assert default == declared[name].default, f"default of {name}"
        assert type(default) is type(declared[name].default), f"default of {name}"
    assert listed == list(declared)
