"""Save fitted estimators to files that are safe to load, and load them.

``save`` writes parameters, labels, weights and loss curves. ``load`` rebuilds the estimator
through its own checks, and runs no code from the file.
"""

import math
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdeep._network.network import Parameters
from skdeep._network.norms import BatchNorm
from skdeep._training.fit_task import History
from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.build import dropout_of, network_of
from skdeep.estimators.model import check_parameters, make_fitted, model_of, with_loss
from skdeep.estimators.targets import (
    ClassTarget,
    MultilabelTarget,
    MultiOutputTarget,
    RegressionTarget,
)
from skdeep.persistence import files, formats, version_1
from skdeep.persistence.encoding import decode, encode
from skdeep.persistence.files import PathLike, check_fields, prefix_errors, short_repr

ESTIMATORS = {kind.__name__: kind for kind in (DeepClassifier, DeepRegressor)}
SECTIONS = ("version", "estimator", "params", "target", "features", "fitted", "weights")
WEIGHTS = ("coefs_", "intercepts_", "norms_")

# Fitted attributes: each is an integer ("count"), a number or a list of numbers.
FIGURES = {
    "n_iter_": "count",
    "t_": "count",
    "loss_": "number",
    "loss_curve_": "list",
    "best_loss_": "number",
    "validation_scores_": "list",
    "validation_loss_curve_": "list",
    "best_validation_score_": "number",
    "best_iter_": "count",
}
# Attributes that only a fit with validation rows has.
VALIDATED = [name for name in FIGURES if "validation" in name]
OPTIONAL = {*VALIDATED, "best_iter_", "best_loss_"}


def save(estimator: DeepClassifier | DeepRegressor, path: PathLike) -> None:
    """Write a fitted estimator to a file that is safe to load.

    The file holds all parameters, labels, feature names, weights and loss curves: the loaded
    estimator predicts the same to the last bit. It does not hold callbacks, metadata requests
    or the state of the solver (moments, learning rate, random numbers), so ``partial_fit`` and
    warm starts resume from the weights with a solver that starts from scratch.
    ``joblib.dump`` keeps all of these, in a file that runs code when it is loaded.

    Parameters
    ----------
    estimator : DeepClassifier or DeepRegressor
        Fitted estimator. Its parameters may be numbers, strings, arrays, and the solvers,
        schedules, initializers, activations and losses of skdeep.
    path : str or os.PathLike
        Ends in ``.json``, text that people can read, or in ``.npz``, which is compact and
        holds the weights as NumPy arrays. An existing file is replaced atomically, and keeps
        its permissions.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    OSError
        If the file cannot be written.
    TypeError
        If it is another object, such as a pipeline.
    ValueError
        If `path` has another suffix, a parameter holds an object of your own, parameters or
        weights were changed after the fit so that they no longer match, or `load` would
        refuse the file for any other reason.

    See Also
    --------
    load : Load an estimator.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> from skdeep.persistence import load, save
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> model = DeepRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     save(model.fit(X, X[:, 0] ** 2), path)
    ...     loaded = load(path)
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    if ESTIMATORS.get(type(estimator).__name__) is not type(estimator):
        raise TypeError(
            "save takes a fitted DeepClassifier or DeepRegressor; got "
            f"{type(estimator).__name__}. For a pipeline, save the last step, pipe[-1], and "
            "use skops or joblib for the steps before it; for other objects, use joblib.dump."
        )
    formats.format_of(path)
    check_is_fitted(estimator)
    data = formats.encoded(path, _document(estimator))
    # A file that could not be loaded is never written.
    by_params = _determined_by_params(_estimator(formats.decoded(path, data)))
    by_fit = _determined_by_params(estimator)
    changed = [name for name, value in by_fit.items() if value != by_params[name]]
    if changed:
        raise ValueError(
            f"The parameters were changed after the fit: {changed[0]} would differ when the "
            "file is loaded. Set them back, fit again, or use joblib.dump."
        )
    files.replace(path, data)


def load(path: PathLike, *, max_bytes: int = files.MAX_BYTES) -> DeepClassifier | DeepRegressor:
    """Load an estimator from a file that `save` wrote.

    Files from untrusted sources are safe to load: they cannot hold code, and the estimator is
    rebuilt through the checks of its own parameters. A damaged file is refused, as its SHA-256
    does not match. That says nothing about who wrote it, or how good its predictions are.

    Parameters
    ----------
    path : str or os.PathLike
        Ends in ``.json`` or ``.npz``.
    max_bytes : int, default=2**30
        Maximum size of the file. Reading takes a few times the size of an .npz in memory, and
        about ten times that of a .json; a malicious file may need 300 times its size, so lower
        `max_bytes` for untrusted files.

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor
        Fitted estimator, whose solver starts from scratch (see `save`).

    Raises
    ------
    OSError
        If the file does not exist or cannot be read.
    ValueError
        If it is too large, damaged, of a newer version, or not a complete model.

    Examples
    --------
    >>> from skdeep.persistence import load
    >>> load("model.pickle")
    Traceback (most recent call last):
        ...
    ValueError: model.pickle: the suffix must be .json, which people can read, or .npz, which \
