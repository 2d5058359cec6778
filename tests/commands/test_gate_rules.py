"""The rules of a night on scores made by hand, where less is better too."""

import numpy as np
import pytest

from sweeper.commands.gate_rules import Rules
from sweeper.gate import Baseline, GateOutcome
from sweeper.trial import Combination

LOSSES = tuple(np.random.default_rng(0).normal(1.0, 0.05, 20))


def rules(threshold=None, *, maximize=False, scores=LOSSES, margin=0.01):
    baseline = Baseline(
        "study", Combination({"optimizer": "adam"}), {}, "loss", maximize, 0.01, scores, "s", "d", {}, "0", "2026-01-01"
    )
    return Rules(baseline, margin, threshold)


def test_a_loss_that_rises_is_worse_and_one_that_falls_is_better():
    assert rules().alarms([1.2, 1.2, 1.2])
    assert not rules().alarms([0.8, 0.8, 0.8])
    found = rules().confirmed([1.2 + each for each in LOSSES[:10]])
    assert (found.outcome, rules(maximize=True).confirmed([2.0] * 10).outcome) == (
        GateOutcome.FAILED,
        GateOutcome.PASSED,
    )
    assert found.drop == pytest.approx(1.2 + np.mean(LOSSES[:10]) - np.mean(LOSSES))
    assert "worse" in found.said


def test_the_interval_is_around_the_score_whatever_the_direction():
    for maximize in (True, False):
        found = rules(maximize=maximize).quiet([1.0, 1.02, 0.98])
        assert found.interval.low < 1.0 < found.interval.high
        assert found.score == pytest.approx(1.0)


def test_a_loss_has_to_stay_certainly_below_its_threshold():
    assert rules(1.3).alarms([1.0, 1.0, 1.0]) is False
    strict = rules(1.0)
    assert strict.alarms([1.0, 1.0, 1.0])
    assert strict.confirmed(list(LOSSES)).outcome is GateOutcome.FAILED
    assert "at most" in strict.checks[-1].said
    assert rules(0.9, maximize=True).quiet([1.0, 1.0, 1.0]).checks[-1].outcome is GateOutcome.PASSED


def test_the_canary_forgives_the_last_digits():
    same, other = rules(), rules()
    same.canary(LOSSES[0] * (1 + 1e-8))
    other.canary(LOSSES[0] * 1.001)
    assert "the same again" in same.checks[0].said
    assert "have changed" in other.checks[0].said
    assert other.checks[0].outcome is GateOutcome.PASSED


def test_scores_without_spread_are_judged_by_the_margin():
    flat = rules(scores=(1.0,) * 20, margin=0.1)
    assert not flat.alarms([1.0, 1.0, 1.0])
    assert flat.alarms([1.05, 1.05, 1.05])
    assert flat.confirmed([1.05] * 20).outcome is GateOutcome.PASSED
    assert flat.confirmed([1.2] * 20).outcome is GateOutcome.FAILED


def test_nothing_trained_has_no_score():
    found = rules().too_few("screen", [], 3, "no memory")
    assert (found.outcome, found.score, found.interval) == (GateOutcome.UNDECIDED, None, None)
    assert "no memory" in found.said
    assert rules().too_few("screen", [1.0], 3, "").interval is not None
