"""Laws: wings import downwards only, and each third party is imported where it belongs.

A wing is a folder of skdeep or a file beside them. It may import wings in the rows above
its own row of the table below, and nothing of its own row or further down. Within a wing,
no file imports its wing's face, and no imports go round in a circle.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import skdeep

ORDER = [
    ["_arrays", "hyperparameters"],
    ["_checks"],
    ["activations", "initializers", "schedules", "losses", "metrics"],
    ["solvers", "_network"],
    ["_training", "inspection"],
    ["_parallel"],
    ["estimators"],
    ["tabular"],
    ["persistence"],
    ["__init__"],
]
HEIGHT = {wing: height for height, row in enumerate(ORDER) for wing in row}

# Data frames are read in one wing.
NARWHALS_IN = "tabular"
CORE_MAY_IMPORT = {"numpy", "scipy", "threadpoolctl", "skdeep"}
SKLEARN_IN_THE_CORE = {"metrics", "_checks"}
JOBLIB_IN = "_parallel"
PRIVATE_ALLOWED_IN = "_checks"
# Imported inside functions, each in one file.
OPTIONAL = {"matplotlib", "onnx", "skl2onnx", "skops", "dask", "rich", "pandas", "polars"}
OPTIONAL |= {"distributed", "cloudpickle"}  # they come with dask

FOLDER = Path(skdeep.__file__).parent
SOURCES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): path
    for path in sorted(FOLDER.rglob("*.py"))
}
EACH_MODULE = pytest.mark.parametrize("module", SOURCES)


def wing_of(module):
    return module.split(".")[0]


def imports(path):
    """(line, module, name, whether inside a function or class) of each import of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for holder in ast.walk(tree)
        if isinstance(holder, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        for node in ast.walk(holder)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, a.name, None, id(node) in inner) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            where = "." * node.level + (node.module or "")
            found += [(node.lineno, where, a.name, id(node) in inner) for a in node.names]
    return found


def own(where, name):
    """The file of ours that an import names, or None: `losses.base`, `losses.__init__`."""
    if where.split(".")[0] != "skdeep":
        return None
    parts = where.split(".")[1:]
    for path in ([*parts, name], parts):
        for module in (".".join(map(str, path)), ".".join([*map(str, path), "__init__"])):
            if module.strip(".") in SOURCES:
                return module.strip(".")
    return ".".join(parts)


def said(module, line):
    return f"skdeep/{module.replace('.', '/')}.py, line {line}"


def test_every_wing_has_its_place():
    wings = {wing_of(module) for module in SOURCES}
    assert not wings - set(HEIGHT), "wings without a place in ORDER"
    assert not set(HEIGHT) - wings, "ORDER speaks of wings that are not there"


@EACH_MODULE
def test_wings_import_downwards_only(module):
    wing = wing_of(module)
    wrong = []
    for line, where, name, _ in imports(SOURCES[module]):
        other = own(where, name)
        if other is None or wing_of(other) == wing:
            continue
        if HEIGHT.get(wing_of(other), len(ORDER)) >= HEIGHT.get(wing, len(ORDER)):
            wrong.append(f"{said(module, line)}: imports {other}, which is not below {wing}")
    assert not wrong, "\n".join(wrong)


