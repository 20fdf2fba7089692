"""Training loop of stochastic solvers, for one network or a stack.

The arrays of a stack have a leading axis of models. Each model has a ``ModelRun``, which keeps
its history and decides when it stops; a model that stops leaves the stack.
"""

import math
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from skdeep._arrays import Array, column
from skdeep._network.dropout import Dropout
from skdeep._training.averaging import WeightAverage
from skdeep._training.batches import Batches
from skdeep._training.bound_solver import BoundSolver
from skdeep._training.clipping import clip_norm, limit_max_norm
from skdeep._training.fit_task import FitResult, FitTask, row_order_key
from skdeep._training.model_run import ModelRun
from skdeep._training.objective import Objective
from skdeep._training.step_values import StepValues
from skdeep.schedules import Span


class Stack:
    """Fit tasks with equal `stack_key`, and the arrays in which they are trained together."""

    def __init__(self, tasks: Sequence[FitTask]) -> None:
        self.runs = [ModelRun(task) for task in tasks]
        # If all models read the same rows at the same time, each batch is read once.
        self.shares_rows = len(tasks) == 1 or _share_rows(tasks)

    def run(self, interruptible: bool = True) -> list[FitResult | Exception]:
        """Train all tasks; results, or the errors raised, are in the order of the tasks."""
        results: dict[int, FitResult | Exception] = {}
        running = self.runs
        try:
            self._arrange(running)
            self.batches.skip_epochs(running[0].task.n_epochs_before)
            while running:
                outcomes = self._train_until_one_stops()
                for run, outcome in zip(running, outcomes, strict=True):
                    if isinstance(outcome, Exception):
                        results[id(run)] = outcome
                    elif outcome is not None:
                        results[id(run)] = run.result(outcome)
                running = [run for run in running if id(run) not in results]
                if running:
                    self._arrange(running)
        except KeyboardInterrupt:
            if not interruptible:
                raise
            for run in running:
                results[id(run)] = run.result("interrupted")
        return [results[id(run)] for run in self.runs]

    def _arrange(self, runs: list[ModelRun]) -> None:
        # Allocate the arrays of the stack, for all models or for those that are left.
        self.running = runs
        self.deadline = min([run.deadline for run in runs])
        tasks = [run.task for run in runs]
        lead = tasks[0]
        models = () if len(tasks) == 1 else (len(tasks),)
        dtype = lead.theta.dtype
        self.theta = np.empty((*models, lead.theta.size), dtype)
        for row, run in zip(self.theta.reshape(len(tasks), -1), runs, strict=True):
            row[...] = run.theta
        self.grad = np.empty((*models, lead.network.n_trained), dtype)
        self.readers = runs[:1] if self.shares_rows else runs
        self.batches = _batches(self.readers, models)
        self.dropout_rates = np.array([task.dropout for task in tasks]).reshape(*models, -1)
        self.dropout = None
        if lead.dropout:
            generators = [task.mask_generator for task in tasks]
            self.dropout = Dropout(self.dropout_rates, generators)  # type: ignore[arg-type]
        self.objective = Objective(
            lead.network,
            lead.loss,
            column([task.alpha for task in tasks], models, dtype),
            self.theta,
            self.grad,
            self.batches.batch_size,
            self.batches.sparse,
            column([task.l1_ratio for task in tasks], models, dtype),
            self.dropout,
        )
        self.clip_norm = _limits([task.clip_norm for task in tasks], models, dtype)
        self.max_norm = _limits([task.max_norm for task in tasks], models, dtype)
        if self.max_norm is not None:
            self.weights = lead.network.views(self.theta).weights
        n_batches = self.batches.n_batches
        # Spans cover the whole call, including epochs that are already done.
        spans = [Span(run.first_step, n_batches, n_batches * run.task.max_iter) for run in runs]
        self.solver = BoundSolver(
            [run.solver for run in runs],
            [run.solver_state for run in runs],
            spans,
            self.theta[..., : lead.network.n_trained],
            self.grad,
            lead.parts,
        )
        if lead.dropout:
            schedules = [task.dropout_schedule for task in tasks]
            self.dropout_scale = StepValues(schedules, spans, self.solver.errors, high=1)
        self.average = None
        if lead.weight_averaging:
            decays = [task.weight_averaging for task in tasks]
            self.average = WeightAverage(self.theta, decays, runs)
        for i, run in enumerate(runs):
            run.bind(
                self.theta.reshape(len(tasks), -1)[i],
                None if self.average is None else self.average.mean.reshape(len(tasks), -1)[i],
                partial(self.solver.state, i),
            )

    def _train_until_one_stops(self) -> list[str | Exception | None]:
        outcomes: list[str | Exception | None] = [None] * len(self.running)
        try:
            while outcomes.count(None) == len(outcomes):
                losses, shares = self._epoch()
                for i in range(len(outcomes)):
                    outcomes[i] = self._after_epoch(i, losses[i], shares[i])
        finally:
            for i, run in enumerate(self.running):
                if not run.left:
                    run.solver_state = self.solver.state(i)
                reader = i if run in self.readers else 0
                run.rows = self.batches.order(reader)
                if run.task.shuffle and run not in self.readers:
                    # Its generator has drawn nothing, but must advance as if trained alone.
                    generator = self.readers[0].task.generator
                    run.task.generator.set_state(generator.get_state())  # type: ignore[union-attr]
        return outcomes

    def _after_epoch(self, model: int, loss: float, share: float) -> str | Exception | None:
        # Why the model leaves the stack: an outcome, or an error of user-defined code.
        error = self.solver.errors[model]
        if error is not None and not self.running[model].left:
            return error
        rate = float(self.solver.rate.reshape(-1)[model])
        try:
            rate, outcome = self.running[model].after_epoch(loss, rate, share)
        except Exception as error:
            return error
        self.solver.set_rate(model, rate)
        return outcome

    def _epoch(self) -> tuple[list[float], list[float]]:
        # One pass over the rows. Returns each model's mean reported loss over the rows that it
        # has seen, and their fraction of its rows.
        shape = (self.batches.n_batches, *self.theta.shape[:-1])
        losses, penalties, shares = np.empty((3, *shape))
        left: dict[int, int] = {}  # models that have passed their deadline -> steps taken
        scales = None
        if self.dropout is not None and self.dropout_scale.by_step:
            scales = self.dropout_scale.each(self.solver.n_taken, len(losses))
        for i, batch in enumerate(self.batches.epoch()):
            if scales is not None and self.dropout is not None:
                self.dropout.set_rates(self.dropout_rates * next(scales))
            losses[i] = self.objective.loss_and_grad(batch)
            penalties[i] = self.objective.penalty_and_grad(batch.scale)
            shares[i] = batch.share
            if self.clip_norm is not None:
                clip_norm(self.grad, self.clip_norm)
            self.solver.step()
            if self.solver.all_failed:
                break
            if self.max_norm is not None:
                limit_max_norm(self.weights, self.max_norm)
            if self.average is not None:
                self.average.update(self.theta)
            if monotonic() > self.deadline and i + 1 < len(losses):
                self._leave(i + 1, left)
                if None not in self.solver.errors:
                    break
        reported = (self.objective.reported(losses, penalties) * shares).reshape(
            len(losses), -1
        )
        shares = shares.reshape(reported.shape)
        means, seen = np.add.reduce(reported), np.ones(len(self.running))
        for model, n_steps in left.items():
            seen[model] = shares[:n_steps, model].sum()
            means[model] = reported[:n_steps, model].sum() / seen[model]
        return means.tolist(), seen.tolist()

    def _leave(self, n_steps: int, left: dict[int, int]) -> None:
        # Add the models whose deadline has passed, if their schedules have not failed. Until
        # the epoch ends for the others, their copies in the stack go on without being used.
        errors = self.solver.errors
        for i, run in enumerate(self.running):
            if errors[i] is None and run.is_late:
                left[i] = n_steps
                run.leave(self.solver.state(i))
                errors[i] = TimeoutError()  # so that its schedules are not called any more
                if self.dropout is not None:
                    self.dropout.generators[i] = np.random.Generator(np.random.SFC64(0))
        running = zip(self.running, errors, strict=True)
        self.deadline = min([run.deadline for run, e in running if e is None], default=math.inf)


