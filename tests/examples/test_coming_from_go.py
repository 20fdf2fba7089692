"""Every row of docs/coming_from_go.rst runs, and does what the call on its left does.

Rows and the names that they take for granted are read from the page. What each must come to
stands here, by its first literal: computed from the formula, or by scikit-learn.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.examples import rows_of_go_deep, rows_of_gopher_neural  # noqa: F401
from tests.examples.go_rows import (
    CHECKS,
    GO_DEEP,
    GOPHER,
    PAGE,
    RECIPE,
    fresh,
)


def literals(cell):
    return [" ".join(found.split()) for found in re.findall(r"``(.+?)``", cell, re.DOTALL)]


def table_rows(text):
    """First literal on the left and code on the right of each row, headers left out."""
    found = []
    for row in re.split(r"^   \* - ", text, flags=re.MULTILINE)[1:]:
        left, right = re.split(r"^     - ", row, maxsplit=1, flags=re.MULTILINE)
        # A table ends where the indentation does.
        right = re.split(r"\n\S", right, maxsplit=1)[0]
        if literals(left):
            found.append((literals(left)[0], right))
    return found


ROWS = table_rows(PAGE)


def run(statements, names):
    """Value of the last expression."""
    value = None
    for code in statements:
        try:
            value = eval(compile(code, "row", "eval"), names)
        except SyntaxError:
            exec(compile(code, "row", "exec"), names)
    return value


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files that the page takes for granted, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("1.5,2,R\n3,4,M\n5,6,R\n")
    Path("values.csv").write_text("1.5,2,0.25\n3,4,0.75\n")
    Path("data.svm").write_text("1 1:0.5 3:2\n-1 2:1.5\n")
    Path("dump.json").write_text(json.dumps(GO_DEEP))
    Path("network.json").write_text(json.dumps(GOPHER))


def test_rows_are_found_once_and_have_a_check_each():
    keys = [key for key, _ in ROWS]
    assert len(keys) > 80
    assert sorted(keys) == sorted(CHECKS)


@pytest.mark.parametrize(("key", "cell"), ROWS, ids=[key for key, _ in ROWS])
def test_row(key, cell, files, capsys):
    assert re.sub(r"``.+?``", "", cell, flags=re.DOTALL).strip() == "", "text is not run"
    names = fresh()
    value = run(literals(cell), names)
    CHECKS[key](SimpleNamespace(out=capsys.readouterr().out, **names), value)


def test_recipe_finds_a_winner():
    names = {}
    exec(RECIPE, names)
    search, winner = names["search"], names["winner"]
    assert len(search.cv_results_["params"]) == 20
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) > 0.95
    chosen = winner.get_params()
    assert {name: chosen[name] for name in search.best_params_} == search.best_params_
