from dataclasses import replace

import pytest
from synthetic import MAE, NO_VERDICT, TIE, TWELVE, World, bare, every_kind, material, nothing_completed, unused

from sweeper.report.text import headline, next_steps, paragraph, summary
from sweeper.trial import Combination
from sweeper.verdict import Explored, Finalist, Interval, Outcome, Pick, Verdict

RELU, TANH, ELU = (Combination({"activation": a, "optimizer": "adam"}) for a in ("relu", "tanh", "elu"))


def finalist(combination, score, half, regret, *, in_set=True, seeds=20, diverged=0):
    interval = Interval(score - half, score + half)
    return Finalist(
        combination,
        {**combination, "learning_rate": 0.003},
        score,
        interval,
        (score,) * seeds,
        regret,
        in_set,
        diverged,
        0.3,
    )


def verdict(outcome, *finalists, **changes):
    pick = finalists[0]
    common = {
        "study": "digits",
        "outcome": outcome,
        "winner": pick.combination if outcome is Outcome.WINNER else None,
        "pick": Pick(pick.combination, pick.params),
        "regret": pick.regret,
        "may_be_best": tuple(f.combination for f in finalists if f.in_set),
        "finalists": finalists,
        "explored": tuple(Explored(c, 8, 0.97, 0) for c in (RELU, TANH, ELU)),
        "metric": "accuracy",
        "goal": "maximize",
        "alpha": 0.05,
        "epsilon": 0.003,
    }
    return Verdict(**{**common, **changes})


def winner(**changes):
    rest = [finalist(TANH, 0.968, 0.004, 0.006, in_set=False), finalist(ELU, 0.95, 0.004, 0.03, in_set=False)]
    return verdict(Outcome.WINNER, finalist(RELU, 0.972, 0.004, 0.0), *rest, **{"lead": 0.004, **changes})


def open_question(**changes):
    rest = [finalist(TANH, 0.970, 0.004, 0.007), finalist(ELU, 0.95, 0.004, 0.03, in_set=False)]
    first = finalist(RELU, 0.972, 0.004, 0.0056)
    return verdict(Outcome.NOT_SEPARATED, first, *rest, **{"seeds_needed": 60, "lead": 0.002, **changes})


def test_winner():
    assert headline(winner()) == (
        "relu + adam wins: accuracy 0.972 (95 % interval 0.968 to 0.976), 0.4 points ahead of "
        "the next best, tanh + adam."
    )
    assert (
        "With 95 % confidence no other finalist is better, and its mean is ahead by at least 0.3 points"
        in paragraph(winner())
    )


def test_winner_where_less_is_better():
    best, next_best = finalist(RELU, 43.2, 1.1, 0.0), finalist(TANH, 45.1, 1.1, 3.0, in_set=False)
    told = verdict(Outcome.WINNER, next_best, best, winner=RELU, metric="mae", goal="minimize", epsilon=0.4, lead=1.9)
    told = replace(told, pick=Pick(RELU, best.params))
    assert headline(told) == (
        "relu + adam wins: mae 43.2 (95 % interval 42.1 to 44.3), 1.9 ahead of the next best, tanh + adam."
    )
    assert "points" not in summary(told)
    assert "at most above best" in summary(told)


def test_what_a_pick_owes_to_having_been_chosen_is_said():
    told = open_question()
    lucky = replace(told, pick=replace(told.pick, expected=0.970))
    assert "expect 0.970." in paragraph(lucky)
    assert "lucky as well as good, here by about 0.2 points" in paragraph(lucky)
    assert "expect 0.97" not in paragraph(told)
    same = replace(told, pick=replace(told.pick, expected=0.97199))
    assert paragraph(same) == paragraph(told)


def test_only_finalist():
    alone = verdict(Outcome.WINNER, finalist(RELU, 0.972, 0.004, 0.0))
    assert headline(alone).endswith("It was the only finalist.")
    assert "nothing was compared with it" in paragraph(alone)


