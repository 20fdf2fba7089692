"""Parameters and attributes of the tabular estimators, each described once."""

from collections.abc import Callable

from skdeep._checks.parameters import HasMethods
from skdeep.estimators.parameters import CLASSIFIER as DEEP_CLASSIFIER
from skdeep.estimators.parameters import REGRESSOR as DEEP_REGRESSOR
from skdeep.estimators.parameters import Estimator, fill_docstring
from skdeep.hyperparameters import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    WHOLE,
    Hyperparameter,
)
from skdeep.losses import Huber
from skdeep.tabular.recipes import Recipe

COMMON = {
    "effort": Hyperparameter(
        "default",
        (("fast", "default", "best"),),
        """
        How much time to spend: 'default' trains 8 networks for 40 epochs; 'fast' 5 networks for
        20 epochs; 'best' three ensembles that see the table differently or have another
        activation, weighted by their out-of-fold loss.
        """,
    ),
    "n_members": Hyperparameter(
        None,
        (COUNT, None),
        "Number of networks of each recipe. None uses that of the recipe: 8, or 5 if 'fast'.",
    ),
    "cv": Hyperparameter(
        None,
        ("cv_object",),
        """
        Folds, each of which is held out from one network (member k holds out fold k, counted
        in a circle), which keeps the epoch with the lowest loss there. An int is the number of
        shuffled folds, stratified by class; a splitter keeps groups (``GroupKFold``) or time
        (``TimeSeriesSplit``) together. None is one fold for each member, and at least five.
        """,
        "int, splitter, iterable of splits or None",
    ),
    "max_iter": Hyperparameter(
        None, (COUNT, None), "Number of epochs. None uses that of the recipe."
    ),
    "hidden_layer_sizes": Hyperparameter(
        None,
        ("array-like", COUNT, None),
        "Width of each hidden layer. None uses those of the recipe.",
        "int, array-like of int or None",
    ),
    "learning_rate_init": Hyperparameter(
        None, (POSITIVE, None), "Learning rate. None uses that of the recipe."
    ),
    "dropout": Hyperparameter(
        None, (SHARE, None), "Dropout rate of the hidden layers. None uses that of the recipe."
    ),
    "weight_decay": Hyperparameter(
        None,
        (NOT_NEGATIVE, None),
        "Decoupled weight decay, as in AdamW. None uses that of the recipe.",
    ),
    "categorical_features": Hyperparameter(
        "from_dtype",
        ("array-like", ("from_dtype",), None),
        """
        Columns that are categories though they hold numbers: a boolean mask, indices or names.
        'from_dtype' takes those whose dtype is pandas' ``category``, or polars'
        ``Categorical`` or ``Enum``; None no such column. Text is always a category.
        """,
        "array-like of {bool, int, str}, 'from_dtype' or None",
    ),
    "recipe": Hyperparameter(
        None,
        (Recipe, "array-like", None),
        """
        Everything else about the members, in place of `effort`. Several recipes train
        ensemble each, and are weighted by their out-of-fold loss.
        """,
        "Recipe, list of Recipe or None",
    ),
    "max_time": Hyperparameter(
        None,
        (POSITIVE, None),
        """
        Seconds that `fit` may take. If the epochs take longer, there are fewer of them, and the
        learning rate falls sooner. Results then depend on the speed of the machine.
        """,
    ),
    "n_jobs": Hyperparameter(
        None,
        (WHOLE, None),
        """
        Number of jobs of joblib that the members are dealt out to. None means 1, unless in a
        :func:`joblib.parallel_config` context; -1 all processors.
        """,
        "int or None",
    ),
    "verbose": Hyperparameter(
        False,
        ("verbose",),
        "If True, print the epoch, elapsed time, mean loss and mean validation score.",
        "bool or int",
    ),
    "random_state": Hyperparameter(
        None,
        ("random_state",),
        "Seed or generator of the folds, and of the members.",
        "int, RandomState instance or None",
    ),
    "dtype": Hyperparameter(
        "float32",
        (("float32", "float64"),),
        "Data type of weights and computations. 'float64' takes about twice the time.",
    ),
}

CLASSIFIER = COMMON | {
    "label_smoothing": Hyperparameter(
        None,
        (SHARE, None),
        """
        Share of the target that is spread evenly over the classes. None uses that of the
        recipe.
        """,
    ),
    "class_weight": DEEP_CLASSIFIER["class_weight"],
}

REGRESSOR = COMMON | {
    "loss": Hyperparameter(
        "squared_error",
        (
            ("squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"),
            Huber,
            HasMethods(["loss", "gradient"]),
        ),
        """
        Loss function to minimize. For 'poisson' the targets are 0 or more, for 'gamma' above 0,
        and predictions are positive. The `delta` of ``Huber(delta=1.0)`` is in standard
        deviations of the targets.
        """,
        "{'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gamma'} or Huber",
    ),
    "quantile": DEEP_REGRESSOR["quantile"],
}

ATTRIBUTES = """
    oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_columns)
        Out-of-fold predictions: of each training row by the members that did not see it. NaN
        for rows that every member was trained on.
    validation_score_ : float
        Score of the out-of-fold predictions, as of `score`.
    members_ : Report
        Fold, best epoch, validation loss and weight of each member, printed as a table;
        ``members_.to_dict()`` has the numbers.
    loss_curves_ : list of list of float
        Training loss of each member after each epoch.
    validation_loss_curves_ : list of list of float
        Likewise, of the rows that the member held out.
    n_iter_ : int
        Number of epochs of the longest training.
    transformer_ : TableTransformer
        Turns a table into the matrix that the networks read; :attr:`TableTransformer.dropped_`
        has the columns that were left out, and why.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if they are all strings.
"""


def documented(parameters: dict[str, Hyperparameter]) -> Callable[[Estimator], Estimator]:
    """Fill parameters and attributes into the docstring of an estimator."""
    return fill_docstring(parameters, attributes=ATTRIBUTES)
