"""Laws: what a fit prints and tells callbacks, and how it keeps `max_time`."""

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_diabetes, load_iris

from skdeep import TabularClassifier, TabularRegressor
from skdeep.tabular import Recipe, time_limit
from tests.estimators.test_callbacks import Spy, assert_closed

N_EPOCHS, N_RECIPES = 3, 2
RECIPES = [
    Recipe(embedding=view, max_iter=N_EPOCHS, hidden_layer_sizes=(6,), batch_size=32)
    for view in (None, "piecewise")
]
KINDS = pytest.mark.parametrize(
    ("kind", "data"),
    [(TabularClassifier, load_iris), (TabularRegressor, load_diabetes)],
    ids=["classifier", "regressor"],
)


def fitted(kind, data, callback=None, **params):
    model = kind(**{"recipe": RECIPES, "random_state": 0, "n_members": 5, **params})
    if callback is not None:
        model.set_callbacks(callback)
    return model.fit(*data(return_X_y=True))


@KINDS
def test_each_epoch_is_a_task_whose_model_predicts(kind, data):
    spy = Spy()
    model = fitted(kind, data, spy)
    assert_closed(spy.calls)
    assert len(spy.models) == N_EPOCHS * N_RECIPES
    X = data().data
    assert not np.array_equal(spy.models[0].predict(X), spy.models[-1].predict(X))
    assert model.predict(X).shape == (len(X),)


@KINDS
def test_the_model_of_the_last_epoch_is_the_fitted_one(kind, data):
    spy = Spy()
    model = fitted(kind, data, spy, recipe=RECIPES[:1])
    X = data().data
    np.testing.assert_array_equal(spy.models[-1].predict(X), model.predict(X))


@KINDS
def test_a_callback_ends_the_fit(kind, data):
    spy = Spy(last=1)
    rows = fitted(kind, data, spy).members_.to_dict().values()
    assert_closed(spy.calls)
    # All but the last member had ended their epoch when the callback asked.
    assert [row["epochs"] for row in rows] == [2, 2, 2, 2, 1]


@KINDS
def test_callbacks_change_nothing(kind, data, capsys):
    alone, watched = fitted(kind, data), fitted(kind, data, ProgressBar())
    np.testing.assert_array_equal(alone.oof_prediction_, watched.oof_prediction_)
    scoring = "accuracy" if kind is TabularClassifier else "r2"
    monitor = ScoringMonitor(scoring=scoring)
    fitted(kind, data, monitor)
    logged = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(logged) == N_EPOCHS * N_RECIPES


@KINDS
def test_verbose_prints_each_epoch(kind, data, capsys):
    fitted(kind, data)
    assert capsys.readouterr().out == ""
    fitted(kind, data, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == N_RECIPES * (1 + N_EPOCHS + 1)
    assert [line.split()[0] for line in lines[:4]] == ["Epoch", "1", "2", "3"]
    assert lines[4].startswith("Ended 5 members after 3 epochs and ")
    # With several jobs, epochs are those of other processes.
    fitted(kind, data, verbose=True, n_jobs=2)
    assert len(capsys.readouterr().out.splitlines()) == N_RECIPES


@KINDS
def test_time_to_spare_changes_nothing(kind, data):
    alone, limited = fitted(kind, data), fitted(kind, data, max_time=1e6)
    np.testing.assert_array_equal(alone.oof_prediction_, limited.oof_prediction_)


@KINDS
def test_with_no_time_at_all_there_is_a_model(kind, data):
    model = fitted(kind, data, max_time=1e-6)
    assert np.isfinite(model.oof_prediction_).all()
    assert {row["epochs"] for row in model.members_.to_dict().values()} <= {1, 2}
    assert len(model.members_.to_dict()) == 5  # of the first recipe only


@pytest.mark.parametrize("step", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("validation", [0.0, 0.2, 20.0])
@pytest.mark.parametrize("seconds", [50.0, 1e4])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_planned_time_is_within_the_limit(step, validation, seconds, n_jobs, monkeypatch):
    monkeypatch.setattr(time_limit, "_seconds", lambda tasks: (step, validation))
    monkeypatch.setattr(time_limit.time, "monotonic", lambda: 0.0)
    tasks = tasks_of(n_rows=1000, max_iter=100)
    for task in time_limit.within(tasks, seconds, n_jobs):
        n_batches = -(-len(task.rows) // task.batch_size)
        share = task.validate.data.encoded.shape[0] / 250
        planned = task.max_iter * (n_batches * step + share * validation) / n_jobs
        at_least = 8 * (step + validation / 250) / n_jobs  # eight epochs of one batch
        assert planned <= max(seconds, 1.5 * at_least)
        assert task.max_time == seconds
        assert 8 <= task.max_iter <= 100
        assert (task.max_iter == 100) or planned > 0.4 * seconds or n_batches == 1
        # The rows are among those of the task, and none twice.
        assert len(np.unique(task.rows)) == len(task.rows)
        (own,) = [one for one in tasks if one.theta is task.theta]
        assert np.isin(task.rows, own.rows).all()


def tasks_of(n_rows, max_iter):
    """Two tasks that train on three quarters of the rows."""
    import skdeep.tabular.base as base

    kept = []

    def keep(tasks, *args):
        kept.extend(tasks)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "train_tasks", keep)
        X = np.random.default_rng(0).normal(size=(n_rows, 2))
        recipe = Recipe(hidden_layer_sizes=(3,), max_iter=max_iter)
        with pytest.raises(KeyboardInterrupt):
            TabularRegressor(n_members=2, cv=4, recipe=recipe).fit(X, X[:, 0])
    return kept
