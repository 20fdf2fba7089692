"""A fit that is killed goes on from its last checkpoint, to the same bits.

A checkpoint is a file of ``save`` with the estimator as if its fit had ended there, and one
more section: how the fit was called, and checksums of its data. Random numbers that the fit has
drawn are drawn again, as in a warm start, so that the file holds no order of rows.
"""

import os
import time
import warnings
import weakref
import zlib
from collections.abc import Sequence
from datetime import timedelta
from numbers import Integral
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._parallel.conductor import in_lockstep
from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.build import trains_on_all_rows
from skdeep.estimators.fitted import resume_fit
from skdeep.estimators.training_data import check_training_data
from skdeep.estimators.validation_set import ValidationRows
from skdeep.estimators.warm_start import Done, current_state_of
from skdeep.persistence import files, formats, networks
from skdeep.persistence.encoding import encode_params
from skdeep.persistence.fields import Fields
from skdeep.persistence.files import PathLike, prefix_errors
from skdeep.persistence.saving import estimator_of, write
from skdeep.persistence.training_states import encode_training

CHECKPOINT = ("method", "every", "seconds", "data")
DATA = ("X", "y", "weights", "X_val", "y_val", "weights of X_val")
TABLE = ("dtype", "shape", "checksum")

# Bytes of a table that are read at once.
BLOCK_BYTES = 1 << 24


