"""What a fit is asked, and what comes of it.

A ``FitTask`` holds all that one fit needs and is not written to; a ``FitResult`` holds what
the estimator keeps. ``stack_key`` says which tasks can be trained as one stack.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.network import Network
from skdeep._training.bound_solver import SolverState
from skdeep.losses import Loss
from skdeep.solvers import LBFGS, StochasticSolver


@dataclass
class History:
    """How training has gone so far, over all calls that went on from one another.

    Attributes
    ----------
    loss_curve : list of float
        Mean loss of each epoch.
    validation_scores : list of float
        Score on the validation rows after each epoch.
    validation_loss_curve : list of float
        Mean loss on the validation rows after each epoch.
    best_loss, best_score : float
        Lowest loss and highest score so far.
    best_iter : int
        Epoch of the highest score, from 1; 0 where there is none.
    n_stalled : int
        Epochs since the last that improved by `tol`.
    n_rows_seen : int
        Training rows seen, each epoch's counted anew.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    best_iter: int = 0
    n_stalled: int = 0
    n_rows_seen: int = 0

    def copy(self) -> "History":
        """One to be written to, while this one stays as it is."""
        return replace(
            self,
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            validation_loss_curve=list(self.validation_loss_curve),
        )


@dataclass
class FitTask:
    """All that one fit needs; nothing in it is written to but its generators.

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
        (theta) -> (score, loss) on the validation rows; a higher score is better.
    stop_on_score : bool
        Whether stopping watches the score instead of the training loss.
    restore_best : bool
        Whether the parameters of the epoch of the highest score are returned.
    weight_averaging : float
        Decay of the moving average of the parameters that is returned instead of the
        last ones; 0 is none.
    max_time : float
        Seconds after which training stops.
    n_epochs_before : int
        Epochs whose orders of rows are drawn and passed over, in a fit that goes on.
    alpha, batch_size, max_iter, shuffle, tol, n_iter_no_change
        As the estimators' parameters.
    solver_state : SolverState or None
        Where the solver goes on from.
    history : History
        What went before.
    on_epoch : sequence of callables
        Each (epoch, loss, score or None, theta as it would be returned now) -> whether to
        stop, after each epoch.
    l1_ratio : float
        Share of the L1 norm in the penalty.
    dropout : tuple of float
        Share of the input, then of each hidden layer's output, that training drops; ()
        drops nothing. The network says which of them it drops at all.
    mask_generator : Generator or None
        Gives what is dropped; written to as `generator` is.
    clip_norm, max_norm : float or None
        Largest norm of the gradient, and of each unit's incoming weights.
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
    validate: Callable[[Array], tuple[float, float]] | None = None
    stop_on_score: bool = False
    restore_best: bool = True
    weight_averaging: float = 0.0
    max_time: float = math.inf
    n_epochs_before: int = 0
    alpha: float = 0.0001
    batch_size: int = 200
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    solver_state: SolverState | None = None
    history: History = field(default_factory=History)
    on_epoch: Sequence[Callable[[int, float, float | None, Array], bool | None]] = ()
    l1_ratio: float = 0.0
    dropout: tuple[float, ...] = ()
    mask_generator: np.random.Generator | None = None
    clip_norm: float | None = None
    max_norm: float | None = None

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
        'converged', 'max_iter', 'max_time', 'stopped', 'interrupted', 'diverged', or
        L-BFGS's own words where it gave up.
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
    # Code of the user's sees the arrays of one network, and what it raises is its own.
    if not (task.network.stacks and task.loss.stacks):
        return None
    n_batches = -(-task.n_rows // task.n_batch_rows)
    numbers = {
        name: value
        for name, value in task.solver.get_params(deep=False).items()
        if isinstance(value, (bool, np.bool_))
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
        task.weight_averaging > 0,
        task.n_epochs_before,
        (task.n_rows, task.n_batch_rows) if task.network.needs_equal_batches else None,
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
