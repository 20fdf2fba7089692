"""What ``verbose`` prints: a row for each epoch or iteration, and why training ended."""

import time


class EpochTable:
    """Prints each epoch, or iteration, as a row of a table to standard output.

    Parameters
    ----------
    with_score : bool
        Whether there is a column for the validation score.
    unit : str
        What a row is, such as 'Epoch'; heads the column of its number.
    """

    def __init__(self, with_score: bool, unit: str) -> None:
        self.start = time.perf_counter()
        self.width = max(6, len(unit))
        score = f"  {'Score':>10}" if with_score else ""
        print(f"{unit:>{self.width}}  {'Time':>9}  {'Loss':>14}{score}")

    def __call__(self, epoch: int, loss: float, score: float | None, theta: object) -> None:
        """Print one row."""
        elapsed = time.perf_counter() - self.start
        end = "" if score is None else f"  {score:>10.6f}"
        print(f"{epoch:>{self.width}}  {elapsed:>8.2f}s  {loss:>14.8g}{end}")
