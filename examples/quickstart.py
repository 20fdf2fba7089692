"""Both estimators in scikit-learn pipelines, cross-validated in seconds.

The data come with scikit-learn: digits (1797 images of 8 x 8 pixels, ten classes) and diabetes
(442 patients, one number to predict).
"""

import time

from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier, DeepRegressor


def score_digits():
    model = make_pipeline(
        StandardScaler(),
        DeepClassifier((100,), learning_rate_init=0.01, dtype="float32", random_state=0),
    )
    # The images are ordered by writer: shuffling puts all writers into every fold.
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(model, *load_digits(return_X_y=True), cv=folds)


def score_diabetes():
    # The penalty is divided by the number of rows, and squared errors are in the thousands
    # here: alpha=2000 is moderate.
    model = make_pipeline(
        StandardScaler(),
        DeepRegressor(
            hidden_layer_sizes=(50,),
            solver="lbfgs",
            alpha=2000,
            max_iter=1000,
            random_state=0,
        ),
    )
    return cross_val_score(model, *load_diabetes(return_X_y=True), cv=5)


def main():
    print(f"{'data':<9} {'estimator':<15} {'score':<9} {'mean':>6} {'std':>6} {'seconds':>8}")
    for data, estimator, metric, score in (
        ("digits", "DeepClassifier", "accuracy", score_digits),
        ("diabetes", "DeepRegressor", "R2", score_diabetes),
    ):
        start = time.perf_counter()
        scores = score()
        seconds = time.perf_counter() - start
        print(
            f"{data:<9} {estimator:<15} {metric:<9} "
            f"{scores.mean():>6.3f} {scores.std():>6.3f} {seconds:>8.1f}"
        )


if __name__ == "__main__":
    main()
