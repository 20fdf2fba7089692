"""The learning rate between epochs, as a function of the rows seen and of progress."""

from dataclasses import dataclass


class Schedule:
    """A learning rate that stays what it is; progress that stalls ends the training."""

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        """Rate of the next epoch."""
        return rate

    def on_plateau(self, rate: float) -> float | None:
        """Rate to go on with where progress stalls, or None to stop there."""
        return None


class Constant(Schedule):
    """The initial rate throughout."""


@dataclass(frozen=True)
class InvScaling(Schedule):
    """initial / (t + 1)^power_t after t rows."""

    power_t: float

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        return initial / (n_rows_seen + 1) ** self.power_t


class Adaptive(Schedule):
    """The rate divided by 5 each time progress stalls, down to 1e-6."""

    def on_plateau(self, rate: float) -> float | None:
        return rate / 5 if rate > 1e-6 else None
