import numpy as np
import pytest
from scipy import stats

from sweeper.stats.distributions import max_t_quantile, mean_interval, normal_quantile, share_interval


def equicorrelated(p, rho=0.5):
    return np.full((p, p), rho) + (1 - rho) * np.eye(p)


# Hsu (1996), table E.2, last row: critical value d of constrained MCB at alpha 0.05, many degrees of freedom
@pytest.mark.parametrize(("treatments", "published"), [(2, 1.645), (3, 1.916), (4, 2.062), (6, 2.234)])
def test_max_t_quantile_meets_the_published_table(treatments, published):
    drawn = [
        max_t_quantile(equicorrelated(treatments - 1), 10**6, 0.05, np.random.default_rng(seed)) for seed in range(10)
    ]
    assert np.mean(drawn) == pytest.approx(published, abs=0.0006 + 4 * np.std(drawn) / np.sqrt(10))


@pytest.mark.parametrize(("df", "alpha"), [(3, 0.05), (9, 0.0125)])
def test_max_t_quantile_is_that_of_paired_t_statistics(df, alpha):
    rng = np.random.default_rng(df)
    correlation = np.corrcoef(rng.standard_normal((6, 3)), rowvar=False)
    rows = rng.standard_normal((100_000, df + 1, 3)) @ np.linalg.cholesky(correlation).T
    largest = (rows.mean(axis=1) / rows.std(axis=1, ddof=1) * np.sqrt(df + 1)).max(axis=1)
    share = np.mean(largest > max_t_quantile(correlation, df, alpha, rng, draws=40_000))
    assert share == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 100_000) + 0.03 * alpha)


def test_max_t_quantile_of_one_and_of_identical_comparisons_is_students():
    for correlation in (np.ones((1, 1)), np.ones((4, 4))):
        assert max_t_quantile(correlation, 9, 0.05, np.random.default_rng(0)) == stats.t.ppf(0.95, 9)


def test_max_t_quantile_of_opposite_comparisons_is_two_sided():
    opposite = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert max_t_quantile(opposite, 9, 0.05, np.random.default_rng(0)) == stats.t.ppf(0.975, 9)


@pytest.mark.parametrize("df", [2, 4, 30])
def test_max_t_quantile_lies_between_one_comparison_and_bonferroni(df):
    value = max_t_quantile(equicorrelated(5, 0.0), df, 0.05, np.random.default_rng(1))
    assert stats.t.ppf(0.95, df) < value <= stats.t.ppf(0.99, df)


def test_mean_interval_is_students():
    scores = np.array([0.91, 0.93, 0.90, 0.95])
    interval = mean_interval(scores, 0.05)
    expected = stats.ttest_1samp(scores, 0.0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_mean_interval_of_a_single_score_is_a_point():
    interval = mean_interval(np.array([0.5]), 0.05)
    assert (interval.low, interval.high) == (0.5, 0.5)


@pytest.mark.parametrize(("count", "total"), [(0, 10), (1, 10), (5, 20), (10, 10)])
def test_share_interval_is_clopper_and_pearsons(count, total):
    expected = stats.binomtest(count, total).proportion_ci(0.95, method="exact")
    interval = share_interval(count, total, 0.05)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_normal_quantile():
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
