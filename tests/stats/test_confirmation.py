import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from stat_records import ACCURACY, LOSS, combination

from sweeper.stats.confirmation import replay
from sweeper.stats.rules import JudgeRules
from sweeper.stats.unresolved import Unresolved
from sweeper.verdict import Objective

LOOKS = (10, 20, 30, 40)
A, B, C, D = (combination(name) for name in "abcd")


def drawn(means, seeds=40, sd=0.01, seed=0):
    rng = np.random.default_rng(seed)
    shift = 0.02 * rng.standard_normal(seeds)
    return {combination(name): mean + shift + sd * rng.standard_normal(seeds) for name, mean in means.items()}


def first(scores, seeds):
    return {each: values[:seeds] for each, values in scores.items()}


def played(scores, *, objective=ACCURACY, alpha=0.05, looks=LOOKS, seed=0):
    return replay(scores, objective=objective, rules=JudgeRules(alpha=alpha, looks=looks, seed=seed))


def test_before_the_first_look_everybody_is_alive():
    for scores in ({A: [], B: []}, first(drawn({"a": 0.9, "b": 0.8}), 9), {A: [0.9] * 10, B: [0.8] * 9}):
        state = played(scores)
        assert (state.alive, state.look, state.next_look, state.decided) == ((A, B), 0, 10, False)
        assert state.standings == ()


def test_drops_who_cannot_be_the_best_and_asks_for_more_seeds_of_the_rest():
    scores = drawn({"a": 0.900, "b": 0.899, "c": 0.80})
    state = played(first(scores, 10))
    assert state.alive == (A, B) or state.alive == (B, A)
    assert (state.look, state.next_look, state.decided) == (10, 20, False)
    dropped = state.standings[-1]
    assert (dropped.combination, dropped.look, dropped.in_set) == (C, 10, False)
    assert dropped.regret > 0.09


def test_who_was_dropped_keeps_the_standing_of_its_last_look():
    scores = drawn({"a": 0.900, "b": 0.899, "c": 0.80})
    scores[C] = scores[C][:10]
    early, late = played(first(scores, 10)), played(scores)
    assert late.look > 10
    assert late.standings[-1] == early.standings[-1]


def test_stops_when_one_is_left():
    state = played(drawn({"a": 0.90, "b": 0.80, "c": 0.70}, seeds=10))
    assert (state.alive, state.decided, state.next_look) == ((A,), True, None)
    assert state.standings[0].regret == 0.0
    assert state.lead == pytest.approx(0.1, abs=0.02)


def test_stops_when_nobody_can_be_far_behind():
    state = played(drawn({"a": 0.9, "b": 0.9}, seeds=10, sd=0.0005))
    assert state.decided
    assert len(state.alive) == 2
    assert max(each.regret for each in state.members) < ACCURACY.epsilon


def test_stops_when_the_looks_are_spent():
    state = played(drawn({"a": 0.9, "b": 0.9}, sd=0.05))
    assert (state.look, state.next_look, state.decided) == (40, None, False)


def test_the_planner_on_its_way_and_the_judge_at_the_end_agree():
    """A look sees nothing of the seeds after it."""
    for seed in range(5):
        scores = drawn({"a": 0.9, "b": 0.9, "c": 0.895, "d": 0.88}, seed=seed)
        states = [played(first(scores, look)) for look in LOOKS]
        given: dict = {}
        while True:
            state = played({each: given.get(each, []) for each in scores})
            if state.next_look is None:
                break
            given |= {each: scores[each][: state.next_look] for each in state.alive}
        assert state == played(scores)
        assert state == next(s for s in states if s.look == state.look)


def test_the_order_of_the_study_changes_nothing_but_ties():
    scores = drawn({"a": 0.9, "b": 0.85, "c": 0.89})
    backwards = dict(reversed(scores.items()))
    assert [s.combination for s in played(scores).standings] == [s.combination for s in played(backwards).standings]


