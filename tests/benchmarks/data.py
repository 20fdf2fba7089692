"""The data of a case, scaled and in the dtype asked for, before any clock runs."""

import gzip
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from tests.benchmarks.cases import Case

Array = np.ndarray
Rows = tuple[Array | scipy.sparse.csr_matrix, Array]
# Read from a folder of that name; the others come with scikit-learn or from a generator.
DOWNLOADS = ("mnist", "fashion-mnist")


def load(case: Case, dtype: str, folder: Path) -> Rows:
    """Rows of inputs, and their classes as int64 or targets in `dtype`."""
    ends = case.widths[0], case.widths[-1]
    X, y = _read(case.data, case.rows if case.regression else None, ends, dtype, folder)
    return X[: case.rows], y[: case.rows]


def load_split(data: str, dtype: str, folder: Path) -> tuple[Array, Array, Array, Array]:
    """Inputs and classes to train on, and those to test on."""
    if data in DOWNLOADS:
        rows = [_read_images(folder / data, part, dtype) for part in ("train", "t10k")]
        return (*rows[0], *rows[1])
    X, y = load_digits(return_X_y=True)
    halves = train_test_split(X / 16, y, test_size=0.25, stratify=y, random_state=0)
    return halves[0].astype(dtype), halves[2], halves[1].astype(dtype), halves[3]


def missing(data: str, folder: Path) -> bool:
    """Whether a case's data have to be downloaded and have not been."""
    name = data.split()[0]
    return name in DOWNLOADS and _find(folder / name, "train-images-idx3-ubyte") is None


# A worker goes from case to case on the same data.
@lru_cache(maxsize=1)
def _read(
    data: str, n_rows: int | None, ends: tuple[int, int], dtype: str, folder: Path
) -> Rows:
    if data == "wine":
        X, y = load_wine(return_X_y=True)
        return scale(X).astype(dtype), y
    if data == "digits":
        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(dtype), y
    if data == "regression":
        assert n_rows is not None
        return _synthetic(n_rows, *ends, dtype)
    X, y = _read_images(folder / data.split()[0], "train", dtype)
    return (scipy.sparse.csr_matrix(X) if data == "mnist csr" else X), y


def _read_images(folder: Path, part: str, dtype: str) -> tuple[Array, Array]:
    pixels = _read_idx(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 784)
    labels = _read_idx(folder, f"{part}-labels-idx1-ubyte", 8)
    return np.divide(pixels, 255, dtype=dtype), labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path | None:
    """The IDX file of that name, packed or not; None where there is none."""
    found = (folder / name, folder / f"{name}.gz")
    return next((path for path in found if path.exists()), None)


def _read_idx(folder: Path, name: str, header: int) -> Array:
    path = _find(folder, name)
    if path is None:
        raise FileNotFoundError(f"no {name} or {name}.gz in {folder}")
    content = gzip.decompress(path.read_bytes()) if path.suffix else path.read_bytes()
    return np.frombuffer(content, np.uint8, offset=header)


def _synthetic(n_rows: int, n_columns: int, n_outputs: int, dtype: str) -> tuple[Array, Array]:
    # Smooth functions of all columns with some noise, scaled as one scales targets.
    generator = np.random.default_rng(0)
    X = generator.standard_normal((n_rows, n_columns), np.float32)
    directions = generator.standard_normal((n_columns, 2 * n_outputs), np.float32)
    u, v = np.split(X @ (directions / np.sqrt(np.float32(n_columns))), 2, axis=1)
    y = np.sin(2 * u) + u * v
    y += np.float32(0.1) * generator.standard_normal(y.shape, np.float32)
    y = scale(y).astype(dtype, copy=False)
    return X.astype(dtype, copy=False), y.ravel() if n_outputs == 1 else y
