"""Learning rates over the epochs, from a schedule, and their plot."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from skdeep._arrays import Array
from skdeep.inspection.figures import axes_for, one_legend
from skdeep.schedules import Schedule, Span, as_schedule

# Points of a curve, if it has as many steps.
N_POINTS = 1000


def rates_over(
    schedule: Schedule,
    rate: float,
    n_epochs: int,
    n_samples: int,
    batch_size: int,
    n_iter: int | None = None,
) -> tuple[Array, Array]:
    """Learning rates of a call to `fit` that starts with the first step.

    Parameters
    ----------
    schedule : Schedule
    rate : float
        `learning_rate_init`.
    n_epochs : int
        `max_iter`.
    n_samples : int
        Rows that are trained on.
    batch_size : int
    n_iter : int or None
        Epochs whose rates are asked for; None means all.

    Returns
    -------
    epochs : ndarray of shape (n_points,)
        Place of some steps, in epochs: 0 is the first, 1.5 in the middle of the second epoch.
    rates : ndarray of shape (n_points,)

    Raises
    ------
    ValueError
        If the rates depend on the progress of training.
    """
    if schedule.on_plateau(1.0) is not None:
        raise ValueError(
            "The rates of 'adaptive' depend on the progress of training, and are not kept: "
            "they cannot be drawn."
        )
    per_epoch = -(-n_samples // min(batch_size, n_samples))
    span = Span(0, per_epoch, per_epoch * n_epochs)
    # A function of the user is called for each step.
    n_skipped = span.n_steps // N_POINTS if schedule.asks_ahead else 0
    places, rates, initial = [], [], rate
    for epoch in range(n_epochs if n_iter is None else n_iter):
        steps = np.arange(epoch * per_epoch, (epoch + 1) * per_epoch)
        steps = steps[:: n_skipped + 1]
        places.append(steps / per_epoch)
        rates.append(np.broadcast_to(schedule.rates(rate, steps, span), steps.shape))
        rate = schedule.after_epoch(rate, initial, (epoch + 1) * n_samples)
    return np.concatenate(places), np.concatenate(rates)


def _name_of(schedule: Schedule | Callable[[int], float]) -> str:
    return getattr(schedule, "__name__", repr(schedule))


class ScheduleDisplay:
    """Learning rate over the epochs.

    Use :meth:`from_schedule` to make one.

    Parameters
    ----------
    epochs : ndarray of shape (n_points,)
        Places of steps, in epochs.
    rates : ndarray of shape (n_points,)
        Learning rates there.
    name : str, default=None
        For the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    line_ : matplotlib.lines.Line2D

    See Also
    --------
    LossCurveDisplay : The rates of a fit, with its losses.

    Examples
    --------
    >>> from skdeep import OneCycle
    >>> from skdeep.inspection import ScheduleDisplay
    >>> display = ScheduleDisplay.from_schedule(OneCycle(), learning_rate_init=0.1, max_iter=20)
    >>> print(f"{display.rates[0]:.3f}, at most {max(display.rates):.3f}")
    0.004, at most 0.100

    Another one in the same plot:

    >>> both = ScheduleDisplay.from_schedule("cosine", max_iter=20, ax=display.ax_)
    """

    def __init__(self, *, epochs: Array, rates: Array, name: str | None = None) -> None:
        self.epochs = epochs
        self.rates = rates
        self.name = name

    @classmethod
    def from_schedule(
        cls,
        schedule: str | Schedule | Callable[[int], float],
        *,
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        n_samples: int = 2000,
        batch_size: int = 200,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a schedule.

        Parameters
        ----------
        schedule : str, schedule or callable
            What an estimator takes as `learning_rate`.
        learning_rate_init : float in [0, inf), default=0.001
            Initial learning rate. With 'one_cycle' and with a warm-up it is the peak.
        max_iter : int in [1, inf), default=200
            Number of epochs.
        n_samples : int in [1, inf), default=2000
            Number of rows that are trained on.
        batch_size : int in [1, inf), default=200
            Number of rows in a batch.
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            For the legend. None means that of the schedule.
        **kwargs : dict
            For the line.

        Returns
        -------
        display : ScheduleDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            For 'adaptive', whose rates depend on the progress of training.
        """
        given = as_schedule(schedule)
        epochs, rates = rates_over(given, learning_rate_init, max_iter, n_samples, batch_size)
        if name is None:
            name = schedule if isinstance(schedule, str) else _name_of(schedule)
        return cls(epochs=epochs, rates=rates, name=name).plot(ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the rates.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            For the legend, instead of that of the display.
        **kwargs : dict
            For the line.

        Returns
        -------
        display : ScheduleDisplay
            The same.
        """
        self.ax_ = axes_for(ax, type(self).__name__)
        self.figure_ = self.ax_.figure
        label = self.name if name is None else name
        (self.line_,) = self.ax_.plot(self.epochs, self.rates, **{"label": label} | kwargs)
        self.ax_.set(xlabel="Epoch", ylabel="Learning rate")
        if label is not None:
            one_legend(self.ax_)
        return self
