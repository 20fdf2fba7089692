"""Laws: both estimators pass scikit-learn's checks, and work in all its meta-estimators."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdeep import TabularClassifier, TabularRegressor
from tests.tabular.small import (
    N,
    classes,
    classifier,
    model_of,
    numbers,
    recipe,
    regressor,
    table,
)

FRAME = table()
BINARY, CODES, NUMBERS = classes(FRAME, 2), classes(FRAME), numbers(FRAME)

# In float64, as some checks compare predictions of subsets of rows to 1e-7.
CHECKED = {
    "recipe": recipe(hidden_layer_sizes=(16,), embedding=None, max_iter=25, dropout=0.0),
    "n_members": 3,
    "random_state": 0,
    "dtype": "float64",
}
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "folds and batches are dealt out by row",
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        TabularClassifier(**CHECKED),
        TabularClassifier(**CHECKED | {"n_members": 1, "cv": 3}),
        TabularRegressor(**CHECKED, learning_rate_init=0.2),
        TabularRegressor(**CHECKED, learning_rate_init=0.2, loss="quantile"),
    ],
    expected_failed_checks=lambda _: EXPECTED,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_parameters_are_cloned_and_set(kind):
    model = kind(n_members=3, recipe=recipe(), cv=4, dropout=0.2, dtype="float64")
    params = model.get_params()
    assert clone(model).get_params(deep=False)["recipe"] == params["recipe"]
    assert params["recipe__max_iter"] == 3
    assert model.set_params(recipe__max_iter=5, effort="fast").recipe.max_iter == 5
    assert is_classifier(model) == (kind is TabularClassifier)
    assert is_regressor(model) == (kind is TabularRegressor)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        model.set_params(nonsense=1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"effort": "huge"}, "'effort' parameter .* must be a str among"),
        ({"n_members": 0}, "'n_members' parameter"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes must be"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"weight_decay": -1.0}, "'weight_decay' parameter"),
        ({"learning_rate_init": 0.0}, "'learning_rate_init' parameter"),
        ({"recipe": []}, "recipe must be a Recipe or a non-empty list"),
        ({"recipe": [1]}, "recipe must be a Recipe or a non-empty list"),
        ({"recipe": recipe(n_bins=0)}, "'n_bins' parameter of Recipe"),
        ({"cv": 1}, "'cv' parameter"),
        ({"cv": "loo"}, "'cv' parameter"),
        ({"dtype": "float16"}, "'dtype' parameter"),
        ({"categorical_features": ["no"]}, "categorical_features has 'no'"),
        ({"random_state": "x"}, "'random_state' parameter"),
    ],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_bad_parameters_are_named(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(FRAME, BINARY)


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (classifier, {"class_weight": "even"}, "class_weight"),
        (classifier, {"class_weight": {7: 1.0}}, "class_weight names classes .* not in y"),
        (classifier, {"class_weight": {0: 0, 1: 0}}, "give every row a weight of 0"),
        (classifier, {"label_smoothing": 1.0}, "'label_smoothing' parameter"),
        (regressor, {"loss": "log"}, "'loss' parameter"),
        (regressor, {"loss": "quantile", "quantile": 1.0}, "'quantile' parameter"),
        (regressor, {"loss": "quantile", "quantile": [0.1, 0.1]}, "quantile must be"),
        (regressor, {"loss": "gamma"}, "loss='gamma' needs y > 0"),
    ],
)
def test_bad_parameters_of_one_kind(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(FRAME, BINARY)


@pytest.mark.parametrize("name", ["classes", "labels", "numbers", "quantiles"])
def test_a_failed_fit_leaves_the_model_as_it_was(name):
    model, make = model_of(name)
    model.fit(FRAME, make(FRAME))
    before, state = model.predict(FRAME), set(vars(model))
    text = [" ".join(f"word{i * k}" for k in range(9)) for i in range(N)]
    with pytest.raises(ValueError, match="free text"):
        model.fit(FRAME.assign(text=text), make(FRAME))
    model.set_params(cv=[([0], [0])])
    with pytest.raises(ValueError, match="cv="):
        model.fit(FRAME[["x"]], make(FRAME))
    assert_array_equal(model.predict(FRAME), before)
    assert set(vars(model)) == state


@pytest.mark.parametrize("name", ["classes", "labels", "numbers", "quantiles"])
def test_pickles_predict_the_same_and_hold_no_training_data(name):
    sizes = []
    for n in (400, 800):
        # The same levels, so that the transformer is as large.
        frame = pd.concat([table(n=100)] * (n // 100), ignore_index=True)
        model, make = model_of(name)
        model.fit(frame, np.tile(make(table(n=100)).T, n // 100).T)
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(again.predict(frame), model.predict(frame))
        del again.oof_prediction_
        sizes.append(len(pickle.dumps(again)))
    assert abs(sizes[1] - sizes[0]) < 400, sizes


def test_fitted_attributes():
    model = classifier(n_members=4).fit(FRAME, np.array(["b", "a", "c"])[CODES])
    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert_array_equal(model.feature_names_in_, FRAME.columns)
    assert model.n_features_in_ == 4
    assert model.oof_prediction_.shape == (N, 3)
    assert model.n_iter_ == 3
    rows = model.members_.to_dict()
    assert list(rows) == ["0", "1", "2", "3"]
    assert all(1 <= row["best_epoch"] <= row["epochs"] == 3 for row in rows.values())
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1)
    assert "validation" in str(model.members_)
    model.fit(FRAME[["x", "z"]].to_numpy(), CODES)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 2


def test_shapes_of_predictions():
    shapes = {
        "two classes": ((N,), (N, 2)),
        "labels": ((N, 3), (N, 3)),
        "numbers": ((N,), (N,)),
        "two columns": ((N, 2), (N, 2)),
        "quantiles": ((N, 3), (N, 3)),
    }
    for name, (predicted, out_of_fold) in shapes.items():
        model, make = model_of(name)
        model.fit(FRAME, make(FRAME))
        assert model.predict(FRAME).shape == predicted
        assert model.oof_prediction_.shape == out_of_fold
        few = model.predict(FRAME[:5])
        assert_allclose(few, model.predict(FRAME)[:5], rtol=1e-5)


@pytest.mark.parametrize("name", ["two classes", "classes", "labels"])
def test_probabilities(name):
    model, make = model_of(name)
    model.fit(FRAME, make(FRAME))
    p = model.predict_proba(FRAME)
    assert ((p >= 0) & (p <= 1)).all()
    if name != "labels":
        assert_allclose(p.sum(axis=1), 1)
        assert_array_equal(model.predict(FRAME), model.classes_[p.argmax(axis=1)])
    else:
        assert_array_equal(model.predict(FRAME), p > 0.5)
    assert_allclose(np.exp(model.predict_log_proba(FRAME)), p)


@pytest.mark.parametrize(
    "name", ["numbers", "absolute", "huber", "poisson", "gamma", "quantiles", "two columns"]
)
def test_predictions_stay_in_the_range_of_training(name):
    model, make = model_of(name)
    y = make(FRAME)
    far = FRAME.assign(x=1e6 * FRAME["x"], z=-1e9)
    predicted = model.fit(FRAME, y).predict(far)
    assert (y.min(axis=0) <= predicted).all()
    assert (predicted <= y.max(axis=0)).all()
    assert len(np.unique(predicted)) > 1
    if name in ("poisson", "gamma"):
        assert (predicted > 0).all()


def test_quantiles_ascend_in_the_order_of_the_user():
    model, make = model_of("quantiles")
    model.fit(FRAME, make(FRAME))
    for predicted in (model.predict(FRAME), model.oof_prediction_, model.predict(FRAME[::-1])):
        high, low, median = predicted.T
        assert_array_equal(np.isnan(high), np.isnan(low))
        seen = ~np.isnan(high)
        assert (low[seen] <= median[seen]).all()
        assert (median[seen] <= high[seen]).all()
    assert model.score(FRAME, NUMBERS) < 0


def test_score_takes_weights():
    weight = np.arange(N) % 3 + 0.5
    model = regressor().fit(FRAME, NUMBERS)
    expected = r2_score(NUMBERS, model.predict(FRAME), sample_weight=weight)
    assert model.score(FRAME, NUMBERS, weight) == pytest.approx(expected)


def test_columns_are_checked_by_name_and_order():
    model = classifier().fit(FRAME, CODES)
    with pytest.raises(ValueError, match=r"(?s)yet now missing:.*letter"):
        model.predict(FRAME.drop(columns="letter"))
    with pytest.raises(ValueError, match="same order"):
        model.predict(FRAME[["z", "x", "letter", "many"]])
    with pytest.raises(ValueError, match=r"(?s)unseen at fit time:.*more"):
        model.predict(FRAME.assign(more=1))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        unnamed = model.predict(FRAME.to_numpy(object))
    assert_array_equal(unnamed, model.predict(FRAME))


def test_containers_give_the_same_model():
    frames = [
        FRAME,
        pl.from_pandas(FRAME),
        FRAME.convert_dtypes(),
        FRAME.astype({"letter": "category", "many": "category"}),
    ]
    found = [classifier().fit(X, CODES).predict_proba(X) for X in frames]
    for other in found[1:]:
        assert_allclose(other, found[0], rtol=1e-5)


# In other estimators

META = {
    "pipeline": (lambda: make_pipeline(FunctionTransformer(), classifier()), CODES),
    "stacking": (
        lambda: StackingClassifier(
            [("a", classifier()), ("b", classifier(random_state=1))], LogisticRegression(), cv=2
        ),
        CODES,
    ),
    "voting": (lambda: VotingClassifier([("a", classifier())], voting="soft"), CODES),
    "calibrated": (lambda: CalibratedClassifierCV(classifier(), cv=2), BINARY),
    "multi-output": (
        lambda: MultiOutputClassifier(classifier()),
        np.c_[CODES, BINARY],
    ),
    "stacking regressor": (
        lambda: StackingRegressor([("a", regressor())], Ridge(), cv=2),
        NUMBERS,
    ),
    "transformed y": (
        lambda: TransformedTargetRegressor(regressor(), func=np.log, inverse_func=np.exp),
        NUMBERS,
    ),
    "grid": (
        lambda: GridSearchCV(
            classifier(), {"recipe__max_iter": [1, 5], "effort": ["fast"]}, cv=2
        ),
        CODES,
    ),
    "random": (
        lambda: RandomizedSearchCV(regressor(), {"dropout": [0.0, 0.5]}, n_iter=2, cv=2),
        NUMBERS,
    ),
}


@pytest.mark.parametrize("name", META)
def test_in_other_estimators(name):
    make, y = META[name]
    model = make().fit(FRAME, y)
    assert model.predict(FRAME).shape == y.shape
    assert np.isfinite(model.score(FRAME, y))


def test_cross_validation():
    assert (
        cross_val_score(classifier(recipe=recipe(max_iter=8)), FRAME, CODES, cv=3).mean() > 0.45
    )
    found = cross_val_predict(classifier(), FRAME, CODES, cv=2, method="predict_proba")
    assert found.shape == (N, 3)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_inspection_finds_the_column_that_matters(make):
    frame = table(n=300, many=False).assign(noise=1.0 * (np.arange(300) % 7))
    y = classes(frame, 2) if make is classifier else numbers(frame)
    model = make(recipe=recipe(max_iter=20, learning_rate_init=0.08)).fit(frame, y)
    found = permutation_importance(model, frame, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 0
    curve = partial_dependence(model, frame, ["x"], kind="average", grid_resolution=5)
    average = curve["average"][0]
    assert average[-1] > average[0]
    of_letters = partial_dependence(
        model, frame, ["letter"], categorical_features=["letter"], kind="average"
    )
    assert of_letters["average"].shape[1] == 3


@pytest.mark.parametrize("make", [classifier, regressor])
def test_html_and_output_containers(make):
    model = make().fit(FRAME, BINARY)
    assert type(model).__name__ in model._repr_html_()
    assert type(model.predict(FRAME)) is np.ndarray
    assert not hasattr(model, "set_output")


def test_nothing_is_warned_or_printed(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("classes", "labels", "numbers", "quantiles", "poisson"):
            model, make = model_of(name)
            model.fit(FRAME, make(FRAME)).predict(FRAME)
    assert capsys.readouterr() == ("", "")
