"""Laws: an extreme table gives a sensible model, or an error that says what to change."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning

from skdeep import Huber
from skdeep._parallel.conductor import train_tasks
from skdeep.tabular import base
from tests.tabular.small import classes, classifier, numbers, recipe, regressor, table

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
Y = (X[:, 0] > 0).astype(int)
Z = 3 * X[:, 0] + 1
WORDS = np.where(Y, "yes", "no")
KINDS = pytest.mark.parametrize(("make", "y"), [(classifier, Y), (regressor, Z)])


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def assert_sensible(model, X, y):
    """Predictions are finite, and in the range of y."""
    predicted = model.predict(X)
    assert predicted.shape == np.shape(y)
    if hasattr(model, "classes_"):
        p = model.predict_proba(X)
        assert np.isfinite(p).all()
        assert np.isin(predicted, np.unique(y)).all()
    else:
        assert np.isfinite(predicted).all()
        rounding = 1e-15 * np.abs(y).max()  # of the mean of members
        assert (predicted >= np.min(y) - rounding).all()
        assert (predicted <= np.max(y) + rounding).all()
    assert np.isfinite(model.validation_score_)


# Shapes


@pytest.mark.parametrize("n", [2, 3, 5, 9, 100])
@KINDS
def test_few_rows(make, y, n):
    y = np.arange(n) % 2 if make is classifier else y[:n]
    for members in (2, 3, 8):
        model = make(n_members=members).fit(X[:n], y)
        assert_sensible(model, X[:n], y)
        assert len(model.members_.to_dict()) == members


def test_the_score_of_one_row_is_undefined():
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        model = regressor(n_members=1).fit(X[:3], Z[:3])
    assert np.isnan(model.validation_score_)
    assert np.isfinite(model.predict(X)).all()


@KINDS
def test_one_row_is_refused(make, y):
    with pytest.raises(ValueError, match="n_samples = 1"):
        make().fit(X[:1], y[:1])


@KINDS
def test_one_column(make, y):
    model = make(recipe=recipe(max_iter=25)).fit(X[:, :1], y)
    assert_sensible(model, X[:, :1], y)
    assert model.validation_score_ > 0.6


@KINDS
def test_2000_columns(make, y):
    wide = RNG.normal(size=(60, 2000))
    assert_sensible(make(n_members=2).fit(wide, y[:60]), wide, y[:60])


@pytest.mark.parametrize("n_rows", [1000, 2000])
def test_1000_classes(n_rows):
    # One or two rows of each: folds cannot be stratified in scikit-learn's sense.
    rows = RNG.normal(size=(n_rows, 2))
    y = np.arange(n_rows) % 1000
    model = classifier(n_members=2, max_iter=1).fit(rows, y)
    assert_sensible(model, rows, y)
    assert model.predict_proba(rows[:5]).shape == (5, 1000)


@KINDS
@pytest.mark.parametrize("empty", [X[:0], pd.DataFrame(X)[:0], pl.DataFrame(X)[:0]])
def test_no_rows(make, y, empty):
    with pytest.raises(ValueError, match="0 sample"):
        make().fit(empty, y[:0])
    names = hasattr(empty, "columns")
    model = make().fit(type(empty)(X) if names else X, y)
    with pytest.raises(ValueError, match="0 sample"):
        model.predict(empty)


@KINDS
def test_no_columns(make, y):
    with pytest.raises(ValueError, match="0 feature"):
        make().fit(pd.DataFrame(X)[[]], y)


# Columns


@KINDS
def test_all_columns_categorical(make, y):
    sign = np.where(X[:, 0] > 0, "plus", "minus")
    frame = pd.DataFrame({"a": sign, "b": RNG.choice(list("xyz"), 100)})
    model = make(recipe=recipe(max_iter=25, learning_rate_init=0.2)).fit(frame, y)
    assert_sensible(model, frame, y)
    assert model.validation_score_ > 0.4
    # Levels that fit has not seen, and missing ones.
    new = pd.DataFrame({"a": ["plus", "none", None], "b": ["?", "x", None]})
    assert model.predict(new).shape == (3,)


@KINDS
def test_all_columns_of_many_levels(make, y):
    frame = pd.DataFrame({name: RNG.permutation(100) // 2 for name in "ab"}).astype(str)
    model = make().fit(frame, y)
    assert_sensible(model, frame, y)
    new = pd.DataFrame({"a": ["unseen", None], "b": [None, "1"]})
    assert model.predict(new).shape == (2,)


@KINDS
def test_a_level_for_each_row(make, y):
    names = pd.DataFrame({"name": [f"person {i}" for i in range(100)]})
    with pytest.raises(ValueError, match=r"'name' .identifier: 100 levels in 100 rows"):
        make().fit(names, y)
    frame = names.assign(x=X[:, 0])
    model = make().fit(frame, y)
    assert_sensible(model, frame, y)
    assert model.transformer_.dropped_ == {"name": "identifier: 100 levels in 100 rows"}
    only = make().fit(frame[["x"]], y)
    assert_array_equal(model.oof_prediction_, only.oof_prediction_)


@pytest.mark.parametrize(
    ("values", "reason"), [(7.0, "constant"), (np.nan, "all values are missing")]
)
@KINDS
def test_columns_that_say_nothing(make, y, values, reason):
    nothing = np.full((100, 2), values)
    with pytest.raises(ValueError, match=f"No column of X says anything.*0 .{reason}"):
        make().fit(nothing, y)
    model = make().fit(np.c_[X, nothing], y)
    assert_array_equal(model.oof_prediction_, make().fit(X, y).oof_prediction_)
    assert model.transformer_.dropped_ == {3: reason, 4: reason}


@KINDS
def test_two_columns_of_one_name(make, y):
    with pytest.raises(ValueError, match="'a' more than once: rename or drop"):
        make().fit(pd.DataFrame(X, columns=["a", "b", "a"]), y)


@KINDS
def test_sparse_tables(make, y):
    with pytest.raises(TypeError, match=r"Sparse data is not supported.*toarray"):
        make().fit(csr_matrix(X), y)


@pytest.mark.parametrize("factor", [1e-300, 1e300])
@KINDS
def test_units_of_columns_do_not_matter(make, y, factor):
    expected = make().fit(X, y).oof_prediction_
    assert_allclose(make().fit(factor * X, y).oof_prediction_, expected, rtol=1e-3, atol=1e-5)


@KINDS
def test_infinities_and_outliers_in_columns(make, y):
    wild = X.copy()
    wild[::9, 1] = 1e300
    wild[1::9, 1] = np.inf
    wild[2::9, 2] = -np.inf
    wild[3::9, 2] = np.nan
    model = make(recipe=recipe(max_iter=15)).fit(wild, y)
    assert_sensible(model, wild, y)
    assert np.isfinite(model.predict_proba(wild) if make is classifier else 0.0).all()


# Targets


def test_one_row_of_a_class():
    y = (np.arange(100) == 7).astype(int)
    model = classifier(n_members=5).fit(X, y)
    assert_sensible(model, X, y)
    assert model.validation_score_ >= 0.9
    weighted = classifier(n_members=5, class_weight="balanced").fit(X, y)
    assert_sensible(weighted, X, y)


LOSSES = pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "squared_error"},
        {"loss": "absolute_error"},
        {"loss": "huber"},
        {"loss": Huber(0.1)},
        {"loss": "quantile"},
        {"loss": "poisson"},
        {"loss": "gamma"},
    ],
    ids=lambda parameters: str(parameters["loss"]),
)


@LOSSES
def test_one_row_of_another_number(parameters):
    y = 1.0 + 4 * (np.arange(100) == 7)
    model = regressor(n_members=5, **parameters).fit(X, y)
    assert_sensible(model, X, y)
    assert np.median(model.predict(X)) < 2


@LOSSES
@pytest.mark.parametrize("value", [5.0, 0.1, 1e12, 1e-12, 0.0])
def test_one_number_is_predicted(parameters, value):
    if value == 0 and parameters["loss"] == "gamma":
        return
    recipes = [recipe(), recipe(embedding=None)]
    model = regressor(recipe=recipes, **parameters).fit(X, np.full(100, value))
    assert_allclose(model.predict(X), np.full(100, value), rtol=1e-15)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"one class only, \['a'\]"):
        classifier().fit(X, np.full(100, "a"))


def test_a_label_that_nobody_has():
    y = np.c_[Y, np.zeros(100, int), np.ones(100, int)]
    model = classifier(recipe=recipe(max_iter=10)).fit(X, y)
    assert_array_equal(model.predict(X)[:, 1:], y[:, 1:])


@pytest.mark.parametrize("factor", [1e-100, 1e-12, 1e12, 1e100])
@LOSSES
def test_units_of_targets_do_not_matter(parameters, factor):
    y = np.exp(X[:, 0])
    recipes = [recipe(dropout=0.0), recipe(embedding=None)]
    model = regressor(recipe=recipes, dtype="float64", **parameters)
    one, other = clone(model).fit(X, y), clone(model).fit(X, factor * y)
    assert_allclose(other.oof_prediction_, factor * one.oof_prediction_, rtol=1e-5)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_numbers_whose_squares_leave_float64(factor):
    with pytest.raises(ValueError, match=r"y has values as large as .*: change its unit"):
        regressor().fit(X, factor * Z)


def test_targets_far_from_zero():
    model = regressor(recipe=recipe(max_iter=15, learning_rate_init=0.1)).fit(X, Z + 1e9)
    assert model.validation_score_ > 0.5


def test_outliers_among_targets():
    y = np.where(np.arange(100) % 25 == 0, 1e9, Z)
    assert_sensible(regressor().fit(X, y), X, y)
    robust = regressor(
        loss="absolute_error", recipe=recipe(max_iter=15, learning_rate_init=0.1)
    ).fit(X, y)
    assert_sensible(robust, X, y)


MISSING = {
    "list": [None, *WORDS[1:].tolist()],
    "NaN in a list": [np.nan, *WORDS[1:].tolist()],
    "objects": np.array([None, *WORDS[1:]], dtype=object),
    "floats": np.r_[np.nan, Y[1:]],
    "series": pd.Series([None, *WORDS[1:]]),
    "pandas strings": pd.Series([None, *WORDS[1:]], dtype="string"),
    "category": pd.Series([None, *WORDS[1:]], dtype="category"),
    "Int64": pd.Series([pd.NA, *Y[1:]], dtype="Int64"),
    "boolean": pd.Series([pd.NA, *(Y[1:] > 0)], dtype="boolean"),
    "polars strings": pl.Series([None, *WORDS[1:].tolist()]),
    "polars numbers": pl.Series([None, *Y[1:].tolist()]),
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_labels_are_refused(name):
    with pytest.raises(ValueError, match=r"(y contains NaN|y has 1 missing label)"):
        classifier().fit(X, MISSING[name])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.r_[np.nan, Z[1:]], "Input y contains NaN"),
        (np.r_[np.inf, Z[1:]], "Input y contains infinity"),
        (pd.Series([pd.NA, *Z[1:]], dtype="Float64"), "Input y contains NaN"),
        (pl.Series([None, *Z[1:].tolist()]), "Input y contains NaN"),
        (WORDS, "y must be numeric in regression; got dtype <U3, such as 'yes'|'no'"),
        (WORDS.astype(object), "y must be numeric in regression"),
        (Z[None, :, None], "dim 3"),
        (None, "requires y to be passed, but the target y is None"),
        (Z[:7], r"inconsistent numbers of samples: \[100, 7\]"),
        (1j * Z, "Complex data not supported"),
    ],
)
def test_bad_numbers_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        regressor().fit(X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([1 if one else "a" for one in Y], dtype=object), "types int, str: convert"),
        ([1 if one else "a" for one in Y], "types int, str: convert"),
        (Z, "Unknown label type: continuous"),
        (np.c_[Y, np.arange(100) % 3], "y has 2 columns of labels.*MultiOutputClassifier"),
        (np.c_[WORDS, WORDS], "y has 2 columns of labels.*MultiOutputClassifier"),
        (None, "requires y to be passed, but the target y is None"),
        (WORDS[:7], r"inconsistent numbers of samples: \[100, 7\]"),
    ],
)
def test_bad_labels_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y)


LABELS = {
    "strings": (WORDS, WORDS),
    "objects": (WORDS.astype(object), WORDS),
    "list": (WORDS.tolist(), WORDS),
    "booleans": (Y > 0, Y > 0),
    "list of booleans": ((Y > 0).tolist(), Y > 0),
    "floats": (1.0 * Y, Y),
    "category": (pd.Series(WORDS, dtype="category"), WORDS),
    "category of numbers": (pd.Series(Y, dtype="category"), Y),
    "pandas strings": (pd.Series(WORDS, dtype="string"), WORDS),
    "arrow strings": (pd.Series(WORDS, dtype="string[pyarrow]"), WORDS),
    "Int64": (pd.Series(Y, dtype="Int64"), Y),
    "boolean": (pd.Series(Y > 0, dtype="boolean"), Y),
    "polars strings": (pl.Series(WORDS), WORDS),
    "polars numbers": (pl.Series(Y), Y),
    "polars booleans": (pl.Series(Y > 0), Y > 0),
    "polars categories": (pl.Series(WORDS).cast(pl.Categorical), WORDS),
    "polars enum": (pl.Series(WORDS).cast(pl.Enum(["no", "yes"])), WORDS),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_every_kind_are_one_model(name):
    given, expected = LABELS[name]
    model = classifier().fit(X, given)
    assert_array_equal(model.classes_, np.unique(expected))
    assert_array_equal(model.oof_prediction_, classifier().fit(X, Y).oof_prediction_)
    assert np.isin(model.predict(X), expected).all()


@pytest.mark.parametrize(
    "y",
    [
        Z.tolist(),
        Z.astype(object),
        pd.Series(Z, dtype="Float64"),
        pd.Series(Z, index=RNG.permutation(100)),
        pl.Series(Z),
    ],
    ids=["list", "objects", "Float64", "shuffled index", "polars"],
)
def test_numbers_of_every_kind_are_one_model(y):
    assert_array_equal(
        regressor().fit(X, y).oof_prediction_, regressor().fit(X, Z).oof_prediction_
    )
    two = regressor().fit(X, pl.DataFrame({"a": Z, "b": -Z}))
    assert two.predict(X).shape == (100, 2)


# Weights


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(100), "at least one non-zero"),
        (-np.ones(100), "Negative values in data passed to `sample_weight`"),
        (np.ones(7), r"sample_weight.shape == \(7,\), expected \(100,\)"),
        (np.r_[np.nan, np.ones(99)], "sample_weight contains NaN"),
        (1.0 * (np.arange(100) == 3), "n_samples=1, not counting rows of weight 0"),
    ],
)
@KINDS
def test_bad_weights_are_refused(make, y, weight, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, y, weight)


@pytest.mark.parametrize(
    "weight",
    [
        1.0 * (np.arange(100) < 3),
        np.full(100, 1e300),
        np.full(100, 1e-300),
        np.exp(10 * RNG.normal(size=100)),
    ],
    ids=["three rows", "large", "small", "of all sizes"],
)
@KINDS
def test_extreme_weights(make, y, weight):
    assert_sensible(make().fit(X, y, weight), X, y)


# Training


@KINDS
def test_divergence_is_an_error(make, y):
    with pytest.raises(ValueError, match=r"Training diverged: .*Reduce learning_rate_init"):
        make(learning_rate_init=1e30).fit(X, y)


def test_members_that_diverge_are_left_out(monkeypatch):
    def two_diverge(tasks, n_jobs=None):
        results = train_tasks(tasks, n_jobs)
        for result in results[:2]:
            result.theta[0] = np.nan
        return results

    monkeypatch.setattr(base, "train_tasks", two_diverge)
    with pytest.warns(UserWarning, match="Training diverged in 2 of 8 members, which are left"):
        model = regressor(n_members=8).fit(X, Z)
    assert len(model.members_.to_dict()) == 6
    held_out = np.isfinite(model.oof_prediction_)
    assert 0.7 < held_out.mean() < 0.8  # but for the rows of two folds
    assert np.isfinite(model.predict(X)).all()


def test_large_rates_stay_in_range():
    assert_sensible(regressor(learning_rate_init=1e3).fit(X, Z), X, Z)


@KINDS
def test_mixed_tables_are_learnt(make, y):
    frame = table(n=300)
    y = classes(frame, 2) if make is classifier else numbers(frame)
    model = make(recipe=recipe(max_iter=20, learning_rate_init=0.1)).fit(frame, y)
    assert model.validation_score_ > 0.75
