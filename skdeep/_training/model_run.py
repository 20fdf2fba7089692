"""Training of one model: its history, its best epoch, and when it stops."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic

import numpy as np

from skdeep._arrays import Array
from skdeep._training.bound_solver import SolverState
from skdeep._training.fit_task import FitResult, FitTask, History
from skdeep.solvers import StochasticSolver


class ModelRun:
    """Training of one model, alone or in a stack."""

    def __init__(self, task: FitTask) -> None:
        self.task = task
        self.solver: StochasticSolver = task.solver  # type: ignore[assignment]
        self.schedule = self.solver.schedule()
        self.n_rows = task.n_rows
        self.solver_state = state = task.solver_state
        # Resume from the last step, whose parameters may not be those that were returned.
        self.theta = task.theta if state is None or state.live is None else state.live
        n_batches = -(-task.n_rows // task.n_batch_rows)
        # Of the whole fit, including the epochs before it was cut off.
        self.first_step = 0 if state is None else state.n_steps - n_batches * task.n_iter_before
        self.rows = task.rows
        restores = task.validate is not None and task.restore_best
        self.best_theta = task.theta.copy() if restores else None
        self.average = None if state is None else state.average
        self.n_iter = task.n_iter_before
        self.history = task.history.beginning()
        self.deadline = monotonic() + task.max_time
        self.left = False  # has passed its deadline in the middle of an epoch

    @property
    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return monotonic() > self.deadline

    def bind(
        self, theta: Array, average: Array | None, state: Callable[[], SolverState]
    ) -> None:
        """Set the arrays of shape (n_params,) that hold the parameters and their average.

        `state` returns the state of the solver.
        """
        self.theta = theta
        self.average = average
        self._state = state

    @property
    def evaluated(self) -> Array:
        """Parameters to validate and return: the last ones, or their moving average."""
        return self.theta if self.average is None else self.average

    def leave(self, state: SolverState) -> None:
        """Keep the present parameters and solver's state, whatever the stack does next."""
        self.left = True
        self.solver_state = state
        average = None if self.average is None else self.average.copy()
        self.bind(self.theta.copy(), average, lambda: replace(state))

    def after_epoch(
        self, loss: float, rate: float, share: float = 1.0
    ) -> tuple[float, str | None]:
        """Record an epoch, validate and call the callbacks.

        `share` is the fraction of its rows that were seen. Returns the learning rate of the
        next epoch, and the reason to stop, if any.
        """
        task, history = self.task, self.history
        self.n_iter += 1
        history.n_rows_seen += round(self.n_rows * share)
        history.loss_curve.append(loss)
        if not math.isfinite(loss):
            return rate, "diverged"
        score = self._update_best(loss)
        initial = self.solver.learning_rate_init
        rate = self.schedule.after_epoch(rate, initial, history.n_rows_seen)
        outcome = None
        if self.left:
            outcome = "max_time"
        elif history.n_stalled > task.n_iter_no_change:
            slower = self.schedule.on_plateau(rate)
            if slower is None:
                outcome = "converged"
            else:
                rate, history.n_stalled = slower, 0
        if outcome is None and self.n_iter >= task.max_iter:
            outcome = "max_iter"
        now = partial(self._result_so_far, rate, outcome or "running")
        # All are called, even after one asks to stop.
        stops = [on(self.n_iter, loss, score, self.returned, now) for on in task.on_epoch]
        if outcome != "converged" and any(stops):
            return rate, "stopped"
        return rate, outcome or ("max_time" if self.is_late else None)

    def _result_so_far(self, rate: float, outcome: str) -> FitResult:
        # After an epoch; `rate` is the learning rate of the next.
        state = self._state()
        state.rate = state.rate if self.left else rate
        return self._result(outcome, state, self.history.copy())

    def _update_best(self, loss: float) -> float | None:
        history, task = self.history, self.task
        stalls = loss > history.best_loss - task.tol
        history.best_loss = min(loss, history.best_loss)
        score = None
        if task.validate is not None:
            score, validation_loss = task.validate(self.evaluated)
            history.validation_scores.append(score)
            history.validation_loss_curve.append(validation_loss)
            if task.stop_on_score:
                # NaN and infinity count as no improvement.
                improves = score >= history.best_score + task.tol
                stalls = not (improves and math.isfinite(score))
            if math.isfinite(score) and score > history.best_score:
                history.best_score = score
                n_before = len(task.history.validation_scores)
                history.best_iter = n_before + len(history.validation_scores)
                if self.best_theta is not None:
                    np.copyto(self.best_theta, self.evaluated)
        history.n_stalled = history.n_stalled + 1 if stalls else 0
        return score

    @property
    def returned(self) -> Array:
        """Parameters that are returned if training ends now."""
        if self.best_theta is None or not self.history.best_iter:
            return self.evaluated
        return self.best_theta

    def result(self, outcome: str) -> FitResult:
        """Result of the task."""
        return self._result(outcome, self.solver_state, self.history)

    def _result(self, outcome: str, state: SolverState | None, history: History) -> FitResult:
        theta = self.returned.copy()
        if state is not None and self.returned is not self.theta:
            state.live = self.theta.copy()
            state.average = None if self.average is None else self.average.copy()
        moments = () if state is None else state.moments
        # Also false for weights that are too large to be squared.
        if not (math.isfinite(np.vdot(theta, theta)) and np.isfinite(moments).all()):
            outcome = "diverged"
        losses = history.loss_curve or self.task.history.loss_curve
        loss = losses[-1] if losses else math.nan
        return FitResult(theta, state, history, self.n_iter, loss, outcome)
