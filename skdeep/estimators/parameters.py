"""Parameters and attributes of the estimators, each described once.

The checks of both classes, their docstrings and the docs read these tables; a test holds the
signatures' defaults equal to them.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from skdeep._checks.parameters import HasMethods, constraints_of
from skdeep.hyperparameters import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    SHARED,
    Hyperparameter,
    Interval,
)
from skdeep.initializers import INITIALIZERS, Initializer
from skdeep.losses import (
    CLASSIFICATION_LOSSES,
    OUTPUT_ACTIVATIONS,
    REGRESSION_LOSSES,
    Focal,
    Huber,
)
from skdeep.schedules import SCHEDULES, Schedule
from skdeep.solvers import LBFGS, SOLVERS, StochasticSolver

COMMON = {
    "hidden_layer_sizes": Hyperparameter(
        (100,),
        ("array-like", COUNT),
        "Width of each hidden layer.",
        "int or array-like of int",
    ),
    "activation": Hyperparameter(
        "relu",
        (),
        """
        Activation function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu',
        'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish' or 'softplus', or an object with
        methods ``value(z)`` and ``derivative(z)`` (see :class:`skdeep.activations.Custom`). A
        list has one for each hidden layer. :mod:`skdeep.activations` has the formulas.
        """,
        "str, object or list of these",
    ),
    "solver": Hyperparameter(
        "adam",
        (tuple(SOLVERS), StochasticSolver, LBFGS),
        """
        Solver for the weights: 'adam', 'sgd', 'adamw', 'nadam', 'amsgrad', 'rmsprop',
        'adagrad', 'adadelta', 'lion' or 'lbfgs', or an object such as ``SGD(momentum=0.5)``
        (see :mod:`skdeep.solvers`), which has its own hyperparameters, also for searches
        (``solver__momentum``). A solver given by name takes those that are among the
        parameters below from there; the others have the object's defaults.
        """,
        "str or solver",
    ),
    "alpha": Hyperparameter(
        0.0001,
        (NOT_NEGATIVE,),
        """
        Strength of the penalty on the weights: alpha / 2 times their squared L2 norm (see
        `l1_ratio`), divided by the sum of the sample weights of the batch.
        """,
    ),
    "batch_size": Hyperparameter(
        "auto",
        (("auto",), COUNT),
        "Number of rows in a batch; 'auto' is ``min(200, n_samples)``. Not used by 'lbfgs'.",
        "'auto' or int in [1, inf)",
    ),
    "learning_rate": replace(
        SHARED["learning_rate"], allowed=(tuple(SCHEDULES), Schedule, callable)
    ),
    "learning_rate_init": SHARED["learning_rate_init"],
    "power_t": SHARED["power_t"],
    "max_iter": Hyperparameter(
        200, (COUNT,), "Maximum number of epochs, or of iterations of 'lbfgs'."
    ),
    "shuffle": Hyperparameter(
        True, ("boolean",), "If True, each epoch takes the rows in a new order."
    ),
    "random_state": Hyperparameter(
        None,
        ("random_state",),
        """
        Seed or generator of the initial weights, the validation split, the order of the rows
        and dropout.
        """,
        "int, RandomState instance or None",
    ),
    "tol": Hyperparameter(
        1e-4,
        (NOT_NEGATIVE,),
        """
        Training stops if the loss (or the validation score) has not improved by at least
        `tol` for `n_iter_no_change` epochs; with 'lbfgs', if no entry of the gradient is
        larger.
        """,
    ),
    "verbose": Hyperparameter(
        False,
        ("verbose",),
        "If True, print the epoch, elapsed time, loss and validation score after each epoch.",
        "bool or int",
    ),
    "warm_start": Hyperparameter(
        False,
        ("boolean",),
        """
        If True, `fit` resumes from the previous fit: its weights, solver state, learning
        rate, order of rows and validation rows. Two fits of 10 epochs equal one of 20.
        """,
    ),
    "momentum": SHARED["momentum"],
    "nesterovs_momentum": SHARED["nesterovs_momentum"],
    "early_stopping": Hyperparameter(
        False,
        ("boolean",),
        """
        If True, stop training when the validation score stops improving. The validation rows
        are `X_val` if given to `fit`, else `validation_fraction` of the rows, which are set
        aside. Not used by 'lbfgs'.
        """,
    ),
    "validation_fraction": Hyperparameter(
        0.1, (SHARE,), "Proportion of the rows that `early_stopping` sets aside."
    ),
    "beta_1": SHARED["beta_1"],
    "beta_2": SHARED["beta_2"],
    "epsilon": SHARED["epsilon"],
    "n_iter_no_change": Hyperparameter(
        10,
        (COUNT, math.inf),
        "Number of epochs without improvement after which training stops.",
        "int in [1, inf) or inf",
    ),
    "max_fun": SHARED["max_fun"],
    "dtype": Hyperparameter(
        None,
        (("float32", "float64"), None),
        """
        Data type of weights and computations. None uses float32 if `X` is float32, else
        float64. ``"float32"`` takes little more than half the time; `X` may be of any dtype,
        as it is converted batch by batch.
        """,
    ),
    "l1_ratio": Hyperparameter(
        0.0,
        (Interval(0, 1, "both"),),
        """
        Mixing parameter of the penalty, as in an elastic net: alpha * (l1_ratio * norm_1 +
        (1 - l1_ratio) / 2 * norm_2 ** 2).
        """,
    ),
    "dropout": Hyperparameter(
        0.0,
        (SHARE, "array-like"),
        """
        Proportion of the outputs of each hidden layer that a training step drops [3]_. A list
        has the rate of the input first, then one for each hidden layer.
        """,
        "float in [0, 1) or list of float",
    ),
    "norm": Hyperparameter(
        None,
        (("batch", "layer"), None),
        """
        Normalization of the hidden layers before their activation: over the batch [4]_, or
        over the units of the layer [5]_.
        """,
    ),
    "max_norm": Hyperparameter(
        None, (POSITIVE, None), "Maximum L2 norm of the incoming weights of a unit."
    ),
    "clip_norm": Hyperparameter(
        None,
        (POSITIVE, None),
        "Maximum L2 norm of the gradient of all parameters; a longer one is scaled down.",
    ),
    "weight_init": Hyperparameter(
        None,
        (tuple(INITIALIZERS), Initializer, list, tuple, None),
        """
        Weight initializer: 'glorot_uniform', 'glorot_normal', 'he_uniform', 'he_normal',
        'lecun_normal', 'orthogonal', an object such as ``Normal(0, 0.1)`` (see
        :mod:`skdeep.initializers`), or the weights of each layer. None is scikit-learn's: the
        uniform distribution of [2]_, for biases too.
        """,
        "str, initializer, list of ndarray or None",
    ),
    "bias": Hyperparameter(
        True, ("boolean",), "If False, layers have no bias and `intercepts_` is empty."
    ),
    "residual": Hyperparameter(
        False,
        ("boolean",),
        "If True, a hidden layer that is as wide as its input adds its input to its output.",
    ),
    "init_output_bias": Hyperparameter(
        None,
        (("baseline",), None),
        """
        'baseline' starts from the best constant prediction: output weights of 0, and the
        constant as output bias.
        """,
    ),
    "weight_averaging": Hyperparameter(
        0.0,
        (SHARE,),
        """
        Decay of a moving average of the weights over steps, such as 0.999. The averaged
        weights are validated and used to predict. 0 averages nothing.
        """,
    ),
    "validation_scoring": Hyperparameter(
        None,
        (str, callable, None),
        """
        Score of the validation rows: None uses the estimator's `score`, 'loss' the negative
        loss; else a name or callable as in :func:`skdeep.metrics.get_scorer`.
        """,
        "str, callable or None",
    ),
    "restore_best": Hyperparameter(
        True,
        ("boolean",),
        "If True and there are validation rows, `fit` returns the weights of the best epoch.",
    ),
    "max_time": Hyperparameter(
        None,
        (POSITIVE, None),
        """
        Seconds after which training stops, in the middle of an epoch if need be; with 'lbfgs'
        after an iteration.
        """,
    ),
}

CLASSIFIER = COMMON | {
    "loss": Hyperparameter(
        "log_loss",
        (tuple(CLASSIFICATION_LOSSES), Focal),
        """
        Loss function to minimize: the log-loss, half the squared error of the probabilities
        (Brier score), or the focal loss, whose `gamma` ``Focal(gamma=2.0)`` sets.
        :mod:`skdeep.losses` has the formulas.
        """,
        "{'log_loss', 'squared_error', 'focal'} or Focal",
    ),
    "class_weight": Hyperparameter(
        None,
        (dict, list, ("balanced",), None),
        """
        Weight of each class, multiplied by `sample_weight`; classes that are not in the dict
        have weight 1. For several columns of `y`, a list of dicts, whose weights are
        multiplied. 'balanced' is n_samples / (n_classes * number of rows of the class).
        """,
        "dict, list of dict, 'balanced' or None",
    ),
    "label_smoothing": Hyperparameter(
        0.0,
        (SHARE,),
        "Share s of the target that is spread evenly over the K classes: (1 - s) y + s / K.",
    ),
    "output_activation": Hyperparameter(
        None,
        (("softmax", "logistic"), None),
        """
        None uses one logistic output for two classes, and softmax over one output per class
        for more. A name uses one output per class for two classes as well; with 'logistic'
        each class is decided against the rest, and probabilities need not sum to 1.
        """,
    ),
}

REGRESSOR = COMMON | {
    "loss": Hyperparameter(
        "squared_error",
        (tuple(REGRESSION_LOSSES), Huber, HasMethods(["loss", "gradient"])),
        """
        Loss function to minimize: 'squared_error', 'absolute_error', 'huber' (whose `delta`
        ``Huber(delta=1.0)`` sets), 'log_cosh', 'poisson', 'gamma' or 'quantile', or an object
        with methods ``loss(y_true, y_pred)`` and ``gradient(y_true, y_pred)``, which return
        one number per element. :mod:`skdeep.losses` has the formulas.
        """,
        "str, Huber or object",
    ),
    "output_activation": Hyperparameter(
        None,
        (tuple(OUTPUT_ACTIVATIONS), None),
        """
        Output activation, which bounds predictions: 'identity', 'logistic' to (0, 1), 'tanh'
        to (-1, 1), 'softplus' or 'exp' to positive numbers. None uses that of the loss: 'exp'
        for 'poisson' and 'gamma', else 'identity'.
        """,
    ),
    "quantile": Hyperparameter(
        0.5,
        (Interval(0, 1, "neither"), "array-like"),
        """
        Quantile of ``loss='quantile'``. A list gives `predict` one column per quantile; they
        never cross.
        """,
        "float in (0, 1) or list of float",
    ),
}

ATTRIBUTES = """
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer. Modifying these arrays changes predictions.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.
    norms_ : list of ndarray of shape (n_out,)
        Scale, shift and running statistics of each layer that has a norm.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        Lowest loss of any epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch (of each iteration with 'lbfgs'). A call that resumes appends to it,
        as with scikit-learn's MLP.
    validation_scores_ : list of float or None
        Score of the validation rows after each epoch (`validation_scoring`); None without
        validation rows.
    validation_loss_curve_ : list of float or None
        Loss of the validation rows after each epoch, without penalty.
    best_validation_score_ : float or None
        Highest validation score; NaN if none is finite.
    best_iter_ : int or None
        Epoch of the highest validation score, from 1; None without validation rows, or if no
        score is finite.
    n_iter_ : int
        Number of epochs of the last call; of iterations with 'lbfgs'.
    t_ : int
        Number of training rows seen, counting those of every epoch.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if they are all strings.
    n_layers_ : int
        Number of layers, including input and output.
    n_outputs_ : int
        Number of outputs of the network.
    out_activation_ : str
        Name of the output activation.
