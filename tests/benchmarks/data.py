"""The data of a case, scaled and in the dtype asked for, before any clock runs."""

import gzip
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.datasets import load_digits, load_wine
from sklearn.preprocessing import scale

from tests.benchmarks.cases import Case

Array = np.ndarray


def load(case: Case, dtype: str, folder: Path) -> tuple[Array | scipy.sparse.csr_matrix, Array]:
    """Rows of inputs, and their classes as int64 or targets in `dtype`."""
    X, y = _read(case.data, case.rows or 0, case.widths[0], dtype, folder)
    return (X[: case.rows], y[: case.rows]) if case.rows else (X, y)


def find_mnist(folder: Path, name: str) -> Path | None:
    """The IDX file of that name, packed or not; None where there is none."""
    found = (folder / name, folder / f"{name}.gz")
    return next((path for path in found if path.exists()), None)


# A worker goes from case to case on the same data.
@lru_cache(maxsize=1)
def _read(
    data: str, n_rows: int, n_columns: int, dtype: str, folder: Path
) -> tuple[Array | scipy.sparse.csr_matrix, Array]:
    if data == "wine":
        X, y = load_wine(return_X_y=True)
        return scale(X).astype(dtype), y
    if data == "digits":
        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(dtype), y
    if data == "regression":
        return _synthetic(n_rows, n_columns, dtype)
    pixels = _read_idx(folder, "train-images-idx3-ubyte", 16).reshape(-1, 784)
    X = np.divide(pixels, 255, dtype=dtype)
    y = _read_idx(folder, "train-labels-idx1-ubyte", 8).astype(np.int64)
    return (scipy.sparse.csr_matrix(X) if data == "mnist csr" else X), y


def _read_idx(folder: Path, name: str, header: int) -> Array:
    path = find_mnist(folder, name)
    if path is None:
        raise FileNotFoundError(f"no {name} or {name}.gz in {folder}")
    content = gzip.decompress(path.read_bytes()) if path.suffix else path.read_bytes()
    return np.frombuffer(content, np.uint8, offset=header)


def _synthetic(n_rows: int, n_columns: int, dtype: str) -> tuple[Array, Array]:
    # A smooth function of all columns with some noise, scaled as one scales targets.
    generator = np.random.default_rng(0)
    X = generator.standard_normal((n_rows, n_columns), np.float32)
    directions = generator.standard_normal((n_columns, 2), np.float32) / np.sqrt(n_columns)
    u, v = (X @ directions).T
    y = np.sin(2 * u) + u * v + 0.1 * generator.standard_normal(n_rows)
    return X.astype(dtype), scale(y).astype(dtype)
