import math

import pytest

from sweeper.report.units import Units, clean, duration, number, percent

ACCURACY = Units("accuracy", True, True, 3)
MAE = Units("mae", False, False, 2)


def test_gap_of_a_share_is_told_in_points():
    assert ACCURACY.gap(0.004) == "0.4 points"


def test_gap_of_another_metric_is_told_in_its_unit():
    assert MAE.gap(1.3) == "1.30"


def test_small_gap_does_not_read_as_zero():
    assert ACCURACY.gap(0.0004) == "0.04 points"
    assert ACCURACY.gap(0.0) == "0 points"


@pytest.mark.parametrize("value", [0.0061, 0.00601, 0.0069])
def test_bound_is_never_rounded_down(value):
    assert ACCURACY.gap(value, bound=True) == "0.7 points"


def test_bound_that_is_round_already_stays():
    assert ACCURACY.gap(0.006, bound=True) == "0.6 points"


def test_unknown_numbers_have_words():
    assert ACCURACY.score(None) == ACCURACY.score(math.nan) == "-"
    assert ACCURACY.gap(math.nan) == "an unknown amount"


def test_decimals_follow_the_narrowest_interval():
    assert Units.fitting("loss", False, [0.004, 0.1], [0.3]).score(0.31416) == "0.3142"
    assert Units.fitting("mse", False, [150.0], [3000]).score(3012.4) == "3012"
    assert Units.fitting("accuracy", True, [0.02], [0.9]).score(0.91234) == "0.912"
    assert Units.fitting("accuracy", True, [0.0004], [0.999]).score(0.99961) == "0.9996"


def test_decimals_without_intervals_follow_the_scores():
    assert Units.fitting("mae", False, [], [43.2]).score(43.21) == "43.2"
    assert Units.fitting("mae", False, [], []).score(0.5) == "0.500"


def test_tiny_and_huge_scores_are_not_lost():
    assert MAE.score(1.234e-7) == "1.23e-07"
    assert MAE.score(1.5e9) == "1.5e+09"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0031622, "0.00316"),
        (1e-5, "1e-5"),
        (3.2e-4, "3.2e-4"),
        (64, "64"),
        (True, "True"),
        ("relu", "relu"),
        (0.0, "0"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.27, "0.27 s"), (12.4, "12 s"), (83.2, "1 min 23 s"), (7500, "2 h 05 min"), (3599.9, "1 h 00 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_percent():
    assert (percent(0.95), percent(1 - 0.05), percent(0.995)) == ("95 %", "95 %", "99.5 %")


def test_clean_keeps_both_ends_and_drops_control_characters():
    assert clean("a\x00b\nc\x1b[31m") == "a b c [31m"
    cut = clean("first_part_" + "x" * 50 + "_last_part", 20)
    assert len(cut) <= 20
    assert cut.startswith("first_part")
    assert cut.endswith("part")
