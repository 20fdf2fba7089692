"""Laws: nothing that a user asks for is passed over in silence.

A parameter that differs from its default is read, or a warning names it and says what to
write instead.
"""

import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import (
    LBFGS,
    SGD,
    Adam,
    Cosine,
    DeepClassifier,
    DeepRegressor,
    InvScaling,
    RMSprop,
    WarmUp,
)
from skdeep.metrics import get_scorer
from skdeep.solvers import SOLVERS

RNG = np.random.RandomState(0)
X = RNG.normal(size=(40, 3))
NUMBERS = X[:, 0] + 0.1 * RNG.normal(size=40)
CLASSES = np.arange(40) % 3


def told_of_unread(model, method="fit", **given):
    """The warning about parameters that are not read, or None; there is at most one."""
    y = CLASSES if isinstance(model, DeepClassifier) else NUMBERS
    if method == "partial_fit" and isinstance(model, DeepClassifier):
        given["classes"] = np.unique(y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ConvergenceWarning)
        getattr(model, method)(X, y, **given)
    found = [one for one in caught if "is not read" in str(one.message)]
    assert len(found) <= 1
    for one in found:
        assert one.category is UserWarning
        assert one.filename == __file__  # the line that called fit
    return str(found[0].message) if found else None


def make(kind, **params):
    return kind(**{"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0, **params})


# Values that are not the defaults, and all names of solvers that read them.
ADAMS = {"adam", "adamw", "amsgrad", "nadam"}
STOCHASTIC = set(SOLVERS) - {"lbfgs"}
OF_SOLVERS = {
    "learning_rate_init": (0.002, STOCHASTIC),
    "learning_rate": ("linear", STOCHASTIC),
    "momentum": (0.5, {"sgd"}),
    "nesterovs_momentum": (False, {"sgd"}),
    "beta_1": (0.8, ADAMS),
    "beta_2": (0.99, ADAMS),
    "epsilon": (1e-7, ADAMS),
    "max_fun": (100, {"lbfgs"}),
    "batch_size": (20, STOCHASTIC),
    "shuffle": (False, STOCHASTIC),
    "early_stopping": (True, STOCHASTIC),
    "n_iter_no_change": (5, STOCHASTIC),
}
# Values, a setting in which they are read, one in which they are not, and what is said.
VALIDATED = {"early_stopping": True, "validation_fraction": 0.2}
OF_SETTINGS = {
    "power_t": (0.3, {"learning_rate": "invscaling"}, {}, "'invscaling'"),
    "validation_fraction": (0.2, VALIDATED, {}, "early_stopping=True"),
    "validation_scoring": ("loss", VALIDATED, {}, "X_val"),
    "restore_best": (False, VALIDATED, {}, "X_val"),
    "l1_ratio": (0.5, {"alpha": 0.1}, {"alpha": 0}, "alpha=0"),
    "quantile": ([0.1, 0.9], {"loss": "quantile"}, {"loss": "log_cosh"}, "'quantile'"),
}
# Read whatever else is set; with 'lbfgs', some are refused instead.
ALWAYS = {
    *("hidden_layer_sizes", "activation", "solver", "alpha", "max_iter", "random_state"),
    *("tol", "verbose", "warm_start", "dtype", "dropout", "norm"),
    *("max_norm", "clip_norm", "weight_init", "bias", "residual", "init_output_bias"),
    *("weight_averaging", "max_time", "loss", "class_weight", "label_smoothing"),
    "output_activation",
}


def test_the_tables_are_whole():
    known = {*OF_SOLVERS, *OF_SETTINGS, *ALWAYS}
    assert known == {*DeepClassifier().get_params(), *DeepRegressor().get_params()}


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_parameter_is_read_by_a_named_solver_or_warned_of(solver):
    given = {name: value for name, (value, _) in OF_SOLVERS.items()}
    unread = {name for name, (_, readers) in OF_SOLVERS.items() if solver not in readers}
    told = told_of_unread(make(DeepRegressor, solver=solver, **given))
    lines = told.splitlines()
    assert len(lines) == len(unread)
    assert {line.partition("=")[0] for line in lines} == unread
    assert all(f"with solver={solver!r}" in line for line in lines)
    read = {name: value for name, value in given.items() if name not in unread}
    assert told_of_unread(make(DeepRegressor, solver=solver, **read)) is None


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
@pytest.mark.parametrize("name", OF_SETTINGS)
def test_a_parameter_is_read_in_a_setting_or_warned_of(name, kind):
    value, reading, not_reading, words = OF_SETTINGS[name]
    if name not in kind._get_param_names():
        pytest.skip(f"{kind.__name__} has no {name}")
    told = told_of_unread(make(kind, **not_reading, **{name: value}))
    assert told.startswith(f"{name}={value!r} is not read with")
    assert words in told
    assert told_of_unread(make(kind, **{**reading, name: value})) is None


@pytest.mark.parametrize("solver", [SGD(), RMSprop(), Adam(), LBFGS()], ids=repr)
def test_a_solver_object_has_its_own(solver):
    told = told_of_unread(
        make(DeepClassifier, solver=solver, learning_rate=Cosine(), max_fun=9)
    )
    lines = dict(line.split("=", 1) for line in told.splitlines())
    assert set(lines) == {"learning_rate", "max_fun"}
    own, other = ("max_fun", "learning_rate")[:: 1 if isinstance(solver, LBFGS) else -1]
    value = {"max_fun": 9, "learning_rate": Cosine()}[own]
    name = type(solver).__name__
    assert lines[own].endswith(
        f"with solver={name}(...), which has its own: write solver={name}({own}={value!r})."
    )
    assert ", only with " in lines[other]


def test_what_equals_the_default_is_not_warned_of():
    rates = {"learning_rate_init": np.float64(0.001), "momentum": float("0.9")}
    assert told_of_unread(make(DeepRegressor, solver=Adam(), **rates)) is None


def test_a_schedule_object_has_its_own_exponent():
    told = told_of_unread(make(DeepRegressor, learning_rate=InvScaling(0.3), power_t=0.2))
    assert "with learning_rate=InvScaling(power_t=0.3)" in told


def test_validation_rows_take_the_place_of_a_fraction():
    model = make(DeepRegressor, early_stopping=True, validation_fraction=0.3)
    told = told_of_unread(model, X_val=X, y_val=NUMBERS)
    assert told.startswith("validation_fraction=0.3 is not read with X_val")
    model = make(DeepRegressor, validation_scoring="loss", restore_best=False)
    assert told_of_unread(model, X_val=X, y_val=NUMBERS) is None


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_partial_fit_warns_in_its_first_call_only(kind):
    model = make(kind, solver="sgd", beta_1=0.5)
    assert told_of_unread(model, "partial_fit").startswith("beta_1=0.5 is not read")
    assert told_of_unread(model, "partial_fit") is None


def test_a_subclass_with_fewer_parameters_is_asked_for_its_own():
    class Slow(DeepRegressor):
        def __init__(self, momentum=0.9):
            super().__init__(solver="adam", momentum=momentum, beta_1=0.8, max_fun=3)

    assert told_of_unread(Slow()) is None
    assert told_of_unread(Slow(momentum=0.1)).startswith("momentum=0.1 is not read")


SET_OF_A_NAME = [
    (
        DeepClassifier(solver="adam"),
        "solver__learning_rate_init",
        "solver__learning_rate_init cannot be set, because solver='adam' is a name, which has "
        "no parameters: write solver=Adam(), or set learning_rate_init instead of "
        "solver__learning_rate_init.",
    ),
    (DeepRegressor(solver="adam"), "solver__momentum", "write solver=Adam()."),
    (DeepRegressor(learning_rate="step"), "learning_rate__every", "=StepDecay()."),
    (
        DeepRegressor(learning_rate="invscaling"),
        "learning_rate__power_t",
        "write learning_rate=InvScaling(), or set power_t instead of learning_rate__power_t.",
    ),
    (DeepRegressor(weight_init="he_normal"), "weight_init__std", "give an object."),
    (DeepRegressor(), "weight_init__std", "weight_init=None has no parameters: set"),
    (DeepRegressor(solver=SGD), "solver__momentum", "has no parameters: set"),
    (
        DeepRegressor(solver=SGD(learning_rate="exponential")),
        "solver__learning_rate__decay",
        "learning_rate__decay cannot be set, because learning_rate='exponential' is a name, "
        "which has no parameters: write learning_rate=Exponential().",
    ),
    (
        DeepRegressor(solver=SGD(learning_rate=WarmUp(3, "cosine"))),
        "solver__learning_rate__then__end",
        "write then=Cosine().",
    ),
]


@pytest.mark.parametrize(("owner", "name", "words"), SET_OF_A_NAME, ids=lambda part: str(part))
def test_a_parameter_of_a_name_is_refused_with_what_to_write(owner, name, words):
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        owner.set_params(**{name: 0.1})
    assert name.endswith(str(refused.value).partition(" ")[0])  # it begins with the name


def test_a_search_over_a_parameter_of_a_name_says_what_to_write():
    pipe = make_pipeline(StandardScaler(), make(DeepRegressor))
    grid = {"deepregressor__solver__learning_rate_init": [0.1, 0.2]}
    with pytest.raises(ValueError, match=r"write solver=Adam\(\), or set learning_rate_init"):
        GridSearchCV(pipe, grid, cv=2).fit(X, NUMBERS)


def test_an_object_that_is_set_together_with_its_parameter_takes_it():
    model = DeepRegressor().set_params(solver__momentum=0.5, solver=SGD())
    assert model.solver == SGD(momentum=0.5)


STRINGS = np.where(NUMBERS > 0, "yes", "no")


def validated(kind, scoring):
    return make(kind, early_stopping=True, validation_fraction=0.3, validation_scoring=scoring)


@pytest.mark.parametrize(
    ("kind", "y", "scoring", "words"),
    [
        (DeepClassifier, STRINGS, "average_precision", "pos_label=1 is not a valid label"),
        (DeepClassifier, CLASSES, "roc_auc", "multi_class must be in"),
        (DeepRegressor, NUMBERS, "neg_log_loss", "predict_proba"),
        (DeepRegressor, NUMBERS, "one_vs_rest_accuracy", "scores classifiers only"),
    ],
)
def test_an_error_of_a_scorer_by_name_names_the_parameter(kind, y, scoring, words):
    with pytest.raises(ValueError, match=words) as refused:
        validated(kind, scoring).fit(X, y)
    assert str(refused.value).startswith(f"validation_scoring={scoring!r} cannot score")


class OwnError(Exception):
    pass


def broken(estimator, X, y):
    raise OwnError("oh")


@pytest.mark.parametrize("scoring", [broken, lambda estimator, X, y: "much"])
def test_an_error_of_a_scorer_of_ones_own_stays_and_has_a_note(scoring):
    with pytest.raises((OwnError, ValueError)) as raised:
        validated(DeepRegressor, scoring).fit(X, NUMBERS)
    assert str(raised.value) in ("oh", "could not convert string to float: 'much'")
    assert raised.value.__notes__ == [f"It was raised by validation_scoring={scoring!r}."]


@pytest.mark.parametrize("weight", [None, np.linspace(1, 2, 40)], ids=["plain", "weighted"])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "balanced_accuracy", "neg_distance"])
def test_a_scorer_by_name_gives_what_it_gives_on_the_rows(scoring, weight):
    def on_rows(estimator, X, y, sample_weight=None):
        assert X.shape[1] == 3
        return get_scorer(scoring)(estimator, X, y, sample_weight=sample_weight)

    by_name, by_rows = (
        validated(DeepClassifier, given).fit(X, STRINGS, weight) for given in (scoring, on_rows)
    )
    assert by_name.validation_scores_ == by_rows.validation_scores_


