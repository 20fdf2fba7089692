"""What is measured: a case is one row of a table, and everything a contestant needs to know.

All contestants of a case see the same data, architecture, batch size, number of epochs and
solver, and none stops early. A goal is a peer's time
over ours, and for the matrix products alone their share of our time.
"""

from dataclasses import dataclass, field, replace

OURS = "skdeep float32"
OURS_64 = "skdeep float64"
MLP = "mlp float32"
MLP_64 = "mlp float64"
TORCH = "torch float32"
SKORCH = "skorch float32"
FLOOR = "floor float32"
EVERYONE = (OURS, OURS_64, MLP, MLP_64, TORCH, SKORCH, FLOOR)


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes
    ----------
    data : {'wine', 'digits', 'mnist', 'mnist csr', 'regression'}
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
        Whether hidden layers have batch normalisation.
    calls : int
        How often the action is repeated in one measurement, which is their mean.
    goals : dict
        Contestant -> the ratio to reach.
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
    goals: dict[str, float] = field(default_factory=dict, compare=False)

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
        """How many steps, or calls of the action, one measurement makes."""
        per_call = self.epochs * -(-n_rows // self.batch) if self.action == "fit" else 1
        return self.calls * per_call


def goals(mlp: float, torch: float | None = None, floor: float | None = None) -> dict:
    named = {MLP: mlp, TORCH: torch, FLOOR: floor}
    return {name: goal for name, goal in named.items() if goal is not None}


WINE = Case("wine", (13, 8, 3), 178, 1000, goals=goals(5, 15))
DIGITS_32 = Case("digits", (64, 100, 10), 32, 20, goals=goals(4, 8))
DIGITS_200 = Case("digits", (64, 100, 10), 200, 50, goals=goals(3, 4, 0.35))
MNIST = Case("mnist", (784, 50, 10), goals=goals(2.5, 2, 0.55))
MNIST_DEEP = Case("mnist", (784, 512, 512, 10), 256, goals=goals(2.5, 1.3, 0.75))
MNIST_CSR = Case("mnist csr", (784, 100, 10))
REGRESSION = Case("regression", (50, 128, 128, 1), 256, rows=100_000)
PREDICT = replace(MNIST, action="predict", goals={})

# Kept in memory from fit to fit: these are also asked for peak memory and pickle size.
FITS = (MNIST, MNIST_DEEP, MNIST_CSR, REGRESSION)

SPEED = (
    WINE,
    DIGITS_32,
    DIGITS_200,
    *FITS,
    *(replace(case, solver="sgd") for case in (WINE, DIGITS_32, DIGITS_200)),
    *(
        replace(case, dropout=0.2, batch_norm=True, goals={TORCH: 1.0})
        for case in (WINE, DIGITS_32, DIGITS_200)
    ),
    replace(WINE, solver="lbfgs", epochs=30, calls=20, goals={}),
    replace(DIGITS_200, solver="lbfgs", epochs=30, goals={}),
    replace(DIGITS_200, action="partial_fit", batch=1, epochs=1, calls=300, goals=goals(5)),
    replace(PREDICT, rows=1, calls=1000, goals=goals(2)),
    replace(PREDICT, rows=100, calls=500),
    replace(PREDICT, rows=60_000, calls=5, goals=goals(1.5, 1, 0.6)),
)


def _grown(rows: int = 8192, columns: int = 64, width: int = 64, depth: int = 2) -> Case:
    widths = (columns, *[width] * depth, 1)
    return Case("regression", widths, 256, rows=rows)


# What grows -> the sizes it takes and their cases.
GROWTH = {
    axis: [(size, _grown(**{axis: size})) for size in sizes]
    for axis, sizes in {
        "rows": (8192, 16384, 32768, 65536, 131072),
        "columns": (64, 128, 256, 512, 1024),
        "width": (64, 128, 256, 512, 1024),
        "depth": (1, 2, 4, 8, 16),
    }.items()
}
