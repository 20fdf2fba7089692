"""Fitted DeepClassifier and DeepRegressor as documents."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from skdeep._network.network import Parameters
from skdeep._network.norms import BatchNorm
from skdeep._training.fit_task import History
from skdeep.estimators.build import dropout_of, network_of
from skdeep.estimators.model import check_parameters, make_fitted, model_of, with_loss
from skdeep.estimators.warm_start import set_state_of
from skdeep.persistence import formats, version_1
from skdeep.persistence.encoding import decode, decode_params, encode, encode_params
from skdeep.persistence.fields import decode_names
from skdeep.persistence.files import check_fields, short_repr
from skdeep.persistence.targets import decode_target, encode_target, output_of
from skdeep.persistence.training_states import decode_training

SECTIONS = ("version", "estimator", "params", "target", "features", "fitted", "weights")
# Without the first, the solver starts from scratch, as in files from before it was there.
OPTIONAL_SECTIONS = ("training", "checkpoint")
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


def determined_by_params(estimator: Any) -> dict[str, Any]:
    """Parts of a fitted estimator that change if its parameters do."""
    model = model_of(estimator)
    return {
        "its layers": model.without_dropout().network,
        "its output": output_of(model.target),
        "n_features_in_": estimator.n_features_in_,
    }


def document_of(estimator: Any) -> dict[str, Any]:
    """The sections of a fitted estimator."""
    target, names = model_of(estimator).target, getattr(estimator, "feature_names_in_", None)
    return {
        "estimator": type(estimator).__name__,
        "params": encode_params(estimator),
        "target": encode_target(target),
        "features": None if names is None else [str(name) for name in names],
        "fitted": {name: encode(getattr(estimator, name)) for name in FIGURES},
        "weights": {
            name: [np.asarray(array) for array in getattr(estimator, name)] for name in WEIGHTS
        },
    }


def estimator_of(document: dict[str, Any], kind: type) -> Any:
    """A fitted DeepClassifier or DeepRegressor."""
    check_fields(document, (*SECTIONS, *OPTIONAL_SECTIONS), SECTIONS, "the file")
    estimator = kind(**_params(document, kind().get_params(deep=False)))
    scoring = estimator.validation_scoring
    # The estimator's own checks allow callables too, which a file cannot hold.
    if scoring is not None and type(scoring) is not str:
        raise ValueError(
            f"validation_scoring must be a name or null; got {short_repr(scoring)}."
        )
    check_parameters(estimator)
    params = _parameters(document["weights"])
    target = decode_target(document["target"], estimator, params.weights[-1].shape[1])
    target = with_loss(estimator, target)
    _check_shapes(estimator, params, target.n_outputs)
    figures = _figures(document["fitted"])
    make_fitted(estimator, target, params, _history(figures))
    for figure, value in figures.items():
        setattr(estimator, figure, value)
    names = decode_names(document["features"], estimator.n_features_in_, "features")
    if names is not None:
        estimator.feature_names_in_ = np.array(names, object)
    if "training" in document:
        set_state_of(estimator, decode_training(document["training"], estimator))
    return estimator


def _params(document: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    if document["version"] == 1:
        return version_1.decode_params(document["params"], document["estimator"], defaults)
    return decode_params(document["params"], defaults, "params")


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
