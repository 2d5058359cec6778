import math

import pytest
from stat_records import ACCURACY, LOSS, RATES, explored, peaked, space

from sweeper.stats.sensitivity import oriented, sensitivity
from sweeper.trial import Status

NOTHING = 1 / 3


def read(records, *optimizers, objective=ACCURACY, no_information=NOTHING, tuned=True):
    about = {"space": space(*optimizers, tuned=tuned), "objective": objective, "no_information": no_information}
    return sensitivity(records, **about)


def curve(optimizer, top, loss, at=0.01):
    """Eight points of a curve that loses `loss` a squared decade."""
    rates = [RATES.at((i + 0.5) / 8) for i in range(8)]
    return explored(optimizer, {rate: top - loss * math.log10(rate / at) ** 2 for rate in rates})


def test_window_is_as_wide_as_the_curve_is_flat():
    found = read(curve("broad", 0.95, 0.02) + curve("narrow", 0.95, 0.08), "broad", "narrow")
    assert found.tolerance == 0.01
    broad, narrow = found.windows
    assert (broad.combination["optimizer"], narrow.combination["optimizer"]) == ("broad", "narrow")
    # a parabola is within a point of its top over 2 sqrt(0.01 / loss) decades
    assert broad.decades == pytest.approx(2 * math.sqrt(0.01 / 0.02), abs=0.25)
    assert narrow.decades == pytest.approx(2 * math.sqrt(0.01 / 0.08), abs=0.25)
    assert broad.low < broad.best < broad.high
    assert broad.best == pytest.approx(0.01, rel=0.5)
    assert not broad.open


def test_window_that_reaches_the_last_trial_is_open():
    (window,) = read(curve("flat", 0.95, 0.0001), "flat").windows
    assert window.open
    assert window.decades == pytest.approx(3.5, abs=0.05)  # from the first to the last of eight points in four decades


def test_random_rate_costs_the_mean_distance():
    records = curve("adam", 0.95, 0.02)
    (window,) = read(records, "adam").windows
    losses = [0.95 - record.value("val_accuracy") for record in records]
    assert window.random_cost == pytest.approx(sum(losses) / 8, abs=0.004)


def test_divergence_is_counted_and_costs_no_more_than_nothing_learned():
    records = peaked("adam", 0.95) + explored("adam", {}, diverged=(0.3, 0.9))
    (window,) = read(records, "adam").windows
    assert (window.trials, window.diverged, window.diverged_from) == (10, 2, 0.3)
    calm = read(peaked("adam", 0.95), "adam").windows[0]
    assert window.random_cost == pytest.approx((8 * calm.random_cost + 2 * (0.95 - NOTHING)) / 10, abs=0.01)


def test_losses_are_within_one_per_cent():
    rates = {RATES.at((i + 0.5) / 8): 2.0 + 0.3 * math.log10(RATES.at((i + 0.5) / 8) / 0.01) ** 2 for i in range(8)}
    found = read(explored("adam", rates, metric="loss"), "adam", objective=LOSS, no_information=3.0)
    assert found.tolerance == pytest.approx(0.01 * min(rates.values()))
    assert 0 < found.windows[0].decades < 1


def test_nothing_without_a_range_of_rates_or_a_score():
    assert read(peaked("adam", 0.9), "adam", tuned=False) is None
    assert read(explored("adam", {}, diverged=(0.1,)), "adam") is None


def test_oriented_scores():
    (good,) = explored("adam", {0.1: 0.9})
    (bad,) = explored("adam", {0.1: 0.1})
    (lost,) = explored("adam", {}, diverged=(0.1,))
    (broken,) = explored("adam", {0.1: math.nan})
    assert [oriented(each, ACCURACY, NOTHING) for each in (good, bad, lost, broken)] == [0.9, NOTHING, NOTHING, NOTHING]
    assert oriented(lost, LOSS, None) == -math.inf
    failed = lost.__class__(lost.spec, lost.ended.failed(lost.spec, "x", status=Status.FAILED))
    assert oriented(failed, ACCURACY, NOTHING) is None
