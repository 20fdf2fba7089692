"""y to what a network is trained on, and a network's raw output back to y.

One class a kind of target. Each names its loss, encodes y as a matrix, decodes raw
output, and scores it as the estimator's ``score`` would; a fitted estimator keeps it.
"""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from skdeep.losses import REGRESSION_LOSSES, BinaryLogLoss, Loss, MultinomialLogLoss

Array = np.ndarray


class ClassTarget:
    """Labels of two or more classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    """

    multilabel = False

    def __init__(self, classes: Array) -> None:
        if len(classes) < 2:
            raise ValueError(
                f"y, or classes, has one class only, {classes.tolist()!r}: a classifier needs "
                "at least two classes."
            )
        self.classes = classes
        self.loss: Loss = BinaryLogLoss() if len(classes) == 2 else MultinomialLogLoss()

    @property
    def n_outputs(self) -> int:
        """Columns of the encoded target: one for two classes, else one a class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def check(self, y: Array, all_classes: bool) -> None:
        """Raise ValueError where `y` has other classes, or (`all_classes`) lacks one."""
        if np.ndim(y) != 1:
            raise ValueError(
                f"y must be labels of shape (n_samples,), as in the first call; got shape "
                f"{np.shape(y)}."
            )
        try:
            codes = np.searchsorted(self.classes, y)
        except TypeError:  # labels that cannot be ordered among the known ones
            codes = np.zeros(len(y), int)
        known = self.classes[np.minimum(codes, len(self.classes) - 1)] == y
        if not np.all(known):
            found = set(np.asarray(y)[~known].tolist())
            unseen = sorted(found, key=lambda label: (type(label).__name__, label))
            shown = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
            raise ValueError(
                f"`y` has classes not in `self.classes_`: [{shown}]. Known are "
                f"{self.classes.tolist()!r}, from the first call."
            )
        if all_classes and len(np.unique(codes)) < len(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously {self.classes.tolist()!r}, `y` has "
                f"{np.unique(y).tolist()!r}."
            )

    def encode(self, y: Array) -> Array:
        """Labels of shape (n,) to bool of shape (n, n_outputs), one True a row."""
        codes = np.searchsorted(self.classes, y)
        if self.n_outputs == 1:
            return codes[:, None] == 1
        return codes[:, None] == np.arange(len(self.classes))

    def strata(self, encoded: Array) -> Array | None:
        """Labels by which a validation split is stratified, as scikit-learn's MLP does."""
        return encoded[:, 0] if self.n_outputs == 1 else None

    def decode(self, raw: Array) -> Array:
        """Raw output of shape (n, n_outputs) to labels of shape (n,)."""
        return self.classes[_codes(raw)]

    def probabilities(self, raw: Array) -> Array:
        """Raw output to probabilities of shape (n, n_classes)."""
        # Of two classes each is computed by itself: 1 - p would round a rare one to 0.
        columns = np.hstack([-raw, raw]) if self.n_outputs == 1 else raw
        return self.loss.output(columns)

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Share of right labels."""
        right = _codes(encoded) == _codes(raw)
        return float(np.average(right, weights=sample_weight))


def _codes(columns: Array) -> Array:
    # Column of the largest entry; for a single column, whether it is positive.
    return columns.argmax(axis=1) if columns.shape[1] > 1 else (columns[:, 0] > 0).astype(int)


class MultilabelTarget:
    """An indicator matrix: any number of labels a row.

    Parameters
    ----------
    n_labels : int
    """

    multilabel = True

    def __init__(self, n_labels: int) -> None:
        self.classes = np.arange(n_labels)
        self.n_outputs = n_labels
        self.loss: Loss = BinaryLogLoss()

    def check(self, y: Any, all_classes: bool) -> None:
        """Raise ValueError where `y` is not an indicator matrix of as many labels."""
        kind = type_of_target(y, input_name="y")
        if kind != "multilabel-indicator" or y.shape[1] != self.n_outputs:
            raise ValueError(
                f"y must be an indicator matrix of 0 and 1 with {self.n_outputs} columns, as "
                f"in the first call; got {kind} of shape {np.shape(y)}."
            )
        _check_indicators(y)

    def encode(self, y: Any) -> Array:
        """Indicator matrix of shape (n, n_labels), dense or sparse, to bool."""
        return (y.toarray() if issparse(y) else np.asarray(y)).astype(bool)

    def strata(self, encoded: Array) -> None:
        """No strata: sets of labels may each be rare."""

    def decode(self, raw: Array) -> Array:
        """Raw output to an indicator matrix of int."""
        return (raw > 0).astype(int)

    def probabilities(self, raw: Array) -> Array:
        """Raw output to each label's probability, of shape (n, n_labels)."""
        return self.loss.output(raw)

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Share of rows whose labels are all right."""
        right = (encoded == (raw > 0)).all(axis=1)
        return float(np.average(right, weights=sample_weight))


class RegressionTarget:
    """Real numbers, one or several a row.

    Parameters
    ----------
    loss : str
        A key of `REGRESSION_LOSSES`.
    n_outputs : int
    """

    def __init__(self, loss: str, n_outputs: int) -> None:
        self.name = loss
        self.loss = REGRESSION_LOSSES[loss]
        self.n_outputs = n_outputs

    def encode(self, y: Array) -> Array:
        """Numbers of shape (n,) or (n, n_outputs) to shape (n, n_outputs)."""
        if self.name == "poisson" and (y < 0).any():
            raise ValueError(
                f"loss='poisson' needs y >= 0, but y holds {y.min()}. Use "
                "loss='squared_error' for targets that may be negative."
            )
        return y.reshape(len(y), -1)

    def strata(self, encoded: Array) -> None:
        """No strata: numbers have no classes."""

    def decode(self, raw: Array) -> Array:
        """Raw output to predictions of shape (n,) or (n, n_outputs)."""
        output = self.loss.output(raw)
        return output[:, 0] if self.n_outputs == 1 else output

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Coefficient of determination R^2, averaged over columns."""
        weight = np.ones(len(raw)) if sample_weight is None else sample_weight
        errors = encoded - self.loss.output(raw)
        residual = weight @ np.square(errors, dtype=float)
        deviation = encoded - np.average(encoded, axis=0, weights=weight)
        total = weight @ np.square(deviation, dtype=float)
        # A constant column counts 1 where it is met exactly, else 0, as r2_score has it.
        constant = total == 0
        share = np.divide(residual, total, out=(residual > 0).astype(float), where=~constant)
        return float(np.mean(1 - share))


