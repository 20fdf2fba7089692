"""Laws: a member trained in a stack equals the member alone, however its tasks are run."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, TimeSeriesSplit
from threadpoolctl import threadpool_info

import skdeep._parallel.conductor
import skdeep.tabular.base
from skdeep import Huber, lockstep
from skdeep._training.train import train
from skdeep.estimators.targets import RegressionTarget, with_regression_loss
from skdeep.tabular.members import TargetScale
from tests.tabular.small import (
    TARGETS,
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
WEIGHTS = np.random.default_rng(1).uniform(0, 2, N)
WEIGHTS[:5] = 0
GROUPS = np.repeat(np.arange(12), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 5, 5])


def trained_by(monkeypatch, model, *args, **kwargs):
    """Fit a model; its tasks, as they were before training, and its fitted members."""
    tasks = []
    original = skdeep.tabular.base.train_tasks

    def recording(given, n_jobs=None):
        tasks.extend(pickle.loads(pickle.dumps(task)) for task in given)
        return original(given, n_jobs)

    monkeypatch.setattr(skdeep.tabular.base, "train_tasks", recording)
    model.fit(*args, **kwargs)
    monkeypatch.setattr(skdeep.tabular.base, "train_tasks", original)
    return tasks


def thetas(model):
    return [theta for stack in model._ensemble.stacks for theta in stack.theta]


RECIPES = {
    "periodic": recipe(),
    "plain": recipe(embedding=None, activation="relu"),
    "piecewise": recipe(embedding="piecewise", n_bins=4),
    "no dropout": recipe(dropout=0.0, weight_decay=0.0),
    "no average": recipe(weight_averaging=0.0, label_smoothing=0.0),
    "mixed": [recipe(), recipe(embedding=None, dropout=0.3), recipe(embedding="piecewise")],
}
CASES = [
    *((target, "periodic", None, many) for target in TARGETS for many in (True, False)),
    *(("classes", name, None, True) for name in RECIPES),
    *(("numbers", name, None, False) for name in RECIPES),
    ("two classes", "plain", GroupKFold(3), False),
    ("numbers", "periodic", TimeSeriesSplit(4), True),
    ("labels", "no dropout", TimeSeriesSplit(3), True),
    ("classes", "periodic", 7, False),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("target", "name", "cv", "many"), CASES)
def test_stack_equals_alone(monkeypatch, target, name, cv, many, weighted):
    frame = FRAME if many else FRAME.drop(columns="many")
    model, make = model_of(target, recipe=RECIPES[name], cv=cv, n_members=4, dtype="float64")
    tasks = trained_by(
        monkeypatch,
        model,
        frame,
        make(frame),
        WEIGHTS if weighted else None,
        groups=GROUPS if isinstance(cv, GroupKFold) else None,
    )
    found = thetas(model)
    assert len(found) == len(tasks) == 4 * np.size(RECIPES[name])
    for task, theta in zip(tasks, found, strict=True):
        assert_allclose(theta, train([task])[0].theta, rtol=1e-7, atol=1e-9)


def stacks_of(run):
    """Sizes of the stacks trained by `run()`."""
    sizes = []
    original = skdeep._parallel.conductor.train

    def counting(tasks, *args, **kwargs):
        sizes.append(len(tasks))
        return original(tasks, *args, **kwargs)

    skdeep._parallel.conductor.train = counting
    try:
        run()
    finally:
        skdeep._parallel.conductor.train = original
    return sizes


@pytest.mark.parametrize(
    ("sizes", "parameters"),
    [
        ([3], {}),
        ([8], {"n_members": 8}),
        ([8], {"n_members": 8, "cv": 7}),  # folds of unequal length
        ([5], {"n_members": 5, "cv": TimeSeriesSplit(5)}),
        ([3, 3], {"recipe": [recipe(), recipe(embedding=None)]}),
        ([6], {"recipe": [recipe(), recipe(dropout=0.3)]}),  # differ in numbers only
        ([1], {"n_members": 1}),
    ],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_members_are_trained_as_one_stack(make, sizes, parameters):
    model, y = make(**parameters), classes(FRAME, 2)
    assert stacks_of(lambda: model.fit(FRAME, y)) in (sizes, [sum(sizes)])


@pytest.mark.parametrize("target", ["classes", "numbers", "quantiles"])
def test_same_numbers_however_tasks_are_run(target):
    model, make = model_of(target, n_members=4, dtype="float64")
    y = make(FRAME)
    alone = clone(model).fit(FRAME, y)
    jobs = clone(model).set_params(n_jobs=2).fit(FRAME, y)
    with lockstep():
        together = clone(model).fit(FRAME, y)
    for other in (jobs, together, clone(model).fit(FRAME, y)):
        for one, theta in zip(thetas(alone), thetas(other), strict=True):
            assert_allclose(one, theta, rtol=1e-7, atol=1e-9)
        assert_allclose(alone.oof_prediction_, other.oof_prediction_, rtol=1e-6)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_candidates_times_members_are_one_stack(make):
    y = classes(FRAME, 2)
    grid = {"learning_rate_init": [0.01, 0.1], "weight_decay": [0.0, 0.1]}

    def search():
        return GridSearchCV(make(dtype="float64"), grid, cv=2, refit=False).fit(FRAME, y)

    alone = search()
    with lockstep(n_processes=1):
        found = []
        sizes = stacks_of(lambda: found.append(search()))
    for split in range(2):
        name = f"split{split}_test_score"
        assert_allclose(found[0].cv_results_[name], alone.cv_results_[name], rtol=1e-6)
    # Four candidates, two folds, three members.
    assert sum(sizes) == 24
    assert max(sizes) >= 12, sizes


def test_same_seed_same_model_and_generators_advance():
    y = numbers(FRAME)
    generator = np.random.RandomState(0)
    first, second = (regressor(random_state=generator).fit(FRAME, y) for _ in range(2))
    again = regressor(random_state=np.random.RandomState(0)).fit(FRAME, y)
    seeded = regressor(random_state=0).fit(FRAME, y)
    assert_array_equal(first.oof_prediction_, again.oof_prediction_)
    assert_array_equal(first.oof_prediction_, seeded.oof_prediction_)
    assert not np.allclose(first.predict(FRAME), second.predict(FRAME), rtol=1e-3)
    other = regressor(random_state=1).fit(FRAME, y)
    assert not np.allclose(first.predict(FRAME), other.predict(FRAME), rtol=1e-3)


def test_members_of_one_fold_differ():
    split = np.arange(0, N, 2), np.arange(1, N, 2)
    model = classifier(n_members=4, cv=[split]).fit(FRAME, classes(FRAME))
    first, *others = thetas(model)
    assert all(not np.allclose(first, other, rtol=0.1) for other in others)


def test_no_global_state_changes():
    def state():
        return (
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            list(warnings.filters),
            np.geterr(),
            [pool["num_threads"] for pool in threadpool_info()],
        )

    before = state()
    classifier().fit(FRAME, classes(FRAME)).predict(FRAME)
    assert state() == before


def test_data_are_not_changed():
    frame, y, weight = FRAME.copy(), numbers(FRAME), WEIGHTS.copy()
    regressor().fit(frame, y, weight).predict(frame)
    assert frame.equals(FRAME)
    assert_array_equal(y, numbers(FRAME))
    assert_array_equal(weight, WEIGHTS)


# Scale of targets


@pytest.mark.parametrize("weighted", [False, True])
def test_target_scale_is_mean_and_standard_deviation(weighted):
    y = np.random.default_rng(0).exponential(size=(50, 2)) * [1, 1e6] + [0, 1e3]
    weight = np.arange(50) % 4 if weighted else None
    rows = np.repeat(np.arange(50), weight) if weighted else np.arange(50)
    scale = TargetScale.fit(y, weight, RegressionTarget(2))
    assert_allclose(scale.center, y[rows].mean(axis=0))
    assert_allclose(scale.scale, y[rows].std(axis=0))
    z = scale.transform(y)
    assert_allclose(scale.inverse_transform(z), y)
    far = scale.inverse_transform(np.array([[1e9, -1e9]]))
    assert_array_equal(far, [[y[:, 0].max(), y[:, 1].min()]])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_target_scale_of_positive_targets_is_their_mean(loss):
    y = np.random.default_rng(0).exponential(size=(50, 1))
    scale = TargetScale.fit(y, None, with_regression_loss(RegressionTarget(1), loss, 0.5))
    assert_allclose(scale.transform(y), y / y.mean())


def test_target_scale_of_constants():
    scale = TargetScale.fit(np.full((5, 1), 7.0), None, RegressionTarget(1))
    assert_array_equal(scale.transform(np.full((1, 1), 7.0)), [[0.0]])
    assert_array_equal(scale.inverse_transform(np.array([[3.0]])), [[7.0]])


@pytest.mark.parametrize("factor", [1e-12, 1e12])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"loss": "absolute_error"},
        {"loss": Huber(0.5)},
        {"loss": "quantile", "quantile": [0.2, 0.8]},
        {"loss": "gamma"},
        {"loss": "poisson"},
    ],
)
def test_unit_of_y_does_not_matter(factor, parameters):
    y = numbers(FRAME) - numbers(FRAME).min() + 1
    recipes = [recipe(learning_rate_init=0.2), recipe(embedding=None)]
    model = regressor(recipe=recipes, dtype="float64", **parameters)
    one = clone(model).fit(FRAME, y)
    other = clone(model).fit(FRAME, factor * y)
    assert_allclose(other.predict(FRAME), factor * one.predict(FRAME), rtol=1e-5)
    assert_allclose(other._ensemble.weights, one._ensemble.weights)


def test_columns_of_any_unit_count_alike():
    y = np.c_[numbers(FRAME), -np.abs(FRAME["x"])]
    recipes = [recipe(learning_rate_init=0.2), recipe(embedding=None)]
    one, other = (
        regressor(recipe=recipes, dtype="float64").fit(FRAME, y * units)
        for units in ([1, 1], [1, 1e6])
    )
    assert_allclose(other.predict(FRAME), one.predict(FRAME) * [1, 1e6], rtol=1e-5)
    assert_allclose(other._ensemble.weights, one._ensemble.weights)


# Weights of rows


@pytest.mark.parametrize("target", ["classes", "labels", "numbers", "quantiles", "gamma"])
def test_targets_of_rows_of_weight_zero_do_not_matter(target):
    model, make = model_of(target, n_members=5)
    y = make(FRAME)
    weight = np.where(np.arange(N) % 3, 1.5, 0.0)
    other = y.copy()
    if target in ("classes", "labels"):
        model.set_params(cv=[(np.arange(0, N, 2), np.arange(1, N, 2))])
        other[weight == 0] = y[weight == 0][::-1]
    else:
        other[weight == 0] = 1e9
    one, two = (clone(model).fit(FRAME, targets, weight) for targets in (y, other))
    for a, b in zip(thetas(one), thetas(two), strict=True):
        assert_array_equal(a, b)
    assert_array_equal(one.predict(FRAME), two.predict(FRAME))
    assert one.validation_score_ == two.validation_score_


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_only_ratios_of_weights_matter(target):
    model, make = model_of(target, dtype="float64")
    fits = [
        clone(model).fit(FRAME, make(FRAME), factor * (0.5 + WEIGHTS))
        for factor in (1, 1e-9, 1e9)
    ]
    for fit in fits[1:]:
        assert_allclose(fit.oof_prediction_, fits[0].oof_prediction_, rtol=1e-6)
    unweighted = clone(model).fit(FRAME, make(FRAME))
    ones = clone(model).fit(FRAME, make(FRAME), np.full(N, 3.0))
    assert_allclose(ones.oof_prediction_, unweighted.oof_prediction_, rtol=1e-6)


@pytest.mark.parametrize("target", ["two classes", "classes"])
def test_balanced_class_weights_are_sample_weights(target):
    model, make = model_of(target)
    y = make(FRAME)
    keep = np.flatnonzero((y != y[0]) | (np.arange(N) % 3 == 0))
    X, y = FRAME.iloc[keep], y[keep]
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    weight = (len(y) / (len(labels) * counts))[codes]
    balanced = clone(model).set_params(class_weight="balanced").fit(X, y)
    named = dict(zip(labels.tolist(), weight[[list(y).index(x) for x in labels]], strict=True))
    by_name = clone(model).set_params(class_weight=named).fit(X, y)
    weighted = clone(model).fit(X, y, weight)
    assert_array_equal(balanced.oof_prediction_, by_name.oof_prediction_)
    assert_allclose(balanced.oof_prediction_, weighted.oof_prediction_, rtol=1e-5)
    plain = clone(model).fit(X, y)
    assert not np.allclose(plain.oof_prediction_, weighted.oof_prediction_, rtol=1e-2)


def test_weights_move_predictions():
    y = numbers(FRAME)
    up = np.where(y > np.median(y), 10.0, 0.1)
    mean, high = regressor().fit(FRAME, y), regressor().fit(FRAME, y, up)
    assert high.predict(FRAME).mean() > mean.predict(FRAME).mean() + 1


@pytest.mark.parametrize("target", ["two classes", "numbers"])
def test_float32_agrees_with_float64(target):
    model, make = model_of(target)
    single = clone(model).fit(FRAME, make(FRAME))
    double = clone(model).set_params(dtype="float64").fit(FRAME, make(FRAME))
    assert thetas(single)[0].dtype == np.float32
    assert thetas(double)[0].dtype == np.float64
    assert_allclose(single.oof_prediction_, double.oof_prediction_, rtol=0.02, atol=0.01)
