"""What a fit leaves for the next one to resume: history, solver state, random numbers."""

import copy
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skdeep._training.bound_solver import SolverState
from skdeep._training.fit_task import FitResult, FitTask, History
from skdeep.estimators.build import batch_size_of
from skdeep.estimators.model import Model, model_of


@dataclass
class RandomStream:
    """The random numbers of a fit, which a warm start continues.

    `state` is that of the generator before the first draw, None if an int determines it;
    `n_epochs` is the number of epochs drawn so far. If `draws_weights`, they come after initial
    weights.
    """

    random_state: Any
    state: Any
    n_rows: int
    draws_weights: bool
    n_epochs: int = 0

    def fits(self, random_state: Any, n_rows: int) -> bool:
        """Whether a fit with this parameter and this many rows can continue the stream."""
        same = random_state is self.random_state or random_state == self.random_state
        return same and n_rows == self.n_rows

    def generator(self) -> np.random.RandomState:
        """A generator as it was before the first draw."""
        if self.state is None:
            return check_random_state(self.random_state)
        generator = np.random.RandomState()
        generator.set_state(self.state)
        return generator


@dataclass
class TrainingState:
    """Where training stands at the end of a fit.

    `checksum` is that of the parameters that the fit returned, if the solver continues from
    others; `mask_generator` draws dropout masks.
    """

    history: History
    solver_state: SolverState | None = None
    checksum: int | None = None
    stream: RandomStream | None = None
    mask_generator: np.random.Generator | None = None
    outcome: str = "running"  # as of `FitResult`

    @classmethod
    def after(
        cls,
        task: FitTask,
        result: FitResult,
        history: History,
        model: Model,
        stream: RandomStream | None,
    ) -> "TrainingState":
        """Where a task's training stands."""
        if stream is not None:
            n_epochs = task.n_epochs_before - task.n_iter_before + result.n_iter
            stream = replace(stream, n_epochs=n_epochs)
        state = result.solver_state
        returns_others = state is not None and state.live is not None
        checksum = task.network.checksum(model.params) if returns_others else None
        masks, outcome = task.mask_generator, result.outcome
        return cls(history, state, checksum, stream, masks, outcome)


class Done(NamedTuple):
    """What was done of a fit that was cut off, by the process that it was cut off in."""

    n_iter: int = 0
    seconds: float = 0.0


class Randomness(NamedTuple):
    """What a fit draws from, and the solver state that it resumes."""

    stream: RandomStream | None  # None if no later fit can continue it
    generator: np.random.RandomState | None  # None if nothing depends on its draws
    solver_state: SolverState | None

    @property
    def n_epochs_before(self) -> int:
        """Number of epochs whose draws are skipped."""
        return 0 if self.stream is None else self.stream.n_epochs


def randomness_of(
    estimator: Any,
    n_rows: int,
    solver: Any,
    fresh: bool,
    incremental: bool,
    n_iter_before: int,
) -> Randomness:
    """The random numbers and the solver state of a fit on `n_rows` rows."""
    state = None if fresh else _solver_state(estimator, solver, incremental)
    stream = None if fresh or incremental else estimator._training_state.stream
    random_state = estimator.random_state
    if stream is not None and state is not None and stream.fits(random_state, n_rows):
        generator = stream.generator()
        began_here = stream.n_epochs == n_iter_before
        if began_here and isinstance(random_state, np.random.RandomState):
            # The fit that was cut off drew from the user's generator, and moves it.
            random_state.set_state(generator.get_state())
            generator = random_state
        return Randomness(stream, generator, state)
    # Seeding a generator takes a fifth of a one-row partial_fit: it is not made if nobody
    # else draws from it and nothing depends on it.
    seeded = isinstance(random_state, Integral)
    if (
        seeded
        and n_rows <= batch_size_of(estimator)
        and not (fresh or estimator.early_stopping)
    ):
        return Randomness(None, None, state)
    generator = check_random_state(random_state)
    if incremental:
        return Randomness(None, generator, state)
    start = None if seeded else generator.get_state()
    stream = RandomStream(random_state, start, n_rows, draws_weights=fresh)
    return Randomness(stream, generator, state)


def current_state_of(estimator: Any) -> TrainingState:
    """The state of training of a fitted estimator, with the parameters that it has now."""
    before: TrainingState = estimator._training_state
    state = before.solver_state
    # The last epoch's parameters are outdated if the user has changed those returned.
    is_live = state is not None and state.live is not None
    if is_live and estimator._network.checksum(model_of(estimator).params) != before.checksum:
        state = replace(state, live=None, average=None)  # type: ignore[type-var]
        return replace(before, solver_state=state, checksum=None)
    return before


def set_state_of(estimator: Any, state: TrainingState) -> None:
    """Set the state from which the training of a fitted estimator goes on."""
    estimator._training_state = state


def _solver_state(estimator: Any, solver: Any, incremental: bool) -> SolverState | None:
    before: SolverState | None = estimator._training_state.solver_state
    if before is None or type(solver) is not before.solver:
        return None
    state = current_state_of(estimator).solver_state or before
    if not incremental:
        # A learning rate that the user has changed counts from now on.
        rate = state.rate * (solver.learning_rate_init / state.rate_init)
        state = replace(state, rate=rate, rate_init=solver.learning_rate_init)
    return state


def mask_generator_of(
    estimator: Any, generator: np.random.RandomState | None, fresh: bool
) -> np.random.Generator:
    """Generator of dropout masks, seeded from the fit's generator."""
    if generator is None:
        generator = check_random_state(estimator.random_state)
    # Drawn even if the previous fit's generator is continued: later draws stay the same.
    seed = generator.randint(2**31)
    before = None if fresh else estimator._training_state.mask_generator
    if before is None:
        return np.random.Generator(np.random.SFC64(seed))
    return copy.deepcopy(before)
