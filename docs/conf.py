"""Configuration of the documentation: sphinx-build -W -b html docs docs/_build/html."""

import re

import skdeep

project = "scikit-deep"
author = "The skdeep developers"
copyright = "The skdeep developers"
version = release = skdeep.__version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 2

autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"skdeep {release}"


def escape_fitted_names(app, what, name, obj, options, lines):
    """Keep "shape (n_features_in_,)" from being read as a link, which `word_` is in RST."""
    lines[:] = [re.sub(r"(shape \(\w+)_([,)])", r"\1\_\2", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", escape_fitted_names)
