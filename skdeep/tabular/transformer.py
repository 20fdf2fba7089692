"""TableTransformer: a table of mixed columns as a matrix that a network can read."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from skdeep._checks.data import input_names
from skdeep._checks.documentation import Documented
from skdeep._checks.parameters import constraints_of, fit_context, unchanged_on_error
from skdeep.estimators.plain_state import PlainState
from skdeep.hyperparameters import COUNT
from skdeep.tabular.categorical import chosen, fit_categories, kind_of
from skdeep.tabular.columns import BOOLEAN, CATEGORY, DURATION, NUMBER, Table
from skdeep.tabular.consistency import check_transformer
from skdeep.tabular.encoders import Booleans, Dates, Encoder, Frequencies, Numbers
from skdeep.tabular.target_means import TargetMeans

# Maximum number of classes each of which has a column of target means.
MAX_CLASSES = 10


class TableTransformer(Documented, PlainState, TransformerMixin, BaseEstimator):
    """Turn a table as it comes into a dense matrix for a neural network.

    Takes pandas and polars data frames, arrays and lists of rows. Columns may hold numbers,
    booleans, categories, dates and durations, each with missing values (None, NaN, NaT,
    ``pandas.NA``). Columns of Python objects are of the kind that all their values have, and
    categories if values are of several kinds; strings are always categories.

    - **Numbers and durations** are centered at the median, divided by the interquartile range
      (by half the range if that is 0) and clipped smoothly to [-3, 3]. Missing values become
      0, infinities -3 and 3.
    - **Booleans, and categories of two levels** become -1 and 1, missing values 0.
    - **Categories** become one-hot columns, scaled in the same way as numbers; missing values
      belong to no level. If at least two levels are rare, they share a column,
      ``"infrequent"``, and so do levels that only appear after `fit`. Levels are compared as
      text: 3, 3.0 and "3" are the same.
    - **Categories of many levels** become the logarithm of the frequency of the level and, if
      `fit` has `y`, means of the target, scaled as numbers, by the formula of
      :class:`~skdeep.tabular.TargetMeans`. :meth:`fit_transform` takes the means of each row
      from other rows.
    - **Dates** become year and time as numbers, and month, weekday, day of the year and time
      of day as points of a circle. Those with a time zone are taken in its wall time.

    Where the training rows of numbers, booleans or dates have missing values, an indicator
    column is added. Columns that are constant, empty, or identifiers (many levels, nearly one
    for each row) are dropped; see `dropped_`. Free text is refused.

    Parameters
    ----------
    categorical_features : array-like of {bool, int, str} or None, default='from_dtype'
        Columns that are categories though they hold numbers: a boolean mask, indices or
        names. ``"from_dtype"``: those whose dtype is pandas' ``category``, or polars'
        ``Categorical`` or ``Enum``. None: no such column. Text is always a category.

    max_onehot : int in [1, inf), default=255
        Maximum number of one-hot columns of a column of categories. Columns of more than 40
        levels need 4 rows per level, too.

    min_frequency : int in [1, inf), default=3
        Levels of fewer rows are rare, and share a column. They do not if they make up most
        of the rows.

    dtype : {'float32', 'float64'}, default='float32'
        Data type of the output. Computations are in float64.

    random_state : int, RandomState instance or None, default=None
        Seed or generator of the folds of target means.

    Attributes
    ----------
    n_numeric_ : int
        The first `n_numeric_` columns of the output are numbers. The others are indicators,
        levels and angles.

    dropped_ : dict
        Name (index, if there are no names) of each dropped column, and the reason.

    n_levels_ : list of int
        Number of levels of each column of codes; see :meth:`encode`.

    target_means_ : TargetMeans or None
        Means of the target; None without `y` or columns of many levels.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024, section 3.

    Examples
    --------
    >>> from skdeep import TableTransformer
    >>> X = [[20.0, "Rome"], [30.0, "Oslo"], [None, "Bern"], [40.0, "Lima"], [30.0, "Kyiv"]]
    >>> transformer = TableTransformer().fit(X)
    >>> list(transformer.get_feature_names_out(["age", "city"])[:4])
    ['age', 'age_missing', 'city_Bern', 'city_Kyiv']
    >>> transformer.transform([[30.0, "Bern"], [None, "Paris"]])[:, 1:4].astype(bool).tolist()
    [[False, True, False], [True, False, False]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "categorical_features": constraints_of(["array-like", ("from_dtype",), None]),
        "max_onehot": constraints_of([COUNT]),
        "min_frequency": constraints_of([COUNT]),
        "dtype": constraints_of([("float32", "float64")]),
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        categorical_features: Any = "from_dtype",
        max_onehot: int = 255,
        min_frequency: int = 3,
        dtype: str = "float32",
        random_state: Any = None,
    ):
        self.categorical_features = categorical_features
        self.max_onehot = max_onehot
        self.min_frequency = min_frequency
        self.dtype = dtype
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _check_fitted(self) -> None:
        check_transformer(self)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn medians, scales and levels, and target means if `y` is given.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets. They are read only if a column of categories has many levels. Text,
            booleans, and up to 10 whole numbers are classes; with more than 10 classes, there
            are no target means.

        Returns
        -------
        self : TableTransformer
            The fitted transformer.
        """
        self._fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit to the table and transform it, with target means out of fold.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets, as in :meth:`fit`.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            The matrix.
        """
        table, means = self._fit(X, y)
        return self._write(table, means)

    def transform(self, X: Any) -> Any:
        """Transform a table with the columns seen in `fit`.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            The matrix.
        """
        table = self._read(X)
        means = self.target_means_
        encoded = None if means is None else means.transform(self._codes(table))
        return self._write(table, encoded)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X: Any, y: Any) -> tuple[Table, np.ndarray | None]:
        # Fit to a table; return it, and its target means, out of fold.
        with unchanged_on_error(self):
            table = Table(X)
            validate_data(self, X, skip_check_array=True)
            names = getattr(self, "feature_names_in_", None)
            is_chosen = chosen(self.categorical_features, table.n_columns, names)
            self._fit_encoders(table, is_chosen)
            means = self._fit_means(table, X, y)
        n_means = 0 if means is None else means.shape[1]
        self.n_numeric_ = n_means + sum(len(encoder.numeric) for encoder in self._encoders)
        return table, means

    def _fit_means(self, table: Table, X: Any, y: Any) -> np.ndarray | None:
        self.target_means_, self._target_names = None, []
        if y is None:
            return None
        check_consistent_length(X, y)
        targets, self._target_names = _targets(y) if self.n_levels_ else (y, [])
        if not self._target_names:
            return None
        self.target_means_ = TargetMeans()
        generator = check_random_state(self.random_state)
        rows = np.arange(table.n_rows)
        return self.target_means_.fit_transform(self._codes(table), targets, rows, generator)

    def _fit_encoders(self, table: Table, is_chosen: np.ndarray | None) -> None:
        numbers: list[int] = []
        kinds: list[str] = []
        encoders: list[Encoder] = []
        dropped: dict[int, str] = {}
        for index in range(table.n_columns):
            column = table.column(index)
            kind = kind_of(column, None if is_chosen is None else bool(is_chosen[index]))
            found: Encoder | str
            if kind in (NUMBER, DURATION):
                numbers.append(index)
                kinds.append(kind)
                continue
            if kind == CATEGORY:
                found = fit_categories(
                    index,
                    column,
                    max_onehot=self.max_onehot,
                    min_frequency=self.min_frequency,
                )
            else:
                found = (Booleans if kind == BOOLEAN else Dates).fit(index, column)
            if isinstance(found, str):
                dropped[index] = found
            else:
                encoders.append(found)
        if numbers:
            scaled, reasons = Numbers.fit(table, numbers, kinds)
            encoders.insert(0, scaled)
            dropped |= reasons
        if len(dropped) == table.n_columns:
            why = ", ".join(f"{table.names[i]} ({dropped[i]})" for i in sorted(dropped)[:5])
            raise ValueError(
                f"No column of X says anything, with n_samples = {table.n_rows}: {why}."
            )
        self._set_encoders(encoders, dropped)

    def _set_encoders(self, encoders: list[Encoder], dropped: dict[int, str]) -> None:
        names = getattr(self, "feature_names_in_", range(self.n_features_in_))
        self.dropped_ = {names[index]: dropped[index] for index in sorted(dropped)}
        self._encoders = encoders
        self.n_levels_ = [len(one.levels) for one in self._many]

    @property
    def _many(self) -> list[Frequencies]:
        return [one for one in self._encoders if isinstance(one, Frequencies)]

    def _read(self, X: Any) -> Table:
        check_is_fitted(self)
        table = Table(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        return table

    def _codes(self, table: Table) -> np.ndarray:
        codes = [one.codes(table) for one in self._many]
        return np.array(codes, dtype=np.int32).reshape(len(codes), table.n_rows).T

    def encode(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what does not see the target: the matrix, and codes of many levels.

        Those who fit several models on parts of the rows need target means of their own for
        each: see :class:`~skdeep.tabular.TargetMeans`. They go in front of the matrix, as
        numbers do.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        matrix : ndarray of shape (n_samples, n_features_out)
            What :meth:`transform` returns after a fit without `y`.

        codes : ndarray of shape (n_samples, n_columns_of_codes), int32
            Levels of the columns that have many, -1 if missing or not seen in `fit`.
        """
        table = self._read(X)
        return self._write(table, None), self._codes(table)

    def fit_encode(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Fit without targets and encode the same table, which is read only once.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        matrix : ndarray of shape (n_samples, n_features_out)
            As of :meth:`encode`.

        codes : ndarray of shape (n_samples, n_columns_of_codes), int32
            As of :meth:`encode`.
        """
        table, _ = self._fit(X, None)
        return self._write(table, None), self._codes(table)

    def _write(self, table: Table, means: np.ndarray | None) -> np.ndarray:
        # Columns: target means, other numbers, all else.
        n_means = 0 if means is None else means.shape[1]
        n_numeric = n_means + sum(len(encoder.numeric) for encoder in self._encoders)
        n_other = sum(len(encoder.other) for encoder in self._encoders)
        out = np.empty((table.n_rows, n_numeric + n_other), dtype=self.dtype)
        if means is not None:
            out[:, :n_means] = means
        numeric, other = n_means, n_numeric
        for encoder in self._encoders:
            ends = numeric + len(encoder.numeric), other + len(encoder.other)
            encoder.write(table, out[:, numeric : ends[0]], out[:, other : ends[1]])
            numeric, other = ends
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the output's columns, such as "age_missing" and "city_Paris".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns, where `fit` has seen none. By default, those are "x0",
            "x1", and so on.

        Returns
        -------
        names : ndarray of str objects
            The names.
        """
        check_is_fitted(self)
        columns = input_names(self, input_features)
        means = [
            (one.column, f"_mean{target}")
            for one in self._many
            for target in self._target_names
        ]
        numeric = [name for encoder in self._encoders for name in encoder.numeric]
        other = [name for encoder in self._encoders for name in encoder.other]
        return _unique([columns[i] + suffix for i, suffix in [*means, *numeric, *other]])


def _unique(names: Sequence[str]) -> np.ndarray:
    # A level of one column may be called as another column is.
    taken: dict[str, int] = dict.fromkeys(names, 0)
    unique = []
    for name in names:
        taken[name] += 1
        new = name if taken[name] == 1 else f"{name}_{taken[name]}"
        while new != name and new in taken:
            taken[name] += 1
            new = f"{name}_{taken[name]}"
        taken.setdefault(new, 1)
        unique.append(new)
    return np.array(unique, dtype=object)


def _targets(y: Any) -> tuple[np.ndarray, list[str]]:
    # Columns to take means of, and their names; none if there are too many classes.
    kind, y = type_of_target(y, input_name="y"), np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        try:
            y = y.astype(np.float64)
        except ValueError as error:
            raise ValueError(f"y of several columns must be numeric: {error}.") from error
        return y, [f"_{column}" for column in range(y.shape[1])]
    y = column_or_1d(y)
    is_number = y.dtype.kind in "iuf"
    classes = np.unique(y)
    if kind == "continuous" or (is_number and len(classes) > MAX_CLASSES):
        return y.astype(np.float64)[:, None], [""]
    if len(classes) == 2:
        return 1.0 * (y == classes[1])[:, None], [""]
    if len(classes) > MAX_CLASSES:
        return np.empty((len(y), 0)), []
    return 1.0 * (y[:, None] == classes), [f"_{one}" for one in classes]
