"""A small version of `simulate.py`; the bounds are those of binomial counts that would be seen once in 10,000 runs."""

from dataclasses import replace

import numpy as np
import pytest
from playing import MemoryLedger, play, play_tpe, prepared, seeded, studied
from scipy import stats
from worlds import World

from sweeper.trial import Stage

WORLDS = 12
CHANCE = 1e-4
SCENARIOS = ("clear", "tie of 3")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: [play(name, seed) for seed in range(WORLDS)] for name in SCENARIOS}


@pytest.fixture(scope="module")
def searched():
    return [play_tpe("tie of 3", seed) for seed in range(4)]


def least(share):
    """The smallest count that a share this large still gives."""
    return stats.binom.ppf(CHANCE, WORLDS, share)


def most(share):
    return stats.binom.isf(CHANCE, WORLDS, share)


def test_a_clear_winner_is_named_with_few_trainings(results):
    clear = results["clear"]
    assert sum(each.right for each in clear) >= least(0.98)
    assert sum(each.named for each in clear) >= least(0.98)
    assert np.mean([each.trials for each in clear]) < 200
    assert np.mean([each.trials for each in clear]) < np.mean([each.trials for each in results["tie of 3"]])


def test_a_tie_is_seldom_denied(results):
    assert sum(each.false_winner for each in results["tie of 3"]) <= most(0.05)
    assert sum(each.in_set for each in results["tie of 3"]) >= least(0.95)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scores_are_unbiased_and_their_intervals_and_bounds_hold(results, name):
    found = results[name]
    bias = np.array([each.bias for each in found])
    assert abs(bias.mean()) < 0.002 + 4 * bias.std(ddof=1) / np.sqrt(WORLDS)
    assert sum(each.covered for each in found) >= least(0.95)
    assert sum(each.bound_holds for each in found) >= least(0.95)


def test_the_best_of_many_trials_is_too_good_and_denies_every_tie(searched):
    assert all(each.false_winner for each in searched)
    assert np.mean([each.bias for each in searched]) > 0.01


def test_a_study_that_is_cut_short_goes_on_to_the_same_verdict():
    """Through every stage, the widening of a range included: kill it after any number of trials."""
    world = border_world()
    study = seeded(prepared(), 3)
    whole, ledger = studied(world, study)
    stages = {record.spec.stage for record in ledger.history.records()}
    assert {Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.CONFIRM} <= stages
    total = len(ledger.history)
    for kept in (50, 97, 99, 110, total - 3):
        cut = MemoryLedger()
        for record in ledger.history.records()[:kept]:
            cut.ended(record)
        again, resumed = studied(world, study, cut)
        assert again == whole
        assert [r.spec for r in resumed.history.records()] == [r.spec for r in ledger.history.records()]


def border_world():
    """A world in which the best combination is best beyond its range."""
    world = World.make("clear", 3)
    best = world.winners()[0]
    return replace(
        world, peak={**world.peak, best: 0.4}, width={**world.width, best: 1.1}, cliff={**world.cliff, best: 0.9}
    )


def test_a_world_is_determined_by_its_seed():
    assert play("moderate", 3) == play("moderate", 3)
