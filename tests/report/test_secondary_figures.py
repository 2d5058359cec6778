"""What the figures beside the verdict say."""

import itertools
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import synthetic
from synthetic import World, every_kind, material

from sweeper.reads import (
    Factor,
    Importance,
    Interplay,
    Level,
    Pace,
    RateWindow,
    Reads,
    Sensitivity,
    Speed,
    Tuning,
    TuningCurves,
    Weight,
)
from sweeper.report import (
    figures_combinations,
    figures_divergence,
    figures_effects,
    figures_importance,
    figures_robustness,
    figures_speed,
    figures_tuning,
)
from sweeper.report.figures import NAMES, PARTS
from sweeper.report.figures_plan import CONFIRMED
from sweeper.trial import Combination

SVG = "{http://www.w3.org/2000/svg}"
MADE = every_kind()["winner"]
COMBINATIONS = MADE.combinations()
INFINITE = float("inf")


def told(plan, reads, made=MADE, width=800):
    """The plan of a figure and its words."""
    found = plan(replace(made, reads=reads))
    svg = ElementTree.fromstring(found.draw(width).svg("x", "x"))
    return found, [text.text for text in svg.iter(f"{SVG}text")]


def factor(name, chance, at_most, spread=0.02):
    levels = (Level("a", spread / 2, 0.001, 3), Level("b", -spread / 2, 0.001, 3))
    return Factor(name, levels, spread, at_most, chance)


def test_every_figure_rests_on_a_stage_and_only_one_on_evidence():
    drawn = synthetic.drawn("winner")
    stages = {stage for _, stages in PARTS for stage in stages}
    assert {picture.stage for picture in drawn} <= stages
    assert [picture.name for picture in drawn if picture.stage == CONFIRMED] == ["confirmation"]
    assert [picture.name for picture in drawn] == list(NAMES)


def test_what_matters_and_what_does_not():
    reads = Reads(factors=(factor("optimizer", 0.001, 0.03), factor("activation", 0.6, 0.002, 0.001)))
    found, said = told(figures_effects.plan, reads)
    assert (
        found.title == "In exploration optimizer matters (2.0 points from best to worst); activation does not "
        "matter (less than 0.3 points)"
    )
    assert "no two differ by more than 3.0 points (95 %)" in said
    assert "+1.0 points" in said


def test_what_does_not_show_is_not_called_equal():
    reads = Reads(factors=(factor("optimizer", 0.4, 0.03), factor("activation", 0.6, 0.02)))
    found, _ = told(figures_effects.plan, reads)
    assert found.title == "In exploration neither optimizer nor activation makes a difference that shows"


def test_without_doubt_nothing_is_claimed():
    found, _ = told(figures_effects.plan, Reads(factors=(factor("optimizer", None, 0.02),)))
    assert "matter" not in found.title


def test_missing_interplay_is_a_finding():
    rests = dict.fromkeys(COMBINATIONS, 0.0)
    found, _ = told(figures_combinations.plan, Reads(interplay=Interplay(rests, (), 0.7)))
    assert "No pair stands out" in found.caption
    assert "nothing asks for choosing activation and optimizer together" in found.caption


def test_odd_pairs_are_marked():
    rests = {**dict.fromkeys(COMBINATIONS, 0.0), COMBINATIONS[1]: 0.02, COMBINATIONS[4]: -0.02}
    marked = (COMBINATIONS[1], COMBINATIONS[4])
    plain = figures_combinations.plan(replace(MADE, reads=Reads())).draw(800)
    sheet = figures_combinations.plan(replace(MADE, reads=Reads(interplay=Interplay(rests, marked, 0.01)))).draw(800)
    kinds = [mark.marker for mark in sheet.marks if hasattr(mark, "marker")]
    assert kinds == ["^", "v"]
    assert len(sheet.marks) == len(plain.marks) + 2


def test_estimates_come_with_their_doubt():
    _, said = told(figures_combinations.plan, Reads())
    assert said.count("± 0.004") == len(COMBINATIONS)


def window(combination, decades, *, open_=False, diverged=0, cost=0.2):
    return RateWindow(combination, 0.01, 0.003, 0.03, decades, open_, cost, 8, diverged, 0.5 if diverged else None)


def test_most_forgiving_combination_and_what_a_blind_rate_costs():
    windows = tuple(window(c, 1.5 - 0.1 * i, open_=i == 0) for i, c in enumerate(COMBINATIONS))
    found, said = told(figures_robustness.plan, Reads(sensitivity=Sensitivity(0.01, windows)))
    assert (
        found.title.replace("\u00a0", " ") == f"{COMBINATIONS[0]} forgives a wrong learning rate most: ≥ 1.5 decades "
        "within 1 point"
    )
    assert "costs 20 points on average" in found.caption
    assert "Cross" not in found.caption
    assert "1.4 decades" in said


