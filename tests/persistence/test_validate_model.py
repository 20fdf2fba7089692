"""Laws: a fitted model says that it fits together, and each way of tampering is refused.

The message names what is wrong. The hook is what scikit-learn's ``validate_model`` calls.
"""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from skdeep import Adam, DeepClassifier, DeepRegressor, TableTransformer
from skdeep._checks.fitted import require_array
from skdeep._network.norms import BatchNorm
from skdeep.activations import Tanh
from skdeep.estimators.targets import ClassTarget, RegressionTarget
from skdeep.losses import HalfSquaredError, MultinomialLogLoss
from skdeep.persistence import load, save
from tests.persistence.test_pickle import LABELS, MODELS, NAMES, NUMBERS, PARAMS, X
from tests.tabular.kinds import INTS, object_frame
from tests.tabular.small import TARGETS, classes, classifier, numbers, recipe, regressor, table


def tabular(name, many=True):
    make, targets, params = TARGETS[name]
    frame = table(many=many)
    return make(**params).fit(frame, targets(frame))


FRAME = table()[["x", "z"]].fillna(0)
SEVERAL = [recipe(), recipe(embedding="periodic"), recipe(embedding=None, activation="relu")]

MAKERS = {
    "classifier": lambda: DeepClassifier(**PARAMS, norm="batch").fit(X, NAMES),
    "labels": lambda: DeepClassifier(**PARAMS).fit(X, LABELS),
    "columns": lambda: DeepClassifier(**PARAMS).fit(X, np.c_[NAMES, NAMES[::-1]]),
    "regressor": lambda: DeepRegressor(**PARAMS).fit(
        table()[["x", "z"]].fillna(0), numbers(table())
    ),
    "quantiles": lambda: clone(MODELS["quantiles"][0]).fit(X, MODELS["quantiles"][1]),
    "activated": lambda: DeepRegressor(**PARAMS, output_activation="softplus").fit(
        X, NUMBERS**2
    ),
    "averaged": lambda: clone(MODELS["averaged"][0]).fit(X, NUMBERS),
    "square": lambda: DeepRegressor(
        **{**PARAMS, "hidden_layer_sizes": (5, 5)}, residual=True
    ).fit(X, NUMBERS),
    "ensemble": lambda: tabular("classes"),
    "numbers": lambda: tabular("numbers"),
    "no levels": lambda: tabular("numbers", many=False),
    "table": lambda: TableTransformer().fit(object_frame(), INTS),
}


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MODELS)
def test_fitted_networks_are_consistent(name):
    model, y = MODELS[name]
    fitted = clone(model).fit(X, y)
    fitted.__sklearn_validate_model__()
    fitted.set_params(warm_start=True).fit(X, y).__sklearn_validate_model__()


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("name", TARGETS)
def test_fitted_ensembles_are_consistent(name, many):
    tabular(name, many).__sklearn_validate_model__()


def test_other_fitted_models_are_consistent(models):
    for model in models.values():
        model.__sklearn_validate_model__()
    frame = table()
    classifier(recipe=SEVERAL).fit(frame, classes(frame)).__sklearn_validate_model__()
    TableTransformer().fit(frame).__sklearn_validate_model__()


def test_weights_of_a_user_may_have_other_widths(models):
    model = DeepRegressor(solver="lbfgs", **PARAMS).fit(X, NUMBERS)
    model.coefs_ = [np.ones((5, 3)), np.ones((3, 6)), model.coefs_[2]]
    model.intercepts_[0] = np.ones(3)
    model.__sklearn_validate_model__()


# Tampering: each takes a deep copy of a model, and the words are of the message.


def changed(array, at, value):
    again = array.copy()
    again[at] = value
    return again


def layer(i, **parts):
    """The network with another layer."""

    def tamper(m):
        layers = list(m._network.layers)
        layers[i] = replace(layers[i], **parts)
        m._network = replace(m._network, layers=tuple(layers))

    return tamper


def assign(path, value):
    """Set an attribute or an item of an attribute; a function is called with the old value."""
    names = path.split(".")

    def tamper(m):
        for name in names[:-1]:
            m = m[int(name)] if name.isdigit() else getattr(m, name)
        last = names[-1]
        old = m[int(last)] if last.isdigit() else getattr(m, last, None)
        new = value(old) if callable(value) and not isinstance(value, type) else value
        if last.isdigit():
            m[int(last)] = new
        else:
            vars(m)[last] = new

    return tamper


def drop(name):
    return lambda m: delattr(m, name)


