import pytest
from stat_records import ACCURACY, RATES, explored, parameter, peaked, space

from sweeper.space import Choice, Space
from sweeper.stats.judging import JudgeRules
from sweeper.stats.racing import race
from sweeper.trial import Stage

RULES = JudgeRules(no_information={"accuracy": 0.1})


def raced(records, over, points=8):
    return race(records, space=over, objective=ACCURACY, rules=RULES, points=points)


def test_the_better_two_thirds_race_around_their_best_learning_rate():
    tops = {f"o{i}": 0.9 - 0.02 * i for i in range(8)}
    records = [each for name, top in tops.items() for each in peaked(name, top, at=0.01)]
    racers = raced(records, space(*tops))
    assert [str(each.combination) for each in racers] == ["o0", "o1", "o2", "o3", "o4", "o5"]
    positions = [RATES.position(params["learning_rate"]) for params in racers[0].settings]
    middle = sum(positions) / 3
    assert middle == pytest.approx(0.5, abs=0.03)
    assert positions == pytest.approx([middle - 0.6 / 8, middle, middle + 0.6 / 8])


def test_at_least_three_race_and_nobody_without_a_score():
    records = peaked("a", 0.9) + peaked("b", 0.8) + peaked("c", 0.7) + explored("d", {}, diverged=[0.1])
    assert [str(each.combination) for each in raced(records, space(*"abcd"))] == ["a", "b", "c"]
    assert len(raced(records[:8], space(*"abcd"))) == 1


def test_the_answer_stays_the_same_while_the_race_is_on():
    records = peaked("a", 0.9) + peaked("b", 0.8)
    begun = records + explored("b", {0.5: 0.99}, stage=Stage.RACE)
    assert raced(records, space("a", "b")) == raced(begun, space("a", "b"))


def test_settings_stay_inside_the_range():
    (racer,) = raced(peaked("a", 0.9, at=1.0), space("a"))
    assert max(params["learning_rate"] for params in racer.settings) == pytest.approx(1.0)


def test_listed_or_fixed_learning_rates_do_not_race():
    listed = Space(
        (parameter("optimizer", Choice(("a",))), parameter("learning_rate", Choice((0.001, 0.01, 0.1)))),
        ("optimizer",),
    )
    records = explored("a", {0.001: 0.7, 0.01: 0.9, 0.1: 0.8})
    assert raced(records, listed) == raced(records, space("a", tuned=False)) == ()