def _batches(readers: Sequence[ModelRun], models: tuple[int, ...]) -> Batches:
    tasks = [run.task for run in readers]
    lead = tasks[0]
    weighted = lead.sample_weight is not None
    return Batches(
        _distinct([task.X for task in tasks]),
        _distinct([task.y for task in tasks]),
        _distinct([task.sample_weight for task in tasks]) if weighted else None,
        # Row numbers as left by the last epoch: each shuffle permutes the previous order.
        rows=[run.rows for run in readers],
        generators=[t.generator for t in tasks] if lead.shuffle else None,  # type: ignore[misc]
        batch_sizes=[task.n_batch_rows for task in tasks],
        models=() if len(readers) == 1 else models,
        dtype=lead.theta.dtype,
    )


def _share_rows(tasks: Sequence[FitTask]) -> bool:
    # Models that share a generator, such as NumPy's global one, each draw their own order.
    generators = [id(task.generator) for task in tasks if task.generator is not None]
    has_own = len(set(generators)) == len(generators)
    return has_own and len({row_order_key(task) for task in tasks}) == 1


def _limits(
    limits: Sequence[float | None], models: tuple[int, ...], dtype: np.dtype
) -> Array | None:
    # Column of limits, infinite for models without one; None if no model has one.
    if all(limit is None for limit in limits):
        return None
    return column([np.inf if limit is None else limit for limit in limits], models, dtype)


def _distinct(tables: list[Any]) -> list[Any]:
    # One table if all models share it.
    return tables[:1] if all(table is tables[0] for table in tables) else tables
