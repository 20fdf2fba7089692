"""Laws: a spec's docstring has each field in order, with its type, bounds and default."""

import inspect
import re
from ast import literal_eval
from dataclasses import MISSING, fields

import pytest

from skdeep.hyperparameters import SHARED, Hyperparameter
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
SCHEDULE_OR_NAME = SHARED["learning_rate"]


def documented(kind):
    """(names, type, default, text) of each entry under Parameters in a class's docstring."""
    _, _, section = inspect.cleandoc(kind.__doc__).partition("Parameters\n----------\n")
    section = re.split(r"\n\n(?=.+\n-+\n)", section)[0]
    for entry in re.split(r"\n(?=\S)", section.strip()) if section else ():
        header, _, text = entry.partition("\n")
        names, _, rest = header.partition(" : ")
        words, _, default = rest.partition(", default=")
        default = literal_eval(default) if default else MISSING
        yield names.split(", "), words, default, text.strip()


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
    declared, listed = {f.name: f for f in fields(kind)}, []
    bases = {f"See :class:`{base.__name__}`.": base for base in kind.__mro__[1:]}
    for names, words, default, text in documented(kind):
        listed += names
        text = text.replace("~skdeep.solvers.", "")
        if not words and text in bases:
            described = {entry[0][0] for entry in documented(bases[text]) if entry[1]}
            assert set(names) <= described, f"{text} has no type of all of {names}"
            inherited = {f.name: f for f in fields(bases[text])}
            assert all(declared[name] is inherited[name] for name in names), names
            continue
        (name,) = names
        assert name in declared, f"{kind.__name__} has no {name}"
        assert words == (expected_type(declared[name].metadata.get("allowed")) or words), name
        assert default == declared[name].default, f"default of {name}"
        assert type(default) is type(declared[name].default), f"default of {name}"
    assert listed == list(declared)
