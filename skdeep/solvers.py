"""How the parameters move: a solver sees a flat vector, its gradient, and nothing else.

A solver's spec is a dataclass of hyperparameters with ``update``, its recipe for one
block of the vector. ``Descent`` is the state of a fit: moments, step count, learning
rates, and the blocks, sized so that what an update touches stays in the L2 cache.
Hyperparameters are columns of shape (*models, 1), so one recipe serves one network and
a stack. Recipes use the gradient as scratch: the next backward pass assigns it anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.optimize

from skdeep.schedules import Adaptive, Constant, InvScaling, Schedule
from skdeep.specs import Spec
from skdeep.vectors import blocks, column, plain

Array = np.ndarray

# Steps whose factors are computed at once, at most.
MAX_HORIZON = 64


class StochasticSolver(Spec):
    """Base of the solvers that move a little after each batch.

    Attributes
    ----------
    n_moments : int
        How many vectors, as long as the parameters, a fit keeps between steps.
    """

    n_moments: ClassVar[int]
    learning_rate_init: float

    def schedule(self) -> Schedule:
        """Learning rate between epochs."""
        return Constant()

    def factors(
        self, columns: dict[str, Array], rate: Array, n_steps: Array
    ) -> tuple[Array, ...]:
        """Numbers of shape (*models, 1) that `update` takes in this step.

        Parameters
        ----------
        columns : dict of ndarray of shape (*models, 1)
            Numeric hyperparameters.
        rate : ndarray of shape (*models, 1)
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
            `n_moments` vectors, kept between steps.
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
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule between epochs.
    learning_rate_init : float, default=0.001
        Initial learning rate, in (0, inf).
    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).
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

    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    momentum: float = 0.9
    nesterovs_momentum: bool = True

    n_moments: ClassVar[int] = 1

    def schedule(self) -> Schedule:
        if self.learning_rate == "invscaling":
            return InvScaling(self.power_t)
        return Adaptive() if self.learning_rate == "adaptive" else Constant()

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
    learning_rate_init : float, default=0.001
        Learning rate, in (0, inf).
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
    >>> DeepRegressor(solver=Adam(beta_2=0.99)).solver
    Adam(learning_rate_init=0.001, beta_1=0.9, beta_2=0.99, epsilon=1e-08)
    """

    learning_rate_init: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments: ClassVar[int] = 2

    def factors(self, columns, rate, n_steps):
        # The moments are kept as m / (1 - beta_1) and v / (1 - beta_2): two passes over
        # the vector fewer, and the constants go into the numbers below.
        beta_1, beta_2 = columns["beta_1"], columns["beta_2"]
        spread = np.sqrt(1 - beta_2)
        correction = np.sqrt(1 - beta_2**n_steps) / (1 - beta_1**n_steps)
        gain = rate * correction * (1 - beta_1) / spread
        return beta_1, beta_2, gain, columns["epsilon"] / spread

    def update(self, theta, grad, moments, factors):
        first, second = moments
        beta_1, beta_2, gain, epsilon = factors
        first *= beta_1
        first += grad
        grad *= grad
        second *= beta_2
        second += grad
        np.sqrt(second, out=grad)
        grad += epsilon
        np.divide(first, grad, out=grad)
        grad *= gain
        theta -= grad


@dataclass
class SolverState:
    """What a stochastic solver remembers of one network between calls.

    Attributes
    ----------
    solver : type of StochasticSolver
        Whose memory this is.
    moments : ndarray of shape (n_moments, n_params)
    n_steps : int
    rate : float
        Current learning rate.
    """

    solver: type[StochasticSolver]
    moments: Array
    n_steps: int
    rate: float


class Descent:
    """A stochastic solver at work on one network or on a stack.

    Parameters
    ----------
    solvers : sequence of StochasticSolver
        One a model, all of one class and one schedule.
    states : sequence of SolverState or None
        Where each goes on from; None starts anew.
    theta, grad : ndarray of shape (*models, n_params)
    """

    def __init__(
        self,
        solvers: Sequence[StochasticSolver],
        states: Sequence[SolverState | None],
        theta: Array,
        grad: Array,
    ) -> None:
        models = theta.shape[:-1]
        self.solver = solvers[0]
        self.dtype = theta.dtype
        self.moments = np.zeros((self.solver.n_moments, *theta.shape), theta.dtype)
        self.n_steps = np.zeros((*models, 1), np.int64)  # those in the table counted
        self.rate = column([s.learning_rate_init for s in solvers], models, np.dtype(float))
        self.columns = {
            name: column([getattr(s, name) for s in solvers], models, np.dtype(float))
            for name, value in self.solver.get_params().items()
            if not isinstance(value, (str, bool))
        }
        for i, state in enumerate(states):
            if state is not None:
                self.moments.reshape(len(self.moments), len(solvers), -1)[:, i] = state.moments
                self.n_steps.reshape(-1)[i] = state.n_steps
                self.rate.reshape(-1)[i] = state.rate
        self._table: list[tuple[Array, ...]] = []
        self._horizon = 1
        self.blocks = [
            (theta[at], grad[at], [moment[at] for moment in self.moments])
            for at in blocks(theta.shape)
        ]

    def step(self) -> None:
        """Move `theta` once against `grad`, whose content is lost."""
        if not self._table:
            self._tabulate()
        factors = self._table.pop()
        for theta, grad, moments in self.blocks:
            self.solver.update(theta, grad, moments, factors)

    def set_rate(self, model: int, rate: float) -> None:
        """Change one network's learning rate."""
        rates = self.rate.reshape(-1, copy=False)
        if rate != rates[model]:
            rates[model] = rate
            self.n_steps -= len(self._table)
            self._table.clear()

    def _tabulate(self) -> None:
        # Factors of the next steps at once, last first: for a small network their
        # arithmetic would take a fifth of the step. Twice as many each time, so that a
        # single step (partial_fit) computes no more than its own.
        steps = np.arange(self._horizon)[::-1].reshape(-1, *(1,) * self.n_steps.ndim)
        factors = self.solver.factors(self.columns, self.rate, self.n_steps + 1 + steps)
        self.n_steps += self._horizon
        columns = []
        for factor in factors:
            cast = factor.astype(self.dtype)
            varies = factor.ndim > self.rate.ndim
            columns.append(
                [plain(row) for row in cast] if varies else [plain(cast)] * len(steps)
            )
        self._table = list(zip(*columns, strict=True))
        self._horizon = min(2 * self._horizon, MAX_HORIZON)

    def state(self, model: int) -> SolverState:
        """What one network's next call goes on from."""
        n_models = self.rate.size
        return SolverState(
            type(self.solver),
            self.moments.reshape(len(self.moments), n_models, -1)[:, model].copy(),
            int(self.n_steps.reshape(-1)[model]) - len(self._table),
            float(self.rate.reshape(-1)[model]),
        )


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
    "lbfgs": LBFGS,
}
