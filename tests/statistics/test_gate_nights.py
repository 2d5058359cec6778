"""A small version of `gate_nights.py`; the bounds leave four standard errors of the simulation."""

import numpy as np
import pytest
from gate_nights import simulate


@pytest.fixture(scope="module")
def calm():
    return {rule: simulate(rule, years=300) for rule in ("naive", "paired", "unpaired")}


def test_a_test_every_night_cries_wolf_eighteen_times_a_year(calm):
    assert 14 < calm["naive"].failures.mean() < 23


@pytest.mark.parametrize("rule", ["paired", "unpaired"])
def test_a_quiet_year_has_a_quarter_of_a_false_alarm(calm, rule):
    failures = calm[rule].failures
    assert failures.mean() < 0.25 + 4 * failures.std(ddof=1) / np.sqrt(len(failures))


@pytest.mark.parametrize("rule", ["paired", "unpaired"])
def test_a_drop_of_two_sds_is_found_at_once_and_one_of_one_within_the_week(rule):
    assert np.median(simulate(rule, years=300, drop=2.0, nights=20).first) <= 2
    assert np.median(simulate(rule, years=300, drop=1.0, nights=60).first) <= 7


def test_the_best_of_several_equals_does_not_cry_wolf_either():
    failures = simulate("unpaired", years=300, rivals=4).failures
    assert failures.mean() < 0.25 + 4 * failures.std(ddof=1) / np.sqrt(len(failures))
