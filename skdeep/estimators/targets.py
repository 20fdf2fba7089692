"""y to what a network is trained on, and a network's raw output back to y.

One class a kind of target. Each names its loss, encodes y as a matrix, decodes raw
output, and scores it as the estimator's ``score`` would; a fitted estimator keeps it.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from skdeep._arrays import Array
from skdeep.losses import (
    Focal,
    HalfSquaredError,
    Loss,
    MultiOutputLoss,
    QuantileLoss,
    classification_loss,
)
from skdeep.metrics.counts import dense, label_columns


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
        self.n_outputs = 1 if len(classes) == 2 else len(classes)
        self.loss: Loss = classification_loss("log_loss", self.n_outputs > 1)
        self.smoothing = 0.0

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> "ClassTarget":
        """The same classes with a loss, and the share of the target spread over them.

        An output activation that is named has a column a class, of two classes too.
        """
        found = copy.copy(self)
        found.n_outputs = (
            1 if len(self.classes) == 2 and output_activation is None else len(self.classes)
        )
        multinomial = found.n_outputs > 1 and output_activation != "logistic"
        found.loss = classification_loss(loss, multinomial)
        found.smoothing = smoothing
        return found

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
        """Labels of shape (n,) to bool of shape (n, n_outputs), one True a row.

        Smoothed ones are float.
        """
        codes = np.searchsorted(self.classes, y)
        columns = [1] if self.n_outputs == 1 else np.arange(self.n_outputs)
        # A column by itself is smoothed over yes and no.
        n_spread = self.n_outputs if self.loss.out_activation == "softmax" else 2
        return _smooth(codes[:, None] == columns, self.smoothing, n_spread)

    def strata(self, encoded: Array) -> Array | None:
        """Labels by which a validation split is stratified, as scikit-learn's MLP does."""
        return encoded[:, -1] if len(self.classes) == 2 else None

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
        right = _codes(encoded, 0.5) == _codes(raw)
        return float(np.average(right, weights=sample_weight))


def _codes(columns: Array, threshold: float = 0.0) -> Array:
    # Column of the largest entry; for a single column, whether it is above the threshold.
    if columns.shape[1] > 1:
        return columns.argmax(axis=1)
    return (columns[:, 0] > threshold).astype(int)


def _smooth(encoded: Array, share: float, n_classes: int) -> Array:
    return (1 - share) * encoded + share / n_classes if share else encoded


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
        self.loss: Loss = classification_loss("log_loss", multinomial=False)
        self.smoothing = 0.0

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> "MultilabelTarget":
        """The same labels with a loss, and the share of the target spread over yes and no."""
        if output_activation == "softmax":
            raise ValueError(
                "output_activation='softmax' makes one label of several right, but y is an "
                "indicator matrix, where each label is decided by itself: leave "
                "output_activation out."
            )
        found = copy.copy(self)
        found.loss = classification_loss(loss, multinomial=False)
        found.smoothing = smoothing
        return found

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
        return _smooth(dense(y).astype(bool), self.smoothing, 2)

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
        right = ((encoded > 0.5) == (raw > 0)).all(axis=1)
        return float(np.average(right, weights=sample_weight))


