"""Prediction: a forward pass over a whole table, chunk by chunk, so that memory stays small."""

from math import prod

import numpy as np

from skdeep._arrays import Array
from skdeep._network.network import Network, Parameters, floating
from skdeep._network.reader import Reader
from skdeep._network.threads import blas_threads_for
from skdeep._network.workspace import Workspace

# Elements in a chunk's widest buffer, all models counted: few enough to bound memory (8 MB of
# float64), enough for matrix products at full speed.
CHUNK = 1 << 20


def chunk_rows(network: Network, n_rows: int, models: tuple[int, ...] = ()) -> int:
    """Number of rows to process at a time in a pass over `n_rows` rows."""
    return max(1, min(n_rows, CHUNK // (network.widest * prod(models))))


def raw_output(
    network: Network, params: Parameters, X: Array, rows: Array | None = None
) -> Array:
    """Raw output of one network, of shape (n_rows, n_out), or of a stack: (*models, ...).

    Biases and norms of one network may have shape (n_out,). `X` is an ndarray or CSR matrix of
    shape (n_samples, n_in), of which `rows` are used, or all.
    """
    models = params.weights[0].shape[:-2]
    n_rows = X.shape[0] if rows is None else len(rows)
    dtype = floating(params.weights)
    step = chunk_rows(network, n_rows, models)
    reader = Reader([X], (), step, dtype)
    workspace = Workspace(network, params, models, step, dtype, reader.sparse)
    raw = np.empty((*models, n_rows, network.n_out), dtype)
    with blas_threads_for(step * network.largest_product):
        for start in range(0, n_rows, step):
            chunk = slice(start, min(start + step, n_rows))
            x = reader.read(chunk if rows is None else rows[chunk])
            raw[..., chunk, :] = workspace.bind(x.shape[0]).forward(x)
    return raw