TAMPERED = [
    # The chain of shapes.
    ("classifier", assign("n_features_in_", 4), r"coefs_\[0\] must have the shape \(4, \*\)"),
    (
        "classifier",
        assign("coefs_.1", lambda a: a[1:]),
        r"coefs_\[1\] must have the shape \(8, \*",
    ),
    ("classifier", assign("coefs_.2", lambda a: a[:, 1:]), r"coefs_\[2\] .* shape \(6, 3\)"),
    ("classifier", assign("coefs_.0", lambda a: a[0]), r"coefs_\[0\] must have the shape"),
    ("classifier", assign("coefs_", lambda a: a[:2]), "coefs_ must be 3 matrices; got 2"),
    ("classifier", assign("coefs_", None), "coefs_ must be of type list"),
    ("classifier", assign("coefs_.1", [[1.0]]), r"coefs_\[1\] must be an array"),
    (
        "classifier",
        assign("intercepts_.0", lambda a: a[1:]),
        r"intercepts_\[0\] .* shape \(8,\)",
    ),
    (
        "classifier",
        assign("intercepts_", lambda a: a[1:]),
        "intercepts_ must be 3 arrays; got 2",
    ),
    ("classifier", assign("norms_", lambda a: a[1:]), "norms_ must be 8 arrays; got 7"),
    (
        "classifier",
        assign("norms_.2", lambda a: a[:, None]),
        r"norms_\[2\] must have the shape",
    ),
    ("square", assign("coefs_.0", lambda a: a[:, 1:]), "of a residual layer, must be square"),
    # Dtypes, and numbers.
    (
        "classifier",
        assign("coefs_.0", lambda a: a.astype(int)),
        r"coefs_\[0\] must be of dtype",
    ),
    ("classifier", assign("coefs_.1", lambda a: a.astype("f4")), r"dtype float64; got float32"),
    (
        "classifier",
        assign("norms_.0", lambda a: a.astype("f4")),
        r"norms_\[0\] must be of dtype",
    ),
    (
        "classifier",
        assign("coefs_.1", lambda a: a.astype(object)),
        r"coefs_\[1\] must be of dtype",
    ),
    (
        "classifier",
        assign("coefs_.2", lambda a: changed(a, (0, 0), np.nan)),
        r"coefs_\[2\] .*finite",
    ),
    ("classifier", assign("intercepts_.1", lambda a: changed(a, 0, np.inf)), "must be finite"),
    (
        "classifier",
        assign("norms_.1", lambda a: changed(a, 0, -np.inf)),
        r"norms_\[1\] must be fin",
    ),
    ("classifier", assign("norms_.3", lambda a: changed(a, 0, -1.0)), "running variances"),
    # The network.
    ("classifier", drop("_network"), "AttributeError: .*_network"),
    ("classifier", assign("_network", {"layers": ()}), "_network must be of type Network"),
    ("classifier", assign("_network", lambda n: replace(n, inputs=(1,))), "input layers"),
    ("classifier", layer(0, activation="relu"), "activation of layer 0 of _network"),
    ("classifier", layer(0, activation=Tanh), "activation of layer 0 of _network"),
    (
        "classifier",
        layer(1, norm=5),
        "norm of layer 1 of _network must be of type LayerNorm or",
    ),
    ("regressor", layer(1, norm=BatchNorm()), "norms_ must be 4 arrays; got 0"),
    ("classifier", layer(1, bias=1), "options of layer 1"),
    ("classifier", layer(0, bias=False), "intercepts_ must be 2 arrays; got 3"),
    # The target, and classes.
    ("classifier", drop("_target"), "AttributeError: .*_target"),
    (
        "classifier",
        assign("_target", RegressionTarget(3)),
        "_target must be of type ClassTarget or",
    ),
    (
        "regressor",
        assign("_target", ClassTarget(np.arange(2))),
        "_target must be of type Regression",
    ),
    ("classifier", drop("classes_"), "AttributeError: .*classes_"),
    (
        "classifier",
        assign("classes_", np.array(["a", "b", "x"])),
        "classes_ must be those of the tar",
    ),
    (
        "classifier",
        assign("classes_", np.array(["a", "b"])),
        "classes_ must be those of the target",
    ),
    (
        "classifier",
        assign("_target.classes", lambda a: a[::-1]),
        "classes must be .*sorted and dist",
    ),
    ("classifier", assign("_target.classes", lambda a: a[[0, 0, 1]]), "sorted and distinct"),
    ("classifier", assign("_target.classes", ["a", "b", "c"]), "classes must be a vector"),
    ("classifier", assign("_target.classes", lambda a: a[:2]), "number of outputs must be in"),
    ("classifier", assign("_target.n_outputs", 2), "number of outputs must be in"),
    (
        "classifier",
        assign("_target.loss", HalfSquaredError()),
        "loss must be that of a classifier",
    ),
    ("labels", assign("_target.loss", MultinomialLogLoss()), "loss must be of labels"),
    ("labels", assign("_target.classes", lambda a: a + 1), "labels must be 0 to 2"),
    ("columns", assign("_target.targets.1.classes", lambda a: a[::-1]), "sorted and distinct"),
    ("columns", assign("_target.targets.0", None), "target of a column must be of type"),
    (
        "columns",
        assign("_target.classes", lambda a: a[:1]),
        "classes must be those of the columns",
    ),
    ("columns", assign("_target._widths", (2, 4)), "widths of the columns"),
    ("columns", assign("_target.loss", HalfSquaredError()), "loss must be MultiOutputLoss"),
    ("columns", assign("classes_", lambda a: tuple(a)), "classes_ must be of type list"),
    ("regressor", assign("_target.n_columns", 0), "number of columns of y"),
    (
        "regressor",
        assign("_target.loss", MultinomialLogLoss()),
        "loss must be that of a regressor",
    ),
    ("regressor", assign("_target.loss", "squared_error"), "loss must be that of a regressor"),
    ("regressor", assign("_target.order", np.arange(1)), "order of quantiles must be None"),
    ("regressor", assign("_target.n_outputs", 2), "number of outputs must be 1"),
    (
        "activated",
        assign("_target.loss.loss", MultinomialLogLoss()),
        "must be that of a regressor",
    ),
    (
        "activated",
        assign("_target.loss.output_activation", "exp"),
        "must be an OutputActivation",
    ),
    (
        "quantiles",
        assign("_target.order", np.array([0, 0, 1])),
        "order of quantiles must be 0 to 2",
    ),
    ("quantiles", assign("_target.loss.quantiles", (0.5, 0.1, 0.9)), "ascending order"),
    # Attributes.
    ("classifier", assign("n_layers_", 3), "n_layers_ must be 4; got 3"),
    ("classifier", assign("n_outputs_", 1), "n_outputs_ must be 3; got 1"),
    ("classifier", assign("out_activation_", "logistic"), "out_activation_ must be 'softmax'"),
    ("classifier", assign("n_iter_", -1), "n_iter_ must be an integer of at least 0"),
    ("classifier", assign("loss_curve_", [0.1, "x"]), "loss_curve_ must be a list of numbers"),
    ("classifier", assign("n_features_in_", 5.0), "n_features_in_ must be an integer"),
    (
        "regressor",
        assign("feature_names_in_", lambda a: a[:1]),
        "feature_names_in_ must have the sh",
    ),
    ("regressor", assign("feature_names_in_", lambda a: changed(a, 0, 7)), "must be strings"),
    # What training goes on from.
    ("classifier", drop("_training_state"), "AttributeError: .*_training_state"),
    ("classifier", assign("_training_state", None), "_training_state must be of type"),
    (
        "classifier",
        assign("_training_state.history", {}),
        "history of training must be of type",
    ),
    ("classifier", assign("_training_state.history.loss_curve", None), "curves of the history"),
    ("classifier", assign("_training_state.stream", "x"), "random numbers of training"),
    (
        "classifier",
        assign("_training_state.solver_state", "x"),
        "state of the solver must be of",
    ),
    (
        "classifier",
        assign("_training_state.solver_state.solver", "adam"),
        "must be a class of solv",
    ),
    (
        "classifier",
        assign("_training_state.solver_state.solver", Adam()),
        "must be a class of solv",
    ),
    (
        "classifier",
        assign("_training_state.solver_state.moments", lambda a: a[:1]),
        "moments of the",
    ),
    (
        "classifier",
        assign("_training_state.solver_state.moments", lambda a: a * np.nan),
        "finite",
    ),
    ("classifier", assign("_training_state.solver_state.n_steps", -1), "steps of the solver"),
    (
        "classifier",
        assign("_training_state.solver_state.rate", math.inf),
        "learning rate of the",
    ),
    (
        "averaged",
        assign("_training_state.solver_state.live", lambda a: a[1:]),
        "live parameters",
    ),
    # Ensembles.
    ("ensemble", drop("_ensemble"), "AttributeError: .*_ensemble"),
    ("ensemble", drop("transformer_"), "AttributeError: .*transformer_"),
    ("ensemble", assign("_ensemble", {}), "_ensemble must be of type Ensemble"),
    (
        "ensemble",
        assign("_ensemble.target", RegressionTarget(1)),
        "target must be of type ClassTarget",
    ),
    ("ensemble", assign("classes_", np.arange(3)), "classes_ must be those of the target"),
    ("ensemble", assign("n_features_in_", 3), "n_features_in_ must be 4|feature_names_in_"),
    ("ensemble", assign("_ensemble.weights", np.array([0.5])), "weights of recipes .*sum to 1"),
    (
        "ensemble",
        assign("_ensemble.weights", np.array([0.5, 0.5])),
        "weights of recipes must have",
    ),
    ("ensemble", assign("_ensemble.temperature", math.nan), "temperature must be above 0"),
    ("ensemble", assign("_ensemble.stacks.0.temperature", -1.0), "temperature must be above 0"),
    ("ensemble", assign("_ensemble.temperature", "1"), "temperature must be of type float"),
    ("ensemble", assign("_ensemble.stacks", []), "number of members must be 1 or more"),
    (
        "ensemble",
        assign("_ensemble.stacks.0", None),
        r"stacks\[0\] must be of type MemberStack",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.theta", lambda a: a[:, 1:]),
        r"stacks\[0\].theta must ha",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.theta", lambda a: a[1:]),
        r"stacks\[0\].theta must have",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.theta", lambda a: a * np.inf),
        r"theta must be finite",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.theta", lambda a: a.astype(int)),
        "theta must be of dty",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.recipe", None),
        r"stacks\[0\].recipe must be of type",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.recipe.n_bins", 9),
        r"stacks\[0\].network must be that",
    ),
    ("ensemble", assign("_ensemble.stacks.0.recipe.dropout", 2.0), "dropout"),
    ("ensemble", assign("_ensemble.stacks.0.members.0", None), r"members\[0\] must be of type"),
    ("ensemble", assign("_ensemble.stacks.0.members.0.fold", -1), r"fold must be an integer"),
    (
        "ensemble",
        assign("_ensemble.stacks.0.members.0.means", None),
        r"means must be of type Target",
    ),
    (
        "ensemble",
        assign("_ensemble.stacks.0.members.0.scale", 1.0),
        r"scale must be of type None",
    ),
    (
        "numbers",
        assign("_ensemble.stacks.0.members.1.scale", None),
        "scale must be of type TargetSc",
    ),
    (
        "numbers",
        assign("_ensemble.stacks.0.members.1.scale.scale", lambda a: -a),
        "must be above 0",
    ),
    (
        "numbers",
        assign("_ensemble.stacks.0.members.1.scale.low", lambda a: a + 1e9),
        "low at most",
    ),
    (
        "numbers",
        assign("_ensemble.stacks.0.members.1.scale.low", lambda a: a[:0]),
        "low must have",
    ),
    (
        "numbers",
        assign("_ensemble.stacks.0.members.1.means.alpha", -1.0),
        "alpha must be 0 or more",
    ),
    ("no levels", assign("_ensemble.stacks.0.members.1.means", 5), "means must be None"),
    ("ensemble", assign("members_", {}), "members_ must be of type Report"),
    ("ensemble", assign("members_._rows", {}), "members_ must be of 3 members"),
    ("ensemble", assign("loss_curves_", {}), "loss_curves_ must be of type list"),
    ("ensemble", assign("validation_loss_curves_", []), "curves_ must be a list of 3"),
    ("ensemble", assign("loss_curves_.1", ["low"]), "loss_curves_ must be of dtype float64"),
    (
        "ensemble",
        assign("oof_prediction_", lambda a: a[:, 1:]),
        "oof_prediction_ must have the shape",
    ),
    ("ensemble", assign("transformer_.target_means_", 5), "target_means_ must be of type None"),
    # Tables.
    ("table", drop("_encoders"), "AttributeError: .*_encoders"),
    ("table", assign("dropped_", {}), "columns of encoders and dropped_ must be"),
    ("table", assign("dropped_", {"nowhere": "x"}), "dropped_ must be columns of the table"),
    ("table", assign("n_levels_", [3]), "n_levels_ must be"),
    ("table", assign("n_numeric_", 1), "n_numeric_ must be"),
    ("table", assign("_target_names", [""]), "target_means_"),
    ("table", assign("_target_names", [1]), "names of targets must be strings"),
    ("table", assign("target_means_", None), "target_means_ must be of type TargetMeans"),
    ("table", assign("target_means_.means", lambda a: a[1:]), "target_means_.means must be"),
    (
        "table",
        assign("target_means_.means.0", lambda a: a[1:]),
        r"target_means_.means\[0\] must have",
    ),
    (
        "table",
        assign("target_means_.scale", None),
        "target_means_.scale must be of type RobustScale",
    ),
    ("table", assign("target_means_.n_folds", 0), "n_folds must be an integer of at least 1"),
    ("table", assign("_encoders.0", None), r"encoders\[0\] must be of type Numbers or"),
    ("table", assign("_encoders", lambda a: a[1:]), "columns of encoders and dropped_ must be"),
    ("table", assign("_encoders", []), "columns of encoders and dropped_ must be"),
]


