"""Layers between the table and the first dense layer: embeddings of numbers, and scaling.

A layer is a spec: its width, and the shapes of its arrays. `bind` connects it to them and to
buffers of one batch size: ``forward(x)`` writes the output, ``backward()`` assigns the
gradients. Inside, rows come last: arrays are ``(*models, columns, rows)``, so that operations
on one column run along memory. Outside, their transposed views have the usual shape.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skdeep._arrays import Array

# Allocates a buffer of shape (*models, n_columns, n_rows) by name and number of columns.
Allocate = Callable[[str, int], Array]

# Narrower bins would turn rounding errors into features.
MIN_WIDTH = 1e-6


@dataclass(frozen=True)
class InputLayer:
    """Base class of input layers, from `n_in` to `n_out` columns."""

    n_in: int

    @property
    def n_out(self) -> int:
        """Number of columns of the output."""
        return self.n_in

    @property
    def n_buffer(self) -> int:
        """Number of columns of the widest buffer."""
        return self.n_out

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of the arrays of trained parameters."""
        return ()

    @property
    def fixed_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of the arrays that training does not change."""
        return ()

    @property
    def n_params(self) -> int:
        """Number of parameters, trained and fixed."""
        return sum(math.prod(shape) for shape in (*self.shapes, *self.fixed_shapes))

    def initial(self, generator: np.random.RandomState, X: Array | None) -> list[Array]:
        """Initial arrays, trained and fixed; X of shape (n_rows, n_in) is a sample of rows."""
        raise NotImplementedError

    def bind(self, arrays: Sequence[Array], allocate: Allocate) -> "BoundInputLayer":
        """Connect the layer to its arrays and to buffers of one batch size."""
        raise NotImplementedError


class BoundInputLayer:
    """An input layer connected to its arrays and to buffers of one batch size."""

    out: Array  # (*models, n_out, rows)

    def bind_gradients(
        self, d_arrays: Sequence[Array], delta: Array, d_x: Array | None
    ) -> None:
        """Connect the layer to the arrays that `backward` reads and assigns.

        `d_arrays` are for the gradients of the trained arrays. `delta`, of shape
        (*models, n_out, rows), is the gradient with respect to `out`; `d_x`, if not None, is
        the buffer for the gradient with respect to x.
        """

    def forward(self, x: Array) -> Array:
        """Output of shape (*models, rows, n_out)."""
        raise NotImplementedError

    def backward(self) -> None:
        """Assign the gradients."""


@dataclass(frozen=True)
class Scaling(InputLayer):
    """out = x * scale, with one factor for each column: a soft selection of features [1]_.

    Its learning rate should be larger than that of the weights: few large steps of the scale
    change what the first layer sees more than many small ones of its weights.

    .. [1] Holzmueller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, section 3.
    """

    @property
    def shapes(self):
        return ((self.n_in, 1),)

    def initial(self, generator, X):
        return [np.ones((self.n_in, 1))]

    def bind(self, arrays, allocate):
        (scale,) = arrays
        return BoundScaling(scale, allocate("out", self.n_in))


class BoundScaling(BoundInputLayer):
    """A scaling layer connected to `scale`, of shape (*models, n_in, 1)."""

    def __init__(self, scale: Array, out: Array) -> None:
        self.scale = scale
        self.out = out

    def bind_gradients(self, d_arrays, delta, d_x):
        (self.d_scale,) = d_arrays
        self.delta = delta
        self.d_x = d_x

    def forward(self, x: Array) -> Array:
        self.x = x.mT
        np.multiply(self.x, self.scale, out=self.out)
        return self.out.mT

    def backward(self) -> None:
        np.vecdot(self.delta, self.x, out=self.d_scale[..., 0])
        if self.d_x is not None:
            np.multiply(self.delta, self.scale, out=self.d_x)


@dataclass(frozen=True)
class Embedding(InputLayer):
    """Each numeric column as trained combinations of functions, and all columns as they are.

    The first `n_numeric` columns x_i become W_i b(x_i) + c_i, with `n_basis` functions b and
    `n_components` outputs. The output has the embeddings of all numeric columns, then the
    `n_in` columns of the input.
    """

    n_numeric: int = 0
    n_basis: int = 16
    n_components: int = 3

    @property
    def n_embedded(self) -> int:
        """Number of columns of the embeddings, which are the first of the output."""
        return self.n_numeric * self.n_components

    @property
    def n_out(self):
        return self.n_embedded + self.n_in

    @property
    def n_buffer(self):
        return max(self.n_out, self.n_numeric * self.n_basis)

    @property
    def shapes(self):
        # Weights and biases. Row i * n + j is the j-th of column i.
        return ((self.n_embedded, self.n_basis), (self.n_embedded, 1))

    @property
    def basis_shape(self) -> tuple[int, int]:
        """Shape of an array with one parameter for each function."""
        return (self.n_numeric * self.n_basis, 1)

    def initial(self, generator, X):
        bound = 1 / math.sqrt(self.n_basis)
        return [generator.uniform(-bound, bound, shape) for shape in self.shapes[:2]]


class BoundEmbedding(BoundInputLayer):
    """An embedding connected to its arrays and to buffers of one batch size.

    Views have shape (*models, n_numeric, columns of one embedding, rows).
    """

    def __init__(self, spec: Embedding, arrays: Sequence[Array], allocate: Allocate) -> None:
        self.spec = spec
        self.weights, self.biases, self.first, self.second = map(self._grouped, arrays)
        self.out = allocate("out", spec.n_out)
        self.embedded = self._grouped(self.out[..., : spec.n_embedded, :])
        self.copied = self.out[..., spec.n_embedded :, :]
        self.numeric = self.copied[..., : spec.n_numeric, None, :]
        self.basis = self._grouped(allocate("basis", spec.n_numeric * spec.n_basis))

    def _grouped(self, array: Array) -> Array:
        *models, _, n = array.shape
        return array.reshape(*models, self.spec.n_numeric, -1, n, copy=False)

    def bind_gradients(self, d_arrays, delta, d_x):
        self.d_weights, self.d_biases = map(self._grouped, d_arrays[:2])
        self.delta = self._grouped(delta[..., : self.spec.n_embedded, :])
        self.ones = np.ones((delta.shape[-1], 1), delta.dtype)

    def forward(self, x: Array) -> Array:
        self.copied[...] = x.mT
        self._evaluate()
        np.matmul(self.weights, self.basis, out=self.embedded)
        self.embedded += self.biases
        return self.out.mT

    def backward(self) -> None:
        np.matmul(self.delta, self.basis.mT, out=self.d_weights)
        np.matmul(self.delta, self.ones, out=self.d_biases)

    def _evaluate(self) -> None:
        # Writes the functions of `numeric` to `basis`.
        raise NotImplementedError


@dataclass(frozen=True)
class PeriodicEmbedding(Embedding):
    """Embedding by cosines: b_j(x) = cos(2 pi f_j x + p_j), with trained f and p.

    This is the PBLD embedding of [1]_, a variant of [2]_. Initial frequencies have the standard
    deviation `sigma`.

    .. [1] Holzmueller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, appendix A.
    .. [2] Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular deep
       learning", NeurIPS 2022.
    """

    sigma: float = 0.1

    @property
    def shapes(self):
        # Also frequencies and phases.
        return (*super().shapes, self.basis_shape, self.basis_shape)

    def initial(self, generator, X):
        return [
            *super().initial(generator, X),
            generator.normal(0, self.sigma, self.basis_shape),
            generator.uniform(-math.pi, math.pi, self.basis_shape),
        ]

    def bind(self, arrays, allocate):
        return BoundPeriodicEmbedding(self, arrays, allocate)


class BoundPeriodicEmbedding(BoundEmbedding):
    """A periodic embedding connected to its arrays and to buffers of one batch size."""

    def __init__(self, spec: Embedding, arrays: Sequence[Array], allocate: Allocate) -> None:
        super().__init__(spec, arrays, allocate)
        self.frequencies, self.phases = self.first, self.second
        self.angles = self._grouped(allocate("angles", spec.n_numeric * spec.n_basis))

    def bind_gradients(self, d_arrays, delta, d_x):
        super().bind_gradients(d_arrays, delta, d_x)
        frequencies, phases = map(self._grouped, d_arrays[2:])
        self.d_frequencies, self.d_phases = frequencies[..., 0], phases

    def _evaluate(self) -> None:
        np.multiply(self.numeric, 2 * np.pi * self.frequencies, out=self.angles)
        self.angles += self.phases
        np.cos(self.angles, out=self.basis)

    def backward(self) -> None:
        super().backward()
        # The gradient with respect to the angles, in place of the cosines.
        np.sin(self.angles, out=self.angles)
        np.matmul(self.weights.mT, self.delta, out=self.basis)
        self.basis *= self.angles
        np.matmul(self.basis, -self.ones, out=self.d_phases)
        np.vecdot(self.basis, self.numeric, out=self.d_frequencies)
        self.d_frequencies *= -2 * np.pi


@dataclass(frozen=True)
class PiecewiseLinearEmbedding(Embedding):
    """Embedding by bins [1]_: b_j(x) = clip((x - l_j) / (u_j - l_j), 0, 1), from l_j to u_j.

    So an embedding is a piecewise linear function. The bounds are distinct quantiles of the
    training rows, and training does not change them.

    .. [1] Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular deep
       learning", NeurIPS 2022, section 3.1.
    """

    @property
    def fixed_shapes(self):
        # Lower bounds, and reciprocals of the widths.
        return (self.basis_shape, self.basis_shape)

    def initial(self, generator, X):
        bounds = [_bounds(column, self.n_basis) for column in X[:, : self.n_numeric].T]
        lower, reciprocals = np.array(bounds).reshape(-1, 2, self.n_basis).swapaxes(0, 1)
        fixed = [lower.reshape(-1, 1), reciprocals.reshape(-1, 1)]
        return [*super().initial(generator, X), *fixed]

    def bind(self, arrays, allocate):
        return BoundPiecewiseLinearEmbedding(self, arrays, allocate)


class BoundPiecewiseLinearEmbedding(BoundEmbedding):
    """A piecewise linear embedding connected to its arrays and to buffers of one batch size."""

    def _evaluate(self) -> None:
        np.subtract(self.numeric, self.first, out=self.basis)
        self.basis *= self.second
        np.clip(self.basis, 0, 1, out=self.basis)


def _bounds(column: Array, n_bins: int) -> tuple[Array, Array]:
    # Lower bounds and reciprocal widths of the bins. Columns with few distinct values have
    # fewer bins: those that are left are 0 everywhere.
    edges = np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)))
    edges = edges[np.insert(np.diff(edges) > MIN_WIDTH, 0, True)]
    lower, reciprocals = np.zeros((2, n_bins))
    lower[: len(edges) - 1] = edges[:-1]
    reciprocals[: len(edges) - 1] = 1 / np.diff(edges)
    return lower, reciprocals
