"""Plot of the losses, the scores and the learning rates over the epochs of a fit."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdeep._checks.fitted import require_fitted
from skdeep.inspection.figures import axes_for, one_legend, twin_of
from skdeep.inspection.rates import rates_over
from skdeep.solvers import LBFGS, SOLVERS

Curves = Sequence[Sequence[float]]

SCORE = "Validation score"
RATE = "Learning rate"


class LossCurveDisplay:
    """Losses over the epochs of a fit, and the epoch of the best validation score.

    Use :meth:`from_estimator` to make one. The members of an ensemble are thin lines, and a
    thick one is their mean over the epochs that all of them have.

    Parameters
    ----------
    loss_curves : list of list of float
        Training loss after each epoch, of one network or of each member of an ensemble.
    validation_loss_curves : list of list of float, default=None
        Likewise, of the validation rows.
    validation_scores : list of list of float, default=None
        Likewise; they have an axis of their own.
    best_epochs : list of int or None, default=None
        Best epoch of each, counted from 1. It is marked on the validation loss, or else on the
        training loss.
    learning_rates : tuple of two ndarray of shape (n_points,), default=None
        Places of steps, in epochs, and the learning rates there.
    name : str, default=None
        For the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    score_ax_, learning_rate_ax_ : matplotlib.axes.Axes or None
        At the right of `ax_`, and shared by all plots on it.
    figure_ : matplotlib.figure.Figure
    line_ : matplotlib.lines.Line2D
        Of the training loss.
    validation_line_, score_line_, learning_rate_line_ : matplotlib.lines.Line2D or None
    best_line_ : matplotlib.lines.Line2D or None
        The marks of the best epochs.
    member_lines_ : list of matplotlib.lines.Line2D
        The thin lines.

    See Also
    --------
    ScheduleDisplay : Learning rates without a fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skdeep import DeepClassifier
    >>> from skdeep.inspection import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DeepClassifier((16,), early_stopping=True, max_iter=20, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(model.fit(scale(X), y), learning_rate=True)
    >>> display.ax_.get_ylabel()
    'Loss'

    A second network in the same plot:

    >>> other = model.set_params(solver="sgd").fit(scale(X), y)
    >>> both = LossCurveDisplay.from_estimator(other, ax=display.ax_, name="SGD")
    """

    def __init__(
        self,
        *,
        loss_curves: Curves,
        validation_loss_curves: Curves | None = None,
        validation_scores: Curves | None = None,
        best_epochs: Sequence[int | None] | None = None,
        learning_rates: Any = None,
        name: str | None = None,
    ) -> None:
        self.loss_curves = loss_curves
        self.validation_loss_curves = validation_loss_curves
        self.validation_scores = validation_scores
        self.best_epochs = best_epochs
        self.learning_rates = learning_rates
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        score: bool = True,
        learning_rate: bool = False,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted network, a tabular estimator, or a pipeline, a search or an ensemble of
            networks, such as ``BaggingClassifier``. scikit-learn's MLPs have curves, too.
        score : bool, default=True
            Whether to draw the validation scores, if there are any.
        learning_rate : bool, default=False
            Whether to draw the learning rate. It is not kept by a fit, but follows from the
            estimator's parameters. Only for a single network, and a fit from scratch.
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            For the legend.
        **kwargs : dict
            For the line of the training loss; the others have its color.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            Before `fit`.
        ValueError
            If there are no curves, or `learning_rate` is True and the rates are not known.
        """
        require_fitted(estimator)
        inner = _inner(estimator)
        if hasattr(inner, "loss_curves_"):
            loss_curves, validation = inner.loss_curves_, inner.validation_loss_curves_
            scores: list[Any] = []
            best = [row["best_epoch"] or None for row in inner.members_.to_dict().values()]
        else:
            networks = [_inner(one) for one in getattr(inner, "estimators_", [inner])]
            loss_curves = [getattr(one, "loss_curve_", None) for one in networks]
            validation = [getattr(one, "validation_loss_curve_", None) for one in networks]
            scores = [getattr(one, "validation_scores_", None) for one in networks]
            best = [getattr(one, "best_iter_", None) for one in networks]
        if not loss_curves or not all(loss_curves):
            raise ValueError(
                f"This {type(estimator).__name__} has no loss curve: curves are those of "
                "networks fitted by SGD, Adam and the like, or by skdeep's L-BFGS."
            )
        display = cls(
            loss_curves=loss_curves,
            validation_loss_curves=validation if all(validation) else None,
            validation_scores=scores if score and scores and all(scores) else None,
            best_epochs=best,
            learning_rates=_rates_of(inner) if learning_rate else None,
            name=name,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            For the legend, instead of that of the display.
        **kwargs : dict
            For the line of the training loss; the others have its color.

        Returns
        -------
        display : LossCurveDisplay
            The same.
        """
        self.ax_ = ax = axes_for(ax, type(self).__name__)
        self.figure_ = ax.figure
        name = self.name if name is None else name
        self._prefix = "" if name is None else f"{name}, "
        self.member_lines_: list[Any] = []
        self.score_ax_ = self.learning_rate_ax_ = None
        self.validation_line_ = self.score_line_ = self.learning_rate_line_ = None
        self.line_ = self._curve(ax, self.loss_curves, "training loss", **kwargs)
        color = self.line_.get_color()
        if self.validation_loss_curves is not None:
            self.validation_line_ = self._curve(
                ax, self.validation_loss_curves, "validation loss", color=color, linestyle="--"
            )
        self.best_line_ = self._marks(color)
        if self.validation_scores is not None:
            self.score_ax_ = twin_of(ax, SCORE)
            self.score_line_ = self._curve(
                self.score_ax_, self.validation_scores, "validation score", color=color,
                linestyle=":",
            )  # fmt: skip
        if self.learning_rates is not None:
            self.learning_rate_ax_ = twin_of(ax, RATE)
            label = f"{self._prefix}learning rate"
            # As the values after an epoch are at its end, so are the steps between.
            (self.learning_rate_line_,) = self.learning_rate_ax_.plot(
                *self.learning_rates, color=color, linestyle="-.", linewidth=1, label=label
            )
            self.learning_rate_ax_.set_ylim(bottom=0, auto=True)
        ax.set(xlabel="Epoch", ylabel="Loss")
        one_legend(ax)
        return self

    def _curve(self, ax: Any, curves: Curves, label: str, **kwargs: Any) -> Any:
        # One line, or the mean of several, which are thin.
        n_epochs = min(map(len, curves))
        mean = np.mean([curve[:n_epochs] for curve in curves], axis=0)
        label = f"{self._prefix}{label}"
        (line,) = ax.plot(np.arange(n_epochs) + 1, mean, **{"label": label} | kwargs)
        for curve in curves if len(curves) > 1 else ():
            self.member_lines_ += ax.plot(
                np.arange(len(curve)) + 1, curve, color=line.get_color(), alpha=0.6,
                linewidth=0.8, linestyle=line.get_linestyle(),
            )  # fmt: skip
        return line

    def _marks(self, color: Any) -> Any:
        curves = self.validation_loss_curves or self.loss_curves
        best = self.best_epochs or [None] * len(curves)
        points = [(k, curve[k - 1]) for k, curve in zip(best, curves, strict=True) if k]
        if not points:
            return None
        single = len(curves) == 1
        label = f"best epoch ({points[0][0]})" if single else "best epochs"
        (line,) = self.ax_.plot(
            *zip(*points, strict=True), color=color, marker="o", linestyle="none",
            markersize=7 if single else 4, label=f"{self._prefix}{label}",
        )  # fmt: skip
        return line


def _inner(estimator: Any) -> Any:
    # The estimator that has the curves.
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "regressor_"):
            estimator = estimator.regressor_
        else:
            return estimator


def _rates_of(network: Any) -> Any:
    # Learning rates of the fit of a network, from its parameters.
    solver = getattr(network, "solver", None)
    if not hasattr(network, "t_") or solver is None:
        raise ValueError(f"learning_rate=True is for a single network, not {network!r}.")
    if isinstance(solver, str):
        spec = SOLVERS[solver]
        solver = spec(**{name: getattr(network, name) for name in spec.shared_names()})
    if isinstance(solver, LBFGS):
        raise ValueError("learning_rate=True: L-BFGS has no learning rate.")
    n_epochs = len(network.loss_curve_)
    if network.n_iter_ != n_epochs:
        raise ValueError(
            f"learning_rate=True is for a fit from scratch: of the {n_epochs} epochs of this "
            f"{type(network).__name__}, the last call has trained {network.n_iter_}."
        )
    batch_size = 200 if network.batch_size == "auto" else network.batch_size
    return rates_over(
        solver.schedule(),
        solver.learning_rate_init,
        network.max_iter,
        -(-network.t_ // n_epochs),
        batch_size,
        n_epochs,
    )
