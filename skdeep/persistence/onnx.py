"""Fitted estimators as ONNX graphs, alone or within scikit-learn's pipelines.

Importing this file registers the converters with skl2onnx, where that is installed.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdeep._network.network import floating
from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.estimators.model import model_of
from skdeep.persistence.onnx_ensembles import ensemble_outputs, tabular_outputs
from skdeep.persistence.onnx_graph import ROWS, Graph
from skdeep.persistence.onnx_networks import raw_output
from skdeep.persistence.onnx_outputs import outputs, signature
from skdeep.persistence.onnx_pipelines import register
from skdeep.persistence.onnx_tables import table_columns
from skdeep.tabular import TabularClassifier, TabularRegressor
from skdeep.tabular.fitted import ensemble_of

if find_spec("skl2onnx"):
    register()

EXPORTED = (DeepClassifier, DeepRegressor, TabularClassifier, TabularRegressor)


def to_onnx(
    estimator: DeepClassifier | DeepRegressor | TabularClassifier | TabularRegressor,
) -> Any:
    """Convert a fitted estimator to an ONNX model, for runtimes without Python.

    The model is of opset 17 and IR version 8, and takes any number of rows.

    Networks have one input, ``X``: the columns of `fit`, as float32 of shape (rows, n_features)
    if the weights are float32, else as float64.

    TabularClassifier and TabularRegressor take the raw table. Each column that `fit` has not
    dropped is an input of shape (rows, 1), with the name that it had in `fit`, or ``x0``,
    ``x1``, ... if there were none. What it takes depends on what it held in `fit`:

    - Numbers, booleans and durations in seconds are float64, and NaN is missing.
    - Categories are text: numbers and booleans as ``str`` writes them, durations in seconds,
      dates as ``2026-01-31T00:00:00.000000``. These are missing if they were no levels in
      `fit`: ``""``, ``"nan"``, ``"None"``, ``"NaT"`` and ``"<NA>"``.
    - Dates are int64, the microseconds since 1970 of ``datetime64[us]``, in which NaT is
      missing. Those with a time zone are in its wall time.

    A table without names that has only numbers and booleans is one input ``X`` instead,
    float64 of shape (rows, n_features).

    Numbers that come out have the dtype that they have in Python: that of the weights for
    networks, float64 for the tabular estimators.

    Regressors have one output, ``variable`` of shape (rows, n_outputs). Classifiers have two;
    ``"output_"`` precedes their names where a column has the same:

    - ``label``, int64 or text, of shape (rows,), or (rows, n_labels) if `y` has several
      columns. Booleans are 0 and 1; if there are columns of numbers and of text, all are text.
    - ``probabilities`` of shape (rows, n_classes), as of ``predict_proba``; a sequence of these
      for several columns of classes.

    Parameters
    ----------
    estimator : DeepClassifier, DeepRegressor, TabularClassifier or TabularRegressor
        A fitted estimator. A loss of your own is no obstacle, as predictions do not depend on
        it.

    Returns
    -------
    model : onnx.ModelProto
        ``model.SerializeToString()`` is what runtimes load, and ``onnx.save`` writes it.

    Raises
    ------
    ImportError
        If onnx is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is another object. Pipelines are converted by ``skl2onnx.to_onnx``, which knows
        skdeep's estimators once ``skdeep.persistence.onnx`` is imported.
    ValueError
        If an activation is an object of your own, labels are neither whole numbers nor text, or
        a column of a table is called "".

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> from skdeep.persistence import to_onnx
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = to_onnx(DeepRegressor(max_iter=2).fit(X, X[:, 0]))
    >>> [value.name for value in [*model.graph.input, *model.graph.output]]
    ['X', 'variable']
    """
    if not isinstance(estimator, EXPORTED):
        names = ", ".join(kind.__name__ for kind in EXPORTED)
        raise TypeError(
            f"estimator must be one of {names}, got {estimator!r}. Convert pipelines with "
            "skl2onnx.to_onnx, after importing skdeep.persistence.onnx."
        )
    check_is_fitted(estimator)
    if not find_spec("onnx"):
        raise ImportError(
            "to_onnx needs the package onnx: install it with pip install 'scikit-deep[onnx]'."
        )
    if isinstance(estimator, TabularClassifier | TabularRegressor):
        return _tabular_model(estimator)
    network, params, target = model_of(estimator)
    graph = Graph(floating(params.weights))
    x = graph.input("X", graph.dtype, (ROWS, network.n_in))
    values = outputs(graph, target, raw_output(graph, network, params, x))
    return _model(graph, estimator, values, target, graph.dtype)


def _tabular_model(estimator: TabularClassifier | TabularRegressor) -> Any:
    ensemble = ensemble_of(estimator)
    graph = Graph(estimator.transformer_.dtype)
    shared, codes = table_columns(graph, estimator.transformer_)
    prediction = ensemble_outputs(graph, ensemble, shared, codes)
    values = tabular_outputs(graph, ensemble.target, prediction)
    return _model(graph, estimator, values, ensemble.target, np.float64)


def _model(graph: Graph, estimator: Any, values: list[str], target: Any, dtype: Any) -> Any:
    declared = signature(target, dtype).items()
    for value, (name, (own, shape)) in zip(values, declared, strict=True):
        graph.output(name, value, own, shape)
    return graph.model(type(estimator).__name__)
