"""Where the documentation is: what the pictures of estimators in notebooks link to."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


@cache
def address() -> str:
    """Of the built site: "Documentation" in pyproject's [project.urls].

    Empty as long as it has no home: then nothing is linked to.
    """
    try:
        urls = metadata("scikit-deep").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return dict(url.split(", ", 1) for url in urls).get("Documentation", "")


class Documented:
    """Links from an estimator's HTML to its page; before BaseEstimator among the bases."""

    _doc_link_module = "skdeep"

    @property
    def _doc_link_template(self) -> str:
        site = address().rstrip("/")
        return site and f"{site}/api/skdeep.{{estimator_name}}.html"
