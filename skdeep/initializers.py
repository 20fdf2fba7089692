"""Weight initializers.

Biases start at 0, except with the default, ``GlorotUniform``, which draws them too, as
scikit-learn's MLP does.
"""

import math
from dataclasses import MISSING, dataclass

import numpy as np

from skdeep._arrays import Array
from skdeep.hyperparameters import FINITE, NOT_NEGATIVE, field_of


@dataclass(frozen=True)
class Initializer:
    """Base class of initializers: a distribution that weights are drawn from."""

    def weights(self, generator: np.random.RandomState, fan_in: int, fan_out: int) -> Array:
        """Weights of shape (fan_in, fan_out)."""
        raise NotImplementedError

    def draw(
        self, generator: np.random.RandomState, fan_in: int, fan_out: int, bias: bool = True
    ) -> tuple[Array, Array]:
        """Initial weights and bias of a layer.

        Parameters
        ----------
        generator : RandomState
        fan_in, fan_out : int
            Number of inputs and outputs of the layer.
        bias : bool, default=True
            If False, the layer has no bias and none is drawn.

        Returns
        -------
        weights : ndarray of shape (fan_in, fan_out)
        bias : ndarray of shape (1, fan_out)
        """
        return self.weights(generator, fan_in, fan_out), np.zeros((1, fan_out))


@dataclass(frozen=True)
class Uniform(Initializer):
    """U(low, high).

    Parameters
    ----------
    low : float in (-inf, inf)
        Lower bound.
    high : float in (-inf, inf)
        Upper bound.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.initializers import Uniform
    >>> Uniform(2, 3).weights(np.random.RandomState(0), 1, 3).round(2)
    array([[2.55, 2.72, 2.6 ]])
    """

    low: float = field_of(MISSING, FINITE)
    high: float = field_of(MISSING, FINITE)

    def weights(self, generator, fan_in, fan_out):
        return generator.uniform(self.low, self.high, (fan_in, fan_out))


@dataclass(frozen=True)
class Normal(Initializer):
    """N(mean, std^2).

    Parameters
    ----------
    mean : float in (-inf, inf)
        Mean.
    std : float in [0, inf)
        Standard deviation.
    """

    mean: float = field_of(MISSING, FINITE)
    std: float = field_of(MISSING, NOT_NEGATIVE)

    def weights(self, generator, fan_in, fan_out):
        if not self.std >= 0:
            raise ValueError(f"Normal: std must be 0 or more; got {self.std!r}.")
        return generator.normal(self.mean, self.std, (fan_in, fan_out))


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """U(-b, b), b = sqrt(gain / (fan_in + fan_out)), for weights, then biases [1]_.

    Follows scikit-learn's MLP, which draws the biases from the same distribution; in the
    paper they start at 0.

    Parameters
    ----------
    gain : float in [0, inf), default=6.0
        6 in the paper; scikit-learn uses 2 with logistic activations.

    References
    ----------
    .. [1] Glorot & Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    """

    gain: float = field_of(6.0, NOT_NEGATIVE)

    def weights(self, generator, fan_in, fan_out):
        return self._uniform(generator, fan_in, fan_out, (fan_in, fan_out))

    def draw(self, generator, fan_in, fan_out, bias=True):
        weights, biases = super().draw(generator, fan_in, fan_out)
        if bias:
            biases = self._uniform(generator, fan_in, fan_out, (1, fan_out))
        return weights, biases

    def _uniform(self, generator, fan_in, fan_out, shape):
        bound = math.sqrt(self.gain / (fan_in + fan_out))
        return generator.uniform(-bound, bound, shape)


class GlorotNormal(Initializer):
    """N(0, 2 / (fan_in + fan_out)): the variance of `GlorotUniform`, normally distributed."""

    def weights(self, generator, fan_in, fan_out):
        return generator.normal(0, math.sqrt(2 / (fan_in + fan_out)), (fan_in, fan_out))


class HeUniform(Initializer):
    """U(-b, b), b = sqrt(6 / fan_in): the variance of `HeNormal`."""

    def weights(self, generator, fan_in, fan_out):
        bound = math.sqrt(6 / fan_in)
        return generator.uniform(-bound, bound, (fan_in, fan_out))


class HeNormal(Initializer):
    """N(0, 2 / fan_in), for layers of rectified linear units [1]_.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, "Delving deep into rectifiers: surpassing human-level
       performance on ImageNet classification", ICCV 2015.
    """

    def weights(self, generator, fan_in, fan_out):
        return generator.normal(0, math.sqrt(2 / fan_in), (fan_in, fan_out))


class LecunNormal(Initializer):
    """N(0, 1 / fan_in), the initializer to use with 'selu' [1]_.

    References
    ----------
    .. [1] LeCun, Bottou, Orr & Mueller, "Efficient BackProp", in: Neural Networks:
       Tricks of the Trade, Springer, 1998.
    """

    def weights(self, generator, fan_in, fan_out):
        return generator.normal(0, math.sqrt(1 / fan_in), (fan_in, fan_out))


class Orthogonal(Initializer):
    """Uniformly distributed matrix with orthonormal columns, or rows if there are fewer [1]_.

    The Q of a Gaussian matrix's QR decomposition, with the signs that make R's diagonal
    positive: without them, Q is not uniformly distributed.

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of
       learning in deep linear neural networks", ICLR 2014.
    """

    def weights(self, generator, fan_in, fan_out):
        tall = generator.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
        q, r = np.linalg.qr(tall)
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return q if fan_in >= fan_out else q.T


INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_uniform": HeUniform(),
    "he_normal": HeNormal(),
    "lecun_normal": LecunNormal(),
    "orthogonal": Orthogonal(),
}
