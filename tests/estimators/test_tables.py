"""Laws: any container, layout, dtype and order of rows gives the same fit."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skdeep import DeepClassifier, DeepRegressor
from tests.estimators.twins import (
    BINARY,
    CODES,
    HOLES,
    KINDS,
    NUMBERS,
    PARAMS,
    SOLVERS,
    STOCHASTIC,
    TWINS,
    WEIGHTS,
    N,
    X,
    assert_same_weights,
    fit_target,
    pair,
)

# Batches and order


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_batch_larger_than_the_table_is_clipped_with_a_warning(kind, solver):
    y = fit_target(kind)
    with pytest.warns(UserWarning, match=r"batch_size=1000.* 60 .*clipped"):
        clipped = pair(kind, solver=solver, batch_size=1000)[0].fit(X, y)
    assert_same_weights(clipped, pair(kind, solver=solver, batch_size=60)[0].fit(X, y), 0, 0)


def test_lbfgs_does_not_clip_batches():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*clipped", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        DeepRegressor(**PARAMS | {"solver": "lbfgs", "batch_size": 1000}).fit(X, NUMBERS)


@KINDS
def test_warnings_point_at_the_line_that_called(kind):
    y = fit_target(kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind(**PARAMS | {"batch_size": 1000}).fit(X, y)
        kind(**PARAMS | {"solver": "lbfgs"}).fit(X, y)
    assert {w.category for w in caught} == {UserWarning, ConvergenceWarning}
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.parametrize("batch_size", [16, 60])
@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_without_shuffling_rows_keep_their_order(kind, solver, batch_size):
    y = fit_target(kind)
    ours, theirs = pair(kind, solver=solver, shuffle=False, batch_size=batch_size)
    assert_same_weights(ours.fit(X, y), theirs.fit(X, y))
    if batch_size < N:
        back = clone(ours).fit(X[::-1].copy(), y[::-1].copy())
        assert not np.allclose(back.coefs_[0], ours.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize("batch_size", [16, "auto"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_shared_generator_is_left_where_mlp_leaves_it(
    kind, solver, early_stopping, shuffle, batch_size
):
    y = fit_target(kind)
    params = PARAMS | {
        "solver": solver,
        "early_stopping": early_stopping,
        "shuffle": shuffle,
        "batch_size": batch_size,
    }
    ours, theirs = np.random.RandomState(5), np.random.RandomState(5)
    kind(**params | {"random_state": ours}).fit(X, y)
    TWINS[kind](**params | {"random_state": theirs}).fit(X, y)
    assert_array_equal(ours.randint(1 << 30, size=5), theirs.randint(1 << 30, size=5))


# Tables

SPARSE = [
    sp.csr_matrix,
    sp.csc_matrix,
    sp.csr_array,
    sp.csc_array,
    sp.coo_array,
    sp.lil_array,
]


@pytest.mark.parametrize("convert", SPARSE)
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_sparse_table_equals_dense(kind, solver, convert):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver)
    table = convert(HOLES)
    fit_sparse, fit_dense = clone(ours).fit(table, y), clone(ours).fit(HOLES, y)
    assert_same_weights(fit_sparse, fit_dense, rtol=1e-8, atol=1e-10)
    assert_allclose(fit_sparse.predict(table), fit_dense.predict(HOLES))
    assert_allclose(fit_dense.predict(table), fit_dense.predict(HOLES))


@pytest.mark.parametrize("solver", STOCHASTIC)
@KINDS
def test_sparse_table_equals_dense_with_all_else(kind, solver):
    y = fit_target(kind)
    ours, _ = pair(kind, solver=solver, early_stopping=True)
    a, b = clone(ours), clone(ours)
    a.fit(sp.csr_array(HOLES), y, WEIGHTS)
    b.fit(HOLES, y, WEIGHTS)
    assert_same_weights(a, b)
    assert_allclose(a.validation_scores_, b.validation_scores_)
    for model, table in ((a, sp.csc_array(HOLES)), (b, HOLES)):
        model.set_params(early_stopping=False).partial_fit(table, y, WEIGHTS)
    assert_same_weights(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_sparse_table_of_other_dtypes(dtype):
    whole = np.abs(HOLES).round().astype(dtype)
    ours, _ = pair(DeepRegressor)
    a = clone(ours).fit(sp.csr_array(whole), NUMBERS)
    b = clone(ours).fit(whole, NUMBERS)
    assert a.coefs_[0].dtype == b.coefs_[0].dtype
    assert_same_weights(a, b, rtol=1e-4 if dtype == np.float32 else 1e-10, atol=1e-6)


COLUMNS = ["a", "b", "c", "d", "e", "f"]


FRAMES = {
    "pandas": pd.DataFrame(X, columns=COLUMNS),
    "polars": pl.DataFrame(X, schema=COLUMNS),
}


@pytest.mark.parametrize("library", FRAMES)
@KINDS
def test_data_frame(kind, library):
    y, frame = fit_target(kind), FRAMES[library]
    ours, _ = pair(kind)
    named = clone(ours).fit(frame, y)
    assert_array_equal(named.feature_names_in_, COLUMNS)
    assert_same_weights(named, clone(ours).fit(X, y), rtol=0, atol=0)
    assert_allclose(named.predict(frame), clone(ours).fit(X, y).predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match="feature names"):
        named.predict(frame[COLUMNS[::-1]])
    with pytest.warns(UserWarning, match="feature names"):
        named.predict(X)
    assert not hasattr(named.fit(X, y), "feature_names_in_")


@pytest.mark.parametrize("library", FRAMES)
def test_data_frame_in_partial_fit(library):
    frame = FRAMES[library]
    ours = pair(DeepRegressor)[0].partial_fit(frame, NUMBERS)
    assert_array_equal(ours.feature_names_in_, COLUMNS)
    with pytest.raises(ValueError, match="feature names"):
        ours.partial_fit(frame[COLUMNS[::-1]], NUMBERS)


def test_data_frame_of_mixed_dtypes():
    frame = pd.DataFrame(
        {
            "whole": np.arange(N, dtype="int8") % 5,
            "yes": BINARY.astype(bool),
            "single": X[:, 0].astype("float32"),
            "nullable": pd.array(np.arange(N) % 3, dtype="Int64"),
        }
    )
    ours, _ = pair(DeepRegressor)
    plain = clone(ours).fit(frame.astype(float).to_numpy(), NUMBERS)
    assert_same_weights(clone(ours).fit(frame, NUMBERS), plain)


def test_lists_are_tables():
    ours, _ = pair(DeepRegressor)
    a = clone(ours).fit(X.tolist(), NUMBERS.tolist())
    assert_same_weights(a, clone(ours).fit(X, NUMBERS))


@pytest.mark.parametrize("order", ["F", "strided", "backwards", "big-endian", "read-only"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_layout_of_the_table_does_not_matter(solver, order):
    table = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "backwards": X[::-1].copy()[::-1],
        "big-endian": X.astype(">f8"),
        "read-only": X.copy(),
    }[order]
    table.flags.writeable = order != "read-only"
    ours, _ = pair(DeepClassifier, solver=solver)
    a, b = clone(ours).fit(table, CODES), clone(ours).fit(X, CODES)
    assert_same_weights(a, b, rtol=1e-7, atol=1e-9)
    assert_allclose(a.predict_proba(table), b.predict_proba(X), rtol=1e-7)


@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_data_are_not_written_to(kind, solver):
    y = np.array(fit_target(kind))
    table, weights = X.copy(), WEIGHTS.copy()
    pair(kind, solver=solver)[0].fit(table, y, weights).predict(table)
    assert_array_equal(table, X)
    assert_array_equal(weights, WEIGHTS)
    assert_array_equal(y, fit_target(kind))


# Dtypes

WHOLE = np.abs(20 * X).astype(np.uint8)


@pytest.mark.parametrize(
    ("given", "dtype", "computed"),
    [
        ("float32", None, "float32"),
        ("float64", None, "float64"),
        ("float16", None, "float64"),
        ("int64", None, "float64"),
        ("uint8", None, "float64"),
        ("bool", None, "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("uint8", "float32", "float32"),
        ("int64", "float32", "float32"),
    ],
)
@pytest.mark.parametrize("solver", SOLVERS)
@KINDS
def test_dtype_of_computation(kind, solver, given, dtype, computed):
    y = fit_target(kind)
    table = (WHOLE if given in ("uint8", "bool") else 0.1 * WHOLE).astype(given)
    ours = pair(kind, solver=solver, max_iter=4)[0].set_params(dtype=dtype).fit(table, y)
    assert {array.dtype for array in ours.coefs_ + ours.intercepts_} == {np.dtype(computed)}
    raw = ours.predict_proba(table) if kind is DeepClassifier else ours.predict(table)
    assert raw.dtype == computed
    # The same as converting the table by hand.
    by_hand = clone(ours).set_params(dtype=None).fit(table.astype(computed), y)
    tight = (
        {"rtol": 1e-8, "atol": 1e-10} if computed == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    )
    assert_same_weights(ours, by_hand, **tight)
    if solver != "lbfgs":
        ours.partial_fit(table, y)
    assert ours.coefs_[0].dtype == computed


def test_dtype_is_kept_from_the_first_fit_on():
    ours = pair(DeepRegressor)[0].fit(X.astype(np.float32), NUMBERS)
    ours.partial_fit(X, NUMBERS)
    assert ours.coefs_[0].dtype == np.float32
    assert ours.set_params(warm_start=True).fit(X, NUMBERS).coefs_[0].dtype == np.float32
    assert ours.set_params(warm_start=False).fit(X, NUMBERS).coefs_[0].dtype == np.float64


@pytest.mark.parametrize("given", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_table_on_disk_equals_table_in_memory(solver, given, tmp_path):
    table = WHOLE.astype(given)
    path = tmp_path / "table"
    table.tofile(path)
    on_disk = np.memmap(path, dtype=given, mode="r", shape=table.shape)
    ours, _ = pair(DeepClassifier, solver=solver, early_stopping=True)
    a, b = clone(ours).fit(on_disk, CODES), clone(ours).fit(table, CODES)
    assert_same_weights(a, b, rtol=0, atol=0)
    assert_array_equal(a.predict_proba(on_disk), b.predict_proba(table))
