"""Training on all rows at once, with L-BFGS."""

import math
import time

import numpy as np

from skdeep._arrays import Array, column
from skdeep._network.inference import chunk_rows
from skdeep._training.batches import Batches
from skdeep._training.fit_task import FitResult, FitTask
from skdeep._training.objective import Objective
from skdeep.solvers import LBFGS


class FullBatch:
    """The objective over all rows, which are read in chunks that fit the cache.

    `theta` is the point evaluated last, `reported` its loss as reported to users.
    """

    def __init__(self, task: FitTask) -> None:
        self.theta = theta = task.theta.copy()
        self.reported = math.nan
        self._grad = np.empty(task.network.n_trained, theta.dtype)
        self._total_grad = np.empty_like(self._grad)
        self._batches = Batches(
            [task.X],
            [task.y],
            None if task.sample_weight is None else [task.sample_weight],
            rows=[task.rows],
            generators=None,
            batch_sizes=[chunk_rows(task.network, task.n_rows)],
            models=(),
            dtype=theta.dtype,
            share_of_epoch=True,
        )
        self._objective = Objective(
            task.network,
            task.loss,
            column([task.alpha], (), theta.dtype),
            theta,
            self._grad,
            self._batches.batch_size,
            self._batches.sparse,
            column([task.l1_ratio], (), theta.dtype),
        )

    def value_and_grad(self, point: Array) -> tuple[float, Array]:
        """Loss plus penalty and its gradient at `point`, of shape (n_trained,)."""
        self.theta[: point.size] = point
        self._total_grad[...] = 0
        loss = 0.0
        for batch in self._batches.epoch():
            loss += float(self._objective.loss_and_grad(batch))
            self._total_grad += self._grad
        self._grad[...] = self._total_grad
        penalty = float(self._objective.penalty_and_grad(batch.scale))
        self.reported = float(self._objective.reported(loss, penalty))
        return loss + penalty, self._grad.astype(np.float64)


def train_full_batch(task: FitTask) -> FitResult:
    """Train one task with L-BFGS."""
    solver: LBFGS = task.solver  # type: ignore[assignment]
    objective = FullBatch(task)
    history = task.history.beginning()
    deadline = time.monotonic() + task.max_time
    stopped = ""

    def on_iteration() -> None:
        nonlocal stopped
        history.loss_curve.append(objective.reported)
        epoch = len(history.loss_curve)
        # All are called, even after one asks to stop.
        loss, theta = objective.reported, objective.theta

        def now() -> FitResult:
            so_far = history.copy()
            so_far.best_loss = min(so_far.best_loss, loss)
            return FitResult(theta.copy(), None, so_far, epoch, loss, "running")

        stops = [on(epoch, loss, None, theta, now) for on in task.on_epoch]
        if any(stops):
            stopped = "stopped"
        elif time.monotonic() > deadline:
            stopped = "max_time"
        if stopped:
            raise StopIteration

    result = solver.minimize(
        objective.value_and_grad,
        task.theta[: task.network.n_trained].astype(np.float64),
        max_iter=task.max_iter,
        tol=task.tol,
        on_iteration=on_iteration,
    )
    objective.value_and_grad(result.x)
    history.best_loss = min(history.best_loss, objective.reported)
    limit = "max_iter" if result.nit >= task.max_iter else "max_fun"
    outcome = stopped or {0: "converged", 1: limit}.get(result.status, str(result.message))
    norm = np.vdot(objective.theta, objective.theta)
    if not (math.isfinite(norm) and math.isfinite(result.fun)):
        outcome = "diverged"
    n_iter = min(result.nit, task.max_iter)
    return FitResult(objective.theta, None, history, n_iter, objective.reported, outcome)
