import numpy as np
import pytest
from stat_records import combination, parameter

from sweeper.space import Choice, Range, Space
from sweeper.stats.positions import Axes, position_of

DOMAINS = [
    Choice(("a", "b", "c")),
    Choice(((64, 32), (128,))),
    Choice((True, 1, 0.5)),
    Range(1e-5, 1e-1, log=True),
    Range(-3.0, 5.0),
    Range(1, 7, integer=True),
    Range(16, 512, log=True, integer=True),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_a_value_is_found_again_from_its_position(domain):
    for position in np.linspace(0, 1, 301):
        value = domain.at(position)
        again = domain.at(position_of(domain, value))
        assert again == value if isinstance(domain, Choice) else again == pytest.approx(value, rel=1e-12)


def test_a_list_from_json_is_the_tuple_of_the_study():
    assert position_of(DOMAINS[1], [128]) == 0.75


def test_what_is_not_listed_lies_in_the_middle():
    assert position_of(DOMAINS[0], "z") == 0.5


def axes():
    space = Space(
        (
            parameter("optimizer", Choice(("sgd", "adam"))),
            parameter("learning_rate", Range(1e-4, 1.0, log=True), optimizer="sgd"),
            parameter("momentum", Range(0.0, 1.0), optimizer="sgd"),
            parameter("layers", Range(1, 4, integer=True)),
        ),
        ("optimizer",),
    )
    return {name: Axes(space, combination(name), space.tuned_names()) for name in ("sgd", "adam")}


def test_parameters_a_combination_lacks_lie_in_the_middle():
    assert axes()["adam"].position({"optimizer": "adam", "layers": 4}).tolist() == [0.5, 0.5, 0.875]


def test_snapped_positions_are_values_that_exist():
    drawn = np.random.default_rng(0).random((50, 3))
    snapped = axes()["sgd"].snapped(drawn)
    assert (snapped[:, :2] == drawn[:, :2]).all()
    assert set(snapped[:, 2]) == {0.125, 0.375, 0.625, 0.875}
    assert (axes()["adam"].snapped(drawn)[:, :2] == 0.5).all()


def test_a_log_range_is_measured_in_decades():
    narrow = Space((parameter("o", Choice(("x",))), parameter("rate", Range(1e-3, 1e-1, log=True))), ("o",))
    axis = Axes(narrow, narrow.combinations()[0], narrow.tuned_names())
    assert axis.distances(np.array([[0.0], [1.0]])).ravel().tolist() == [0.0, 0.5]
