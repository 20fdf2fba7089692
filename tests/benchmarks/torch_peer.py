"""PyTorch as its tutorials write it, with the optimizer whose update is one fused call.

Nothing is compiled, and nothing is done slower than it need be: the rows of a batch are
indexed from one tensor, a full batch is not indexed at all, and a fit takes one thread where
that is faster than all.
"""

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import nn

from tests.benchmarks.cases import Case

# The MLP's L2 penalty, whose gradient is alpha / batch_size * weights.
ALPHA = 1e-4
ALL_THREADS = torch.get_num_threads()
# Case, but for its epochs -> number of threads.
_fastest: dict[Case, int] = {}


def perceptron(case: Case) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(case.widths):
        layers += [nn.Linear(n_in, n_out)]
        if case.batch_norm:
            layers += [nn.BatchNorm1d(n_out)]
        layers += [nn.ReLU()]
        if case.dropout:
            layers += [nn.Dropout(case.dropout)]
    while not isinstance(layers[-1], nn.Linear):
        layers.pop()
    if case.regression and case.widths[-1] == 1:
        layers += [nn.Flatten(0)]
    return nn.Sequential(*layers)


class TorchLoop:
    """A module, an optimizer, and the loop over batches that everyone writes."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.seed = seed
        torch.set_num_threads(ALL_THREADS)

    def prepare(self, X: Any, y: np.ndarray) -> float:
        """Choose the number of threads by some steps with each; nothing is compiled."""
        case = replace(self.case, epochs=1)
        if case not in _fastest:
            rows = slice(50 * case.batch)
            seconds = {}
            for n_threads in (1, ALL_THREADS, 1, ALL_THREADS):
                model = TorchLoop(case, self.seed)
                torch.set_num_threads(n_threads)
                start = time.perf_counter()
                model.fit(X[rows], y[rows])
                seconds[n_threads] = time.perf_counter() - start
            _fastest[case] = min(seconds, key=seconds.__getitem__)
        torch.set_num_threads(_fastest[case])
        return 0.0

    def fit(self, X: Any, y: np.ndarray) -> None:
        case = self.case
        torch.manual_seed(self.seed)
        self.module = perceptron(case)
        self.criterion = nn.MSELoss() if case.regression else nn.CrossEntropyLoss()
        kind: Any = torch.optim.Adam
        options = {"lr": case.rate, "weight_decay": ALPHA / case.batch, "fused": True}
        if case.solver == "sgd":
            kind = torch.optim.SGD
            options |= {"momentum": 0.9, "nesterov": True}
        self.optimizer = kind(self.module.parameters(), **options)
        self.schedule = None
        if case.one_cycle:
            self.schedule = torch.optim.lr_scheduler.OneCycleLR(
                self.optimizer, case.rate, case.n_steps(X.shape[0]), cycle_momentum=False
            )
        self.losses = [self._epoch(X, y) for _ in range(case.epochs)]

    def partial_fit(self, X: Any, y: np.ndarray) -> None:
        self.losses.append(self._epoch(X, y))

    def predict(self, X: Any) -> np.ndarray:
        with torch.inference_mode():
            raw = self.module(torch.from_numpy(X))
            return raw.numpy() if self.case.regression else raw.argmax(1).numpy()

    def _epoch(self, X: Any, y: np.ndarray) -> float:
        n_rows = X.shape[0]
        if n_rows <= self.case.batch:
            return self._step(torch.from_numpy(X), torch.from_numpy(y))
        total = 0.0
        inputs = None if scipy.sparse.issparse(X) else torch.from_numpy(X)
        targets = torch.from_numpy(y)
        for rows in torch.randperm(n_rows).split(self.case.batch):
            # Torch has no rows of a sparse tensor to give: each batch is made dense.
            x = torch.from_numpy(X[rows.numpy()].toarray()) if inputs is None else inputs[rows]
            total += self._step(x, targets[rows]) * len(rows)
        return total / n_rows

    def _step(self, x: torch.Tensor, y: torch.Tensor) -> float:
        self.optimizer.zero_grad()
        loss = self.criterion(self.module(x), y)
        loss.backward()
        self.optimizer.step()
        if self.schedule:
            self.schedule.step()
        return loss.item()

    def __getstate__(self) -> dict[str, Any]:
        return self.module.state_dict()  # what torch's users save
