"""Focal and Huber as users meet them: objects that are cloned, set, searched and fitted."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skdeep import DeepClassifier, DeepRegressor
from skdeep.losses import (
    BinaryFocalLoss,
    Focal,
    Huber,
    HuberLoss,
    MultinomialFocalLoss,
    classification_loss,
    regression_loss,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
OBJECTS = [(Focal(), "gamma"), (Huber(), "delta")]
each_object = pytest.mark.parametrize(("loss", "name"), OBJECTS)


def test_loss_objects_are_the_losses_of_their_names():
    for multinomial in (False, True):
        assert classification_loss(Focal(), multinomial) == classification_loss(
            "focal", multinomial
        )
    assert classification_loss(Focal(1.5), False) == BinaryFocalLoss(1.5)
    assert classification_loss(Focal(1), True) == MultinomialFocalLoss(1.0)
    assert regression_loss(Huber()) == regression_loss("huber")
    assert regression_loss(Huber(delta=2)) == HuberLoss(2.0)


@each_object
def test_loss_objects_are_cloned_set_pickled_and_printed(loss, name):
    default = getattr(loss, name)
    copy = clone(loss).set_params(**{name: 0.5})
    assert copy.get_params() == {name: 0.5}
    assert loss.get_params() == {name: default}
    assert pickle.loads(pickle.dumps(copy)) == copy != loss
    assert repr(copy) == f"{type(loss).__name__}({name}=0.5)"
    with pytest.raises(ValueError, match=f"'alpha' for {type(loss).__name__}.*{name}"):
        loss.set_params(alpha=1.0)


def model_and_target(loss):
    model = DeepClassifier if isinstance(loss, Focal) else DeepRegressor
    y = X[:, 0] > 0 if isinstance(loss, Focal) else 3 * X[:, 0]
    settings = {"solver": "lbfgs", "max_iter": 20, "random_state": 0}
    return model(hidden_layer_sizes=(3,), loss=loss, **settings), y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@each_object
def test_a_fit_minimizes_the_loss_with_its_number(loss, name):
    model, y = model_and_target(clone(loss))
    curves = {}
    for value in (getattr(loss, name), 0.25):
        model.set_params(**{f"loss__{name}": value}).fit(X, y)
        curves[value] = model.loss_curve_
        again = clone(model).fit(X, y)
        assert again.loss == type(loss)(value)
        assert again.loss is not model.loss
        np.testing.assert_array_equal(again.loss_curve_, model.loss_curve_)
    default, other = curves.values()
    assert default[0] != other[0]
    by_name = clone(model).set_params(loss=type(loss).__name__.lower()).fit(X, y)
    np.testing.assert_array_equal(by_name.loss_curve_, default)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@each_object
def test_searches_reach_into_a_loss(loss, name):
    model, y = model_and_target(clone(loss))
    # The other candidate hardly moves from its start.
    grid = {f"loss__{name}": [0.5, 50.0 if name == "gamma" else 1e-9]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert search.best_params_ == {f"loss__{name}": 0.5}
    assert model.loss == loss


@each_object
def test_a_loss_by_name_has_no_parameters(loss, name):
    model = model_and_target(loss)[0].set_params(loss=type(loss).__name__.lower())
    with pytest.raises(ValueError, match=rf"write loss={type(loss).__name__}\(\)"):
        model.set_params(**{f"loss__{name}": 1.0})
