"""The fitted model: a network, its parameters, and the target that decodes its output.

Predictions, callbacks, files and exports read a fitted estimator through its `Model`.
"""

import dataclasses
from typing import Any, NamedTuple

from skdeep._arrays import Array
from skdeep._network.inference import raw_output
from skdeep._network.network import Network, Parameters
from skdeep._training.fit_task import History
from skdeep.estimators.targets import Target


class Model(NamedTuple):
    """A network with its parameters.

    Attributes
    ----------
    network : Network
    params : Parameters
        Biases and norms of shape (n_out,).
    target : Target
        Decodes raw output to what `predict` returns; it has the loss.
    """

    network: Network
    params: Parameters
    target: Target

    @classmethod
    def at(cls, network: Network, theta: Array, target: Target) -> "Model":
        """The model whose parameters are views of a flat vector."""
        weights, biases, norms, _ = network.views(theta)
        params = Parameters(weights, [b[0] for b in biases], [array[0] for array in norms])
        return cls(network, params, target)

    def raw_output(self, X: Any) -> Array:
        """Raw output of shape (n_rows, n_outputs), in the dtype of the weights."""
        return raw_output(self.network, self.params, X)

    def fitted_attributes(self) -> dict[str, Any]:
        """The attributes of a fitted estimator that `predict` needs."""
        return {
            "coefs_": self.params.weights,
            "intercepts_": self.params.biases,
            "norms_": self.params.norms,
            "n_layers_": len(self.network.layers) + 1,
            "n_outputs_": self.network.n_out,
            "out_activation_": self.target.loss.out_activation,
            "_network": self.network,
            "_target": self.target,
        }

    def without_dropout(self) -> "Model":
        """The same predictions, from layers that only predict."""
        layers = [
            dataclasses.replace(layer, dropout=False, drops_input=False)
            for layer in self.network.layers
        ]
        return self._replace(network=dataclasses.replace(self.network, layers=tuple(layers)))


def model_of(estimator: Any) -> Model:
    """The model of a fitted estimator, with the arrays that it has now."""
    # Users may have replaced the weights by some of another shape.
    network = estimator._network.with_shapes([coef.shape for coef in estimator.coefs_])
    params = Parameters(estimator.coefs_, estimator.intercepts_, estimator.norms_)
    return Model(network, params, estimator._target)


def check_parameters(estimator: Any) -> None:
    """Raise ValueError if a parameter of the estimator cannot be used."""
    estimator._validate_params()


def with_loss(estimator: Any, target: Target) -> Target:
    """The target with the loss and outputs that the estimator's parameters ask for."""
    return estimator._with_loss(target)


def make_fitted(estimator: Any, target: Target, params: Parameters, history: History) -> Any:
    """Make an estimator as it is after a fit that ended with these parameters.

    Parameters
    ----------
    estimator : DeepClassifier or DeepRegressor
        Its own parameters are checked.
    target : Target
        As `with_loss` returns it.
    params : Parameters
        Of the shapes that the estimator's parameters ask for.
    history : History

    Returns
    -------
    estimator : DeepClassifier or DeepRegressor
        The same. Its solver starts from scratch.
    """
    return estimator._make_fitted(target, params, history)
