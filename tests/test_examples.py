"""The examples and the README's code run, quietly, and reach the scores that they should."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
README = ROOT / "README.md"
DATA = Path(os.environ.get("SKDEEP_DATA", ROOT.parent / "shared" / "data"))


def run(*arguments):
    """Standard output of a Python program that must neither fail nor warn."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # One thread takes about as long as several on networks of this size, and is not
        # slowed down by whatever else the machine does.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("data", "floor"), [("digits", 0.96), ("diabetes", 0.45)])
def test_quickstart_scores(quickstart, data, floor):
    line = next(line for line in quickstart.splitlines() if line.startswith(data))
    assert float(line.split()[3]) >= floor


@pytest.fixture(scope="module")
def quickstart():
    return run(EXAMPLES / "quickstart.py")


def test_mnist_accuracy():
    folder = DATA / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST at {folder}: name the folder that holds it in SKDEEP_DATA")
    output = run(EXAMPLES / "mnist.py", "--data", folder)
    match = re.search(r"^test accuracy +(\S+)$", output, re.MULTILINE)
    assert match, output
    assert float(match[1]) >= 0.97


def test_search_in_lockstep_scores():
    output = run(EXAMPLES / "search_in_lockstep.py")
    assert float(re.search(r"^best accuracy +(\S+)$", output, re.MULTILINE)[1]) >= 0.96


def test_readme_code_runs():
    code = re.search(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert "deepclassifier__solver__learning_rate_init" in run("-c", code[1])


def test_readme_says_where_each_module_is():
    text = README.read_text(encoding="utf-8")
    modules = [path.name for path in (ROOT / "skdeep").glob("*.py")]
    assert [name for name in modules if f"(skdeep/{name})" not in text] == []
