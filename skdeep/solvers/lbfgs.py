"""L-BFGS, which trains on all rows at once."""

from collections.abc import Callable
from dataclasses import dataclass

import scipy.optimize

from skdeep._arrays import Array
from skdeep.hyperparameters import Spec, shared_field


@dataclass
class LBFGS(Spec):
    """Limited-memory BFGS on all rows at once: SciPy's L-BFGS-B without bounds [1]_.

    Parameters
    ----------
    max_fun : int in [1, inf), default=15000
        Maximum number of evaluations of the loss and its gradient.

    References
    ----------
    .. [1] Byrd, Lu, Nocedal & Zhu, "A limited memory algorithm for bound constrained
       optimization", SIAM Journal on Scientific Computing 16, 1995.

    Examples
    --------
    >>> from skdeep import DeepRegressor, LBFGS
    >>> DeepRegressor(solver=LBFGS(max_fun=100)).solver
    LBFGS(max_fun=100)
    """

    max_fun: int = shared_field("max_fun")

    def minimize(
        self,
        value_and_grad: Callable[[Array], tuple[float, Array]],
        theta: Array,
        *,
        max_iter: int,
        tol: float,
        on_iteration: Callable[[], None],
    ) -> scipy.optimize.OptimizeResult:
        """Minimize from `theta`, a float64 array of shape (n_params,)."""
        return scipy.optimize.minimize(
            value_and_grad,
            theta,
            method="L-BFGS-B",
            jac=True,
            callback=lambda intermediate_result: on_iteration(),
            options={"maxfun": self.max_fun, "maxiter": max_iter, "gtol": tol},
        )
