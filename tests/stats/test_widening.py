import math
from dataclasses import replace

import pytest
from stat_records import ACCURACY, RATES, explored, parameter, peaked, record, space

from sweeper.space import Branch, Choice, Parameter, Range, Space
from sweeper.stats.screening import screen
from sweeper.stats.widening import beyond, ends, widened
from sweeper.trial import Combination, Stage

LOW, HIGH = RATES.low, RATES.high
BOTH = Space(
    (
        parameter("activation", Choice(("relu", "tanh"))),
        parameter("optimizer", Choice(("a", "b"))),
        parameter("learning_rate", RATES),
    ),
    ("activation", "optimizer"),
)


def screened(records, over):
    return screen(records, space=over, objective=ACCURACY, no_information=0.1, seed=0)


def wider(records, over):
    return ends(screened(records, over), records, over)


def domain(over, optimizer):
    return over.tuned(Combination({"optimizer": optimizer}))["learning_rate"]


def test_an_optimum_at_an_end_asks_for_more_at_that_end():
    over = space("a", "b", "c")
    records = peaked("a", 0.9, at=HIGH * 3) + peaked("b", 0.9, at=0.01) + peaked("c", 0.9, at=LOW / 3)
    assert wider(records, over) == {"a": frozenset({1}), "c": frozenset({-1})}


def test_an_optimum_inside_asks_for_nothing():
    over = space("a", "b")
    records = peaked("a", 0.9) + peaked("b", 0.8)
    assert wider(records, over) == {}
    assert widened(over, {}) is over
    assert beyond(screened(records, over), over, {}) == []


def test_who_is_not_good_enough_to_race_widens_nothing():
    names = "abcdef"
    records = [each for name in names[:5] for each in peaked(name, 0.9)] + peaked("f", 0.5, at=HIGH * 3)
    assert wider(records, space(*names)) == {}


def test_every_combination_of_the_optimizer_is_tried_in_the_added_decade():
    rates = [RATES.at((i + 0.5) / 8) for i in range(8)]
    records = [
        record(
            Stage.EXPLORE,
            optimizer,
            {"val_accuracy": 0.9 - (0.02 + 0.03 * (best == 0.01)) - 0.02 * math.log10(rate / best) ** 2},
            rate=rate,
            repetition=point,
            activation=activation,
        )
        for activation, optimizer, best in (
            ("relu", "a", HIGH * 3),
            ("tanh", "a", 0.01),
            ("relu", "b", 0.01),
            ("tanh", "b", 0.01),
        )
        for point, rate in enumerate(rates)
    ]
    records = [_of_both(each) for each in records]
    found = screened(records, BOTH)
    sides = ends(found, records, BOTH)
    assert sides == {"a": frozenset({1})}
    settings = dict(beyond(found, BOTH, sides))
    assert {str(each) for each in settings} == {"relu + a", "tanh + a"}
    for each in settings.values():
        decades = [math.log10(params["learning_rate"] / HIGH) for params in each]
        assert decades == pytest.approx([0.25, 0.75])
    assert settings[Combination({"activation": "relu", "optimizer": "a"})][0]["activation"] == "relu"


def _of_both(each):
    params = each.spec.params
    combination = Combination({name: params[name] for name in BOTH.compare})
    return replace(each, spec=replace(each.spec, combination=combination))


def test_the_space_grows_for_that_optimizer_alone():
    over = widened(space("a", "b"), {"a": frozenset({1, -1})})
    assert (domain(over, "a").low, domain(over, "a").high) == pytest.approx((LOW / 10, HIGH * 10))
    assert domain(over, "b") == RATES


def test_a_condition_of_the_study_still_holds():
    rates = Parameter(
        "learning_rate",
        (Branch(RATES, {"optimizer": ("a",)}), Branch(Range(1e-6, 1e-2, log=True), {})),
    )
    over = widened(Space((parameter("optimizer", Choice(("a", "b"))), rates), ("optimizer",)), {"b": frozenset({1})})
    assert domain(over, "a") == RATES
    assert domain(over, "b").high == pytest.approx(0.1)


def test_the_optimum_in_an_added_decade_is_found_and_is_no_border_any_more():
    over = space("a", "b", "c")
    first = peaked("a", 0.9, at=HIGH * 3) + peaked("b", 0.85) + peaked("c", 0.8)
    sides = wider(first, over)
    more = [
        record(Stage.WIDEN, "a", {"val_accuracy": 0.9 - 0.02 * math.log10(rate / (HIGH * 3)) ** 2}, rate=rate)
        for rate in (HIGH * 10**0.25, HIGH * 10**0.75)
    ]
    leader = screened(first + more, widened(over, sides))[0]
    assert str(leader.combination) == "a"
    assert HIGH < leader.params["learning_rate"] < HIGH * 10
    assert leader.border == ()
    assert leader.trials == 8


def test_what_was_once_tried_beyond_keeps_its_decade():
    """Also where an exploration that was extended sees no border any more."""
    over = space("a", "b")
    records = peaked("a", 0.9) + peaked("b", 0.8)
    tried = [record(Stage.WIDEN, "b", {"val_accuracy": 0.7}, rate=LOW / 2)]
    assert wider(records + tried, over) == {"b": frozenset({-1})}


def test_a_range_whose_end_diverges_is_wide_enough():
    over = space("a", "b")
    rates = [RATES.at((i + 0.5) / 8) for i in range(8)]
    rising = {rate: 0.9 + 0.01 * math.log10(rate) for rate in rates[:7]}
    records = explored("a", rising, diverged=[rates[7]]) + peaked("b", 0.8)
    assert wider(records, over) == {}


def test_other_parameters_keep_their_best_values_in_an_added_decade():
    over = Space(
        (
            parameter("optimizer", Choice(("a",))),
            parameter("learning_rate", RATES),
            parameter("momentum", Range(0.0, 0.9)),
        ),
        ("optimizer",),
    )
    records = [
        record(
            Stage.EXPLORE,
            "a",
            {"val_accuracy": 0.9 + 0.02 * math.log10(rate) - 0.2 * (momentum - 0.6) ** 2},
            rate=rate,
            repetition=point,
            momentum=momentum,
        )
        for point, (rate, momentum) in enumerate((RATES.at((i + 0.5) / 16), 0.9 * (i * 7 % 16) / 16) for i in range(16))
    ]
    found = screened(records, over)
    sides = ends(found, records, over)
    assert sides == {"a": frozenset({1})}
    ((_, settings),) = beyond(found, over, sides)
    assert all(params["momentum"] == found[0].params["momentum"] for params in settings)
    assert all(params["learning_rate"] > RATES.high for params in settings)
