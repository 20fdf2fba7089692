"""Laws: a fit that is killed and resumed equals the fit that was not, to the last bit."""

import copy
import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import warnings
from datetime import timedelta

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import (
    LBFGS,
    DeepClassifier,
    TabularRegressor,
    lockstep,
)
from skdeep.persistence import Checkpoint, load, resume, save
from skdeep.schedules import SCHEDULES
from tests.persistence import killed
from tests.persistence.test_persistence import (
    EACH_FORM,
    LABELS,
    NAMES,
    NUMBERS,
    SUFFIXES,
    X,
    assert_same,
    assert_same_model,
    sealed,
)
from tests.persistence.test_training_states import KINDS, OPTIONS, STOCHASTIC, model

pytestmark = pytest.mark.filterwarnings("ignore:Maximum iterations", "ignore:.*is not read")
WEIGHTS = np.linspace(0.5, 2, 40)
VALIDATION = {"X_val": X[:9] + 0.1, "y_val": NUMBERS[:9], "sample_weight_val": WEIGHTS[:9]}


class Cut(Exception):
    """Ends a fit as a kill would, if nothing that it leaves in memory is used."""


def cut():
    raise Cut


def cut_off(estimator, path, n, *data, every=1, **more):
    """Fit until the end of epoch n, with checkpoints."""
    callbacks = Checkpoint(path, every=every), killed.AtEpoch(n, cut)
    with pytest.raises(Cut):
        estimator.set_callbacks(*callbacks).fit(*data, **more)


def state_of(estimator):
    """The state of training as a tree of values that can be compared."""
    state = copy.copy(estimator._training_state)
    masks, state.mask_generator = state.mask_generator, None
    return vars(state), masks and str(masks.bit_generator.state)


def assert_same_fit(whole, resumed):
    assert_same_model(whole, resumed)
    assert_same(state_of(whole), state_of(resumed))


def check(estimator, path, n, *data, **more):
    """Fit at once, and cut off after epoch n and resumed: the same, and a warm start later."""
    whole, parts = copy.deepcopy(estimator), copy.deepcopy(estimator)
    whole.fit(*data, **more)
    cut_off(parts, path, n, *data, **more)
    assert load(path).n_iter_ == n
    resumed = resume(path, *data, **more)
    assert_same_fit(whole, resumed)
    assert_same_fit(whole, load(path))
    for each in (whole, resumed):
        each.set_callbacks().set_params(warm_start=True).fit(*data, **more)
    assert_same_fit(whole, resumed)


