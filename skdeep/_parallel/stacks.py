"""Which fits are trained together: those of one shape, as many as fit the cache.

A fit is an object whose `work` is a fit task.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from skdeep._training.fit_task import row_order_key, stack_key

# Maximum number of bytes touched by a step of a stack: they should fit the cache.
STACK_BYTES = 4 << 20

# Networks per stack if there are enough, even beyond STACK_BYTES: they share the overhead of
# a step.
MIN_WIDTH = 8


def group_into_stacks(fits: list[Any], n_parts: int = 1) -> list[list[Any]]:
    """Group fits by `stack_key`, in stacks whose arrays fit the cache.

    Each group makes a multiple of `n_parts` stacks, if it has as many fits.
    """
    groups: dict[Any, list[Any]] = {}
    for fit in fits:
        key = stack_key(fit.work)
        groups.setdefault(id(fit) if key is None else key, []).append(fit)
    stacks = []
    for group in groups.values():
        widest = max(MIN_WIDTH, STACK_BYTES // group[0].work.n_work_bytes)
        for part in _split_by_row_order(group):
            n_stacks = -(-len(part) // (widest * n_parts)) * n_parts
            stacks += [part[i::n_stacks] for i in range(min(n_stacks, len(part)))]
    return stacks


def _split_by_row_order(group: list[Any]) -> list[list[Any]]:
    """Split fits by `row_order_key`; parts smaller than MIN_WIDTH are merged into one.

    A stack whose members all read the same rows in the same order gathers each batch once.
    """
    if len(group) == 1:
        return [group]
    tasks = [fit.work for fit in group]
    columns = [
        _deduplicate([getattr(task, name) for task in tasks])
        for name in ("X", "y", "sample_weight")
    ]
    parts: dict[Any, list[Any]] = {}
    for fit, X, y, weight in zip(group, *columns, strict=True):
        fit.work = replace(fit.work, X=X, y=y, sample_weight=weight)
        parts.setdefault(row_order_key(fit.work), []).append(fit)
    large = [part for part in parts.values() if len(part) >= MIN_WIDTH]
    rest = [fit for part in parts.values() if len(part) < MIN_WIDTH for fit in part]
    return [*large, rest] if rest else large


def _deduplicate(tables: list[Any]) -> list[Any]:
    """Replace equal tables by one object: each fit of a fold has its own copy."""
    by_key: dict[Any, list[Any]] = {}
    unique = []
    for table in tables:
        candidates = by_key.setdefault(
            (table.shape, float(table.sum())) if table is not None else 0, []
        )
        equal = (
            other for other in candidates if other is table or np.array_equal(other, table)
        )
        unique.append(next(equal, table))
        if unique[-1] is table:
            candidates.append(table)
    return unique
