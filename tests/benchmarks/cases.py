"""What is measured: a case is one row of a table, and everything a contestant needs to know.

All contestants of a case see the same data, architecture, batch size, number of epochs and
solver, and none stops early.
"""

from dataclasses import dataclass, replace

OURS = "skdeep float32"
OURS_64 = "skdeep float64"
MLP = "mlp float32"
MLP_64 = "mlp float64"
TORCH = "torch float32"
JAX = "jax float32"
FLOOR = "floor float32"
EVERYONE = (OURS, MLP, TORCH, JAX, FLOOR, OURS_64, MLP_64)
# Not a process of its own: JAX's times with those of compiling on top.
JAX_COLD = "jax float32, compiling included"
LABELS = {
    OURS: "skdeep",
    OURS_64: "skdeep, float64",
    MLP: "scikit-learn",
    MLP_64: "scikit-learn, float64",
    TORCH: "PyTorch",
    JAX: "JAX",
    JAX_COLD: "JAX with compiling",
    FLOOR: "BLAS floor",
}


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes
    ----------
    data : {'wine', 'digits', 'mnist', 'fashion-mnist', 'mnist csr', 'regression'}
    widths : tuple of int
        Columns of the input, units of each hidden layer, columns of the output.
    batch : int
        Rows of a batch.
    epochs : int
        Or iterations of L-BFGS.
    solver : {'adam', 'sgd', 'lbfgs'}
    action : {'fit', 'predict', 'partial_fit'}
        What is timed. `predict` is called on all rows, `partial_fit` on one row at a time.
    rows : int or None
        How many rows of the data are used; all where None.
    dropout : float
        Rate of hidden layers.
    batch_norm : bool
        Whether hidden layers have batch normalization.
    calls : int
        How often the action is repeated in one measurement, which is their mean.
    rate : float
        Learning rate.
    one_cycle : bool
        Whether the rate follows one cycle, of which `rate` is the peak.
    """

    data: str
    widths: tuple[int, ...]
    batch: int = 200
    epochs: int = 1
    solver: str = "adam"
    action: str = "fit"
    rows: int | None = None
    calls: int = 1
    dropout: float = 0.0
    batch_norm: bool = False
    rate: float = 0.001
    one_cycle: bool = False

    @property
    def regression(self) -> bool:
        return self.data == "regression"

    @property
    def name(self) -> str:
        shape = f"{self.data} {'-'.join(map(str, self.widths))}"
        if self.action == "predict":
            return f"{shape}, predict {self.rows:,} row{'s' * (self.rows != 1)}"
        if self.action == "partial_fit":
            return f"{shape}, partial_fit 1 row"
        if self.solver == "lbfgs":
            return f"{shape}, lbfgs, {self.epochs} iterations"
        epochs = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        options = ", dropout" * bool(self.dropout) + ", batch norm" * self.batch_norm
        return f"{shape}, batch {self.batch}, {self.solver}, {epochs}{options}"

    def n_steps(self, n_rows: int) -> int:
        """How many steps a fit makes; iterations, for L-BFGS."""
        return self.epochs * (1 if self.solver == "lbfgs" else -(-n_rows // self.batch))


# Epochs enough for a step to be known well: a fit of one epoch is taken off.
WINE = Case("wine", (13, 8, 3), 178, 1000)
DIGITS_32 = Case("digits", (64, 100, 10), 32, 20)
DIGITS_200 = Case("digits", (64, 100, 10), 200, 50)
MNIST = Case("mnist", (784, 50, 10), epochs=4)
MNIST_DEEP = Case("mnist", (784, 512, 512, 10), 256, epochs=3, rows=20_000)
MNIST_CSR = Case("mnist csr", (784, 100, 10), epochs=3, rows=20_000)
REGRESSION = Case("regression", (50, 128, 128, 1), 256, epochs=3, rows=50_000)
PREDICT = replace(MNIST, action="predict", epochs=1)

DENSE = (WINE, DIGITS_32, DIGITS_200, MNIST, MNIST_DEEP)
FITS = (
    *DENSE,
    MNIST_CSR,
    REGRESSION,
    *(replace(case, solver="sgd") for case in (WINE, DIGITS_32, DIGITS_200)),
    *(replace(case, dropout=0.2, batch_norm=True) for case in (WINE, DIGITS_32, DIGITS_200)),
    replace(WINE, solver="lbfgs", epochs=30, calls=20),
    replace(DIGITS_200, solver="lbfgs", epochs=30),
)
CALLS = (
    replace(PREDICT, rows=1, calls=1000),
    replace(PREDICT, rows=100, calls=500),
    replace(PREDICT, rows=60_000, calls=5),
    replace(DIGITS_200, action="partial_fit", batch=1, epochs=1, calls=300),
)
# What takes double precision by default does not need every row of the table.
IN_FLOAT64 = (WINE, DIGITS_200, MNIST, *CALLS)
# Asked for peak memory and pickle size.
KEPT = (MNIST, MNIST_DEEP, MNIST_CSR, REGRESSION)


def _grown(
    rows: int = 8192, columns: int = 64, width: int = 64, depth: int = 2, outputs: int = 1
) -> Case:
    widths = (columns, *[width] * depth, outputs)
    return Case("regression", widths, 256, rows=rows)


# What grows -> the sizes it takes and their cases.
GROWTH = {
    axis: [(size, _grown(**{axis: size})) for size in sizes]
    for axis, sizes in {
        "rows": (10_000, 100_000, 300_000, 1_000_000),
        "columns": (100, 1000, 3000, 10_000),
        "outputs": (1, 10, 100, 300, 1000),
        "width": (64, 128, 256, 512, 1024),
        "depth": (1, 5, 10, 25, 50),
    }.items()
}
