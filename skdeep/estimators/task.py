"""From checked data to a fit task: network, initial weights, validation rows."""

import math
import warnings
from numbers import Integral
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.network import Network
from skdeep._training.fit_task import FitTask, History
from skdeep.estimators.build import batch_size_of, network_of
from skdeep.estimators.callbacks import EpochTable
from skdeep.estimators.model import model_of
from skdeep.estimators.training_data import TrainingData
from skdeep.estimators.unread import CALLER
from skdeep.estimators.validation_set import ValidationSet, hold_out, score_of
from skdeep.estimators.warm_start import Done, RandomStream, mask_generator_of, randomness_of
from skdeep.initializers import INITIALIZERS
from skdeep.solvers import LBFGS, StochasticSolver


def build_task(
    estimator: Any, data: TrainingData, fresh: bool, incremental: bool, done: Done
) -> tuple[FitTask, RandomStream | None]:
    """The fit task of a call, and the random stream that a later call can continue."""
    solver = data.solver
    network = _network(estimator, data, fresh)
    randomness = randomness_of(
        estimator, data.X.shape[0], solver, fresh, incremental, done.n_iter
    )
    generator, stream = randomness.generator, randomness.stream
    draws = fresh or (stream is not None and stream.draws_weights)
    theta = _initial_theta(estimator, network, generator if draws else None, data.dtype, fresh)
    masks = mask_generator_of(estimator, generator, fresh) if data.dropout else None
    task = FitTask(
        network=network,
        loss=data.target.loss,
        solver=solver,
        X=data.X,
        y=data.encoded,
        sample_weight=data.weight,
        theta=theta,
        generator=generator,
        alpha=estimator.alpha,
        max_iter=1 if incremental else estimator.max_iter,
        shuffle=estimator.shuffle,
        tol=estimator.tol,
        n_iter_no_change=estimator.n_iter_no_change,
        history=History() if fresh else estimator._training_state.history,
        solver_state=randomness.solver_state,
        n_epochs_before=randomness.n_epochs_before,
        n_iter_before=done.n_iter,
        l1_ratio=estimator.l1_ratio,
        dropout=data.dropout,
        mask_generator=masks,
        clip_norm=estimator.clip_norm,
        max_norm=estimator.max_norm,
        weight_averaging=estimator.weight_averaging,
        max_time=math.inf if estimator.max_time is None else estimator.max_time - done.seconds,
        restore_best=estimator.restore_best and not incremental,
    )
    if not isinstance(solver, LBFGS):
        _add_validation(task, estimator, data)
        task.batch_size = _batch_size(estimator, task.n_rows, incremental)
        if isinstance(estimator.random_state, Integral) and task.batch_size == task.n_rows:
            task.shuffle = False  # nothing but rounding depends on the order of one batch
    if fresh and estimator.init_output_bias == "baseline":
        _start_from_baseline(task, estimator.bias)
    if estimator.verbose:
        unit = unit_of(solver).capitalize()
        task.on_epoch = [EpochTable(with_score=task.validate is not None, unit=unit)]
    return task, stream


def unit_of(solver: Any) -> str:
    """What a solver counts: 'epoch', or 'iteration' for L-BFGS."""
    return "epoch" if isinstance(solver, StochasticSolver) else "iteration"


def _network(estimator: Any, data: TrainingData, fresh: bool) -> Network:
    network = network_of(estimator, data.X.shape[1], data.target.n_outputs, data.dropout)
    if fresh:
        return network
    before = estimator._network
    shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
    fitted = [coef.shape for coef in estimator.coefs_]
    if fitted != shapes:
        raise ValueError(
            f"Training cannot resume: the fitted weights have shapes {fitted}, but the "
            f"parameters and y ask for {shapes}. Keep hidden_layer_sizes, output_activation, "
            "quantile and the columns of y as they were, or set warm_start=False to start "
            "again."
        )
    if network == before:
        return before  # which has its layout computed
    if network.n_params != before.n_params:
        raise ValueError(
            "Training cannot resume: bias or norm differ from the previous fit. Set them back, "
            "or set warm_start=False to start again."
        )
    return network


def _initial_theta(
    estimator: Any,
    network: Network,
    generator: np.random.RandomState | None,
    dtype: np.dtype,
    fresh: bool,
) -> Array:
    if generator is not None:
        # A fit that resumes draws again what it drew, to arrive at what it has not drawn yet.
        initial = initial_weights(estimator, network, generator, dtype)
        if fresh:
            return initial
    return network.pack(model_of(estimator).params).astype(dtype, copy=False)


def initial_weights(
    estimator: Any, network: Network, generator: np.random.RandomState, dtype: np.dtype
) -> Array:
    """Initial parameters as a flat vector of shape (n_params,)."""
    given = estimator.weight_init
    # The gain of scikit-learn's MLP.
    gain = (
        2.0
        if isinstance(estimator.activation, str) and estimator.activation == "logistic"
        else 6.0
    )
    if isinstance(given, (list, tuple)):
        shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
        if [np.shape(array) for array in given] != shapes:
            raise ValueError(
                f"weight_init has arrays of shapes {[np.shape(array) for array in given]}, but "
                f"the layers need {shapes}: pass one array of shape (n_in, n_out) per layer."
            )
        if not all(np.isfinite(array).all() for array in given):
            raise ValueError("weight_init must hold finite numbers; some are not.")
        return network.initial(generator, gain, dtype, given)
    initializer = INITIALIZERS[given] if isinstance(given, str) else given
    return network.initial(generator, gain, dtype, initializer)


def _start_from_baseline(task: FitTask, has_bias: bool) -> None:
    if not has_bias:
        raise ValueError("init_output_bias='baseline' needs bias=True.")
    params = task.network.views(task.theta)
    params.weights[-1][...] = 0
    params.biases[-1][...] = task.loss.baseline(*training_targets(task))


def training_targets(task: FitTask) -> tuple[Array, Array | None]:
    """Encoded targets, as float64, and weights of a task's training rows."""
    rows = slice(None) if task.rows is None else task.rows
    weight = None if task.sample_weight is None else task.sample_weight[rows]
    return task.y[rows].astype(float), weight


def _add_validation(task: FitTask, estimator: Any, data: TrainingData) -> None:
    validation = data.validation
    if validation is None and estimator.early_stopping:
        task.rows, validation = hold_out(estimator, data, task.generator)
    if validation is None:
        return
    score = score_of(estimator, data.scorer, task.network, data.target, validation)
    task.validate = ValidationSet(task.network, validation, task.loss, score)
    task.stop_on_score = estimator.early_stopping


def _batch_size(estimator: Any, n_rows: int, incremental: bool) -> int:
    batch_size = batch_size_of(estimator)
    # A call to partial_fit may have any number of rows: the end of a stream, or one row.
    if batch_size > n_rows and estimator.batch_size != "auto" and not incremental:
        warnings.warn(
            f"batch_size={batch_size} is larger than the {n_rows} training rows: it "
            f"is clipped to {n_rows}.",
            stacklevel=CALLER,
        )
    return min(batch_size, n_rows)
