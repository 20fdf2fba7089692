"""From y to what a network is trained on, and from its raw output back to y.

There is one class for each kind of target. It has the loss, encodes y as a matrix, decodes raw
output, and scores it as the estimator's ``score`` would.
"""

import copy
from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from skdeep._arrays import Array
from skdeep._checks.parameters import check_spec
from skdeep.hyperparameters import Spec
from skdeep.losses import (
    Focal,
    HalfSquaredError,
    Loss,
    MultiOutputLoss,
    QuantileLoss,
    classification_loss,
    regression_loss,
)
from skdeep.metrics.counts import dense, label_columns


class Target:
    """Base of the targets.

    Attributes
    ----------
    n_outputs : int
        Number of outputs of the network.
    loss : Loss
    multilabel : bool
    has_score : bool
        If False, there is no score but the loss.
    """

    n_outputs: int
    loss: Loss
    multilabel = False
    has_score = True

    def check(self, y: Any, all_classes: bool) -> None:
        """Raise ValueError if `y` is not of this kind, or (`all_classes`) lacks a class."""
        raise NotImplementedError

    def encode(self, y: Any) -> Array:
        """Targets as a matrix of shape (n, n_outputs)."""
        raise NotImplementedError

    def decode(self, raw: Array) -> Array:
        """Raw output of shape (n, n_outputs) as predictions in the form of y."""
        raise NotImplementedError

    def strata(self, encoded: Array) -> Array | None:
        """Labels by which to stratify a validation split."""
        return None

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Proportion of rows whose labels are all predicted correctly."""
        right = self._is_right(encoded, raw)
        return float(np.average(right, weights=sample_weight))

    def _is_right(self, encoded: Array, raw: Array) -> Array:
        raise NotImplementedError


class ClassTarget(Target):
    """Labels of two or more classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    """

    smoothing = 0.0

    def __init__(self, classes: Array) -> None:
        if len(classes) < 2:
            raise ValueError(
                f"y, or classes, has one class only, {classes.tolist()!r}: a classifier needs "
                "at least two classes."
            )
        self.classes = classes
        self.n_outputs = 1 if len(classes) == 2 else len(classes)
        self.loss = classification_loss("log_loss", self.n_outputs > 1)

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> Self:
        """The same classes with a loss and label smoothing.

        With an output activation, two classes have one output each as well.
        """
        target = copy.copy(self)
        if output_activation is not None:
            target.n_outputs = len(self.classes)
        multinomial = target.n_outputs > 1 and output_activation != "logistic"
        target.loss = classification_loss(loss, multinomial)
        target.smoothing = smoothing
        return target

    def check(self, y: Array, all_classes: bool) -> None:
        if np.ndim(y) != 1:
            raise ValueError(
                f"y must be labels of shape (n_samples,), as in the first call; got shape "
                f"{np.shape(y)}."
            )
        try:
            codes = np.searchsorted(self.classes, y)
        except TypeError:  # labels that cannot be compared with the known ones
            codes = np.zeros(len(y), int)
        known = self.classes[np.minimum(codes, len(self.classes) - 1)] == y
        if not np.all(known):
            labels = set(np.asarray(y)[~known].tolist())
            unseen = sorted(labels, key=lambda label: (type(label).__name__, label))
            listed = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
            raise ValueError(
                f"`y` has classes not in `self.classes_`: [{listed}]. Known are "
                f"{self.classes.tolist()!r}, from the first call."
            )
        if all_classes and len(np.unique(codes)) < len(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously {self.classes.tolist()!r}, `y` has "
                f"{np.unique(y).tolist()!r}."
            )

    def encode(self, y: Array) -> Array:
        codes = np.searchsorted(self.classes, y)
        columns = [1] if self.n_outputs == 1 else np.arange(self.n_outputs)
        # A logistic output is smoothed over its two outcomes.
        n_classes = self.n_outputs if self.loss.out_activation == "softmax" else 2
        return _smooth(codes[:, None] == columns, self.smoothing, n_classes)

    def strata(self, encoded: Array) -> Array | None:
        # As in scikit-learn's MLP.
        return encoded[:, -1] if len(self.classes) == 2 else None

    def decode(self, raw: Array) -> Array:
        return self.classes[_codes(raw)]

    def probabilities(self, raw: Array) -> Array:
        """Raw output as probabilities of shape (n, n_classes)."""
        # Both of two classes are computed: 1 - p would round a small probability to 0.
        columns = np.hstack([-raw, raw]) if self.n_outputs == 1 else raw
        return self.loss.output(columns)

    def _is_right(self, encoded: Array, raw: Array) -> Array:
        return _codes(encoded, 0.5) == _codes(raw)


def _codes(columns: Array, threshold: float = 0.0) -> Array:
    # Column of the largest entry; for a single column, whether it is above the threshold.
    if columns.shape[1] > 1:
        return columns.argmax(axis=1)
    return (columns[:, 0] > threshold).astype(int)


def _smooth(encoded: Array, share: float, n_classes: int) -> Array:
    return (1 - share) * encoded + share / n_classes if share else encoded


class MultilabelTarget(Target):
    """An indicator matrix: any number of labels per row.

    Parameters
    ----------
    n_labels : int
    """

    multilabel = True
    smoothing = 0.0

    def __init__(self, n_labels: int) -> None:
        self.classes = np.arange(n_labels)
        self.n_outputs = n_labels
        self.loss = classification_loss("log_loss", multinomial=False)

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> Self:
        """The same labels with a loss and label smoothing."""
        if output_activation == "softmax":
            raise ValueError(
                "output_activation='softmax' is for mutually exclusive classes, but y is an "
                "indicator matrix, whose labels are independent: use output_activation=None."
            )
        target = copy.copy(self)
        target.loss = classification_loss(loss, multinomial=False)
        target.smoothing = smoothing
        return target

    def check(self, y: Any, all_classes: bool) -> None:
        kind = type_of_target(y, input_name="y")
        if kind != "multilabel-indicator" or y.shape[1] != self.n_outputs:
            raise ValueError(
                f"y must be an indicator matrix of 0 and 1 with {self.n_outputs} columns, as "
                f"in the first call; got {kind} of shape {np.shape(y)}."
            )
        _check_indicators(y)

    def encode(self, y: Any) -> Array:
        return _smooth(dense(y).astype(bool), self.smoothing, 2)

    def decode(self, raw: Array) -> Array:
        return (raw > 0).astype(int)

    def probabilities(self, raw: Array) -> Array:
        """Raw output as the probability of each label, of shape (n, n_labels)."""
        return self.loss.output(raw)

    def _is_right(self, encoded: Array, raw: Array) -> Array:
        return ((encoded > 0.5) == (raw > 0)).all(axis=1)


class RegressionTarget(Target):
    """Numbers, one or several per row.

    Parameters
    ----------
    n_columns : int
        Number of columns of y.
    """

    order: Array | None = None

    def __init__(self, n_columns: int) -> None:
        self.n_columns = self.n_outputs = n_columns
        self.loss = HalfSquaredError()

    def with_loss(self, loss: Loss, order: Array) -> Self:
        """The same columns with a loss.

        `order` has the positions in predictions of the columns of several quantiles, which
        ascend in the network.
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
            target.has_score = target.n_outputs == 1
            target.order = order
        return target

    def check(self, y: Array, all_classes: bool) -> None:
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_columns:
            raise ValueError(
                f"y must have {self.n_columns} column(s), as in training; got {n_columns}."
            )

    def encode(self, y: Array) -> Array:
        self.loss.check_targets(y)
        return y.reshape(len(y), -1)

    def decode(self, raw: Array) -> Array:
        output = self.loss.output(raw)
        if self.order is not None:
            output = output[:, self.order]
        return output[:, 0] if self.n_outputs == 1 else output

    def score(self, encoded: Array, raw: Array, sample_weight: Array | None) -> float:
        """Coefficient of determination R^2, averaged over columns."""
        raw = raw.copy()  # the loss would overwrite it
        weight = np.ones(len(raw)) if sample_weight is None else sample_weight
        errors = encoded - self.loss.output(raw)
        residual = weight @ np.square(errors, dtype=float)
        deviation = encoded - np.average(encoded, axis=0, weights=weight)
        total = weight @ np.square(deviation, dtype=float)
        # As in r2_score, a constant column counts 1 if it is predicted exactly, else 0.
        constant = total == 0
        share = np.divide(residual, total, out=(residual > 0).astype(float), where=~constant)
        return float(np.mean(1 - share))


