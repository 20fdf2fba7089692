"""Norm constraints: on the gradient before a step, on the weights after it.

There is one limit per model, in (0, inf], as a column of shape (*models, 1); an infinite limit
has no effect.
"""

from collections.abc import Sequence

import numpy as np

from skdeep._arrays import Array


def clip_norm(grad: Array, limit: Array) -> None:
    """Scale `grad` down in place to a Euclidean norm of at most `limit` [1]_.

    .. [1] Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013, section 3.2.
    """
    grad *= _factor(np.vecdot(grad, grad)[..., None], limit)


def limit_max_norm(weights: Sequence[Array], limit: Array) -> None:
    """Scale each unit's incoming weights down in place to a norm of at most `limit` [1]_.

    A unit's incoming weights are a column of its layer's matrix.

    .. [1] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014, section 5.1.
    """
    for matrix in weights:
        factors = _factor(np.vecdot(matrix.mT, matrix.mT), limit)[..., None, :]
        # One model at a time: on the whole stack, whose matrices are not contiguous, NumPy
        # would suspect overlap and make a copy.
        n_in, n_out = matrix.shape[-2:]
        for model_matrix, factor in zip(
            matrix.reshape(-1, n_in, n_out, copy=False),
            factors.reshape(-1, 1, n_out),
            strict=True,
        ):
            model_matrix *= factor


def _factor(squared_norm: Array, limit: Array) -> Array:
    # min(1, limit / norm), without division by 0.
    tiny = np.finfo(squared_norm.dtype).tiny
    norm = np.sqrt(np.maximum(squared_norm, tiny))
    return np.minimum(1, limit / norm)
