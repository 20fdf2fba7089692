"""Metrics by counting in plain Python, to test against."""

import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

from skdeep.metrics import macro_f_measure, one_vs_rest_accuracy, one_vs_rest_balanced_accuracy

# Truth by counting


def counts(y_true, y_pred, label, weight):
    """tp, tn, fp, fn of one class, sample by sample."""
    tp = tn = fp = fn = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        if true == label:
            tp, fn = tp + w * (pred == label), fn + w * (pred != label)
        else:
            fp, tn = fp + w * (pred == label), tn + w * (pred != label)
    return tp, tn, fp, fn


def counted_accuracy(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, tn, fp, fn = counts(y_true, y_pred, label, weight)
        per_class.append((tp + tn) / (tp + tn + fp + fn))
    return sum(per_class) / len(per_class)


def counted_balanced_accuracy(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, tn, fp, fn = counts(y_true, y_pred, label, weight)
        if tp + fn > 0:
            recall = tp / (tp + fn)
            specificity = tn / (tn + fp) if tn + fp > 0 else recall
            per_class.append((recall + specificity) / 2)
    return sum(per_class) / len(per_class)


def counted_f_measure(y_true, y_pred, labels, weight):
    per_class = []
    for label in labels:
        tp, _, fp, fn = counts(y_true, y_pred, label, weight)
        per_class.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn > 0 else 0.0)
    return sum(per_class) / len(per_class)


def counted_within(y_true, y_pred, threshold, weight):
    hits = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        hits += w * all(abs(a - b) < threshold for a, b in zip(true, pred, strict=True))
    return hits / sum(weight)


def counted_distance(y_true, y_pred, weight):
    total = 0.0
    for true, pred, w in zip(y_true, y_pred, weight, strict=True):
        total += w * sum((a - b) ** 2 for a, b in zip(true, pred, strict=True)) / 2
    return total / sum(weight)


def one_hot(y, labels):
    return [[float(label == known) for known in labels] for label in y]


CRITERIA = {
    one_vs_rest_accuracy: counted_accuracy,
    one_vs_rest_balanced_accuracy: counted_balanced_accuracy,
    macro_f_measure: counted_f_measure,
}


# Warnings about absent classes have their own tests.
QUIET = pytest.mark.filterwarnings("ignore:.*y_true", "ignore:.*ill-defined", "ignore:Division")
