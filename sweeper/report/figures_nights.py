"""The frozen pick after the study: its score night by night, with the baseline it is held to and what had changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from sweeper.gate import GateOutcome, Night, of_metric
from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import NIGHTS, Plan, even_ticks, fitting_words, tick_labels
from sweeper.report.gate_text import units_of
from sweeper.report.material import Material
from sweeper.report.units import clean, count

MOST_NIGHTS = 60
"""Two months fit on a phone."""
_ROW = 13
"""Pixels of a line of words above the panel."""


def plan(material: Material) -> Plan | None:
    """The figure, or None where the study has not been checked."""
    known = of_metric(material.nights, material.objective.metric)
    nights = known[-MOST_NIGHTS:]
    scored = [night for night in nights if _score(night) is not None]
    if not scored:
        return None
    metric, left_out = material.objective.metric, len(known) - len(nights)
    caption = (
        f"Test {clean(metric)} of the frozen pick by night: mean of fresh seeds with 95 % interval; the band is the "
        "interval of the baseline. Cross: failed; on the bottom edge: undecided; dashed: something changed."
    )
    if left_out:
        caption += f" {count(left_out, 'older night')} left out."
    return Plan("nights", NIGHTS, _title(nights), caption, partial(_draw, nights, material))


def _title(nights: Sequence[Night]) -> str:
    last, failed = nights[-1], sum(night.outcome is GateOutcome.FAILED for night in nights)
    told = {
        GateOutcome.PASSED: "The last check of the pick passed",
        GateOutcome.FAILED: "The last check found the pick worse",
        GateOutcome.UNDECIDED: "The last check of the pick could not be decided",
    }[last.outcome]
    rest = "none of them failed" if not failed else f"{failed} failed"
    undecided = sum(night.outcome is GateOutcome.UNDECIDED for night in nights)
    rest += f", {undecided} undecided" if undecided else ""
    return f"{told}; {count(len(nights), 'night')}, {rest}" if len(nights) > 1 else told


def _draw(nights: Sequence[Night], material: Material, width: int) -> Canvas:
    narrow = width < 500
    left, right, height = 52.0, 12.0, 170.0
    labels = _changes(nights, 2 if narrow else 4)
    top = 12.0 + _ROW * len(labels)
    sheet = Canvas(width, top + height + 34)
    low, high = _limits(nights, material.objective.sign)
    area = sheet.panel(left, top, width - left - right, height).limits((-0.5, len(nights) - 0.5), (low, high))
    ticks = even_ticks(low, high, 5)
    _baseline(area, nights, low, high)
    area.ticks_y(ticks, tick_labels(ticks))
    every = max(-(-len(nights) // (4 if narrow else 8)), 1)
    shown = list(range(0, len(nights), every))
    area.ticks_x([float(i) for i in shown], _called([nights[i] for i in shown]), tight=True)
    for row, (place, words) in enumerate(labels):
        x, y = area.x(place), 10.0 + _ROW * row
        sheet.line([(x, y + 5), (x, top + height)], palette.FAINT, 1, (3, 3))
        at_right = x > left + (width - left) / 2
        text = clean(words, fitting_words(x - 12 if at_right else width - x - 12, 10.5))
        sheet.text((x, y - 2), text, color=palette.MUTED, size=10.5, align="right" if at_right else "left")
    _scores(area, nights, low, high)
    last = next(night for night in reversed(nights) if _score(night) is not None)
    units = units_of(material.objective.metric, material.objective.maximize, nights)
    note = f"last score {units.score(last.score)}, {units.direction}"
    sheet.text((left, top + height + 27), note, color=palette.MUTED, size=11)
    return sheet


def _called(nights: Sequence[Night]) -> list[str]:
    """The days as ticks; with the time where several nights without a name fall on one day."""
    days = [night.shown[5:10] for night in nights]
    return [
        day if night.night or days.count(day) == 1 else f"{day} {night.when[11:16]}"
        for night, day in zip(nights, days, strict=True)
    ]


def _baseline(area: Panel, nights: Sequence[Night], low: float, high: float) -> None:
    """The band of each baseline over the nights that were held to it."""
    known = [(i, night) for i, night in enumerate(nights) if night.baseline is not None]
    for _, group in groupby(known, key=lambda pair: (pair[1].baseline, pair[1].band)):
        run = list(group)
        xs, night = [run[0][0] - 0.5, run[-1][0] + 0.5], run[0][1]
        if night.band is not None:
            ends = [min(max(end, low), high) for end in (night.band.low, night.band.high)]
            area.band(xs, [ends[0]] * 2, [ends[1]] * 2, palette.ACCENT_SOFT, 0.35)
        assert night.baseline is not None  # filtered above
        area.line(xs, [night.baseline] * 2, palette.ACCENT, 1.2, (5, 4))


def _scores(area: Panel, nights: Sequence[Night], low: float, high: float) -> None:
    for i, night in enumerate(nights):
        score = _score(night)
        if score is None:
            area.marks("^", [float(i)], low, 6, palette.FAINT)
            continue
        if night.interval is not None:
            area.line([i, i], [max(night.interval.low, low), min(night.interval.high, high)], palette.MUTED, 1.2)
        if night.outcome is GateOutcome.FAILED:
            area.marks("x", [float(i)], score, 8, palette.INK)
        elif night.outcome is GateOutcome.PASSED:
            area.dots([float(i)], [score], 6, palette.ACCENT, edge=palette.ACCENT)
        else:
            area.dots([float(i)], [score], 6, palette.PAPER, edge=palette.FAINT)


def _changes(nights: Sequence[Night], most: int) -> list[tuple[int, str]]:
    """The latest nights on which something had changed, with what it was; the newest first, and so in the top row.

    The line of an older night then ends below the words of a newer one, which reach to the left.
    """
    found = [(i, ", ".join(night.changed)) for i, night in enumerate(nights) if night.changed]
    return found[::-1][:most]


def _limits(nights: Sequence[Night], sign: int) -> tuple[float, float]:
    """Every score and baseline is inside, and the intervals."""
    ends = [score for night in nights if (score := _score(night)) is not None]
    for night in nights:
        ends += [end for each in (night.interval, night.band) if each is not None for end in (each.low, each.high)]
        ends += [] if night.baseline is None else [night.baseline]
    return series.focus([], sign, keep=[end for end in ends if math.isfinite(end)])


def _score(night: Night) -> float | None:
    return night.score if night.score is not None and math.isfinite(night.score) else None
