"""Configuration of the site: sphinx-build -W -b html docs docs/_build/html.

The build makes no request, and neither do its pages: formulas are drawn by MathJax from an
installed package, and names of other packages are looked up in inventories that
``_ext/inventories.py`` makes of the installed ones.
"""

import importlib.util
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

# Before NumPy is imported: for the small networks of the examples, one thread is enough, and is
# not slowed down by whatever else the machine does.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}

from inventories import write_inventories  # noqa: E402
from source_links import source_links  # noqa: E402
from sphinx.addnodes import pending_xref  # noqa: E402
from sphinx.ext.autosummary import autosummary_table  # noqa: E402

import skdeep  # noqa: E402

project = "skdeep"
author = "The skdeep developers"
copyright = "the skdeep developers"
version = release = skdeep.__version__

# The one place that has the address of the source: "Source" in [project.urls].
PYPROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
SOURCE = PYPROJECT["project"].get("urls", {}).get("Source")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    # Without an address, [source] links to a page of the site that shows the module.
    "sphinx.ext.linkcode" if SOURCE else "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "_ext", "auto_examples/**/*.ipynb"]
templates_path = ["_templates"]
myst_heading_anchors = 2

# Names of skdeep must be found; those of other packages may have no page of their own.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!skdeep\b)\w+\..*"), ("py:.*", r"skdeep\._.*")]

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "alphabetical"
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
# Prompts only: without it, the button also copies what the code prints.
copybutton_exclude = ".linenos, .gp, .go"

intersphinx_mapping = write_inventories(HERE / "_build" / "inventories")
linkcode_resolve = source_links(SOURCE) if SOURCE else None

mathjax_path = "mathjax/tex-chtml.js"

html_theme = "pydata_sphinx_theme"
html_title = "skdeep"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skdeep"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 3,
    "show_nav_level": 1,
    "secondary_sidebar_items": {"**": ["page-toc", "sg_download_links"]},
    "footer_start": ["copyright"],
    "footer_end": [],
    "icon_links": (
        [{"name": "Source", "url": SOURCE, "icon": "fa-solid fa-code"}] if SOURCE else []
    ),
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
}
html_sidebars = {"install": [], "faq": [], "api": [], "changelog": []}


sphinx_gallery_conf = {
    "doc_module": "skdeep",
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "subsection_order": [
        f"../examples/{name}" for name in ("tables", "training", "search", "go")
    ],
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "api/backreferences",
    "reference_url": {"skdeep": None},
    "reset_modules": ("matplotlib", "between_examples.reset"),
    "image_srcset": ["2x"],
    "thumbnail_size": (400, 280),
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "only_warn_on_example_error": False,
}


def copy_mathjax(app):
    """MathJax and its fonts, of the package sphinx-mathjax-offline: no request to a CDN."""
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    source, target = package / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "tex-chtml.js", target)
    fonts = Path("output/chtml/fonts/woff-v2")
    shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)


def escape_shapes(app, what, name, obj, options, lines):
    """Keep shapes from being read as markup: `word_` is a link in RST, and `*word` emphasis."""
    for pattern, escaped in (
        (r"(shape \(\w+)_([,)])", r"\1\_\2"),
        (r"(?<!`)\((.*?)\*models", r"(\1\\*models"),
    ):
        lines[:] = [re.sub(pattern, escaped, line) for line in lines]


def skip_inherited(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's base classes document, except for scores and the like."""
    inherited = (getattr(obj, "__module__", "") or "").startswith("sklearn")
    return True if inherited and name not in ("score", "fit_transform") else None


def drop_citations_of_summaries(app, doctree):
    """A summary in a table has no list of references that its [1] could lead to."""
    for table in doctree.findall(autosummary_table):
        for xref in list(table.findall(pending_xref)):
            if xref.get("refdomain") == "citation":
                xref.parent.remove(xref)


def mend_links_of_modules(app, pagename, templatename, context, doctree):
    """Let [docs] in a module's source lead to a class, whichever module it is documented in."""
    if pagename.startswith("_modules/"):
        # viewcode takes one module for all names of a file; a page is called as what it shows.
        context["body"] = re.sub(
            r'(class="viewcode-back" href="[^"]*?api/([\w.]+)\.html)#(?!\2)[\w.]+',
            r"\1#\2",
            context["body"],
        )


def setup(app):
    app.connect("doctree-read", drop_citations_of_summaries)
    app.connect("html-page-context", mend_links_of_modules)
    app.connect("builder-inited", copy_mathjax)
    app.connect("autodoc-process-docstring", escape_shapes)
    app.connect("autodoc-skip-member", skip_inherited)
