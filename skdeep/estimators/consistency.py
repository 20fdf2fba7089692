"""Whether a fitted network fits together: what ``__sklearn_validate_model__`` checks.

A model from a file may have been damaged or forged. Shapes must chain from the columns of X to
the target, classes must be those of the target, and numbers must be finite.
"""

from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from skdeep._checks.fitted import require, require_array, require_count, require_type
from skdeep._network.layers import Dense
from skdeep._network.network import Network
from skdeep._network.norms import BatchNorm, LayerNorm
from skdeep._training.bound_solver import SolverState
from skdeep._training.fit_task import History
from skdeep.activations import Activation
from skdeep.estimators.model import model_of
from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
)
from skdeep.estimators.warm_start import RandomStream, TrainingState
from skdeep.losses import (
    ActivatedLoss,
    BinaryLoss,
    MultinomialLoss,
    MultiOutputLoss,
    OutputActivation,
    QuantileLoss,
    RegressionLoss,
)
from skdeep.solvers import StochasticSolver

CLASSES = (ClassTarget, MultilabelTarget, MultiOutputTarget)

# Attributes that are lists of numbers or None, and those that are counts or None.
CURVES = ("loss_curve_", "validation_scores_", "validation_loss_curve_")
COUNTS = ("n_iter_", "t_")


def check_network_model(estimator: Any, kinds: tuple[type, ...]) -> None:
    """Raise ValueError unless a fitted network of one of the kinds of targets is usable."""
    require_type("_target", estimator._target, *kinds)
    check_target(estimator._target)
    check_columns(estimator)
    _check_weights(estimator)
    _check_attributes(estimator)
    _check_training_state(estimator)


def check_columns(estimator: Any) -> None:
    """Raise ValueError unless the number of columns of X and their names agree."""
    require_count("n_features_in_", estimator.n_features_in_, 1)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        require_array(
            "feature_names_in_", names, (estimator.n_features_in_,), "O", finite=False
        )
        is_text = all(isinstance(name, str) for name in names)
        require(is_text, "feature_names_in_", "strings", names)


# Targets


def check_target(target: Any) -> None:
    """Raise ValueError unless a target decodes the output of its number of outputs."""
    if isinstance(target, MultiOutputTarget):
        _check_columns_of_classes(target)
    elif isinstance(target, ClassTarget):
        _check_classes(target)
    elif isinstance(target, MultilabelTarget):
        labels = np.arange(target.n_outputs)
        is_range = np.array_equal(target.classes, labels)
        require(is_range, "the labels", f"0 to {target.n_outputs - 1}", target.classes)
        require(isinstance(target.loss, BinaryLoss), "the loss", "of labels", target.loss)
    else:
        _check_numbers(target)


def check_classes(estimator: Any, target: Any) -> None:
    """Raise ValueError unless `classes_` are those of the target."""
    given, classes = estimator.classes_, target.classes
    require_type("classes_", given, type(classes))
    several = isinstance(classes, list)
    same = _are_equal(given, classes) if several else _are_equal([given], [classes])
    require(same, "classes_", f"those of the target, {classes!r}", given)


def _are_equal(given: list[Any], classes: list[Any]) -> bool:
    return len(given) == len(classes) and all(
        np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(given, classes, strict=True)
    )


def _check_classes(target: ClassTarget) -> None:
    classes, loss = target.classes, target.loss
    require(
        isinstance(classes, np.ndarray) and classes.ndim == 1, "classes", "a vector", classes
    )
    ascend = len(classes) > 1 and all(a < b for a, b in pairwise(classes.tolist()))
    require(ascend, "classes", "two or more, sorted and distinct", classes)
    fits = [len(classes)] if isinstance(loss, MultinomialLoss) else [len(classes), 1]
    fits = fits if len(classes) == 2 else fits[:1]
    require(target.n_outputs in fits, "the number of outputs", f"in {fits}", target.n_outputs)
    is_loss = isinstance(loss, BinaryLoss | MultinomialLoss)
    require(is_loss, "the loss", "that of a classifier", loss)


def _check_columns_of_classes(target: MultiOutputTarget) -> None:
    for one in target.targets:
        require_type("the target of a column", one, ClassTarget)
        _check_classes(one)
    widths = tuple(one.n_outputs for one in target.targets)
    same = _are_equal(target.classes, [one.classes for one in target.targets])
    require(same, "classes", "those of the columns", target.classes)
    require(target._widths == widths, "the widths of the columns", f"{widths}", target._widths)
    require(
        target.n_outputs == sum(widths),
        "the number of outputs",
        f"{sum(widths)}",
        target.n_outputs,
    )
    loss = MultiOutputLoss(tuple(one.loss for one in target.targets), widths)
    require(target.loss == loss, "the loss", f"{loss}", target.loss)


