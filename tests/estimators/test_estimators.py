"""Law: with data, attributes, warm starts and generators, ours do as scikit-learn's MLP does.

MLPClassifier and MLPRegressor of scikit-learn, with the same parameters, are the truth
wherever they have one. What is ours alone (dtype, solver specs) is held against the
spelling that it stands for.
"""

import inspect
import re

import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from skdeep import DeepClassifier
from tests.estimators.twins import KINDS, TWINS

# Construction

NEW_PARAMETERS = {
    "dtype": None,
    "l1_ratio": 0.0,
    "dropout": 0.0,
    "norm": None,
    "max_norm": None,
    "clip_norm": None,
    "weight_init": None,
    "bias": True,
    "residual": False,
    "init_output_bias": None,
    "weight_averaging": 0.0,
    "validation_scoring": None,
    "restore_best": True,
    "max_time": None,
}


OF_CLASSES = {
    "loss": "log_loss",
    "class_weight": None,
    "label_smoothing": 0.0,
    "output_activation": None,
}


OF_NUMBERS = {"output_activation": None, "quantile": 0.5}


@KINDS
def test_parameters_are_those_of_mlp_and_new_ones_come_last(kind):
    ours = inspect.signature(kind).parameters
    theirs = inspect.signature(TWINS[kind]).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name
        assert ours[name].kind == parameter.kind, name
    new = {name: ours[name] for name in list(ours)[len(theirs) :]}
    assert all(parameter.kind == parameter.KEYWORD_ONLY for parameter in new.values())
    # A new parameter is off by default; this table says what off is.
    own = OF_CLASSES if kind is DeepClassifier else OF_NUMBERS
    assert {name: new[name].default for name in new} == NEW_PARAMETERS | own


@KINDS
def test_docstring_tells_of_each_parameter(kind):
    section = kind.__doc__.split("    Attributes\n")[0]
    documented = re.findall(r"^    (\w+) : ", section, re.MULTILINE)
    assert sorted(documented) == sorted(inspect.signature(kind).parameters)


@KINDS
def test_tags_are_those_of_mlp(kind):
    ours, theirs = (get_tags(estimator()) for estimator in (kind, TWINS[kind]))
    assert ours.input_tags == theirs.input_tags
    assert ours.classifier_tags == theirs.classifier_tags
    assert ours.regressor_tags == theirs.regressor_tags
    assert ours.non_deterministic == theirs.non_deterministic
    # MLPRegressor takes y of several columns, and does not say so; MLPClassifier refuses.
    assert ours.target_tags.multi_output


def test_names_of_parameters_are_those_of_the_class():
    class Narrow(DeepClassifier):
        def __init__(self, alpha=0.1, *, max_iter=9):
            super().__init__(alpha=alpha, max_iter=max_iter)

    class Same(Narrow):
        pass

    class Wrong(DeepClassifier):
        def __init__(self, *args):
            super().__init__()

    wide = DeepClassifier().get_params()
    for kind in (Narrow, Same):
        assert kind().get_params() == {"alpha": 0.1, "max_iter": 9}
        assert clone(kind(0.2)).alpha == 0.2
    kind.__init__ = lambda self, tol=1: None
    assert kind._get_param_names() == ["tol"]
    assert DeepClassifier().get_params() == wide
    names = DeepClassifier._get_param_names()
    names.clear()  # a list of one's own
    assert set(DeepClassifier._get_param_names()) == set(wide)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no varargs"):
            Wrong().get_params()
