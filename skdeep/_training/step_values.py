"""Values of schedules at each step, one schedule per model."""

from collections.abc import Sequence

import numpy as np

from skdeep._arrays import Array
from skdeep.schedules import Schedule, Span


class StepValues:
    """What the models' schedules make of a number at each step.

    There is one schedule and one span per model. An error that a schedule raises is put into
    `errors`, at the place of its model, for which the value is 0 from then on.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        spans: Sequence[Span],
        errors: list[Exception | None],
    ) -> None:
        self._schedules = list(zip(schedules, spans, strict=True))
        self._errors = errors
        # If False, values are the same at all steps.
        self.by_step = any(schedule.by_step for schedule in schedules)
        # If False, values have to be asked for step by step: user-defined functions are called
        # once per step, at that step.
        self.asks_ahead = all(schedule.asks_ahead for schedule in schedules)

    def at(self, steps: Array, initial: Array) -> Array:
        """Values at steps of shape (horizon, *models, 1), counted from 0.

        `initial`, of shape (*models, 1), are the numbers that the schedules change.
        """
        values = np.empty((len(steps), initial.size))
        by_model = steps.reshape(values.shape)
        for i, (schedule, span) in enumerate(self._schedules):
            values[:, i] = 0
            if self._errors[i] is None:
                try:
                    values[:, i] = schedule.rates(initial.flat[i], by_model[:, i], span)
                except Exception as error:
                    self._errors[i] = error
        return values.reshape(steps.shape)
