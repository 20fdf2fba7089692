"""What ``verbose`` prints: a row an epoch, and why training ended."""

import time


class EpochTable:
    """Prints each epoch as a row of a table to standard output.

    Parameters
    ----------
    with_score : bool
        Whether there is a column for the validation score.
    """

    def __init__(self, with_score: bool) -> None:
        self.start = time.perf_counter()
        score = f"  {'Score':>10}" if with_score else ""
        print(f"{'Epoch':>6}  {'Time':>9}  {'Loss':>14}{score}")

    def __call__(self, epoch: int, loss: float, score: float | None, theta: object) -> None:
        """Print one row."""
        elapsed = time.perf_counter() - self.start
        end = "" if score is None else f"  {score:>10.6f}"
        print(f"{epoch:>6}  {elapsed:>8.2f}s  {loss:>14.8g}{end}")
