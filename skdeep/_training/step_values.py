"""Values of schedules at each step, one schedule per model."""

from collections.abc import Iterator, Sequence

import numpy as np

from skdeep._arrays import Array
from skdeep.schedules import Schedule, Span


class StepValues:
    """What the models' schedules make of a number at each step.

    There is one schedule and one span per model. An error that a schedule raises is put into
    `errors`, at the place of its model, for which the value is 0 from then on. It is an error
    too if a value is not in [0, `high`].
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        spans: Sequence[Span],
        errors: list[Exception | None],
        high: float = np.inf,
    ) -> None:
        self._schedules = list(zip(schedules, spans, strict=True))
        self._errors = errors
        self._high = high
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
                    self._check(schedule, values[:, i])
                except Exception as error:
                    self._errors[i] = error
        return values.reshape(steps.shape)

    def _check(self, schedule: Schedule, values: Array) -> None:
        valid = (values >= 0) & (values <= self._high)
        if self._high < np.inf and not valid.all():
            raise ValueError(
                f"{schedule!r} returned {values[~valid][0]}: its values must be in "
                f"[0, {self._high:g}]."
            )

    def each(self, first: Array, n_steps: int) -> Iterator[Array]:
        """Multiples of 1 at `n_steps` steps in turn, from `first`, of shape (*models, 1)."""
        ones = np.ones(first.shape)
        chunk = n_steps if self.asks_ahead else 1
        for start in range(0, n_steps, chunk):
            steps = np.arange(start, start + chunk).reshape(-1, *(1,) * first.ndim)
            yield from self.at(first + steps, ones)
