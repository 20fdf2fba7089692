"""Inventories for links to other packages, made of what is installed.

Sphinx would download them, and fail without a network. Addresses of pages follow a pattern, so
that the names are enough: all public ones of scikit-learn, and a few of NumPy and SciPy.
"""

import zlib
from pathlib import Path

from sklearn.utils.discovery import all_displays, all_estimators, all_functions

SKLEARN = "https://scikit-learn.org/stable/"
NUMPY = "https://numpy.org/doc/stable/"
SCIPY = "https://docs.scipy.org/doc/scipy/"
# What else the pages, and the docstrings that they inherit, refer to.
OTHER_LINES = {
    "sklearn": [
        "sklearn.callback py:module 0 api/sklearn.callback.html#module-$ -",
        "accuracy_score std:label -1 modules/model_evaluation.html#accuracy-score Accuracy",
    ]
}


def write_inventories(folder: Path) -> dict:
    """Write the files, and return Sphinx' ``intersphinx_mapping`` of them."""
    sklearn = {
        _public(item): kind
        for kind, items in (
            ("class", [*all_estimators(), *all_displays()]),
            ("function", all_functions()),
        )
        for _, item in items
    }
    sklearn |= dict.fromkeys(
        [
            f"sklearn.model_selection.{name}"
            for name in ("GroupKFold", "StratifiedKFold", "TimeSeriesSplit")
        ],
        "class",
    )
    numpy = {
        "numpy.ndarray": "class",
        "numpy.memmap": "class",
        "numpy.random.Generator": "class",
    }
    scipy = {"scipy.sparse.csr_matrix": "class", "scipy.stats.loguniform": "data"}
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, address, pages, names in (
        ("sklearn", SKLEARN, "modules/generated", sklearn),
        ("numpy", NUMPY, "reference/generated", numpy),
        ("scipy", SCIPY, "reference/generated", scipy),
    ):
        lines = [
            f"{name} py:{kind} 1 {pages}/{name}.html#$ -"
            for name, kind in sorted(names.items())
        ]
        lines += OTHER_LINES.get(project, [])
        _write(folder / f"{project}.inv", project, lines)
        mapping[project] = (address, str(folder / f"{project}.inv"))
    return mapping


def _public(item: object) -> str:
    # sklearn.linear_model._ridge.Ridge is documented as sklearn.linear_model.Ridge.
    parts = [part for part in item.__module__.split(".") if not part.startswith("_")]
    return ".".join([*parts, item.__name__])


def _write(path: Path, project: str, lines: list[str]) -> None:
    header = (
        f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    content = zlib.compress("".join(f"{line}\n" for line in lines).encode())
    path.write_bytes(header.encode() + content)
