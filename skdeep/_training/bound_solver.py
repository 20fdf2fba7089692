"""A stochastic solver in use: its moments, step count and learning rates.

Updates run over the flat vector in blocks that fit the L2 cache. The factors of an update are
computed for several steps at once: step by step, they would take a fifth of the time of a small
network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdeep._arrays import Array, blocks, column, plain
from skdeep._network.network import Part
from skdeep._training.step_values import StepValues
from skdeep.schedules import Span
from skdeep.solvers import StochasticSolver

# Maximum number of steps whose factors are computed at once.
MAX_HORIZON = 64


@dataclass
class SolverState:
    """State of a stochastic solver for one network, kept between calls."""

    solver: type[StochasticSolver]
    moments: Array  # (n_moments, n_params)
    n_steps: int
    rate: float  # current learning rate, as changed between epochs
    rate_init: float  # the `learning_rate_init` that it started from
    # Parameters of the last step and their moving average, if the fit returned others.
    live: Array | None = None
    average: Array | None = None


class BoundSolver:
    """A stochastic solver connected to the parameters of one network or of a stack.

    There is one solver, state to resume from (or None) and span of steps per model. Solvers
    are of one class; their numbers and schedules may differ. `theta` and `grad` have shape
    (*models, n_trained).
    """

    def __init__(
        self,
        solvers: Sequence[StochasticSolver],
        states: Sequence[SolverState | None],
        spans: Sequence[Span],
        theta: Array,
        grad: Array,
        parts: Sequence[Part] = (),
    ) -> None:
        models = theta.shape[:-1]
        self.solver = solvers[0]
        self.dtype = theta.dtype
        self.moments = np.zeros((self.solver.n_moments, *theta.shape), theta.dtype)
        self.n_steps = np.zeros((*models, 1), np.int64)  # including those in the table
        self.rate_init = [
            solver.learning_rate_init if state is None else state.rate_init
            for solver, state in zip(solvers, states, strict=True)
        ]
        self.rate = column(self.rate_init, models, np.dtype(float))
        names = self.solver.number_names()
        numbers = np.array([[getattr(s, name) for s in solvers] for name in names], float)
        self.columns = dict(zip(names, numbers.reshape(-1, *models, 1), strict=True))
        # Raised by the models' schedules; the learning rate is 0 from then on.
        self.errors: list[Exception | None] = [None] * len(solvers)
        self.all_failed = False
        self._rates = StepValues([s.schedule() for s in solvers], spans, self.errors)
        # Schedules of other hyperparameters, by name.
        scales = {
            name: StepValues([s.scales()[name] for s in solvers], spans, self.errors)
            for name in self.solver.scales()
        }
        self._scales = {name: scale for name, scale in scales.items() if scale.by_step}
        asks_ahead = all(values.asks_ahead for values in (self._rates, *self._scales.values()))
        self._max_horizon = MAX_HORIZON if asks_ahead else 1
        for i, state in enumerate(states):
            if state is not None:
                self.moments.reshape(len(self.moments), len(solvers), -1)[:, i] = state.moments
                self.n_steps.reshape(-1)[i] = state.n_steps
                self.rate.reshape(-1)[i] = state.rate
        self._table: list[tuple[tuple[Array, ...], ...]] = []  # of each step, of each kind
        self._horizon = 1
        parts = merged(parts or [Part(0, theta.shape[-1])], theta.shape[-1])
        # Factors are computed once for each distinct pair of rate and decay.
        self._kinds = list(dict.fromkeys((part.rate, part.decay) for part in parts))
        self.blocks = self._bind_blocks(theta, grad, parts)

    def _bind_blocks(
        self, theta: Array, grad: Array, parts: Sequence[Part]
    ) -> list[tuple[int, Array, Array, list[Array]]]:
        # The arrays that each update of a block takes, and which of the kinds it is.
        cuts = [
            (self._kinds.index((part.rate, part.decay)), at)
            for part in parts
            for at in blocks(theta.shape, part.start, part.stop)
        ]
        width = max(theta[at].shape[-1] for _, at in cuts)
        scratch = np.empty((self.solver.n_scratch, *theta.shape[:-1], width), theta.dtype)
        return [
            (
                kind,
                theta[at],
                grad[at],
                [
                    *(moment[at] for moment in self.moments),
                    *(vector[..., : theta[at].shape[-1]] for vector in scratch),
                ],
            )
            for kind, at in cuts
        ]

    def step(self) -> None:
        """Update `theta` by one step; overwrites `grad`."""
        if not self._table:
            self._tabulate()
        factors = self._table.pop()
        for kind, theta, grad, moments in self.blocks:
            self.solver.update(theta, grad, moments, factors[kind])

    def set_rate(self, model: int, rate: float) -> None:
        """Set the learning rate of one model."""
        rates = self.rate.reshape(-1, copy=False)
        if rate != rates[model]:
            rates[model] = rate
            self.n_steps -= len(self._table)
            self._table.clear()

    @property
    def n_taken(self) -> Array:
        """Steps taken so far, of shape (*models, 1)."""
        return self.n_steps - len(self._table)

    def _tabulate(self) -> None:
        # Factors of the next steps, last first. The number of steps doubles each time, so that
        # a single step (partial_fit) computes no more than it needs.
        steps = np.arange(self._horizon)[::-1].reshape(-1, *(1,) * self.n_steps.ndim)
        steps = self.n_steps + steps
        rate = self._rates.at(steps, self.rate) if self._rates.by_step else self.rate
        columns = dict(self.columns)
        for name, scale in self._scales.items():
            columns[name] = columns[name] * scale.at(steps, np.ones(self.rate.shape))
        self.all_failed = None not in self.errors
        self.n_steps += self._horizon
        tables = [self._factors(columns, rate, steps, *kind) for kind in self._kinds]
        self._table = list(zip(*tables, strict=True))
        self._horizon = min(2 * self._horizon, self._max_horizon)

    def _factors(
        self,
        columns: dict[str, Array],
        rate: Array,
        steps: Array,
        part_rate: float,
        part_decay: float,
    ) -> list[tuple[Array, ...]]:
        # Factors of each step for parts of the given rate and decay.
        if "weight_decay" in columns:
            columns = columns | {"weight_decay": columns["weight_decay"] * part_decay}
        by_factor = []
        for factor in self.solver.factors(columns, rate * part_rate, steps + 1):
            cast = factor.astype(self.dtype)
            varies = factor.ndim > self.rate.ndim
            by_factor.append(
                [plain(row) for row in cast] if varies else [plain(cast)] * len(steps)
            )
        return list(zip(*by_factor, strict=True))

    def state(self, model: int) -> SolverState:
        """State of one model, from which the next call resumes."""
        n_models = self.rate.size
        return SolverState(
            type(self.solver),
            self.moments.reshape(len(self.moments), n_models, -1)[:, model].copy(),
            int(self.n_taken.flat[model]),
            float(self.rate.reshape(-1)[model]),
            self.rate_init[model],
        )


def merged(parts: Sequence[Part], n_trained: int) -> list[Part]:
    """Parts with neighbors of equal factors joined; ValueError unless they cover the vector."""
    starts, stops = [part.start for part in parts], [part.stop for part in parts]
    if [*starts, n_trained] != [0, *stops]:
        raise ValueError(
            f"parts must cover [0, {n_trained}) in order, each beginning where the one before "
            f"ends; got {list(zip(starts, stops, strict=True))}."
        )
    joined = [parts[0]]
    for part in parts[1:]:
        if part[2:] == joined[-1][2:]:
            joined[-1] = joined[-1]._replace(stop=part.stop)
        else:
            joined.append(part)
    return joined
