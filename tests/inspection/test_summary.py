"""Summaries agree with the arrays of the network."""

import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor

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
                assert f"<td>{cell}</td>" in page.lower()


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


def test_pipelines_are_shown():
    pipeline = make_pipeline(
        StandardScaler(), DeepRegressor(hidden_layer_sizes=(4,), max_iter=2)
    )
    assert "DeepRegressor" in pipeline._repr_html_()
    assert "DeepRegressor" in pipeline.fit(X, Y)._repr_html_()