CASES = [
    (solver, schedule, list(OPTIONS)[i % len(OPTIONS)], i % 2, i // 2 % 2, 1 + i % 5)
    for i, (solver, schedule) in enumerate(
        zip(itertools.cycle(STOCHASTIC), [*SCHEDULES] * 3, strict=False)
    )
]


@pytest.mark.parametrize(("solver", "schedule", "options", "kind", "form", "n"), CASES)
def test_each_solver_and_schedule_goes_on(solver, schedule, options, kind, form, n, tmp_path):
    kind, y = list(KINDS.items())[kind]
    params = {"max_iter": 7, "n_iter_no_change": 10, **OPTIONS[options], "warm_start": False}
    estimator = model(kind, solver=solver, learning_rate=schedule, **params)
    n = min(n, clone(estimator).fit(X, y).n_iter_ - 1)
    check(estimator, tmp_path / f"fit{SUFFIXES[form]}", n, X, y)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seed", [None, 3, "generator"])
def test_each_kind_of_randomness_goes_on(seed, options, tmp_path):
    params = {"max_iter": 5, **OPTIONS[options], "n_iter_no_change": 9}
    random_state = np.random.RandomState(3) if seed == "generator" else seed
    whole = model(**{**params, "random_state": random_state})
    parts = copy.deepcopy(whole)
    np.random.seed(1)  # noqa: NPY002
    whole.fit(X, NUMBERS)
    np.random.seed(1)  # noqa: NPY002
    path = tmp_path / f"fit{SUFFIXES[seed is None]}"
    cut_off(parts, path, 3, X, NUMBERS)
    np.random.seed(2)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_same_fit(whole, resume(path, X, NUMBERS))
    assert_same(before, np.random.get_state()[1])  # noqa: NPY002


DATA = {
    "weights": (model(), (X, NUMBERS, WEIGHTS), {}),
    "validated": (model(weight_averaging=0.5), (X, NUMBERS), VALIDATION),
    "balanced": (model(DeepClassifier, class_weight="balanced"), (X, NAMES), {}),
    "labels": (model(DeepClassifier, early_stopping=True), (X, LABELS), {}),
    "sparse": (model(dropout=[0.2, 0.0]), (csr_matrix(X * (X > 0)), NUMBERS), {}),
    "float32": (model(), (X.astype("f4"), NUMBERS[:, 0]), {}),
    "columns": (model(), (np.asfortranarray(X), NUMBERS.tolist()), {}),
}


@EACH_FORM
@pytest.mark.parametrize("name", DATA)
def test_each_kind_of_data_goes_on(name, suffix, tmp_path):
    estimator, data, more = DATA[name]
    check(estimator.set_params(max_iter=5), tmp_path / f"fit{suffix}", 2, *data, **more)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("rows", [30, 40])
def test_a_warm_start_that_is_cut_off_goes_on(rows, options, tmp_path):
    for seed in (0, np.random.RandomState(1)):
        first = model(max_iter=4, **OPTIONS[options], random_state=seed)
        first.fit(X[:rows], NUMBERS[:rows])
        n = min(2, copy.deepcopy(first).fit(X, NUMBERS).n_iter_ - 1)
        if n:
            check(first, tmp_path / "fit.npz", n, X, NUMBERS)


def test_the_end_of_a_fit_is_a_checkpoint_too(tmp_path):
    path = tmp_path / "fit.npz"
    for more in ({}, {"tol": 10.0, "n_iter_no_change": 2}, {"max_iter": 2}):
        ended = model(**{"max_iter": 50, **more}, early_stopping=True)
        ended.set_callbacks(Checkpoint(path, every=1000)).fit(X, NUMBERS)
        written = path.stat().st_mtime_ns
        assert_same_fit(ended, resume(path, X, NUMBERS))
        assert path.stat().st_mtime_ns == written  # nothing was trained


@pytest.mark.parametrize("more", [{}, {"tol": 10.0, "n_iter_no_change": 1}], ids=str)
def test_a_fit_that_is_cut_off_after_its_last_epoch_is_whole(more, tmp_path):
    whole = model(max_iter=6, **more).fit(X, NUMBERS)
    cut_off(model(max_iter=6, **more), tmp_path / "fit.npz", whole.n_iter_, X, NUMBERS)
    assert_same_fit(whole, resume(tmp_path / "fit.npz", X, NUMBERS))


def test_every_counts_epochs_or_time(tmp_path):
    path = tmp_path / "fit.json"
    cut_off(model(max_iter=9), path, 8, X, NUMBERS, every=3)
    assert load(path).n_iter_ == 6
    cut_off(model(max_iter=9), path, 8, X, NUMBERS, every=timedelta(microseconds=1))
    assert load(path).n_iter_ == 8
    path.unlink()
    cut_off(model(max_iter=9), path, 8, X, NUMBERS, every=timedelta(days=1))
    assert not path.exists()


def test_a_fit_that_goes_on_writes_as_before(tmp_path):
    path = tmp_path / "fit.npz"
    for every in (2, timedelta(microseconds=1)):
        cut_off(model(max_iter=9), path, 4, X, NUMBERS, every=every)
        with pytest.raises(Cut):
            resume(path, X, NUMBERS, callbacks=[killed.AtEpoch(4, cut)])
        assert load(path).n_iter_ == 8
        assert resume(path, X, NUMBERS)._skl_callbacks[0].every == every


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_a_fit_that_is_interrupted_goes_on_from_its_last_file(tmp_path):
    path = tmp_path / "fit.npz"
    stopped = model(max_iter=9).set_callbacks(
        Checkpoint(path, every=3), killed.AtEpoch(5, interrupt)
    )
    assert stopped.fit(X, NUMBERS).n_iter_ == 5
    assert load(path).n_iter_ == 3
    assert_same_fit(model(max_iter=9).fit(X, NUMBERS), resume(path, X, NUMBERS))


def test_a_fit_that_diverges_leaves_its_last_file(tmp_path):
    path = tmp_path / "fit.npz"
    wild = model(solver="sgd", batch_size=40).set_callbacks(Checkpoint(path, every=1))
    wild.fit(X, NUMBERS).set_params(learning_rate_init=1e300)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="Training diverged"):
        wild.fit(1e10 * X, NUMBERS)
    assert path.read_bytes() == before


def test_a_fit_that_goes_on_warns_as_it_would_have(tmp_path):
    table = X * [1e6, 1, 1, 1]
    for fit in (
        lambda: model(max_iter=4).fit(table, NUMBERS),
        lambda: resume(tmp_path / "fit.npz", table, NUMBERS),
    ):
        with pytest.warns(match="X is not scaled: .* column 0"):
            fit()
        cut_off(model(max_iter=4), tmp_path / "fit.npz", 2, table, NUMBERS)