def test_the_looks_share_alpha():
    scores = drawn({"a": 0.9, "b": 0.8915}, seeds=10, seed=1)
    p = stats.ttest_rel(scores[A], scores[B], alternative="greater").pvalue
    assert 0.05 / 4 < p < 0.05
    assert len(played(scores, looks=(10,)).alive) == 1
    assert len(played(scores).alive) == 2


def test_lower_is_better_for_a_loss():
    state = played(drawn({"a": 0.9, "b": 0.3}, seeds=10), objective=LOSS)
    assert state.alive == (B,)
    assert state.standings[0].mean == pytest.approx(0.3, abs=0.03)


def test_a_relative_epsilon_is_a_share_of_the_leaders_score():
    state = played(drawn({"a": 0.9, "b": 0.3}, seeds=10), objective=LOSS)
    assert state.epsilon == pytest.approx(0.01 * state.standings[0].mean)


def test_the_interval_is_students_over_all_finalists():
    scores = drawn({"a": 0.9, "b": 0.8, "c": 0.7}, seeds=10)
    standing = played(scores).standings[0]
    expected = stats.ttest_1samp(scores[A], 0).confidence_interval(1 - 0.05 / 3)
    assert (standing.interval.low, standing.interval.high) == pytest.approx((expected.low, expected.high))


def test_a_repetition_that_failed_is_left_out_for_all():
    scores = drawn({"a": 0.90, "b": 0.80}, seeds=10)
    complete = played(scores)
    scores[A][3] = math.nan
    scores[B][3] = -1e9
    state = played(scores)
    assert [each.seeds for each in state.standings] == [9, 9]
    assert state.alive == complete.alive


def test_who_fails_more_often_than_not_cannot_be_judged():
    scores = drawn({"a": 0.90, "b": 0.80, "c": 0.99}, seeds=10)
    scores[C][:6] = math.nan
    state = played(scores)
    assert state.failing == (C,)
    assert state.alive == (A,)
    assert C not in [each.combination for each in state.standings]


def test_when_everything_fails_nothing_is_asked_for():
    state = played({A: [math.nan] * 10, B: [math.nan] * 10})
    assert (state.alive, state.next_look, state.decided, state.failing) == ((), None, False, (A, B))


def test_a_single_finalist_is_scored_once():
    state = played(drawn({"a": 0.9}, seeds=10))
    assert (state.alive, state.decided, state.lead) == ((A,), True, None)


def test_nobody_to_confirm():
    state = played({})
    assert (state.alive, state.next_look, state.decided) == ((), None, False)


def test_one_seed_cannot_be_judged():
    state = played({A: [0.9], B: [0.1]}, looks=(1,))
    assert (state.standings, state.next_look, state.decided) == ((), None, False)


