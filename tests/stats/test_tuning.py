import numpy as np
import pytest
from stat_records import ACCURACY, LOSS, RATES, explored, peaked

from sweeper.stats.tuning import tuning_curves
from sweeper.trial import Stage


def scores(values):
    return {RATES.at((i + 0.5) / len(values)): value for i, value in enumerate(values)}


def curves(records, objective=ACCURACY, no_information=0.1):
    (found,) = tuning_curves(records, ("optimizer",), objective, no_information)
    return {curve.value: curve for curve in found.curves}, found


def test_expected_best_of_n_is_that_of_drawing_with_replacement():
    pool = np.array([0.5, 0.6, 0.7, 0.8])
    found, _ = curves(explored("a", scores(pool)) + explored("b", scores([0.55] * 4)))
    draws = np.random.default_rng(0).choice(pool, (200_000, 4))
    best = np.maximum.accumulate(draws, axis=1)
    assert found["a"].expected == pytest.approx(best.mean(axis=0), abs=0.001)
    assert found["a"].low == (0.5, 0.6, 0.7, 0.7)  # a quarter of the tries ends there or below: (1/4)**1, (2/4)**2 ...
    assert found["a"].median == (0.6, 0.7, 0.8, 0.8)
    assert found["a"].high == (0.7, 0.8, 0.8, 0.8)
    assert found["b"].expected == pytest.approx([0.55] * 4)
    # one trial of a beats 0.55 in three of four cases
    assert found["a"].wins == pytest.approx([1 - 0.25**n for n in (1, 2, 3, 4)])
    assert found["a"].pool == 4


def test_leader_depends_on_the_budget():
    steady, risky = explored("steady", scores([0.8] * 4)), explored("risky", scores([0.1, 0.1, 0.1, 0.95]))
    _, found = curves(steady + risky)
    assert found.leader(1).value == "steady"
    assert found.leader(4).value == "risky"
    assert found.curves[0].value == "steady"  # the higher mean at the largest budget: 0.69 against 0.8
    assert sum(curve.wins[2] for curve in found.curves) == pytest.approx(1.0)


def test_losses_are_best_when_small():
    pool = [3.0, 2.0, 1.0, 4.0]
    found, _ = curves(
        explored("a", scores(pool), metric="loss") + explored("b", scores([2.5] * 4), metric="loss"), LOSS, 5.0
    )
    assert found["a"].expected[0] == pytest.approx(2.5)
    assert list(found["a"].expected) == sorted(found["a"].expected, reverse=True)
    assert all(low <= high for low, high in zip(found["a"].low, found["a"].high, strict=True))


def test_divergence_counts_as_nothing_learned():
    records = explored("a", scores([0.9, 0.9]), diverged=(0.5, 0.9)) + explored("b", scores([0.8] * 4))
    found, _ = curves(records)
    assert found["a"].expected[0] == pytest.approx((0.9 + 0.1) / 2)
    unknown, _ = curves(records, no_information=None)
    assert unknown["a"].expected[0] == pytest.approx((0.9 + 0.8) / 2)  # then as the worst that was seen


def test_only_the_equal_exploration_counts():
    race = explored("a", scores([0.99]), stage=Stage.RACE)
    searched = explored("a", scores([0.99]), stage=Stage.SEARCH)
    base = peaked("a", 0.9) + peaked("b", 0.8)
    assert tuning_curves(base + race, ("optimizer",), ACCURACY, 0.1) == tuning_curves(
        base, ("optimizer",), ACCURACY, 0.1
    )
    assert tuning_curves(searched, ("optimizer",), ACCURACY, 0.1) == ()


def test_single_value_has_no_curve():
    assert tuning_curves(peaked("a", 0.9), ("optimizer",), ACCURACY, 0.1) == ()