def test_a_series_of_batches_goes_on_from_its_file(tmp_path):
    path = tmp_path / "series.npz"
    batches = [slice(i, i + 10) for i in (0, 10, 20, 30)]
    whole = model(dropout=0.2)
    parts = model(dropout=0.2).set_callbacks(Checkpoint(path, every=2))
    for rows in batches:
        whole.partial_fit(X[rows], NUMBERS[rows])
    for rows in batches[:3]:
        parts.partial_fit(X[rows], NUMBERS[rows])
    loaded = load(path)  # of the second
    for rows in batches[2:]:
        loaded.partial_fit(X[rows], NUMBERS[rows])
    assert_same_fit(whole, loaded)
    with pytest.raises(ValueError, match=r"series\.npz.*partial_fit.*Load it"):
        resume(path, X, NUMBERS)


def test_max_time_counts_what_was_used(tmp_path):
    path = tmp_path / "fit.json"
    cut_off(model(max_time=1e5, max_iter=10**6), path, 2, X, NUMBERS)
    tree = json.loads(path.read_text())
    tree["checkpoint"]["seconds"] = 2e5
    path.write_text(json.dumps(sealed(tree)))
    assert resume(path, X, NUMBERS).n_iter_ == 3


# Processes that die


@pytest.mark.skipif(sys.platform != "linux", reason="forks, signals and limits")
def test_kills_and_full_disks_lose_nothing_but_the_work_since_the_last_file(tmp_path):
    path = tmp_path / "fit.npz"
    # The moment of each process, how it ends, and how many epochs the file has then.
    moments = {
        "draft 1": (-signal.SIGKILL, None),
        "epoch 7": (-signal.SIGKILL, 6),
        "draft 2": (-signal.SIGKILL, 9),
        "rename 1": (-signal.SIGKILL, 9),
        "full 4": (1, 12),
        "synced 3": (-signal.SIGKILL, 21),
        "epoch 2": (-signal.SIGKILL, 21),
    }
    command = [sys.executable, "-m", "tests.persistence.killed", path, *moments]
    process = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert json.loads(process.stdout) == [list(end) for end in moments.values()]
    assert process.stderr == f"[Errno 27] File too large: '{path}'\n"
    undisturbed = killed.model().fit(killed.X, killed.Y)
    assert_same_fit(undisturbed, killed.train(path))
    assert os.listdir(tmp_path) == [path.name]  # no drafts


# What is refused


@pytest.fixture
def cut_file(tmp_path):
    path = tmp_path / "fit.json"
    cut_off(model(weight_averaging=0.5, max_iter=9), path, 4, X, NUMBERS, WEIGHTS, **VALIDATION)
    return path


def test_other_data_are_refused(cut_file):
    other = {
        "fewer rows": (
            {"X": X[1:], "y": NUMBERS[1:], "sample_weight": WEIGHTS[1:]},
            "X.*shape",
        ),
        "order": ({"X": X[::-1]}, "X .*checksum"),
        "dtype": ({"X": X.astype("f4")}, "X .*dtype"),
        "one number": (
            {"X": np.where(np.arange(160).reshape(40, 4) == 7, 1, X)},
            "X .*checksum",
        ),
        "y": ({"y": -NUMBERS}, "y .*checksum"),
        "weights": ({"sample_weight": WEIGHTS[::-1]}, "weights .*checksum"),
        "no weights": ({"sample_weight": None}, "weights .*missing"),
        "X_val": ({"X_val": X[:9]}, "X_val .*checksum"),
        "y_val": ({"y_val": NUMBERS[1:10]}, "y_val .*checksum"),
        "no X_val": (dict.fromkeys(VALIDATION), "X_val .*missing"),
    }
    right = {"X": X, "y": NUMBERS, "sample_weight": WEIGHTS, **VALIDATION}
    before = cut_file.read_bytes()
    for change, words in other.values():
        with pytest.raises(ValueError, match=words) as caught:
            resume(cut_file, **right | change)
        assert str(caught.value).startswith(str(cut_file))
        assert cut_file.read_bytes() == before
    resume(cut_file, **right)
    with pytest.raises(ValueError, match=r"X .*checksum"):  # the fit has ended
        resume(cut_file, **right | other["order"][0])


def test_other_classes_are_refused(tmp_path):
    path = tmp_path / "fit.json"
    cut_off(model(DeepClassifier, max_iter=9), path, 4, X, NAMES)
    with pytest.raises(ValueError, match="classes"):
        resume(path, X, np.char.add(NAMES, "z"))
    with pytest.raises(ValueError, match=r"weights .*none were passed"):
        resume(path, X, NAMES, WEIGHTS)


