"""The learning rate over a training: between epochs, or at every step.

'invscaling' and 'adaptive' act between epochs, on the rate that a fit goes on with; the
other schedules are pure functions of the step, multiples of that rate. An epoch, where a
schedule speaks of one, is a pass over the rows of the call, and may be a fraction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import (
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Interval,
    Spec,
    field_of,
)


@dataclass(frozen=True)
class Span:
    """The steps of one call to a fit.

    Attributes
    ----------
    start : int
        Number of the first step: 0, or the steps taken before by the fit that goes on.
    per_epoch : int
        Steps in an epoch.
    n_steps : int
        Steps that the call takes if nothing stops it: `max_iter` epochs.
    """

    start: int
    per_epoch: int
    n_steps: int

    def elapsed(self, steps: Array) -> Array:
        """Steps since the call began, `n_steps` at most."""
        return np.minimum(steps - self.start, self.n_steps)


class Schedule(Spec):
    """Base of the schedules: the rate stays; progress that stalls ends the training.

    Attributes
    ----------
    by_step : bool
        Whether `rates` is to be asked, because they differ from step to step.
    asks_ahead : bool
        Whether `rates` may be asked for steps that are never taken.
    """

    by_step: ClassVar[bool] = False

    @property
    def asks_ahead(self) -> bool:
        return True

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        """Rate of the next epoch."""
        return rate

    def on_plateau(self, rate: float) -> float | None:
        """Rate to go on with where progress stalls, or None to stop there."""
        return None

    def rates(self, rate: float, steps: Array, span: Span) -> Array | float:
        """Learning rates of some steps.

        Parameters
        ----------
        rate : float
            What `learning_rate_init` and the changes between epochs have come to.
        steps : ndarray of int, of shape (n,)
            Counted from 0, over all calls that went on from one another.
        span : Span
            The call that they belong to.

        Returns
        -------
        rates : ndarray of shape (n,), or one number for all
        """
        return rate


@dataclass
class Constant(Schedule):
    """The initial rate throughout.

    Examples
    --------
    >>> from skdeep.schedules import Constant
    >>> Constant()
    Constant()
    """


@dataclass
class InvScaling(Schedule):
    """initial / (t + 1)^power_t after t rows, changed between epochs.

    Parameters
    ----------
    power_t : float, default=0.5
        In [0, inf).

    Examples
    --------
    >>> from skdeep.schedules import InvScaling
    >>> InvScaling().after_epoch(rate=0.1, initial=0.1, n_rows_seen=99)
    0.01
    """

    power_t: float = field_of(0.5, NOT_NEGATIVE)

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        return initial / (n_rows_seen + 1) ** self.power_t


@dataclass
class Adaptive(Schedule):
    """The rate divided by 5 each time progress stalls, down to 1e-6.

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
    decay : float, default=0.1
        In [0, inf).

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import InverseTime, Span
    >>> InverseTime(1.0).rates(0.1, np.array([0, 10]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    decay: float = field_of(0.1, NOT_NEGATIVE)

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate / (1 + self.decay * steps / span.per_epoch)


@dataclass
class StepDecay(Schedule):
    """rate * factor^k once k times `every` epochs have passed.

    Parameters
    ----------
    every : float, default=50
        Epochs between two falls, in (0, inf).
    factor : float, default=0.1
        In (0, inf).

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Span, StepDecay
    >>> StepDecay(2, 0.5).rates(0.1, np.array([19, 20]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    every: float = field_of(50, POSITIVE)
    factor: float = field_of(0.1, POSITIVE)

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * self.factor ** (steps // (self.every * span.per_epoch))


@dataclass
class Exponential(Schedule):
    """rate * decay^epoch at each step.

    Parameters
    ----------
    decay : float, default=0.98
        Factor of one epoch, in (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Exponential, Span
    >>> Exponential(0.5).rates(0.1, np.array([0, 10]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05])
    """

    decay: float = field_of(0.98, Interval(0, 1, "right"))

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * self.decay ** (steps / span.per_epoch)


@dataclass
class Linear(Schedule):
    """A straight line from the rate, at the call's first step, to `end` of it.

    Like the other schedules of finite length it counts from where the call to ``fit``
    began, to the step after its last, `max_iter` epochs later, and stays at its end.

    Parameters
    ----------
    end : float, default=0.0
        Share of the rate to end at, in [0, inf).

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.schedules import Linear, Span
    >>> Linear().rates(0.1, np.array([0, 25, 50]), Span(0, per_epoch=10, n_steps=50))
    array([0.1 , 0.05, 0.  ])
    """

    end: float = field_of(0.0, NOT_NEGATIVE)

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return rate * (1 + (self.end - 1) * span.elapsed(steps) / span.n_steps)


@dataclass
class Cosine(Schedule):
    """Half a cosine from the rate to `end` of it, and anew after each restart.

    rate * (end + (1 - end) * (1 + cos(pi * p)) / 2), p the share of the cycle that has
    passed: equation 5 of [1]_ with cycles of equal length (T_mult = 1), which together
    take the call to ``fit``. After the last the rate stays at its end.

    Parameters
    ----------
    restarts : int, default=0
        Cycles after the first, at least 0.
    end : float, default=0.0
        Share of the rate that each cycle ends at, in [0, inf).

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

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        elapsed, n = span.elapsed(steps), span.n_steps
        # Whole numbers, so that a cycle begins exactly at its first step.
        passed = np.where(elapsed < n, elapsed * (self.restarts + 1) % n / n, 1.0)
        return rate * (self.end + (1 - self.end) * (1 + np.cos(np.pi * passed)) / 2)


@dataclass
class OneCycle(Schedule):
    """Up to the rate along half a cosine, and down to almost nothing along another.

    The one cycle of [1]_ as PyTorch's OneCycleLR draws it: from rate / div_factor to the
    rate, which is the peak, after `pct_start` of the call's steps, and down to
    rate / (div_factor * final_div_factor) at its last. Momentum does not move.

    Parameters
    ----------
    pct_start : float, default=0.3
        Share of the steps that lead up, in [0, 1).
    div_factor : float, default=25.0
        Peak over start, in [1, inf).
    final_div_factor : float, default=1e4
        Start over end, in (0, inf).

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

    by_step: ClassVar[bool] = True

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        last = max(span.n_steps - 1, 0)
        peak = min(max(self.pct_start * span.n_steps - 1, 0), last)
        # 0 at the start, 1 at the peak, 2 at the end.
        place = np.interp(span.elapsed(steps), [0, peak, last], [0, 1, 2])
        share = np.where(place < 1, 1.0, 1 / self.final_div_factor) / self.div_factor
        return rate * (share + (1 - share) * (1 - np.cos(np.pi * place)) / 2)


@dataclass
class FromFunction(Schedule):
    """The rate that a function of the step gives.

    Parameters
    ----------
    function : callable
        Step, an int from 0, -> learning rate, a number in [0, inf). It is asked for some
        steps ahead, and may be asked for a step again; never for one beyond the last of the
        call.

    Examples
    --------
    >>> from skdeep import SGD
    >>> SGD(learning_rate=lambda step: 0.1 / (step + 1)).schedule().function(9)
    0.01
    """

    function: Callable[[int], float]

    by_step: ClassVar[bool] = True

    @property
    def asks_ahead(self) -> bool:
        return False

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        return np.array([self._rate(step) for step in steps.tolist()])

    def _rate(self, step: int) -> float:
        rate = self.function(step)
        if not isinstance(rate, Real) or not 0 <= float(rate) < np.inf:
            raise ValueError(
                f"learning_rate({step}) returned {rate!r}: return a finite number of 0 or more."
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
}


@dataclass
class WarmUp(Schedule):
    """A straight line up to the first rate of another schedule, which then begins [1]_.

    Step k of n that warm up takes (k + 1) / (n + 1) of that rate. What follows counts its
    steps from there, and takes what is left of the call. A fit that goes on where one
    ended (``partial_fit``) does not warm up anew.

    Parameters
    ----------
    epochs : float, default=5.0
        In [0, inf).
    then : str, Schedule or callable, default='constant'
        As a solver's `learning_rate`.

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
    by_step: ClassVar[bool] = True

    @property
    def asks_ahead(self) -> bool:
        return as_schedule(self.then).asks_ahead

    def after_epoch(self, rate: float, initial: float, n_rows_seen: int) -> float:
        return as_schedule(self.then).after_epoch(rate, initial, n_rows_seen)

    def on_plateau(self, rate: float) -> float | None:
        return as_schedule(self.then).on_plateau(rate)

    def rates(self, rate: float, steps: Array, span: Span) -> Array:
        n = round(self.epochs * span.per_epoch)
        n_left = span.start + span.n_steps - max(span.start, n)
        after = Span(max(span.start - n, 0), span.per_epoch, max(n_left, 1))
        rates = as_schedule(self.then).rates(rate, np.maximum(steps - n, 0), after)
        return rates * np.minimum((steps + 1) / (n + 1), 1)


def as_schedule(given: str | Schedule | Callable[[int], float]) -> Schedule:
    """The schedule that a name, with its defaults, a spec or a function stands for."""
    if isinstance(given, str):
        return SCHEDULES[given]()
    return given if isinstance(given, Schedule) else FromFunction(given)
