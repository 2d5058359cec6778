"""The figure of the nights: there where a study was checked, whatever happened on them."""

from dataclasses import replace

import pytest
import synthetic

from sweeper.gate import GateOutcome, Night
from sweeper.report.figures_nights import MOST_NIGHTS, plan
from sweeper.verdict import Interval

WORLD = synthetic.World()
MADE = replace(synthetic.every_kind()["winner"], nights=())


def night(i, score=0.97, outcome=GateOutcome.PASSED, **more):
    interval = None if score is None else Interval(score - 0.01, score + 0.01)
    return Night(f"2026-01-{i % 28 + 1:02d}T03:00:00+00:00", outcome, score, interval, 3, **more)


def drawn(nights, width=800):
    made = plan(replace(MADE, nights=tuple(nights)))
    return made, made.draw(width).svg("nights", made.title)


def test_without_a_scored_night_there_is_no_figure():
    assert plan(MADE) is None
    assert plan(replace(MADE, nights=(night(0, None, GateOutcome.UNDECIDED), night(1, float("nan"))))) is None


def test_a_failed_night_is_said_and_shown():
    made, svg = drawn(synthetic.nights(WORLD))
    assert made.title == "The last check found the pick worse; 24 nights, 2 failed, 1 undecided"
    assert "numpy 2.1.0" in svg
    assert "03-01" in svg
    calm, _ = drawn([night(0), night(1)])
    assert calm.title == "The last check of the pick passed; 2 nights, none of them failed"


def test_only_nights_of_the_metric_are_drawn_and_named_ones_by_their_name():
    metric = MADE.objective.metric
    made, svg = drawn([night(0, night="2026-11-09", metric=metric), night(1), night(2, 50.0, metric="loss")])
    assert made.title == "The last check of the pick passed; 2 nights, none of them failed"
    assert ">11-09<" in svg
    assert ">01-02<" in svg
    assert ">01-03<" not in svg


def test_nights_of_one_day_are_told_apart_by_the_time():
    _, svg = drawn([night(0), replace(night(0), when="2026-01-01T15:30:00+00:00"), night(1)])
    assert ">01-01 03:00<" in svg
    assert ">01-01 15:30<" in svg
    assert ">01-02<" in svg


@pytest.mark.parametrize("width", [342, 800])
@pytest.mark.parametrize(
    "nights",
    [
        [night(0)],
        [night(0, baseline=0.9, band=None), night(1, baseline=0.99, band=Interval(0.98, 1.0))],
        [night(0, None, GateOutcome.UNDECIDED), night(1, 1.0), night(2, None, GateOutcome.UNDECIDED)],
        [night(i, 0.9 + i / 1e4, changed=("x" * 300 + "<script>",)) for i in range(200)],
    ],
)
def test_every_kind_of_history_can_be_drawn(nights, width):
    made, svg = drawn(nights, width)
    assert svg.startswith("<svg")
    assert "nan" not in svg
    assert "<script>" not in svg
    assert ("140 older nights left out" in made.caption) == (len(nights) > MOST_NIGHTS)
