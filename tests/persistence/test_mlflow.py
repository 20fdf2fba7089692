"""Laws: MLflow saves our models as skops, and gives back the same to the bit.

MLflow runs in a process of its own, because it sets environment variables.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("mlflow", "skops"))), reason="needs MLflow and skops"
)

SCRIPT = """
import mlflow
import mlflow.sklearn
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeep import DeepClassifier
from skdeep.persistence import SKOPS_TRUSTED
from tests.persistence.test_pickle import NAMES, PARAMS, X
from tests.tabular.small import classes, classifier, table

frame = table()
pipeline = make_pipeline(StandardScaler(), DeepClassifier(**PARAMS)).fit(X, NAMES)
ensemble = classifier().fit(frame, classes(frame))
how = {
    "serialization_format": "skops",
    "skops_trusted_types": SKOPS_TRUSTED,
    "pip_requirements": ["scikit-deep[skops]"],
}
with mlflow.start_run():
    info = mlflow.sklearn.log_model(pipeline, name="model", **how)
logged = mlflow.sklearn.load_model(info.model_uri)
assert np.array_equal(logged.predict_proba(X), pipeline.predict_proba(X))

mlflow.sklearn.save_model(ensemble, "saved", **how)
saved = mlflow.sklearn.load_model("saved")
assert np.array_equal(saved.predict_proba(frame), ensemble.predict_proba(frame))
saved.__sklearn_validate_model__()
function = mlflow.pyfunc.load_model("saved")
assert np.array_equal(function.predict(frame), ensemble.predict(frame))

try:
    mlflow.sklearn.save_model(ensemble, "untrusted", **how | {"skops_trusted_types": []})
except mlflow.exceptions.MlflowException as error:
    assert SKOPS_TRUSTED[2] in str(error), error
else:
    raise AssertionError("untrusted classes were saved")
print("equal")
"""


def test_models_are_logged_saved_and_loaded(tmp_path):
    settings = {
        **os.environ,
        "MLFLOW_TRACKING_URI": (tmp_path / "runs").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    ran = subprocess.run(
        command, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=300
    )
    assert ran.stdout.strip() == "equal", ran.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"runs", "saved", "untrusted"}
