import json
import math
from dataclasses import replace

import numpy as np
import pytest
from stat_records import (
    ACCURACY,
    LOSS,
    RATES,
    as_planned,
    combination,
    confirmed,
    explored,
    parameter,
    peaked,
    record,
    space,
)

from sweeper.space import Choice, Space
from sweeper.stats.judging import JudgeRules, judge, study
from sweeper.trial import Stage, Status
from sweeper.verdict import Outcome

NO_INFORMATION = {"accuracy": 0.1, "loss": 2.3}
RULES = JudgeRules(no_information=NO_INFORMATION)
A, B, C = (combination(name) for name in "abc")


def verdict(records, *names, objective=ACCURACY, rules=RULES, complete=True, over=None):
    over = over or space(*names)
    chosen = study(records, space=over, objective=objective, rules=rules).finalists.chosen
    records = as_planned(records, chosen)
    return judge("world", records, space=over, objective=objective, rules=rules, complete=complete)


def seeds(mean, *, count=10, sd=0.01, seed=0):
    return mean + sd * np.random.default_rng([seed, int(1e6 * mean)]).standard_normal(count)


def explore(**tops):
    return [each for name, top in tops.items() for each in peaked(name, top)]


def noted(found, words):
    return any(words in note for note in found.notes)


def test_winner():
    records = explore(a=0.90, b=0.89, c=0.70) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.85))
    rules = replace(RULES, finalists=3)
    found = verdict(records + confirmed("c", seeds(0.7)), "a", "b", "c", rules=rules)
    assert found.outcome is Outcome.WINNER
    assert found.winner == found.pick.combination == A
    assert found.may_be_best == (A,)
    assert found.regret == 0.0
    assert found.lead == pytest.approx(0.07, abs=0.02)
    assert [f.in_set for f in found.finalists] == [True, False, False]
    assert found.seeds_needed is None
    assert found.notes == ()


def test_the_score_of_a_finalist_is_that_of_its_fresh_seeds():
    scores = seeds(0.92)
    records = explore(a=0.99, b=0.89) + confirmed("a", scores) + confirmed("b", seeds(0.85))
    winner = verdict(records, "a", "b").finalists[0]
    assert winner.score == pytest.approx(scores.mean())
    assert winner.scores == tuple(scores)
    assert winner.seeds == 10
    assert winner.params["learning_rate"] == pytest.approx(0.01, rel=0.3)
    assert winner.interval.low < scores.mean() < winner.interval.high


def test_after_an_extension_that_moves_the_best_rate_only_the_new_one_is_judged():
    before = explore(a=0.99, b=0.89)
    (first, _) = study(before, space=space("a", "b"), objective=ACCURACY, rules=RULES).finalists.chosen
    records = as_planned(before + confirmed("a", seeds(0.95), diverged={0}), [first])
    records += explored("a", {0.3: 1.2, 0.25: 1.2, 0.35: 1.2})
    chosen = study(records, space=space("a", "b"), objective=ACCURACY, rules=RULES).finalists.chosen
    again = as_planned(confirmed("a", seeds(0.80)) + confirmed("b", seeds(0.85)), chosen)
    found = judge("world", records + again, space=space("a", "b"), objective=ACCURACY, rules=RULES)
    judged = next(each for each in found.finalists if each.combination == A)
    assert judged.params == chosen[0].params != first.params
    assert judged.score == pytest.approx(seeds(0.80).mean())
    assert (judged.diverged, found.winner) == (0, B)


def test_tie_of_what_is_proven_to_be_alike():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.9, sd=0.0002)) + confirmed("b", seeds(0.9005, sd=0.0002))
    found = verdict(records, "a", "b")
    assert found.outcome is Outcome.TIE
    assert found.winner is None
    assert found.regret < ACCURACY.epsilon


def test_a_lead_below_epsilon_is_a_tie_although_it_is_certain():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.902, sd=1e-5)) + confirmed("b", seeds(0.9, sd=1e-5))
    found = verdict(records, "a", "b")
    assert (found.outcome, found.winner, found.may_be_best) == (Outcome.TIE, None, (A,))
    assert found.pick.combination == A
    assert noted(found, "by less than the smallest difference that matters")


