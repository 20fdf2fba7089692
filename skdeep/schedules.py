"""Learning-rate schedules.

'invscaling' and 'adaptive' change the rate between epochs. The others are functions of the
step that multiply this rate. Lengths in epochs may be fractions; an epoch is one pass over
the rows passed to `fit`. `AcrossCalls` makes it a pass over all rows that are passed to
`partial_fit`, part by part.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass
from numbers import Real
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Interval,
    Spec,
    field_of,
)


@dataclass(frozen=True)
class Span:
    """Steps of one call to `fit` or `partial_fit`.

    Attributes
    ----------
    start : int
        Number of the first step: 0, or the steps of previous calls if the fit is resumed.
    per_epoch : int
        Steps per epoch.
    n_steps : int
        Steps of the call unless it stops early: `max_iter` epochs.
    """

    start: int
    per_epoch: int
    n_steps: int

    def elapsed(self, steps: Array) -> Array:
        """Steps since the start of the call, at most `n_steps`."""
        return np.minimum(steps - self.start, self.n_steps)


class Schedule(Spec):
    """Base class: the rate is constant, and training stops when there is no progress."""

    @property
    def by_step(self) -> bool:
        """If True, the rate changes from step to step: the class defines `rates`."""
        return type(self).rates is not Schedule.rates

    @property
    def by_epoch(self) -> bool:
        """If True, the rate changes between epochs: a method for this is overridden."""
        kind = type(self)
        return (
            kind.after_epoch is not Schedule.after_epoch
            or kind.on_plateau is not Schedule.on_plateau
        )

    @property
    def asks_ahead(self) -> bool:
        """If True, `rates` may be called for steps in advance, some of them never taken."""
        return True

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        """Rate of the next epoch."""
        return rate

    def on_plateau(self, rate: float) -> float | None:
        """Rate after `n_iter_no_change` epochs without progress, or None to stop training."""
        return None

    def rates(self, rate: float, steps: Array, span: Span) -> Array | float:
        """Learning rates of some steps.

        Parameters
        ----------
        rate : float
            `learning_rate_init`, or what the changes between epochs have made of it.
        steps : ndarray of int, of shape (n,)
            Step numbers, counted from 0 at the first step of the first call.
        span : Span
            Steps of the current call.

        Returns
        -------
        rates : float or ndarray of shape (n,)
        """
        return rate


class Constant(Schedule):
    """A constant rate.

    Examples
    --------
    >>> from skdeep.schedules import Constant
    >>> Constant()
    Constant()
    """


@dataclass
class InvScaling(Schedule):
    """initial / (t + 1)^power_t after t samples, updated between epochs.

    Parameters
    ----------
    power_t : float in [0, inf), default=0.5
        Exponent.

    Examples
    --------
    >>> from skdeep.schedules import InvScaling
    >>> InvScaling().after_epoch(rate=0.1, initial=0.1, n_rows_seen=99)
    0.01
    """

    power_t: float = field_of(0.5, NOT_NEGATIVE)

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        return initial / (n_rows_seen + 1) ** self.power_t


class Adaptive(Schedule):
    """The rate, divided by 5 each time there is no progress, down to 1e-6.

    Examples
    --------
    >>> from skdeep.schedules import Adaptive
    >>> Adaptive().on_plateau(0.5)
    0.1
    """

    def on_plateau(self, rate: float) -> float | None:
        return rate / 5 if rate > 1e-6 else None


@dataclass
class InverseTime(Schedule):
    """rate / (1 + decay * epoch) at each step.

    Parameters
    ----------
    decay : float in [0, inf), default=0.1
        The rate is halved after 1 / decay epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import InverseTime, Span
    >>> InverseTime(1.0).rates(0.1, np.array([0, 10]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    decay: float = field_of(0.1, NOT_NEGATIVE)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate / (1 + self.decay * steps / span.per_epoch)


@dataclass
class StepDecay(Schedule):
    """rate * factor^k after k * every epochs.

    Parameters
    ----------
    every : float in (0, inf), default=50
        Epochs between two changes.
    factor : float in (0, inf), default=0.1
        Factor of each change.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Span, StepDecay
    >>> StepDecay(2, 0.5).rates(0.1, np.array([19, 20]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    every: float = field_of(50, POSITIVE)
    factor: float = field_of(0.1, POSITIVE)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * self.factor ** (steps // (self.every * span.per_epoch))


@dataclass
class Exponential(Schedule):
    """rate * decay^epoch at each step.

    Parameters
    ----------
    decay : float in (0, 1], default=0.98
        Factor per epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Exponential, Span
    >>> Exponential(0.5).rates(0.1, np.array([0, 10]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    decay: float = field_of(0.98, Interval(0, 1, "right"))

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * self.decay ** (steps / span.per_epoch)


@dataclass
class Linear(Schedule):
    """A straight line from the rate to `end` times the rate.

    Like the other schedules of finite length, it starts at the first step of the call to
    ``fit``, reaches its end after `max_iter` epochs, and stays there.

    Parameters
    ----------
    end : float in [0, inf), default=0.0
        Final rate as a fraction of the initial rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Linear, Span
    >>> Linear().rates(0.1, np.array([0, 25, 50]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05, 0.  ])
    """

    end: float = field_of(0.0, NOT_NEGATIVE)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * (1 + (self.end - 1) * span.elapsed(steps) / span.n_steps)


@dataclass
class Cosine(Schedule):
    """Half a cosine from the rate to `end` times the rate, with optional warm restarts.

    rate * (end + (1 - end) * (1 + cos(pi * p)) / 2), where p is the elapsed fraction of the
    cycle: equation 5 of [1]_ with cycles of equal length (T_mult = 1), which together last
    for `max_iter` epochs.

    Parameters
    ----------
    restarts : int in [0, inf), default=0
        Number of cycles after the first.
    end : float in [0, inf), default=0.0
        Rate at the end of each cycle as a fraction of the initial rate.

    References
    ----------
    .. [1] Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts",
       ICLR 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Cosine, Span
    >>> Cosine().rates(0.1, np.array([0, 25, 50]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05, 0.  ])
    """

    restarts: int = field_of(0, Interval(0, whole=True))
    end: float = field_of(0.0, NOT_NEGATIVE)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        elapsed, n = span.elapsed(steps), span.n_steps
        # In integers, so that each cycle starts exactly at its first step.
        share = np.where(elapsed < n, elapsed * (self.restarts + 1) % n / n, 1.0)
        return rate * (self.end + (1 - self.end) * (1 + np.cos(np.pi * share)) / 2)


@dataclass
class CosLog(Schedule):
    """Cycles of a full cosine wave from 0 to the rate and back, each twice as long as the last.

    rate * (1 - cos(2 pi log2(1 + (2^cycles - 1) t))) / 2, where t is the elapsed fraction of
    the steps: the "coslog" schedule of [1]_. The first step has a rate of 0, so that a warm-up
    is not needed.

    Parameters
    ----------
    cycles : int in [1, 64], default=4
        Number of cycles, which together last for `max_iter` epochs.

    References
    ----------
    .. [1] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, arXiv 2407.04491.

    Examples
    --------
    The four cycles begin after 0, 1, 3 and 7 fifteenths of the steps:

    >>> import numpy as np
    >>> from skdeep.schedules import CosLog, Span
    >>> span = Span(0, per_epoch=3, n_steps=15)
    >>> CosLog().rates(0.1, np.array([0, 1, 3, 5, 7, 15]), span).round(3).tolist()
    [0.0, 0.0, 0.0, 0.093, 0.0, 0.0]
    """

    cycles: int = field_of(4, Interval(1, 64, "both", whole=True))

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        share = span.elapsed(steps) / span.n_steps
        place = np.log2(1 + (2.0**self.cycles - 1) * share)  # in cycles
        return rate * (1 - np.cos(2 * np.pi * place)) / 2


class FlatCosine(Schedule):
    """The rate for the first half of the steps, then half a cosine down to 0.

    rate * (1 + cos(pi (max(1, 2 t) - 1))) / 2, where t is the elapsed fraction of the steps:
    the "flat_cos" schedule of [1]_, which uses it for dropout and weight decay.

    References
    ----------
    .. [1] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, arXiv 2407.04491.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import FlatCosine, Span
    >>> FlatCosine().rates(0.1, np.array([0, 20, 30, 40]), Span(0, per_epoch=4, n_steps=40))
    array([0.1 , 0.1 , 0.05, 0.  ])
    """

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        share = span.elapsed(steps) / span.n_steps
        return rate * (1 + np.cos(np.pi * (np.maximum(1, 2 * share) - 1))) / 2


@dataclass
class OneCycle(Schedule):
    """Half a cosine up to the rate, then another down to almost zero.

    The one-cycle policy of [1]_ as in PyTorch's OneCycleLR: from rate / div_factor up to the
    rate, its peak, during the first `pct_start` of the steps, then down to
    rate / (div_factor * final_div_factor) at the last step. Momentum stays constant.

    Parameters
    ----------
    pct_start : float in [0, 1), default=0.3
        Fraction of the steps in which the rate increases.
    div_factor : float in [1, inf), default=25.0
        Ratio of the peak rate to the initial rate.
    final_div_factor : float in (0, inf), default=1e4
        Ratio of the initial rate to the final rate.

    References
    ----------
    .. [1] Smith & Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import OneCycle, Span
    >>> OneCycle().rates(0.1, np.array([0, 14, 49]), Span(0, per_epoch=10, n_steps=50))
    array([4.e-03, 1.e-01, 4.e-07])
    """

    pct_start: float = field_of(0.3, SHARE)
    div_factor: float = field_of(25.0, Interval(1))
    final_div_factor: float = field_of(1e4, POSITIVE)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        last = max(span.n_steps - 1, 0)
        peak = min(max(self.pct_start * span.n_steps - 1, 0), last)
        # 0 at the start, 1 at the peak, 2 at the end.
        place = np.interp(span.elapsed(steps), [0, peak, last], [0, 1, 2])
        share = np.where(place < 1, 1.0, 1 / self.final_div_factor) / self.div_factor
        return rate * (share + (1 - share) * (1 - np.cos(np.pi * place)) / 2)


@dataclass
class FromFunction(Schedule):
    """The rate returned by a function of the step.

    Parameters
    ----------
    function : callable
        Takes the step, an int counted from 0, and returns the learning rate, a number in
        [0, inf). It is called exactly once for each step taken, in order.
    parameter : str, default='learning_rate'
        What the function is given for; named in errors.

    Examples
    --------
    >>> from skdeep import SGD
    >>> SGD(learning_rate=lambda step: 0.1 / (step + 1)).schedule().function(9)
    0.01
    """

    function: Callable[[int], float]
    parameter: str = "learning_rate"

    asks_ahead = False

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return np.array([self._rate(step) for step in steps.tolist()])

    def _rate(self, step: int) -> float:
        rate = self.function(step)
        if not isinstance(rate, Real) or not 0 <= float(rate) < np.inf:
            raise ValueError(
                f"{self.parameter}({step}) returned {rate!r}: return a finite number of 0 or "
                "more."
            )
        return float(rate)


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InvScaling,
    "adaptive": Adaptive,
    "inverse_time": InverseTime,
    "step": StepDecay,
    "linear": Linear,
    "exponential": Exponential,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "coslog": CosLog,
    "flat_cosine": FlatCosine,
}


class _Around(Schedule):
    """Base class of schedules that change the rates of another, which decides all else."""

    def inner(self) -> Schedule:
        """The other schedule."""
        raise NotImplementedError

    @property
    def by_epoch(self) -> bool:
        return self.inner().by_epoch

    @property
    def asks_ahead(self) -> bool:
        return self.inner().asks_ahead

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        return self.inner().after_epoch(rate, initial, n_rows_seen)

    def on_plateau(self, rate: float) -> float | None:
        return self.inner().on_plateau(rate)


@dataclass
class WarmUp(_Around):
    """Linear warm-up to the first rate of another schedule, which then starts [1]_.

    In step k of the n warm-up steps, counted from 0, the rate is (k + 1) / (n + 1) of that
    first rate. The other schedule takes the remaining steps, counted from 0 again. A
    resumed fit (``partial_fit``) does not repeat the warm-up.

    Parameters
    ----------
    epochs : float in [0, inf), default=5.0
        Length of the warm-up.
    then : str, schedule or callable, default='constant'
        Schedule after the warm-up, specified like a solver's `learning_rate`.

    References
    ----------
    .. [1] Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour",
       2017, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Span, WarmUp
    >>> WarmUp(1).rates(0.5, np.array([0, 1, 3, 4]), Span(0, per_epoch=4, n_steps=50))
    array([0.1, 0.2, 0.4, 0.5])
    """

    epochs: float = field_of(5.0, NOT_NEGATIVE)
    then: str | Schedule | Callable[[int], float] = field_of("constant", str, Spec, callable)

    kinds_by_name: ClassVar = SCHEDULES

    def inner(self) -> Schedule:
        return as_schedule(self.then)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        n = round(self.epochs * span.per_epoch)
        n_left = span.start + span.n_steps - max(span.start, n)
        after = Span(max(span.start - n, 0), span.per_epoch, max(n_left, 1))
        rates = self.inner().rates(rate, np.maximum(steps - n, 0), after)
        return rates * np.minimum((steps + 1) / (n + 1), 1)


@dataclass
class AcrossCalls(_Around):
    """Another schedule, whose steps and epochs are counted over all calls to `partial_fit`.

    By itself, a schedule takes each call for one epoch and for the whole of training, so that
    one of finite length ends with every call. Here, step 0 is the first step of the first call,
    an epoch has a number of steps that you give, and a schedule of finite length ends after
    `epochs` of these. A call takes a step for each batch, the last of which may be short. The
    changes of 'invscaling' and 'adaptive' between epochs still happen between calls.

    Parameters
    ----------
    schedule : str, schedule or callable
        Specified like a solver's `learning_rate`.
    steps_per_epoch : int in [1, inf)
        Steps of all calls that make up one pass over the data.
    epochs : float in (0, inf), default=1
        Passes over the data after which a schedule of finite length has ended.

    Examples
    --------
    Two passes over 1000 rows, which come in calls with 250 rows, in batches of 100:

    >>> import numpy as np
    >>> from skdeep import AcrossCalls, DeepRegressor
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> rate = AcrossCalls("cosine", steps_per_epoch=4 * 3, epochs=2)
    >>> model = DeepRegressor(learning_rate=rate, batch_size=100)
    >>> for start in [0, 250, 500, 750] * 2:
    ...     rows = X[start : start + 250]
    ...     model = model.partial_fit(rows, rows[:, 0])
    >>> len(model.loss_curve_)
    8
    """

    schedule: str | Schedule | Callable[[int], float] = field_of(MISSING, str, Spec, callable)
    steps_per_epoch: int = field_of(MISSING, COUNT)
    epochs: float = field_of(1, POSITIVE)

    kinds_by_name: ClassVar = SCHEDULES

    def inner(self) -> Schedule:
        return as_schedule(self.schedule)

    def rates(self, rate: float, steps: Array, span: Span) -> Array | float:
        n_steps = max(round(self.epochs * self.steps_per_epoch), 1)
        return self.inner().rates(rate, steps, Span(0, self.steps_per_epoch, n_steps))


def as_schedule(
    schedule: str | Schedule | Callable[[int], float], parameter: str = "learning_rate"
) -> Schedule:
    """Convert a name, a schedule or a function, given for a parameter, to a schedule."""
    if isinstance(schedule, str):
        return SCHEDULES[schedule]()
    return schedule if isinstance(schedule, Schedule) else FromFunction(schedule, parameter)
