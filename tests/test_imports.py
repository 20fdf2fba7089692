"""Laws: imports point downwards only, and the core knows neither scikit-learn nor pandas.

The table below is the order. A module may import what stands in a row above its own, and
nothing of its own row. Private names of scikit-learn are imported in one place.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skdeep

ORDER = [
    ["specs", "links", "documents"],
    ["activations", "losses", "initializers", "schedules"],
    ["class_losses", "regression_losses", "batches", "threads", "vectors", "norms", "limits"],
    ["layers", "solvers"],
    ["workspace", "descent"],
    ["network"],
    ["objective", "tasks"],
    ["training"],
    ["workers"],
    ["targets", "validation", "progress", "parallel", "monitoring", "summary"],
    ["assembly", "reports"],
    ["criteria"],
    ["metrics"],
    ["estimators"],
    ["encoding", "go_networks"],
    ["persistence"],
    ["__init__"],
]
HEIGHT = {module: height for height, row in enumerate(ORDER) for module in row}
CORE = [module for module in HEIGHT if HEIGHT[module] <= HEIGHT["training"]]
# threadpoolctl comes with scikit-learn, and knows nothing of it.
CORE_MAY_IMPORT = {"numpy", "scipy", "threadpoolctl", "skdeep"}
MAY_IMPORT = CORE_MAY_IMPORT | {"sklearn", "joblib"}
PRIVATE_ALLOWED_IN = "validation"

FOLDER = Path(skdeep.__file__).parent
SOURCES = {path.stem: path for path in FOLDER.glob("*.py")}
EACH_MODULE = pytest.mark.parametrize("module", sorted(SOURCES))


def imports(module):
    """Lines, modules and names of all imports, wherever they stand: (3, "numpy", None)."""
    found = []
    for node in ast.walk(ast.parse(SOURCES[module].read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            where = ("skdeep" + "." * bool(node.module) if node.level else "") + (
                node.module or ""
            )
            found += [(node.lineno, where, alias.name) for alias in node.names]
    return found


def own_modules(where, name):
    """Modules of ours that an import names."""
    parts = where.split(".")
    if parts[0] != "skdeep":
        return []
    if len(parts) > 1:
        return [parts[1]]
    # "from skdeep import x": a module, or a public name that __init__ has.
    return [name if name in SOURCES else "__init__"]


def test_every_module_has_its_place():
    missing = sorted(set(SOURCES) - set(HEIGHT))
    assert not missing, f"skdeep/{missing[0]}.py has no place in ORDER" if missing else ""
    gone = sorted(set(HEIGHT) - set(SOURCES))
    assert not gone, f"ORDER speaks of {gone}, which are no files of skdeep"


@EACH_MODULE
def test_imports_point_downwards(module):
    wrong = [
        f"skdeep/{module}.py, line {line}: imports {other}, which is not below {module}"
        for line, where, name in imports(module)
        for other in own_modules(where, name)
        # A module without a place, of which the first law speaks, stands above all others.
        if HEIGHT.get(other, len(ORDER)) >= HEIGHT.get(module, len(ORDER))
    ]
    assert not wrong, "\n".join(wrong)


@EACH_MODULE
def test_imports_are_standard_library_or_dependencies(module):
    allowed = CORE_MAY_IMPORT if module in CORE else MAY_IMPORT
    wrong = [
        f"skdeep/{module}.py, line {line}: imports {where}; third parties allowed here are "
        f"{sorted(allowed - {'skdeep'})}"
        for line, where, _ in imports(module)
        if where.split(".")[0] not in sys.stdlib_module_names | allowed
    ]
    assert not wrong, "\n".join(wrong)


@EACH_MODULE
def test_private_names_of_scikit_learn_are_imported_in_one_place(module):
    wrong = [
        f"skdeep/{module}.py, line {line}: imports {where}{'.' + name if name else ''}, which "
        f"is private; import it through skdeep/{PRIVATE_ALLOWED_IN}.py"
        for line, where, name in imports(module)
        if where.split(".")[0] == "sklearn"
        and any(part.startswith("_") for part in [*where.split("."), name or ""])
    ]
    assert module == PRIVATE_ALLOWED_IN or not wrong, "\n".join(wrong)


@EACH_MODULE
def test_imports_stand_at_the_top(module):
    tree = ast.parse(SOURCES[module].read_text())
    inner = [
        f"skdeep/{module}.py, line {node.lineno}: an import within a function or a class"
        for holder in ast.walk(tree)
        if isinstance(holder, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        for node in ast.walk(holder)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inner, "\n".join(inner)


def test_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    path = tmp_path / "layers.py"
    path.write_text(
        "import sklearn.utils._mask\n"
        "import numpy as np, pandas\n"
        "from skdeep.training import train\n"
        "from skdeep import network, SGD\n"
        "from .objective import Objective\n"
        "from . import solvers\n"
        "def f():\n"
        "    from sklearn.base import _fit_context\n"
    )
    monkeypatch.setitem(SOURCES, "layers", path)
    found = imports("layers")
    assert [where for _, where, _ in found] == [
        "sklearn.utils._mask",
        "numpy",
        "pandas",
        "skdeep.training",
        "skdeep",
        "skdeep",
        "skdeep.objective",
        "skdeep",
        "sklearn.base",
    ]
    ours = [other for _, where, name in found for other in own_modules(where, name)]
    assert ours == ["training", "network", "__init__", "objective", "solvers"]
    for law, words in [
        (test_imports_point_downwards, "line 3: imports training, which is not below layers"),
        (test_imports_are_standard_library_or_dependencies, "line 2: imports pandas"),
        (test_private_names_of_scikit_learn_are_imported_in_one_place, "base._fit_context"),
        (test_imports_stand_at_the_top, "line 8"),
    ]:
        with pytest.raises(AssertionError, match=words):
            law("layers")


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
    assert len(set(skdeep.__all__)) == len(skdeep.__all__)
    for name in skdeep.__all__:
        assert getattr(skdeep, name).__doc__
