"""From fit tasks to fitted parameters: epochs, batches, steps, and when to stop.

``train(tasks)`` trains one task, or several of one shape as a stack whose arrays have
the models in front. Numbers that decide about a model (its loss, its best epoch, its
learning rate) are kept for each model by its own ``Watch``; a model that is done leaves
the stack.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skdeep.batches import Batches
from skdeep.losses import Loss
from skdeep.network import Network
from skdeep.objective import Objective
from skdeep.solvers import LBFGS, Descent, SolverState, StochasticSolver, column
from skdeep.threads import blas_threads_for

Array = np.ndarray


@dataclass
class History:
    """How training has gone so far, over all calls that went on from one another.

    Attributes
    ----------
    loss_curve : list of float
        Mean loss of each epoch.
    validation_scores : list of float
        Score on the validation rows after each epoch.
    best_loss, best_score : float
        Lowest loss and highest score so far.
    n_stalled : int
        Epochs since the last that improved by `tol`.
    n_rows_seen : int
        Training rows seen, each epoch's counted anew.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    n_stalled: int = 0
    n_rows_seen: int = 0


@dataclass
class FitTask:
    """All that one fit needs; nothing in it is written to but `generator`.

    Attributes
    ----------
    network : Network
    loss : Loss
    solver : StochasticSolver or LBFGS
    X : ndarray or CSR matrix of shape (n_samples, n_in)
    y : ndarray of shape (n_samples, n_out)
    sample_weight : ndarray of shape (n_samples, 1), or None
    theta : ndarray of shape (n_params,)
        Where training starts; its dtype is that of computation.
    generator : RandomState or None
        Gives the order of the rows; None where `shuffle` is off.
    rows : ndarray of int, or None
        Rows to train on; all where None.
    validate : callable or None
        (weights, biases) -> score, higher is better. Stopping then watches the score
        instead of the loss, and the best epoch's parameters are returned.
    alpha, batch_size, max_iter, shuffle, tol, n_iter_no_change
        As the estimators' parameters.
    solver_state : SolverState or None
        Where the solver goes on from.
    history : History
        What went before.
    on_epoch : callable or None
        (epoch, loss, score or None) -> None, after each epoch.
    """

    network: Network
    loss: Loss
    solver: StochasticSolver | LBFGS
    X: Any
    y: Array
    sample_weight: Array | None
    theta: Array
    generator: np.random.RandomState | None
    rows: Array | None = None
    validate: Callable[[list[Array], list[Array]], float] | None = None
    alpha: float = 0.0001
    batch_size: int = 200
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    solver_state: SolverState | None = None
    history: History = field(default_factory=History)
    on_epoch: Callable[[int, float, float | None], None] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows to train on."""
        return self.X.shape[0] if self.rows is None else len(self.rows)

    @property
    def n_work_bytes(self) -> int:
        """Bytes that a step goes over: parameters, gradient, moments and buffers."""
        n_vectors = 3 + getattr(self.solver, "n_moments", 0)
        widths = [layer.n_out for layer in self.network.layers]
        row = self.network.layers[0].n_in + 3 * sum(widths)
        buffers = min(self.batch_size, self.n_rows) * row * self.theta.itemsize
        return n_vectors * self.theta.nbytes + buffers

    @property
    def n_bytes(self) -> int:
        """Bytes that the fit takes, its data included."""
        return self.n_work_bytes + getattr(self.X, "nbytes", 0) + self.y.nbytes


@dataclass
class FitResult:
    """What came of a fit task.

    Attributes
    ----------
    theta : ndarray of shape (n_params,)
    solver_state : SolverState or None
    history : History
    n_iter : int
        Epochs, or iterations of L-BFGS, of this call.
    loss : float
        Of the last epoch.
    outcome : str
        'converged', 'max_iter', 'interrupted', 'diverged', or L-BFGS's own words where
        it gave up.
    """

    theta: Array
    solver_state: SolverState | None
    history: History
    n_iter: int
    loss: float
    outcome: str


class Cancelled(Exception):
    """Raised by `train` once its `cancelled` event is set."""


def train(
    tasks: Sequence[FitTask], cancelled: threading.Event | None = None
) -> list[FitResult]:
    """Train one task, or several of one shape in lockstep.

    Parameters
    ----------
    tasks : sequence of FitTask
        More than one must agree in what `stack_key` gives.
    cancelled : Event, default=None
        Set by another thread, it ends training after the epoch with `Cancelled`. (Ctrl-C
        in the thread that trains keeps what was learned, as scikit-learn's MLP does.)

    Returns
    -------
    results : list of FitResult
        In the order of `tasks`.
    """
    lead = tasks[0]
    whole = isinstance(lead.solver, LBFGS)
    n_rows = (
        lead.network.chunk_rows(lead.n_rows) if whole else min(lead.batch_size, lead.n_rows)
    )
    # What overflows is found by looking at losses and parameters, and reported.
    with np.errstate(all="ignore"), blas_threads_for(n_rows * lead.network.largest_product):
        if whole:
            return [_minimize(task, cancelled) for task in tasks]
        return Stack(tasks).run(cancelled)


def stack_key(task: FitTask) -> tuple[Any, ...] | None:
    """What tasks that are trained together must have in common; None trains alone.

    All that is a number may differ: rates, penalties, seeds, rows, weights, epochs.
    """
    if isinstance(task.solver, LBFGS) or hasattr(task.X, "tocsr"):
        return None
    n_batches = -(-task.n_rows // min(task.batch_size, task.n_rows))
    numbers = {
        name: value
        for name, value in task.solver.get_params().items()
        if isinstance(value, (str, bool))
    }
    return (
        task.network,
        task.loss,
        type(task.solver),
        tuple(sorted(numbers.items())),
        task.theta.dtype,
        task.X.dtype,
        task.y.dtype,
        None if task.sample_weight is None else task.sample_weight.dtype,
        n_batches,
        task.shuffle,
        task.alpha > 0,
    )


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

    def run(self, cancelled: threading.Event | None = None) -> list[FitResult]:
        """Train until every task is done; results in the order of the tasks."""
        results: dict[int, FitResult] = {}
        running = self.watches
        try:
            while running:
                self._arrange(running)
                outcomes = self._train_until_one_is_done(cancelled)
                for watch, outcome in zip(running, outcomes, strict=True):
                    if outcome:
                        results[id(watch)] = watch.result(outcome)
                running = [
                    w for w, outcome in zip(running, outcomes, strict=True) if not outcome
                ]
        except KeyboardInterrupt:
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
        self.theta = np.stack([watch.theta for watch in watches]).reshape(*models, -1)
        grad = np.empty_like(self.theta)
        self.batches = Batches(
            _distinct([task.X for task in tasks]),
            _distinct([task.y for task in tasks]),
            None if lead.sample_weight is None else _distinct([t.sample_weight for t in tasks]),
            # Row numbers as the last epoch left them: each shuffle permutes the one before.
            rows=[watch.rows for watch in watches],
            generators=[t.generator for t in tasks if t.generator] if lead.shuffle else None,
            batch_sizes=[min(task.batch_size, task.n_rows) for task in tasks],
            models=models,
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

    def _train_until_one_is_done(self, cancelled: threading.Event | None) -> list[str | None]:
        outcomes: list[str | None] = [None] * len(self.running)
        rates = self.descent.rate.reshape(-1)
        try:
            while not any(outcomes):
                _raise_if_set(cancelled)
                losses = self._epoch().reshape(-1).tolist()
                for i, watch in enumerate(self.running):
                    rate, outcomes[i] = watch.after_epoch(losses[i], float(rates[i]))
                    self.descent.set_rate(i, rate)
        finally:
            for i, watch in enumerate(self.running):
                watch.solver_state = self.descent.state(i)
                watch.rows = self.batches.order(i)
        return outcomes

    def _epoch(self) -> Array:
        # One pass over the rows; the mean reported loss, of shape (*models,).
        total = np.zeros(self.theta.shape[:-1])
        for batch in self.batches.epoch():
            loss = self.objective.loss_and_grad(batch)
            penalty = self.objective.penalty_and_grad(batch.scale)
            total += self.objective.reported(loss, penalty) * batch.share
            self.descent.step()
        return total


def _raise_if_set(cancelled: threading.Event | None) -> None:
    if cancelled is not None and cancelled.is_set():
        raise Cancelled


def _distinct(tables: list[Any]) -> list[Any]:
    # One table where all models share it.
    return tables[:1] if all(table is tables[0] for table in tables) else tables


def _minimize(task: FitTask, cancelled: threading.Event | None) -> FitResult:
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
        _raise_if_set(cancelled)
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