def test_not_separated_says_how_many_seeds_it_takes():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.91, count=40, sd=0.03, seed=1))
    found = verdict(records + confirmed("b", seeds(0.9, count=40, sd=0.03, seed=1)), "a", "b")
    assert found.outcome is Outcome.NOT_SEPARATED
    assert found.winner is None
    assert found.seeds_needed > 40
    assert found.regret > ACCURACY.epsilon
    leader = found.finalists[0]
    assert found.pick.combination == leader.combination
    assert leader.score - 0.01 < found.pick.expected < leader.score


def test_a_single_mishap_does_not_decide_what_is_picked():
    steady, struck = seeds(0.900, count=40, sd=0.01, seed=2), seeds(0.905, count=40, sd=0.01, seed=3)
    struck[7] -= 0.5
    records = explore(a=0.90, b=0.89) + confirmed("a", steady) + confirmed("b", struck)
    found = verdict(records, "a", "b")
    assert found.outcome is Outcome.NOT_SEPARATED
    assert struck.mean() < steady.mean()
    assert found.pick.combination == B
    assert noted(found, "whose mean is better")


def test_what_the_pick_is_expected_to_score_goes_the_way_of_the_metric():
    records = explore(a=0.90, b=0.89)
    for name, seed in (("a", 1), ("b", 2)):
        records += [
            replace(each, ended=replace(each.ended, metrics={"test_loss": 1 - each.ended.metrics["test_accuracy"]}))
            for each in confirmed(name, seeds(0.5, count=40, sd=0.03, seed=seed))
        ]
    records = [
        replace(each, ended=replace(each.ended, metrics={"val_loss": 1 - each.ended.metrics["val_accuracy"]}))
        if "val_accuracy" in each.ended.metrics
        else each
        for each in records
    ]
    found = verdict(records, "a", "b", objective=LOSS)
    assert found.outcome is Outcome.NOT_SEPARATED
    score = next(each.score for each in found.finalists if each.combination == found.pick.combination)
    assert score < found.pick.expected < score + 0.01


def test_where_one_is_left_its_mean_is_what_is_expected():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.85))
    found = verdict(records, "a", "b")
    assert found.pick.expected == found.finalists[0].score


def test_losses_are_minimised():
    def curve(name, least):
        return explored(name, {RATES.at((i + 0.5) / 8): least + 0.1 * abs(i - 4) for i in range(8)}, metric="loss")

    records = curve("a", 0.5) + curve("b", 0.3)
    records += confirmed("a", seeds(0.5), metric="loss") + confirmed("b", seeds(0.3), metric="loss")
    found = verdict(records, "a", "b", objective=LOSS)
    assert (found.winner, found.goal, found.metric) == (B, "minimize", "loss")
    assert found.epsilon == pytest.approx(0.01 * found.finalists[0].score)
    assert [str(each.combination) for each in found.explored] == ["b", "a"]
    assert found.explored[0].best == 0.3


def test_a_seed_that_does_not_vary_wins_and_says_so():
    records = explore(a=0.90, b=0.89) + confirmed("a", [0.9] * 10) + confirmed("b", [0.8] * 10)
    found = verdict(records, "a", "b")
    assert found.outcome is Outcome.WINNER
    assert noted(found, "do not vary from seed to seed")


def test_equal_scores_are_a_tie():
    records = explore(a=0.90, b=0.89) + confirmed("a", [0.9] * 10) + confirmed("b", [0.9] * 10)
    found = verdict(records, "a", "b")
    assert (found.outcome, found.regret) == (Outcome.TIE, 0.0)


def tied(**plateaus):
    """Exploration with a plateau of some half decades, and a confirmation of equal scores."""
    records = []
    for name, width in plateaus.items():
        scores = {RATES.at((i + 0.5) / 8): 0.9 if abs(i - 3.5) < width / 2 else 0.5 for i in range(8)}
        records += explored(name, scores) + confirmed(name, 0.9 + 1e-5 * np.arange(10))
    return records


