"""The attributes of a fitted estimator, after a fit or at any moment of it."""

import math
from typing import Any

from skdeep._training.fit_task import FitResult, FitTask, History
from skdeep.estimators.model import Model
from skdeep.estimators.targets import Target
from skdeep.estimators.validation_set import Validation
from skdeep.estimators.warm_start import Done, RandomStream, TrainingState


def attributes_after(
    task: FitTask,
    result: FitResult,
    history: History,
    target: Target,
    stream: RandomStream | None,
) -> dict[str, Any]:
    """Attributes after a fit that ended with this result, and this history over all calls."""
    model = Model.at(task.network, result.theta, target)
    attributes = attributes_of(model, history, result.n_iter, result.loss)
    attributes["_training_state"] = TrainingState.after(task, result, history, model, stream)
    if task.stop_on_score:
        attributes["best_loss_"] = None
    if task.validate is not None:
        has_best = history.best_iter > 0
        attributes |= {
            "validation_scores_": history.validation_scores,
            "validation_loss_curve_": history.validation_loss_curve,
            "best_validation_score_": history.best_score if has_best else math.nan,
            "best_iter_": history.best_iter if has_best else None,
        }
    return attributes


def attributes_of(
    model: Model, history: History, n_iter: int = 0, loss: float = math.nan
) -> dict[str, Any]:
    """Attributes of a model that was not validated, and whose solver starts from scratch."""
    return {
        **model.fitted_attributes(),
        "_training_state": TrainingState(history),
        "n_iter_": n_iter,
        "t_": history.n_rows_seen,
        "loss_": loss,
        "loss_curve_": history.loss_curve,
        "best_loss_": history.best_loss,
        "validation_scores_": None,
        "validation_loss_curve_": None,
        "best_validation_score_": None,
        "best_iter_": None,
    }


def resume_fit(
    estimator: Any, X: Any, y: Any, sample_weight: Any, validation: Validation, done: Done
) -> Any:
    """Go on with a fit that was cut off after an epoch.

    Parameters
    ----------
    estimator : DeepClassifier or DeepRegressor
        Fitted, as if its fit had ended there.
    X, y, sample_weight, validation
        As they were passed to `fit`.
    done : Done

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor
        The same, as if its fit had not been cut off.
    """
    return estimator._resume(X, y, sample_weight, validation, done)