def _check_numbers(target: Any) -> None:
    require_count("the number of columns of y", target.n_columns, 1)
    loss = target.loss
    if isinstance(loss, QuantileLoss):
        QuantileLoss(loss.quantiles)  # checks that they ascend
        n = len(loss.quantiles)
        places = np.sort(target.order).tolist()
        require(
            places == list(range(n)), "the order of quantiles", f"0 to {n - 1}", target.order
        )
    else:
        n = target.n_columns
        require(target.order is None, "the order of quantiles", "None", target.order)
        require(isinstance(loss, RegressionLoss), "the loss", "that of a regressor", loss)
        inner = loss.loss if isinstance(loss, ActivatedLoss) else loss
        require(isinstance(inner, RegressionLoss), "the loss", "that of a regressor", inner)
        activation = loss.output_activation
        is_known = isinstance(activation, OutputActivation)
        require(is_known, "the output activation", "an OutputActivation", activation)
    require(target.n_outputs == n, "the number of outputs", f"{n}", target.n_outputs)


# Networks


def _check_weights(estimator: Any) -> None:
    network, coefs = estimator._network, estimator.coefs_
    require_type("_network", network, Network)
    require(network.inputs == (), "the input layers of _network", "()", network.inputs)
    for name in ("coefs_", "intercepts_", "norms_"):
        require_type(name, getattr(estimator, name), list, tuple)
    layers = network.layers
    require(len(layers) == len(coefs) > 0, "coefs_", f"{len(layers)} matrices", len(coefs))
    n_in, biases, norms = estimator.n_features_in_, [], []
    for i, (layer, coef) in enumerate(zip(layers, coefs, strict=True)):
        n_out = None if i + 1 < len(layers) else estimator._target.n_outputs
        require_array(f"coefs_[{i}]", coef, (n_in, n_out))
        _check_layer(i, layer, coef.shape)
        n_in = coef.shape[1]
        biases += [n_in] if layer.bias else []
        norms += [n_in] * len(layer.norm.starts) if layer.norm else []
    dtype = coefs[0].dtype.name
    for name, widths in (("coefs_", []), ("intercepts_", biases), ("norms_", norms)):
        arrays = getattr(estimator, name)
        n = len(widths) if name != "coefs_" else len(coefs)
        require(len(arrays) == n, name, f"{n} arrays", len(arrays))
        for i, array in enumerate(arrays):
            shape = array.shape if name == "coefs_" else (widths[i],)
            require_array(f"{name}[{i}]", array, shape, dtype)
    if isinstance(layers[0].norm, BatchNorm):
        positive = all((variance >= 0).all() for variance in estimator.norms_[3::4])
        require(positive, "running variances in norms_", "0 or more", "a negative one")


def _check_layer(i: int, layer: Any, shape: tuple[int, int]) -> None:
    name = f"layer {i} of _network"
    require_type(name, layer, Dense)
    is_known = isinstance(layer.activation, Activation)
    require(is_known, f"the activation of {name}", "an Activation", layer.activation)
    require_type(f"the norm of {name}", layer.norm, LayerNorm, BatchNorm, type(None))
    flags = (layer.bias, layer.dropout, layer.residual, layer.drops_input)
    require(set(map(type, flags)) == {bool}, f"the options of {name}", "true or false", flags)
    square = not layer.residual or shape[0] == shape[1]
    require(square, f"coefs_[{i}], of a residual layer,", "square", shape)


def _check_attributes(estimator: Any) -> None:
    target, n_layers = estimator._target, len(estimator.coefs_) + 1
    if isinstance(target, CLASSES):
        check_classes(estimator, target)
    expected = {
        "n_layers_": n_layers,
        "n_outputs_": target.n_outputs,
        "out_activation_": target.loss.out_activation,
    }
    for name, value in expected.items():
        given = getattr(estimator, name)
        require(given == value, name, f"{value!r}", given)
    for name in COUNTS:
        require_count(name, getattr(estimator, name))
    for name in CURVES:
        curve = getattr(estimator, name)
        require(curve is None or _is_curve(curve), name, "a list of numbers, or None", curve)


def _is_curve(value: Any) -> bool:
    return type(value) is list and all(isinstance(one, Real) for one in value)


def _check_training_state(estimator: Any) -> None:
    training = estimator._training_state
    require_type("_training_state", training, TrainingState)
    require_type("the history of training", training.history, History)
    require_type("the random numbers of training", training.stream, RandomStream, type(None))
    history = training.history
    curves = (history.loss_curve, history.validation_scores, history.validation_loss_curve)
    require(all(map(_is_curve, curves)), "curves of the history", "lists of numbers", curves)
    state = training.solver_state
    require_type("the state of the solver", state, SolverState, type(None))
    if state is None:
        return
    is_solver = isinstance(state.solver, type) and issubclass(state.solver, StochasticSolver)
    require(is_solver, "the solver of the state", "a class of solvers", state.solver)
    network = model_of(estimator).network
    shape, dtype = (state.solver.n_moments, network.n_trained), estimator.coefs_[0].dtype.name
    require_array("moments of the solver", state.moments, shape, dtype)
    for name in ("live", "average"):
        theta = getattr(state, name)
        if theta is not None:
            require_array(f"{name} parameters", theta, (network.n_params,), dtype)
    require_count("steps of the solver", state.n_steps)
    for rate in (state.rate, state.rate_init):
        is_rate = isinstance(rate, Real) and 0 <= float(rate) < np.inf
        require(is_rate, "the learning rate of the solver", "0 or more and finite", rate)