@EACH_MODULE
def test_imports_are_absolute_and_no_file_imports_its_wings_face(module):
    wrong = [
        f"{said(module, line)}: {where}"
        for line, where, name, _ in imports(SOURCES[module])
        if where.startswith(".")
        or (own(where, name) == f"{wing_of(module)}.__init__" and "." in module)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circle():
    graph = {
        module: {own(where, name) for _, where, name, _ in imports(path)} - {None, module}
        for module, path in SOURCES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@EACH_MODULE
def test_third_parties_are_imported_where_they_belong(module):
    wing, wrong = wing_of(module), []
    core = HEIGHT[wing] < HEIGHT["_parallel"] and wing not in SKLEARN_IN_THE_CORE
    allowed = CORE_MAY_IMPORT if core else CORE_MAY_IMPORT | {"sklearn"}
    allowed |= {"joblib"} if wing == JOBLIB_IN else set()
    allowed |= {"narwhals"} if wing == NARWHALS_IN else set()
    for line, where, _, inside in imports(SOURCES[module]):
        package = where.split(".")[0]
        if package in sys.stdlib_module_names | allowed or (package in OPTIONAL and inside):
            continue
        wrong.append(f"{said(module, line)}: imports {where}; allowed are {sorted(allowed)}")
    assert not wrong, "\n".join(wrong)


@EACH_MODULE
def test_private_names_of_scikit_learn_are_imported_in_one_place(module):
    wrong = [
        f"{said(module, line)}: {where}.{name or ''} is private; see {PRIVATE_ALLOWED_IN}"
        for line, where, name, _ in imports(SOURCES[module])
        if where.split(".")[0] == "sklearn"
        and any(part.startswith("_") for part in [*where.split("."), name or ""])
    ]
    assert wing_of(module) == PRIVATE_ALLOWED_IN or not wrong, "\n".join(wrong)


@EACH_MODULE
def test_only_optional_packages_are_imported_inside_functions(module):
    wrong = [
        f"{said(module, line)}: imports {where} inside a function or a class"
        for line, where, _, inside in imports(SOURCES[module])
        if inside and where.split(".")[0] not in OPTIONAL
    ]
    assert not wrong, "\n".join(wrong)


def test_each_optional_package_is_imported_in_one_file():
    users = {}
    for module, path in SOURCES.items():
        for _, where, _, _ in imports(path):
            if where.split(".")[0] in OPTIONAL:
                users.setdefault(where.split(".")[0], set()).add(module)
    assert {package: files for package, files in users.items() if len(files) > 1} == {}


# What is private


def private_names():
    """Underscored attributes of the estimators, their own and those of scikit-learn."""
    found = set()
    for kind in (skdeep.DeepClassifier, skdeep.DeepRegressor):
        found |= set(dir(kind))
    for module, path in SOURCES.items():
        if wing_of(module) == "estimators":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found.add(node.attr)
    return {n for n in found if n.startswith("_") and not n.endswith("__")}


@EACH_MODULE
def test_nobody_else_reads_an_estimators_underscored_attributes(module):
    if wing_of(module) in ("estimators", "tabular"):
        return
    private = private_names()
    wrong = [
        f"{said(module, node.lineno)}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(SOURCES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in private
        if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    assert not wrong, "\n".join(wrong)


def test_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    path = tmp_path / "layers.py"
    path.write_text(
        "import sklearn.utils._mask\n"
        "import numpy as np, pandas\n"
        "from skdeep.losses import Loss\n"
        "from skdeep import solvers, SGD\n"
        "from skdeep._training.train import train\n"
        "from ._network import dropout\n"
        "def f():\n"
        "    from sklearn.base import _fit_context\n"
        "    estimator._fit(self._target, cls._scoring)\n"
    )
    monkeypatch.setitem(SOURCES, "_network.layers", path)
    ours = [own(where, name) for _, where, name, _ in imports(path)]
    assert [module for module in ours if module] == [
        "losses.__init__",
        "solvers.__init__",
        "__init__",
        "_training.train",
    ]
    for law, words in [
        (
            test_wings_import_downwards_only,
            "line 5: imports _training.train, which is not below",
        ),
        (test_imports_are_absolute_and_no_file_imports_its_wings_face, "line 6"),
        (test_third_parties_are_imported_where_they_belong, "line 2: imports pandas"),
        (test_private_names_of_scikit_learn_are_imported_in_one_place, "base._fit_context"),
        (test_only_optional_packages_are_imported_inside_functions, "line 8"),
        (test_nobody_else_reads_an_estimators_underscored_attributes, r"estimator\._fit\n"),
    ]:
        with pytest.raises(AssertionError, match=words):
            law("_network.layers")


NEW_PACKAGES = """
import sys
import sklearn.model_selection, sklearn.neural_network
before = {name.split(".")[0] for name in sys.modules}
import numpy as np, skdeep
X = np.arange(20.0).reshape(10, 2)
skdeep.DeepRegressor(tol=1e9).fit(X, X[:, 0]).score(X, X[:, 0])
skdeep.DeepClassifier(solver="lbfgs", tol=1e9).fit(X, X[:, 0] > 8).predict_proba(X)
after = {name.split(".")[0] for name in sys.modules}
print(sorted(after - before - sys.stdlib_module_names))
"""


def test_importing_and_fitting_loads_nothing_that_scikit_learn_has_not_loaded():
    # scikit-learn itself imports pandas where it is installed.
    command = [sys.executable, "-c", NEW_PACKAGES]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert ran.stdout.strip() == "['skdeep']"
    assert ran.stderr == ""


def test_public_names():
    for module in [skdeep, *PUBLIC_WINGS]:
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert hasattr(module, name), f"{module.__name__} has no {name}"
    for name in skdeep.__all__:
        assert getattr(skdeep, name).__doc__


PUBLIC_WINGS = [
    __import__(f"skdeep.{wing}", fromlist=["__all__"])
    for wing in sorted({wing_of(m) for m in SOURCES if "." in m})
    if not wing.startswith("_")
]
