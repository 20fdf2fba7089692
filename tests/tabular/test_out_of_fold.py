"""Laws: out-of-fold predictions are those of members that have not seen the row.

So a target of pure noise is predicted no better than by chance.
"""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, mean_pinball_loss, r2_score
from sklearn.model_selection import KFold, TimeSeriesSplit

from skdeep.tabular import TableTransformer
from skdeep.tabular.blending import with_temperature
from tests.tabular.small import N, classifier, model_of, recipe, regressor, table

FRAME = table()
ROWS = 600
LONG = {"hidden_layer_sizes": (32,), "max_iter": 15, "dropout": 0.0, "weight_decay": 0.0}


def noise_table(kind):
    rng = np.random.default_rng(100)
    if kind == "many levels":
        levels = [rng.integers(0, 200, ROWS).astype(str) for _ in range(4)]
        return pd.DataFrame(dict(zip("abcd", levels, strict=True)))
    if kind == "rare levels":
        # Two rows of most levels, so that a mean that saw its own target would tell it.
        levels = rng.permutation(np.arange(ROWS) // 2).astype(str)
        return pd.DataFrame({"a": levels, "b": rng.normal(size=ROWS)})
    return pd.DataFrame(rng.normal(size=(ROWS, 60)))


@pytest.mark.parametrize("kind", ["many levels", "rare levels", "wide"])
@pytest.mark.parametrize("seed", range(2))
def test_noise_is_not_learnt_by_the_classifier(kind, seed):
    frame = noise_table(kind)
    y = np.random.default_rng(seed).permutation(np.arange(ROWS) % 10 < 6).astype(int)
    model = classifier(recipe=recipe(**LONG), n_members=5, random_state=seed).fit(frame, y)
    p = model.oof_prediction_
    assert accuracy_score(y, p.argmax(axis=1)) == model.validation_score_
    deviation = np.sqrt(0.24 / ROWS)
    assert model.validation_score_ < 0.6 + 2.5 * deviation
    # The temperature is chosen by these very rows, and wins a little.
    entropy = log_loss(y, np.full(ROWS, 0.6))
    assert log_loss(y, p) > entropy - 0.01
    assert log_loss(y, p) < 1.1 * entropy


@pytest.mark.parametrize("kind", ["many levels", "rare levels", "wide"])
@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
def test_noise_is_not_learnt_by_the_regressor(kind, loss):
    frame, y = noise_table(kind), np.random.default_rng(2).normal(1000, 1, size=ROWS)
    rates = {"activation": "mish", "learning_rate_init": 0.1}
    model = regressor(recipe=recipe(**LONG, **rates), n_members=5, loss=loss).fit(frame, y)
    assert r2_score(y, model.oof_prediction_) == pytest.approx(model.validation_score_)
    assert model.validation_score_ < 0.02
    if loss == "quantile":
        constant = mean_pinball_loss(y, np.full(ROWS, np.median(y)))
        assert mean_pinball_loss(y, model.oof_prediction_) > 0.98 * constant


@pytest.mark.parametrize("target", ["classes", "numbers", "quantiles", "labels"])
@pytest.mark.parametrize("n_members", [3, 7])
def test_out_of_fold_predictions_are_of_members_that_held_the_row_out(target, n_members):
    splits = list(KFold(5, shuffle=True, random_state=0).split(FRAME))
    model, make = model_of(target, n_members=n_members, cv=splits, dtype="float64")
    model.fit(FRAME, make(FRAME))
    ensemble = model._ensemble
    (stack,) = ensemble.stacks
    members = stack.predictions(ensemble.target, *model.transformer_.encode(FRAME))
    expected = np.full(members.shape[1:], np.nan)
    for row in range(N):
        mine = [k for k in range(n_members) if row in splits[k % 5][1]]
        if mine:
            expected[row] = members[mine, row].mean(axis=0)
    expected = with_temperature(ensemble.target, expected, stack.temperature)
    assert_allclose(model.oof_prediction_, model._shaped(expected), rtol=1e-9)
    assert np.isnan(model.oof_prediction_).any() == (n_members < 5)


@pytest.mark.parametrize("target", ["numbers", "gamma", "two classes"])
def test_held_out_targets_do_not_reach_a_member(target):
    splits = list(KFold(4, shuffle=True, random_state=0).split(FRAME))
    model, make = model_of(target, cv=splits[:1], n_members=1, recipe=recipe(max_iter=1))
    y = make(FRAME)
    assert TableTransformer().fit(FRAME).n_levels_  # of which there are target means
    changed = y.copy()
    changed[splits[0][1]] = y[y.argmax()]
    one, other = (clone(model).fit(FRAME, targets) for targets in (y, changed))
    for a, b in zip(one._ensemble.stacks, other._ensemble.stacks, strict=True):
        assert_array_equal(a.theta, b.theta)
    # A change of the others does.
    changed = y.copy()
    changed[splits[0][0]] = y[splits[0][0]][::-1]
    other = clone(model).fit(FRAME, changed)
    assert not np.allclose(one._ensemble.stacks[0].theta, other._ensemble.stacks[0].theta)


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_rows_that_are_never_held_out_have_no_prediction(target):
    model, make = model_of(target, cv=TimeSeriesSplit(3), n_members=3)
    y = make(FRAME)
    model.fit(FRAME, y)
    is_missing = np.isnan(model.oof_prediction_).reshape(N, -1)
    assert_array_equal(is_missing.any(axis=1), np.arange(N) < N // 4)
    assert_array_equal(is_missing.all(axis=1), is_missing.any(axis=1))
    seen = slice(N // 4, None)
    score = accuracy_score if target == "classes" else r2_score
    expected = score(
        y[seen], model._decoded(model.oof_prediction_[seen].reshape(N - N // 4, -1))
    )
    assert model.validation_score_ == pytest.approx(expected)


@pytest.mark.parametrize("target", ["two classes", "numbers"])
def test_validation_score_is_near_the_score_of_new_rows(target):
    frame = table(n=900, many=False)
    own = {"max_iter": 10} | ({"learning_rate_init": 0.1} if target == "numbers" else {})
    model, make = model_of(target, recipe=recipe(**own), n_members=4)
    y = make(frame)
    model.fit(frame[:600], y[:600])
    assert model.validation_score_ > 0.75
    assert abs(model.validation_score_ - model.score(frame[600:], y[600:])) < 0.07