def test_the_seeds_needed_are_about_those_that_decide():
    """Under the truth that was measured, as many seeds separate in most worlds and half as many seldom do."""
    sd, lead, epsilon = 0.01, 0.006, replace(ACCURACY, epsilon=0.001)
    needed = [
        played(drawn({"a": 0.9, "b": 0.9 - lead}, seeds=10, sd=sd, seed=s), objective=epsilon, looks=(10,)).seeds_needed
        for s in range(60)
    ]
    usual = int(np.median([n for n in needed if n is not None]))
    wins = [
        len(
            played(
                drawn({"a": 0.9, "b": 0.9 - lead}, seeds=n, sd=sd, seed=100 + s), objective=epsilon, looks=(n,)
            ).alive
        )
        for n in (usual // 3, usual)
        for s in range(60)
    ]
    assert np.mean(np.array(wins[60:]) == 1) > 0.6
    assert np.mean(np.array(wins[:60]) == 1) < np.mean(np.array(wins[60:]) == 1)


def test_an_undecided_tie_needs_seeds_to_be_proven():
    state = played(drawn({"a": 0.9, "b": 0.9}, sd=0.006))
    assert not state.decided
    assert state.seeds_needed > 40


@pytest.mark.parametrize("gaps", [(0, 0, 0, 0), (0, 0.5, 0.5, 0.5)], ids=["tied", "half a sd behind"])
def test_over_all_looks_the_best_is_kept_and_the_bounds_hold(gaps):
    worlds, objective = 80, Objective("accuracy", True, 0.0)
    names = dict(zip("abcd", gaps, strict=True))
    kept = bounded = 0
    for world in range(worlds):
        rng = np.random.default_rng([world, len(set(gaps))])
        scores = {combination(name): rng.standard_normal(40) - gap for name, gap in names.items()}
        state = played(scores, objective=objective, seed=world)
        behind = {combination(name): gap for name, gap in names.items()}
        kept += any(each.combination == A and each.in_set for each in state.standings)
        bounded += all(behind[each.combination] <= each.regret + 1e-12 for each in state.members)
    least = stats.binom.ppf(1e-4, worlds, 0.95)
    assert kept >= least
    assert bounded >= least


def test_who_may_catch_up_with_a_better_setting_stays_in_the_set():
    scores = drawn({"a": 0.90, "b": 0.89}, sd=0.004)
    plain = played(scores)
    assert plain.alive == (A,)
    generous = replay(scores, objective=ACCURACY, rules=JudgeRules(), unresolved=Unresolved(tuning={B: 0.02}))
    assert set(generous.alive) == {A, B}
    by_name = {each.combination: each for each in generous.standings}
    assert (by_name[A].behind, by_name[B].behind) == (False, True)
    assert by_name[A].regret == 0.0
    assert generous.seeds_needed is None
    stingy = replay(scores, objective=ACCURACY, rules=JudgeRules(), unresolved=Unresolved(tuning={B: 0.001, A: 0.5}))
    assert stingy.alive == (A,)


def test_an_allowance_is_for_losses_too():
    scores = drawn({"a": 0.30, "b": 0.31}, sd=0.004)
    assert played(scores, objective=LOSS).alive == (A,)
    generous = replay(scores, objective=LOSS, rules=JudgeRules(), unresolved=Unresolved(tuning={B: 0.02}))
    assert set(generous.alive) == {A, B}


def test_no_look_is_taken_that_would_take_more_trials_than_there_may_be():
    scores = drawn({"a": 0.9, "b": 0.9, "c": 0.8}, sd=0.03)
    for trials, look in ((None, 40), (90, 40), (89, 30), (60, 20), (0, 10)):
        state = replay(scores, objective=ACCURACY, rules=JudgeRules(trials=trials))
        assert state.next_look is None
        assert state.look == look, trials
    assert len(state.standings) == 3


def test_trials_of_a_finalist_that_keeps_failing_count():
    scores = drawn({"a": 0.9, "b": 0.9}, sd=0.03)
    scores[C] = [math.nan] * 10
    for trials, look in ((90, 40), (89, 30)):
        assert replay(scores, objective=ACCURACY, rules=JudgeRules(trials=trials)).look == look


def test_the_interval_of_a_quiet_leader_is_not_narrower_than_the_usual_spread_allows():
    scores = drawn({"b": 0.8, "c": 0.7}, seeds=10, sd=0.03)
    scores = {A: 0.9 + 0.001 * np.random.default_rng(1).standard_normal(10), **scores}
    quiet, *others = played(scores).standings
    usual = np.mean([np.var(each, ddof=1) for each in scores.values()])
    half = stats.t.isf(0.05 / 3 / 2, 9) * (usual / 10) ** 0.5
    assert quiet.interval.high - quiet.mean == pytest.approx(half)
    widest = max(others, key=lambda each: np.var(each.scores))
    expected = stats.ttest_1samp(widest.scores, 0).confidence_interval(1 - 0.05 / 3)
    assert (widest.interval.low, widest.interval.high) == pytest.approx((expected.low, expected.high))
