"""Laws: every row is held out once, classes and groups and time as `cv` says."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)

from skdeep.tabular.folds import folds_of
from tests.tabular.small import N, classes, classifier, numbers, regressor, table

FRAME = table()
Y = classes(FRAME)
GROUPS = np.arange(N) % 10


def folds(cv=None, n_members=8, y=Y, weight=None, strata=None, groups=None, seed=0):
    weight = None if weight is None else np.reshape(weight, (-1, 1))
    return folds_of(cv, n_members, y, weight, strata, groups, np.random.RandomState(seed))


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(
    ("cv", "n_members", "n_rows", "expected"),
    [
        (None, 8, 120, 8),
        (None, 1, 120, 5),
        (None, 12, 101, 12),
        (None, 8, 3, 3),
        (None, 8, 2, 2),
        (3, 8, 100, 3),
        (7, 2, 100, 7),
        (2, 8, 2, 2),
    ],
)
def test_every_row_is_held_out_once(cv, n_members, n_rows, expected, stratified):
    y = np.random.default_rng(0).integers(0, 4, n_rows)
    splits = folds(cv, n_members, y, strata=y if stratified else None)
    assert len(splits) == expected
    held_out = np.concatenate([held_out for _, held_out in splits])
    assert_array_equal(np.sort(held_out), np.arange(n_rows))
    for rows, held_out in splits:
        assert_array_equal(np.sort(np.r_[rows, held_out]), np.arange(n_rows))
    sizes = [len(held_out) for _, held_out in splits]
    assert max(sizes) - min(sizes) <= 1
    if stratified:
        counts = [np.bincount(y[held_out], minlength=4) for _, held_out in splits]
        assert np.ptp(counts, axis=0).max() <= 1


def test_folds_are_shuffled_by_the_generator():
    one, same, other = (folds(seed=seed)[0][1] for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, np.arange(len(one)))


def test_rows_of_weight_zero_are_held_out_but_not_trained_on():
    weight = np.where(np.arange(N) % 4 == 0, 1.0, 0.0)
    splits = folds(weight=weight, strata=Y)
    assert_array_equal(np.sort(np.concatenate([h for _, h in splits])), np.arange(N))
    for rows, held_out in splits:
        assert (weight[rows] > 0).all()
        assert 3 <= np.count_nonzero(weight[held_out]) <= 4
    # As many folds as rows that count.
    weight = (np.arange(N) < 3) * 1.0
    splits = folds(weight=weight)
    assert len(splits) == 3
    assert all(np.count_nonzero(weight[held_out]) == 1 for _, held_out in splits)


SPLITTERS = {
    "KFold": KFold(3),
    "stratified": StratifiedKFold(4, shuffle=True, random_state=0),
    "groups": GroupKFold(5),
    "leave a group out": LeaveOneGroupOut(),
    "time": TimeSeriesSplit(4),
    "repeated": RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    "predefined": PredefinedSplit(np.arange(N) % 3 - 1),
    "splits": list(KFold(3).split(FRAME)),
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_splitters_decide(name):
    cv = SPLITTERS[name]
    groups = GROUPS if "group" in name else None
    expected = cv if isinstance(cv, list) else list(cv.split(FRAME, Y, groups))
    for split, given in zip(folds(cv, groups=groups), expected, strict=True):
        assert_array_equal(split[0], given[0])
        assert_array_equal(split[1], given[1])
    model = classifier(cv=cv, n_members=4).fit(FRAME, Y, groups=groups)
    used = np.unique(np.concatenate([expected[k % len(expected)][1] for k in range(4)]))
    is_held_out = np.isfinite(model.oof_prediction_).all(axis=1)
    assert_array_equal(np.flatnonzero(is_held_out), used)
    assert [row["fold"] for row in model.members_.to_dict().values()] == [
        k % len(expected) for k in range(4)
    ]


def test_masks_are_splits():
    mask = np.arange(N) % 3 == 0
    ((rows, held_out),) = folds([(~mask, mask)])
    assert_array_equal(rows, np.flatnonzero(~mask))
    assert_array_equal(held_out, np.flatnonzero(mask))
    ((rows, held_out),) = folds([(range(5), [-1])])
    assert_array_equal(held_out, [N - 1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cv": 121}, "cv=121 must be from 2 to the number of rows .* 120"),
        ({"cv": 50, "weight": np.arange(N) < 10}, "cv=50 must be .* weight above 0, 10"),
        ({"weight": np.arange(N) < 1}, "n_samples=1, .* weight 0: training needs at least 2"),
        ({"y": Y[:1]}, "n_samples=1, .* at least 2 rows"),
        ({"groups": GROUPS}, "groups is given, but cv=None does not use them: .*GroupKFold"),
        ({"groups": GROUPS, "cv": 5}, "groups is given, but cv=5 does not"),
        ({"groups": GROUPS, "cv": SPLITTERS["splits"]}, "groups is given, but cv="),
        ({"cv": GroupKFold(3)}, "'groups' parameter should not be None"),
        ({"cv": GroupKFold(3), "groups": GROUPS[:7]}, "inconsistent numbers of samples"),
        ({"cv": []}, r"cv=\[\] gives no split"),
        ({"cv": [([], [0, 1])]}, "Split 0 of cv=.* has 0 rows to train and 2 to validate"),
        ({"cv": [([0], [1]), ([0], [])]}, "Split 1 of cv=.* has 1 rows to train and 0"),
        ({"cv": [([0, 1, 2], [2, 1])]}, "Split 0 of cv=.* has 2 rows both to train and"),
        ({"cv": [([0, 1], [N])]}, "Split 0 of cv=.* does not fit 120 rows"),
        (
            {"cv": [([0, 1], [2])], "weight": np.arange(N) > 2},
            "Split 0 of cv=.* has 0 rows of weight above 0 to train and 0 to",
        ),
    ],
)
def test_errors_say_what_to_change(parameters, message):
    with pytest.raises(ValueError, match=message):
        folds(**parameters)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_groups_and_weights_are_routed(make):
    y = Y if make is classifier else numbers(FRAME)
    weight = 1.0 + np.arange(N) % 2
    model = make(cv=GroupKFold(3))
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(groups=True, sample_weight=True)
        model.set_score_request(sample_weight=True)
        params = {"groups": GROUPS, "sample_weight": weight}
        found = cross_validate(
            model, FRAME, y, cv=GroupKFold(2), params=params, return_estimator=True
        )
        search = GridSearchCV(model, {"dropout": [0.0, 0.2]}, cv=GroupKFold(2))
        search.fit(FRAME, y, **params)
    rows, held_out = next(GroupKFold(2).split(FRAME, y, GROUPS))
    alone = make(cv=GroupKFold(3)).fit(
        FRAME.iloc[rows], y[rows], weight[rows], groups=GROUPS[rows]
    )
    routed = found["estimator"][0]
    assert_array_equal(routed.oof_prediction_, alone.oof_prediction_)
    score = alone.score(FRAME.iloc[held_out], y[held_out], weight[held_out])
    assert found["test_score"][0] == pytest.approx(score)
    best = make(cv=GroupKFold(3), **search.best_params_).fit(FRAME, y, weight, groups=GROUPS)
    assert_array_equal(search.best_estimator_.oof_prediction_, best.oof_prediction_)
