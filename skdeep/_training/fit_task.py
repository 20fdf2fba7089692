"""Input and output of training: `FitTask` and `FitResult`.

Tasks with equal ``stack_key`` can be trained as one stack; those with equal ``row_order_key``
read the same rows at the same time.
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
    """Course of training so far, over all calls that resumed from one another.

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
        Epoch of the highest score, counted from 1; 0 if there is none.
    n_stalled : int
        Number of epochs since the last improvement by `tol`.
    n_rows_seen : int
        Number of training rows processed, over all epochs.
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
        """Independent copy."""
        return replace(
            self,
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            validation_loss_curve=list(self.validation_loss_curve),
        )


@dataclass
class FitTask:
    """Everything that one fit needs. Training modifies nothing in it but the generators.

    Attributes
    ----------
    network : Network
    loss : Loss
    solver : StochasticSolver or LBFGS
    X : ndarray or CSR matrix of shape (n_samples, n_in)
    y : ndarray of shape (n_samples, n_out)
    sample_weight : ndarray of shape (n_samples, 1), or None
    theta : ndarray of shape (n_params,)
        Initial parameters; their dtype is the dtype of computation.
    generator : RandomState or None
        Shuffles the rows; None if `shuffle` is False.
    rows : ndarray of int, or None
        Rows to train on; None means all.
    validate : callable or None
        (theta) -> (score, loss) on the validation rows; higher scores are better.
    stop_on_score : bool
        If True, stop when the validation score stops improving instead of the training loss.
    restore_best : bool
        If True, return the parameters of the epoch with the highest score.
    weight_averaging : float
        Decay of the moving average of the parameters, which is then returned in place of the
        last parameters; 0 means no averaging.
    max_time : float
        Maximum training time in seconds.
    n_epochs_before : int
        Number of earlier epochs whose shuffles are repeated first, when a fit resumes.
    alpha, batch_size, max_iter, shuffle, tol, n_iter_no_change
        As the estimators' parameters.
    solver_state : SolverState or None
        State to resume from.
    history : History
        History to continue.
    on_epoch : sequence of callables
        Called after each epoch as (epoch, loss, score or None, theta), where theta is what
        would be returned now. Training stops if one returns True.
    l1_ratio : float
        Fraction of the L1 norm in the penalty.
    dropout : tuple of float
        Dropout rate of the input, then of each hidden layer's output; () means no dropout.
        A rate has no effect on a layer that the network binds without dropout.
    mask_generator : Generator or None
        Draws the dropout masks.
    clip_norm, max_norm : float or None
        Maximum norm of the gradient, and of each unit's incoming weights.
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
        """Number of rows of a full batch."""
        return min(self.batch_size, self.n_rows)

    @property
    def n_work_bytes(self) -> int:
        """Bytes touched by a step: parameters, gradient, moments and buffers."""
        n_vectors = 3 + getattr(self.solver, "n_moments", 0)
        widths = [layer.n_out for layer in self.network.layers]
        row = self.network.layers[0].n_in + 3 * sum(widths)
        buffers = self.n_batch_rows * row * self.theta.itemsize
        return n_vectors * self.theta.nbytes + buffers

    @property
    def n_bytes(self) -> int:
        """Memory of the fit in bytes, data included."""
        return self.n_work_bytes + getattr(self.X, "nbytes", 0) + self.y.nbytes


@dataclass
class FitResult:
    """Result of a fit task.

    Attributes
    ----------
    theta : ndarray of shape (n_params,)
    solver_state : SolverState or None
    history : History
    n_iter : int
        Number of epochs, or of L-BFGS iterations, in this call.
    loss : float
        Loss of the last epoch.
    outcome : str
        Why training ended: 'converged', 'max_iter', 'max_time', 'stopped', 'interrupted',
        'diverged', or the message with which L-BFGS gave up.
    """

    theta: Array
    solver_state: SolverState | None
    history: History
    n_iter: int
    loss: float
    outcome: str


def stack_key(task: FitTask) -> tuple[Any, ...] | None:
    """Key that is equal for tasks that can be trained as one stack; None to train alone.

    It contains what determines the shapes, dtypes and code path of a stack. Numbers may differ
    between the models: learning rates, penalties, seeds, rows, sample weights, epochs.
    """
    if isinstance(task.solver, LBFGS) or hasattr(task.X, "tocsr"):
        return None
    # User-defined activations and losses expect the arrays of one network.
    if not (task.network.stacks and task.loss.stacks):
        return None
    n_batches = -(-task.n_rows // task.n_batch_rows)
    solver_options = {
        name: value
        for name, value in task.solver.get_params(deep=False).items()
        if isinstance(value, (bool, np.bool_))
    }
    return (
        task.network,
        task.loss,
        type(task.solver),
        tuple(sorted(solver_options.items())),
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


def row_order_key(task: FitTask) -> tuple[Any, ...]:
    """Key that is equal for tasks that read the same rows in the same order.

    In a stack of such tasks, each batch is read only once. Tables are compared by identity.
    """
    generator_state = None
    if task.shuffle and task.generator is not None:
        state = task.generator.get_state(legacy=False)["state"]
        generator_state = (state["pos"], state["key"].tobytes())
    return (
        id(task.X),
        id(task.y),
        id(task.sample_weight),
        None if task.rows is None else task.rows.tobytes(),
        task.n_batch_rows,
        generator_state,
    )
