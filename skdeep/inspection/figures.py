"""Axes of matplotlib, which is optional: the one place that imports it."""

from typing import Any


def axes_for(ax: Any, display: str) -> Any:
    """`ax`, or the axes of a new figure if it is None.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    display : str
        What is to be drawn; named in the error.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display} needs matplotlib, which cannot be imported: install it with "
            "'pip install matplotlib'."
        ) from error
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def twin_of(ax: Any, label: str) -> Any:
    """Axes at the right of `ax` with a y axis of their own, made at the first call.

    Several plots on one `ax` share them; those made later are further to the right.
    """
    siblings = [one for one in ax.get_shared_x_axes().get_siblings(ax) if one is not ax]
    for twin in siblings:
        if twin.get_label() == label:
            return twin
    twin = ax.twinx()
    twin.set_label(label)
    twin.set_ylabel(label)
    # Room for the ticks and the label of those before.
    twin.spines["right"].set_position(("outward", 60 * len(siblings)))
    return twin


def one_legend(ax: Any) -> None:
    """A legend of all lines on `ax` and its twins, above all of them."""
    siblings = ax.get_shared_x_axes().get_siblings(ax)
    all_axes = [ax, *(one for one in siblings if one is not ax)]
    handles: list[Any] = []
    for one in all_axes:
        handles += one.get_legend_handles_labels()[0]
        if one.get_legend() is not None:
            one.get_legend().remove()
    # Where losses that fall and scores that rise leave room; matplotlib looks at one axes only.
    place = "center right" if siblings[1:] else "best"
    all_axes[-1].legend(handles=handles, loc=place, fontsize="small")
