"""Networks of two Go libraries, go-deep and gopher-neural, as fitted estimators.

Both store a network as JSON: a list of layers, each a list of neurons, each a list of incoming
weights. If an estimator does not support the output, or the network has no hidden layer, an
identity layer is added.
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
from skdeep.persistence import files
from skdeep.persistence.files import PathLike, check_fields, prefix_errors, short_repr
from skdeep.persistence.formats import parse, string_dtype

Estimator = DeepClassifier | DeepRegressor

# go-deep's codes; with 0, none, it makes a network of logistic units.
ACTIVATIONS = {0: "logistic", 1: "logistic", 2: "tanh", 3: "relu", 4: "identity"}
SOFTMAX = 5
DEFAULT, MULTI_CLASS, REGRESSION, BINARY, MULTI_LABEL = range(5)
SQUARED_ERROR = 3

UNKNOWN_FIELD = "a field that networks of this library do not have"
# Maximum width of an identity layer, whose weights are a square matrix.
MAX_IDENTITY = 4096


def from_go_deep(
    source: PathLike | dict[str, Any],
    *,
    classes: Sequence[Any] | Array | None = None,
    max_bytes: int = files.MAX_BYTES,
) -> Estimator:
    """Convert a network saved by go-deep (``Neural.Marshal`` or ``Dump``) to an estimator.

    The estimator is fitted: it predicts the same as the network, up to rounding, in float64,
    and continues training with ``partial_fit``. Its parameters describe the network, so a
    clone trains another one of this kind. Networks of the modes multi-class, binary and
    multi-label become a classifier, others a regressor, whose loss is always the squared error.

    Parameters
    ----------
    source : str, os.PathLike or dict
        A JSON file, or its content: ``{"Config": {...}, "Weights": [...]}``, where the bias is
        last in each neuron's list.
    classes : sequence of shape (n_classes,), default=None
        Labels in the order of the network's outputs: strings, booleans or whole numbers, for a
        classifier that is not multi-label. For a single output, the first is the label below
        0.5. The columns of ``predict_proba`` are sorted by label, as always. None is 0, 1, ...
    max_bytes : int, default=2**30
        Maximum size of the file.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor

    Raises
    ------
    OSError
        If the file does not exist or cannot be read.
    ValueError
        If the network is not complete, or not supported by the estimators.

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
    with prefix_errors(name):
        return _go_deep(dump, classes)


