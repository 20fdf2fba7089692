"""A stochastic solver in use: its moments, step count and learning rates.

Updates run over the flat vector in blocks that fit the L2 cache. The factors of an update are
computed for several steps at once: step by step, they would take a fifth of the time of a small
network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdeep._arrays import Array, blocks, column, plain
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
        self.columns = {
            name: column([getattr(s, name) for s in solvers], models, np.dtype(float))
            for name in self.solver.number_names()
        }
        self.schedules = [(s.schedule(), span) for s, span in zip(solvers, spans, strict=True)]
        self.by_step = any(schedule.by_step for schedule, _ in self.schedules)
        # User-defined functions are called once per step, at that step.
        asks_ahead = all(schedule.asks_ahead for schedule, _ in self.schedules)
        self._max_horizon = MAX_HORIZON if asks_ahead else 1
        # Raised by the models' schedules; the learning rate is 0 from then on.
        self.errors: list[Exception | None] = [None] * len(solvers)
        self.all_failed = False
        for i, state in enumerate(states):
            if state is not None:
                self.moments.reshape(len(self.moments), len(solvers), -1)[:, i] = state.moments
                self.n_steps.reshape(-1)[i] = state.n_steps
                self.rate.reshape(-1)[i] = state.rate
        self._table: list[tuple[Array, ...]] = []
        self._horizon = 1
        cuts = blocks(theta.shape)
        scratch = np.empty((self.solver.n_scratch, *theta[cuts[0]].shape), theta.dtype)
        self.blocks = [
            (
                theta[at],
                grad[at],
                [
                    *(moment[at] for moment in self.moments),
                    *(vector[..., : theta[at].shape[-1]] for vector in scratch),
                ],
            )
            for at in cuts
        ]

    def step(self) -> None:
        """Update `theta` by one step; overwrites `grad`."""
        if not self._table:
            self._tabulate()
        factors = self._table.pop()
        for theta, grad, moments in self.blocks:
            self.solver.update(theta, grad, moments, factors)

    def set_rate(self, model: int, rate: float) -> None:
        """Set the learning rate of one model."""
        rates = self.rate.reshape(-1, copy=False)
        if rate != rates[model]:
            rates[model] = rate
            self.n_steps -= len(self._table)
            self._table.clear()

    def _tabulate(self) -> None:
        # Factors of the next steps, last first. The number of steps doubles each time, so that
        # a single step (partial_fit) computes no more than it needs.
        steps = np.arange(self._horizon)[::-1].reshape(-1, *(1,) * self.n_steps.ndim)
        steps = self.n_steps + steps
        rate = self._rates(steps) if self.by_step else self.rate
        factors = self.solver.factors(self.columns, rate, steps + 1)
        self.n_steps += self._horizon
        columns = []
        for factor in factors:
            cast = factor.astype(self.dtype)
            varies = factor.ndim > self.rate.ndim
            columns.append(
                [plain(row) for row in cast] if varies else [plain(cast)] * len(steps)
            )
        self._table = list(zip(*columns, strict=True))
        self._horizon = min(2 * self._horizon, self._max_horizon)

    def _rates(self, steps: Array) -> Array:
        # Learning rates at steps of shape (horizon, *models, 1), counted from 0.
        rates = np.empty((len(steps), self.rate.size))
        by_model = steps.reshape(rates.shape)
        for i, (schedule, span) in enumerate(self.schedules):
            rates[:, i] = 0
            if self.errors[i] is None:
                try:
                    rates[:, i] = schedule.rates(self.rate.flat[i], by_model[:, i], span)
                except Exception as error:
                    self.errors[i] = error
                    self.all_failed = all(e is not None for e in self.errors)
        return rates.reshape(steps.shape)

    def state(self, model: int) -> SolverState:
        """State of one model, from which the next call resumes."""
        n_models = self.rate.size
        return SolverState(
            type(self.solver),
            self.moments.reshape(len(self.moments), n_models, -1)[:, model].copy(),
            int(self.n_steps.reshape(-1)[model]) - len(self._table),
            float(self.rate.reshape(-1)[model]),
            self.rate_init[model],
        )
