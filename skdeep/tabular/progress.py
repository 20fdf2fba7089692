"""What `fit` reports after each epoch: a printed row, and scikit-learn's callbacks."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from skdeep._arrays import Array
from skdeep._training.fit_task import OnEpoch
from skdeep.estimators.callbacks import EpochTable


class Progress:
    """Collects the epochs of the members of a recipe, and reports those that all have ended.

    Parameters
    ----------
    n_members : int
    verbose : bool
        If True, print the mean loss and the mean validation score of each epoch.
    epochs : Epochs or None
        To tell callbacks.
    attributes : callable
        (thetas of shape (n_members, n_params)) -> fitted attributes of the estimator as if its
        fit had stopped now.
    """

    def __init__(
        self,
        n_members: int,
        verbose: bool,
        epochs: "Epochs | None",
        attributes: Callable[[Array], dict[str, Any]],
    ) -> None:
        self._n_members = n_members
        self._print = EpochTable(with_score=True, unit="Epoch") if verbose else None
        self._epochs = epochs
        self._attributes = attributes
        # By epoch and member: loss, score and parameters.
        self._ended: dict[int, dict[int, tuple[float, float, Array]]] = defaultdict(dict)

    def of_member(self, k: int) -> OnEpoch:
        """The function that member k calls after each epoch."""

        def end(epoch: int, loss: float, score: Any, theta: Array, now: object) -> bool:
            kept = theta if self._epochs is None else theta.copy()
            self._ended[epoch][k] = loss, score, kept
            if len(self._ended[epoch]) == self._n_members:
                self._report(epoch, self._ended.pop(epoch))
            return self._epochs is not None and self._epochs.stopped

        return end

    def _report(self, epoch: int, ended: dict[int, tuple[float, float, Array]]) -> None:
        losses, scores, thetas = zip(*(ended[k] for k in sorted(ended)), strict=True)
        if self._print is not None:
            self._print(epoch, float(np.mean(losses)), float(np.mean(scores)))
        if self._epochs is not None:
            self._epochs.end(lambda: self._attributes(np.stack(thetas)))


class Epochs:
    """Tells scikit-learn's callbacks of the fit and of each epoch, of all recipes in turn.

    Parameters
    ----------
    context : CallbackContext
        Of the fit.
    estimator : estimator
    data : dict
        Keyword arguments of the calls: `X`, `y` and `metadata`.
    n_epochs : int
        Of all recipes together.

    Attributes
    ----------
    stopped : bool
        True once a callback has asked to stop. Members that ended their epoch before that end
        with the next one.
    """

    def __init__(
        self, context: Any, estimator: Any, data: dict[str, Any], n_epochs: int
    ) -> None:
        self._context = context
        self._estimator = estimator
        self._data = data
        self._n_left = n_epochs
        self.stopped = False
        context.call_on_fit_task_begin(estimator=estimator, **data)
        self._epoch: Any = None
        self._begin()

    def _begin(self) -> None:
        self._n_left -= 1
        self._epoch = self._context.subcontext("epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end(self, attributes: Callable[[], dict[str, Any]]) -> None:
        """End an epoch, and begin the next."""
        stop = self._epoch.call_on_fit_task_end(
            estimator=self._estimator, reconstruction_attributes=attributes, **self._data
        )
        self._epoch = None
        self.stopped |= bool(stop)
        if self._n_left and not self.stopped:
            self._begin()

    def close(self, attributes: Callable[[], dict[str, Any]]) -> None:
        """End the fit, and the epoch that was begun but not trained."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._context.call_on_fit_task_end(
            estimator=self._estimator, reconstruction_attributes=attributes, **self._data
        )
