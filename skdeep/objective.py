"""What a solver makes small: the loss over a batch plus the penalty on the weights.

The one place where network, loss and penalty meet. It reads the flat vector ``theta``
and assigns the flat vector ``grad``, both of shape (*models, n_params).
"""

import numpy as np

from skdeep.batches import Batch
from skdeep.losses import Loss
from skdeep.network import Network, Workspace
from skdeep.vectors import plain

Array = np.ndarray


class Objective:
    """Mean loss over a batch, and alpha / 2 times the weights' squared norm.

    Parameters
    ----------
    network : Network
    loss : Loss
    alpha : ndarray of shape (*models, 1)
        Strength of the L2 penalty, which is divided by the batch's sum of weights as
        scikit-learn's MLP does.
    theta, grad : ndarray of shape (*models, n_params)
        Parameters, and where their gradient is assigned.
    capacity : int
        Rows of the largest batch.
    sparse : bool
        Whether batches come as SciPy CSR.
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
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self._weights = theta[..., : network.n_weights]
        self._d_weights = grad[..., : network.n_weights]
        self._decay = np.empty_like(self._weights) if np.any(alpha) else None
        self._nothing = np.zeros(theta.shape[:-1], theta.dtype)
        self._workspace = Workspace(
            network,
            *network.views(theta),
            theta.shape[:-1],
            capacity,
            theta.dtype,
            sparse,
            gradients=network.views(grad),
        )
        self._report_share = 1 / network.n_out if loss.averages_columns else 1.0
        self._scale: Array | None = None  # of the batch before, and the penalty's strength

    def loss_and_grad(self, batch: Batch) -> Array:
        """Weighted mean of the loss, of shape (*models,); assigns `grad`."""
        step = self._workspace.bind(batch.n_rows)
        raw = step.forward(batch.x)
        value = self.loss.value_and_gradient(
            batch.y, raw, batch.weight, step.delta, step.scratch
        )
        step.backward()
        return value

    def penalty_and_grad(self, scale: Array) -> Array:
        """Penalty, of shape (*models,); adds its gradient to `grad`.

        `scale` is one over the sum of sample weights, of shape (*models,).
        """
        if self._decay is None:
            return self._nothing
        if scale is not self._scale:
            self._scale, self._strength = scale, plain(self.alpha * scale[..., None])
        np.multiply(self._weights, self._strength, out=self._decay)
        self._d_weights += self._decay
        return 0.5 * np.vecdot(self._weights, self._decay)

    def reported(self, loss: Array | float, penalty: Array | float) -> Array | float:
        """The figure that users see: some losses are quoted per output column."""
        return loss * self._report_share + penalty