def test_many_windows_show_both_ends():
    many = [Combination({"activation": str(i), "optimizer": "sgd"}) for i in range(60)]
    windows = tuple(window(c, 3 - 0.05 * i) for i, c in enumerate(many))
    found, said = told(figures_robustness.plan, Reads(sensitivity=Sensitivity(0.01, windows)))
    assert {"0 + sgd", "59 + sgd"} <= set(said)
    assert len([each for each in said if each.endswith("+ sgd")]) == figures_robustness.MOST_ROWS
    assert "36 combinations in between not drawn" in found.caption


def test_divergence_is_counted_where_it_happened():
    windows = tuple(window(c, 1.0, diverged=3 if i == 2 else 0) for i, c in enumerate(COMBINATIONS))
    found, said = told(figures_divergence.plan, Reads(sensitivity=Sensitivity(0.01, windows)))
    assert found.title == f"3 of 72 trainings diverged, most often {COMBINATIONS[2]} (3 of 8)"
    assert "3/8" in said
    assert "from 0.5" in said
    calm = Reads(sensitivity=Sensitivity(0.01, tuple(window(c, 1.0) for c in COMBINATIONS)))
    assert figures_divergence.plan(replace(MADE, reads=calm)) is None


def tuning(value, wins):
    line = tuple(0.9 + 0.01 * i for i in range(len(wins)))
    return Tuning(value, line, line, line, line, tuple(wins), 24)


def test_who_wins_depends_on_the_budget():
    curves = TuningCurves("optimizer", (tuning("adam", [0.7, 0.6, 0.5, 0.3]), tuning("sgd", [0.3, 0.4, 0.5, 0.7])))
    found, said = told(figures_tuning.plan, Reads(tuning=(curves,)))
    assert found.title == "With 1 trial adam gets furthest most often, with 4 sgd"
    assert "first most often, by trials: 1: adam (70 %), 2: adam (60 %), 4: sgd (70 %)" in said
    assert "Approximate" in found.caption


@pytest.mark.parametrize(("most", "shown"), [(1, [1]), (8, [1, 2, 4, 8]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16])])
def test_budgets_double(most, shown):
    assert figures_tuning.budgets(most) == shown


def test_importance_names_what_is_more_than_chance():
    weights = (Weight("learning_rate", 0.9, 0.2), Weight("optimizer", 0.1, 0.15))
    found, said = told(figures_importance.plan, Reads(importance=Importance(weights, 8, 72)))
    assert found.title == "What decides whether a training is among the best: learning_rate (90 %)"
    assert "10 %, within chance" in said
    none = Reads(importance=Importance((Weight("optimizer", 0.6, 0.7), Weight("activation", 0.4, 0.7)), 8, 72))
    assert told(figures_importance.plan, none)[0].title.startswith("No parameter decides")


def test_misses_keep_a_profile_below_one():
    pace = Pace(COMBINATIONS[0], (2.0, 5.0, INFINITE, INFINITE), (0.2, 0.5, INFINITE, INFINITE))
    slow = Pace(COMBINATIONS[1], (9.0, INFINITE, INFINITE, INFINITE), ())
    xs, ys = figures_speed._steps(pace, 20)
    assert (xs[0], xs[-1], ys[-1]) == (0.0, 20.0, 0.5)
    assert all(a <= b for a, b in itertools.pairwise(ys))
    found, said = told(figures_speed.plan, Reads(speed=Speed(0.95, 20, (pace, slow))))
    assert found.title == f"{COMBINATIONS[0]} is first at validation accuracy 0.950: half of its seeds in 5 epochs"
    assert "5 epochs, 0.5 s" in said
    assert "1 of 4" in said


def test_target_that_nobody_reaches_often():
    pace = Pace(COMBINATIONS[0], (INFINITE, INFINITE), ())
    found, _ = told(figures_speed.plan, Reads(speed=Speed(0.95, 20, (pace,))))
    assert "no finalist gets there" in found.title


def test_nothing_is_drawn_of_what_was_not_read():
    bare = replace(MADE, reads=Reads())
    plans = (
        figures_effects.plan,
        figures_robustness.plan,
        figures_divergence.plan,
        figures_tuning.plan,
        figures_importance.plan,
        figures_speed.plan,
    )
    assert all(plan(bare) is None for plan in plans)


def test_losses_are_told_in_their_unit():
    made = material(World(metric="mae", maximize=False, best=43.2, scale=1.4, noise=1.2))
    effects = figures_effects.plan(made)
    assert "points" not in effects.title + effects.caption
    assert "within 1 %" in figures_robustness.plan(made).title