def test_in_a_tie_the_widest_plateau_is_picked():
    found = verdict(tied(a=2, b=6, c=2), "a", "b", "c")
    assert (found.outcome, found.pick.combination) == (Outcome.TIE, B)


def test_in_a_tie_of_equal_plateaus_fewer_tuned_parameters_are_picked():
    over = Space(
        (
            parameter("optimizer", Choice(("a", "b"))),
            parameter("learning_rate", RATES),
            parameter("momentum", Choice((0.0, 0.9)), optimizer="a"),
        ),
        ("optimizer",),
    )
    records = [
        replace(each, spec=replace(each.spec, params={**each.spec.params, "momentum": 0.9})) for each in tied(a=4)
    ]
    assert verdict(records + tied(b=4), over=over).pick.combination == B


def test_in_a_tie_without_anything_else_the_higher_mean_is_picked_and_time_is_not_looked_at():
    slow = [replace(each, ended=replace(each.ended, duration_s=99.0)) for each in confirmed("b", [0.9001] * 10)]
    records = explore(a=0.9, b=0.9) + confirmed("a", [0.9] * 10) + slow
    found = verdict(records, "a", "b")
    assert (found.outcome, found.pick.combination) == (Outcome.TIE, B)
    assert [f.duration_s for f in found.finalists] == [99.0, 1.0]


def test_an_unstable_finalist_cannot_win_a_tie():
    wide = objective_with(epsilon=0.5)
    records = tied(a=2) + [each for each in tied(b=6) if each.spec.stage is Stage.EXPLORE]
    records += confirmed("b", 0.9 + 1e-5 * np.arange(10), diverged={4})
    found = verdict(records, "a", "b", objective=wide)
    assert (found.outcome, found.pick.combination) == (Outcome.TIE, A)
    unstable = next(f for f in found.finalists if f.combination == B)
    assert (unstable.unstable, unstable.diverged, unstable.scores[4]) == (True, 1, 0.1)
    assert noted(found, "Unstable: b diverged in 1 of 10 confirmation runs (95% interval 0% to 45%)")


def objective_with(**changes):
    return replace(ACCURACY, **changes)


def test_an_unstable_finalist_can_win_outright():
    records = explore(a=0.95, b=0.3) + confirmed("a", seeds(0.95), diverged={2}) + confirmed("b", seeds(0.2))
    found = verdict(records, "a", "b")
    assert (found.winner, found.finalists[0].unstable) == (A, True)


def test_all_unstable_still_have_a_pick():
    records = (
        explore(a=0.9, b=0.9) + confirmed("a", seeds(0.9), diverged={2}) + confirmed("b", seeds(0.9), diverged={5})
    )
    assert verdict(records, "a", "b").pick is not None


def test_at_the_ceiling_the_declared_metric_decides_and_scores_stay_in_the_studys():
    noise = 0.001 * np.random.default_rng(0).standard_normal(10)
    records = explore(a=0.99, b=0.99)
    records += confirmed("a", [0.998] * 10, loss=0.05 + noise) + confirmed("b", [0.997] * 10, loss=0.02 - noise)
    found = verdict(records, "a", "b")
    assert (found.outcome, found.winner, found.metric, found.decided_by) == (Outcome.WINNER, B, "accuracy", "loss")
    assert found.finalists[0].score == pytest.approx(0.997)
    assert found.lead == pytest.approx(0.03, abs=0.002)
    assert found.epsilon == pytest.approx(0.01 * 0.02, rel=0.05)
    assert noted(found, "accuracy is at its ceiling; loss decides, as declared beforehand")


def test_equal_scores_far_below_the_ceiling_are_not_called_a_ceiling():
    noise = 0.001 * np.random.default_rng(0).standard_normal(10)
    records = explore(a=0.9, b=0.9)
    records += confirmed("a", [0.9] * 10, loss=0.05 + noise) + confirmed("b", [0.9] * 10, loss=0.02 - noise)
    found = verdict(records, "a", "b")
    assert noted(found, "Most seeds give exactly equal accuracy (too few test rows to tell them apart); loss decides")
    assert not noted(found, "at its ceiling")


