"""JAX at its best on a CPU: all epochs of a fit are one compiled program.

`lax.scan` runs over epochs and, within, over batches, so that Python is called once a fit.
The program depends on the shapes of the data; compiling it takes longer than many a fit.
"""

import time
from functools import cache, partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from skdeep.schedules import OneCycle, Span
from tests.benchmarks.cases import Case

# The MLP's L2 penalty, whose gradient is alpha / batch_size * weights.
ALPHA = 1e-4
BETA_1, BETA_2, EPSILON, MOMENTUM = 0.9, 0.999, 1e-8, 0.9


def raw_output(parameters: Any, x: Any) -> Any:
    *hidden, (weights, bias) = parameters
    for inner_weights, inner_bias in hidden:
        x = jax.nn.relu(x @ inner_weights + inner_bias)
    return x @ weights + bias


@partial(jax.jit, static_argnames="regression")
def predict(parameters: Any, x: Any, regression: bool) -> Any:
    raw = raw_output(parameters, x)
    return raw if regression else raw.argmax(1)


def loss(parameters: Any, x: Any, y: Any, regression: bool) -> Any:
    raw = raw_output(parameters, x)
    if regression:
        return jnp.mean((raw - y.reshape(raw.shape)) ** 2)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(raw), y[:, None], 1))


def adam(state: Any, gradient: Any, rate: Any) -> Any:
    parameters, first, second, t = state
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
    t = t + 1
    size = rate * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    parameters = jax.tree.map(
        lambda p, m, v: p - size * m / (jnp.sqrt(v) + EPSILON), parameters, first, second
    )
    return parameters, first, second, t


def sgd(state: Any, gradient: Any, rate: Any) -> Any:
    parameters, velocity = state
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
    parameters = jax.tree.map(
        lambda p, v, g: p - rate * (g + MOMENTUM * v), parameters, velocity, gradient
    )
    return parameters, velocity


def train(state: Any, X: Any, y: Any, orders: Any, rates: Any, case: Case) -> Any:
    """State after all epochs, and their losses.

    `orders` has the rows of each epoch in their order, or is None where a batch is all rows;
    `rates`, of shape (epochs, steps), has the learning rate of each step.
    """
    n_full = X.shape[0] // case.batch
    update = adam if case.solver == "adam" else sgd

    def step(state: Any, x: Any, t: Any, rate: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(state[0], x, t, case.regression)
        decay = ALPHA / case.batch
        gradient = jax.tree.map(lambda g, p: g + decay * p, gradient, state[0])
        return update(state, gradient, rate), value

    def batch(state: Any, chosen: Any) -> Any:
        rows, rate = chosen
        return step(state, X[rows], y[rows], rate)

    def epoch(state: Any, chosen: Any) -> Any:
        order, rates = chosen
        if order is None:
            return step(state, X, y, rates[0])
        n_rows = n_full * case.batch
        batches = order[:n_rows].reshape(n_full, case.batch)
        state, values = lax.scan(batch, state, (batches, rates[:n_full]))
        if n_rows < len(order):
            state, last = batch(state, (order[n_rows:], rates[-1]))
            values = jnp.append(values, last)
        return state, values.mean()

    return lax.scan(epoch, state, (orders, rates))


jitted = jax.jit(train, static_argnames="case")


@cache
def compiled(case: Case, *shapes: Any) -> tuple[Any, float]:
    """The program of a fit for these shapes, and the seconds of compiling it."""
    start = time.perf_counter()
    program = jitted.lower(*jax.tree.unflatten(shapes[0], shapes[1:]), case).compile()
    return program, time.perf_counter() - start


class JaxLoop:
    """Parameters, an optimizer's state, and the compiled program that trains them."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.seed = seed

    def prepare(self, X: np.ndarray, y: np.ndarray) -> float:
        """Compile the program of `fit` for these data; seconds that this takes."""
        return self._program(self._arguments(X, y))[1]

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        arguments = self._arguments(X, y)
        program, _ = self._program(arguments)
        self.state, self.losses = jax.block_until_ready(program(*arguments))

    def partial_fit(self, X: np.ndarray, y: np.ndarray) -> None:
        arguments = (self.state, X, y, None, self._rates(1, 1))
        self.state, self.losses = jax.block_until_ready(jitted(*arguments, case=self.case))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(predict(self.state[0], X, self.case.regression))

    def _program(self, arguments: Any) -> tuple[Any, float]:
        leaves, tree = jax.tree.flatten(arguments)
        shapes = (jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
        return compiled(self.case, tree, *shapes)

    def _arguments(self, X: np.ndarray, y: np.ndarray) -> tuple[Any, ...]:
        n_rows, n_epochs = X.shape[0], self.case.epochs
        generator = np.random.default_rng(self.seed)
        parameters = [
            (
                generator.uniform(-1, 1, shape).astype(X.dtype)
                * np.float32(6 / sum(shape)) ** 0.5,
                np.zeros(shape[1], X.dtype),
            )
            for shape in pairwise(self.case.widths)
        ]
        zeros = jax.tree.map(np.zeros_like, parameters)
        state: tuple[Any, ...] = (parameters, zeros)
        if self.case.solver == "adam":
            state += (zeros, np.float32(0))
        orders = None
        if n_rows > self.case.batch:
            orders = np.empty((n_epochs, n_rows), np.int32)
            for order in orders:
                order[:] = generator.permutation(n_rows)
        n_steps = self.case.n_steps(n_rows)
        return state, X, y, orders, self._rates(n_epochs, n_steps // n_epochs)

    def _rates(self, n_epochs: int, per_epoch: int) -> np.ndarray:
        n_steps = n_epochs * per_epoch
        rates = np.full(n_steps, self.case.rate, np.float32)
        if self.case.one_cycle:
            rates[:] = OneCycle().rates(
                self.case.rate, np.arange(n_steps), Span(0, per_epoch, n_steps)
            )
        return rates.reshape(n_epochs, per_epoch)

    def __getstate__(self) -> dict[str, Any]:
        return {"parameters": jax.tree.map(np.asarray, self.state[0])}
