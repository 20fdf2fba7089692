"""Scores of scorers agree with counting, in every fold of every search."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer_names, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdeep import DeepClassifier, DeepRegressor, lockstep
from skdeep.metrics import SCORERS, get_scorer, within_threshold
from tests.metrics.counting import CRITERIA, QUIET, counted_distance, counted_within, one_hot

# Scorers

RNG = np.random.RandomState(0)
X = RNG.normal(size=(90, 3))
SIGNAL = X[:, 0] + X[:, 1] * X[:, 2]
SPECIES = np.array(["a", "b", "c"])[np.digitize(SIGNAL, [-0.5, 0.6])]
BINARY = np.where(SIGNAL > 0, "yes", "no")
MULTILABEL = np.column_stack([SIGNAL > 0, X[:, 0] > 0.3, X[:, 1] > 0]).astype(int)
COLUMNS = np.column_stack([np.digitize(SIGNAL, [-0.5, 0.6]), 5 + (X[:, 0] > 0)])
TARGETS = np.column_stack([SIGNAL, X[:, 0] ** 2])
WEIGHT = RNG.randint(0, 4, size=90).astype(float)


def truth(name, model, X, y, weight=None):
    """Score of a fitted model, by counting."""
    weight = np.ones(len(y)) if weight is None else weight
    pred = model.predict(X)
    if not is_classifier(model):
        y, pred = np.reshape(y, (len(y), -1)), np.reshape(pred, (len(y), -1))
        if name == "neg_distance":
            return -counted_distance(y, pred, weight)
        return counted_within(y, pred, 0.5, weight)
    if name == "simple":
        right = np.reshape(pred == y, (len(y), -1)).all(axis=1)
        return (right * weight).sum() / weight.sum()
    if name == "neg_distance":
        proba = model.predict_proba(X)
        if isinstance(proba, list):
            ideal = [one_hot(y[:, j], own) for j, own in enumerate(model.classes_)]
            return -counted_distance(np.hstack(ideal), np.hstack(proba), weight)
        ideal = y if y.ndim == 2 else one_hot(y, model.classes_)
        return -counted_distance(ideal, proba, weight)
    one = {f.__name__: CRITERIA[f] for f in CRITERIA}[name]
    if y.ndim == 2:
        return np.mean([one(y[:, j], pred[:, j], [1], weight) for j in range(y.shape[1])])
    return one(y, pred, np.unique(y), weight)


OF_CLASSES = ["simple", "neg_distance", *(f.__name__ for f in CRITERIA)]


OF_NUMBERS = ["simple", "neg_distance", "within_threshold"]


TASKS = {
    "three classes": (DeepClassifier, SPECIES, OF_CLASSES),
    "two classes": (DeepClassifier, BINARY, OF_CLASSES),
    "multilabel": (DeepClassifier, MULTILABEL, OF_CLASSES),
    "columns": (DeepClassifier, COLUMNS, ["simple", "neg_distance"]),
    "one target": (DeepRegressor, SIGNAL, OF_NUMBERS),
    "two targets": (DeepRegressor, TARGETS, OF_NUMBERS),
}


CASES = [
    pytest.param(kind, y, name, id=f"{task}-{name}")
    for task, (kind, y, names) in TASKS.items()
    for name in names
]


EACH_CASE = pytest.mark.parametrize(("kind", "y", "name"), CASES)


SEARCHED = [case for case in CASES if case.id.startswith(("three", "one"))]


def network(kind, **params):
    defaults = {
        "hidden_layer_sizes": (6,),
        "learning_rate_init": 0.05,
        "max_iter": 6,
        "random_state": 0,
    }
    return kind(**defaults | params)


def piped(kind):
    return make_pipeline(StandardScaler(), network(kind))


def grid(kind):
    return {f"{kind.__name__.lower()}__alpha": [1e-4, 10.0]}


def test_every_scorer_is_tried():
    tried = {name for *_, names in TASKS.values() for name in names}
    assert tried | {"neg_mean_pinball_loss"} == set(SCORERS)  # tested separately
    assert not set(SCORERS) & set(get_scorer_names())


@EACH_CASE
def test_scores_of_folds_are_what_counting_says(kind, y, name):
    scorer = get_scorer(name)
    run = cross_validate(
        piped(kind), X, y, scoring=scorer, cv=3, return_estimator=True, return_indices=True
    )
    folds = zip(run["estimator"], run["indices"]["test"], run["test_score"], strict=True)
    for model, rows, score in folds:
        assert score == pytest.approx(truth(name, model, X[rows], y[rows]))
        weight = WEIGHT[rows]
        weighted = scorer(model, X[rows], y[rows], sample_weight=weight)
        assert weighted == pytest.approx(truth(name, model, X[rows], y[rows], weight))
    assert len(set(run["test_score"])) > 1


SEARCHES = {
    "grid": GridSearchCV,
    "randomized": lambda model, grid, **kw: RandomizedSearchCV(
        model, grid, n_iter=2, random_state=0, **kw
    ),
    "halving": lambda model, grid, **kw: HalvingGridSearchCV(
        model, grid, factor=2, min_resources=45, random_state=0, **kw
    ),
}


@pytest.mark.filterwarnings("ignore:.*batch_size")
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
def test_searches_choose_by_scorer(search, kind, y, name):
    scorer = get_scorer(name)
    made = SEARCHES[search](
        piped(kind), grid(kind), scoring=scorer, cv=KFold(3), error_score="raise"
    ).fit(X, y)
    # A search is an estimator, so scorers can score it.
    assert made.score(X, y) == pytest.approx(truth(name, made, X, y))
    assert scorer(made, X, y) == pytest.approx(made.score(X, y))
    results = made.cv_results_
    last = results["iter"] == made.n_iterations_ - 1 if search == "halving" else slice(None)
    assert made.best_score_ == max(results["mean_test_score"][last])
    if search != "halving":
        params, score = results["params"][1], results["split2_test_score"][1]
        train, test = list(KFold(3).split(X))[2]
        model = piped(kind).set_params(**params).fit(X[train], y[train])
        assert score == pytest.approx(truth(name, model, X[test], y[test]))


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
def test_all_scorers_at_once_in_processes_and_in_lockstep(kind):
    y, names = (SPECIES, OF_CLASSES) if kind is DeepClassifier else (SIGNAL, OF_NUMBERS)
    scoring = {name: get_scorer(name) for name in names} | {
        "second": make_scorer(within_threshold, threshold=0.1)
        if kind is DeepRegressor
        else "neg_log_loss"
    }

    def scores(n_jobs=None):
        search = GridSearchCV(
            piped(kind),
            grid(kind),
            scoring=scoring,
            refit="neg_distance",
            cv=3,
            n_jobs=n_jobs,
            error_score="raise",
        )
        results = search.fit(X, y).cv_results_
        return np.array([results[f"mean_test_{name}"] for name in scoring])

    alone = scores()
    np.testing.assert_allclose(scores(n_jobs=2), alone, rtol=1e-9)
    with lockstep():
        np.testing.assert_allclose(scores(), alone, rtol=1e-9)


@EACH_CASE
def test_scorers_watch_validation_rows(kind, y, name):
    train, rows = slice(0, 60), slice(60, 90)
    model = network(kind, validation_scoring=get_scorer(name), restore_best=False)
    validation = {"X_val": X[rows], "y_val": y[rows], "sample_weight_val": WEIGHT[rows]}
    model.fit(X[train], y[train], **validation)
    assert len(model.validation_scores_) == model.n_iter_
    last = truth(name, model, X[rows], y[rows], WEIGHT[rows])
    assert model.validation_scores_[-1] == pytest.approx(last)


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_are_copied(name):
    of_numbers = name in ("within_threshold", "neg_mean_pinball_loss")
    kind, y = (DeepRegressor, SIGNAL) if of_numbers else TASKS["two classes"][:2]
    params = {"loss": "quantile"} if name == "neg_mean_pinball_loss" else {}
    model = network(kind, **params).fit(X, y)
    scorer = get_scorer(name)
    assert scorer is not SCORERS[name]
    for other in (pickle.loads(pickle.dumps(scorer)), copy.deepcopy(scorer)):
        assert other(model, X, y) == scorer(model, X, y)
        assert repr(other) == repr(scorer)
    assert name in repr(scorer)
    assert get_scorer(scorer) is scorer
    with config_context(enable_metadata_routing=True):
        scorer.set_score_request(sample_weight=True)
        pickled = pickle.loads(pickle.dumps(scorer))
        for each in (scorer, pickled):
            assert each.get_metadata_routing().score.requests["sample_weight"] is True
        for fresh in (get_scorer(name), SCORERS[name]):
            assert fresh.get_metadata_routing().score.requests["sample_weight"] is None


def test_names_that_are_not_ours():
    model = LogisticRegression().fit(X, SPECIES)
    assert get_scorer("accuracy")(model, X, SPECIES) == model.score(X, SPECIES)
    assert get_scorer(None) is None
    with pytest.raises(ValueError, match=r"name 'distance'. skdeep has one_vs_rest_accuracy, "):
        get_scorer("distance")


# Quantiles

QUANTILES = [0.9, 0.1, 0.5]


def counted_pinball(y, y_pred, weight):
    losses = []
    for row, columns, own in zip(y, y_pred, weight, strict=True):
        for quantile, value in zip(QUANTILES, columns, strict=True):
            error = row - value
            losses.append(own * (quantile * error if error > 0 else (quantile - 1) * error))
    return sum(losses) / (weight.sum() * len(QUANTILES))


QUANTILE_NETWORK = network(DeepRegressor, loss="quantile", quantile=QUANTILES)


AROUND = {
    "alone": QUANTILE_NETWORK,
    "pipeline": make_pipeline(StandardScaler(), QUANTILE_NETWORK),
    "scaled target": TransformedTargetRegressor(QUANTILE_NETWORK, transformer=StandardScaler()),
    "scaled target of a pipeline": TransformedTargetRegressor(
        make_pipeline(StandardScaler(), QUANTILE_NETWORK), transformer=StandardScaler()
    ),
    "search": GridSearchCV(
        TransformedTargetRegressor(QUANTILE_NETWORK, transformer=StandardScaler()),
        {"regressor__alpha": [1e-4, 1e-2]},
        scoring=get_scorer("neg_mean_pinball_loss"),
        error_score="raise",
        cv=2,
    ),
}


@pytest.mark.parametrize("around", AROUND)
def test_quantiles_are_scored_through_what_is_around_their_regressor(around):
    model = clone(AROUND[around]).fit(X, SIGNAL)
    scorer = get_scorer("neg_mean_pinball_loss")
    predicted = model.predict(X)
    assert predicted.shape == (len(X), 3)
    for weight in (np.ones(len(X)), WEIGHT):
        truth = -counted_pinball(SIGNAL, predicted, weight)
        assert scorer(model, X, SIGNAL, sample_weight=weight) == pytest.approx(truth)
    if around in ("alone", "pipeline", "search"):
        assert model.score(X, SIGNAL) == pytest.approx(scorer(model, X, SIGNAL))


def test_quantiles_of_a_scaled_target_are_those_of_the_target():
    y = 1000 + 50 * SIGNAL
    plain = network(DeepRegressor, loss="quantile", quantile=QUANTILES)
    around = TransformedTargetRegressor(clone(plain), transformer=StandardScaler()).fit(X, y)
    by_hand = plain.fit(X, (y - y.mean()) / y.std()).predict(X) * y.std() + y.mean()
    np.testing.assert_allclose(around.predict(X), by_hand)


@pytest.mark.parametrize("model", [DeepRegressor(), LinearRegression()], ids=repr)
def test_what_has_no_quantiles_is_refused_by_their_scorer(model):
    model.fit(X, SIGNAL)
    with pytest.raises(ValueError, match=r"quantile regressors.*got (Deep|Linear)Regress"):
        get_scorer("neg_mean_pinball_loss")(model, X, SIGNAL)


# Sample weights


@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_searches_hand_on_weights(kind, y, name, several):
    scoring = {"own": get_scorer(name), "too": get_scorer("simple")} if several else None
    search = GridSearchCV(
        network(kind),
        {"alpha": [1e-4]},
        scoring=scoring or get_scorer(name),
        refit=False,
        cv=KFold(3),
        error_score="raise",
    ).fit(X, y, sample_weight=WEIGHT)
    key = "own" if several else "score"
    for k, (train, test) in enumerate(KFold(3).split(X)):
        model = network(kind).fit(X[train], y[train], sample_weight=WEIGHT[train])
        score = truth(name, model, X[test], y[test], WEIGHT[test])
        assert search.cv_results_[f"split{k}_test_{key}"][0] == pytest.approx(score)


@pytest.mark.parametrize(("kind", "y", "name"), SEARCHED)
@pytest.mark.parametrize(
    ("request_", "given"),
    [(True, "sample_weight"), ("importance", "importance"), (False, "sample_weight")],
)
def test_weights_are_routed(kind, y, name, request_, given):
    step = kind.__name__.lower()
    with config_context(enable_metadata_routing=True):
        model = piped(kind)
        model[-1].set_fit_request(sample_weight=given if given == "importance" else True)
        model[0].set_fit_request(sample_weight=False)
        scorer = get_scorer(name).set_score_request(sample_weight=request_)
        search = GridSearchCV(
            model,
            {f"{step}__alpha": [1e-4]},
            scoring=scorer,
            cv=KFold(3),
            error_score="raise",
        ).fit(X, y, **{given: WEIGHT})
    for k, (train, test) in enumerate(KFold(3).split(X)):
        model = piped(kind).fit(X[train], y[train], **{f"{step}__sample_weight": WEIGHT[train]})
        weight = WEIGHT[test] if request_ else None
        score = truth(name, model, X[test], y[test], weight)
        assert search.cv_results_[f"split{k}_test_score"][0] == pytest.approx(score)


@pytest.mark.parametrize("name", ["simple", "macro_f_measure"])
def test_weights_without_a_request_raise(name):
    with config_context(enable_metadata_routing=True):
        model = network(DeepClassifier).set_fit_request(sample_weight=True)
        search = GridSearchCV(model, {"alpha": [1e-4]}, scoring=get_scorer(name))
        with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight. are passed"):
            search.fit(X, SPECIES, sample_weight=WEIGHT)


# Folds and other estimators


@QUIET
@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("y", [SPECIES, COLUMNS], ids=["labels", "columns"])
def test_folds_that_lack_a_class(name, y):
    if y.ndim == 2 and name not in ("simple", "neg_distance"):
        pytest.skip("several columns of labels have no one-vs-rest counts")
    order = np.argsort(y if y.ndim == 1 else y[:, 0], kind="stable")
    run = cross_validate(
        piped(DeepClassifier),
        X[order],
        y[order],
        scoring=get_scorer(name),
        cv=KFold(3),
        error_score="raise",
    )
    assert np.isfinite(run["test_score"]).all()


def test_a_class_never_seen_is_a_class_of_probability_zero():
    known, y = SPECIES != "b", SPECIES
    model = network(DeepClassifier).fit(X[known], y[known])
    proba = model.predict_proba(X)
    padded = np.column_stack([proba[:, 0], np.zeros(len(X)), proba[:, 1]])
    expected = -counted_distance(one_hot(y, ["a", "b", "c"]), padded, np.ones(len(X)))
    assert get_scorer("neg_distance")(model, X, y) == pytest.approx(expected)
    found = get_scorer("one_vs_rest_accuracy")(model, X, y)
    assert found == pytest.approx(truth("one_vs_rest_accuracy", model, X, y))
    with pytest.raises(ValueError, match=r"[Mm]ix"):
        get_scorer("neg_distance")(model, X, np.arange(len(X)))


def test_accuracy_is_over_the_classes_that_the_estimator_knows():
    model = network(DeepClassifier, max_iter=60).fit(X, SPECIES)
    rows = (SPECIES != "c") & (model.predict(X) != "c")
    assert not (model.predict(X[rows]) == SPECIES[rows]).all()
    found = get_scorer("one_vs_rest_accuracy")(model, X[rows], SPECIES[rows])
    wrong = 1 - model.score(X[rows], SPECIES[rows])
    assert found == pytest.approx(1 - 2 * wrong / 3)


@pytest.mark.parametrize("name", ["simple", "neg_distance", "one_vs_rest_accuracy"])
def test_estimators_of_scikit_learn(name):
    model = LogisticRegression().fit(X, SPECIES)
    assert get_scorer(name)(model, X, SPECIES) == pytest.approx(truth(name, model, X, SPECIES))
    forest = RandomForestClassifier(5, max_depth=2, random_state=0).fit(X, MULTILABEL)
    found = get_scorer(name)(forest, X, MULTILABEL)
    if name == "neg_distance":
        proba = np.column_stack([p[:, 1] for p in forest.predict_proba(X)])
        assert found == pytest.approx(-counted_distance(MULTILABEL, proba, np.ones(len(X))))
    else:
        assert found == pytest.approx(truth(name, forest, X, MULTILABEL))


def test_regressors_of_scikit_learn_and_targets_as_column():
    model = LinearRegression().fit(X, SIGNAL)
    for name in OF_NUMBERS:
        expected = truth(name, model, X, SIGNAL)
        assert get_scorer(name)(model, X, SIGNAL) == pytest.approx(expected)
        assert get_scorer(name)(model, X, SIGNAL[:, None]) == pytest.approx(expected)


@pytest.mark.parametrize(
    "as_", [list, pd.Series, lambda y: pd.Series(y, dtype="category"), lambda y: y[:, None]]
)
@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_in_any_container(name, as_):
    model = network(DeepClassifier).fit(X, SPECIES)
    expected = truth(name, model, X, SPECIES)
    assert get_scorer(name)(model, X, as_(SPECIES)) == pytest.approx(expected)


MIXED = pd.DataFrame({"species": SPECIES, "side": (X[:, 0] > 0).astype(int)})


@pytest.mark.parametrize("name", ["simple", "neg_distance"])
@pytest.mark.parametrize("as_", [pd.DataFrame, lambda y: y.to_numpy()], ids=["frame", "array"])
def test_columns_of_mixed_kinds(name, as_):
    model = network(DeepClassifier).fit(X, as_(MIXED))
    found = get_scorer(name)(model, X, as_(MIXED), sample_weight=WEIGHT)
    assert found == pytest.approx(truth(name, model, X, MIXED.to_numpy(), WEIGHT))
    # The training rows lack a class of one column.
    known = SPECIES != "b"
    model = network(DeepClassifier).fit(X[known], as_(MIXED[known]))
    assert np.isfinite(get_scorer(name)(model, X, as_(MIXED)))


def test_neg_distance_of_columns_of_zero_and_one():
    # Object arrays are columns of labels, even if the labels are 0 and 1.
    y = MULTILABEL[:, :2].astype(object)
    model = network(DeepClassifier).fit(X, y)
    found = get_scorer("neg_distance")(model, X, y)
    assert found == pytest.approx(truth("neg_distance", model, X, y))


def test_neg_distance_of_a_forest_that_saw_one_value_of_a_label():
    rows = MULTILABEL[:, 0] == 0
    forest = RandomForestClassifier(5, max_depth=2, random_state=0)
    forest.fit(X[rows], MULTILABEL[rows])
    others = [p[:, 1] for p in forest.predict_proba(X)[1:]]
    proba = np.column_stack([np.zeros(len(X)), *others])
    expected = -counted_distance(MULTILABEL, proba, np.ones(len(X)))
    for y in (MULTILABEL, sparse.csr_array(MULTILABEL)):
        assert get_scorer("neg_distance")(forest, X, y) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["simple", "neg_distance"])
@pytest.mark.parametrize(
    "wrong", [COLUMNS[:, :1], COLUMNS[:, 0], COLUMNS[:, [0, 1, 1]], COLUMNS[:1]], ids=np.shape
)
def test_columns_of_labels_have_the_shape_of_the_predictions(name, wrong):
    model = network(DeepClassifier).fit(X, COLUMNS)
    with pytest.raises(ValueError, match=r"shape of the predictions, \(90, 2\)"):
        get_scorer(name)(model, X, wrong)


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        (LinearRegression(), "one_vs_rest_accuracy", "scores classifiers only"),
        (KMeans(2, random_state=0), "one_vs_rest_accuracy", "scores classifiers only"),
        (KMeans(2, random_state=0), "simple", "neither"),
        (KMeans(2, random_state=0), "neg_distance", "neither"),
    ],
)
def test_scorers_refuse_other_kinds_of_estimators(model, name, words):
    with pytest.raises(ValueError, match=words):
        get_scorer(name)(model.fit(X, SIGNAL), X, SIGNAL)


class Sign(ClassifierMixin, BaseEstimator):
    """A rule without fit, and hence without classes_."""

    def predict(self, X):
        return np.where(X[:, 0] > 0, "yes", "no")


def test_simple_asks_for_no_classes():
    found = get_scorer("simple")(Sign(), X, BINARY)
    assert found == np.mean(Sign().predict(X) == BINARY)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_as_a_list_of_lists(name):
    model = network(DeepClassifier).fit(X, SPECIES)
    expected = truth(name, model, X, SPECIES)
    found = get_scorer(name)(model, X, SPECIES[:, None].tolist())
    assert found == pytest.approx(expected)


def test_neg_distance_needs_probabilities():
    search = GridSearchCV(
        LinearRegression(), {"fit_intercept": [True]}, scoring=get_scorer("neg_distance")
    )
    assert search.fit(X, SIGNAL).best_score_ < 0
    with pytest.raises(AttributeError, match="predict_proba"):
        get_scorer("neg_distance")(LinearSVC().fit(X, BINARY), X, BINARY)
