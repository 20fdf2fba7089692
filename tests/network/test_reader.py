"""Laws: batches are rows of the table, whatever holds it and whatever its dtype."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix, random_array

from skdeep import DeepClassifier, DeepRegressor
from skdeep._network.reader import DENSE_FROM, Reader, stays_sparse

ROWS = np.random.default_rng(0).integers(0, 40, 7)


def table_of(density, dtype):
    return random_array((40, 25), density=density, format="csr", dtype=dtype, rng=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of_table", ["float32", "float64", "int64"])
@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
@pytest.mark.parametrize(
    "rows", [ROWS, slice(3, 10), slice(0, 40)], ids=["rows", "slice", "all"]
)
def test_batches_of_a_csr_matrix_are_those_of_the_array(density, of_table, dtype, rows):
    table = table_of(density, "float64")
    table.data = np.ceil(9 * table.data).astype(of_table)
    expected = table.toarray()[rows].astype(dtype)
    reader = Reader([table], (), 40, np.dtype(dtype))
    for _ in range(2):  # a buffer is written again
        batch = reader.read(rows)
        assert batch.dtype == dtype
        assert_array_equal(batch.toarray() if reader.sparse else batch, expected)
        assert_array_equal(reader.read(slice(0, 1)).sum(), expected.dtype.type(table[0].sum()))


def test_only_matrices_of_many_zeros_stay_sparse():
    sparse, dense = table_of(DENSE_FROM / 2, "float64"), table_of(2 * DENSE_FROM, "float64")
    assert [stays_sparse(each) for each in (sparse, dense, dense.toarray())] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("estimator", [DeepClassifier, DeepRegressor])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"dropout": [0.1, 0.2]},
        {"solver": "lbfgs", "batch_size": "auto"},
        {"dtype": "float32"},
    ],
    ids=str,
)
def test_a_matrix_of_few_zeros_is_fitted_as_an_array_to_the_bit(estimator, parameters):
    X = csr_matrix(table_of(0.4, "float64"))
    y = (X.toarray().sum(axis=1) > 5).astype(float)
    parameters = {"hidden_layer_sizes": (6,), "max_iter": 4, "batch_size": 16} | parameters
    sparse, dense = (
        estimator(random_state=0, **parameters).fit(each, y) for each in (X, X.toarray())
    )
    for one, other in zip(sparse.coefs_, dense.coefs_, strict=True):
        assert_array_equal(one, other)
    assert_array_equal(sparse.predict(X), dense.predict(X.toarray()))
