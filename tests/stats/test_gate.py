"""The rules of a scheduled check, held to scipy and to hand-made cases."""

import numpy as np
import pytest
from scipy import stats

from sweeper.stats import gate

BASELINE = np.array([0.95, 0.96, 0.94, 0.955, 0.945, 0.95, 0.962, 0.938])


def test_the_screen_counts_the_error_of_the_baseline():
    fresh = np.array([0.94, 0.93, 0.941])
    found = gate.screen(BASELINE, fresh)
    sd = BASELINE.std(ddof=1)
    assert found.error == pytest.approx(sd * np.sqrt(1 / 8 + 1 / 3))
    assert found.limit(0.05) == pytest.approx(stats.t.ppf(0.95, 7) * found.error)
    assert found.drop == pytest.approx(BASELINE.mean() - fresh.mean())


def test_the_unpaired_rule_is_welchs():
    fresh = np.random.default_rng(0).normal(0.93, 0.02, 20)
    found = gate.unpaired(BASELINE, fresh)
    theirs = stats.ttest_ind(BASELINE, fresh, equal_var=False, alternative="greater")
    for alpha in (theirs.pvalue * 0.99, theirs.pvalue * 1.01):
        assert found.significant(alpha) == (alpha > theirs.pvalue)
    assert found.interval(0.1).low == pytest.approx(found.drop - found.limit(0.05))


def test_the_paired_rule_is_students():
    rng = np.random.default_rng(1)
    old, new = rng.normal(0.95, 0.01, 10), rng.normal(0.94, 0.01, 10)
    pvalue = stats.ttest_rel(old, new, alternative="greater").pvalue
    found = gate.paired(old, new)
    assert not found.significant(pvalue * 0.99)
    assert found.significant(pvalue * 1.01)


def test_without_any_spread_every_drop_counts_but_no_rounding():
    same = np.full(20, 0.972222209)
    assert not gate.screen(same, np.full(3, 0.97222220897)).significant(0.05)
    assert not gate.unpaired(same, same).significant(0.05)
    assert gate.screen(same, np.full(3, 0.95)).significant(0.05)
    assert gate.unpaired(same, np.full(10, 0.95)).significant(1e-6)
    assert gate.paired(same, same - 0.01).significant(1e-6)


def test_a_rise_is_never_a_drop():
    better = BASELINE + 0.1
    for found in (gate.screen(BASELINE, better), gate.unpaired(BASELINE, better), gate.paired(BASELINE, better)):
        assert not found.significant(0.4)
        assert found.drop < 0


def test_axes_in_front_are_checks_of_their_own():
    rng = np.random.default_rng(2)
    baseline, fresh = rng.normal(size=(4, 1, 20)), rng.normal(size=(4, 6, 3))
    together = gate.screen(baseline, fresh).significant(0.05)
    assert together.shape == (4, 6)
    assert [[gate.screen(baseline[i, 0], fresh[i, j]).significant(0.05) for j in range(6)] for i in range(4)] == (
        together.tolist()
    )


def test_the_level_of_a_night_borrows_the_spread_of_the_baseline():
    fresh = np.array([0.95, 0.96, 0.94])
    alone, pooled = gate.level(fresh), gate.level(fresh, BASELINE)
    assert float(-alone.drop) == float(-pooled.drop) == pytest.approx(0.95)
    assert (alone.freedom, pooled.freedom) == (2, 9)
    interval = stats.ttest_1samp(fresh, 0).confidence_interval(0.95)
    assert -alone.interval().high == pytest.approx(interval.low)
    assert gate.level([0.9]).error == np.inf


def test_other_test_rows_are_luck_that_seeds_do_not_show():
    assert gate.rows_luck(0.9, 100, 50) == pytest.approx(0.09 * 0.03)
    assert gate.rows_luck(0.9, 0, 50) == 0
    assert gate.rows_luck(3.7, 100, 50) == 0
    lucky = gate.screen(BASELINE, BASELINE[:3], luck=1.0)
    assert lucky.error > 1