@pytest.mark.parametrize(("name", "tamper", "words"), TAMPERED)
def test_tampered_models_are_refused(models, name, tamper, words):
    model = copy.deepcopy(models[name])
    tamper(model)
    kind = type(model).__name__
    with pytest.raises(ValueError, match=f"This {kind} is not a consistent model: .*({words})"):
        model.__sklearn_validate_model__()
    models[name].__sklearn_validate_model__()


ENCODERS = [
    ("Numbers", "columns", lambda a: a[1:], "columns must have the shape"),
    ("Numbers", "columns", lambda a: a.astype(float), "columns must be of dtype int64"),
    ("Numbers", "kinds", lambda a: ["x", *a[1:]], "kinds must be 'number' or"),
    ("Numbers", "marked", lambda a: a[1:], "marked must have the shape"),
    ("Numbers", "scale.width", lambda a: -a - 1, "scale.width must be 0 or more"),
    ("Numbers", "scale.median", lambda a: a * np.nan, "scale.median must be finite"),
    ("Numbers", "marks.width", lambda a: a[1:], "marks.width must have the shape"),
    ("Numbers", "numeric", lambda a: a[1:], "numeric must be"),
    ("Booleans", "column", -1, "column must be an integer"),
    ("Booleans", "is_constant", 1, "is_constant must be of type bool"),
    ("Booleans", "marks", 1, "marks must be of type RobustScale"),
    ("Categories", "levels", lambda a: a[:1] * len(a), "levels must be distinct strings"),
    ("Categories", "levels", lambda a: a[1:], "group must have the shape"),
    ("Categories", "group", lambda a: a + 1, "group must be 0, 1, ... without gaps"),
    ("Categories", "has_infrequent", None, "has_infrequent must be of type bool"),
    ("Categories", "scale", 3, "scale must be of type"),
    ("Categories", "other", lambda a: a[1:], "other must be"),
    ("Frequencies", "log_counts", lambda a: a[1:], "log_counts must have the shape"),
    ("Frequencies", "log_counts", lambda a: a * np.inf, "log_counts must be finite"),
    ("Frequencies", "levels", lambda a: [1, *a[1:]], "levels must be distinct strings"),
    ("Frequencies", "scale", None, "scale must be of type RobustScale"),
    ("Dates", "kept", lambda a: a[1:], "kept must have the shape"),
    ("Dates", "kept", lambda a: a.astype(int), "kept must be of dtype bool"),
    ("Dates", "scale.width", lambda a: a[:1], "scale.width must have the shape"),
]


