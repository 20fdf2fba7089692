"""Who runs a case: objects with `fit(X, y)`, `partial_fit(X, y)` and `predict(X)`.

Where something comes before the clock runs, they have `prepare(X, y)` too, which returns the
seconds that users wait for it: those of compiling, but not those of choosing threads.
skdeep and scikit-learn's MLP are such objects already and take the same words. PyTorch's
and JAX's are in `torch_peer` and `jax_peer`, which only their own workers import. `Floor`
is here: what no NumPy implementation can undercut, the matrix products of a fit.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from operator import matmul
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skdeep import DeepClassifier, DeepRegressor
from tests.benchmarks.cases import IN_FLOAT64, Case

# The package that a contestant needs, where it is one that may be missing.
PACKAGES = {"torch": "torch", "jax": "jax"}


def build(name: str, case: Case, seed: int = 0) -> Any:
    """A contestant that has seen nothing yet."""
    return BUILDERS[name.split()[0]](case, seed)


def installed(name: str) -> bool:
    kind = name.split()[0]
    return kind not in PACKAGES or find_spec(PACKAGES[kind]) is not None


def enters(name: str, case: Case) -> bool:
    """Whether a contestant has what a case asks for."""
    kind, dtype = name.split()
    if dtype == "float64" and case not in IN_FLOAT64:
        return False
    if case.solver == "lbfgs":  # line searches differ, so steps would not be the same
        return kind in ("skdeep", "mlp")
    if case.dropout or case.batch_norm:
        return kind in ("skdeep", "torch")
    # A compiled program has no rows of a sparse matrix to give.
    return not (kind == "jax" and case.data == "mnist csr")


def _perceptron(classifier: type, regressor: type, case: Case, seed: int) -> Any:
    # MLP has no such words, and does not enter where they say something.
    options: dict[str, Any] = {}
    if case.dropout or case.batch_norm:
        options = {"dropout": case.dropout, "norm": "batch" if case.batch_norm else None}
    if case.one_cycle:
        options["learning_rate"] = "one_cycle"
    return (regressor if case.regression else classifier)(
        hidden_layer_sizes=case.widths[1:-1],
        solver=case.solver,
        batch_size=case.batch,
        learning_rate_init=case.rate,
        max_iter=case.epochs,
        tol=0,
        n_iter_no_change=np.inf,
        random_state=seed,
        **options,
    )


class Floor:
    """The matrix products of a fit or of a prediction, and nothing else.

    Forward, weight gradients, and input gradients of all layers but the first, in the
    order and number of the real thing, on rows that lie in the cache already.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._prepared: dict[tuple[int, bool], list[Callable[[], Any]]] = {}

    def fit(self, X: Any, y: Any) -> None:
        n_rows = X.shape[0]
        batch = min(self.case.batch, n_rows)
        n_full, n_rest = divmod(n_rows, batch)
        full = self._products(X[:batch])
        rest = self._products(X[:n_rest]) if n_rest else []
        for _ in range(self.case.epochs):
            for _ in range(n_full):
                for product in full:
                    product()
            for product in rest:
                product()

    def partial_fit(self, X: Any, y: Any) -> None:
        for product in self._products(X):
            product()

    def predict(self, X: Any) -> None:
        for product in self._products(X, backward=False):
            product()

    def _products(self, x: Any, backward: bool = True) -> list[Callable[[], Any]]:
        # Only the shape matters: each is prepared once, for the first rows that come.
        key = (x.shape[0], backward)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(x, backward)
        return self._prepared[key]

    def _prepare(self, x: Any, backward: bool) -> list[Callable[[], Any]]:
        generator = np.random.default_rng(0)
        widths = self.case.widths
        weights = [
            generator.uniform(-1, 1, shape).astype(x.dtype) / np.sqrt(shape[0], dtype=x.dtype)
            for shape in pairwise(widths)
        ]
        values = [x] + [np.empty((x.shape[0], width), x.dtype) for width in widths[1:]]
        deltas = [np.ones_like(value) for value in values[1:]]
        products = [
            _product(value, weight, out)
            for value, weight, out in zip(values, weights, values[1:], strict=False)
        ]
        if not backward:
            return products
        for i in reversed(range(len(weights))):
            products.append(_product(values[i].T, deltas[i], np.empty_like(weights[i])))
            if i:
                products.append(_product(deltas[i], weights[i].T, deltas[i - 1]))
        return products


def _product(left: Any, right: np.ndarray, out: np.ndarray) -> Callable[[], Any]:
    # SciPy's sparse product has no `out`; the layers above it need none of its values.
    if scipy.sparse.issparse(left):
        return partial(matmul, left, right)
    return partial(np.matmul, left, right, out=out)


def _torch(case: Case, seed: int) -> Any:
    from tests.benchmarks.torch_peer import TorchLoop

    return TorchLoop(case, seed)


def _jax(case: Case, seed: int) -> Any:
    from tests.benchmarks.jax_peer import JaxLoop

    return JaxLoop(case, seed)


BUILDERS: dict[str, Callable[[Case, int], Any]] = {
    "skdeep": partial(_perceptron, DeepClassifier, DeepRegressor),
    "mlp": partial(_perceptron, MLPClassifier, MLPRegressor),
    "torch": _torch,
    "jax": _jax,
    "floor": lambda case, seed: Floor(case),
}
