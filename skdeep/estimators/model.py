"""What predicts: a network, its arrays, and the form of its output."""

import dataclasses
from typing import Any

from skdeep._network.network import Network


def predicting_network(estimator: Any) -> Network:
    # What predict is made of; what is dropped concerns training alone.
    network = estimator._network.with_shapes([coef.shape for coef in estimator.coefs_])
    return Network(
        tuple(
            dataclasses.replace(layer, dropout=False, drops_input=False)
            for layer in network.layers
        )
    )


def output_form(estimator: Any) -> tuple[Any, ...]:
    loss = estimator._target.loss
    order = getattr(estimator._target, "order", None)
    return (
        loss.out_activation,
        getattr(loss, "quantiles", None),
        None if order is None else order.tolist(),
    )
