"""From fit tasks to fitted parameters: epochs, batches, steps, and when to stop.

``train(tasks)`` trains one task, or several of one shape as a stack whose arrays have
the models in front. Numbers that decide about a model (its loss, its best epoch, its
learning rate) are kept for each model by its own ``Watch``; a model that is done leaves
the stack.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skdeep.batches import Batches
from skdeep.objective import Objective
from skdeep.solvers import LBFGS, Descent, StochasticSolver
from skdeep.tasks import FitResult, FitTask, order_key
from skdeep.threads import blas_threads_for
from skdeep.vectors import column

Array = np.ndarray


def train(tasks: Sequence[FitTask], interruptible: bool = True) -> list[FitResult]:
    """Train one task, or several of one shape in lockstep.

    Parameters
    ----------
    tasks : sequence of FitTask
        More than one must agree in what `stack_key` gives.
    interruptible : bool, default=True
        Whether Ctrl-C ends training and keeps what was learned, as with scikit-learn's
        MLP, instead of raising KeyboardInterrupt.

    Returns
    -------
    results : list of FitResult
        In the order of `tasks`.
    """
    lead = tasks[0]
    whole = isinstance(lead.solver, LBFGS)
    n_rows = lead.network.chunk_rows(lead.n_rows) if whole else lead.n_batch_rows
    # What overflows is found by looking at losses and parameters, and reported.
    with np.errstate(all="ignore"), blas_threads_for(n_rows * lead.network.largest_product):
        if whole:
            return [_minimize(task) for task in tasks]
        return Stack(tasks).run(interruptible)


class Watch:
    """One model in training: where it is, its figures, and its decision to stop.

    Parameters
    ----------
    task : FitTask
    """

    def __init__(self, task: FitTask) -> None:
        self.task = task
        self.solver: StochasticSolver = task.solver  # type: ignore[assignment]
        self.schedule = self.solver.schedule()
        self.n_rows = task.n_rows
        self.theta = task.theta
        self.solver_state = task.solver_state
        self.rows = task.rows
        self.best_theta = None if task.validate is None else task.theta.copy()
        self.n_iter = 0
        self.history = replace(
            task.history,
            loss_curve=list(task.history.loss_curve),
            validation_scores=list(task.history.validation_scores),
        )

    def bind(self, theta: Array) -> None:
        """Follow the given vector, of shape (n_params,), from here on."""
        self.theta = theta
        self._views = self.task.network.views(theta)

    def after_epoch(self, loss: float, rate: float) -> tuple[float, str | None]:
        """Take note of an epoch.

        Returns
        -------
        rate : float
            Learning rate to go on with.
        outcome : str or None
            Why to stop here; None goes on.
        """
        task, history = self.task, self.history
        self.n_iter += 1
        history.n_rows_seen += self.n_rows
        history.loss_curve.append(loss)
        if not math.isfinite(loss):
            return rate, "diverged"
        score = self._update_best(loss)
        if task.on_epoch:
            task.on_epoch(self.n_iter, loss, score)
        initial = self.solver.learning_rate_init
        rate = self.schedule.after_epoch(rate, initial, history.n_rows_seen)
        if history.n_stalled > task.n_iter_no_change:
            slower = self.schedule.on_plateau(rate)
            if slower is None:
                return rate, "converged"
            rate, history.n_stalled = slower, 0
        return rate, "max_iter" if self.n_iter >= task.max_iter else None

    def _update_best(self, loss: float) -> float | None:
        history, tol = self.history, self.task.tol
        if self.task.validate is None:
            stalls = loss > history.best_loss - tol
            history.best_loss = min(loss, history.best_loss)
            score = None
        else:
            score = self.task.validate(*self._views)
            history.validation_scores.append(score)
            stalls = score < history.best_score + tol
            if score > history.best_score:
                history.best_score = score
                np.copyto(self.best_theta, self.theta)  # type: ignore[arg-type]
        history.n_stalled = history.n_stalled + 1 if stalls else 0
        return score

    def result(self, outcome: str) -> FitResult:
        """What came of the task."""
        theta = self.theta.copy() if self.best_theta is None else self.best_theta
        state = self.solver_state
        if not (
            np.isfinite(theta).all() and (state is None or np.isfinite(state.moments).all())
        ):
            outcome = "diverged"
        curve = self.history.loss_curve
        loss = curve[-1] if curve else math.nan
        return FitResult(theta, self.solver_state, self.history, self.n_iter, loss, outcome)


class Stack:
    """Fit tasks of one shape, and the arrays in which they are trained together.

    Parameters
    ----------
    tasks : sequence of FitTask
    """

    def __init__(self, tasks: Sequence[FitTask]) -> None:
        self.watches = [Watch(task) for task in tasks]
        # Whether all take the same rows at the same time: then a batch is read once.
        self.in_step = len({order_key(task) for task in tasks}) == 1

    def run(self, interruptible: bool = True) -> list[FitResult]:
        """Train until every task is done; results in the order of the tasks."""
        results: dict[int, FitResult] = {}
        running = self.watches
        try:
            while running:
                self._arrange(running)
                outcomes = self._train_until_one_is_done()
                for watch, outcome in zip(running, outcomes, strict=True):
                    if outcome:
                        results[id(watch)] = watch.result(outcome)
                running = [
                    w for w, outcome in zip(running, outcomes, strict=True) if not outcome
                ]
        except KeyboardInterrupt:
            if not interruptible:
                raise
            for watch in running:
                results[id(watch)] = watch.result("interrupted")
        return [results[id(watch)] for watch in self.watches]

    def _arrange(self, watches: list[Watch]) -> None:
        # The stack's arrays, for all models or for those that are left.
        self.running = watches
        tasks = [watch.task for watch in watches]
        lead = tasks[0]
        models = () if len(tasks) == 1 else (len(tasks),)
        dtype = lead.theta.dtype
        self.theta = np.empty((*models, lead.theta.size), dtype)
        for row, watch in zip(self.theta.reshape(len(tasks), -1), watches, strict=True):
            row[...] = watch.theta
        grad = np.empty_like(self.theta)
        self.readers = watches[:1] if self.in_step else watches
        reading = [watch.task for watch in self.readers]
        self.batches = Batches(
            _distinct([task.X for task in reading]),
            _distinct([task.y for task in reading]),
            None
            if lead.sample_weight is None
            else _distinct([task.sample_weight for task in reading]),
            # Row numbers as the last epoch left them: each shuffle permutes the one before.
            rows=[watch.rows for watch in self.readers],
            generators=[t.generator for t in reading if t.generator] if lead.shuffle else None,
            batch_sizes=[task.n_batch_rows for task in reading],
            models=() if len(reading) == 1 else models,
            dtype=dtype,
        )
        self.objective = Objective(
            lead.network,
            lead.loss,
            column([task.alpha for task in tasks], models, dtype),
            self.theta,
            grad,
            self.batches.batch_size,
            self.batches.sparse,
        )
        self.descent = Descent(
            [watch.solver for watch in watches],
            [watch.solver_state for watch in watches],
            self.theta,
            grad,
        )
        for watch, theta in zip(watches, self.theta.reshape(len(tasks), -1), strict=True):
            watch.bind(theta)

    def _train_until_one_is_done(self) -> list[str | None]:
        outcomes: list[str | None] = [None] * len(self.running)
        rates = self.descent.rate.reshape(-1)
        try:
            while not any(outcomes):
                losses = self._epoch().reshape(-1).tolist()
                for i, watch in enumerate(self.running):
                    rate, outcomes[i] = watch.after_epoch(losses[i], float(rates[i]))
                    self.descent.set_rate(i, rate)
        finally:
            for i, watch in enumerate(self.running):
                watch.solver_state = self.descent.state(i)
                reader = i if watch in self.readers else 0
                watch.rows = self.batches.order(reader)
                if watch not in self.readers and watch.task.generator:
                    # It drew nothing, but whoever shares it with us counts on that.
                    generator = self.readers[0].task.generator
                    watch.task.generator.set_state(generator.get_state())  # type: ignore[union-attr]
        return outcomes

    def _epoch(self) -> Array:
        # One pass over the rows; the mean reported loss, of shape (*models,).
        shape = (self.batches.n_batches, *self.theta.shape[:-1])
        losses, penalties, shares = np.empty((3, *shape))
        for i, batch in enumerate(self.batches.epoch()):
            losses[i] = self.objective.loss_and_grad(batch)
            penalties[i] = self.objective.penalty_and_grad(batch.scale)
            shares[i] = batch.share
            self.descent.step()
        return np.add.reduce(self.objective.reported(losses, penalties) * shares)


def _distinct(tables: list[Any]) -> list[Any]:
    # One table where all models share it.
    return tables[:1] if all(table is tables[0] for table in tables) else tables


def _minimize(task: FitTask) -> FitResult:
    """Train one task on all rows at once, which are read in chunks that fit the cache."""
    solver: LBFGS = task.solver  # type: ignore[assignment]
    theta = task.theta.copy()
    grad = np.empty_like(theta)
    total_grad = np.empty_like(theta)
    batches = Batches(
        [task.X],
        [task.y],
        None if task.sample_weight is None else [task.sample_weight],
        rows=[task.rows],
        generators=None,
        batch_sizes=[task.network.chunk_rows(task.n_rows)],
        models=(),
        dtype=theta.dtype,
        share_of_epoch=True,
    )
    alpha = column([task.alpha], (), theta.dtype)
    objective = Objective(
        task.network, task.loss, alpha, theta, grad, batches.batch_size, batches.sparse
    )
    history = replace(task.history, loss_curve=list(task.history.loss_curve))
    n_before = len(history.loss_curve)
    reported = math.nan

    def value_and_grad(point: Array) -> tuple[float, Array]:
        nonlocal reported
        theta[...] = point
        total_grad[...] = 0
        loss = 0.0
        for batch in batches.epoch():
            loss += float(objective.loss_and_grad(batch))
            np.add(total_grad, grad, out=total_grad)
        grad[...] = total_grad
        penalty = float(objective.penalty_and_grad(batch.scale))
        reported = float(objective.reported(loss, penalty))
        return loss + penalty, grad.astype(np.float64)

    def on_iteration() -> None:
        history.loss_curve.append(reported)
        if task.on_epoch:
            task.on_epoch(len(history.loss_curve) - n_before, reported, None)

    found = solver.minimize(
        value_and_grad,
        theta.astype(np.float64),
        max_iter=task.max_iter,
        tol=task.tol,
        on_iteration=on_iteration,
    )
    value_and_grad(found.x)
    history.best_loss = min(history.best_loss, reported)
    outcome = {0: "converged", 1: "max_iter"}.get(found.status, str(found.message))
    if not (np.isfinite(theta).all() and math.isfinite(found.fun)):
        outcome = "diverged"
    n_iter = min(found.nit, task.max_iter)
    return FitResult(theta, None, history, n_iter, reported, outcome)