def test_files_that_are_no_checkpoints_are_refused(cut_file):
    save(load(cut_file), cut_file.with_name("model.json"))
    with pytest.raises(ValueError, match=r"model\.json.*not a checkpoint"):
        resume(cut_file.with_name("model.json"), X, NUMBERS)
    with pytest.raises(FileNotFoundError):
        resume(cut_file.with_name("none.json"), X, NUMBERS)
    right = json.loads(cut_file.read_text())
    for change, words in [
        (lambda t: t["checkpoint"].update(every=0), "every"),
        (lambda t: t["checkpoint"].update(every=-1.0), "every"),
        (lambda t: t["checkpoint"].update(seconds="1"), "seconds"),
        (lambda t: t["checkpoint"].update(method="predict"), "method"),
        (lambda t: t["checkpoint"].pop("data"), "data"),
        (lambda t: t["checkpoint"].update(data=None), "data"),
        (lambda t: t["checkpoint"]["data"].update(X=3), "X is not"),
        (lambda t: t["fitted"].update(n_iter_=8), "n_iter_"),
        (lambda t: t["params"].update(max_iter=4), "max_iter"),
        (lambda t: t["training"].update(solver=None), "match"),
    ]:
        tree = copy.deepcopy(right)
        change(tree)
        cut_file.write_text(json.dumps(sealed(tree)))
        with pytest.raises(ValueError, match=words):
            resume(cut_file, X, NUMBERS, WEIGHTS, **VALIDATION)


@pytest.mark.parametrize("every", [0, -1, 2.5, True, "1", None, timedelta(0)])
def test_every_is_checked(every, tmp_path):
    with pytest.raises(ValueError, match="every must be"):
        Checkpoint(tmp_path / "fit.npz", every=every)


def test_what_cannot_be_written_is_refused_when_the_fit_begins(tmp_path):
    path = tmp_path / "fit.npz"
    for estimator, error, words in [
        (model(solver="lbfgs"), ValueError, "L-BFGS.*SciPy"),
        (model(solver=LBFGS()), ValueError, "L-BFGS.*SciPy"),
        (model(learning_rate=abs), ValueError, "learning_rate"),
        (TabularRegressor(), TypeError, "TabularRegressor"),
    ]:
        with pytest.raises(error, match=words):
            estimator.set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    with pytest.raises(ValueError, match=r"\.npz"):
        Checkpoint(tmp_path / "fit.pickle")
    with pytest.raises(FileNotFoundError, match="none"):
        model().set_callbacks(Checkpoint(tmp_path / "none" / "fit.npz")).fit(X, NUMBERS)
    assert not os.listdir(tmp_path)


def test_a_pipeline_is_one_fit(tmp_path):
    last = model().set_callbacks(Checkpoint(tmp_path / "fit.npz"))
    pipe = make_pipeline(StandardScaler(), last).fit(X, NUMBERS)
    assert_same_fit(pipe[-1], resume(tmp_path / "fit.npz", pipe[:-1].transform(X), NUMBERS))


def in_lockstep(estimator):
    with lockstep():
        cross_validate(estimator, X, NUMBERS, cv=2, error_score="raise")


MANY = {
    "search": lambda each: GridSearchCV(
        each, {"alpha": [0, 1]}, cv=2, error_score="raise", refit=False
    ).fit(X, NUMBERS),
    "search over a pipeline": lambda each: GridSearchCV(
        make_pipeline(StandardScaler(), each), {}, cv=2, error_score="raise"
    ).fit(X, NUMBERS),
    "folds": lambda each: cross_validate(each, X, NUMBERS, cv=2, error_score="raise"),
    "folds in lockstep": in_lockstep,
    "another process": lambda each: pickle.loads(pickle.dumps(each)).fit(X, NUMBERS),
    "ensemble": lambda each: BaggingRegressor(each, 2).fit(X, NUMBERS),
    "a clone": lambda each: [
        clone(one).fit(X, NUMBERS) for one in (each.fit(X, NUMBERS), each)
    ],
    "a copy": lambda each: copy.deepcopy(each).fit(X, NUMBERS),
}


@pytest.mark.parametrize("way", MANY)
def test_many_fits_do_not_share_a_file(way, tmp_path):
    estimator = model(max_iter=2).set_callbacks(Checkpoint(tmp_path / "fit.npz"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"fit\.npz.*replace the checkpoint"):
            MANY[way](estimator)
