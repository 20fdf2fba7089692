"""Adam and its relatives: AdamW, AMSGrad, NAdam."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import NOT_NEGATIVE, Spec, field_of, shared_field
from skdeep.schedules import Schedule, as_schedule
from skdeep.solvers.base import StochasticSolver, accumulate, accumulate_square, root


def adam_corrections(columns: dict[str, Array], n_steps: Array) -> tuple[Array, Array]:
    """Factors that turn the stored moments into the unbiased ones.

    Stored are m / (1 - beta_1) and v / (1 - beta_2); unbiased are m / (1 - beta_1^t) and
    sqrt(v / (1 - beta_2^t)).
    """
    beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
    first = (1 - beta_1) / (1 - beta_1**n_steps)
    return first, np.sqrt((1 - beta_2) / (1 - beta_2**n_steps))


@dataclass
class Adam(StochasticSolver):
    """Adaptive moments [1]_, in the form at the end of the paper's section 2.

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2;
    theta <- theta - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon),
    where epsilon is added to the square root before the bias correction, as in
    scikit-learn's MLP but not in PyTorch.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the first moment.
    beta_2 : float in [0, 1), default=0.999
        Decay rate of the second moment.
    epsilon : float in (0, inf), default=1e-8
        Added to the square root of the second moment.

    References
    ----------
    .. [1] Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> from skdeep import Adam, DeepRegressor
    >>> DeepRegressor(solver=Adam(beta_2=0.99)).solver.beta_2
    0.99
    """

    beta_1: float = shared_field("beta_1")
    beta_2: float = shared_field("beta_2")
    epsilon: float = shared_field("epsilon")

    n_moments = 2

    def factors(self, columns, rate, n_steps):
        first, second = adam_corrections(columns, n_steps)
        epsilon = columns["epsilon"] / np.sqrt(1 - columns["beta_2"])
        return columns["beta_1"], columns["beta_2"], rate * first / second, epsilon

    def update(self, theta, grad, moments, factors):
        first, second = moments
        beta_1, beta_2, gain, epsilon = factors
        accumulate(first, beta_1, grad)
        accumulate_square(second, beta_2, grad, out=grad)
        root(second, epsilon, out=grad)
        np.divide(first, grad, out=grad)
        grad *= gain
        theta -= grad


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay: algorithm 2 of [1]_, as in PyTorch.

    theta <- (1 - rate * weight_decay) theta; m <- beta_1 m + (1 - beta_1) g;
    v <- beta_2 v + (1 - beta_2) g^2;
    theta <- theta - rate * m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon),
    where epsilon is added after the bias correction, unlike in :class:`Adam`. All
    parameters decay, including biases.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    beta_1, beta_2, epsilon
        See :class:`Adam`.
    weight_decay : float in [0, inf), default=0.01
        Each step shrinks the parameters by this times the learning rate.
    decay_schedule : str, schedule or callable, default='constant'
        How the weight decay changes, besides its product with the learning rate: its values
        multiply `weight_decay`. Specified like `learning_rate`, but a schedule that changes
        between epochs, 'invscaling' or 'adaptive', is not possible. RealMLP uses 'flat_cosine'
        [2]_.

    References
    ----------
    .. [1] Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019.
    .. [2] Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", NeurIPS 2024, arXiv 2407.04491.

    Examples
    --------
    >>> from skdeep import AdamW, DeepRegressor
    >>> DeepRegressor(solver=AdamW(weight_decay=0.1)).get_params()["solver__weight_decay"]
    0.1
    """

    weight_decay: float = field_of(0.01, NOT_NEGATIVE)
    decay_schedule: str | Schedule | Callable[[int], float] = field_of(
        "constant", str, Spec, callable
    )

    def check(self) -> None:
        if as_schedule(self.decay_schedule).by_epoch:
            raise ValueError(
                f"decay_schedule={self.decay_schedule!r} changes between epochs, which only a "
                "learning rate can: choose one that changes from step to step, such as "
                "'flat_cosine'."
            )

    def scales(self):
        return {"weight_decay": as_schedule(self.decay_schedule, "decay_schedule")}

    def factors(self, columns, rate, n_steps):
        first, second = adam_corrections(columns, n_steps)
        gain, epsilon = rate * first / second, columns["epsilon"] / second
        shrink = 1 - rate * columns["weight_decay"]
        return columns["beta_1"], columns["beta_2"], gain, epsilon, shrink

    def update(self, theta, grad, moments, factors):
        *adam, shrink = factors
        theta *= shrink
        super().update(theta, grad, moments, adam)


