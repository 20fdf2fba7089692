"""How weights start."""

import math

import numpy as np


def glorot_uniform(
    generator: np.random.RandomState, fan_in: int, fan_out: int, gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases drawn from U(-b, b), b = sqrt(gain / (fan_in + fan_out)).

    Follows scikit-learn's MLP, which draws the biases from the same law (Glorot &
    Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, leave them 0), weights first.

    Parameters
    ----------
    generator : RandomState
        Source of the draws.
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    gain : float
        6 in the paper; scikit-learn takes 2 for networks of logistic units.

    Returns
    -------
    weights : ndarray of shape (fan_in, fan_out)
    bias : ndarray of shape (1, fan_out)
    """
    bound = math.sqrt(gain / (fan_in + fan_out))
    weights = generator.uniform(-bound, bound, (fan_in, fan_out))
    return weights, generator.uniform(-bound, bound, (1, fan_out))