class RegressionTarget:
    """Real numbers, one or several per row.

    Parameters
    ----------
    n_columns : int
        Number of columns of y.
    """

    def __init__(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self.n_outputs = n_columns
        self.loss: Loss = HalfSquaredError()
        self.order: Array | None = None

    def with_loss(self, loss: Loss, order: Array) -> "RegressionTarget":
        """The same columns with a loss.

        Parameters
        ----------
        loss : Loss
        order : ndarray of int
            Positions of the columns of several quantiles, which ascend, in predictions.
        """
        target = copy.copy(self)
        target.loss = loss
        if isinstance(loss, QuantileLoss):
            if self.n_columns > 1:
                raise ValueError(
                    "loss='quantile' needs a single column of y, but it has "
                    f"{self.n_columns}: fit one estimator per column "
                    "(sklearn.multioutput.MultiOutputRegressor)."
                )
            target.n_outputs = len(loss.quantiles)
            target.order = order
        return target

    def check(self, y: Array, all_classes: bool) -> None:
        """Raise ValueError where `y` has other columns than in the first call."""
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_columns:
            raise ValueError(
                f"y must have {self.n_columns} column(s), as in training; got {n_columns}."
            )

    def encode(self, y: Array) -> Array:
        """Numbers of shape (n,) or (n, n_columns) to shape (n, n_columns)."""
        self.loss.check_targets(y)
        return y.reshape(len(y), -1)

    def strata(self, encoded: Array) -> None:
        """No strata: numbers have no classes."""

    def decode(self, raw: Array) -> Array:
        """Raw output to predictions of shape (n,) or (n, n_outputs)."""
        output = self.loss.output(raw)
        if self.order is not None:
            output = output[:, self.order]
        return output[:, 0] if self.n_outputs == 1 else output

    @property
    def has_score(self) -> bool:
        """Whether there is an R^2: of several quantiles there is none."""
        return self.n_outputs == self.n_columns

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Coefficient of determination R^2, averaged over columns."""
        raw = raw.copy()  # which the loss's output would otherwise overwrite
        weight = np.ones(len(raw)) if sample_weight is None else sample_weight
        errors = encoded - self.loss.output(raw)
        residual = weight @ np.square(errors, dtype=float)
        deviation = encoded - np.average(encoded, axis=0, weights=weight)
        total = weight @ np.square(deviation, dtype=float)
        # A constant column counts 1 where it is met exactly, else 0, as r2_score has it.
        constant = total == 0
        share = np.divide(residual, total, out=(residual > 0).astype(float), where=~constant)
        return float(np.mean(1 - share))


class MultiOutputTarget:
    """Several columns of labels, each of two or more classes of its own.

    Parameters
    ----------
    targets : sequence of ClassTarget
        One a column.
    """

    multilabel = False

    def __init__(self, targets: Sequence[ClassTarget]) -> None:
        self.targets = list(targets)
        self.classes = [target.classes for target in self.targets]
        self._widths = tuple(target.n_outputs for target in self.targets)
        self.n_outputs = sum(self._widths)
        self.loss: Loss = MultiOutputLoss(tuple(t.loss for t in self.targets), self._widths)

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> "MultiOutputTarget":
        """The same columns, each with a loss and smoothed."""
        return MultiOutputTarget(
            [t.with_loss(loss, smoothing, output_activation) for t in self.targets]
        )

    def check(self, y: Any, all_classes: bool) -> None:
        """Raise ValueError where a column has other classes than before, or lacks one."""
        if np.shape(y)[1:] != (len(self.targets),):
            raise ValueError(
                f"y must have {len(self.targets)} columns of labels, as in the first call; got "
                f"shape {np.shape(y)}."
            )
        for target, column in zip(self.targets, label_columns(y), strict=True):
            target.check(column, all_classes)

    def encode(self, y: Any) -> Array:
        """Labels of shape (n, n_columns) to shape (n, n_outputs)."""
        columns = label_columns(y)
        return np.hstack(
            [t.encode(column) for t, column in zip(self.targets, columns, strict=True)]
        )

    def strata(self, encoded: Array) -> None:
        """No strata: combinations of labels may each be rare."""

    def _parts(self, columns: Array) -> list[Array]:
        return np.split(columns, np.cumsum(self._widths)[:-1], axis=1)

    def decode(self, raw: Array) -> Array:
        """Raw output to labels of shape (n, n_columns)."""
        labels = [
            t.decode(part) for t, part in zip(self.targets, self._parts(raw), strict=True)
        ]
        kinds = {column.dtype.kind for column in labels}
        # Numbers beside strings would become strings.
        return np.column_stack(
            labels if len(kinds) == 1 else [c.astype(object) for c in labels]
        )

    def probabilities(self, raw: Array) -> list[Array]:
        """Raw output to each column's probabilities, of shape (n, n_classes)."""
        parts = self._parts(raw)
        return [t.probabilities(part) for t, part in zip(self.targets, parts, strict=True)]

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Share of rows whose labels are all right."""
        parts = zip(self._parts(encoded), self._parts(raw), strict=True)
        right = np.all([_codes(one, 0.5) == _codes(other) for one, other in parts], axis=0)
        return float(np.average(right, weights=sample_weight))


def _check_indicators(y: Any) -> None:
    values = np.unique(y.data if issparse(y) else y)
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must be an indicator matrix of 0 and 1, with a column for each label; got the "
            f"values {values.tolist()!r}."
        )


def class_target(y: Any) -> ClassTarget | MultilabelTarget | MultiOutputTarget:
    """The kind of target that `y` is.

    Parameters
    ----------
    y : array-like
        Labels, or an indicator matrix.

    Returns
    -------
    target : ClassTarget, MultilabelTarget or MultiOutputTarget

    Raises
    ------
    ValueError
        If `y` is neither, or has one class only.
    """
    if not issparse(y) and np.ndim(y) == 2 and y.dtype.kind == "O":
        return MultiOutputTarget([ClassTarget(unique_labels(c)) for c in label_columns(y)])
    kind = type_of_target(y, input_name="y")
    if kind in ("binary", "multiclass") and y.dtype.kind in "biuf":
        return ClassTarget(np.unique(y))
    check_classification_targets(y)
    if kind == "multilabel-indicator":
        _check_indicators(y)
        return MultilabelTarget(y.shape[1])
    if kind == "multiclass-multioutput":
        return MultiOutputTarget([ClassTarget(unique_labels(c)) for c in label_columns(y)])
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


Target = ClassTarget | MultilabelTarget | MultiOutputTarget | RegressionTarget
