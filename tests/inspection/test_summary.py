"""Summaries agree with the arrays of the network."""

import pickle
import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import (
    DeepClassifier,
    DeepRegressor,
    TableTransformer,
    TabularClassifier,
    TabularRegressor,
)
from skdeep._checks import documentation

RNG = np.random.RandomState(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] + X[:, 1]
CLASSES = np.digitize(Y, [-0.5, 0.5])

MODELS = [
    {},
    {"hidden_layer_sizes": (5,)},
    {"hidden_layer_sizes": (1200, 7)},
    {"norm": "batch"},
    {"norm": "layer", "residual": True},
    {"bias": False, "norm": "batch"},
    {"dropout": [0.1, 0.2, 0.0]},
    {"activation": ["tanh", "mish"]},
    {"solver": "lbfgs"},
]


def fitted(kind, params):
    defaults = {"hidden_layer_sizes": (6, 6), "max_iter": 2, "random_state": 0}
    return kind(**defaults | params).fit(X, CLASSES if kind is DeepClassifier else Y)


PER_MODEL = pytest.mark.parametrize("params", MODELS, ids=str)
KINDS = pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])


def numbers(lines):
    return [int(line.split()[-1].replace(",", "")) for line in lines]


@PER_MODEL
@KINDS
def test_summary_adds_up(kind, params):
    model = fitted(kind, params)
    header, rule, input_row, *rows, other_rule, total = model.summary().splitlines()
    assert len({len(line) for line in model.summary().splitlines()}) == 1
    assert set(rule) == set(other_rule) == {"-"}
    assert header.split() == ["Layer", "Output", "shape", "Applies", "Parameters"]
    arrays = [*model.coefs_, *model.intercepts_, *model.norms_]
    assert numbers([total]) == [sum(array.size for array in arrays)]
    assert sum(numbers(rows)) == numbers([total])[0]
    widths = [int(re.search(r"\(None, (\d+)\)", line)[1]) for line in [input_row, *rows]]
    assert widths == [3, *(coef.shape[1] for coef in model.coefs_)]
    # Columns are left-aligned with their headings.
    for heading, pattern in [("Output shape", r"\(None"), ("Layer", "hidden|input|output")]:
        starts = {re.search(pattern, line).start() for line in [input_row, *rows]}
        assert starts == {header.index(heading)}


SAYS = [
    ({"norm": "batch"}, "BatchNorm"),
    ({"norm": "layer"}, "LayerNorm"),
    ({"dropout": 0.5}, "dropout"),
    ({"dropout": [0.5, 0, 0]}, "input dropout"),
    ({"residual": True}, "residual"),
    ({"activation": "mish"}, "Mish"),
]


@pytest.mark.parametrize(("params", "word"), SAYS)
@KINDS
def test_summary_tells_what_layers_apply(kind, params, word):
    assert word in fitted(kind, params).summary()
    assert word not in fitted(kind, {}).summary()


@PER_MODEL
@KINDS
def test_notebooks_show_the_layers_of_a_fitted_network(kind, params):
    model = fitted(kind, params)
    pages = [model._repr_html_(), model._repr_mimebundle_()["text/html"]]
    _, _, *lines, _, total = model.summary().splitlines()
    for page in pages:
        assert page.count("<table") == page.count("</table>")
        for line in [*lines, total]:
            for cell in re.split(r"\s{2,}", line.strip().lower()):
                assert f">{cell}</td>" in page.lower()


@KINDS
def test_notebooks_show_an_unfitted_network(kind):
    model = kind(hidden_layer_sizes=(6,))
    assert kind.__name__ in model._repr_html_()
    assert "(None, " not in model._repr_html_()
    assert kind.__name__ in model._repr_mimebundle_()["text/html"]
    with pytest.raises(NotFittedError):
        model.summary()


def test_names_of_activations_are_escaped():
    class Markup:
        def __repr__(self):
            return "<b>&"

        def value(self, z):
            return z

        def derivative(self, z):
            return np.ones_like(z)

    model = fitted(DeepRegressor, {"activation": Markup()})
    assert "<b>&" in model.summary()
    assert "Custom(&lt;b&gt;&amp;)" in model._repr_html_()


def in_pipeline(model):
    return make_pipeline(StandardScaler(), model)


CONTAINERS = {
    "pipeline": in_pipeline,
    "search": lambda model: GridSearchCV(model, {"alpha": [0.1]}, cv=2),
    "pipeline in a search": lambda model: GridSearchCV(
        in_pipeline(model), {"deepregressor__alpha": [0.1]}, cv=2
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_diagrams_of_what_contains_a_network_show_its_layers(container):
    model = CONTAINERS[container](
        DeepRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0)
    )
    assert "DeepRegressor" in model._repr_html_()
    assert "(None, " not in model._repr_html_()
    page = model.fit(X, Y)._repr_html_()
    # Once, and within the diagram, whose style it shares.
    assert page.count(">hidden 1</td>") == page.count(">(None, 4)</td>") == 1
    assert page.index("Layers</summary>") < page.index("<script>")


def test_a_notebook_displays_a_summary_as_a_table_and_a_terminal_as_text():
    summary = fitted(DeepRegressor, {}).summary()
    assert repr(summary) == str(summary) == pickle.loads(pickle.dumps(summary))
    html = pickle.loads(pickle.dumps(summary))._repr_html_()
    assert html.count("<tr") == 1 + len(summary.rows) + 1
    # The style of scikit-learn's diagrams, which is that of the whole page, must not reach it:
    # its rows of class "default" are black, also on a dark background.
    assert "default" not in html
    assert f">{sum(row.n_params for row in summary.rows)}</td></tr></tbody>" in html


ESTIMATORS = [
    DeepClassifier, DeepRegressor, TabularClassifier, TabularRegressor, TableTransformer,
]  # fmt: skip


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_diagrams_link_to_the_documentation_once_it_has_an_address(kind, monkeypatch):
    monkeypatch.setattr(documentation, "address", lambda: "")
    assert kind()._get_doc_link() == ""
    assert "href" not in kind()._repr_html_()
    monkeypatch.setattr(documentation, "address", lambda: "https://docs.invalid/stable/")
    page = f"https://docs.invalid/stable/api/skdeep.{kind.__name__}.html"
    assert kind()._get_doc_link() == page
    html = kind()._repr_html_()
    assert f'href="{page}"' in html
    # Also from each parameter, with its description.
    assert html.count(f'href="{page}#') == len(kind().get_params(deep=False))


def test_estimators_of_others_do_not_link_to_our_documentation(monkeypatch):
    monkeypatch.setattr(documentation, "address", lambda: "https://docs.invalid")

    class Mine(DeepRegressor):
        pass

    assert Mine()._get_doc_link() == ""
