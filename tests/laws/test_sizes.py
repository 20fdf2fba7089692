"""Laws: files of skdeep have up to 400 lines and functions up to 60, docstrings excepted."""

import ast
from pathlib import Path

import pytest

import skdeep

FOLDER = Path(skdeep.__file__).parent
ROOT = FOLDER.parent
SOURCES = sorted(path.relative_to(ROOT).as_posix() for path in FOLDER.rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))

LINES_OF_A_FILE, LINES_OF_A_FUNCTION, LINES_OF_TESTS = 400, 60, 700
# Constructors that name each of some fifty parameters twice.
EXEMPT = {
    ("skdeep/estimators/classifier.py", "DeepClassifier.__init__"),
    ("skdeep/estimators/regressor.py", "DeepRegressor.__init__"),
}


def docstring_lines(node):
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
        return first.end_lineno - first.lineno + 1
    return 0


def functions(node, prefix=""):
    """(qualified name, lines less docstrings) of each function, those within others too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = prefix + child.name
            yield name, child.end_lineno - child.lineno + 1 - docstring_lines(child)
            yield from functions(child, name + ".")
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, prefix + child.name + ".")
        else:
            yield from functions(child, prefix)


def documented(tree):
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return sum(docstring_lines(node) for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("path", SOURCES)
def test_files_and_functions_are_short(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(text)
    n_lines = len(text.splitlines()) - documented(tree)
    wrong = [f"{path} has {n_lines} lines"] if n_lines > LINES_OF_A_FILE else []
    wrong += [
        f"{path}: {name} has {n} lines"
        for name, n in functions(tree)
        if n > LINES_OF_A_FUNCTION and (path, name) not in EXEMPT
    ]
    assert not wrong, "\n".join(wrong)


def test_exemptions_are_needed():
    for path, name in EXEMPT:
        found = dict(functions(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
        assert found[name] > LINES_OF_A_FUNCTION


@pytest.mark.parametrize("path", TESTS)
def test_files_of_tests_are_short(path):
    n_lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert n_lines <= LINES_OF_TESTS, f"{path} has {n_lines} lines"
