"""Fit all models on all splits of all tables, and print the tables of the summary."""

import argparse
import shlex
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tests.benchmarks import report
from tests.benchmarks.race import say
from tests.benchmarks.tabular import summary
from tests.benchmarks.tabular.ablations import ABLATIONS
from tests.benchmarks.tabular.cells import Cell, append_cell, measure, read_cells
from tests.benchmarks.tabular.chart import draw
from tests.benchmarks.tabular.models import DEFAULT, MODELS, REFERENCE, Model
from tests.benchmarks.tabular.tables import REGRESSION, Table, find_tables, split

PACKAGES = ("numpy", "scipy", "scikit-learn", "lightgbm", "catboost")


def main() -> None:
    options = parse()
    # The peers' defaults stop before they converge.
    warnings.simplefilter("ignore", ConvergenceWarning)
    everyone = ABLATIONS if options.ablations else MODELS
    reference = DEFAULT if options.ablations else REFERENCE
    models = {
        name: model
        for name, model in everyone.items()
        if name == reference or matches(name, options.models)
    }
    skipped = [name for name, model in models.items() if not model.installed]
    models = {name: model for name, model in models.items() if name not in skipped}
    tables = [one for one in find_tables(options.data) if matches(one.name, options.tables)]
    if not tables:
        sys.exit(f"No table has one of {options.tables!r} in its name.")
    run(tables, models, options.splits, options.rows, options.out)
    n_rows = {one.name: min(one.n_rows, options.rows) for one in tables}
    cells = [
        cell
        for cell in read_cells(options.out)
        if cell.n_rows == n_rows.get(cell.table)
        and cell.model in models
        and cell.split < options.splits
    ]
    with threadpool_limits(limits=1):
        print(report.machine(command(), PACKAGES))
    print(
        f"- Tables: {len(tables)}, of up to {options.rows:,} rows; splits: {options.splits}; "
        "models in turn, one thread"
    )
    for name in skipped:
        print(f"- {name} is skipped: {everyone[name].package} is not installed")
    if failed := summary.failures(cells):
        print(failed)
    print()
    print((summary.ablation if options.ablations else summary.comparison)(cells))
    if options.figure:
        draw(cells, options.figure)


def command() -> str:
    return f"python -m tests.benchmarks.tabular {shlex.join(sys.argv[1:])}".strip()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.tabular", description=__doc__
    )
    parser.add_argument(
        "--data", type=Path, help="folder of tables; default: those of scikit-learn"
    )
    parser.add_argument("--tables", default="", help="parts of names, with commas")
    parser.add_argument(
        "--models", default="", help='parts of names, with commas, such as "fast,forest"'
    )
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10_000, help="at most, of a table")
    parser.add_argument(
        "--ablations", action="store_true", help="single changes to the default recipe"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results.csv"),
        help="file of results; those that it has are not measured again",
    )
    parser.add_argument(
        "--figure", type=Path, help="file for the chart of error against time, not of ablations"
    )
    options = parser.parse_args()
    if options.ablations and options.figure:
        parser.error("--figure draws the comparison with peers: leave out --ablations")
    return options


def matches(name: str, wanted: str) -> bool:
    """Whether the name contains one of the parts, which have commas between them."""
    return any(part.strip().lower() in name.lower() for part in wanted.split(","))


def run(
    tables: Sequence[Table],
    models: Mapping[str, Model],
    n_splits: int,
    max_rows: int,
    out: Path,
) -> None:
    """Measure the cells that the file does not have, all models in turn on each split."""
    done = {cell.key for cell in read_cells(out) if not cell.failure}
    start = time.perf_counter()
    for k in range(n_splits):
        for one in tables:
            missing = {
                name: model
                for name, model in models.items()
                if (one.name, name, k, min(one.n_rows, max_rows)) not in done
                and not (model.only_classes and one.task == REGRESSION)
            }
            if not missing:
                continue
            rows = split(*one.read(), one.task, k, max_rows)
            for name, model in missing.items():
                blank = Cell(one.name, one.task, name, k, len(rows.y), len(rows.y_test))
                cell = measure(blank, model, rows)
                append_cell(out, cell)
                say(
                    f"{time.perf_counter() - start:7.0f} s: split {k}, {one.name}, {name}: "
                    + (cell.failure or f"error {cell.error:.4f}, {cell.fit_seconds:.1f} s")
                )


if __name__ == "__main__":
    main()
