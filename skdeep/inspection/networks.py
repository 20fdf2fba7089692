"""Picture of the layers of a network, and of the weights of its first."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdeep._arrays import Array
from skdeep.inspection.figures import axes_for
from skdeep.inspection.summary import LayerRow

# The narrowest box, as a share of the widest.
NARROWEST = 0.3


class NetworkDisplay:
    """The layers of a network as boxes, from the columns of `X` to the output.

    A box has the width of its layer, on a logarithmic scale; beside it is what the layer
    applies, and its number of parameters. Where `X` has images, the weights of the first layer
    are images, too. Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    rows : list of LayerRow
        As in ``summary().rows``.
    weights : ndarray of shape (n_images, height, width), default=None
        Pictures to draw: weights of units of the first layer.
    name : str, default=None
        The title.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    boxes_ : list of matplotlib.patches.Patch
    image_axes_ : list of matplotlib.axes.Axes
        Of the pictures; within `ax_`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeep import DeepClassifier
    >>> from skdeep.inspection import NetworkDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = DeepClassifier((32, 16), dropout=0.1, max_iter=5, random_state=0)
    >>> display = NetworkDisplay.from_estimator(model.fit(X / 16, y), image_shape=(8, 8))
    >>> [row.width for row in display.rows]
    [64, 32, 16, 10]
    """

    def __init__(
        self, *, rows: Sequence[LayerRow], weights: Array | None = None, name: str | None = None
    ) -> None:
        self.rows = rows
        self.weights = weights
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        n_images: int = 16,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the network of a fitted estimator.

        Parameters
        ----------
        estimator : DeepClassifier or DeepRegressor
            Fitted.
        image_shape : tuple of two int, default=None
            Height and width of the images whose pixels are the columns of `X`. None means that
            there are no images.
        n_images : int in [1, inf), default=16
            Maximum number of units of the first layer whose weights are drawn: those with the
            largest weights.
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            The title.
        **kwargs : dict
            For the boxes.

        Returns
        -------
        display : NetworkDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            Before `fit`.
        TypeError
            If the estimator has no summary of its network.
        ValueError
            If `image_shape` does not have as many pixels as `X` has columns.
        """
        if not hasattr(estimator, "summary"):
            raise TypeError(
                "NetworkDisplay draws a DeepClassifier or a DeepRegressor, such as the last "
                f"step of a pipeline; got {type(estimator).__name__}."
            )
        rows, weights = estimator.summary().rows, None
        if image_shape is not None:
            first = np.asarray(estimator.coefs_[0])
            if len(image_shape) != 2 or math.prod(image_shape) != len(first):
                raise ValueError(
                    f"image_shape={image_shape!r} must be the height and width of images of "
                    f"{len(first)} pixels, as X has {len(first)} columns."
                )
            largest = np.argsort(-np.linalg.norm(first, axis=0), kind="stable")[:n_images]
            weights = first[:, largest].T.reshape(-1, *image_shape)
        return cls(rows=rows, weights=weights, name=name).plot(ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None means a new figure.
        name : str, default=None
            The title, instead of the name of the display.
        **kwargs : dict
            For the boxes.

        Returns
        -------
        display : NetworkDisplay
            The same.
        """
        self.ax_ = ax = axes_for(ax, type(self).__name__)
        self.figure_ = ax.figure
        name = self.name if name is None else name
        ax.set_axis_off()
        if name is not None:
            ax.set_title(name)
        right = 1.1 if self.weights is None else 1.8
        ax.set(xlim=(0, right), ylim=(len(self.rows) - 0.4, -0.6))
        self.boxes_ = [self._layer(i, row, **kwargs) for i, row in enumerate(self.rows)]
        self.image_axes_ = [] if self.weights is None else self._images()
        return self

    def _layer(self, i: int, row: LayerRow, **kwargs: Any) -> Any:
        # At height i: the name, a box with the width in it, and what there is to say.
        ax, center, room = self.ax_, 0.42, 0.36
        widest = max(math.log1p(one.width) for one in self.rows)
        width = room * max(math.log1p(row.width) / widest, NARROWEST)
        ax.text(0.2, i, row.name, ha="right", va="center")
        options = {"color": "C0", "alpha": 0.35} | kwargs
        (box,) = ax.barh(i, width, 0.62, left=center - width / 2, **options)
        ax.text(center, i, f"{row.width:,}", ha="center", va="center", weight="bold")
        said = textwrap.wrap(row.applies, 24 if self.weights is None else 18)
        said += [f"{row.n_params:,} parameters"] if row.n_params else []
        ax.text(0.62, i, "\n".join(said), ha="left", va="center", fontsize="small")
        if i:
            arrow = {"arrowstyle": "->", "color": ax.xaxis.label.get_color()}
            ax.annotate("", (center, i - 0.31), (center, i - 0.69), arrowprops=arrow)
        return box

    def _images(self) -> list[Any]:
        # In a square grid at the right of the layers.
        weights: Any = self.weights
        n_columns = math.ceil(math.sqrt(len(weights)))
        largest = float(np.abs(weights).max())
        size, found = 0.4 / n_columns, []
        for k, picture in enumerate(weights):
            row, column = divmod(k, n_columns)
            corner = 0.6 + column * size, 0.9 - (row + 1) * 0.9 / n_columns
            inner = self.ax_.inset_axes((*corner, 0.9 * size, 0.81 / n_columns))
            inner.imshow(picture, cmap="RdBu_r", vmin=-largest, vmax=largest)
            inner.set(xticks=[], yticks=[])
            found.append(inner)
        said = f"Weights of {len(weights)} units of hidden 1"
        self.ax_.text(0.8, 0.93, said, ha="center", transform=self.ax_.transAxes)
        return found
