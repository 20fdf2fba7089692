"""Training over a table that is larger than memory: rows per second, and peak memory.

Writes Parquet files, then trains over all rows, row groups in a new order, read by pyarrow and
passed on as they come. Each contestant runs in a process of its own with one thread for
computing, all in turn in every repeat; time includes reading.

    python -m tests.benchmarks.stream --rows 20_000_000 --repeats 3
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

N_COLUMNS = 20
NAMES = [f"x{i}" for i in range(N_COLUMNS)]
ROWS_OF_A_GROUP, GROUPS_OF_A_FILE = 100_000, 10
BATCH, HIDDEN, RATE, ALPHA = 512, (64, 32), 0.001, 1e-4
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


# The data


def rows(n_rows, rng):
    """Labels depend on single columns, on two products and on a sine."""
    X = rng.standard_normal((n_rows, N_COLUMNS), np.float32)
    signal = X[:, :4].sum(axis=1) + 2 * X[:, 4] * X[:, 5] + X[:, 6] * X[:, 7]
    signal += 2 * np.sin(3 * X[:, 8])
    return X, (signal + rng.logistic(size=n_rows) > 0).astype(np.int8)


def write(folder, n_rows):
    """Write files of some row groups each, one group in memory at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    schema = pa.schema([*((name, pa.float32()) for name in NAMES), ("y", pa.int8())])
    file_rows = ROWS_OF_A_GROUP * GROUPS_OF_A_FILE
    for number, first in enumerate(range(0, n_rows, file_rows)):
        path = folder / f"part-{number:04d}.parquet"
        # Random numbers do not get smaller.
        with pq.ParquetWriter(path, schema, compression=None, use_dictionary=False) as writer:
            last = min(first + file_rows, n_rows)
            for start in range(first, last, ROWS_OF_A_GROUP):
                X, y = rows(min(ROWS_OF_A_GROUP, last - start), rng)
                writer.write_table(pa.table([*X.T, y], schema))


def stream(folder, row_major=True):
    """X and y of one row group after the other, in random order."""
    import pyarrow.dataset as ds

    table = ds.dataset(folder)
    groups = [part for file in table.get_fragments() for part in file.split_by_row_group()]
    np.random.default_rng(1).shuffle(groups)
    shuffled = ds.FileSystemDataset(groups, table.schema, table.format)
    for batch in shuffled.to_batches(
        use_threads=False, batch_readahead=1, fragment_readahead=1
    ):
        X = batch.select(NAMES).to_tensor(row_major=row_major).to_numpy()
        yield X, batch["y"].to_numpy()


# The contestants: functions (X, y) -> None that train on some rows, and predict


def skdeep_network():
    from skdeep import DeepClassifier

    return DeepClassifier(
        HIDDEN, batch_size=BATCH, learning_rate_init=RATE, alpha=ALPHA, random_state=0
    )


def sgd_classifier():
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(loss="log_loss", random_state=0)


class TorchLoop:
    """The network in PyTorch, and the loop that its tutorials write."""

    def __init__(self):
        import torch
        from torch import nn

        self.torch = torch
        torch.set_num_threads(1)
        torch.manual_seed(0)
        first, second = HIDDEN
        self.module = nn.Sequential(
            nn.Linear(N_COLUMNS, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(),
            nn.Linear(second, 1), nn.Flatten(0),
        )  # fmt: skip
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=RATE, weight_decay=ALPHA / BATCH
        )

    def partial_fit(self, X, y, classes):
        inputs = self.torch.from_numpy(X)
        targets = self.torch.from_numpy(y.astype(np.float32))
        for chosen in self.torch.randperm(len(X)).split(BATCH):
            self.optimizer.zero_grad()
            self.criterion(self.module(inputs[chosen]), targets[chosen]).backward()
            self.optimizer.step()

    def predict(self, X):
        with self.torch.inference_mode():
            return (self.module(self.torch.from_numpy(X)).numpy() > 0).astype(int)


class ReadingAlone:
    """Trains on nothing."""

    def partial_fit(self, X, y, classes):
        pass

    def predict(self, X):
        return np.zeros(len(X), int)


# What makes each of them, and whether it takes its rows one after another in memory.
CONTESTANTS = {
    "skdeep": (skdeep_network, True),
    "skdeep, column-major parts": (skdeep_network, False),
    "PyTorch": (TorchLoop, True),
    "SGDClassifier": (sgd_classifier, True),
    "reading alone": (ReadingAlone, False),
}


def train(name, folder):
    """Train over all rows; rows, seconds, accuracy on other rows, peak memory in MB."""
    import resource

    make, row_major = CONTESTANTS[name]
    model = make()
    model.partial_fit(*rows(BATCH, np.random.default_rng(2)), classes=[0, 1])  # imports, caches
    n_rows, start = 0, time.perf_counter()
    for X, y in stream(folder, row_major):
        model.partial_fit(X, y, classes=[0, 1])
        n_rows += len(X)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    X, y = rows(100_000, np.random.default_rng(3))
    return {
        "rows": n_rows,
        "seconds": seconds,
        "accuracy": float((model.predict(X) == y).mean()),
        "peak": peak / (1e6 if sys.platform == "darwin" else 1e3),
    }


# The report


def in_a_process(*arguments):
    """What this script prints when it is called with these arguments, as JSON."""
    command = [sys.executable, "-m", "tests.benchmarks.stream", *map(str, arguments)]
    printed = subprocess.check_output(command, env=os.environ | ONE_THREAD)
    return json.loads(printed)


def measure(folder, n_repeats):
    """Results of each contestant, in turn in every repeat."""
    results = {name: [] for name in CONTESTANTS}
    for repeat in range(n_repeats):
        for name in CONTESTANTS:
            result = in_a_process("--contestant", name, "--folder", folder)
            results[name].append(result)
            print(repeat, name, result, file=sys.stderr, flush=True)
    return results


def table_of(results):
    """The results as a Markdown table."""
    lines = [
        "| | Rows per second | Of skdeep's | Peak memory | Accuracy |",
        "|---|---|---|---|---|",
    ]
    ours = [one["seconds"] for one in results["skdeep"]]
    for name, own in results.items():
        rates = [one["rows"] / one["seconds"] for one in own]
        ratios = [mine / one["seconds"] for mine, one in zip(ours, own, strict=True)]
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        lines.append(
            f"| {name} | {median(rates):,.0f} | {median(ratios):.2f} ({spread}) | "
            f"{max(one['peak'] for one in own):,.0f} MB | {own[0]['accuracy']:.3f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(json.dumps(train(options.contestant, options.folder)))
        return
    if options.write:
        print(json.dumps(write(options.folder, options.rows)))
        return
    n_bytes = options.rows * (4 * N_COLUMNS + 1)
    free = shutil.disk_usage(options.folder).free
    if free < 2 * n_bytes:
        sys.exit(f"{options.folder} has {free:,} bytes free; this needs {2 * n_bytes:,}.")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        in_a_process("--write", "--rows", options.rows, "--folder", folder)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        from tests.benchmarks import report

        print(report.machine(f"python -m tests.benchmarks.stream {shlex.join(sys.argv[1:])}"))
        print(
            f"- {options.rows:,} rows of {N_COLUMNS} columns, {size / 1e9:.2f} GB of Parquet\n"
        )
        print(table_of(measure(Path(folder), options.repeats)))


if __name__ == "__main__":
    main()
