"""scikit-learn's own displays take the estimators."""

import numpy as np
import pytest
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)
from sklearn.model_selection import LearningCurveDisplay, ValidationCurveDisplay
from sklearn.preprocessing import scale

from skdeep import DeepClassifier, DeepRegressor, TabularClassifier, TabularRegressor

pytest.importorskip("matplotlib")

N_ROWS = 120
X, LABELS = (array[:N_ROWS] for array in load_breast_cancer(return_X_y=True))
X = scale(X[:, :4])
X_NUMBERS, NUMBERS = (array[:N_ROWS] for array in load_diabetes(return_X_y=True))
X_NUMBERS, NUMBERS = scale(X_NUMBERS[:, :4]), scale(NUMBERS)
NAMES = np.where(LABELS == 1, "benign", "malignant")

SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
CLASSIFIERS = {
    "DeepClassifier": DeepClassifier(**SMALL).fit(X, NAMES),
    "TabularClassifier": TabularClassifier("fast", n_members=2, **SMALL).fit(X, NAMES),
}
REGRESSORS = {
    "DeepRegressor": DeepRegressor(**SMALL).fit(X_NUMBERS, NUMBERS),
    "TabularRegressor": TabularRegressor("fast", n_members=2, **SMALL).fit(X_NUMBERS, NUMBERS),
}
EACH = pytest.mark.parametrize("name", [*CLASSIFIERS, *REGRESSORS])
EACH_CLASSIFIER = pytest.mark.parametrize("name", CLASSIFIERS)
EACH_REGRESSOR = pytest.mark.parametrize("name", REGRESSORS)


def case(name):
    if name in CLASSIFIERS:
        return CLASSIFIERS[name], X, NAMES
    return REGRESSORS[name], X_NUMBERS, NUMBERS


@EACH_CLASSIFIER
@pytest.mark.parametrize(
    "display", [RocCurveDisplay, PrecisionRecallDisplay, DetCurveDisplay, CalibrationDisplay]
)
def test_curves_of_probabilities(name, display):
    model = CLASSIFIERS[name]
    drawn = display.from_estimator(model, X, NAMES, pos_label="benign")
    proba = model.predict_proba(X)[:, list(model.classes_).index("benign")]
    same = display.from_predictions(NAMES, proba, pos_label="benign")
    for given, expected in zip(drawn.line_.get_data(), same.line_.get_data(), strict=True):
        np.testing.assert_allclose(given, expected)
    assert drawn.line_.get_label().startswith(name)


@EACH_CLASSIFIER
def test_confusion_matrix(name):
    drawn = ConfusionMatrixDisplay.from_estimator(CLASSIFIERS[name], X, NAMES)
    assert drawn.confusion_matrix.sum() == N_ROWS
    assert [text.get_text() for text in drawn.ax_.get_xticklabels()] == ["benign", "malignant"]


@EACH_REGRESSOR
def test_prediction_error(name):
    model, table, y = case(name)
    drawn = PredictionErrorDisplay.from_estimator(model, table, y, subsample=None)
    np.testing.assert_allclose(drawn.y_pred, model.predict(table))


@EACH
def test_partial_dependence(name):
    model, table, _ = case(name)
    drawn = PartialDependenceDisplay.from_estimator(
        model, table, [0, (1, 2)], grid_resolution=4, response_method="auto"
    )
    assert drawn.axes_.shape == (1, 2)
    average = drawn.pd_results[0]["average"][0]
    assert len(average) == 4
    assert np.isfinite(average).all()


@EACH
def test_decision_boundary(name):
    model, table, y = case(name)
    drawn = DecisionBoundaryDisplay.from_estimator(
        type(model)(**model.get_params()).fit(table[:, :2], y), table[:, :2], grid_resolution=5
    )
    assert drawn.response.shape[:2] == (5, 5)


@EACH
def test_learning_curve(name):
    model, table, y = case(name)
    drawn = LearningCurveDisplay.from_estimator(model, table, y, train_sizes=[0.5, 1.0], cv=2)
    assert drawn.test_scores.shape == (2, 2)
    assert np.isfinite(drawn.test_scores).all()


@EACH
def test_validation_curve(name):
    model, table, y = case(name)
    drawn = ValidationCurveDisplay.from_estimator(
        model, table, y, param_name="learning_rate_init", param_range=[1e-3, 1e-2], cv=2
    )
    assert drawn.test_scores.shape == (2, 2)
    assert np.isfinite(drawn.test_scores).all()
