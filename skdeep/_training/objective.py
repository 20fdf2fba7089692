"""The objective to minimize: mean loss over a batch plus a penalty on the weights.

Combines network, loss and penalty. Reads the flat vector ``theta`` and assigns the flat vector
``grad``, the gradient with respect to the trained part of ``theta``.
"""

import numpy as np

from skdeep._arrays import Array, plain
from skdeep._network.dropout import Dropout
from skdeep._network.network import Network
from skdeep._network.workspace import Workspace
from skdeep._training.batches import Batch
from skdeep.losses import Loss


class Objective:
    """Mean loss over a batch, and penalty on the weights.

    The penalty is alpha * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 * |w|_2^2), scikit-learn's
    elastic net, divided by the sum of the batch's sample weights, as in scikit-learn's MLP. The
    derivative of |w| at 0 is taken to be 0.

    `alpha` and `l1_ratio` have shape (*models, 1), `theta` (*models, n_params) and the buffer
    `grad` (*models, n_trained); the largest batch has `capacity` rows.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        alpha: Array,
        theta: Array,
        grad: Array,
        capacity: int,
        sparse: bool,
        l1_ratio: Array | None = None,
        dropout: Dropout | None = None,
    ) -> None:
        self.loss = loss
        self.dropout = dropout
        self.alpha = alpha
        self._l1 = None
        if l1_ratio is not None and l1_ratio.any():
            self.alpha, self._l1 = alpha * (1 - l1_ratio), alpha * l1_ratio
        self._weights = theta[..., : network.n_weights]
        self._d_weights = grad[..., : network.n_weights]
        self._decay = np.empty_like(self._weights) if alpha.any() else None
        self._no_penalty = np.zeros(theta.shape[:-1], theta.dtype)
        self._workspace = Workspace(
            network,
            network.views(theta),
            theta.shape[:-1],
            capacity,
            theta.dtype,
            sparse,
            gradients=network.views(grad),
            dropout=dropout,
        )
        self._report_share = 1 / network.n_out if loss.averages_columns else 1.0
        self._scale: Array | None = None  # of the previous batch; `_strength` goes with it

    def loss_and_grad(self, batch: Batch) -> Array:
        """Weighted mean of the loss, of shape (*models,); assigns `grad`."""
        step = self._workspace.bind(batch.n_rows)
        if self.dropout is not None:
            self.dropout.counts = batch.counts
        raw = step.forward(batch.x)
        value = self.loss.value_and_gradient(
            batch.y, raw, batch.weight, step.delta, step.scratch
        )
        step.backward()
        return value

    def penalty_and_grad(self, scale: Array) -> Array:
        """Penalty, of shape (*models,); adds its gradient to `grad`.

        `scale` is the reciprocal of the batch's sum of sample weights, of shape (*models,).
        """
        if self._decay is None:
            return self._no_penalty
        if scale is not self._scale:
            self._scale, self._strength = scale, plain(self.alpha * scale[..., None])
        np.multiply(self._weights, self._strength, out=self._decay)
        self._d_weights += self._decay
        penalty = 0.5 * np.vecdot(self._weights, self._decay)
        if self._l1 is not None:
            np.sign(self._weights, out=self._decay)
            self._decay *= self._l1 * scale[..., None]
            self._d_weights += self._decay
            penalty += np.vecdot(self._weights, self._decay)
        return penalty

    def reported(self, loss: Array | float, penalty: Array | float) -> Array | float:
        """Loss plus penalty as reported to users: some losses are averaged over columns."""
        return loss * self._report_share + penalty
