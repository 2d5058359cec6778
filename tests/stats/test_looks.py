import numpy as np
import pytest
from scipy import stats

from sweeper.stats.best_set import best_set
from sweeper.stats.looks import levels

LOOKS = (5, 10, 15, 20, 25, 30)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_one_look_has_all_of_alpha():
    assert levels((40,), 0.05, 1) == pytest.approx((0.05,), rel=1e-3)
    assert levels((40,), 0.05, 4) == pytest.approx((0.05,), rel=1e-3)


def test_every_look_gets_at_least_its_equal_share():
    """Bonferroni's: spending evenly costs nothing at any look."""
    found = levels((10, 20, 30, 40), 0.05, 3)
    assert found[0] == pytest.approx(0.05 / 4, rel=1e-3)
    assert list(found) == sorted(set(found))


def test_two_looks_are_those_of_a_bivariate_normal():
    """P(no crossing at either look) from scipy; correlation of the two statistics: sqrt(10 / 20)."""
    first, second = stats.norm.isf(levels((10, 20), 0.05, 1))
    both = stats.multivariate_normal(cov=[[1, 0.5**0.5], [0.5**0.5, 1]]).cdf([first, second])
    assert stats.norm.sf(first) == pytest.approx(0.025, rel=1e-3)
    assert 1 - both == pytest.approx(0.05, rel=2e-3)


def test_a_single_rival_is_wrongly_ahead_at_some_look_with_probability_alpha():
    draws = 40_000
    paths = rng(1).standard_normal((draws, LOOKS[-1])).cumsum(axis=1)
    at = np.array(LOOKS)
    crossed = (paths[:, at - 1] / np.sqrt(at) > stats.norm.isf(levels(LOOKS, 0.05, 1))).any(axis=1)
    assert crossed.sum() == pytest.approx(0.05 * draws, abs=4 * (0.05 * 0.95 * draws) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("candidates", [3, 6])
def test_the_best_of_equals_stays_in_the_set_at_all_looks_together(candidates):
    """Nominal 95 %; with heavy tails and unequal variances. The bound would be seen once in 10,000 runs."""
    worlds, kept = 200, 0
    spent = levels(LOOKS, 0.05, candidates - 1)
    for world in range(worlds):
        draws = rng(world)
        sd = np.exp(draws.normal(0.0, 0.35, candidates))
        mishap = np.where(draws.random((LOOKS[-1], candidates)) < 0.03, draws.exponential(3.0), 0.0)
        scores = sd * draws.standard_normal((LOOKS[-1], candidates)) - mishap
        kept += all(
            best_set(scores[:look], level, rng=draws, draws=400).in_set[0]
            for look, level in zip(LOOKS, spent, strict=True)
        )
    assert kept >= stats.binom.ppf(1e-4, worlds, 0.95)
