"""From fit tasks to fitted parameters: epochs, batches, steps, and when to stop.

``train(tasks)`` trains one task, or several of one shape as a stack whose arrays have
the models in front. Numbers that decide about a model (its loss, its best epoch, its
learning rate) are kept for each model by its own ``Watch``; a model that is done leaves
the stack.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from skdeep._arrays import Array, column
from skdeep._network.dropout import Dropout
from skdeep._network.threads import blas_threads_for
from skdeep._training.batches import Batches
from skdeep._training.bound_solver import Descent
from skdeep._training.clipping import clip_norm, limit_max_norm
from skdeep._training.fit_task import FitResult, FitTask, order_key
from skdeep._training.objective import Objective
from skdeep.schedules import Span
from skdeep.solvers import LBFGS, StochasticSolver


def train(tasks: Sequence[FitTask], interruptible: bool = True) -> list[FitResult | Exception]:
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
    results : list of FitResult or Exception
        In the order of `tasks`: what each one's own callback, scorer or schedule raised
        takes the place of its result, and the others train on.
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
        self.solver_state = state = task.solver_state
        # Where the last epoch left off, which need not be what was returned.
        self.theta = task.theta if state is None or state.live is None else state.live
        self.first_step = 0 if state is None else state.n_steps
        self.rows = task.rows
        restores = task.validate is not None and task.restore_best
        self.best_theta = task.theta.copy() if restores else None
        self.average = None if state is None else state.average
        self.n_iter = 0
        self.history = task.history.copy()
        self.deadline = time.monotonic() + task.max_time

    def bind(self, theta: Array, average: Array | None) -> None:
        """Follow the given vectors, of shape (n_params,), from here on."""
        self.theta = theta
        self.average = average

    @property
    def evaluated(self) -> Array:
        """The parameters that are validated and returned: the last ones, or their average."""
        return self.theta if self.average is None else self.average

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
        told = [tell(self.n_iter, loss, score, self.returned) for tell in task.on_epoch]
        initial = self.solver.learning_rate_init
        rate = self.schedule.after_epoch(rate, initial, history.n_rows_seen)
        if history.n_stalled > task.n_iter_no_change:
            slower = self.schedule.on_plateau(rate)
            if slower is None:
                return rate, "converged"
            rate, history.n_stalled = slower, 0
        if any(told):
            return rate, "stopped"
        if self.n_iter >= task.max_iter:
            return rate, "max_iter"
        return rate, "max_time" if time.monotonic() > self.deadline else None

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
                # A score that is NaN is no progress.
                stalls = not score >= history.best_score + task.tol
            if math.isfinite(score) and score > history.best_score:
                history.best_score = score
                history.best_iter = len(history.validation_scores)
                if self.best_theta is not None:
                    np.copyto(self.best_theta, self.evaluated)
        history.n_stalled = history.n_stalled + 1 if stalls else 0
        return score

    @property
    def returned(self) -> Array:
        """What training returns where it ends now."""
        if self.best_theta is None or not self.history.best_iter:
            return self.evaluated
        return self.best_theta

    def result(self, outcome: str) -> FitResult:
        """What came of the task."""
        theta = self.returned.copy()
        state = self.solver_state
        if state is not None and self.returned is not self.theta:
            state.live = self.theta.copy()
            state.average = None if self.average is None else self.average.copy()
        if not (
            np.isfinite(theta).all() and (state is None or np.isfinite(state.moments).all())
        ):
            outcome = "diverged"
        curve = self.history.loss_curve
        loss = curve[-1] if curve else math.nan
        return FitResult(theta, self.solver_state, self.history, self.n_iter, loss, outcome)


class WeightAverage:
    """Moving average of the parameters over steps, of decay d [1]_.

    mean <- mean + max(1 - d, 1 / n) (theta - mean) at step n: the plain mean at first, so
    that the start is forgotten, and an exponential one later.

    Parameters
    ----------
    theta : ndarray of shape (*models, n_params)
    decays : sequence of float
        One a model, in (0, 1).
    watches : sequence of Watch
        Which hold the averages so far.

    References
    ----------
    .. [1] Polyak & Juditsky, "Acceleration of stochastic approximation by averaging",
       SIAM Journal on Control and Optimization 30, 1992.
    """

    def __init__(self, theta: Array, decays: Sequence[float], watches: Sequence[Watch]) -> None:
        models = theta.shape[:-1]
        starts = [watch.theta if watch.average is None else watch.average for watch in watches]
        self.mean = np.concatenate(starts).reshape(theta.shape)
        n_before = [
            watch.solver_state.n_steps if watch.solver_state else 0 for watch in watches
        ]
        self._n_steps = column(n_before, models, theta.dtype)
        self._least = column([1 - decay for decay in decays], models, theta.dtype)
        self._away = np.empty_like(theta)

    def update(self, theta: Array) -> None:
        self._n_steps += 1
        np.subtract(theta, self.mean, out=self._away)
        self._away *= np.maximum(self._least, 1 / self._n_steps)
        self.mean += self._away


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

    def run(self, interruptible: bool = True) -> list[FitResult | Exception]:
        """Train until every task is done or has raised; results in the order of the tasks."""
        results: dict[int, FitResult | Exception] = {}
        running = self.watches
        try:
            self._arrange(running)
            self.batches.pass_over(running[0].task.n_epochs_before)
            while running:
                outcomes = self._train_until_one_is_done()
                left = []
                for watch, outcome in zip(running, outcomes, strict=True):
                    if outcome is None:
                        left.append(watch)
                    elif isinstance(outcome, Exception):
                        results[id(watch)] = outcome
                    else:
                        results[id(watch)] = watch.result(outcome)
                running = left
                if running:
                    self._arrange(running)
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
        self.grad = np.empty((*models, lead.network.n_trained), dtype)
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
            self.grad,
            self.batches.batch_size,
            self.batches.sparse,
            column([task.l1_ratio for task in tasks], models, dtype),
            _dropout(tasks, models, dtype),
        )
        self.clip_norm = _limit([task.clip_norm for task in tasks], models, dtype)
        self.max_norm = _limit([task.max_norm for task in tasks], models, dtype)
        if self.max_norm is not None:
            self.weights = lead.network.views(self.theta).weights
        n_batches = self.batches.n_batches
        self.descent = Descent(
            [watch.solver for watch in watches],
            [watch.solver_state for watch in watches],
            # Of the whole call, whatever epochs of it the models left have behind them.
            [Span(w.first_step, n_batches, n_batches * w.task.max_iter) for w in watches],
            self.theta[..., : lead.network.n_trained],
            self.grad,
        )
        self.average = None
        if lead.weight_averaging:
            decays = [task.weight_averaging for task in tasks]
            self.average = WeightAverage(self.theta, decays, watches)
        for i, watch in enumerate(watches):
            watch.bind(
                self.theta.reshape(len(tasks), -1)[i],
                None if self.average is None else self.average.mean.reshape(len(tasks), -1)[i],
            )

    def _train_until_one_is_done(self) -> list[str | Exception | None]:
        outcomes: list[str | Exception | None] = [None] * len(self.running)
        try:
            while outcomes.count(None) == len(outcomes):
                for i, loss in enumerate(self._epoch().reshape(-1).tolist()):
                    outcomes[i] = self._after_epoch(i, loss)
        finally:
            for i, watch in enumerate(self.running):
                watch.solver_state = self.descent.state(i)
                reader = i if watch in self.readers else 0
                watch.rows = self.batches.order(reader)
                if watch.task.shuffle and watch not in self.readers:
                    # It drew nothing, but its owner expects it to have moved.
                    generator = self.readers[0].task.generator
                    watch.task.generator.set_state(generator.get_state())  # type: ignore[union-attr]
        return outcomes

    def _after_epoch(self, model: int, loss: float) -> str | Exception | None:
        # Why the model leaves the stack: an outcome, or what its own code raised.
        error = self.descent.errors[model]
        if error is not None:
            return error
        rate = float(self.descent.rate.reshape(-1)[model])
        try:
            rate, outcome = self.running[model].after_epoch(loss, rate)
        except Exception as error:
            return error
        self.descent.set_rate(model, rate)
        return outcome

    def _epoch(self) -> Array:
        # One pass over the rows; the mean reported loss, of shape (*models,).
        shape = (self.batches.n_batches, *self.theta.shape[:-1])
        losses, penalties, shares = np.empty((3, *shape))
        for i, batch in enumerate(self.batches.epoch()):
            losses[i] = self.objective.loss_and_grad(batch)
            penalties[i] = self.objective.penalty_and_grad(batch.scale)
            shares[i] = batch.share
            if self.clip_norm is not None:
                clip_norm(self.grad, self.clip_norm)
            self.descent.step()
            if self.descent.all_failed:
                break
            if self.max_norm is not None:
                limit_max_norm(self.weights, self.max_norm)
            if self.average is not None:
                self.average.update(self.theta)
        return np.add.reduce(self.objective.reported(losses, penalties) * shares)


def _dropout(
    tasks: Sequence[FitTask], models: tuple[int, ...], dtype: np.dtype
) -> Dropout | None:
    if not tasks[0].dropout:
        return None
    rates = np.array([task.dropout for task in tasks], dtype).reshape(*models, -1)
    return Dropout(rates, [task.mask_generator for task in tasks])  # type: ignore[misc]


def _limit(
    limits: Sequence[float | None], models: tuple[int, ...], dtype: np.dtype
) -> Array | None:
    # Infinite for those that have none; None where nobody has one.
    if all(limit is None for limit in limits):
        return None
    return column([np.inf if limit is None else limit for limit in limits], models, dtype)


def _distinct(tables: list[Any]) -> list[Any]:
    # One table where all models share it.
    return tables[:1] if all(table is tables[0] for table in tables) else tables


def _minimize(task: FitTask) -> FitResult:
    """Train one task on all rows at once, which are read in chunks that fit the cache."""
    solver: LBFGS = task.solver  # type: ignore[assignment]
    theta = task.theta.copy()
    n_trained = task.network.n_trained
    grad = np.empty(n_trained, theta.dtype)
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
        task.network,
        task.loss,
        alpha,
        theta,
        grad,
        batches.batch_size,
        batches.sparse,
        column([task.l1_ratio], (), theta.dtype),
    )
    history = task.history.copy()
    n_before = len(history.loss_curve)
    reported = math.nan

    def value_and_grad(point: Array) -> tuple[float, Array]:
        nonlocal reported
        theta[:n_trained] = point
        total_grad[...] = 0
        loss = 0.0
        for batch in batches.epoch():
            loss += float(objective.loss_and_grad(batch))
            np.add(total_grad, grad, out=total_grad)
        grad[...] = total_grad
        penalty = float(objective.penalty_and_grad(batch.scale))
        reported = float(objective.reported(loss, penalty))
        return loss + penalty, grad.astype(np.float64)

    deadline = time.monotonic() + task.max_time
    stopped = ""

    def on_iteration() -> None:
        nonlocal stopped
        history.loss_curve.append(reported)
        epoch = len(history.loss_curve) - n_before
        told = [tell(epoch, reported, None, theta) for tell in task.on_epoch]
        if any(told):
            stopped = "stopped"
        elif time.monotonic() > deadline:
            stopped = "max_time"
        if stopped:
            raise StopIteration

    found = solver.minimize(
        value_and_grad,
        theta[:n_trained].astype(np.float64),
        max_iter=task.max_iter,
        tol=task.tol,
        on_iteration=on_iteration,
    )
    value_and_grad(found.x)
    history.best_loss = min(history.best_loss, reported)
    outcome = {0: "converged", 1: "max_iter"}.get(found.status, str(found.message))
    outcome = stopped or outcome
    if not (np.isfinite(theta).all() and math.isfinite(found.fun)):
        outcome = "diverged"
    n_iter = min(found.nit, task.max_iter)
    return FitResult(theta, None, history, n_iter, reported, outcome)
