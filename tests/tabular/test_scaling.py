"""Laws: the robust scale and the smooth clip are those of the formula."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skdeep import TableTransformer
from skdeep.tabular.scaling import RobustScale

RNG = np.random.default_rng(0)
N = 101
COLUMNS = {
    "normal": RNG.normal(size=N),
    "skewed": np.exp(3 * RNG.normal(size=N)),
    "mostly zero": 1.0 * (RNG.random(N) < 0.1) * RNG.random(N),
    "two values": 1.0 * (np.arange(N) % 2),
    "missing": np.where(RNG.random(N) < 0.3, np.nan, RNG.normal(size=N)),
    "two rows": np.r_[1.0, 2.0, np.full(N - 2, np.nan)],
    "tiny": 1e-150 * RNG.normal(size=N),
    "nanoseconds": 1.7e18 + 1e15 * np.arange(N),
}
EACH_COLUMN = pytest.mark.parametrize("name", COLUMNS)


def by_the_formula(x):
    low, median, high = np.nanquantile(x, [0.25, 0.5, 0.75])
    scale = 1 / (high - low) if high > low else 2 / (np.nanmax(x) - np.nanmin(x))
    z = scale * (x - median)
    return np.nan_to_num(z / np.sqrt(1 + (z / 3) ** 2))


@EACH_COLUMN
def test_scaled_columns_follow_the_formula(name):
    x = COLUMNS[name][None]
    assert_allclose(RobustScale.fit(x).apply(x)[0], by_the_formula(x[0]), rtol=1e-9, atol=1e-12)


def test_columns_are_scaled_each_by_itself():
    together = np.array(list(COLUMNS.values()))
    scaled = RobustScale.fit(together).apply(together)
    alone = [RobustScale.fit(x[None]).apply(x[None])[0] for x in together]
    assert_array_equal(scaled, alone)


@pytest.mark.parametrize("n_ones", [0, 1, 3, 25, 26, 50, 51, 75, 76, 100, 101])
def test_indicators_are_scaled_as_columns_of_zeros_and_ones(n_ones):
    x = 1.0 * (np.arange(N) < n_ones)[None]
    measured, counted = RobustScale.fit(x), RobustScale.of_indicators(np.array([n_ones]), N)
    assert_array_equal(measured.apply(x), counted.apply(x))
    assert np.ptp(measured.apply(x)) == 0 or n_ones not in (0, N)


def test_infinities_are_at_the_limits_and_do_not_move_the_others():
    x = np.r_[COLUMNS["normal"], np.inf, -np.inf, np.nan][None]
    scaled = RobustScale.fit(x).apply(x)[0]
    assert_allclose(scaled[:N], by_the_formula(COLUMNS["normal"]))
    assert_allclose(scaled[N:], [3, -3, 0])


@pytest.mark.parametrize("large", [1e300, np.finfo(float).max])
def test_largest_numbers_do_not_overflow(large):
    x = large * np.linspace(-1, 1, 9)[None]
    scaled = RobustScale.fit(x).apply(x)
    assert_allclose(scaled[0], by_the_formula(np.linspace(-1, 1, 9)))


def test_timestamps_keep_their_digits_in_float32_output():
    # In float32, they would be 137 seconds apart.
    x = 1_700_000_000_000_000_000 + 1_000_000 * np.arange(N)[:, None]
    assert_allclose(
        TableTransformer().fit_transform(x)[:, 0],
        by_the_formula(np.arange(N)),
        rtol=1e-3,
        atol=1e-3,
    )


def test_infinity_beside_one_other_value_is_kept():
    out = TableTransformer().fit_transform(np.array([[1.0], [1.0], [np.inf]]))
    assert_array_equal(out, [[0], [0], [3]])
