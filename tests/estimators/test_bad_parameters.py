"""Laws: parameters that cannot be used are refused with words that help."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skdeep import (
    LBFGS,
    SGD,
    AcrossCalls,
    Adadelta,
    Adam,
    AdamW,
    Cosine,
    CosLog,
    DeepRegressor,
    Exponential,
    Focal,
    Huber,
    InverseTime,
    InvScaling,
    Linear,
    Lion,
    Normal,
    OneCycle,
    RMSprop,
    StepDecay,
    WarmUp,
    lockstep,
)
from skdeep.schedules import SCHEDULES
from tests.estimators.refusals import (
    BINARY,
    CLASSES,
    NUMBERS,
    N,
    X,
    call,
    classifier,
    refused,
    regressor,
)

# The parameters

SIZES = ["hidden_layer_sizes", "int", "1"]


PARAMETERS = [
    ("hidden_layer_sizes", (), SIZES),
    ("hidden_layer_sizes", [], SIZES),
    ("hidden_layer_sizes", (5, 0), SIZES),
    ("hidden_layer_sizes", (-3,), SIZES),
    ("hidden_layer_sizes", 0, SIZES),
    ("hidden_layer_sizes", -1, SIZES),
    ("hidden_layer_sizes", 2.5, SIZES),
    ("hidden_layer_sizes", (10, 2.0), SIZES),
    ("hidden_layer_sizes", np.array([2.0, 3.0]), SIZES),
    ("hidden_layer_sizes", (np.nan,), SIZES),
    ("hidden_layer_sizes", (10, "a"), SIZES),
    ("hidden_layer_sizes", [[3, 4]], SIZES),
    ("hidden_layer_sizes", "ten", SIZES),
    ("hidden_layer_sizes", None, SIZES),
    (
        "activation",
        "rleu",
        ["'relu'", "'tanh'", "'logistic'", "'identity'", "'gelu'", "value(z)"],
    ),
    ("activation", np.tanh, ["value(z)", "derivative(z)"]),
    ("activation", None, ["value(z)", "derivative(z)"]),
    ("solver", "adm", ["'adam'", "'sgd'", "'lbfgs'", "StochasticSolver"]),
    ("solver", SGD, ["'sgd'", "StochasticSolver"]),
    ("solver", None, ["'adam'"]),
    ("loss", "mse", ["'squared_error'", "'poisson'"]),
    ("dtype", "float16", ["'float32'", "'float64'", "None"]),
    ("dtype", np.float32, ["'float32'", "'float64'", "None"]),
    ("learning_rate", "cosin", ["'constant'", "'invscaling'", "'adaptive'", "'cosine'"]),
    ("learning_rate", 0.1, ["'constant'", "'invscaling'", "'adaptive'"]),
    ("learning_rate_init", 0, ["(0.0, inf)"]),
    ("learning_rate_init", np.inf, ["(0.0, inf)"]),
    ("alpha", -1, ["[0.0, inf)"]),
    ("alpha", np.nan, ["[0.0, inf)"]),
    ("batch_size", 0, ["'auto'", "[1, inf)"]),
    ("batch_size", 2.5, ["'auto'", "[1, inf)"]),
    ("batch_size", "all", ["'auto'", "[1, inf)"]),
    ("power_t", -1, ["[0.0, inf)"]),
    ("max_iter", 0, ["[1, inf)"]),
    ("max_iter", 2.5, ["[1, inf)"]),
    ("shuffle", "no", ["bool"]),
    ("random_state", "seed", ["int", "RandomState", "None"]),
    ("tol", -1, ["[0.0, inf)"]),
    ("verbose", "loud", ["int", "bool"]),
    ("warm_start", "yes", ["bool"]),
    ("momentum", 1.5, ["[0.0, 1.0]"]),
    ("nesterovs_momentum", 0.5, ["bool"]),
    ("early_stopping", "yes", ["bool"]),
    ("validation_fraction", 1.0, ["[0.0, 1.0)"]),
    ("l1_ratio", 1.5, ["[0.0, 1.0]"]),
    ("dropout", 1.0, ["[0.0, 1.0)", "array-like"]),
    ("dropout", "half", ["[0.0, 1.0)", "array-like"]),
    ("norm", "yes", ["'batch'", "'layer'", "None"]),
    ("norm", True, ["'batch'", "'layer'", "None"]),
    ("max_norm", 0, ["(0.0, inf)", "None"]),
    ("clip_norm", -1, ["(0.0, inf)", "None"]),
    ("weight_init", "he", ["'he_normal'", "'glorot_uniform'", "Initializer", "list", "None"]),
    ("weight_init", Normal, ["'he_normal'", "Initializer", "list", "None"]),
    ("bias", "no", ["bool"]),
    ("residual", "no", ["bool"]),
    ("init_output_bias", "mean", ["'baseline'", "None"]),
    ("weight_averaging", 1.0, ["[0.0, 1.0)"]),
    ("weight_averaging", -0.1, ["[0.0, 1.0)"]),
    ("validation_scoring", 3, ["str", "callable", "None"]),
    ("restore_best", "x", ["bool"]),
    ("max_time", 0, ["(0.0, inf)", "None"]),
    ("beta_1", 1.0, ["[0.0, 1.0)"]),
    ("beta_2", 1.0, ["[0.0, 1.0)"]),
    ("epsilon", 0, ["(0.0, inf)"]),
    ("n_iter_no_change", 0, ["[1, inf)", "inf"]),
    ("n_iter_no_change", 2.5, ["[1, inf)", "inf"]),
    ("max_fun", 0, ["[1, inf)"]),
]


OF_NUMBERS = [
    ("output_activation", "relu", ["'exp'", "'softplus'", "'identity'", "None"]),
    ("quantile", 0, ["(0.0, 1.0)", "array-like"]),
    ("quantile", 1.0, ["(0.0, 1.0)", "array-like"]),
    ("quantile", "a", ["(0.0, 1.0)", "array-like"]),
]


OF_CLASSES = [
    ("loss", "logloss", ["'log_loss'", "'focal'", "'squared_error'"]),
    ("class_weight", "balance", ["'balanced'", "dict", "list", "None"]),
    ("class_weight", 3, ["'balanced'", "dict", "list", "None"]),
    ("label_smoothing", 1.0, ["[0.0, 1.0)"]),
    ("output_activation", "tanh", ["softmax", "logistic", "tanh"]),
    ("loss", Focal, ["Focal"]),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value", "allowed"), PARAMETERS + OF_NUMBERS)
def test_parameter_that_cannot_be_used_is_refused(name, value, allowed, method):
    model = regressor(**{name: value})
    refused(model, call(method, X, NUMBERS), [name, repr(value), *allowed])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value", "allowed"), OF_CLASSES)
def test_parameter_of_classes_that_cannot_be_used_is_refused(name, value, allowed, method):
    model = classifier(**{name: value})
    declared = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    refused(model, call(method, X, CLASSES, **declared), [name, repr(value), *allowed])


@pytest.mark.parametrize(("make", "own"), [(regressor, OF_NUMBERS), (classifier, OF_CLASSES)])
def test_table_of_parameters_is_complete(make, own):
    unchecked = set(make().get_params()) - {name for name, _, _ in PARAMETERS + own}
    assert not unchecked, f"no bad value is tried for {sorted(unchecked)}"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (SGD(momentum=2), ["'momentum'", "SGD", "[0.0, 1.0]", "Got 2"]),
        (SGD(learning_rate="cosin"), ["'learning_rate'", "SGD", "'adaptive'", "'cosin'"]),
        (SGD(learning_rate_init=0), ["'learning_rate_init'", "SGD", "(0.0, inf)", "Got 0"]),
        (SGD(power_t=-1), ["'power_t'", "SGD", "[0.0, inf)", "Got -1"]),
        (SGD(nesterovs_momentum="no"), ["'nesterovs_momentum'", "SGD", "bool", "'no'"]),
        (Adam(learning_rate_init="x"), ["'learning_rate_init'", "Adam", "(0.0, inf)", "'x'"]),
        (Adam(beta_1=1.0), ["'beta_1'", "Adam", "[0.0, 1.0)", "Got 1.0"]),
        (Adam(beta_2=-0.1), ["'beta_2'", "Adam", "[0.0, 1.0)", "Got -0.1"]),
        (Adam(epsilon=0), ["'epsilon'", "Adam", "(0.0, inf)", "Got 0"]),
        (AdamW(weight_decay=-1), ["'weight_decay'", "AdamW", "[0.0, inf)", "Got -1"]),
        (RMSprop(rho=2), ["'rho'", "RMSprop", "[0.0, 1.0)", "Got 2"]),
        (Adadelta(rho=1), ["'rho'", "Adadelta", "[0.0, 1.0)", "Got 1"]),
        (Lion(beta_1=2), ["'beta_1'", "Lion", "[0.0, 1.0)", "Got 2"]),
        (LBFGS(max_fun=0), ["'max_fun'", "LBFGS", "[1, inf)", "Got 0"]),
        (SGD(learning_rate=Cosine), ["class Cosine", "Cosine()"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else repr(value),
)
@pytest.mark.parametrize("model", [classifier(), regressor()], ids=["classifier", "regressor"])
def test_spec_field_that_cannot_be_used_is_refused(model, spec, words):
    model = clone(model).set_params(solver=spec)
    refused(model, call("fit", X, BINARY), words)


SCHEDULE_FIELDS = [
    (InvScaling(-1), ["'power_t'", "InvScaling", "[0.0, inf)"]),
    (InverseTime(-1), ["'decay'", "InverseTime", "[0.0, inf)"]),
    (StepDecay(0), ["'every'", "StepDecay", "(0.0, inf)"]),
    (StepDecay(factor=0), ["'factor'", "StepDecay", "(0.0, inf)"]),
    (Exponential(0), ["'decay'", "Exponential", "(0.0, 1.0]"]),
    (Exponential(3), ["'decay'", "Exponential", "(0.0, 1.0]"]),
    (Linear(-0.1), ["'end'", "Linear", "[0.0, inf)"]),
    (Cosine(-1), ["'restarts'", "Cosine", "[0, inf)"]),
    (Cosine(0.5), ["'restarts'", "Cosine", "int"]),
    (Cosine(end=-1), ["'end'", "Cosine", "[0.0, inf)"]),
    (CosLog(0), ["'cycles'", "CosLog", "[1, 64]"]),
    (CosLog(2.5), ["'cycles'", "CosLog", "int"]),
    (OneCycle(1.0), ["'pct_start'", "OneCycle", "[0.0, 1.0)"]),
    (OneCycle(div_factor=0.5), ["'div_factor'", "OneCycle", "[1.0, inf)"]),
    (OneCycle(final_div_factor=0), ["'final_div_factor'", "OneCycle", "(0.0, inf)"]),
    (WarmUp(-1), ["'epochs'", "WarmUp", "[0.0, inf)"]),
    (WarmUp(1, "cosin"), ["'then'", "WarmUp", "'cosine'", "'cosin'"]),
    (WarmUp(1, Cosine), ["class Cosine", "Cosine()"]),
    (WarmUp(1, WarmUp(1, Cosine(-1))), ["'restarts'", "Cosine", "[0, inf)"]),
    (AcrossCalls("cosine", 0), ["'steps_per_epoch'", "AcrossCalls", "[1, inf)"]),
    (AcrossCalls("cosine", 9, 0), ["'epochs'", "AcrossCalls", "(0.0, inf)"]),
    (AcrossCalls("cosin", 9), ["'schedule'", "AcrossCalls", "'cosine'", "'cosin'"]),
    (AcrossCalls(Cosine(-1), 9), ["'restarts'", "Cosine", "[0, inf)"]),
]


@pytest.mark.parametrize(("schedule", "words"), SCHEDULE_FIELDS, ids=repr)
@pytest.mark.parametrize("model", [classifier(), regressor()], ids=["classifier", "regressor"])
def test_schedule_field_that_cannot_be_used_is_refused(model, schedule, words):
    model = clone(model).set_params(learning_rate=schedule)
    refused(model, call("fit", X, BINARY), words)


def test_table_of_schedule_fields_is_complete():
    tried = {(type(schedule), words[0].strip("'")) for schedule, words in SCHEDULE_FIELDS}
    fields = {
        (schedule, name) for schedule in SCHEDULES.values() for name in schedule.field_names()
    }
    assert fields <= tried


class Shapeless:
    def value(self, z):
        return z[:1]

    def derivative(self, z):
        return 1.0


class Flat:
    def value(self, z):
        return z

    def derivative(self, z):
        return 1.0


class Always:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate


class SteepLine(Linear):
    pass


USERS_OWN = [
    ("activation", Shapeless(), ["Shapeless.value", "(1, ", "one number for each element"]),
    ("activation", Flat(), ["Flat.derivative", "()", "one number for each element"]),
    ("learning_rate", Always(-0.001), ["learning_rate(0)", "-0.001", "0 or more"]),
    ("learning_rate", Always(None), ["learning_rate(0)", "None", "finite"]),
    ("learning_rate", Always(np.nan), ["learning_rate(0)", "nan", "finite"]),
    ("learning_rate", SteepLine(end=-1), ["'end'", "SteepLine", "[0.0, inf)"]),
    ("validation_scoring", "neg_distanc", ["validation_scoring", "neg_distance"]),
]


@pytest.mark.parametrize(("name", "value", "words"), USERS_OWN)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_what_users_bring_is_checked(make, name, value, words):
    refused(make(**{name: value}), call("fit", X, BINARY), words)


@pytest.mark.parametrize("sizes", [50, (50,), [50, 20]])
def test_layers_in_the_place_of_the_loss_are_told_their_name(sizes):
    words = ["'loss'", "DeepRegressor", f"hidden_layer_sizes={sizes!r}"]
    refused(DeepRegressor(sizes), call("fit", X, NUMBERS), words)


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_loss_that_rose_is_told(make):
    # Each step multiplies the weights by 1 - rate * alpha / n = -2.3, beside the gradient.
    model = make(solver="sgd", learning_rate_init=100, momentum=0, alpha=1, activation="tanh")
    with pytest.warns(ConvergenceWarning, match="rose from .* smaller learning_rate_init"):
        model.set_params(max_iter=5).fit(X, BINARY)
    assert model.loss_ > 10 * model.loss_curve_[0]


@pytest.mark.parametrize("name", ["n_processes", "memory"])
@pytest.mark.parametrize("value", [-1, 0, "2", 1.5])
def test_counts_of_lockstep_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} must be an int of 1 or more; got {value!r}"):
        lockstep(**{name: value})


@pytest.mark.parametrize("y", [np.zeros((N, 1)), np.zeros(N), np.zeros((N, 3))], ids=np.shape)
def test_score_of_several_columns_is_of_as_many(y):
    model = classifier().fit(X, np.column_stack([CLASSES, BINARY + 3]))
    with pytest.raises(ValueError, match=r"shape of the predictions, \(30, 2\)"):
        model.score(X, y)


@pytest.mark.parametrize("weight", [np.zeros(N), np.full(N, -1.0), np.ones(3)])
def test_weights_of_score_over_several_columns_are_checked(weight):
    y = np.column_stack([CLASSES, BINARY + 3])
    with pytest.raises(ValueError, match=r"[Ww]eight|sample_weight"):
        classifier().fit(X, y).score(X, y, weight)


@pytest.mark.parametrize("set_field", ["solver__speed", "solver__solver"])
def test_unknown_spec_field_is_named(set_field):
    with pytest.raises(ValueError, match=r"'(speed|solver)' for SGD.*momentum"):
        classifier(solver=SGD()).set_params(**{set_field: 1})


@pytest.mark.parametrize(
    "set_field", ["solver__learning_rate__speed", "solver__momentum__decay"]
)
def test_unknown_field_of_a_spec_in_a_spec_is_named(set_field):
    model = classifier(solver=SGD(learning_rate=StepDecay()))
    with pytest.raises(ValueError, match=r"'(speed|momentum__decay)' for .*every"):
        model.set_params(**{set_field: 1})
    assert model.solver == SGD(learning_rate=StepDecay())


def test_a_spec_that_refuses_a_field_has_set_none():
    solver = SGD(learning_rate=WarmUp(then=Cosine()))
    for bad in (
        {"learning_rate__then__speed": 1},
        {"learning_rate__": 1},
        {"learning_rate__then": Linear(), "learning_rate__then__restarts": 2},
        {"speed": 1},
    ):
        with pytest.raises(ValueError, match="Invalid parameter"):
            solver.set_params(momentum=0.1, **bad)
        assert solver == SGD(learning_rate=WarmUp(then=Cosine()))


@pytest.mark.parametrize("solver", ["lbfgs", LBFGS(max_fun=7)], ids=repr)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_does_not_exist_where_the_solver_needs_all_rows(make, solver):
    model = make(solver=solver)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        model.partial_fit(X, BINARY)
    reason = str(caught.value.__cause__)
    assert all(word in reason for word in ("'adam'", "'sgd'", f"solver={solver!r}")), reason


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_appears_with_the_solver(make):
    model = make(solver="lbfgs")
    assert hasattr(model.set_params(solver="sgd"), "partial_fit")
    assert not hasattr(model.set_params(solver=LBFGS()), "partial_fit")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_prediction_before_fit_is_refused(method):
    with pytest.raises(NotFittedError, match=r"DeepClassifier.*not fitted"):
        getattr(classifier(), method)(X)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("make", "loss", "words"),
    [
        (classifier, Focal(-1), ["'gamma'", "Focal", "[0.0, inf)", "Got -1"]),
        (regressor, Huber(0), ["'delta'", "Huber", "(0.0, inf)", "Got 0"]),
    ],
)
def test_a_loss_object_that_cannot_be_used_is_refused(make, loss, words, method):
    y = CLASSES if make is classifier else NUMBERS
    more = {"classes": np.unique(y)} if (make is classifier and method == "partial_fit") else {}
    with pytest.raises(ValueError) as error:  # noqa: PT011
        getattr(make(loss=loss), method)(X, y, **more)
    assert all(word in str(error.value) for word in words)
