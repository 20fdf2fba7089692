"""Networks of two Go libraries, go-deep and gopher-neural, as fitted estimators.

Both store a network as JSON: its layers, neuron by neuron, each a list of its incoming
weights. What their networks compute, estimators compute too; where an estimator has no such
output or no hidden layer, one more layer that changes nothing makes it so.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._network.network import Parameters
from skdeep._training.fit_task import History
from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.model import make_fitted, with_loss
from skdeep.estimators.targets import ClassTarget, MultilabelTarget, RegressionTarget
from skdeep.persistence.files import (
    MAX_BYTES,
    PathLike,
    check_fields,
    read_bytes,
    refusals,
    shown,
)
from skdeep.persistence.formats import parse, string_dtype

Estimator = DeepClassifier | DeepRegressor

# go-deep's codes. Without an activation, 0, it makes a network of logistic units.
ACTIVATIONS = {0: "logistic", 1: "logistic", 2: "tanh", 3: "relu", 4: "identity"}
SOFTMAX = 5
DEFAULT, MULTI_CLASS, REGRESSION, BINARY, MULTI_LABEL = range(5)
SQUARED_ERROR = 3

NOT_READ = "a field that networks of this library do not have"
# Widest layer that changes nothing: its weights are a matrix of this many rows and columns.
MAX_IDENTITY = 4096


def from_go_deep(
    source: PathLike | dict[str, Any],
    *,
    classes: Sequence[Any] | Array | None = None,
    max_bytes: int = MAX_BYTES,
) -> Estimator:
    """Make an estimator of a network that go-deep saved (``Neural.Marshal`` or ``Dump``).

    It is fitted: it predicts what the network does, to rounding, in float64, and goes on
    training with ``partial_fit``. Its parameters describe the network, so that a clone trains
    another of the kind. Networks of the modes multi-class, binary and multi-label become a
    classifier, the others a regressor, whose loss is the squared error whatever theirs is.

    Parameters
    ----------
    source : str, os.PathLike or dict
        A JSON file, or what is in one: ``{"Config": {...}, "Weights": [...]}``, with the
        weights of the bias last in each neuron's list.
    classes : sequence of shape (n_classes,), default=None
        Labels in the order of the network's outputs, all strings, booleans or whole
        numbers, for a classifier that is not multi-label; of a single output, the label that
        is meant below 0.5, then the other. The columns of ``predict_proba`` are sorted by
        label, as everywhere. None is 0, 1, ...
    max_bytes : int, default=2**30
        Largest file that is read.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If the network is not whole, or is one that no estimator computes.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.persistence import from_go_deep
    >>> dump = {
    ...     "Config": {
    ...         "Inputs": 1, "Layout": [1, 2], "Activation": 2, "Mode": 1, "Loss": 1,
    ...         "Bias": True,
    ...     },
    ...     "Weights": [[[1.0, 0.0]], [[2.0, 0.5], [-2.0, 0.0]]],
    ... }
    >>> model = from_go_deep(dump, classes=["up", "down"])
    >>> model.classes_
    array(['down', 'up'], dtype='<U4')
    >>> model.predict(np.array([[-1.0], [1.0]]))
    array(['down', 'up'], dtype='<U4')
    """
    dump, name = _read(source, "go-deep network", max_bytes)
    with refusals(name):
        return _go_deep(dump, classes)


def from_gopher_neural(
    source: PathLike | dict[str, Any], *, max_bytes: int = MAX_BYTES
) -> Estimator:
    """Make an estimator of a network that gopher-neural saved (``persist.ToFile``).

    It is fitted, as by :func:`from_go_deep`. A network of several labels becomes a
    classifier, which predicts the label of the largest output; ``predict_proba`` has the
    outputs, sorted by label. A network of one output, or without labels but "output", becomes
    a regressor to (0, 1).

    Parameters
    ----------
    source : str, os.PathLike or dict
        A JSON file, or what is in one:
        ``{"Enters": 4, "Weights": [...], "OutLabels": {"0": "setosa", ...}}``.
    max_bytes : int, default=2**30
        Largest file that is read.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If the network is not whole.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.persistence import from_gopher_neural
    >>> dump = {
    ...     "Enters": 1,
    ...     "Weights": [[[1.0]], [[-1.0], [2.0]]],
    ...     "OutLabels": {"0": "R", "1": "M"},
    ... }
    >>> model = from_gopher_neural(dump)
    >>> model.predict(np.array([[1.0]]))
    array(['M'], dtype='<U1')
    """
    dump, name = _read(source, "gopher-neural network", max_bytes)
    with refusals(name):
        return _gopher_neural(dump)


def _read(source: Any, kind: str, max_bytes: int) -> tuple[Any, str]:
    # What is to be read, and what errors call it.
    if isinstance(source, dict):
        return source, kind
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source must be a path or a dict; got {type(source).__name__}.")
    data = read_bytes(source, max_bytes)
    with refusals(source):
        return parse(data), os.fspath(source)


def _go_deep(dump: Any, classes: Any) -> Estimator:
    fields = ("Config", "Weights")
    check_fields(dump, fields, fields, "the network", NOT_READ)
    names = ("Inputs", "Layout", "Activation", "Mode", "Loss", "Bias")
    config = check_fields(dump["Config"], names, ("Inputs", "Layout"), "Config", NOT_READ)
    if config.get("Activation") == SOFTMAX:
        raise ValueError("Activation 5, a softmax, is of outputs only: no hidden layer has it.")
    activation = ACTIVATIONS[_code(config, "Activation", len(ACTIVATIONS))]
    mode, loss = _code(config, "Mode", 5), _code(config, "Loss", 4)
    bias = config.get("Bias", False)
    if type(bias) is not bool:
        raise ValueError(f"Bias must be true or false; got {shown(bias)}.")
    widths = _widths([config["Inputs"], *_list(config["Layout"], "Layout")])
    # Regression has no bias in its last layer.
    biased = [bias] * (len(widths) - 2) + [bias and mode != REGRESSION]
    coefs, intercepts = _layers(dump["Weights"], widths, biased)
    kind: dict[str, Any] = {"bias": bias, "activation": activation}
    if mode in (DEFAULT, REGRESSION):
        if classes is not None:
            raise ValueError("classes go with the modes 1, multi-class, and 3, binary, only.")
        output = activation if mode == DEFAULT else "identity"
        if output == "relu":
            # One more hidden layer has it, and the output hands on what that gives.
            coefs, intercepts = [*coefs, _same(widths[-1])], [*intercepts, np.zeros(widths[-1])]
            output = "identity"
        kind["output_activation"] = None if output == "identity" else output
        return _fitted_regressor(kind, coefs, intercepts)
    kind["loss"] = "squared_error" if loss == SQUARED_ERROR else "log_loss"
    if mode == MULTI_CLASS:
        kind["output_activation"] = "softmax"
        if widths[-1] == 1:
            raise ValueError("a multi-class network (Mode 1) has two outputs or more, not one.")
    elif widths[-1] > 1:
        if classes is not None:
            raise ValueError("classes do not go with a multi-label network: leave them out.")
        return _fitted_classifier(kind, MultilabelTarget(widths[-1]), coefs, intercepts)
    labels, order = _sorted_labels(range(max(widths[-1], 2)) if classes is None else classes)
    if len(labels) != max(widths[-1], 2):
        raise ValueError(f"there are {len(labels)} classes for {widths[-1]} output(s).")
    if widths[-1] > 1:
        coefs[-1], intercepts[-1] = coefs[-1][:, order], intercepts[-1][order]
    elif order[0] == 1:
        # The probability of the first is that of the second with the signs turned.
        coefs[-1], intercepts[-1] = -coefs[-1], -intercepts[-1]
    return _fitted_classifier(kind, ClassTarget(labels), coefs, intercepts)


def _gopher_neural(dump: Any) -> Estimator:
    names = ("Enters", "Weights", "OutLabels")
    check_fields(dump, names, ("Enters", "Weights"), "the network", NOT_READ)
    layers = _list(dump["Weights"], "Weights")
    widths = _widths([dump["Enters"], *(len(_list(layer, "a layer")) for layer in layers)])
    n_out = widths[-1]
    coefs, intercepts = _layers(layers, widths, [False] * len(layers))
    kind: dict[str, Any] = {
        "bias": False,
        "activation": "logistic",
        "output_activation": "logistic",
    }
    given = {} if dump.get("OutLabels") is None else dump["OutLabels"]
    if not isinstance(given, dict) or not all(type(one) is str for one in given.values()):
        raise ValueError("OutLabels must be an object from output to string.")
    by_place = {str(place): label for place, label in given.items()}
    if len(by_place) < len(given):
        raise ValueError(f"OutLabels names an output twice; got {shown(list(given))}.")
    if n_out == 1 or list(given.values()) in ([], ["output"]):
        return _fitted_regressor(kind, coefs, intercepts)
    if set(by_place) != {str(i) for i in range(n_out)}:
        raise ValueError(
            f"OutLabels has labels for {shown(sorted(by_place))}, not for 0...{n_out - 1}."
        )
    labels, order = _sorted_labels([by_place[str(i)] for i in range(n_out)])
    coefs[-1] = coefs[-1][:, order]
    kind["loss"] = "squared_error"
    return _fitted_classifier(kind, ClassTarget(labels), coefs, intercepts)


# What is read


def _code(config: dict[str, Any], name: str, n: int) -> int:
    found = config.get(name, 0)  # as Go reads what is not there
    if type(found) is not int or not 0 <= found < n:
        raise ValueError(f"{name} must be one of {list(range(n))}; got {shown(found)}.")
    return found


def _list(found: Any, what: str) -> list[Any]:
    if type(found) is not list:
        raise ValueError(f"{what} must be a list; got {type(found).__name__}.")
    return found


def _widths(given: list[Any]) -> list[int]:
    if len(given) < 2 or not all(type(n) is int and n >= 1 for n in given):
        raise ValueError(
            "inputs and each layer must be a whole number of 1 or more, and there must be a "
            f"layer; got {shown(given)}."
        )
    return given


def _layers(
    given: Any, widths: list[int], biased: list[bool]
) -> tuple[list[Array], list[Array]]:
    # Each layer's weights, of shape (n_in, n_out), and bias: 0 where it has none.
    if len(_list(given, "Weights")) != len(widths) - 1:
        raise ValueError(f"Weights has {len(given)} layers, not {len(widths) - 1}.")
    coefs, intercepts = [], []
    for i, layer in enumerate(given):
        n_in, n_out = widths[i] + biased[i], widths[i + 1]
        if len(_list(layer, f"Weights[{i}]")) != n_out:
            raise ValueError(f"Weights[{i}] has {len(layer)} neurons, not {n_out}.")
        for row in layer:
            if len(_list(row, f"a neuron of Weights[{i}]")) != n_in:
                raise ValueError(
                    f"a neuron of Weights[{i}] has {len(row)} weights; {widths[i]} inputs "
                    f"with{'' if biased[i] else 'out'} a bias make {n_in}."
                )
            if not {float, int}.issuperset(map(type, row)):
                raise ValueError(f"Weights[{i}] has something that is no number.")
        matrix = np.array(layer, float)
        if not np.isfinite(matrix).all():
            raise ValueError(f"Weights[{i}] has a number that is not finite.")
        coefs.append(matrix[:, : widths[i]].T)
        intercepts.append(matrix[:, -1] if biased[i] else np.zeros(n_out))
    return coefs, intercepts


def _sorted_labels(given: Any) -> tuple[Array, Array]:
    # Labels in ascending order, and where each stands among those that are given.
    if isinstance(given, (str, bytes, dict, set, frozenset)):
        raise ValueError(
            f"classes must be a list of labels in the order of the outputs; got {shown(given)}."
        )
    wanted = list(given)
    strings = all(isinstance(label, str) for label in wanted)
    labels = np.array(wanted, string_dtype("classes", wanted) if strings else None)
    n_bools = sum(isinstance(label, (bool, np.bool_)) for label in wanted)
    if (
        labels.ndim != 1
        or labels.dtype.kind not in "biufU"
        or labels.tolist() != wanted
        or n_bools not in (0, len(wanted))
        or (labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels % 1 == 0)).all())
    ):
        raise ValueError(
            "classes must be all strings, all booleans or all whole numbers; got "
            f"{shown(wanted)}."
        )
    found, order = np.unique(labels, return_index=True)
    if len(found) < len(labels):
        raise ValueError(f"the labels {shown(wanted)} are not all different.")
    return found, order


# What becomes of it


def _same(n: int) -> Array:
    if n > MAX_IDENTITY:
        raise ValueError(
            f"it needs a layer of {n} x {n} weights that changes nothing; {MAX_IDENTITY} is "
            "the widest that is made."
        )
    return np.eye(n)


def _fitted_regressor(
    kind: dict[str, Any], coefs: list[Array], intercepts: list[Array]
) -> DeepRegressor:
    coefs, intercepts, kind = _with_hidden_layer(coefs, intercepts, kind)
    estimator = DeepRegressor(**kind)
    target = with_loss(estimator, RegressionTarget(coefs[-1].shape[1]))
    return make_fitted(estimator, target, _parameters(kind, coefs, intercepts), History())


def _fitted_classifier(
    kind: dict[str, Any], target: Any, coefs: list[Array], intercepts: list[Array]
) -> DeepClassifier:
    coefs, intercepts, kind = _with_hidden_layer(coefs, intercepts, kind)
    estimator = DeepClassifier(**kind)
    params = _parameters(kind, coefs, intercepts)
    return make_fitted(estimator, with_loss(estimator, target), params, History())


def _with_hidden_layer(
    coefs: list[Array], intercepts: list[Array], kind: dict[str, Any]
) -> tuple[list[Array], list[Array], dict[str, Any]]:
    # Estimators have one; where the network has none, it hands on what comes in.
    if len(coefs) == 1:
        n_in = len(coefs[0])
        coefs, intercepts = [_same(n_in), *coefs], [np.zeros(n_in), *intercepts]
        kind = {**kind, "activation": "identity"}
    return coefs, intercepts, {**kind, "hidden_layer_sizes": tuple(map(len, coefs[1:]))}


def _parameters(
    kind: dict[str, Any], coefs: list[Array], intercepts: list[Array]
) -> Parameters:
    return Parameters(coefs, intercepts if kind["bias"] else [])
