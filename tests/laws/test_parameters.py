"""Laws: each hyperparameter's default, bounds and sentence are declared once.

The tables of ``skdeep/estimators/parameters.py`` and the fields of specs declare them.
Signatures repeat the defaults, and the user guide repeats those of specs: both must agree.
"""

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skdeep
from skdeep import DeepClassifier, DeepRegressor
from skdeep.estimators.parameters import CLASSIFIER, COMMON, REGRESSOR
from skdeep.hyperparameters import SHARED, Interval
from skdeep.solvers import SOLVERS

ROOT = Path(skdeep.__file__).parent
TABLES = {DeepClassifier: CLASSIFIER, DeepRegressor: REGRESSOR}
EACH_ESTIMATOR = pytest.mark.parametrize("estimator", TABLES)
# Where bounds may be declared: their definition, specs, and the estimators' table.
DECLARING = {
    "hyperparameters.py",
    "schedules.py",
    "initializers.py",
    "estimators/parameters.py",
    *(
        f"{wing}/{path.name}"
        for wing in ("solvers", "losses")
        for path in ROOT.glob(f"{wing}/*")
    ),
    "_checks/parameters.py",  # turns them into scikit-learn's
}


@EACH_ESTIMATOR
def test_signature_and_table_agree(estimator):
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(estimator).parameters.items()
    }
    assert defaults == {name: TABLES[estimator][name].default for name in defaults}
    assert set(defaults) == set(TABLES[estimator])
    assert set(estimator._parameter_constraints) == set(defaults)


@EACH_ESTIMATOR
def test_docstring_has_each_entry_in_the_order_of_the_signature(estimator):
    text = inspect.getdoc(estimator)
    places = [
        text.index(entry.entry(name))
        for name in inspect.signature(estimator).parameters
        for entry in [TABLES[estimator][name]]
    ]
    assert places == sorted(places)
    assert "{" not in re.sub(r"\{'.*?\}", "", text), "a placeholder is left"


def test_twins_share_their_entries():
    for name in COMMON:
        entry = COMMON[name].entry(name)
        for estimator in TABLES:
            assert entry in inspect.getdoc(estimator)


def test_defaults_are_allowed():
    for estimator in TABLES:
        estimator()._validate_params()


def test_solvers_share_what_the_estimators_have():
    assert set(SHARED) <= set(COMMON)
    for kind in SOLVERS.values():
        for name in kind.shared_names():
            assert COMMON[name].default == SHARED[name].default
            assert getattr(DeepClassifier(), name) == SHARED[name].default


def test_bounds_are_declared_in_specs_and_tables_only():
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).as_posix() in DECLARING:
            continue
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"Interval", "StrOptions", "Options"}, path


def test_an_interval_reads_as_in_mathematics():
    assert str(Interval(0, 1, "left")) == "[0, 1)"
    assert str(Interval(closed="neither")) == "(0, inf)"
    assert str(Interval(1, whole=True)) == "[1, inf)"


def test_defaults_in_the_pages_are_those_of_the_specs():
    guide = (ROOT.parent / "docs" / "user_guide.rst").read_text(encoding="utf-8")
    specs = {
        name: getattr(skdeep, name)
        for name in skdeep.__all__
        if hasattr(getattr(skdeep, name), "field_names")
        and not issubclass(getattr(skdeep, name), BaseEstimator)
    }
    checked = 0
    for name, given in re.findall(r"^ +- ``(\w+)\((.*?=.*?)\)``$", guide, re.MULTILINE):
        defaults = {one.name: one.default for one in fields(specs[name])}
        for pair in given.split(","):
            field, _, value = pair.strip().partition("=")
            assert defaults[field] == ast.literal_eval(value), (name, field)
            checked += 1
    assert checked >= 8