def with_regression_loss(
    target: RegressionTarget, loss: Any, quantile: Any, output_activation: str | None = None
) -> RegressionTarget:
    """The target with the loss that a regressor's parameters ask for."""
    if isinstance(loss, Spec):
        check_spec(loss)
    given = [quantile] if isinstance(quantile, Real) else list(quantile)
    fits = all(isinstance(one, Real) and 0 < float(one) < 1 for one in given)
    if not given or not fits or len(set(given)) < len(given):
        raise ValueError(
            "quantile must be a number in (0, 1), or a list of distinct numbers in (0, 1); "
            f"got {quantile!r}."
        )
    quantiles = np.array(given, float)
    # The network's columns ascend, so that they cannot cross; the user's need not.
    order = np.argsort(quantiles)
    ascending = tuple(quantiles[order].tolist())
    made = regression_loss(loss, output_activation, ascending)
    return target.with_loss(made, np.argsort(order))


def quantiles_of(target: Any) -> list[float]:
    """Quantiles in the order of the columns of predictions; [] for another loss."""
    loss = getattr(target, "loss", None)
    if not isinstance(loss, QuantileLoss):
        return []
    return [loss.quantiles[k] for k in target.order]


class MultiOutputTarget(Target):
    """Several columns of labels, each with classes of its own.

    Parameters
    ----------
    targets : sequence of ClassTarget
        One per column.
    """

    def __init__(self, targets: Sequence[ClassTarget]) -> None:
        self.targets = list(targets)
        self.classes = [target.classes for target in self.targets]
        self._widths = tuple(target.n_outputs for target in self.targets)
        self.n_outputs = sum(self._widths)
        self.loss = MultiOutputLoss(tuple(t.loss for t in self.targets), self._widths)

    def with_loss(
        self, loss: str | Focal, smoothing: float, output_activation: str | None = None
    ) -> "MultiOutputTarget":
        """The same columns, each with a loss and label smoothing."""
        return MultiOutputTarget(
            [t.with_loss(loss, smoothing, output_activation) for t in self.targets]
        )

    def check(self, y: Any, all_classes: bool) -> None:
        if np.shape(y)[1:] != (len(self.targets),):
            raise ValueError(
                f"y must have {len(self.targets)} columns of labels, as in the first call; got "
                f"shape {np.shape(y)}."
            )
        for target, column in zip(self.targets, label_columns(y), strict=True):
            target.check(column, all_classes)

    def encode(self, y: Any) -> Array:
        pairs = zip(self.targets, label_columns(y), strict=True)
        return np.hstack([target.encode(column) for target, column in pairs])

    def decode(self, raw: Array) -> Array:
        labels = [target.decode(part) for target, part in self._parts(raw)]
        # In one array, numbers beside strings would become strings.
        mixed = len({column.dtype.kind for column in labels}) > 1
        return np.column_stack([c.astype(object) for c in labels] if mixed else labels)

    def probabilities(self, raw: Array) -> list[Array]:
        """Raw output as the probabilities of each column, of shape (n, n_classes)."""
        return [target.probabilities(part) for target, part in self._parts(raw)]

    def _is_right(self, encoded: Array, raw: Array) -> Array:
        pairs = zip(self._parts(encoded), self._parts(raw), strict=True)
        return np.all([_codes(a, 0.5) == _codes(b) for (_, a), (_, b) in pairs], axis=0)

    def _parts(self, columns: Array) -> list[tuple[ClassTarget, Array]]:
        parts = np.split(columns, np.cumsum(self._widths)[:-1], axis=1)
        return list(zip(self.targets, parts, strict=True))


def _check_indicators(y: Any) -> None:
    values = np.unique(y.data if issparse(y) else y)
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must be an indicator matrix of 0 and 1, with a column for each label; got the "
            f"values {values.tolist()!r}."
        )


def class_target(y: Any) -> ClassTarget | MultilabelTarget | MultiOutputTarget:
    """The kind of target that `y`, labels or an indicator matrix, is."""
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
    """`y`, with a single column as a vector."""
    if issparse(y) and y.shape[1] == 1:
        raise ValueError(
            "y is a sparse matrix of one column, which is not an indicator matrix: use "
            "y.toarray().ravel()."
        )
    if issparse(y) or np.ndim(y) < 2 or np.shape(y)[1] > 1:
        return y
    return column_or_1d(y, warn=True)
