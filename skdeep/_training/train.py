"""Entry point of training: one fit task, or several as a stack."""

from collections.abc import Sequence

import numpy as np

from skdeep._network.inference import chunk_rows
from skdeep._network.threads import blas_threads_for
from skdeep._training.fit_task import FitResult, FitTask
from skdeep._training.full_batch import train_full_batch
from skdeep._training.stack import Stack
from skdeep.solvers import LBFGS


def train(tasks: Sequence[FitTask], interruptible: bool = True) -> list[FitResult | Exception]:
    """Train one task, or several with equal `stack_key` as a stack; results in their order.

    If the callback, scorer or schedule of a task raises, the exception takes the place of its
    result, and the others continue. If `interruptible`, Ctrl-C ends training and keeps the
    current parameters, as in scikit-learn's MLP; if not, KeyboardInterrupt is raised.
    """
    lead = tasks[0]
    full_batch = isinstance(lead.solver, LBFGS)
    n_rows = chunk_rows(lead.network, lead.n_rows) if full_batch else lead.n_batch_rows
    # No warnings on overflow: divergence is detected from losses and parameters.
    with np.errstate(all="ignore"), blas_threads_for(n_rows * lead.network.largest_product):
        if full_batch:
            return [train_full_batch(task) for task in tasks]
        return Stack(tasks).run(interruptible)