@dataclass
class AMSGrad(Adam):
    """Adam with the maximum of past second moments [1]_, as in PyTorch.

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; w <- max(w, v);
    theta <- theta - rate * m / (1 - beta_1^t) / (sqrt(w / (1 - beta_2^t)) + epsilon).
    The bias correction, which the paper lacks, and epsilon after it are PyTorch's.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    beta_1, beta_2, epsilon
        See :class:`Adam`.

    References
    ----------
    .. [1] Reddi, Kale & Kumar, "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> from skdeep import AMSGrad, DeepRegressor
    >>> DeepRegressor(solver=AMSGrad(beta_2=0.99)).solver.beta_2
    0.99
    """

    n_moments = 3

    def factors(self, columns, rate, n_steps):
        first, second = adam_corrections(columns, n_steps)
        epsilon = columns["epsilon"] / second
        return columns["beta_1"], columns["beta_2"], rate * first / second, epsilon

    def update(self, theta, grad, moments, factors):
        first, second, largest = moments
        beta_1, beta_2, gain, epsilon = factors
        accumulate(first, beta_1, grad)
        accumulate_square(second, beta_2, grad, out=grad)
        np.maximum(largest, second, out=largest)
        root(largest, epsilon, out=grad)
        np.divide(first, grad, out=grad)
        grad *= gain
        theta -= grad


@dataclass
class NAdam(Adam):
    """Adam with Nesterov's momentum [1]_, as in PyTorch.

    mu_t = beta_1 (1 - 0.96^(0.004 t) / 2); m <- beta_1 m + (1 - beta_1) g;
    v <- beta_2 v + (1 - beta_2) g^2; with M_t = mu_1 ... mu_t,
    n = mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t);
    theta <- theta - rate * n / (sqrt(v / (1 - beta_2^t)) + epsilon).

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        See :class:`~skdeep.solvers.StochasticSolver`.
    beta_1, beta_2, epsilon
        See :class:`Adam`.

    References
    ----------
    .. [1] Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> from skdeep import DeepRegressor, NAdam
    >>> DeepRegressor(solver=NAdam(beta_2=0.99)).solver.beta_2
    0.99
    """

    n_scratch = 1

    def factors(self, columns, rate, n_steps):
        beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
        _, second = adam_corrections(columns, n_steps)
        mu, product = self._momenta(beta_1, n_steps)
        mu_next, product_next = self._momenta(beta_1, n_steps + 1)
        return (
            beta_1,
            beta_2,
            rate * (1 - mu) / (1 - product) / second,
            rate * mu_next * (1 - beta_1) / (1 - product_next) / second,
            columns["epsilon"] / second,
        )

    @staticmethod
    def _momenta(beta_1: Array, t: Array) -> tuple[Array, Array]:
        # mu_t and M_t, of shape (..., *models, 1); the product without a loop over steps.
        # The logarithm of 1 - q^i / 2 is -sum_k q^(k i) / (2^k k); summed over i first,
        # it is a series of geometric sums, whose terms after the 60th are below rounding.
        log_q = 0.004 * np.log(0.96)
        k = np.arange(1, 61)
        series = np.expm1(k * log_q * t) / np.expm1(-k * log_q) / (2.0**k * k)
        product = beta_1**t * np.exp(series.sum(axis=-1, keepdims=True))
        return beta_1 * (1 - np.exp(log_q * t) / 2), product

    def update(self, theta, grad, moments, factors):
        first, second, scratch = moments
        beta_1, beta_2, gain_grad, gain_first, epsilon = factors
        accumulate(first, beta_1, grad)
        accumulate_square(second, beta_2, grad, out=scratch)
        root(second, epsilon, out=scratch)
        grad /= scratch
        np.divide(first, scratch, out=scratch)
        grad *= gain_grad
        theta -= grad
        scratch *= gain_first
        theta -= scratch
