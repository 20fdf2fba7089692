"""Fits in the workers of a Dask cluster equal fits on this machine."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from skdeep import DeepClassifier, DeepRegressor, TabularClassifier, lockstep
from skdeep._parallel import cluster as module

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 50))  # large enough to be sent once
SIGNAL = X[:, :3]
Y = SIGNAL.argmax(axis=1)
GRID = {"learning_rate_init": [0.003, 0.01, 0.03], "alpha": [1e-4, 1.0]}
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def network(kind=DeepClassifier, **params):
    defaults = {"hidden_layer_sizes": (6,), "max_iter": 8, "batch_size": 20, "random_state": 0}
    return kind(**defaults | params)


@pytest.fixture(scope="module")
def client():
    """Client of a cluster of two processes."""
    with (
        # A worker that takes longer to start again is given up.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10 minutes"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
        pids = list(client.run(os.getpid).values())
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def workers(client):
    """The same client; checks that a test leaves both workers, and nothing on them."""
    yield client
    client.wait_for_workers(2, timeout=60)  # also for a clean end of the cluster
    deadline = time.monotonic() + 30
    while client.cluster.scheduler.tasks and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not client.cluster.scheduler.tasks, "tasks or data are left on the cluster"


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_equal_searches(one, other):
    for key, value in one.cv_results_.items():
        if "score" in key and "time" not in key:
            np.testing.assert_array_equal(value, other.cv_results_[key], err_msg=key)
    for name in ("coefs_", "intercepts_"):
        pairs = zip(*(getattr(s.best_estimator_, name) for s in (one, other)), strict=True)
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)


# lockstep(client=...)


SEARCHES = {
    "grid": lambda: GridSearchCV(network(), GRID, cv=3),
    "folds of unequal length": lambda: GridSearchCV(network(), GRID, cv=4),
    "regressor": lambda: GridSearchCV(network(DeepRegressor), GRID, cv=3, scoring="r2"),
    "early stopping": lambda: GridSearchCV(network(early_stopping=True), GRID, cv=3),
    "float32": lambda: GridSearchCV(network(dtype="float32"), GRID, cv=3),
    "shapes": lambda: GridSearchCV(network(), {"hidden_layer_sizes": [(4,), (6, 3)]}, cv=3),
    "one fit": lambda: GridSearchCV(network(), {}, cv=[(np.arange(60), np.arange(60, 90))]),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches(workers, name):
    with lockstep(client=workers):
        there = SEARCHES[name]().fit(X, Y)
    with lockstep(n_processes=2):
        here = SEARCHES[name]().fit(X, Y)
    # To the bit, since the stacks are the same.
    assert_equal_searches(here, there)


def test_parallel_config_is_equivalent(workers):
    with parallel_config("lockstep", client=workers):
        there = GridSearchCV(network(), GRID, cv=3).fit(X, Y)
    with lockstep(n_processes=2):
        assert_equal_searches(GridSearchCV(network(), GRID, cv=3).fit(X, Y), there)


def process_scorer(model, X, y):
    return {"process": os.getpid(), "threads": max(blas_threads(), default=1)}


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_each_worker_receives_one_task_per_batch_of_jobs(workers):
    # 40 jobs, of which joblib submits 2 * 4 at a time.
    search = GridSearchCV(network(max_iter=1), {"alpha": np.geomspace(1e-5, 1, 20)}, cv=2)
    search.set_params(scoring=process_scorer, refit=False)
    tasks, sent = [], []
    submit, scatter = workers.submit, workers.scatter
    workers.submit = lambda *args, **kwargs: tasks.append(args) or submit(*args, **kwargs)
    workers.scatter = lambda data, **kwargs: sent.extend(data) or scatter(data, **kwargs)
    try:
        with lockstep(4, client=workers):
            results = search.fit(X, Y).cv_results_
    finally:
        del workers.submit, workers.scatter
    assert len(tasks) == 2 * 40 / 8
    assert [part is X for part in sent] == [True]
    assert max(len(content) for _, content, _ in tasks) < 8 * 4000  # X alone has 36,000 bytes
    processes = np.concatenate([results[f"split{i}_test_process"] for i in range(2)])
    assert set(processes) == set(workers.run(os.getpid).values())


def test_a_bagging_ensemble_and_its_large_table(workers):
    def ensemble():
        return BaggingClassifier(network(random_state=None), 6, random_state=0)

    with lockstep(client=workers):
        there = ensemble().fit(X, Y)
    np.testing.assert_allclose(
        there.predict_proba(X), ensemble().fit(X, Y).predict_proba(X), rtol=1e-9
    )


def test_tables(workers):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X).add_prefix("column")
    search = GridSearchCV(network(), GRID, cv=3)
    with lockstep(client=workers):
        there = search.fit(table, Y)
    assert list(there.feature_names_in_) == list(table.columns)
    with lockstep(n_processes=2):
        assert_equal_searches(GridSearchCV(network(), GRID, cv=3).fit(table, Y), there)


# Errors, warnings, interrupts


class Step(TransformerMixin, BaseEstimator):
    """Raises, warns or kills its process in fit, up to `n_deaths` ones, noted in `folder`."""

    def __init__(self, action="nothing", n_deaths=0, folder=None):
        self.action = action
        self.n_deaths = n_deaths
        self.folder = folder

    def fit(self, X, y=None):
        if self.action == "raise":
            raise RuntimeError("faulty transformer")
        if self.action == "warn":
            warnings.warn("strange data", UserWarning, stacklevel=1)
        if self.action == "die" and len(list(self.folder.iterdir())) < self.n_deaths:
            (self.folder / str(os.getpid())).touch()
            # Workers that are to die do so at the same time.
            while len(list(self.folder.iterdir())) < min(self.n_deaths, 2):
                time.sleep(0.01)
            os.kill(os.getpid(), KILL)
        return self

    def transform(self, X):
        return X


def with_step(action, n_deaths=0, folder=None, error_score=np.nan, **params):
    model = make_pipeline(Step("nothing", n_deaths, folder), network(**params))
    grid = {"step__action": ["nothing", action], "deepclassifier__alpha": [1e-4, 1.0]}
    return GridSearchCV(model, grid, cv=3, error_score=error_score, refit=False)


def scores(search):
    return np.stack([search.cv_results_[f"split{i}_test_score"] for i in range(3)])


def test_a_candidate_that_raises_gets_its_error_score(workers):
    with lockstep(client=workers):
        there = scores(with_step("raise", error_score=-1.0).fit(X, Y))
    here = scores(with_step("raise", error_score=-1.0).fit(X, Y))
    np.testing.assert_array_equal(there, here)
    assert (there == -1).sum() == 6


def test_an_error_ends_the_search(workers):
    with lockstep(client=workers):
        with pytest.raises(RuntimeError, match="faulty transformer"):
            with_step("raise", error_score="raise", max_iter=10**9).fit(X, Y)
        assert scores(with_step("nothing").fit(X, Y)).min() > 0.2


@pytest.mark.parametrize("action", ["default", "error", "ignore"])
def test_warnings_of_workers_reach_the_caller(workers, action):
    with warnings.catch_warnings(record=True) as caught, lockstep(client=workers):
        warnings.simplefilter("ignore")
        warnings.filterwarnings(action, "strange", UserWarning)
        result = scores(with_step("warn").fit(X, Y))
    strange = [w for w in caught if "strange" in str(w.message)]
    assert bool(strange) == (action == "default")
    assert all(w.filename == __file__ for w in strange)
    assert np.isnan(result).any() == (action == "error")


def n_executing(dask_worker):
    return dask_worker.state.executing_count


def interrupted(address):
    """Ctrl-C while both workers train networks that take minutes; then other searches."""
    endless = network(max_iter=10**9, n_iter_no_change=np.inf, max_time=120)
    with distributed.Client(address) as client:

        def interrupt():
            while sum(map(len, client.processing().values())) < 2:
                time.sleep(0.05)
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt, daemon=True)
        with lockstep(client=client):
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                GridSearchCV(endless, GRID, cv=3).fit(X, Y)
            thread.join()
            deadline = time.monotonic() + 30
            while any(client.run(n_executing).values()) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not any(client.run(n_executing).values())
            there = GridSearchCV(network(), GRID, cv=3).fit(X, Y)
        with lockstep(n_processes=2):
            assert_equal_searches(GridSearchCV(network(), GRID, cv=3).fit(X, Y), there)


def test_an_interrupt_ends_the_tasks(workers):
    # In the main thread of a process, where Python raises KeyboardInterrupt: that of pytest's
    # own workers is not the one that runs tests.
    address = workers.scheduler.address
    process = multiprocessing.get_context("spawn").Process(target=interrupted, args=(address,))
    process.start()
    process.join(timeout=180)
    process.kill()
    assert process.exitcode == 0


@pytest.mark.parametrize("client", ["tcp://127.0.0.1:8786", 2])
def test_what_is_not_a_client_is_refused(client):
    with pytest.raises(TypeError, match=r"client must be a dask\.distributed\.Client"):
        lockstep(client=client)


def test_processes_and_a_client_are_refused(workers):
    with pytest.raises(ValueError, match="n_processes=2 is of no use with client"):
        lockstep(n_processes=2, client=workers)


# joblib's own backend


def tabular(**params):
    return TabularClassifier(n_members=2, max_iter=2, random_state=0, **params)


def test_a_tabular_ensemble_in_joblibs_backend(workers, monkeypatch):
    rows = np.vstack([X] * 3)
    sizes = []
    pack = module.pack
    monkeypatch.setattr(module, "pack", lambda *args: sizes.append(pack(*args)) or sizes[-1])
    with parallel_config("dask", client=workers):
        there = tabular(n_jobs=2).fit(rows, np.tile(Y, 3))
    here = tabular(n_jobs=2).fit(rows, np.tile(Y, 3))
    np.testing.assert_array_equal(there.predict_proba(X), here.predict_proba(X))
    np.testing.assert_array_equal(there.oof_prediction_, here.oof_prediction_)
    assert len(sizes) == 2


JOBLIB = {
    "grid search": lambda: scores(GridSearchCV(network(), GRID, cv=3).fit(X, Y)),
    "cross_validate": lambda: cross_validate(network(), X, Y, cv=3)["test_score"],
    "bagging": lambda: [
        model.coefs_[0]
        for model in BaggingClassifier(network(random_state=None), 4, random_state=0)
        .fit(X, Y)
        .estimators_
    ],
    "search of ensembles": lambda: scores(
        GridSearchCV(tabular(), {"dropout": [0.0, 0.2]}, cv=3).fit(X, Y)
    ),
}


@pytest.mark.parametrize("name", JOBLIB)
def test_joblibs_backend(workers, name):
    here = JOBLIB[name]()
    with parallel_config("dask", client=workers):
        np.testing.assert_array_equal(JOBLIB[name](), here)


def test_incremental_of_dask_ml(workers):
    wrappers = pytest.importorskip("dask_ml.wrappers")
    array = pytest.importorskip("dask.array")
    with workers.as_current():
        model = wrappers.Incremental(network(), shuffle_blocks=False).fit(
            array.from_array(X, chunks=(30, 50)),
            array.from_array(Y, chunks=30),
            classes=[0, 1, 2],
        )
    alone = network()
    for part in np.split(np.arange(90), 3):
        alone.partial_fit(X[part], Y[part], classes=[0, 1, 2])
    np.testing.assert_array_equal(model.estimator_.coefs_[0], alone.coefs_[0])


# Last, since it takes the workers seconds to start again


@pytest.mark.parametrize("n_deaths", [1, 2])
def test_workers_that_die_are_replaced(workers, tmp_path, n_deaths):
    """One worker dies in the middle of a search; or both do, and the data with them."""
    before = set(workers.run(os.getpid).values())
    with lockstep(client=workers):
        there = scores(with_step("die", n_deaths, tmp_path).fit(X, Y))
    killed = {int(path.name) for path in tmp_path.iterdir()}
    assert len(killed) == n_deaths
    assert killed <= before
    assert not killed & set(workers.run(os.getpid).values())
    np.testing.assert_allclose(there, scores(with_step("nothing").fit(X, Y)), rtol=1e-10)


def test_jobs_that_kill_all_workers_are_given_up(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "N_ATTEMPTS", 1)
    with lockstep(client=workers), pytest.raises(RuntimeError, match="died 1 times with the"):
        with_step("die", 99, tmp_path).fit(X, Y)


# A cluster of its own


@pytest.fixture
def two_blas_threads():
    """Two threads, set by a thread that has ended: while it lives, no other can set them."""
    limits = []
    thread = threading.Thread(target=lambda: limits.append(threadpool_limits(2, "blas")))
    thread.start()
    thread.join()
    yield
    limits[0].restore_original_limits()


def test_threads_of_one_process_take_turns_with_one_blas_thread_each(two_blas_threads):
    search = GridSearchCV(network(), GRID, cv=3, scoring=process_scorer, refit=False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        before, filters = blas_threads(), list(warnings.filters)
        with lockstep(client=client):
            results = search.fit(X, Y).cv_results_
        assert blas_threads() == before
        assert list(warnings.filters) == filters
    assert set(results["mean_test_process"]) == {os.getpid()}
    assert set(results["mean_test_threads"]) == {1}