def test_what_was_never_begun_is_not_said_to_have_failed():
    found = verdict(explored("a", {0.01: 0.9, 0.1: 0.8}) + explored("c", {}, diverged=[0.1]), "a", "b", "c")
    assert noted(found, "Never completed in exploration: c.")


def test_without_ceiling_the_studys_metric_decides():
    found = verdict(explore(a=0.9, b=0.8), "a", "b")
    assert found.decided_by == found.metric == "accuracy"


def test_before_the_first_look_the_leader_of_exploration_is_picked():
    records = explore(a=0.90, b=0.80) + confirmed("a", seeds(0.5, count=9)) + confirmed("b", seeds(0.9, count=10))
    found = verdict(records, "a", "b", complete=False)
    assert (found.outcome, found.pick.combination, found.regret) == (Outcome.NO_VERDICT, A, None)
    assert (found.finalists, found.may_be_best, found.lead) == ((), (), None)
    assert noted(found, "did not reach its first look: 9 of 10 seeds")
    assert noted(found, "The plan was not finished")
    assert found.complete is False


def test_a_study_without_confirmation_picks_by_exploration():
    found = verdict(explore(a=0.90, b=0.80), "a", "b", rules=replace(RULES, looks=(), confirm=False))
    assert (found.outcome, found.pick.combination) == (Outcome.NO_VERDICT, A)
    assert found.pick.params["learning_rate"] == pytest.approx(0.01, rel=0.3)
    assert noted(found, "Nothing was confirmed")


def test_seeds_after_the_last_complete_look_do_not_count():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.9, count=15, sd=0.03))
    found = verdict(records + confirmed("b", seeds(0.9, count=14, sd=0.03)), "a", "b", complete=False)
    assert [f.seeds for f in found.finalists] == [10, 10]


def test_everything_diverged():
    found = verdict(explored("a", {}, diverged=[0.1, 0.2]) + explored("b", {}, diverged=[0.1]), "a", "b")
    assert (found.outcome, found.pick, found.winner) == (Outcome.NO_VERDICT, None, None)
    assert [each.diverged for each in found.explored] == [2, 1]
    assert noted(found, "3 of 3 diverged")


def test_nothing_trained_at_all():
    found = verdict([], "a", "b")
    assert (found.outcome, found.pick, found.trials) == (Outcome.NO_VERDICT, None, {})
    assert len(found.explored) == 2


def test_a_confirmation_that_diverges_everywhere_is_a_tie_of_nothing():
    records = explore(a=0.9, b=0.9) + confirmed("a", [0] * 10, diverged=set(range(10)))
    found = verdict(records + confirmed("b", [0] * 10, diverged=set(range(10))), "a", "b")
    assert found.outcome is Outcome.TIE
    assert [f.score for f in found.finalists] == [0.1, 0.1]
    assert sum(f.unstable for f in found.finalists) == 2


def test_failed_trials_carry_no_score():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92), failed={1, 2}) + confirmed("b", seeds(0.85))
    found = verdict(records, "a", "b")
    assert found.winner == A
    assert [f.seeds for f in found.finalists] == [8, 10]
    assert noted(found, "judged by 8 of 10 seeds")


def test_a_finalist_that_mostly_fails_is_named_not_judged():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.85), failed=set(range(8)))
    found = verdict(records, "a", "b")
    assert [f.combination for f in found.finalists] == [A]
    assert noted(found, "Could not be confirmed, could still be best: b")


def test_kept_models_are_no_evidence():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.85))
    kept = record(Stage.KEEP, "b", {"val_accuracy": 1.0, "test_accuracy": 1.0})
    assert verdict([*records, kept], "a", "b") == verdict(records, "a", "b")


def test_counts_trials_by_stage_and_status():
    records = explored("a", {0.01: 0.9}, diverged=[0.1]) + confirmed("a", [0.9, 0.8], failed={1})
    found = verdict(records, "a")
    assert found.trials == {
        "explore": {"COMPLETED": 1, "DIVERGED": 1},
        "confirm": {"COMPLETED": 1, "FAILED": 1},
    }


