"""Laws: training goes on from a file to the same bits, whatever was trained and how."""

import copy
import itertools
import json
import os

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPRegressor

from skdeep import SGD, Adam, AdamW, DeepClassifier, DeepRegressor
from skdeep.persistence import load, save
from skdeep.schedules import SCHEDULES, WarmUp
from skdeep.solvers import SOLVERS
from tests.persistence.test_persistence import (
    CODES,
    EACH_FORM,
    NAMES,
    NUMBERS,
    SUFFIXES,
    X,
    assert_same,
    assert_same_model,
    sealed,
)

OPTIONS = {
    "plain": {},
    "float32": {"dtype": "float32", "shuffle": False},
    "dropout": {"dropout": [0.1, 0.3]},
    "averaged": {"weight_averaging": 0.7},
    "stopped early": {"early_stopping": True, "n_iter_no_change": 1, "tol": 0.1},
    "averaged, best": {"early_stopping": True, "weight_averaging": 0.9, "dropout": 0.2},
    "last epoch": {"early_stopping": True, "restore_best": False},
    "batch norm": {"norm": "batch", "weight_averaging": 0.5, "clip_norm": 1.0},
    "layer norm": {"norm": "layer", "dropout": 0.2, "max_norm": 1.0},
    "one batch": {"batch_size": 40},
    "stalled": {"tol": 10.0, "n_iter_no_change": 2},
}
STOCHASTIC = [name for name in SOLVERS if name != "lbfgs"]
KINDS = {DeepClassifier: NAMES, DeepRegressor: NUMBERS}
pytestmark = pytest.mark.filterwarnings("ignore:Maximum iterations", "ignore:.*is not read")


def model(kind=DeepRegressor, **params):
    defaults = {"hidden_layer_sizes": (3,), "max_iter": 3, "batch_size": 7, "random_state": 0}
    return kind(**{**defaults, "learning_rate_init": 0.02, "warm_start": True, **params})


def check_goes_on(trained, y, path):
    """The estimator and what comes back from its file are trained on to the same bits."""
    save(trained, path)
    loaded = load(path)
    # A warm start, two batches, a warm start after these; and all again from a second file.
    for step in ("fit", "partial_fit", "partial_fit", "fit", "again"):
        if step == "again":
            save(loaded, path)
            loaded, step = load(path), "fit"
        if step == "partial_fit" and (trained.early_stopping or trained.solver == "lbfgs"):
            continue
        before = np.random.get_state()  # noqa: NPY002
        for each in (trained, loaded):
            np.random.set_state(before)  # noqa: NPY002
            getattr(each, step)(X, y)
        assert_same_model(trained, loaded)


