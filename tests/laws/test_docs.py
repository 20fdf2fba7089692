"""Laws: the documentation leads to public names, to every page and every wing."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {".rst", ".md"}
GENERATED = {"_build", "_templates", "api", "auto_examples"}
PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*")
    if path.suffix in SOURCES and not GENERATED & set(path.relative_to(ROOT).parts)
)
ROOT_PAGES = sorted(ROOT.glob("*.md"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
# An import, at the start of a line or after a prompt.
IMPORT = re.compile(r"^[ >.]*((?:from\s+skdeep|import\s+skdeep)\b.*)$", re.MULTILINE)
# On PyPI, skdeep is somebody else's package: ours is scikit-deep.
INSTALLS_ANOTHER = re.compile(r"pip3? install[^\n]*(?<![\w/-])skdeep\b|\bskdeep\[[a-z]")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def text_of(path):
    return path.read_text(encoding="utf-8")


def private_paths(text):
    """Lines that import a module or a name of skdeep that starts with an underscore."""
    return [
        line
        for line in IMPORT.findall(text)
        if re.search(r"\b_[a-z]|\._", line.split(" as ")[0].split("#")[0])
    ]


@pytest.mark.parametrize("path", [*PAGES, *ROOT_PAGES, *EXAMPLES], ids=name_of)
def test_no_page_and_no_example_imports_a_private_path(path):
    assert private_paths(text_of(path)) == []


def test_reader_of_imports_sees_every_form():
    private = [
        "from skdeep._network.layers import Dense",
        "import skdeep._training.train as t",
        "from skdeep.losses import _private  # why",
    ]
    public = ["from skdeep import DeepClassifier, schedules", "import skdeep as _sk"]
    assert private_paths("\n".join(public + private)) == private
    assert private_paths("   >>> " + private[0]) == private[:1]


def entries(page):
    """Pages that a page's toctrees name, without their suffixes."""
    for block in re.findall(r"^\.\. toctree::\n((?: +.*\n|\n)+)", text_of(page) + "\n", re.M):
        for line in block.splitlines():
            if line.strip() and not line.strip().startswith(":"):
                yield page.parent / line.strip()


def test_every_page_is_in_one_table_of_contents():
    listed = [name_of(entry) for page in PAGES for entry in entries(page)]
    listed.remove("docs/auto_examples/index")  # made of the examples
    pages = [name_of(path.with_suffix("")) for path in PAGES]
    assert sorted([*listed, "docs/index"]) == sorted(pages)


@pytest.mark.parametrize("path", [*PAGES, *ROOT_PAGES], ids=name_of)
def test_links_to_files_of_the_repository_lead_somewhere(path):
    # Pages that docs includes stand at the root.
    links = re.findall(r"\]\(([^)#\s]+)\)", text_of(path))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", [*PAGES, *ROOT_PAGES], ids=name_of)
def test_files_that_pages_name_exist(path):
    # From the root, or, as the architecture names them, from skdeep.
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|rst|md|svg))`", text_of(path))
    folders = [ROOT, ROOT / "skdeep"]
    assert [n for n in named if not any((at / n).exists() for at in folders)] == []


@pytest.mark.parametrize(
    "path",
    [*PAGES, *ROOT_PAGES, *EXAMPLES, *sorted((ROOT / "skdeep").rglob("*.py"))],
    ids=name_of,
)
def test_nobody_is_sent_to_install_another_package(path):
    assert INSTALLS_ANOTHER.findall(text_of(path)) == []


def test_reader_of_installs_sees_every_form():
    for wrong in ("pip install skdeep", "pip install -U 'skdeep'", 'use "skdeep[docs]"'):
        assert INSTALLS_ANOTHER.search(wrong), wrong
    for right in ("pip install scikit-deep", "pip install .[docs]", "scikit-deep[test]"):
        assert not INSTALLS_ANOTHER.search(right), right


def test_every_wing_is_in_the_picture_and_in_its_page():
    picture = text_of(ROOT / "docs" / "wings.svg")
    page = text_of(ROOT / "docs" / "architecture.rst")
    for path in (ROOT / "skdeep").iterdir():
        if (path / "__init__.py").exists():
            assert f">{path.name}<" in picture, f"docs/wings.svg has no {path.name}"
            assert f"``{path.name}``" in page, f"docs/architecture.rst has no {path.name}"


def test_workflows_run_on_the_pythons_and_systems_of_the_metadata():
    workflow = text_of(ROOT / ".github" / "workflows" / "tests.yml")
    pythons = re.findall(r"Python :: (3\.\d+)", PYPROJECT)
    assert ast.literal_eval(re.search(r"python-version: (\[.+\])", workflow)[1]) == pythons
    systems = {"ubuntu": "Linux", "macos": "MacOS", "windows": "Windows"}
    named = re.search(r"os: \[(.+)\]", workflow)[1].split(", ")
    classifiers = re.findall(r"Operating System :: (?:.+ :: )?(\w+)", PYPROJECT)
    assert sorted(systems[s.split("-")[0]] for s in named) == sorted(classifiers)


def test_version_stands_the_same_in_citation_and_changelog():
    version = re.search(r'__version__ = "(.+)"', text_of(ROOT / "skdeep" / "__init__.py"))[1]
    assert f"\nversion: {version}\n" in text_of(ROOT / "CITATION.cff")
    assert f"\n## {version}" in text_of(ROOT / "CHANGELOG.md")


def test_names_in_the_architecture_are_in_the_code():
    page = text_of(ROOT / "docs" / "architecture.rst")
    code = "\n".join(text_of(path) for path in (ROOT / "skdeep").rglob("*.py"))
    words = set(re.findall(r"\b\w+\b", code))
    names = {
        part
        for quoted in re.findall(r"``([\w.]+)``", page)
        for part in quoted.split(".")
        if part.isidentifier()
    }
    known = (
        words | {path.stem for path in (ROOT / "skdeep").rglob("*")} | {"py", "tests", "rst"}
    )
    folders = {path.name for path in (ROOT / "tests").iterdir()}
    assert len(names) > 30
    assert names - known - folders == set()
