"""From fit tasks to fitted parameters: epochs, batches, steps, and when to stop.

``train(tasks)`` trains one task, or several of one shape as a stack whose arrays have
the models in front. Numbers that decide about a model (its loss, its best epoch, its
learning rate) are kept for each model by its own ``ModelRun``; a model that is done leaves
the stack.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdeep._arrays import Array, column
from skdeep._network.dropout import Dropout
from skdeep._training.averaging import WeightAverage
from skdeep._training.batches import Batches
from skdeep._training.bound_solver import BoundSolver
from skdeep._training.clipping import clip_norm, limit_max_norm
from skdeep._training.fit_task import FitResult, FitTask, order_key
from skdeep._training.model_run import ModelRun
from skdeep._training.objective import Objective
from skdeep.schedules import Span


class Stack:
    """Fit tasks of one shape, and the arrays in which they are trained together.

    Parameters
    ----------
    tasks : sequence of FitTask
    """

    def __init__(self, tasks: Sequence[FitTask]) -> None:
        self.watches = [ModelRun(task) for task in tasks]
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

    def _arrange(self, watches: list[ModelRun]) -> None:
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
        self.descent = BoundSolver(
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
