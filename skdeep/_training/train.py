"""Train one fit task, or several of one shape together."""

from collections.abc import Sequence

import numpy as np

from skdeep._network.inference import chunk_rows
from skdeep._network.threads import blas_threads_for
from skdeep._training.fit_task import FitResult, FitTask
from skdeep._training.full_batch import train_full_batch
from skdeep._training.stack import Stack
from skdeep.solvers import LBFGS


def train(tasks: Sequence[FitTask], interruptible: bool = True) -> list[FitResult | Exception]:
    """Train one task, or several of one shape in lockstep.

    Parameters
    ----------
    tasks : sequence of FitTask
        More than one must agree in what `stack_key` gives.
    interruptible : bool, default=True
        Whether Ctrl-C ends training and keeps what was learned, as with scikit-learn's
        MLP, instead of raising KeyboardInterrupt.

    Returns
    -------
    results : list of FitResult or Exception
        In the order of `tasks`: what each one's own callback, scorer or schedule raised
        takes the place of its result, and the others train on.
    """
    lead = tasks[0]
    whole = isinstance(lead.solver, LBFGS)
    n_rows = chunk_rows(lead.network, lead.n_rows) if whole else lead.n_batch_rows
    # What overflows is found by looking at losses and parameters, and reported.
    with np.errstate(all="ignore"), blas_threads_for(n_rows * lead.network.largest_product):
        if whole:
            return [train_full_batch(task) for task in tasks]
        return Stack(tasks).run(interruptible)