"""

REFERENCES = """
    .. [1] Rumelhart, Hinton & Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    .. [3] Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014.
    .. [4] Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
       reducing internal covariate shift", ICML 2015.
    .. [5] Ba, Kiros & Hinton, "Layer normalization", arXiv:1607.06450.
"""

Estimator = TypeVar("Estimator", bound=type)


def constraints(parameters: dict[str, Hyperparameter]) -> dict[str, Any]:
    """What each parameter may be, in the words of scikit-learn's checks."""
    return {
        name: constraints_of(parameter.allowed) if parameter.allowed else "no_validation"
        for name, parameter in parameters.items()
    }


def documented(parameters: dict[str, Hyperparameter]) -> Callable[[Estimator], Estimator]:
    """Fill what both estimators' docstrings have in common into that of the class."""
    return fill_docstring(parameters, attributes=ATTRIBUTES, references=REFERENCES)


def fill_docstring(
    parameters: dict[str, Hyperparameter], **sections: str
) -> Callable[[Estimator], Estimator]:
    """Fill the entries of the parameters, and sections by name, into the class's docstring."""

    def fill(estimator: Estimator) -> Estimator:
        if estimator.__doc__:  # python -OO has none
            names = list(inspect.signature(estimator).parameters)
            entries = [parameters[name].entry(name).replace("\n", "\n    ") for name in names]
            texts = {"parameters": "\n\n    ".join(entries), **sections}
            for name, text in texts.items():
                estimator.__doc__ = estimator.__doc__.replace(f"{{{name}}}", text.strip())
        return estimator

    return fill
