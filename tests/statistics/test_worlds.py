"""A small version of `simulate.py`; the bounds are those of binomial counts that would be seen once in 10,000 runs."""

import numpy as np
import pytest
from scipy import stats
from worlds import play

from sweeper.verdict import Outcome

WORLDS = 12
CHANCE = 1e-4


@pytest.fixture(scope="module")
def results():
    return {name: [play(name, seed) for seed in range(WORLDS)] for name in ("clear", "close", "all tied")}


def least(share):
    return stats.binom.ppf(CHANCE, WORLDS, share)


def most(share):
    return stats.binom.isf(CHANCE, WORLDS, share)


def test_a_clear_winner_is_named(results):
    clear = results["clear"]
    assert sum(each.right for each in clear) >= least(0.98)
    assert sum(each.outcome is Outcome.WINNER for each in clear) >= least(0.98)
    assert np.mean([each.runs for each in clear]) < 180


def test_the_best_of_a_close_race_stays_in_the_set(results):
    assert sum(each.truth_in_set for each in results["close"]) >= least(0.9)
    assert sum(each.false_winner for each in results["close"]) <= most(0.05)


def test_a_tie_is_seldom_denied(results):
    assert sum(each.false_winner for each in results["all tied"]) <= most(0.05)


@pytest.mark.parametrize("name", ["clear", "close", "all tied"])
def test_scores_are_unbiased_and_their_intervals_and_bounds_hold(results, name):
    found = results[name]
    bias = np.array([each.bias for each in found])
    assert abs(bias.mean()) < 0.002 + 4 * bias.std(ddof=1) / np.sqrt(WORLDS)
    assert sum(each.covered_here for each in found) >= least(0.95)
    assert sum(each.bound_holds for each in found) >= least(0.95)


def test_a_world_is_determined_by_its_seed():
    assert play("moderate", 3) == play("moderate", 3)
