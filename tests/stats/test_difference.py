import numpy as np
import pytest
from scipy import stats

from sweeper.stats.difference import difference


def test_shared_seeds_are_compared_one_by_one():
    rng = np.random.default_rng(0)
    split = rng.normal(0, 0.02, 20)
    a = dict(enumerate(0.90 + split + rng.normal(0, 0.002, 20)))
    b = dict(enumerate(0.91 + split + rng.normal(0, 0.002, 20)))
    found = difference(a, b, 0.05)
    expected = stats.ttest_rel(list(b.values()), list(a.values())).confidence_interval(0.95)
    assert found.paired
    assert found.seeds == 20
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.interval.low > 0  # what the splits do is in neither


def test_only_seeds_in_common_are_paired():
    found = difference({1: 0.5, 2: 0.6, 3: 0.9}, {2: 0.7, 3: 0.9, 4: 0.1}, 0.05)
    assert found.paired
    assert found.seeds == 2
    assert found.mean == pytest.approx(0.05)


def test_other_seeds_are_compared_by_welch():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.90, 0.01, 12), rng.normal(0.92, 0.03, 20)
    found = difference({("a", i): x for i, x in enumerate(a)}, {("b", i): x for i, x in enumerate(b)}, 0.05)
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert not found.paired
    assert found.seeds == 12
    assert found.mean == pytest.approx(b.mean() - a.mean())
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))


def test_scores_that_do_not_vary_have_a_point_for_an_interval():
    found = difference({1: 0.5, 2: 0.5}, {3: 0.6, 4: 0.6}, 0.05)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.1, 0.1))


def test_a_single_seed_tells_nothing():
    assert difference({1: 0.5}, {1: 0.6}, 0.05) is None
    assert difference({}, {1: 0.6, 2: 0.7}, 0.05) is None


@pytest.mark.parametrize("paired", [True, False])
def test_interval_covers(paired):
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(500):
        a, b = rng.normal(0.9, 0.01, 10), rng.normal(0.905, 0.02, 10)
        names = range(10) if paired else range(10, 20)
        found = difference(dict(enumerate(a)), dict(zip(names, b, strict=True)), 0.1)
        hits += found.interval.low <= 0.005 <= found.interval.high
    assert 0.86 < hits / 500 < 0.94  # 90 % and three standard errors
