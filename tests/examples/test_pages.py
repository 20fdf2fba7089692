"""The code of each page of the documentation runs, from top to bottom."""

import warnings

import pytest

from tests.examples.go_rows import DOCS, code_blocks

BLOCKS = {
    page.stem: blocks
    for page in sorted([*DOCS.glob("*.rst"), *DOCS.glob("how_to/*.rst")])
    # Its rows have tests of their own, with files that they read.
    if page.stem != "coming_from_go"
    and (blocks := code_blocks(page.read_text(encoding="utf-8")))
}

# Optional packages that the code of a page needs.
NEEDS = {"deploy": ["skops", "mlflow"], "plots": ["matplotlib", "rich"]}


@pytest.mark.parametrize("page", BLOCKS)
def test_code_of_the_page_runs(page, tmp_path, monkeypatch):
    for package in NEEDS.get(page, []):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)  # for the files that it writes
    names = {}
    with warnings.catch_warnings():
        for block in BLOCKS[page]:
            exec(block, names)


def test_pages_with_code_are_found():
    assert {"index", "user_guide", "persistence", "faq", "imbalanced"} <= set(BLOCKS)