def test_tie_of_several():
    pair = finalist(RELU, 0.972, 0.001, 0.001), finalist(TANH, 0.9715, 0.001, 0.002)
    third = finalist(ELU, 0.95, 0.001, 0.03, in_set=False)
    told = verdict(Outcome.TIE, *pair, third)
    assert headline(told) == (
        "Tie: 2 of 3 finalists are equally good to within 0.3 points; "
        "use relu + adam (accuracy 0.972, 95 % interval 0.971 to 0.973)."
    )
    assert headline(verdict(Outcome.TIE, *pair)).startswith("Tie: both finalists are equally good")
    assert "loses less than 0.3 points" in paragraph(told)


def test_tie_of_a_lead_that_does_not_matter():
    rest = finalist(TANH, 0.971, 0.0005, 0.002, in_set=False)
    told = verdict(Outcome.TIE, finalist(RELU, 0.972, 0.0005, 0.0), rest, lead=0.001)
    assert headline(told).startswith("Tie: the lead of 0.1 points is smaller than the 0.3 points that matter; use relu")
    assert "ahead with 95 % confidence, but by less than 0.3 points" in paragraph(told)


def test_not_separated():
    assert headline(open_question()) == (
        "Not separated: 2 of 3 finalists may be best; the pick, relu + adam, is at most 0.6 points below the best "
        "(95 %). About 60 seeds a finalist would tell; it had 20."
    )
    assert "up to 0.6 points may lie between the pick and the best, more than 0.3 points" in paragraph(open_question())
    (advice,) = (step for step in next_steps(open_question()) if "confirm: {seeds: 60}" in step)
    assert "add it to `looks` if" in advice
    assert "a second look beyond the plan" in advice


def test_not_separated_where_less_is_better():
    rest = finalist(TANH, 43.6, 1.1, 1.5)
    told = verdict(
        Outcome.NOT_SEPARATED, finalist(RELU, 43.2, 1.1, 0.93), rest, metric="mae", goal="minimize", epsilon=0.4
    )
    assert "is at most 1.0 above the best (95 %)" in headline(told)


def test_not_separated_but_the_pick_is_safe():
    told = open_question(regret=0.002)
    assert "less than 0.3 points" in paragraph(told)
    assert "safe to use" in paragraph(told)


@pytest.mark.parametrize("outcome", [Outcome.NOT_SEPARATED, Outcome.TIE])
@pytest.mark.parametrize("regret", [0.0029, 0.003])
def test_a_bound_that_reads_like_what_matters_is_not_called_less(outcome, regret):
    said = paragraph(replace(open_question(regret=regret), outcome=outcome))
    assert "is at most 0.3 points below the best, which does not matter here" in said
    assert "less than 0.3 points" not in said


def test_seeds_that_were_trained_already_are_not_asked_for():
    assert "seeds a finalist" not in headline(open_question(seeds_needed=15))


def test_confidence_follows_alpha():
    assert "(99 %)" in headline(open_question(alpha=0.01))


def test_without_confirmation_the_pick_is_an_expectation_not_the_best_run():
    lucky = Explored(TANH, 8, 0.99, 0)
    explored = (Explored(RELU, 8, 0.98, 0), lucky)
    told = replace(open_question(), outcome=Outcome.NO_VERDICT, finalists=(), explored=explored)
    assert headline(told) == (
        "No verdict: nothing was confirmed on fresh seeds; relu + adam is expected to be best from exploration "
        "(its best run: validation accuracy 0.980)."
    )


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (unused(), "No verdict: nothing was trained."),
        (nothing_completed(), "No verdict: none of 72 trials ended with a score (every one diverged)."),
        (bare(material()), "No verdict: nothing was confirmed on fresh seeds; "),
    ],
)
def test_no_verdict(made, expected):
    assert headline(made.verdict).startswith(expected)
    assert "wins" not in summary(made.verdict)


