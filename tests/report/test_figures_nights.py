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
