"""Training on all rows at once, by L-BFGS."""

import math
import time

import numpy as np

from skdeep._arrays import Array, column
from skdeep._network.inference import chunk_rows
from skdeep._training.batches import Batches
from skdeep._training.fit_task import FitResult, FitTask
from skdeep._training.objective import Objective
from skdeep.solvers import LBFGS


def train_full_batch(task: FitTask) -> FitResult:
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
        batch_sizes=[chunk_rows(task.network, task.n_rows)],
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