def test_no_verdict_warns_of_luck_and_asks_for_confirmation():
    told = material(NO_VERDICT).verdict
    assert "lucky" in paragraph(told)
    assert any("confirm" in step for step in next_steps(told))


def test_no_verdict_on_too_small_a_confirmation():
    told = verdict(Outcome.NO_VERDICT, finalist(RELU, 0.97, 0.1, 0.1, seeds=2))
    assert headline(told) == "No verdict: the confirmation is too small to say anything; relu + adam leads so far."


def test_unfinished_plan_is_said():
    told = winner(complete=False)
    assert "not trained to its end" in paragraph(told)
    assert any("same command again" in step for step in next_steps(told))


def test_other_strategies_make_no_claim_of_fairness():
    unequal = tuple(Explored(c, trials, 0.97, 0) for c, trials in ((RELU, 8), (TANH, 2)))
    assert "unequal budgets" in paragraph(winner(strategy="tpe", explored=unequal))
    assert "unequal budgets" not in paragraph(winner(strategy="grid"))
    assert "unequal budgets" not in paragraph(winner())


def test_seeds_are_told_as_a_span_where_finalists_stopped_early():
    told = verdict(
        Outcome.WINNER,
        finalist(RELU, 0.97, 0.004, 0.0, seeds=40),
        finalist(TANH, 0.95, 0.004, 0.1, in_set=False, seeds=10),
    )
    assert "with 10 to 40 fresh seeds" in paragraph(told)


def test_unstable_finalist_is_named():
    told = verdict(Outcome.TIE, finalist(RELU, 0.972, 0.001, 0.001), finalist(TANH, 0.971, 0.001, 0.002, diverged=3))
    assert "tanh + adam (unstable: 3 diverged)" in summary(told)


def test_summary_is_plain_and_holds_every_finalist_and_note():
    told = winner(notes=("The optimum lies on the border.",))
    text = summary(told)
    assert text.startswith("relu + adam wins")
    assert max(map(len, text.splitlines())) <= 100
    assert "  * The optimum lies on the border." in text
    rows = [line for line in text.splitlines() if line.startswith(("relu + adam  ", "tanh + adam  ", "elu + adam  "))]
    assert [row.split()[3] for row in rows] == ["0.972", "0.968", "0.950"]


@pytest.mark.parametrize("name", every_kind())
def test_every_kind_has_words(name):
    told = every_kind()[name].verdict
    for text in (headline(told), paragraph(told), summary(told)):
        assert "nan" not in text.lower().replace("finan", "")
        assert "None" not in text
        assert "\x1b" not in text


@pytest.mark.parametrize("world", [World(), TWELVE, TIE, MAE])
def test_headline_names_the_pick(world):
    told = material(world).verdict
    assert str(told.pick.combination) in headline(told)


def test_where_the_tie_break_decides_bounds_are_in_its_unit_and_direction():
    decided = open_question(decided_by="loss", epsilon=0.0007, regret=0.008)
    said = headline(decided)
    assert "at most 0.008" in said
    assert "in loss above the best" in said
    assert "points" not in said + paragraph(decided)
    assert "0.972" in summary(decided)  # scores stay those of the study's metric
    assert "alike in accuracy to be told apart, so loss decides" in paragraph(decided)
    assert "decides" not in paragraph(open_question())


def test_a_pick_that_is_worse_in_the_first_metric_is_said_to_be():
    lower = (finalist(RELU, 0.940, 0.004, 0.0), finalist(TANH, 0.950, 0.004, 0.006, in_set=False))
    told = paragraph(verdict(Outcome.WINNER, *lower, decided_by="loss", lead=0.02))
    assert "Accuracy is at its ceiling or too often exactly equal, so loss decides, as declared beforehand" in told
    assert "in accuracy the mean of relu + adam is 1.0 points worse than that of tanh + adam." in told
