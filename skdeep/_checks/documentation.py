"""Where the documentation is: what the pictures of estimators in notebooks link to."""

# Of the built site, such as "https://example.org/stable". Empty as long as it has no home: then
# nothing is linked to.
ADDRESS = ""


class Documented:
    """Links from an estimator's HTML to its page; before BaseEstimator among the bases."""

    _doc_link_module = "skdeep"

    @property
    def _doc_link_template(self) -> str:
        return ADDRESS and f"{ADDRESS.rstrip('/')}/api/skdeep.{{estimator_name}}.html"
