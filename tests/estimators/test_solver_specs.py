"""Laws: a solver spec is another spelling of the named solver, and searches reach into it."""

import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import LBFGS, SGD, Adam, Cosine, DeepClassifier, DeepRegressor, StepDecay, WarmUp
from tests.estimators.twins import (
    CODES,
    KINDS,
    NUMBERS,
    PARAMS,
    X,
    assert_same_weights,
    fit_target,
    pair,
)

# Solver specs

SPELLINGS = [
    ({"solver": "sgd", "momentum": 0.5}, SGD(momentum=0.5)),
    (
        {
            "solver": "sgd",
            "learning_rate": "invscaling",
            "power_t": 0.3,
            "nesterovs_momentum": False,
        },
        SGD(learning_rate="invscaling", power_t=0.3, nesterovs_momentum=False),
    ),
    (
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
        SGD(learning_rate="adaptive", learning_rate_init=0.1),
    ),
    (
        {
            "solver": "adam",
            "learning_rate_init": 0.01,
            "beta_1": 0.8,
            "beta_2": 0.99,
            "epsilon": 1e-6,
        },
        Adam(learning_rate_init=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-6),
    ),
    ({"solver": "adam"}, Adam()),
    ({"solver": "lbfgs", "max_fun": 4}, LBFGS(max_fun=4)),
]


@pytest.mark.parametrize(
    ("named", "spec"), SPELLINGS, ids=[repr(spec) for _, spec in SPELLINGS]
)
@KINDS
def test_spec_is_another_spelling_of_the_named_solver(kind, named, spec):
    y = fit_target(kind)
    params = PARAMS | {"tol": 0.01, "n_iter_no_change": 1}
    by_name = kind(**params | named).fit(X, y)
    # What a spec holds is read from it alone.
    other = {"learning_rate_init": 7.0, "momentum": 0.123, "beta_1": 0.123, "max_fun": 1}
    by_spec = kind(**params | other, solver=spec).fit(X, y)
    assert_same_weights(by_spec, by_name, rtol=0, atol=0)
    assert by_spec.loss_curve_ == by_name.loss_curve_
    if named["solver"] != "lbfgs":
        for model in (by_name, by_spec):
            model.partial_fit(X, y)
        assert_same_weights(by_spec, by_name, rtol=0, atol=0)


@KINDS
def test_fit_leaves_the_spec_alone(kind):
    spec = SGD(learning_rate="adaptive", learning_rate_init=0.1)
    model = pair(kind)[0].set_params(solver=spec, tol=1.0, n_iter_no_change=1)
    model.fit(X, fit_target(kind))
    assert model.solver is spec
    assert spec == SGD(learning_rate="adaptive", learning_rate_init=0.1)


@KINDS
def test_clone_copies_the_spec(kind):
    model = kind(solver=SGD(momentum=0.5))
    copy = clone(model).set_params(solver__momentum=0.7)
    assert copy.solver == SGD(momentum=0.7)
    assert model.solver == SGD(momentum=0.5)


@KINDS
def test_parameters_reach_into_the_spec(kind):
    model = kind(solver=SGD(momentum=0.5))
    deep = model.get_params(deep=True)
    assert {name for name in deep if name.startswith("solver__")} == {
        "solver__learning_rate",
        "solver__learning_rate_init",
        "solver__power_t",
        "solver__momentum",
        "solver__nesterovs_momentum",
    }
    assert deep["solver__momentum"] == 0.5
    assert not any("__" in name for name in model.get_params(deep=False))
    assert not any("__" in name for name in kind().get_params(deep=True))
    assert model.set_params(solver=Adam(), solver__beta_1=0.5).solver == Adam(beta_1=0.5)


@KINDS
def test_parameters_reach_into_a_spec_that_a_spec_holds(kind):
    warm = WarmUp(2, StepDecay(30, 0.5))
    model = kind(solver=SGD(learning_rate=warm))
    assert model.get_params()["solver__learning_rate__then__factor"] == 0.5
    copy = clone(model).set_params(
        solver__learning_rate__epochs=3, solver__learning_rate__then__factor=0.1
    )
    assert copy.solver.learning_rate == WarmUp(3, StepDecay(30, 0.1))
    assert warm == WarmUp(2, StepDecay(30, 0.5))
    copy.set_params(solver__learning_rate=Cosine(), solver__learning_rate__restarts=2)
    assert copy.solver.learning_rate == Cosine(2)
    by_name = kind(learning_rate=StepDecay()).set_params(learning_rate__every=7)
    assert by_name.learning_rate == StepDecay(7)


@pytest.mark.parametrize(
    "solver", ["adam", Adam(beta_1=0.5), SGD(momentum=0.5), LBFGS(max_fun=3)], ids=repr
)
@KINDS
def test_repr_reads_as_the_call_that_makes_it(kind, solver):
    model = kind(hidden_layer_sizes=(5, 3), solver=solver, alpha=0.01)
    again = eval(repr(model))
    assert again.get_params() | {"solver": 0} == model.get_params() | {"solver": 0}
    assert again.solver == solver
    assert "max_iter" not in repr(model)
    assert "alpha" in model._repr_html_()


def test_search_over_names_and_specs():
    solvers = ["adam", "sgd", Adam(learning_rate_init=0.05), SGD(momentum=0.5), LBFGS()]
    model = DeepClassifier((8,), max_iter=10, random_state=0)
    search = GridSearchCV(model, {"solver": solvers, "alpha": [0, 1.0]}, cv=3).fit(X, CODES)
    for row, params in enumerate(search.cv_results_["params"]):
        alone = cross_val_score(clone(model).set_params(**params), X, CODES, cv=3)
        assert search.cv_results_["mean_test_score"][row] == pytest.approx(alone.mean())
    assert search.best_estimator_.solver == search.best_params_["solver"]


def test_search_reaches_into_a_spec_in_a_pipeline():
    params = {"hidden_layer_sizes": (8,), "max_iter": 10, "random_state": 0}
    named = params | {"solver": "sgd", "learning_rate_init": 0.05}
    spec = SGD(learning_rate_init=0.05)
    chain = make_pipeline(StandardScaler(), DeepRegressor(**params, solver=spec))
    values = [0.1, 0.5, 0.95]
    search = GridSearchCV(chain, {"deepregressor__solver__momentum": values}, cv=3)
    search.fit(X, NUMBERS)
    spelled = []
    for momentum in values:
        model = DeepRegressor(**named, momentum=momentum)
        chain = make_pipeline(StandardScaler(), model)
        spelled.append(cross_val_score(chain, X, NUMBERS, cv=3).mean())
    assert len(set(spelled)) == 3
    assert_allclose(search.cv_results_["mean_test_score"], spelled)
    assert spec == SGD(learning_rate_init=0.05)
