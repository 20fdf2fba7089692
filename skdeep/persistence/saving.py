"""Save fitted estimators to files that are safe to load, and load them.

``save`` writes parameters, labels, weights and what else was fitted. ``load`` rebuilds the
estimator through its own checks, and runs no code from the file.
"""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from skdeep.estimators import DeepClassifier, DeepRegressor
from skdeep.persistence import ensembles, files, formats, networks, tables
from skdeep.persistence.files import PathLike, prefix_errors, short_repr
from skdeep.persistence.training_states import encode_training
from skdeep.tabular import TableTransformer, TabularClassifier, TabularRegressor

Saved = DeepClassifier | DeepRegressor | TabularClassifier | TabularRegressor | TableTransformer

# Each estimator, and the file with its document.
KINDS: dict[str, tuple[Any, Any]] = {
    "DeepClassifier": (DeepClassifier, networks),
    "DeepRegressor": (DeepRegressor, networks),
    "TabularClassifier": (TabularClassifier, ensembles),
    "TabularRegressor": (TabularRegressor, ensembles),
    "TableTransformer": (TableTransformer, tables),
}


def save(estimator: Saved, path: PathLike, *, training_state: bool = True) -> None:
    """Write a fitted estimator to a file that is safe to load.

    The file holds all parameters, labels, feature names, weights and loss curves, and what a
    TableTransformer learnt of a table: the loaded estimator predicts the same to the last bit.
    With the state of training, ``partial_fit`` and warm starts of a DeepClassifier or
    DeepRegressor go on to the same bits too. It does not hold callbacks and metadata requests,
    which ``joblib.dump`` keeps, in a file that runs code when it is loaded.

    Parameters
    ----------
    estimator : estimator
        Fitted DeepClassifier, DeepRegressor, TabularClassifier, TabularRegressor or
        TableTransformer. Its parameters may be numbers, strings, arrays, and the solvers,
        schedules, initializers, activations, losses and recipes of skdeep.
    path : str or os.PathLike
        Ends in ``.json``, text that people can read, or in ``.npz``, which is compact and
        holds the weights as NumPy arrays. An existing file is replaced atomically, and keeps
        its permissions.
    training_state : bool, default=True
        Whether to keep the solver's state (moments, learning rates, the last weights if the fit
        returned others) and random numbers. With Adam, that makes the file three times as
        large, and five times with `weight_averaging`; without it, the solver of the loaded
        estimator starts from scratch.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    OSError
        If the file cannot be written.
    TypeError
        If it is another object, such as a pipeline.
    ValueError
        If `path` has another suffix, a parameter holds an object of your own or a splitter
        (``set_params(cv=None)`` leaves it out), parameters or weights were changed after the
        fit so that they no longer match, or `load` would refuse the file for any other reason.

    See Also
    --------
    load : Load an estimator.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdeep import DeepRegressor
    >>> from skdeep.persistence import load, save
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> model = DeepRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     save(model.fit(X, X[:, 0] ** 2), path)
    ...     loaded = load(path)
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    name = type(estimator).__name__
    kind, form = KINDS.get(name, (None, None))
    if kind is not type(estimator):
        raise TypeError(
            f"save takes a fitted {', '.join(KINDS)}; got {name}. For a pipeline, save the "
            "last step, pipe[-1], and use skops or joblib for the steps before it; for other "
            "objects, use joblib.dump."
        )
    formats.format_of(path)
    check_is_fitted(estimator)
    document = form.document_of(estimator)
    if training_state and form is networks:
        document["training"] = encode_training(estimator)
    write(estimator, path, document)


def write(estimator: Saved, path: PathLike, document: dict[str, Any]) -> None:
    """Write the document of an estimator to a file, if it can be loaded."""
    form = KINDS[type(estimator).__name__][1]
    data = formats.encoded(path, document)
    # A file that could not be loaded is never written.
    by_params = form.determined_by_params(estimator_of(formats.decoded(path, data)))
    by_fit = form.determined_by_params(estimator)
    changed = [name for name, value in by_fit.items() if value != by_params[name]]
    if changed:
        raise ValueError(
            f"The parameters were changed after the fit: {changed[0]} would differ when the "
            "file is loaded. Set them back, fit again, or use joblib.dump."
        )
    files.replace(path, data)


def load(path: PathLike, *, max_bytes: int = files.MAX_BYTES) -> Saved:
    """Load an estimator from a file that `save` wrote.

    Files from untrusted sources are safe to load: they cannot hold code, and the estimator is
    rebuilt through the checks of its own parameters. A damaged file is refused, as its SHA-256
    does not match. That says nothing about who wrote it, or how good its predictions are.

    Parameters
    ----------
    path : str or os.PathLike
        Ends in ``.json`` or ``.npz``.
    max_bytes : int, default=2**30
        Maximum size of the file. Reading takes a few times the size of an .npz in memory, and
        about ten times that of a .json; a malicious file may need 300 times its size, so lower
        `max_bytes` for untrusted files.

    Returns
    -------
    estimator : estimator
        Fitted, and of the class that was saved.

    Raises
    ------
    OSError
        If the file does not exist or cannot be read.
    ValueError
        If it is too large, damaged, of a newer version, or not a complete model.

    Examples
    --------
    >>> from skdeep.persistence import load
    >>> load("model.pickle")
    Traceback (most recent call last):
        ...
    ValueError: model.pickle: the suffix must be .json, which people can read, or .npz, which \
is compact; got '.pickle'.
    """
    formats.format_of(path)
    document = formats.decoded(path, files.read_bytes(path, max_bytes))
    with prefix_errors(path):
        return estimator_of(document)


def estimator_of(document: dict[str, Any]) -> Any:
    """The estimator of a document."""
    if "estimator" not in document:
        raise ValueError("the file lacks 'estimator'.")
    name = document["estimator"]
    if type(name) is not str or name not in KINDS:
        raise ValueError(f"the estimator must be one of {list(KINDS)}; got {short_repr(name)}.")
    kind, form = KINDS[name]
    estimator = form.estimator_of(document, kind)
    estimator.__sklearn_validate_model__()
    return estimator