is compact; got '.pickle'.
    """
    formats.format_of(path)
    document = formats.decoded(path, files.read_bytes(path, max_bytes))
    with prefix_errors(path):
        return _estimator(document)


# Estimators


def _determined_by_params(estimator: Any) -> dict[str, Any]:
    # Parts of a fitted estimator that change if its parameters do.
    model = model_of(estimator)
    loss, order = model.target.loss, getattr(model.target, "order", None)
    quantiles = getattr(loss, "quantiles", None)
    return {
        "its layers": model.without_dropout().network,
        "its output": (
            loss.out_activation,
            quantiles,
            order if order is None else order.tolist(),
        ),
        "n_features_in_": estimator.n_features_in_,
    }


def _document(estimator: Any) -> dict[str, Any]:
    params = {}
    for name, value in estimator.get_params(deep=False).items():
        try:
            params[name] = encode(value)
            formats.digest({name: params[name]})
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The parameter {name}={short_repr(value)} cannot be saved, because {error}. "
                "Use joblib.dump, whose files can hold code."
            ) from None
    target, names = model_of(estimator).target, getattr(estimator, "feature_names_in_", None)
    return {
        "estimator": type(estimator).__name__,
        "params": params,
        "target": _encode_target(target),
        "features": None if names is None else [str(name) for name in names],
        "fitted": {name: encode(getattr(estimator, name)) for name in FIGURES},
        "weights": {
            name: [np.asarray(array) for array in getattr(estimator, name)] for name in WEIGHTS
        },
    }


def _estimator(document: dict[str, Any]) -> Any:
    check_fields(document, SECTIONS, SECTIONS, "the file")
    name = document["estimator"]
    if type(name) is not str or name not in ESTIMATORS:
        raise ValueError(
            f"the estimator must be one of {list(ESTIMATORS)}; got {short_repr(name)}."
        )
    kind = ESTIMATORS[name]
    estimator = kind(**_params(document, kind().get_params(deep=False)))
    scoring = estimator.validation_scoring
    # The estimator's own checks allow callables too, which a file cannot hold.
    if scoring is not None and type(scoring) is not str:
        raise ValueError(
            f"validation_scoring must be a name or null; got {short_repr(scoring)}."
        )
    check_parameters(estimator)
    params = _parameters(document["weights"])
    target = _decode_target(document["target"], estimator, params.weights[-1].shape[1])
    _check_shapes(estimator, params, target.n_outputs)
    figures = _figures(document["fitted"])
    make_fitted(estimator, target, params, _history(figures))
    for figure, value in figures.items():
        setattr(estimator, figure, value)
    names = document["features"]
    if names is not None:
        if type(names) is not list or not all(type(name) is str for name in names):
            raise ValueError("features must be a list of strings, or null.")
        if len(names) != estimator.n_features_in_:
            raise ValueError(
                f"features has {len(names)} names for {estimator.n_features_in_} columns."
            )
        estimator.feature_names_in_ = np.array(names, object)
    return estimator


def _params(document: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    if document["version"] == 1:
        return version_1.decode_params(document["params"], document["estimator"], defaults)
    params = check_fields(document["params"], defaults, (), "params")
    return {name: decode(value) for name, value in params.items()}


def _parameters(tree: Any) -> Parameters:
    lists = [check_fields(tree, WEIGHTS, WEIGHTS, "weights")[name] for name in WEIGHTS]
    arrays = [array for one in lists if type(one) is list for array in one]
    dtypes = {array.dtype.str if type(array) is np.ndarray else "" for array in arrays}
    if not all(type(one) is list for one in lists) or not dtypes:
        raise ValueError("weights must be lists of arrays.")
    if len(dtypes) > 1 or not dtypes <= {*formats.MEMBER_DTYPES}:
        raise ValueError(
            "coefs_, intercepts_ and norms_ must be arrays of float64, or all of float32; got "
            f"{sorted(dtypes)}."
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("coefs_, intercepts_ and norms_ must be finite; some are not.")
    if not lists[0] or not all(coef.ndim == 2 and coef.size for coef in lists[0]):
        raise ValueError("coefs_ must be one matrix a layer.")
    return Parameters(*lists)


def _check_shapes(estimator: Any, params: Parameters, n_outputs: int) -> None:
    n_in = len(params.weights[0])
    layers = network_of(estimator, n_in, n_outputs, dropout_of(estimator)).layers
    normed = [layer for layer in layers if layer.norm]
    expected = (
        [(layer.n_in, layer.n_out) for layer in layers],
        [(layer.n_out,) for layer in layers if layer.bias],
        [(layer.n_out,) for layer in normed for _ in layer.norm.starts],  # type: ignore[union-attr]
    )
    lists = params.weights, params.biases, params.norms
    for name, shapes, arrays in zip(WEIGHTS, expected, lists, strict=True):
        given = [array.shape for array in arrays]
        if given != shapes:
            raise ValueError(
                f"{name} does not match the parameters: its shapes are {short_repr(given)}, "
                f"but the parameters and the target need {short_repr(shapes)}."
            )
    if isinstance(layers[0].norm, BatchNorm) and any((a < 0).any() for a in params.norms[3::4]):
        raise ValueError("norms_ has a negative running variance.")


# Targets


def _encode_target(target: Any) -> dict[str, Any]:
    if isinstance(target, RegressionTarget):
        return {"type": "numbers", "n_columns": target.n_columns}
    if isinstance(target, MultilabelTarget):
        return {"type": "labels", "n_labels": target.n_outputs}
    if isinstance(target, MultiOutputTarget):
        return {"type": "columns", "classes": list(target.classes)}
    return {"type": "classes", "classes": target.classes}


def _decode_target(tree: Any, estimator: Any, n_outputs: int) -> Any:
    # The target with its loss; `n_outputs` is the number of outputs of the weights.
    kind = tree.get("type") if type(tree) is dict else None
    if (kind == "numbers") != isinstance(estimator, DeepRegressor):
        raise ValueError(
            f"a {type(estimator).__name__} has no target of type {short_repr(kind)}."
        )
    target: Any
    if kind == "numbers" or kind == "labels":
        name = "n_columns" if kind == "numbers" else "n_labels"
        n = check_fields(tree, ("type", name), (name,), "target")[name]
        if type(n) is not int or not 1 <= n <= n_outputs:
            raise ValueError(
                f"target has {short_repr(n)} columns, but the weights have {n_outputs}."
            )
        target = RegressionTarget(n) if kind == "numbers" else MultilabelTarget(n)
    elif kind == "classes" or kind == "columns":
        classes = check_fields(tree, ("type", "classes"), ("classes",), "target")["classes"]
        if kind == "classes":
            target = _class_target(classes)
        elif type(classes) is list and len(classes) > 1:
            target = MultiOutputTarget([_class_target(column) for column in classes])
        else:
            raise ValueError("target must have a list of at least two arrays of classes.")
    else:
        raise ValueError(f"target is of the unknown type {short_repr(kind)}.")
    return with_loss(estimator, target)


def _class_target(classes: Any) -> ClassTarget:
    if type(classes) is not np.ndarray or classes.ndim != 1:
        raise ValueError("classes must be an array of shape (n_classes,).")
    if not all(a < b for a, b in pairwise(classes.tolist())):
        raise ValueError("classes must be sorted and distinct.")
    return ClassTarget(classes)


# Figures


def _figures(tree: Any) -> dict[str, Any]:
    figures = {k: decode(v) for k, v in check_fields(tree, FIGURES, FIGURES, "fitted").items()}
    for name, value in figures.items():
        kind = FIGURES[name]
        numbers = value if kind == "list" else [value]
        is_valid = type(numbers) is list and all(
            isinstance(one, Integral if kind == "count" else Real) and type(one) is not bool
            for one in numbers
        )
        if is_valid and kind == "count":
            is_valid = value >= 0
        if not is_valid and not (value is None and name in OPTIONAL):
            raise ValueError(f"{name} must be a {kind}; got {short_repr(value)}.")
    if len({figures[name] is None for name in VALIDATED}) > 1:
        raise ValueError(f"either all or none of {VALIDATED} must be null.")
    if figures["best_iter_"] is not None and figures["validation_scores_"] is None:
        raise ValueError("best_iter_ must be null if validation_scores_ is null.")
    if len(figures["validation_scores_"] or ()) != len(figures["validation_loss_curve_"] or ()):
        raise ValueError("validation_scores_ and validation_loss_curve_ differ in length.")
    return figures


def _history(figures: dict[str, Any]) -> History:
    history = History(loss_curve=figures["loss_curve_"], n_rows_seen=figures["t_"])
    history.best_loss = figures["best_loss_"]
    if history.best_loss is None:
        history.best_loss = min(history.loss_curve, default=math.inf)
    if figures["validation_scores_"] is not None:
        history.validation_scores = figures["validation_scores_"]
        history.validation_loss_curve = figures["validation_loss_curve_"]
        # If all scores were NaN, no epoch is the best.
        if figures["best_iter_"]:
            history.best_score = figures["best_validation_score_"]
            history.best_iter = figures["best_iter_"]
    return history
