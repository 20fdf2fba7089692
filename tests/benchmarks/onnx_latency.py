"""Time of a prediction through onnxruntime beside `predict`, in one thread each.

OPENBLAS_NUM_THREADS=1 python -m tests.benchmarks.onnx_latency
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

from skdeep import DeepClassifier, DeepRegressor, TabularClassifier
from skdeep.persistence import to_onnx

N_ROWS = (1, 100, 10_000)
SECONDS = 0.5  # of each measurement


def network(kind: Any, n_columns: int, hidden: tuple[int, ...], y: Any) -> tuple[Any, Any]:
    X = np.random.default_rng(0).normal(size=(max(N_ROWS), n_columns)).astype(np.float32)
    model = kind(hidden_layer_sizes=hidden, max_iter=1, random_state=0)
    return model.fit(X[:1000], y), X


def ensemble() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(max(N_ROWS), 10)), columns=list("abcdefghij"))
    for name in ("color", "shape", "city"):
        frame[name] = rng.choice([f"{name} {k}" for k in range(9)], len(frame))
    model = TabularClassifier(max_iter=1, random_state=0)
    return model.fit(frame[:1000], np.arange(1000) % 2), frame


LABELS = np.arange(1000) % 10
CASES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "DeepRegressor 20-64-64-1": lambda: network(DeepRegressor, 20, (64, 64), LABELS),
    "DeepClassifier 784-50-10": lambda: network(DeepClassifier, 784, (50,), LABELS),
    "TabularClassifier, 13 columns, 8 members": ensemble,
}


def feeds_of(session: Any, X: Any) -> dict[str, Any]:
    """Inputs of a graph: a matrix, or the columns of a frame."""
    if isinstance(X, np.ndarray):
        return {"X": X}
    kinds = {"tensor(double)": np.float64, "tensor(string)": object}
    return {
        each.name: X[[each.name]].to_numpy(kinds[each.type]) for each in session.get_inputs()
    }


def microseconds(call: Callable[[], Any]) -> float:
    """Median time of a call."""
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        call()
        times.append(1e6 * (time.perf_counter() - start))
    return median(times)


def main() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    print("| model | rows | predict, us | onnxruntime, us | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, build in CASES.items():
        model, X = build()
        session = onnxruntime.InferenceSession(
            to_onnx(model).SerializeToString(), options, ["CPUExecutionProvider"]
        )
        for n in N_ROWS:
            rows = X[:n]
            feeds = feeds_of(session, rows)
            ours = microseconds(lambda model=model, rows=rows: model.predict(rows))
            theirs = microseconds(lambda session=session, feeds=feeds: session.run(None, feeds))
            print(f"| {name} | {n} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2g} |")


if __name__ == "__main__":
    main()
