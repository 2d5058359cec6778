import math

import numpy as np
import pytest
from stat_records import ACCURACY, LOSS, combination, confirmed, record

from sweeper.stats.curve import Screened
from sweeper.stats.evidence import at_ceiling, confirm, paired_scores, tie_break
from sweeper.stats.rules import JudgeRules
from sweeper.trial import Stage, Status

RULES = JudgeRules(no_information={"accuracy": 0.25, "loss": 2.3})
A, B = combination("a"), combination("b")


def chosen(optimizer, rate=0.01):
    return Screened(combination(optimizer), 8, 0, 0, params={"optimizer": optimizer, "learning_rate": rate})


def scores_of(runs, *, objective=ACCURACY, rules=RULES):
    by_combination = {}
    for run in runs:
        by_combination.setdefault(run.spec.combination, []).append(run)
    return paired_scores(by_combination, objective, rules)


def test_scores_are_ordered_by_repetition_and_end_at_the_first_gap():
    runs = confirmed("a", [0.1, 0.2, 0.3, 0.4, 0.5])
    del runs[3]
    assert scores_of(runs[::-1])[A] == [0.1, 0.2, 0.3]


def test_divergence_counts_as_no_information():
    assert scores_of(confirmed("a", [0.9, 0.9], diverged={1}))[A] == [0.9, 0.25]
    assert scores_of(confirmed("a", [0.1, 0.1], metric="loss", diverged={0}), objective=LOSS)[A] == [2.3, 0.1]


def test_an_unknown_metric_takes_the_worst_of_the_repetition_for_it():
    runs = confirmed("a", [0.9, 0.9], diverged={1}) + confirmed("b", [0.8, 0.7])
    assert scores_of(runs, rules=JudgeRules()) == {A: [0.9, 0.7], B: [0.8, 0.7]}
    alone = scores_of(confirmed("a", [0.9, 0.9], diverged={1}), rules=JudgeRules())[A]
    assert math.isnan(alone[1])


def test_a_score_that_is_no_number_is_divergence_and_a_failure_is_none():
    runs = [
        record(Stage.CONFIRM, "a", {"test_accuracy": math.inf}, repetition=0),
        record(Stage.CONFIRM, "a", {"test_accuracy": 0.9}, repetition=1, status=Status.TIMED_OUT),
        record(Stage.CONFIRM, "a", {"val_accuracy": 0.9}, repetition=2),
    ]
    first, *others = scores_of(runs)[A]
    assert first == 0.25
    assert all(math.isnan(score) for score in others)


def test_a_finalist_that_is_no_longer_chosen_is_not_waited_for():
    runs = confirmed("a", [0.9] * 10) + confirmed("b", [0.8] * 5)
    found = confirm(runs, [chosen("a")], objective=ACCURACY, rules=RULES)
    assert set(found.scores) == {A}
    assert found.confirmation.look == 10


def test_only_runs_at_the_settings_that_are_confirmed_are_evidence():
    old, new = confirmed("a", [0.5] * 10, rate=0.1), confirmed("a", [0.9] * 3, rate=0.01)
    for records in (old + new, new + old):
        found = confirm(records, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
        assert found.scores[A] == [0.9] * 3
        assert {run.spec.params["learning_rate"] for run in found.runs[A]} == {0.01}


def test_a_repetition_that_was_trained_again_counts_once():
    runs = confirmed("a", [0.5, 0.6], failed={0}) + confirmed("a", [0.9])
    found = confirm(runs, [chosen("a")], objective=ACCURACY, rules=RULES)
    assert found.scores[A] == [0.9, 0.6]
    assert len(found.runs[A]) == 2


def test_a_finalist_without_runs_is_waited_for():
    state = confirm(
        confirmed("a", [0.9] * 10), [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES
    ).confirmation
    assert (state.look, state.next_look) == (0, 10)


@pytest.mark.parametrize(
    ("a", "b", "ceiling"),
    [
        ([0.9] * 5 + [0.91] * 5, [0.9] * 10, True),
        ([0.9] * 4 + [0.91] * 6, [0.9] * 10, False),
        ([0.996] * 10, [0.997] * 10, True),
        ([0.996] * 10, [0.994] * 10, False),
    ],
)
def test_the_ceiling_is_half_of_no_differences_or_two_above_995_permille(a, b, ceiling):
    assert at_ceiling({A: a, B: b}, "accuracy", 10) == ceiling


def test_the_ceiling_is_looked_for_once():
    early, late = [0.9] * 10 + [0.8] * 30, [0.9] * 10 + [0.7] * 30
    assert at_ceiling({A: early, B: late}, "accuracy", 10)
    assert not at_ceiling({A: early[20:], B: late[20:]}, "accuracy", 10)
    assert not at_ceiling({A: early[:9], B: late}, "accuracy", 10)


def test_a_ratio_has_a_ceiling_and_an_error_has_none():
    assert not at_ceiling({A: [0.996] * 10, B: [0.997] * 10}, "mae", 10)
    assert not at_ceiling({A: [0.996] * 10}, "accuracy", 10)


def test_at_the_ceiling_the_second_metric_decides():
    noise = 0.001 * np.random.default_rng(0).standard_normal(10)
    runs = confirmed("a", [0.998] * 10, loss=0.05 + noise) + confirmed("b", [0.998] * 10, loss=0.02 - noise)
    found = confirm(runs, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
    assert (found.ceiling, found.switched, found.objective.metric) == (True, True, "loss")
    assert found.confirmation.alive == (B,)
    assert found.scores[A] == [0.998] * 10


def test_without_a_second_score_the_first_decides():
    runs = confirmed("a", [0.998] * 10) + confirmed("b", [0.998] * 10)
    found = confirm(runs, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
    assert (found.ceiling, found.switched) == (True, False)
    assert found.confirmation.decided
    assert len(found.confirmation.alive) == 2


def test_a_second_metric_that_nobody_measured_decides_nothing():
    every = set(range(10))
    runs = confirmed("a", [0.9] * 10, diverged=every) + confirmed("b", [0.9] * 10, diverged=every)
    found = confirm(runs, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
    assert (found.ceiling, found.switched, found.objective.metric) == (True, False, "accuracy")


@pytest.mark.parametrize(("score", "full"), [(0.998, True), (0.9, False)])
def test_says_whether_a_ceiling_was_reached_or_scores_are_merely_equal(score, full):
    runs = confirmed("a", [score] * 10) + confirmed("b", [score] * 10)
    found = confirm(runs, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
    assert (found.ceiling, found.full) == (True, full)


def test_the_metric_is_not_changed_at_a_later_look():
    rng = np.random.default_rng(0)
    early = 0.9 + 0.01 * rng.standard_normal((2, 10))
    runs = [
        *confirmed("a", [*early[0], *[0.998] * 30], loss=[0.5] * 40),
        *confirmed("b", [*early[1], *[0.998] * 30], loss=[0.1] * 40),
    ]
    found = confirm(runs, [chosen("a"), chosen("b")], objective=ACCURACY, rules=RULES)
    assert (found.ceiling, found.objective.metric, found.confirmation.look) == (False, "accuracy", 40)


def test_the_second_objective_brings_its_own_epsilon():
    second = tie_break(ACCURACY)
    assert (second.metric, second.maximize, second.epsilon, second.relative) == ("loss", False, 0.01, True)