def test_a_single_combination_is_confirmed_without_a_rival():
    found = verdict(explore(a=0.9) + confirmed("a", seeds(0.9)), "a")
    assert (found.outcome, found.lead) == (Outcome.WINNER, None)
    assert noted(found, "nothing to compare it with")


def test_threats_of_exploration_are_named():
    edge = explored("a", {RATES.at((i + 0.5) / 8): 0.8 + 0.01 * i for i in range(8)})
    records = edge + explored("c", {}, diverged=[0.1]) + peaked("b", 0.7)
    records += [record(Stage.EXPLORE, "b", {}, status=Status.FAILED)]
    found = verdict(records, "a", "b", "c")
    assert noted(found, "a is best at the border of its range of learning_rate")
    assert noted(found, "Never completed in exploration: c")
    assert noted(found, "1 of 18 trials of the exploration failed")


def test_who_was_cut_off_is_named():
    names = [f"o{i}" for i in range(12)]
    rng = np.random.default_rng(0)
    records = []
    for name in names:
        rates = [RATES.at((i + 0.5) / 8) for i in range(8)]
        noise = 0.003 * rng.standard_normal(8)
        tops = {r: 0.9 - 0.02 * np.log10(r / 0.01) ** 2 + e for r, e in zip(rates, noise.tolist(), strict=True)}
        records += explored(name, tops)
    found = verdict(records, *names, rules=replace(RULES, finalists=2))
    assert noted(found, "Not confirmed, could still be best: ")


def test_an_adaptive_search_is_not_called_balanced():
    records = explored("a", {0.01 * i: 0.9 for i in range(1, 20)}, stage=Stage.SEARCH)
    records += explored("b", {0.01: 0.8, 0.1: 0.7}, stage=Stage.SEARCH)
    found = verdict(records, "a", "b", rules=replace(RULES, strategy="tpe"))
    assert noted(found, "Explored by tpe, not balanced: combinations had 2 to 19 trials")
    assert found.strategy == "tpe"


def test_a_search_of_equal_budgets_is_not_blamed_for_unequal_ones():
    rates = {0.01: 0.9, 0.1: 0.8}
    records = explored("a", rates, stage=Stage.SEARCH) + explored("b", rates, stage=Stage.SEARCH)
    assert not noted(verdict(records, "a", "b", rules=replace(RULES, strategy="grid")), "not balanced")


def test_too_few_points_are_named():
    assert noted(verdict(explored("a", {0.01: 0.9, 0.1: 0.8}), "a"), "Explored with 2 points a combination")


def test_the_document_is_json():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.85), failed=set(range(8)))
    for found in (verdict(records, "a", "b"), verdict([], "a"), verdict(explore(a=0.9), "a")):
        assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["outcome"] == found.outcome.value


def test_the_interval_of_a_share_stays_between_0_and_1():
    records = explore(a=0.99, b=0.5) + confirmed("a", [1.0] * 9 + [0.9]) + confirmed("b", seeds(0.5))
    interval = verdict(records, "a", "b").finalists[0].interval
    assert interval.high == 1.0


def test_the_order_of_the_records_changes_nothing():
    records = explore(a=0.90, b=0.89) + confirmed("a", seeds(0.92)) + confirmed("b", seeds(0.91))
    shuffled = [records[i] for i in np.random.default_rng(0).permutation(len(records))]
    assert verdict(records, "a", "b").to_dict()["outcome"] == verdict(shuffled, "a", "b").to_dict()["outcome"]
    assert verdict(records, "a", "b") == verdict(list(records), "a", "b")


def test_the_planner_is_told_who_needs_how_many_seeds():
    found = study(explore(a=0.90, b=0.89), space=space("a", "b"), objective=ACCURACY, rules=RULES)
    assert [each.combination for each in found.finalists.chosen] == [A, B]
    assert found.evidence.confirmation.next_look == 10
    assert all(math.isfinite(each.estimate) for each in found.screened)
