"""What a fit is asked, and what comes of it.

A ``FitTask`` holds all that one fit needs and is not written to; a ``FitResult`` holds what
the estimator keeps. ``stack_key`` says which tasks can be trained as one stack.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skdeep.losses import Loss
from skdeep.network import Network
from skdeep.solvers import LBFGS, SolverState, StochasticSolver

Array = np.ndarray


@dataclass
class History:
    """How training has gone so far, over all calls that went on from one another.

    Attributes
    ----------
    loss_curve : list of float
        Mean loss of each epoch.
    validation_scores : list of float
        Score on the validation rows after each epoch.
    best_loss, best_score : float
        Lowest loss and highest score so far.
    n_stalled : int
        Epochs since the last that improved by `tol`.
    n_rows_seen : int
        Training rows seen, each epoch's counted anew.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    n_stalled: int = 0
    n_rows_seen: int = 0


@dataclass
class FitTask:
    """All that one fit needs; nothing in it is written to but `generator`.

    Attributes
    ----------
    network : Network
    loss : Loss
    solver : StochasticSolver or LBFGS
    X : ndarray or CSR matrix of shape (n_samples, n_in)
    y : ndarray of shape (n_samples, n_out)
    sample_weight : ndarray of shape (n_samples, 1), or None
    theta : ndarray of shape (n_params,)
        Where training starts; its dtype is that of computation.
    generator : RandomState or None
        Gives the order of the rows; None where `shuffle` is off.
    rows : ndarray of int, or None
        Rows to train on; all where None.
    validate : callable or None
        (weights, biases) -> score, higher is better. Stopping then watches the score
        instead of the loss, and the best epoch's parameters are returned.
    alpha, batch_size, max_iter, shuffle, tol, n_iter_no_change
        As the estimators' parameters.
    solver_state : SolverState or None
        Where the solver goes on from.
    history : History
        What went before.
    on_epoch : callable or None
        (epoch, loss, score or None) -> None, after each epoch.
    """

    network: Network
    loss: Loss
    solver: StochasticSolver | LBFGS
    X: Any
    y: Array
    sample_weight: Array | None
    theta: Array
    generator: np.random.RandomState | None
    rows: Array | None = None
    validate: Callable[[list[Array], list[Array]], float] | None = None
    alpha: float = 0.0001
    batch_size: int = 200
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    solver_state: SolverState | None = None
    history: History = field(default_factory=History)
    on_epoch: Callable[[int, float, float | None], None] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows to train on."""
        return self.X.shape[0] if self.rows is None else len(self.rows)

    @property
    def n_batch_rows(self) -> int:
        """Rows of a full batch."""
        return min(self.batch_size, self.n_rows)

    @property
    def n_work_bytes(self) -> int:
        """Bytes that a step goes over: parameters, gradient, moments and buffers."""
        n_vectors = 3 + getattr(self.solver, "n_moments", 0)
        widths = [layer.n_out for layer in self.network.layers]
        row = self.network.layers[0].n_in + 3 * sum(widths)
        buffers = self.n_batch_rows * row * self.theta.itemsize
        return n_vectors * self.theta.nbytes + buffers

    @property
    def n_bytes(self) -> int:
        """Bytes that the fit takes, its data included."""
        return self.n_work_bytes + getattr(self.X, "nbytes", 0) + self.y.nbytes


@dataclass
class FitResult:
    """What came of a fit task.

    Attributes
    ----------
    theta : ndarray of shape (n_params,)
    solver_state : SolverState or None
    history : History
    n_iter : int
        Epochs, or iterations of L-BFGS, of this call.
    loss : float
        Of the last epoch.
    outcome : str
        'converged', 'max_iter', 'interrupted', 'diverged', or L-BFGS's own words where
        it gave up.
    """

    theta: Array
    solver_state: SolverState | None
    history: History
    n_iter: int
    loss: float
    outcome: str


def stack_key(task: FitTask) -> tuple[Any, ...] | None:
    """What tasks that are trained together must have in common; None trains alone.

    All that is a number may differ: rates, penalties, seeds, rows, weights, epochs.
    """
    if isinstance(task.solver, LBFGS) or hasattr(task.X, "tocsr"):
        return None
    n_batches = -(-task.n_rows // task.n_batch_rows)
    numbers = {
        name: value
        for name, value in task.solver.get_params().items()
        if isinstance(value, (str, bool))
    }
    return (
        task.network,
        task.loss,
        type(task.solver),
        tuple(sorted(numbers.items())),
        task.theta.dtype,
        task.X.dtype,
        task.y.dtype,
        None if task.sample_weight is None else task.sample_weight.dtype,
        n_batches,
        task.shuffle,
        task.alpha > 0,
    )


def order_key(task: FitTask) -> tuple[Any, ...]:
    """What tasks that take the same rows at the same time have in common.

    Tables count as the same where they are one object.
    """
    state = None
    if task.shuffle and task.generator is not None:
        numbers = task.generator.get_state(legacy=False)["state"]
        state = (numbers["pos"], numbers["key"].tobytes())
    return (
        id(task.X),
        id(task.y),
        id(task.sample_weight),
        None if task.rows is None else task.rows.tobytes(),
        task.n_batch_rows,
        state,
    )
