"""Laws: target means are those of the formula, and no row sees its own target."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import TargetEncoder

from skdeep.tabular import TargetMeans
from skdeep.tabular.scaling import RobustScale

N, LEVELS = 400, 50


def data(n_targets=1, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, LEVELS, (N, 2))
    return codes, 100 + rng.normal(size=(N, n_targets)) + 0.1 * codes[:, :1]


def fit(codes, y, rows=None, seed=0, weight=None, **parameters):
    means = TargetMeans(**parameters)
    rows = np.arange(len(codes)) if rows is None else rows
    return means, means.fit_transform(codes, y, rows, np.random.default_rng(seed), weight)


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("rows", [np.arange(N), np.arange(0, N, 2)[::-1]])
def test_values_follow_the_formula(n_targets, rows):
    codes, y = data(n_targets)
    means, values = fit(codes, y, rows)
    fold = dict(zip(rows, np.random.default_rng(0).permutation(len(rows)) % 5, strict=True))
    prior, expected = y[rows].mean(axis=0), np.empty((N, 2, n_targets))
    for row in range(N):
        others = [r for r in rows if fold[r] != fold.get(row)]
        for j in range(2):
            same = [r for r in others if codes[r, j] == codes[row, j] >= 0]
            expected[row, j] = (y[same].sum(axis=0) + 10 * prior) / (len(same) + 10)
    expected = expected.reshape(N, -1).T
    scale = RobustScale.fit(expected[:, rows])
    assert_allclose(values, scale.apply(expected).T, atol=1e-6)
    assert_allclose(means.scale.median, scale.median)


def test_weights_are_repetitions_of_rows():
    codes, y = data()
    weight = np.arange(N) % 4 + 1
    means, values = fit(codes, y, weight=weight)
    again = np.repeat(np.arange(N), weight)
    # Weights count as rows on the whole: their mean is 1.
    repeated, _ = fit(codes[again], y[again], alpha=10 * weight.mean())
    for one, other in zip(means.means, repeated.means, strict=True):
        assert_allclose(one, other)
    scaled = fit(codes, y, weight=100 * weight)[1]
    assert_allclose(scaled, values)
    assert_allclose(fit(codes, y, weight=np.full(N, 3.0))[1], fit(codes, y)[1], atol=1e-12)


def test_means_are_those_of_scikit_learn():
    codes, y = data()
    codes = np.maximum(codes, 0)
    means, _ = fit(codes, y)
    peer = TargetEncoder(smooth=10, target_type="continuous").fit(codes, y.ravel())
    for j in range(2):
        assert_allclose(means.means[j][:-1, 0], peer.encodings_[j])
        assert_allclose(means.means[j][-1], y.mean())


def test_other_rows_targets_are_not_read():
    codes, y = data()
    rows = np.arange(0, N, 3)
    hidden = np.full_like(y, np.nan)
    hidden[rows] = y[rows]
    assert_array_equal(fit(codes, hidden, rows)[1], fit(codes, y, rows)[1])


@pytest.mark.parametrize("seed", range(3))
def test_noise_stays_noise_out_of_fold(seed):
    rng = np.random.default_rng(seed)
    codes, y = rng.integers(0, 500, (2000, 1)), rng.normal(size=(2000, 1))
    means, held_out = fit(codes, y)
    assert abs(np.corrcoef(held_out[:, 0], y[:, 0])[0, 1]) < 0.08
    assert np.corrcoef(means.transform(codes)[:, 0], y[:, 0])[0, 1] > 0.3


def test_missing_and_unseen_levels_have_the_mean_of_all_rows():
    codes, y = data()
    means, _ = fit(codes, y)
    values = means.transform(np.array([[-1, -1], [LEVELS, LEVELS + 5]]))
    z = (y.mean() / 4 - means.scale.median) / means.scale.width
    assert_allclose(values, [z / np.sqrt(1 + (z / 3) ** 2)] * 2)


def test_a_level_for_each_row_says_nothing():
    codes, y = np.arange(N)[:, None], data()[1]
    assert_array_equal(fit(codes, y)[1], np.zeros((N, 1)))


def test_without_columns_there_are_no_values():
    means, values = fit(np.empty((N, 0), int), data()[1])
    assert values.shape == (N, 0)
    assert means.transform(np.empty((3, 0), int)).shape == (3, 0)