def _check_indicators(y: Any) -> None:
    values = np.unique(y.data if issparse(y) else y)
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must be an indicator matrix of 0 and 1, with a column for each label; got the "
            f"values {values.tolist()!r}."
        )


def class_target(y: Any) -> ClassTarget | MultilabelTarget:
    """The kind of target that `y` is.

    Parameters
    ----------
    y : array-like
        Labels, or an indicator matrix.

    Returns
    -------
    target : ClassTarget or MultilabelTarget

    Raises
    ------
    ValueError
        If `y` is neither, or has one class only.
    """
    kind = type_of_target(y, input_name="y")
    if kind in ("binary", "multiclass") and y.dtype.kind in "biuf":
        return ClassTarget(np.unique(y))
    check_classification_targets(y)
    if kind == "multilabel-indicator":
        _check_indicators(y)
        return MultilabelTarget(y.shape[1])
    if kind == "multiclass-multioutput":
        raise ValueError(
            f"y of shape {np.shape(y)} has several columns of classes, which is not "
            "supported: give labels of shape (n_samples,), or an indicator matrix of 0 and "
            "1 of shape (n_samples, n_labels) for multi-label classification."
        )
    return ClassTarget(unique_labels(y))


def flat_column(y: Any) -> Any:
    """`y` in the shape that targets take: a single column becomes a vector."""
    if issparse(y) and y.shape[1] == 1:
        raise ValueError(
            "y is a sparse matrix of one column, which is not an indicator matrix: use "
            "y.toarray().ravel()."
        )
    if issparse(y) or np.ndim(y) < 2 or np.shape(y)[1] > 1:
        return y
    return column_or_1d(y, warn=True)