CASES = [
    (solver, schedule, list(OPTIONS)[i % len(OPTIONS)], i % 2, i // 2 % 2)
    for i, (solver, schedule) in enumerate(
        zip(itertools.cycle(STOCHASTIC), [*SCHEDULES] * 3, strict=False)
    )
]


@pytest.mark.parametrize(("solver", "schedule", "options", "kind", "form"), CASES)
def test_each_solver_and_schedule_goes_on(solver, schedule, options, kind, form, tmp_path):
    kind, y = list(KINDS.items())[kind]
    trained = model(kind, solver=solver, learning_rate=schedule, **OPTIONS[options])
    check_goes_on(trained.fit(X, y), y, tmp_path / f"model{SUFFIXES[form]}")


@EACH_FORM
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_option_goes_on(kind, options, suffix, tmp_path):
    y = KINDS[kind]
    trained = model(kind, **OPTIONS[options]).fit(X, y)
    check_goes_on(trained, y, tmp_path / f"model{suffix}")


@EACH_FORM
@pytest.mark.parametrize("options", ["plain", "dropout", "stopped early", "one batch"])
@pytest.mark.parametrize("seed", [None, np.int64(3), "generator"])
def test_each_kind_of_randomness_goes_on(seed, options, suffix, tmp_path):
    random_state = np.random.RandomState(3) if seed == "generator" else seed
    trained = model(random_state=random_state, **OPTIONS[options])
    check_goes_on(trained.fit(X, NUMBERS), NUMBERS, tmp_path / f"model{suffix}")


SOLVER_OBJECTS = [
    SGD(nesterovs_momentum=False, learning_rate=WarmUp(3, "adaptive")),
    AdamW(decay_schedule="cosine"),
    Adam(learning_rate_init=1),
]


@pytest.mark.parametrize("solver", [*SOLVER_OBJECTS, "lbfgs"], ids=str)
@EACH_FORM
def test_solver_objects_and_lbfgs_go_on(solver, suffix, tmp_path):
    trained = model(solver=solver).fit(X, NUMBERS)
    check_goes_on(trained, NUMBERS, tmp_path / f"model{suffix}")


@EACH_FORM
def test_a_series_of_batches_goes_on(suffix, tmp_path):
    trained = model(DeepClassifier, dropout=0.3, weight_averaging=0.8)
    for start in (0, 10, 20):
        rows = slice(start, start + 10)
        trained.partial_fit(X[rows], NAMES[rows], classes=np.unique(NAMES))
    check_goes_on(trained, NAMES, tmp_path / f"model{suffix}")


@EACH_FORM
def test_a_warm_start_on_other_rows_goes_on(suffix, tmp_path):
    trained = model(dropout=0.3).fit(X[:30], NUMBERS[:30]).fit(X, NUMBERS)
    check_goes_on(trained, NUMBERS, tmp_path / f"model{suffix}")


def test_changes_after_the_fit_count_as_without_a_file(tmp_path):
    changes = {
        "rate": lambda m: m.set_params(learning_rate_init=0.3),
        "solver": lambda m: m.set_params(solver="sgd"),
        "seed": lambda m: m.set_params(random_state=7),
        "generator": lambda m: m.set_params(random_state=np.random.RandomState(7)),
        "dropout": lambda m: m.set_params(dropout=0.4),
        "weights": lambda m: m.coefs_[0].__imul__(2),
    }
    for (name, change), options in itertools.product(changes.items(), ("plain", "averaged")):
        trained = model(**OPTIONS[options]).fit(X, NUMBERS)
        change(trained)
        check_goes_on(trained, NUMBERS, tmp_path / f"{name}.json")


def test_two_warm_starts_on_other_rows_equal_one_of_twice_the_epochs():
    first = model(shuffle=True).fit(X[:30], NUMBERS[:30])
    twice, once = copy.deepcopy(first), copy.deepcopy(first)
    twice.fit(X, NUMBERS).fit(X, NUMBERS)
    once.set_params(max_iter=6).fit(X, NUMBERS)
    assert_same(twice.coefs_, once.coefs_)


def test_a_warm_start_on_other_rows_draws_what_scikit_learn_does():
    plain = {"solver": "sgd", "momentum": 0, "nesterovs_momentum": False}
    ours, theirs = model(**plain), MLPRegressor(**plain)
    theirs.set_params(**{name: getattr(ours, name) for name in theirs.get_params()})
    for each in (ours, theirs):
        each.fit(X[:30], NUMBERS[:30]).fit(X, NUMBERS)
    for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


# Files without it


@EACH_FORM
def test_without_the_state_the_file_is_a_third_and_the_solver_starts_again(suffix, tmp_path):
    trained = model(DeepClassifier, hidden_layer_sizes=(60, 60)).fit(X, CODES)
    path, lean = tmp_path / f"full{suffix}", tmp_path / f"lean{suffix}"
    save(trained, path)
    save(trained, lean, training_state=False)
    assert 2.5 < os.path.getsize(path) / os.path.getsize(lean) < 3.5
    loaded = load(lean)
    assert_same_model(trained, loaded)
    assert loaded._training_state.solver_state is None
    save(loaded, tmp_path / f"again{suffix}")  # and can be saved with the state it has
    assert_same_model(trained, load(tmp_path / f"again{suffix}"))


def test_files_from_before_the_state_was_kept_are_those_without_it(tmp_path):
    trained = model(DeepClassifier).fit(X, CODES)
    save(trained, tmp_path / "full.json")
    save(trained, tmp_path / "lean.json", training_state=False)
    tree = json.loads((tmp_path / "full.json").read_text())
    del tree["training"]
    assert sealed(tree) == json.loads((tmp_path / "lean.json").read_text())


# What is refused


def refused(change, words, path, **params):
    save(model(**params).fit(X, NUMBERS), path)
    tree = json.loads(path.read_text())
    change(tree["training"])
    path.write_text(json.dumps(sealed(tree)))
    with pytest.raises(ValueError, match=words) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


FAULTS = {
    "no section": (lambda t: t.pop("stream"), "lacks 'stream'"),
    "unknown solver": (lambda t: t["solver"].update(type="Evil"), "type must be one of"),
    "L-BFGS": (lambda t: t["solver"].update(type="LBFGS"), "type must be one of"),
    "a moment too few": (
        lambda t: t["solver"].update(type="NAdam") or t["solver"]["moments"]["data"].pop(),
        "moments",
    ),
    "other moments": (lambda t: t["solver"].update(type="SGD"), r"moments.*\(1, 23\)"),
    "rate": (lambda t: t["solver"].update(rate=-1.0), "rate of at least 0"),
    "steps": (lambda t: t["solver"].update(n_steps=-1), "n_steps"),
    "best": (lambda t: t["history"].update(best_iter=9), "best_iter"),
    "curve": (lambda t: t["history"].update(loss_curve=["a"]), "loss_curve"),
    "seed": (lambda t: t["stream"].update(seed=1.5), "seed"),
    "generator": (lambda t: t["stream"].update(seed="generator"), "seed"),
    "no state": (lambda t: t["stream"].update(seed=None), "state"),
    "endless draws": (lambda t: t["stream"].update(n_epochs=10**12), "n_epochs"),
    "masks": (lambda t: t["masks"].update(type="PCG64"), "SFC64"),
    "mask state": (lambda t: t["masks"].update(uinteger=2**32), "uinteger"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_state_that_no_fit_could_leave_is_refused(fault, tmp_path):
    change, words = FAULTS[fault]
    refused(change, words, tmp_path / "model.json", dropout=0.2)


def test_a_state_that_is_not_finite_is_not_saved(tmp_path):
    trained = model().fit(X, NUMBERS)
    trained._training_state.solver_state.moments[0, 0] = np.inf
    with pytest.raises(ValueError, match=r"moments.*training_state=False"):
        save(trained, tmp_path / "model.npz")
    save(trained, tmp_path / "model.npz", training_state=False)
    assert_same_model(trained, load(tmp_path / "model.npz"))


def test_a_clone_of_what_was_loaded_trains_from_scratch(tmp_path):
    trained = model().fit(X, NUMBERS)
    save(trained, tmp_path / "model.npz")
    again = clone(load(tmp_path / "model.npz")).fit(X, NUMBERS)
    assert_same(trained.coefs_, again.coefs_)
