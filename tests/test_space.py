import math

import pytest

from sweeper.space import Branch, Choice, Fixed, Parameter, Range, Space


def test_a_log_range_is_uniform_in_decades():
    domain = Range(1e-5, 1e-1, log=True)
    assert [round(math.log10(domain.at(u)), 9) for u in (0, 0.25, 0.5, 1)] == [-5, -4, -3, -1]
    assert domain.decades == pytest.approx(4)


@pytest.mark.parametrize("domain", [Range(1e-3, 10, log=True), Range(-2, 5)])
@pytest.mark.parametrize("u", [0.0, 0.123, 0.5, 0.999])
def test_position_is_the_inverse_of_at(domain, u):
    assert domain.position(domain.at(u)) == pytest.approx(u, abs=1e-9)


def test_values_never_leave_the_range():
    domain = Range(1e-5, 1e-1, log=True)
    assert domain.at(0.0) == 1e-5
    assert domain.at(1.0) == 1e-1


def test_integers_have_equal_cells_and_both_ends():
    domain = Range(1, 4, integer=True)
    drawn = [domain.at(i / 1000) for i in range(1000)]
    assert {value: drawn.count(value) for value in (1, 2, 3, 4)} == {1: 250, 2: 250, 3: 250, 4: 250}
    assert domain.at(1.0) == 4


def test_choices_share_the_unit_interval():
    domain = Choice(("a", "b", "c"))
    assert [domain.at(u) for u in (0, 0.34, 0.67, 1.0)] == ["a", "b", "c", "c"]


def space():
    return Space(
        (
            Parameter("optimizer", (Branch(Choice(("sgd", "adam")), {}),)),
            Parameter("activation", (Branch(Choice(("relu", "tanh")), {}),)),
            Parameter("momentum", (Branch(Range(0, 0.9), {"optimizer": ("sgd",)}),)),
            Parameter("dropout", (Branch(Fixed(0.2), {}),)),
            Parameter(
                "learning_rate",
                (Branch(Range(0.1, 10, log=True), {"optimizer": ("sgd",)}), Branch(Range(1e-4, 1e-2, log=True), {})),
            ),
        ),
        ("activation", "optimizer"),
    )


def test_combinations_follow_the_order_of_compare():
    names = [str(combination) for combination in space().combinations()]
    assert names == ["relu + sgd", "relu + adam", "tanh + sgd", "tanh + adam"]


def test_a_conditional_parameter_is_there_only_where_its_condition_holds():
    searched = space()
    assert searched.tuned_names() == ("momentum", "learning_rate")
    sgd, adam = searched.combinations()[:2]
    assert searched.at(sgd, [0.5, 0.5]) == {
        "activation": "relu", "optimizer": "sgd", "dropout": 0.2, "momentum": 0.45, "learning_rate": pytest.approx(1.0),
    }  # fmt: skip
    assert searched.at(adam, [0.5, 0.5]) == {
        "activation": "relu", "optimizer": "adam", "dropout": 0.2, "learning_rate": pytest.approx(1e-3),
    }  # fmt: skip


def test_the_tuned_names_are_looked_for_once(monkeypatch):
    """A study of hundreds of combinations asks for settings thousands of times."""
    searched, asked = space(), []
    combinations = searched.combinations()
    monkeypatch.setattr(Space, "combinations", lambda self: asked.append(self) or combinations)
    for combination in combinations:
        searched.at(combination, [0.5, 0.5])
    assert len(asked) == 1