REFUSED = """
import numpy as np
from skdeep import Adam, DeepClassifier, DeepRegressor, WarmUp
from skdeep.persistence import load

X, y = np.ones((4, 2)), [0, 1, 0, 1]
for kind, params in [
    (DeepClassifier, {"solver": "adm"}),
    (DeepClassifier, {"learning_rate": "slow"}),
    (DeepClassifier, {"weight_init": "he"}),
    (DeepClassifier, {"loss": "logloss"}),
    (DeepClassifier, {"activation": "rel"}),
    (DeepClassifier, {"dtype": "float16"}),
    (DeepClassifier, {"output_activation": "sigmoid"}),
    (DeepRegressor, {"loss": "mse"}),
    (DeepRegressor, {"output_activation": "sigmoid"}),
    (DeepRegressor, {"solver": Adam(learning_rate=WarmUp(3, "slow"))}),
]:
    try:
        kind(**params).fit(X, y)
    except ValueError as error:
        print(error)
for params in [{"solver__b": 1, "solver__a": 1, "solver__c": 1}]:
    try:
        DeepRegressor(solver=Adam()).set_params(**params)
    except ValueError as error:
        print(error)
"""


def test_messages_do_not_depend_on_the_hashes_of_strings():
    found = [
        subprocess.run(
            [sys.executable, "-c", REFUSED],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]
    assert "{'adadelta', 'adagrad', 'adam', 'adamw', 'amsgrad', 'lbfgs', 'lion'" in found[0]
    assert found[0].count("\n") == 11
