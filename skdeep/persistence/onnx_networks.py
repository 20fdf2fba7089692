"""Networks as ONNX nodes: prediction, by the formulas of the core.

Arrays are (*models, rows, columns), as in the core. onnxruntime has some operators in float32
only (Erf, Elu, Selu, Softplus, Mish, Gelu): these functions are written with other operators,
which are of opset 17, so that float64 runs as well.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy.special import erfcx

from skdeep import activations
from skdeep._arrays import Array
from skdeep._network.input_layers import (
    Embedding,
    InputLayer,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
    Scaling,
)
from skdeep._network.network import Network, Parameters
from skdeep._network.norms import EPS, BatchNorm, Norm
from skdeep.persistence.onnx_graph import Graph


def raw_output(graph: Graph, network: Network, params: Parameters, x: str) -> str:
    """Raw output of one network, of shape (rows, n_out), or of a stack: (models, ...).

    Biases and norms of one network may have shape (n_out,); `x` has (*models, rows, n_in).
    """
    inputs, biases, norms = map(iter, (params.inputs, params.biases, params.norms))
    for layer in network.inputs:
        arrays = [next(inputs) for _ in (*layer.shapes, *layer.fixed_shapes)]
        x = _input_layer(graph, layer, arrays, x)
    for dense, weights in zip(network.layers, params.weights, strict=True):
        out = graph.node("MatMul", x, graph.constant(weights))
        if dense.bias:
            out = graph.node("Add", out, graph.constant(next(biases)))
        if dense.norm:
            out = _normalized(graph, dense.norm, [next(norms) for _ in dense.norm.starts], out)
        out = activated(graph, dense.activation, out)
        x = graph.node("Add", out, x) if dense.residual else out
    return x


# Norms


def _normalized(graph: Graph, norm: Norm, arrays: Sequence[Array], z: str) -> str:
    scale, shift, *running = arrays
    if isinstance(norm, BatchNorm):
        mean, running_variance = running
        factor = scale / np.sqrt(running_variance.astype(float) + EPS)
        shift = shift - mean * factor
        return _plus(graph, _times(graph, z, factor), shift)
    # Not LayerNormalization, whose epsilon is rounded to float32. Means as matrix products, as
    # in the core.
    share = graph.constant(np.full((scale.shape[-1], 1), 1 / scale.shape[-1]))
    centered = graph.node("Sub", z, graph.node("MatMul", z, share))
    variance = graph.node("MatMul", graph.node("Mul", centered, centered), share)
    std = graph.node("Sqrt", _plus(graph, variance, EPS))
    return _plus(graph, _times(graph, graph.node("Div", centered, std), scale), shift)


# Input layers


def _input_layer(graph: Graph, layer: InputLayer, arrays: Sequence[Array], x: str) -> str:
    if isinstance(layer, Scaling):
        (scale,) = arrays  # (*models, columns, 1)
        return _times(graph, x, scale.mT)
    if isinstance(layer, Embedding):
        return _embedding(graph, layer, arrays, x)
    raise TypeError(f"{type(layer).__name__} has no ONNX nodes.")


def _embedding(graph: Graph, layer: Embedding, arrays: Sequence[Array], x: str) -> str:
    # Rows last, as in the core: each column has a product of its own,
    # (*models, n_numeric, n_components, n_basis) @ (*models, n_numeric, n_basis, rows).
    models = arrays[0].shape[:-2]
    weights, biases, first, second = (
        array.reshape(*models, layer.n_numeric, -1, array.shape[-1]) for array in arrays
    )
    zero, end, axis = (graph.constant([k]) for k in (0, layer.n_numeric, -1))
    numeric = _transposed(graph, graph.node("Slice", x, zero, end, axis), len(models))
    numeric = graph.node("Unsqueeze", numeric, graph.constant([-2]))
    if isinstance(layer, PeriodicEmbedding):
        # As sines: older runtimes have no cosine of float64.
        angles = _times(graph, numeric, 2 * np.pi * first)
        basis = graph.node("Sin", _plus(graph, angles, second + np.pi / 2))
    elif isinstance(layer, PiecewiseLinearEmbedding):
        basis = _times(graph, _plus(graph, numeric, -first), second)
        basis = graph.node("Clip", basis, graph.constant(0.0), graph.constant(1.0))
    else:
        raise TypeError(f"{type(layer).__name__} has no ONNX nodes.")
    embedded = graph.node("MatMul", graph.constant(weights), basis)
    embedded = _plus(graph, embedded, biases)
    shape = graph.constant([*models, layer.n_embedded, -1])
    embedded = _transposed(graph, graph.node("Reshape", embedded, shape), len(models))
    return graph.node("Concat", embedded, x, axis=-1)


def _transposed(graph: Graph, x: str, n_leading: int) -> str:
    leading = range(n_leading)
    return graph.node("Transpose", x, perm=[*leading, n_leading + 1, n_leading])


# Activations


def activated(graph: Graph, activation: activations.Activation, z: str) -> str:
    """Values of an activation function."""
    try:
        export = ACTIVATIONS[type(activation)]
    except KeyError:
        raise ValueError(
            f"activation={activation!r} cannot be exported to ONNX, as it is Python code: "
            f"train with one of {sorted(activations.ACTIVATIONS)}."
        ) from None
    return export(graph, z)


def identity(graph: Graph, z: str) -> str:
    """Return z."""
    return z


def softplus(graph: Graph, z: str) -> str:
    """log(1 + exp(z)) = max(z, 0) + log1p(u), with u = exp(-abs(z)).

    With w the rounded 1 + u, log1p(u) is log(w) + (u - (w - 1)) / w: so small values are exact.
    """
    one = graph.constant(1.0)
    u = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    w = graph.node("Add", u, one)
    lost = graph.node("Sub", u, graph.node("Sub", w, one))
    log1p = graph.node("Add", graph.node("Log", w), graph.node("Div", lost, w))
    return graph.node("Add", graph.node("Relu", z), log1p)


def _leaky_relu(graph: Graph, z: str) -> str:
    return graph.node("Max", z, _times(graph, z, activations.LeakyReLU.slope))


def _expm1_below_0(graph: Graph, z: str) -> str:
    return _plus(graph, graph.node("Exp", graph.node("Min", z, graph.constant(0.0))), -1.0)


def _elu(graph: Graph, z: str) -> str:
    return graph.node("Max", z, _expm1_below_0(graph, z))


def _selu(graph: Graph, z: str) -> str:
    below = _times(graph, _expm1_below_0(graph, z), activations.SELU.alpha)
    return _times(
        graph, graph.node("Add", graph.node("Relu", z), below), activations.SELU.scale
    )


def _gelu(graph: Graph, z: str) -> str:
    if graph.dtype == np.float32:
        erf = graph.node("Erf", _times(graph, z, np.sqrt(0.5)))
        return graph.node("Mul", _times(graph, z, 0.5), _plus(graph, erf, 1.0))
    # max(z, 0) - h(u) exp(-u^2 / 2), with u = abs(z) and h(u) = u erfcx(u / sqrt(2)) / 2, a
    # smooth function of t = (u - 4) / (u + 4) in [-1, 1): a polynomial is exact to 1e-15.
    u = graph.node("Abs", z)
    t = graph.node("Div", _plus(graph, u, -4.0), _plus(graph, u, 4.0))
    interpolate: Any = Chebyshev.interpolate
    *others, highest = interpolate(_h_of_t, 22).convert(kind=Polynomial).coef
    h = graph.constant(highest)
    for coefficient in reversed(others):
        h = _plus(graph, graph.node("Mul", h, t), coefficient)
    gauss = graph.node("Exp", _times(graph, graph.node("Mul", u, u), -0.5))
    return graph.node("Sub", graph.node("Relu", z), graph.node("Mul", h, gauss))


def _h_of_t(t: Array) -> Array:
    u = 4 * (1 + t) / (1 - t)
    return 0.5 * u * erfcx(u / np.sqrt(2))


def _silu(graph: Graph, z: str) -> str:
    # Not z Sigmoid(z), which onnxruntime 1.17 fuses to what it has in float32 only.
    return graph.node("Div", z, _plus(graph, graph.node("Exp", graph.node("Neg", z)), 1.0))


def _mish(graph: Graph, z: str) -> str:
    # z (1 - 2 / (u^2 + 1)), with u = 1 + exp(z).
    bounded = graph.node("Min", z, graph.constant(activations.Mish.linear_from))
    u = _plus(graph, graph.node("Exp", bounded), 1.0)
    q = _plus(graph, graph.node("Mul", u, u), 1.0)
    return graph.node("Mul", z, _plus(graph, graph.node("Div", graph.constant(-2.0), q), 1.0))


def _one(op: str) -> Callable[[Graph, str], str]:
    return lambda graph, z: graph.node(op, z)


# By exact type: a subclass may compute anything.
ACTIVATIONS: dict[type, Callable[[Graph, str], str]] = {
    activations.Identity: identity,
    activations.Logistic: _one("Sigmoid"),
    activations.Tanh: _one("Tanh"),
    activations.ReLU: _one("Relu"),
    activations.LeakyReLU: _leaky_relu,
    activations.ELU: _elu,
    activations.SELU: _selu,
    activations.GELU: _gelu,
    activations.SiLU: _silu,
    activations.Mish: _mish,
    activations.Softplus: softplus,
}


def _times(graph: Graph, x: str, factor: Any) -> str:
    return graph.node("Mul", x, graph.constant(factor))


def _plus(graph: Graph, x: str, term: Any) -> str:
    return graph.node("Add", x, graph.constant(term))
