import numpy as np
import pytest

from sweeper.splits import holdout


@pytest.mark.parametrize("seed", range(20))
def test_every_class_keeps_its_share_and_stays_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    strata = rng.choice(5, size=400, p=[0.5, 0.3, 0.15, 0.03, 0.02])
    share = rng.uniform(0.1, 0.5)
    held = holdout(strata, None, share, rng)
    for stratum in np.unique(strata):
        size, taken = np.sum(strata == stratum), np.sum(held[strata == stratum])
        assert abs(taken - share * size) <= 1
        assert 0 < taken < size or size == 1


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_class_with_two_rows_is_on_both_sides_whatever_the_share(share):
    held = holdout(np.repeat([0, 1], [2, 50]), None, share, np.random.default_rng(0))
    assert held[:2].sum() == 1


def test_a_class_with_one_row_is_trained_on():
    assert not holdout(np.array([0, 0, 0, 1]), None, 0.5, np.random.default_rng(0))[3]


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_whole_and_near_the_share_of_rows(seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(40), rng.integers(1, 30, size=40)))
    strata = np.zeros(len(groups), dtype=int)
    held = holdout(strata, groups, 0.2, rng)
    assert not set(groups[held]) & set(groups[~held])
    assert held.mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("seed", range(10))
def test_groups_bring_every_class_to_both_sides(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(30), 10)
    strata = (groups % 3 == 0).astype(int)  # a class is a property of the group, as for patients
    held = holdout(strata, groups, 0.2, rng)
    assert strata[held].mean() == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("sizes", [[1, 99], [99, 1], [50, 50], [1, 1, 98], [33, 33, 34]])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.6, 0.99])
def test_no_side_is_without_a_group(sizes, share):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    held = holdout(np.zeros(100, dtype=int), groups, share, np.random.default_rng(1))
    assert 0 < held.sum() < 100


def test_another_seed_holds_out_other_groups():
    groups = np.repeat(np.arange(30), 5)
    strata = np.zeros(150, dtype=int)
    chosen = {tuple(np.flatnonzero(holdout(strata, groups, 0.2, np.random.default_rng(s)))) for s in range(8)}
    assert len(chosen) == 8
