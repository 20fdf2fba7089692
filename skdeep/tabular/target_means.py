"""Target means: a level of a category becomes the mean target of its rows.

Means are shrunk towards the mean of all rows, as (sum_c + alpha * mean) / (n_c + alpha). A
row that is used for fitting must not see its own target: its means are of the other folds.
"""

from dataclasses import dataclass, field

import numpy as np

from skdeep.tabular.scaling import RobustScale


@dataclass
class TargetMeans:
    """Means of the targets for the levels of columns, out of fold for the rows fitted on.

    Parameters
    ----------
    alpha : float, default=10.0
        Number of rows that the mean of all rows counts as.

    n_folds : int, default=5
        Number of folds: each row's means are of the rows of the other folds.

    Attributes
    ----------
    means : list of ndarray of shape (n_levels + 1, n_targets)
        Means for the levels of each column. The last row is for missing and unseen levels:
        the mean of all rows.

    scale : RobustScale
        Scale of the columns of means.

    References
    ----------
    Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems", SIGKDD Explorations 3(1), 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeep.tabular import TargetMeans
    >>> codes = np.repeat([[0], [1]], 50, axis=0)
    >>> rng = np.random.default_rng(0)
    >>> means = TargetMeans().fit_transform(codes, 1.0 * (codes == 1), np.arange(100), rng)
    >>> means.shape
    (100, 1)
    >>> bool(means[:50].max() < means[50:].min())
    True
    """

    alpha: float = 10.0
    n_folds: int = 5
    means: list[np.ndarray] = field(init=False)
    scale: RobustScale = field(init=False)

    def fit_transform(
        self,
        codes: np.ndarray,
        y: np.ndarray,
        rows: np.ndarray,
        generator: np.random.Generator | np.random.RandomState,
        weight: np.ndarray | None = None,
    ) -> np.ndarray:
        """Measure the means of `rows`, and encode all rows.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_columns)
            Levels of the columns, -1 if missing or unseen.

        y : ndarray of shape (n_rows, n_targets)
            Targets: numbers, or zeros and ones of classes. Only those of `rows` are read.

        rows : ndarray of shape (n_fitted,)
            The rows to fit on.

        generator : Generator or RandomState
            Deals the rows out to folds.

        weight : ndarray of shape (n_rows,), default=None
            Weight of each row, above 0; only the ratios matter.

        Returns
        -------
        values : ndarray of shape (n_rows, n_columns * n_targets)
            Scaled means, of the other folds for `rows`, of all `rows` for the others. The
            targets of a column are next to each other.
        """
        fitted, targets = codes[rows], np.asarray(y[rows], np.float64)
        weight = np.ones(len(rows)) if weight is None else np.asarray(weight[rows], np.float64)
        weight = weight / weight.mean()
        prior: np.ndarray = np.average(targets, axis=0, weights=weight)
        # Differences from the prior lose no digits to a target far from zero.
        targets = (targets - prior) * weight[:, None]
        fold = generator.permutation(len(rows)) % self.n_folds
        levels = [max(int(column.max(initial=-1)), 0) + 1 for column in codes.T]
        held_out = np.empty((len(rows), codes.shape[1], y.shape[1]))
        self.means = []
        for j, n_levels in enumerate(levels):
            # Sums of each fold, of which a row sees the total less its own.
            key = fold * (n_levels + 1) + fitted[:, j] % (n_levels + 1)
            shape = (self.n_folds, n_levels + 1, -1)
            size = self.n_folds * (n_levels + 1)
            counts = np.bincount(key, weight, size).reshape(shape)
            sums = np.stack([np.bincount(key, t, size) for t in targets.T], -1).reshape(shape)
            others = (sums.sum(0) - sums) / (counts.sum(0) - counts + self.alpha)
            others[:, -1] = 0.0
            held_out[:, j] = others[fold, fitted[:, j]]
            means = sums.sum(0) / (counts.sum(0) + self.alpha)
            means[-1] = 0.0
            self.means.append(means + prior)
        held_out = (held_out + prior).reshape(len(rows), -1)
        self.scale = RobustScale.fit(held_out.T)
        values = self.transform(codes)
        values[rows] = self.scale.apply(held_out.T).T
        return values

    def transform(self, codes: np.ndarray) -> np.ndarray:
        """Encode rows by the means of all rows fitted on; the shape is as above."""
        values = [np.empty((len(codes), 0))]
        for means, column in zip(self.means, codes.T, strict=True):
            values.append(means[np.where(column < len(means) - 1, column, -1)])
        return self.scale.apply(np.concatenate(values, axis=1).T).T