def from_gopher_neural(
    source: PathLike | dict[str, Any], *, max_bytes: int = files.MAX_BYTES
) -> Estimator:
    """Convert a network saved by gopher-neural (``persist.ToFile``) to an estimator.

    The estimator is fitted, as in :func:`from_go_deep`. A network with several labels becomes a
    classifier, which predicts the label of the largest output; ``predict_proba`` returns the
    outputs, sorted by label. A network with one output, or with no label but "output", becomes
    a regressor with predictions in (0, 1).

    Parameters
    ----------
    source : str, os.PathLike or dict
        A JSON file, or its content:
        ``{"Enters": 4, "Weights": [...], "OutLabels": {"0": "setosa", ...}}``.
    max_bytes : int, default=2**30
        Maximum size of the file.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor

    Raises
    ------
    OSError
        If the file does not exist or cannot be read.
    ValueError
        If the network is not complete.

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
    with prefix_errors(name):
        names = ("Enters", "Weights", "OutLabels")
        check_fields(dump, names, ("Enters", "Weights"), "the network", UNKNOWN_FIELD)
        layers = _list(dump["Weights"], "Weights")
        widths = _widths([dump["Enters"], *(len(_list(layer, "a layer")) for layer in layers)])
        n_out = widths[-1]
        coefs, intercepts = _layers(layers, widths, [False] * len(layers))
        params = {"bias": False, "activation": "logistic", "output_activation": "logistic"}
        given = {} if dump.get("OutLabels") is None else dump["OutLabels"]
        if not isinstance(given, dict) or not all(type(one) is str for one in given.values()):
            raise ValueError("OutLabels must be an object from output to string.")
        by_place = {str(place): label for place, label in given.items()}
        if len(by_place) < len(given):
            raise ValueError(f"OutLabels names an output twice; got {short_repr(list(given))}.")
        if n_out == 1 or list(given.values()) in ([], ["output"]):
            return _fitted(params, RegressionTarget(n_out), coefs, intercepts)
        if set(by_place) != {str(i) for i in range(n_out)}:
            raise ValueError(
                f"OutLabels has labels for {short_repr(sorted(by_place))}, not for "
                f"0...{n_out - 1}."
            )
        labels, order = _sorted_labels([by_place[str(i)] for i in range(n_out)])
        coefs[-1] = coefs[-1][:, order]
        params["loss"] = "squared_error"
        return _fitted(params, ClassTarget(labels), coefs, intercepts)


def _read(source: Any, kind: str, max_bytes: int) -> tuple[Any, str]:
    # The content, and its name in error messages.
    if isinstance(source, dict):
        return source, kind
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source must be a path or a dict; got {type(source).__name__}.")
    data = files.read_bytes(source, max_bytes)
    with prefix_errors(source):
        return parse(data), os.fspath(source)


def _go_deep(dump: Any, classes: Any) -> Estimator:
    fields = ("Config", "Weights")
    check_fields(dump, fields, fields, "the network", UNKNOWN_FIELD)
    names = ("Inputs", "Layout", "Activation", "Mode", "Loss", "Bias")
    config = check_fields(dump["Config"], names, ("Inputs", "Layout"), "Config", UNKNOWN_FIELD)
    if config.get("Activation") == SOFTMAX:
        raise ValueError("Activation 5, softmax, is only supported for the output.")
    activation = ACTIVATIONS[_code(config, "Activation", len(ACTIVATIONS))]
    mode, loss = _code(config, "Mode", 5), _code(config, "Loss", 4)
    bias = config.get("Bias", False)
    if type(bias) is not bool:
        raise ValueError(f"Bias must be true or false; got {short_repr(bias)}.")
    widths = _widths([config["Inputs"], *_list(config["Layout"], "Layout")])
    # Regression has no bias in its last layer.
    biased = [bias] * (len(widths) - 2) + [bias and mode != REGRESSION]
    coefs, intercepts = _layers(dump["Weights"], widths, biased)
    params: dict[str, Any] = {"bias": bias, "activation": activation}
    if mode in (DEFAULT, REGRESSION):
        if classes is not None:
            raise ValueError(
                "classes need the modes 1, multi-class, or 3, binary: leave them out."
            )
        output = activation if mode == DEFAULT else "identity"
        if output == "relu":
            # It becomes a hidden layer, followed by an identity layer.
            coefs.append(_identity(widths[-1]))
            intercepts.append(np.zeros(widths[-1]))
        params["output_activation"] = None if output in ("relu", "identity") else output
        return _fitted(params, RegressionTarget(widths[-1]), coefs, intercepts)
    params["loss"] = "squared_error" if loss == SQUARED_ERROR else "log_loss"
    if mode == MULTI_CLASS:
        params["output_activation"] = "softmax"
        if widths[-1] == 1:
            raise ValueError(
                "a multi-class network (Mode 1) needs two outputs or more, not one."
            )
    elif widths[-1] > 1:
        if classes is not None:
            raise ValueError("classes are not supported for multi-label: leave them out.")
        return _fitted(params, MultilabelTarget(widths[-1]), coefs, intercepts)
    labels, order = _sorted_labels(range(max(widths[-1], 2)) if classes is None else classes)
    if len(labels) != max(widths[-1], 2):
        raise ValueError(f"there are {len(labels)} classes for {widths[-1]} output(s).")
    if widths[-1] > 1:
        coefs[-1], intercepts[-1] = coefs[-1][:, order], intercepts[-1][order]
    elif order[0] == 1:
        # With the signs flipped, the output is the probability of the other class.
        coefs[-1], intercepts[-1] = -coefs[-1], -intercepts[-1]
    return _fitted(params, ClassTarget(labels), coefs, intercepts)


# Reading


def _code(config: dict[str, Any], name: str, n: int) -> int:
    code = config.get(name, 0)  # Go's zero value
    if type(code) is not int or not 0 <= code < n:
        raise ValueError(f"{name} must be one of {list(range(n))}; got {short_repr(code)}.")
    return code


def _list(value: Any, what: str) -> list[Any]:
    if type(value) is not list:
        raise ValueError(f"{what} must be a list; got {type(value).__name__}.")
    return value


def _widths(given: list[Any]) -> list[int]:
    if len(given) < 2 or not all(type(n) is int and n >= 1 for n in given):
        raise ValueError(
            "inputs and each layer must be a whole number of at least 1, and there must be a "
            f"layer; got {short_repr(given)}."
        )
    return given


def _layers(
    given: Any, widths: list[int], biased: list[bool]
) -> tuple[list[Array], list[Array]]:
    # Weights of each layer, of shape (n_in, n_out), and its biases, 0 if it has none.
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
                raise ValueError(f"Weights[{i}] has a value that is not a number.")
        matrix = np.array(layer, float)
        if not np.isfinite(matrix).all():
            raise ValueError(f"Weights[{i}] has a number that is not finite.")
        coefs.append(matrix[:, : widths[i]].T)
        intercepts.append(matrix[:, -1] if biased[i] else np.zeros(n_out))
    return coefs, intercepts


def _sorted_labels(given: Any) -> tuple[Array, Array]:
    # Labels in ascending order, and the index of each in `given`.
    if isinstance(given, (str, bytes, dict, set, frozenset)):
        raise ValueError(
            "classes must be a list of labels in the order of the outputs; got "
            f"{short_repr(given)}."
        )
    listed = list(given)
    strings = all(isinstance(label, str) for label in listed)
    labels = np.array(listed, string_dtype("classes", listed) if strings else None)
    n_bools = sum(isinstance(label, (bool, np.bool_)) for label in listed)
    if (
        labels.ndim != 1
        or labels.dtype.kind not in "biufU"
        or labels.tolist() != listed
        or n_bools not in (0, len(listed))
        or (labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels % 1 == 0)).all())
    ):
        raise ValueError(
            "classes must be all strings, all booleans or all whole numbers; got "
            f"{short_repr(listed)}."
        )
    distinct, order = np.unique(labels, return_index=True)
    if len(distinct) < len(labels):
        raise ValueError(f"the labels {short_repr(listed)} are not all different.")
    return distinct, order


def _identity(n: int) -> Array:
    if n > MAX_IDENTITY:
        raise ValueError(
            f"it needs an identity layer of {n} x {n} weights; the maximum width is "
            f"{MAX_IDENTITY}."
        )
    return np.eye(n)


def _fitted(
    params: dict[str, Any], target: Any, coefs: list[Array], intercepts: list[Array]
) -> Estimator:
    # Estimators need a hidden layer; if the network has none, add an identity layer.
    if len(coefs) == 1:
        n_in = len(coefs[0])
        coefs, intercepts = [_identity(n_in), *coefs], [np.zeros(n_in), *intercepts]
        params["activation"] = "identity"
    kind = DeepRegressor if isinstance(target, RegressionTarget) else DeepClassifier
    estimator = kind(hidden_layer_sizes=tuple(map(len, coefs[1:])), **params)
    weights = Parameters(coefs, intercepts if params["bias"] else [])
    return make_fitted(estimator, with_loss(estimator, target), weights, History())
