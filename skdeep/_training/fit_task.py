"""Input and output of training: `FitTask` and `FitResult`.

Tasks with equal ``stack_key`` can be trained as one stack; those with equal ``row_order_key``
read the same rows at the same time.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.network import Network, Part
from skdeep._training.bound_solver import SolverState
from skdeep.losses import Loss
from skdeep.schedules import Constant, Schedule
from skdeep.solvers import LBFGS, StochasticSolver


@dataclass
class History:
    """Course of training so far, over all calls that resumed from one another.

    Curves and scores have one entry per epoch. They may be long: a stream of single rows is an
    epoch a row. So training lists the epochs of its own call only, and `extend` adds them to
    those before.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    best_iter: int = 0  # epoch of the best score, counted from 1; 0 if there is none
    n_stalled: int = 0  # epochs since the last improvement by `tol`
    n_rows_seen: int = 0  # training rows processed, over all epochs

    def copy(self) -> "History":
        """Independent copy."""
        return replace(
            self,
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            validation_loss_curve=list(self.validation_loss_curve),
        )

    def beginning(self) -> "History":
        """The history of a call that goes on from here, before its first epoch."""
        return replace(self, loss_curve=[], validation_scores=[], validation_loss_curve=[])

    def extend(self, call: "History") -> "History":
        """History after a call that went on from here. The lists are those of `self`, grown."""
        for name in CURVES:
            getattr(self, name).extend(getattr(call, name))
        return replace(call, **{name: getattr(self, name) for name in CURVES})


CURVES = tuple(one.name for one in fields(History) if one.default_factory is list)


@dataclass
class FitTask:
    """Everything that one fit needs. Training modifies nothing in it but the generators.

    Fields without a comment are like the estimators' parameters of the same name.
    """

    network: Network
    loss: Loss
    solver: StochasticSolver | LBFGS
    X: Any  # ndarray or CSR matrix of shape (n_samples, n_in)
    y: Array  # (n_samples, n_out)
    sample_weight: Array | None  # (n_samples, 1)
    theta: Array  # (n_params,): initial parameters, in the dtype of computation
    generator: np.random.RandomState | None  # shuffles the rows; None without `shuffle`
    rows: Array | None = None  # to train on; None means all
    # (theta) -> (score, loss) on the validation rows; higher scores are better.
    validate: Callable[[Array], tuple[float, float]] | None = None
    stop_on_score: bool = False  # the validation score has to improve, not the training loss
    restore_best: bool = True  # return the parameters of the epoch with the highest score
    weight_averaging: float = 0.0
    max_time: float = math.inf
    n_epochs_before: int = 0  # whose shuffles are repeated first, when a fit resumes
    n_iter_before: int = 0  # epochs of this fit that are done, if it was cut off
    alpha: float = 0.0001
    batch_size: int = 200
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    solver_state: SolverState | None = None  # to resume from
    history: History = field(default_factory=History)  # to continue
    # Called after each epoch; training stops if one returns True.
    on_epoch: Sequence["OnEpoch"] = ()
    l1_ratio: float = 0.0
    # Rates of the input, then of each hidden layer's output; () means no dropout. A rate has no
    # effect on a layer that the network binds without dropout.
    dropout: tuple[float, ...] = ()
    mask_generator: np.random.Generator | None = None  # draws the dropout masks
    # Its values at each step, in [0, 1], multiply the dropout rates. Not one that changes
    # between epochs.
    dropout_schedule: Schedule = field(default_factory=Constant)
    clip_norm: float | None = None
    max_norm: float | None = None
    # Slices that cover the trained vector, with factors of their own for learning rate and
    # weight decay; () means one slice with factors of 1. L-BFGS does not use them.
    parts: tuple[Part, ...] = ()

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
        inputs = [layer.n_out + layer.n_buffer for layer in self.network.inputs]
        row = self.network.n_in + 3 * sum(widths) + 2 * sum(inputs)
        buffers = self.n_batch_rows * row * self.theta.itemsize
        return n_vectors * self.theta.nbytes + buffers

    @property
    def n_bytes(self) -> int:
        """Memory of the fit in bytes, data included."""
        return self.n_work_bytes + getattr(self.X, "nbytes", 0) + self.y.nbytes


@dataclass
class FitResult:
    """Result of a fit task.

    The outcome says why training ended: 'converged', 'max_iter', 'max_time', 'max_fun',
    'stopped', 'interrupted', 'diverged', or the message with which L-BFGS gave up. It is
    'running' in the result so far, of a fit that goes on.
    """

    theta: Array  # (n_params,)
    solver_state: SolverState | None
    history: History  # of `FitTask.history` and this call; its curves are of this call only
    n_iter: int  # epochs, or L-BFGS iterations, in this call
    loss: float  # of the last epoch
    outcome: str


# (epoch, loss, score or None, theta, now) -> whether to stop. `theta` is what would be returned
# now; `now` makes the result so far, from which a fit can resume. It copies what it returns.
OnEpoch = Callable[[int, float, float | None, Array, Callable[[], FitResult]], bool | None]


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
        task.parts,
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