@pytest.mark.parametrize(("kind", "path", "value", "words"), ENCODERS)
def test_tampered_encoders_are_refused(models, kind, path, value, words):
    model = copy.deepcopy(models["table"])
    at = [type(one).__name__ for one in model._encoders].index(kind)
    assign(f"_encoders.{at}.{path}", value)(model)
    with pytest.raises(ValueError, match=rf"TableTransformer .*encoders\[{at}\].{words}"):
        model.__sklearn_validate_model__()


def test_load_asks_the_model(tmp_path, monkeypatch):
    model = regressor().fit(table(), numbers(table()))
    path = tmp_path / "model.json"
    save(model, path)
    load(path)

    def refuse(self):
        raise ValueError("theta is wrong.")

    monkeypatch.setattr(type(model), "_check_fitted", refuse)
    with pytest.raises(ValueError, match=r"is not a consistent model: theta is wrong"):
        load(path)


def test_arrays_are_checked_by_shape_dtype_and_finiteness():
    require_array("a", np.ones((2, 3)), (2, None))
    require_array("a", np.ones((2, 0)), (2, 0))
    for shape in [(2,), (2, 4), (None, None, None)]:
        with pytest.raises(ValueError, match=r"a must have the shape .*; got \(2, 3\)"):
            require_array("a", np.ones((2, 3)), shape)
    with pytest.raises(ValueError, match=r"a must have the shape \(\*,\); got \(0,\)"):
        require_array("a", np.ones(0), (None,))
    with pytest.raises(ValueError, match="a must be of dtype float64 or float32; got >f8"):
        require_array("a", np.ones(2, ">f8"), (2,))
