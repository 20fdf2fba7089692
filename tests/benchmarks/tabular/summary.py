"""What the cells say: ratios to a reference, with standard errors over tables, as Markdown."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tests.benchmarks.report import NOTHING, table
from tests.benchmarks.tabular.cells import Cell
from tests.benchmarks.tabular.models import DEFAULT, REFERENCE

# Added to errors and losses, so that a table without errors does not decide alone.
OFFSET = 0.01

NOTE = """\
Geometric mean over tables of (error + 0.01) / (error of {reference} + 0.01), on the
same splits, and its standard error over tables; log-loss likewise, on tables with classes.
Lower is better."""
ERRORS_NOTE = """\
Share of wrong labels, or root mean squared error in standard deviations of the target: mean
over splits."""
ABLATION_NOTE = """\
Log-losses, calibrated or not, are divided by the calibrated one of the default; label smoothing
is for classes only."""


class Ratio(NamedTuple):
    """Geometric mean over tables, and its standard error (NaN for one table)."""

    mean: float
    standard_error: float
    n_tables: int

    def __str__(self) -> str:
        if not self.n_tables:
            return NOTHING
        if not self.standard_error:
            return f"{self.mean:.3f}"
        spread = "" if math.isnan(self.standard_error) else f" ± {self.standard_error:.3f}"
        return f"{self.mean:.3f}{spread}"


def ratio(
    cells: Sequence[Cell],
    model: str,
    reference: str,
    figure: str,
    *,
    of_reference: str | None = None,
    offset: float = OFFSET,
) -> Ratio:
    """A figure of a model by that of the reference, over the splits that have both.

    Logarithms are averaged over the splits of a table, then over tables. `of_reference` is the
    reference's figure, if it is another one.
    """
    other = of_reference or figure
    theirs = {
        (cell.table, cell.split): getattr(cell, other)
        for cell in cells
        if cell.model == reference
    }
    by_table: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        if cell.model != model:
            continue
        own = getattr(cell, figure)
        peer = theirs.get((cell.table, cell.split), np.nan)
        if np.isfinite(own) and np.isfinite(peer):
            by_table[cell.table].append(math.log((own + offset) / (peer + offset)))
    logs = [np.mean(values) for values in by_table.values()]
    if not logs:
        return Ratio(np.nan, np.nan, 0)
    mean = math.exp(np.mean(logs))
    deviation = np.std(logs, ddof=1) if len(logs) > 1 else np.nan
    return Ratio(mean, float(mean * deviation / math.sqrt(len(logs))), len(logs))


def per_thousand(
    cells: Sequence[Cell], model: str, seconds: str = "fit_seconds", rows: str = "n_train"
) -> float:
    """Seconds per 1,000 rows, the mean over cells."""
    times = [
        1000 * getattr(cell, seconds) / getattr(cell, rows)
        for cell in cells
        if cell.model == model and not cell.failure
    ]
    return float(np.mean(times)) if times else np.nan


def models_of(cells: Sequence[Cell]) -> list[str]:
    """Names in order of appearance."""
    return list(dict.fromkeys(cell.model for cell in cells))


def failures(cells: Sequence[Cell]) -> str:
    """A line for each cell that failed."""
    return "\n".join(
        f"- {cell.model} failed on {cell.table}, split {cell.split}: {cell.failure}"
        for cell in cells
        if cell.failure
    )


def comparison(cells: Sequence[Cell]) -> str:
    """Two tables: ratios and times of each model, the best first; its errors on each table."""
    errors = {name: ratio(cells, name, REFERENCE, "error") for name in models_of(cells)}
    names = sorted(errors, key=lambda name: (not errors[name].n_tables, errors[name].mean))
    rows = [
        (
            name,
            str(errors[name]),
            str(ratio(cells, name, REFERENCE, "log_loss")),
            _two_digits(per_thousand(cells, name)),
            _two_digits(1000 * per_thousand(cells, name, "predict_seconds", "n_test")),
            str(errors[name].n_tables),
        )
        for name in names
    ]
    header = (
        "model", "error", "log-loss", "fit, s per 1,000 rows", "predict, ms per 1,000 rows",
        "tables",
    )  # fmt: skip
    return "\n\n".join(
        [
            NOTE.format(reference=REFERENCE),
            table(header, rows),
            ERRORS_NOTE,
            table(("table", "rows", *names), _errors_by_table(cells, names)),
        ]
    )


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def _errors_by_table(cells: Sequence[Cell], names: Sequence[str]) -> list[list[str]]:
    rows = []
    for name, n_rows in {cell.table: cell.n_rows for cell in cells}.items():
        here = [cell for cell in cells if cell.table == name and not cell.failure]
        means = [
            np.mean([cell.error for cell in here if cell.model == model] or np.nan)
            for model in names
        ]
        shown = [NOTHING if np.isnan(mean) else f"{mean:.4f}" for mean in means]
        best = f"{np.nanmin(means):.4f}"
        rows.append([name, f"{n_rows:,}", *(f"**{x}**" if x == best else x for x in shown)])
    return rows


def ablation(cells: Sequence[Cell]) -> str:
    """One table: each change to the recipe, by the default."""
    rows = []
    for name in models_of(cells):
        error = ratio(cells, name, DEFAULT, "error")
        raw = ratio(cells, name, DEFAULT, "raw_log_loss", of_reference="log_loss")
        rows.append(
            (
                "none" if name == DEFAULT else name,
                str(error),
                str(raw),
                str(ratio(cells, name, DEFAULT, "log_loss")),
                f"{ratio(cells, name, DEFAULT, 'fit_seconds', offset=0).mean:.2f}",
                str(error.n_tables),
            )
        )
    header = ("change", "error", "log-loss uncalibrated", "log-loss", "fit time", "tables")
    note = f"{NOTE.format(reference='the default')}\n{ABLATION_NOTE}"
    return f"{note}\n\n{table(header, rows)}"