class Checkpoint:
    """Callback that writes files from which a fit that is killed can go on.

    Set it with ``set_callbacks`` on a DeepClassifier or DeepRegressor with a stochastic solver.
    It writes after epochs, and when ``fit`` ends. Each file replaces the one before atomically,
    so that there is always a whole one. `resume` goes on with the fit; `load` returns the
    estimator as if the fit had ended there.

    With ``partial_fit``, it writes after calls, and `load` is all that is needed to go on.

    Parameters
    ----------
    path : str or os.PathLike
        Ends in ``.npz`` or ``.json``; see `save`.
    every : int or datetime.timedelta, default=timedelta(minutes=1)
        Number of epochs, or time, between two files. A file is written at the end of an epoch:
        at most this, or an epoch if that takes longer, is lost.

    Raises
    ------
    ValueError
        If a parameter is invalid. ``fit`` raises it if the estimator cannot be saved, if its
        solver is L-BFGS, whose state SciPy keeps to itself, or if the fits of a search, an
        ensemble or ``lockstep`` would all write to this file.
    TypeError
        Raised by ``fit`` if the estimator is another than the two.
    OSError
        Raised by ``fit`` if a file cannot be written, such as on a full disk. The last one
        stays.

    See Also
    --------
    resume : Go on with the fit.

    Notes
    -----
    A Checkpoint is for one estimator; a clone or a copy needs one of its own. It reads the data
    once when ``fit`` begins, for the checksums by which `resume` knows them. A fit that raises
    an error or is interrupted by Ctrl-C leaves the file of the last epoch that was due.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> from skdeep.persistence import Checkpoint, load
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> model = DeepRegressor(hidden_layer_sizes=(4,), max_iter=25, tol=0, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "fit.npz")
    ...     model = model.set_callbacks(Checkpoint(path, every=10)).fit(X, X[:, 0])
    ...     loaded = load(path)
    >>> loaded.n_iter_
    25
    """

    def __init__(
        self, path: PathLike, *, every: int | timedelta = timedelta(minutes=1)
    ) -> None:
        formats.format_of(path)
        is_number = isinstance(every, Integral) and type(every) is not bool
        if not (
            (is_number and every >= 1)  # type: ignore[operator]
            or (isinstance(every, timedelta) and every > timedelta(0))
        ):
            raise ValueError(
                "every must be a number of epochs of at least 1, or a datetime.timedelta above "
                f"0; got {every!r}."
            )
        self.path = path
        self.every = every
        self._owner: Any = None  # the estimator that it is for, as a weak reference
        self._n_epochs = 0  # since the last file
        self._written_at = time.monotonic()
        self._written_outcome = ""
        self._seconds_before = 0.0  # of the fit, in processes that were killed

    def __getstate__(self) -> dict[str, Any]:
        # A copy, such as one for another process, is for no estimator.
        return {**vars(self), "_owner": _nobody}

    # Hooks of scikit-learn's callbacks

    def setup(self, estimator: Any, context: Any) -> None:
        """Check that the fit can be saved, and that the file is for it alone."""
        name = type(estimator).__name__
        if type(estimator) not in (DeepClassifier, DeepRegressor):
            raise TypeError(
                f"Checkpoint is for DeepClassifier and DeepRegressor; got {name}. Save it with "
                "skdeep.persistence.save or joblib.dump after its fit."
            )
        if trains_on_all_rows(estimator):
            raise ValueError(
                "Checkpoint needs a stochastic solver, such as 'adam' or 'sgd': the state of "
                "L-BFGS is kept inside of SciPy."
            )
        self._check_alone(estimator, context)
        folder = os.path.dirname(os.path.realpath(self.path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"{os.fspath(self.path)}: its folder does not exist.")
        encode_params(estimator)
        self._began_at = time.monotonic()
        self._data: dict[str, Any] | None = None

    def _check_alone(self, estimator: Any, context: Any) -> None:
        above = context.parent
        # A pipeline fits its last step once.
        while above is not None and above.estimator_name == "Pipeline":
            above = above.parent
        others = "lockstep" if in_lockstep() else above and above.estimator_name
        if others is None and self._owner is not None and self._owner() is not estimator:
            others = "another estimator, such as a copy of this one,"
        if others is not None:
            raise ValueError(
                f"{os.fspath(self.path)}: each fit of {others} would replace the checkpoint of "
                "another fit. Remove it with set_callbacks(), or give each estimator a "
                "Checkpoint with a path of its own."
            )
        self._owner = weakref.ref(estimator)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Forget the fit."""
        self._data, self._seconds_before = None, 0.0

    def on_fit_task_begin(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> None:
        """Compute the checksums of the data, when a fit begins."""
        if context.task_name != "fit":
            return
        task = fitted_estimator._task
        validation = None if task.validate is None else task.validate.data
        if validation is not None and validation.rows is not None:
            validation = None  # a part of X
        self._data = _description(task.X, task.y, task.sample_weight, validation)

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> None:
        """Write a file, if it is due or if the fit has ended."""
        # An epoch that was begun, but not trained, has no estimator.
        if fitted_estimator is None or context.task_name == "partial_fit":
            return
        outcome = current_state_of(fitted_estimator).outcome
        if context.task_name == "fit":
            is_due = self._n_epochs > 0 or self._written_outcome != outcome
        else:
            self._n_epochs += 1
            is_due = self._is_due()
        # The last file is better than weights that are not finite, or those of half an epoch.
        if is_due and outcome not in ("diverged", "interrupted"):
            call = context if context.task_name == "fit" else context.parent
            self._write(fitted_estimator, call.task_name, outcome)

    def _is_due(self) -> bool:
        if isinstance(self.every, timedelta):
            return time.monotonic() - self._written_at >= self.every.total_seconds()
        return self._n_epochs >= self.every

    def _write(self, fitted: Any, method: str, outcome: str) -> None:
        every = self.every
        is_time = isinstance(every, timedelta)
        document = {
            **networks.document_of(fitted),
            "training": encode_training(fitted),
            "checkpoint": {
                "method": method,
                "every": every.total_seconds() if is_time else int(every),  # type: ignore
                "seconds": self._seconds_before + time.monotonic() - self._began_at,
                "data": self._data,
            },
        }
        write(fitted, self.path, document)
        self._n_epochs = 0
        self._written_at = time.monotonic()
        self._written_outcome = outcome


def _nobody() -> None:
    """In place of a reference to the estimator of a Checkpoint."""


def resume(
    path: PathLike,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    X_val: Any = None,
    y_val: Any = None,
    sample_weight_val: Any = None,
    callbacks: Sequence[Any] = (),
    max_bytes: int = files.MAX_BYTES,
) -> Any:
    """Go on with a fit that was killed, from the last file of its `Checkpoint`.

    The fit ends with the weights, curves and random numbers with which it would have ended, to
    the last bit, if it runs on the same kind of processor with the same versions of NumPy. It
    writes further checkpoints to the same file.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    X, y, sample_weight, X_val, y_val, sample_weight_val
        As they were passed to ``fit``.
    callbacks : sequence of callbacks, default=()
        Those of the fit, besides the Checkpoint, as files hold none.
    max_bytes : int, default=2**30
        Maximum size of the file; see `load`.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor
        As ``fit`` returns it. If the fit had ended, its estimator is returned without training.

    Raises
    ------
    OSError
        If the file does not exist or cannot be read.
    ValueError
        If the file is no checkpoint of a fit, or the data are not those that it was on.

    See Also
    --------
    Checkpoint : Write the file.

    Notes
    -----
    A fit that a callback has stopped, or `max_time`, has ended. `max_time` counts what the
    processes took until their last checkpoint.

    Examples
    --------
    The same script starts the fit, goes on with it after a crash, and returns the model once
    the fit has ended:

    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> from skdeep.persistence import Checkpoint, resume
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> def train(path):
    ...     if os.path.exists(path):
    ...         return resume(path, X, X[:, 0])
    ...     model = DeepRegressor(hidden_layer_sizes=(4,), max_iter=500, random_state=0)
    ...     return model.set_callbacks(Checkpoint(path)).fit(X, X[:, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "fit.npz")
    ...     first, second = train(path), train(path)
    >>> bool((first.predict(X) == second.predict(X)).all())
    True
    """
    formats.format_of(path)
    document = formats.decoded(path, files.read_bytes(path, max_bytes))
    validation = X_val, y_val, sample_weight_val
    with prefix_errors(path):
        estimator = estimator_of(document)
        read = _section(document)
        outcome = _check_state(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit has warned, and warns again
        data = check_training_data(
            estimator, X, y, sample_weight, validation, fresh=False, incremental=False
        )
    now = _description(data.X, data.encoded, data.weight, data.validation)
    with prefix_errors(path):
        _check_same(read["data"], now)
    every = read["every"]
    is_time = isinstance(every, float)
    checkpoint = Checkpoint(path, every=timedelta(seconds=every) if is_time else every)
    checkpoint._seconds_before = read["seconds"]
    estimator.set_callbacks(checkpoint, *callbacks)
    if outcome != "running":
        return estimator
    done = Done(estimator.n_iter_, read["seconds"])
    return resume_fit(estimator, X, y, sample_weight, validation, done)


def _section(document: dict[str, Any]) -> Fields:
    if "checkpoint" not in document or "training" not in document:
        raise ValueError(
            "it is a model of save, not a checkpoint of a fit. Load it; with warm_start=True, "
            "fit trains it further."
        )
    read = Fields(document["checkpoint"], CHECKPOINT, "checkpoint")
    if read["method"] == "partial_fit":
        raise ValueError(
            "it is a checkpoint of partial_fit, whose calls are complete. Load it, and call "
            "partial_fit with the next rows."
        )
    if read["method"] != "fit":
        raise read.refusal("method", "'fit' or 'partial_fit'")
    if type(read["every"]) is not float:
        read.count("every", 1)
    for name in ("every", "seconds"):
        if not 0 <= read.number(name) < 1e9:
            raise read.refusal(name, "a number from 0 to 1e9")
    return read


def _check_state(estimator: Any) -> str:
    # What is needed to go on. Returns why the fit has ended, or 'running'.
    state = current_state_of(estimator)
    n_epochs = len(state.history.loss_curve)
    if state.stream is not None:
        n_epochs = min(n_epochs, state.stream.n_epochs)
    goes_on = state.solver_state is not None and 1 <= estimator.n_iter_ < estimator.max_iter
    if estimator.n_iter_ > n_epochs or (state.outcome == "running" and not goes_on):
        raise ValueError(
            "n_iter_, training and max_iter do not match: no fit could leave them."
        )
    return state.outcome


# The data


def _description(
    X: Any, y: Array, weight: Array | None, validation: ValidationRows | None
) -> dict[str, Any]:
    # Shapes, dtypes and checksums of what a network is trained and validated on.
    tables = [X, y, weight, None, None, None]
    if validation is not None:
        tables[3:] = validation.X, validation.encoded, validation.weight
    return {
        name: None if table is None else _table(table)
        for name, table in zip(DATA, tables, strict=True)
    }


def _table(table: Any) -> dict[str, Any]:
    checksum = 0
    parts = [table.data, table.indices, table.indptr] if hasattr(table, "tocsr") else [table]
    for part in parts:
        # Block by block, because a table may be larger than memory.
        n_rows = max(1, BLOCK_BYTES * len(part) // max(1, part.nbytes))
        for start in range(0, len(part), n_rows):
            block = np.ascontiguousarray(part[start : start + n_rows])
            checksum = zlib.crc32(block.data, checksum)
    values = table.dtype.str, list(table.shape), checksum
    return dict(zip(TABLE, values, strict=True))


def _check_same(before: Any, now: dict[str, Any]) -> None:
    read = Fields(before, DATA, "checkpoint.data")
    for name, table in now.items():
        then = read[name]
        if then == table:
            continue
        if then is None or table is None:
            problem = "none were passed before" if then is None else "they are missing"
        else:
            parts = [
                part for part in TABLE if type(then) is dict and then.get(part) != table[part]
            ]
            part = (parts or ["shape"])[0]
            problem = f"its {part} is {table[part]!r}"
            if type(then) is dict:
                problem += f", and was {then.get(part)!r}"
        raise ValueError(
            f"{name} is not that of the fit that was cut off: {problem}. Pass the same data, "
            "with rows in the same order, or fit again."
        )
