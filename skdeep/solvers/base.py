"""How the parameters move: a solver sees a flat vector, its gradient, and nothing else.

A solver's spec is a dataclass of hyperparameters with ``update``, its recipe for one
block of the vector, written in a few transforms that the recipes share. Hyperparameters
are columns of shape ``(*models, 1)``, so one recipe serves one network and a stack. Recipes use
the gradient as scratch: the next backward pass assigns it anew. A
``BoundSolver`` puts a solver to work.

Running means are kept without their constant, as m / (1 - decay), which saves a pass over
the vector; ``factors`` puts the constant into the numbers that the recipe takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.optimize

from skdeep._arrays import Array
from skdeep.hyperparameters import Spec
from skdeep.schedules import SCHEDULES, InvScaling, Schedule, as_schedule

# Transforms of one block, of shape (*models, block), in place


def accumulate(moment: Array, decay: Array, term: Array) -> None:
    """moment <- decay * moment + term."""
    moment *= decay
    moment += term


def accumulate_square(moment: Array, decay: Array, term: Array, out: Array) -> None:
    """moment <- decay * moment + term^2; `out`, which may be `term`, is scratch."""
    np.multiply(term, term, out=out)
    moment *= decay
    moment += out


def root(moment: Array, epsilon: Array, out: Array) -> None:
    """out <- sqrt(moment) + epsilon."""
    np.sqrt(moment, out=out)
    out += epsilon


def adam_corrections(columns: dict[str, Array], n_steps: Array) -> tuple[Array, Array]:
    """Numbers that make of the moments m and sqrt(v), as kept, the unbiased ones.

    Kept are m / (1 - beta_1) and v / (1 - beta_2); unbiased are m / (1 - beta_1^t) and
    sqrt(v / (1 - beta_2^t)).
    """
    beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
    return (
        (1 - beta_1) / (1 - beta_1**n_steps),
        np.sqrt((1 - beta_2) / (1 - beta_2**n_steps)),
    )


@dataclass
class StochasticSolver(Spec):
    """Base of the solvers that move a little after each batch.

    Parameters
    ----------
    learning_rate : str, Schedule or callable, default='constant'
        How the rate changes: one of the names in ``skdeep.schedules.SCHEDULES``, which
        stands for the schedule with its defaults; a schedule; or a function of the step,
        counted from 0, that returns the learning rate itself.
    learning_rate_init : float, default=0.001
        Learning rate that the schedule starts from or, in 'one_cycle' and after a warm-up,
        leads up to; in (0, inf).
    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).

    Attributes
    ----------
    n_moments : int
        How many vectors, as long as the parameters, a fit keeps between steps.
    n_scratch : int
        How many vectors, as long as a block, `update` needs besides.
    """

    learning_rate: str | Schedule | Callable[[int], float] = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5

    kinds_by_name: ClassVar = SCHEDULES
    n_moments: ClassVar[int]
    n_scratch: ClassVar[int] = 0

    def schedule(self) -> Schedule:
        """How the learning rate changes."""
        if self.learning_rate == "invscaling":
            return InvScaling(self.power_t)
        return as_schedule(self.learning_rate)

    def factors(
        self, columns: dict[str, Array], rate: Array, n_steps: Array
    ) -> tuple[Array, ...]:
        """Numbers of shape (*models, 1) that `update` takes in this step.

        Parameters
        ----------
        columns : dict of ndarray of shape (*models, 1)
            Numeric hyperparameters.
        rate : ndarray of shape (*models, 1), or (..., *models, 1) where it varies
            Learning rate.
        n_steps : ndarray of shape (..., *models, 1)
            Which step this is, from 1; leading axes ask for several steps.
        """
        raise NotImplementedError

    def update(
        self, theta: Array, grad: Array, moments: Sequence[Array], factors: Sequence[Array]
    ) -> None:
        """Move one block of `theta` in place.

        Parameters
        ----------
        theta, grad : ndarray of shape (*models, block)
            Parameters, and their gradient, which is scratch.
        moments : sequence of ndarray of shape (*models, block)
            `n_moments` vectors, kept between steps, then `n_scratch` that are not.
        factors : sequence of ndarray of shape (*models, 1), or () for one network
            What `factors` gave, in the dtype of `theta`.
        """
        raise NotImplementedError


@dataclass
class SGD(StochasticSolver):
    """Stochastic gradient descent with momentum.

    v <- momentum * v - rate * g; theta <- theta + v, or with Nesterov's momentum
    theta <- theta + momentum * v - rate * g [1]_.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    momentum : float, default=0.9
        In [0, 1].
    nesterovs_momentum : bool, default=True
        Whether to look ahead along the velocity.

    References
    ----------
    .. [1] Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and
       momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> from skdeep import DeepClassifier, SGD
    >>> DeepClassifier(solver=SGD(momentum=0.8)).get_params()["solver__momentum"]
    0.8
    """

    momentum: float = 0.9
    nesterovs_momentum: bool = True

    n_moments: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        return rate, columns["momentum"]

    def update(self, theta, grad, moments, factors):
        (velocity,) = moments
        rate, momentum = factors
        grad *= rate
        velocity *= momentum
        velocity -= grad
        if self.nesterovs_momentum:
            theta -= grad
            np.multiply(velocity, momentum, out=grad)
            theta += grad
        else:
            theta += velocity


@dataclass
class Adam(StochasticSolver):
    """Adaptive moments [1]_, in the form at the end of the paper's section 2.

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2;
    theta <- theta - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon),
    where epsilon is added to the square root before the bias correction, as
    scikit-learn's MLP does and PyTorch does not.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the second moment, in (0, inf).

    References
    ----------
    .. [1] Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> from skdeep import Adam, DeepRegressor
    >>> DeepRegressor(solver=Adam(beta_2=0.99)).solver.beta_2
    0.99
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments: ClassVar[int] = 2

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
class AdamW(StochasticSolver):
    """Adam with decoupled weight decay: algorithm 2 of [1]_, as PyTorch's AdamW.

    theta <- (1 - rate * weight_decay) theta; m <- beta_1 m + (1 - beta_1) g;
    v <- beta_2 v + (1 - beta_2) g^2;
    theta <- theta - rate * m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon),
    where epsilon is added after the bias correction, which :class:`Adam` does not. All
    parameters decay, biases too.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the second moment, in (0, inf).
    weight_decay : float, default=0.01
        Share of the parameters, times the rate, that each step takes away, in [0, inf).

    References
    ----------
    .. [1] Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import AdamW
    >>> DeepRegressor(solver=AdamW(weight_decay=0.1)).get_params()["solver__weight_decay"]
    0.1
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01

    n_moments: ClassVar[int] = 2

    def factors(self, columns, rate, n_steps):
        first, second = adam_corrections(columns, n_steps)
        return (
            columns["beta_1"],
            columns["beta_2"],
            rate * first / second,
            columns["epsilon"] / second,
            1 - rate * columns["weight_decay"],
        )

    def update(self, theta, grad, moments, factors):
        *adam, shrink = factors
        theta *= shrink
        Adam.update(self, theta, grad, moments, adam)  # type: ignore[arg-type]


@dataclass
class AMSGrad(StochasticSolver):
    """Adam whose steps never grow by forgetting [1]_, as PyTorch's Adam(amsgrad=True).

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; w <- max(w, v);
    theta <- theta - rate * m / (1 - beta_1^t) / (sqrt(w / (1 - beta_2^t)) + epsilon).
    The paper corrects no bias; PyTorch does, with epsilon after the correction.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the largest second moment, in (0, inf).

    References
    ----------
    .. [1] Reddi, Kale & Kumar, "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import AMSGrad
    >>> DeepRegressor(solver=AMSGrad(beta_2=0.99)).solver.beta_2
    0.99
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments: ClassVar[int] = 3

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
class NAdam(StochasticSolver):
    """Adam with Nesterov's momentum [1]_, as PyTorch's NAdam.

    mu_t = beta_1 (1 - 0.96^(0.004 t) / 2); m <- beta_1 m + (1 - beta_1) g;
    v <- beta_2 v + (1 - beta_2) g^2; with M_t = mu_1 ... mu_t,
    n = mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t);
    theta <- theta - rate * n / (sqrt(v / (1 - beta_2^t)) + epsilon).

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the second moment, in (0, inf).

    References
    ----------
    .. [1] Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import NAdam
    >>> DeepRegressor(solver=NAdam(beta_2=0.99)).solver.beta_2
    0.99
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments: ClassVar[int] = 2
    n_scratch: ClassVar[int] = 1

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
        # mu_t and M_t, of shape (..., *models, 1), the product without a loop over steps.
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


@dataclass
class RMSprop(StochasticSolver):
    """Gradients over the root of their running mean square [1]_, as PyTorch's RMSprop.

    v <- rho v + (1 - rho) g^2; u <- momentum * u + g / (sqrt(v) + epsilon);
    theta <- theta - rate * u. Not centred.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    rho : float, default=0.9
        Decay of the mean square, in [0, 1); PyTorch's alpha, there 0.99.
    epsilon : float, default=1e-8
        Added to the root, in (0, inf).
    momentum : float, default=0.0
        In [0, 1].

    References
    ----------
    .. [1] Tieleman & Hinton, "Lecture 6.5 - RMSprop", Coursera: Neural networks for
       machine learning, 2012.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import RMSprop
    >>> DeepRegressor(solver=RMSprop(rho=0.99)).solver.rho
    0.99
    """

    rho: float = 0.9
    epsilon: float = 1e-8
    momentum: float = 0.0

    n_moments: ClassVar[int] = 2
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        spread = np.sqrt(1 - columns["rho"])
        return columns["rho"], columns["epsilon"] / spread, columns["momentum"], rate / spread

    def update(self, theta, grad, moments, factors):
        second, velocity, scratch = moments
        rho, epsilon, momentum, gain = factors
        accumulate_square(second, rho, grad, out=scratch)
        root(second, epsilon, out=scratch)
        grad /= scratch
        accumulate(velocity, momentum, grad)
        np.multiply(velocity, gain, out=grad)
        theta -= grad


@dataclass
class Adagrad(StochasticSolver):
    """Gradients over the root of the sum of all their squares [1]_, as PyTorch's Adagrad.

    s <- s + g^2; theta <- theta - rate * g / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    epsilon : float, default=1e-10
        Added to the root, in (0, inf).

    References
    ----------
    .. [1] Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and
       stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import Adagrad
    >>> DeepRegressor(solver=Adagrad(learning_rate_init=0.01)).solver.epsilon
    1e-10
    """

    epsilon: float = 1e-10

    n_moments: ClassVar[int] = 1
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        return rate, columns["epsilon"]

    def update(self, theta, grad, moments, factors):
        total, scratch = moments
        rate, epsilon = factors
        np.multiply(grad, grad, out=scratch)
        total += scratch
        root(total, epsilon, out=scratch)
        grad /= scratch
        grad *= rate
        theta -= grad


@dataclass
class Adadelta(StochasticSolver):
    """Steps in the unit of the parameters: algorithm 1 of [1]_, as PyTorch's Adadelta.

    v <- rho v + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(v + epsilon) * g;
    u <- rho u + (1 - rho) d^2; theta <- theta - rate * d.

    Parameters
    ----------
    learning_rate : str, Schedule or callable, default='constant'
        As of every :class:`StochasticSolver`.
    learning_rate_init : float, default=1.0
        The paper has none, which is 1; in (0, inf).
    power_t : float, default=0.5
        As of every :class:`StochasticSolver`.
    rho : float, default=0.9
        Decay of both mean squares, in [0, 1).
    epsilon : float, default=1e-6
        Added to both mean squares, in (0, inf): what the first steps are made of.

    References
    ----------
    .. [1] Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import Adadelta
    >>> DeepRegressor(solver=Adadelta(rho=0.95)).solver.rho
    0.95
    """

    learning_rate_init: float = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6

    n_moments: ClassVar[int] = 2
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        return columns["rho"], columns["epsilon"] / (1 - columns["rho"]), rate

    def update(self, theta, grad, moments, factors):
        # The constant 1 - rho is the same in both roots, and leaves their ratio.
        second, second_step, scratch = moments
        rho, epsilon, rate = factors
        accumulate_square(second, rho, grad, out=scratch)
        for moment, ufunc in ((second, np.divide), (second_step, np.multiply)):
            np.add(moment, epsilon, out=scratch)
            np.sqrt(scratch, out=scratch)
            ufunc(grad, scratch, out=grad)
        accumulate_square(second_step, rho, grad, out=scratch)
        grad *= rate
        theta -= grad


@dataclass
class Lion(StochasticSolver):
    """Steps of one size along the signs of a momentum: algorithm 2 of [1]_.

    c = beta_1 m + (1 - beta_1) g; theta <- theta - rate * (sign(c) + weight_decay theta);
    m <- beta_2 m + (1 - beta_2) g.

    The paper takes rates 3 to 10 times smaller than AdamW's, and decays as much larger.

    Parameters
    ----------
    learning_rate, learning_rate_init, power_t
        As of every :class:`StochasticSolver`.
    beta_1 : float, default=0.9
        Share of the momentum in the direction, in [0, 1).
    beta_2 : float, default=0.99
        Decay of the momentum, in [0, 1).
    weight_decay : float, default=0.01
        Share of the parameters, times the rate, that each step takes away, in [0, inf).

    References
    ----------
    .. [1] Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    Examples
    --------
    >>> from skdeep import DeepRegressor
    >>> from skdeep.solvers import Lion
    >>> DeepRegressor(solver=Lion(learning_rate_init=1e-4)).solver.beta_2
    0.99
    """

    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.01

    n_moments: ClassVar[int] = 1
    n_scratch: ClassVar[int] = 1

    def factors(self, columns, rate, n_steps):
        beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
        share = beta_1 * (1 - beta_2) / (1 - beta_1)
        return share, beta_2, rate, 1 - rate * columns["weight_decay"]

    def update(self, theta, grad, moments, factors):
        momentum, scratch = moments
        share, beta_2, rate, shrink = factors
        np.multiply(momentum, share, out=scratch)
        scratch += grad
        np.sign(scratch, out=scratch)
        theta *= shrink
        scratch *= rate
        theta -= scratch
        accumulate(momentum, beta_2, grad)


@dataclass
class LBFGS(Spec):
    """Limited-memory BFGS on all rows at once, SciPy's L-BFGS-B without bounds [1]_.

    Parameters
    ----------
    max_fun : int, default=15000
        Largest number of evaluations of loss and gradient, at least 1.

    References
    ----------
    .. [1] Byrd, Lu, Nocedal & Zhu, "A limited memory algorithm for bound constrained
       optimization", SIAM Journal on Scientific Computing 16, 1995.

    Examples
    --------
    >>> from skdeep import DeepRegressor, LBFGS
    >>> DeepRegressor(solver=LBFGS(max_fun=100)).solver
    LBFGS(max_fun=100)
    """

    max_fun: int = 15000

    def minimize(
        self,
        value_and_grad: Callable[[Array], tuple[float, Array]],
        theta: Array,
        *,
        max_iter: int,
        tol: float,
        on_iteration: Callable[[], None],
    ) -> scipy.optimize.OptimizeResult:
        """Descend from `theta`, of shape (n_params,) and float64."""
        return scipy.optimize.minimize(
            value_and_grad,
            theta,
            method="L-BFGS-B",
            jac=True,
            callback=lambda intermediate_result: on_iteration(),
            options={"maxfun": self.max_fun, "maxiter": max_iter, "gtol": tol},
        )


SOLVERS: dict[str, type[StochasticSolver] | type[LBFGS]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "nadam": NAdam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "lion": Lion,
    "lbfgs": LBFGS,
}
