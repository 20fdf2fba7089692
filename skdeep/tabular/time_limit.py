"""`max_time`: as many epochs as there is time for, so that the learning rate still falls to 0.

A few steps of the members are trained for a trial and thrown away; their time says how many
epochs the budget allows. The core ends training at the deadline in any case.
"""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._parallel.conductor import train_tasks
from skdeep._training.fit_task import FitTask

# Share of the time that is planned for training. The rest is for out-of-fold predictions, and
# for steps that take longer than in the trial.
PLANNED = 0.85

# Batches of a trial epoch, after one to warm up.
N_TRIAL_BATCHES = 5

# If there is no time for as many epochs, each has fewer rows instead.
MIN_EPOCHS = 8


def within(tasks: Sequence[FitTask], seconds: float, n_jobs: int) -> list[FitTask]:
    """The tasks, with as many epochs and rows as there is time for.

    `tasks` are trained at the same time, dealt out to `n_jobs` jobs.
    """
    deadline = time.monotonic() + seconds
    step, validation = (each / n_jobs for each in _seconds(tasks))
    n_batches = -(-tasks[0].n_rows // tasks[0].n_batch_rows)
    left = PLANNED * (deadline - time.monotonic()) - validation
    n_epochs = int(left / (n_batches * step + validation))
    max_iter = tasks[0].max_iter
    limited = []
    for task in tasks:
        task = replace(task, max_time=max(deadline - time.monotonic(), 1e-3))
        if n_epochs < max_iter:
            task.max_iter = max(n_epochs, min(MIN_EPOCHS, max_iter))
        if n_epochs < task.max_iter:
            # A part of the rows, and of those to validate on.
            share = left / (task.max_iter * (n_batches * step + validation))
            task = _part_of_rows(task, max(share, 0.0))
        limited.append(task)
    return limited


def _part_of_rows(task: FitTask, share: float) -> FitTask:
    validate: Any = task.validate
    rows, held_out = _rows(task), validate.data.rows
    n_batches = max(1, math.floor(share * -(-len(rows) // task.batch_size)))
    generator = np.random.RandomState(len(rows))
    part = generator.permutation(rows)[: n_batches * task.batch_size]
    n_held_out = max(1, math.ceil(share * len(held_out)))
    validation = validate.part(generator.permutation(len(held_out))[:n_held_out])
    return replace(task, rows=np.sort(part), validate=validation)


def _rows(task: FitTask) -> Array:
    assert task.rows is not None
    return task.rows


def _seconds(tasks: Sequence[FitTask]) -> tuple[float, float]:
    """Seconds of a step of all tasks, and of validating all of them."""
    ends: list[float] = []
    trial = [
        replace(
            task,
            rows=_rows(task)[: N_TRIAL_BATCHES * task.n_batch_rows],
            max_iter=2,
            validate=None,
            on_epoch=[lambda *_: ends.append(time.monotonic())] if k == 0 else [],
            generator=copy.deepcopy(task.generator),
            mask_generator=copy.deepcopy(task.mask_generator),
        )
        for k, task in enumerate(tasks)
    ]
    train_tasks(trial)
    n_steps = -(-trial[0].n_rows // trial[0].n_batch_rows)
    start = time.monotonic()
    validate: Any = tasks[0].validate
    validate(tasks[0].theta)
    validation = (time.monotonic() - start) * len(tasks)
    return (ends[1] - ends[0]) / n_steps, validation
