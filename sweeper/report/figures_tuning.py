"""What a budget of one to eight trials is worth: the best score of most tries, a block for each compared parameter."""

from __future__ import annotations

from functools import partial

from sweeper.reads import Tuning, TuningCurves
from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import EXPLORED, Grid, Plan, even_ticks, fitting_words, panel_title, tick_labels
from sweeper.report.material import Material
from sweeper.report.units import clean, percent

MOST_PANELS = 8
_HEAD = 44.0
_GAP = 44.0


def plan(material: Material) -> Plan | None:
    """The figure, or None where combinations were not explored with equal effort."""
    found = material.reads.tuning
    if not found:
        return None
    caption = (
        f"Best validation {material.objective.metric} of so many trials, everything else at random: half of all tries "
        "get beyond the line and half end in the band; number: expected best of the most trials; grey: other values. "
        "Approximate, as the trials are more even than random ones."
    )
    hidden = sum(max(len(curves.curves) - MOST_PANELS, 0) for curves in found)
    if hidden:
        caption += f" The best {MOST_PANELS} values have a panel."
    return Plan("tuning", EXPLORED, _title(found), caption, partial(_draw, material))


def _title(found: tuple[TuningCurves, ...]) -> str:
    """About the parameter in which a single value wins most clearly."""
    budget = len(found[0].curves[0].expected)
    clearest = max(found, key=lambda curves: curves.leader(budget).wins[-1] * len(curves.curves))
    first, last = clearest.leader(1), clearest.leader(budget)
    if first.value == last.value:
        return f"With 1 trial or with {budget}, {clean(last.value, 40)} gets furthest most often"
    return f"With 1 trial {clean(first.value, 40)} gets furthest most often, with {budget} {clean(last.value, 40)}"


def budgets(most: int) -> list[int]:
    """1, 2, 4, 8, ... and the largest."""
    doubling = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return doubling if doubling[-1] == most else [*doubling, most]


def _draw(material: Material, width: int) -> Canvas:
    found, narrow = material.reads.tuning, width < 500
    most = max(min(len(curves.curves), MOST_PANELS) for curves in found)
    least, tall = (120, 84) if narrow else (150, 112)
    grid = Grid.fitting(min(most, 4 if not narrow else most), width, smallest=least, largest=240, height=tall)
    heights = [_HEAD + grid.bottom(min(len(curves.curves), MOST_PANELS)) for curves in found]
    sheet = Canvas(width, sum(heights) + _GAP * len(found))
    limits, top = _limits(found, material.objective.sign), 0.0
    for curves, height in zip(found, heights, strict=True):
        sheet.strong((0, top + 12), clean(curves.name, fitting_words(width, 15)), size=13)
        sheet.text((0, top + 34), _leaders(curves, width), color=palette.MUTED, size=11)
        for index, curve in enumerate(curves.curves[:MOST_PANELS]):
            x, y = grid.place(index)
            axes = sheet.panel(x, y + top + _HEAD - 8, grid.width, grid.height)
            _panel(axes, curve, curves, limits, first=index % grid.columns == 0)
            end = material.screening_units().score(curve.expected[-1])
            panel_title(sheet, (x, y + top + _HEAD - 22), grid.width, str(curve.value), end)
        top += height + _GAP
    sheet.text((width - 2, sheet.height - 10), "trials (log scale)", color=palette.MUTED, size=11, align="right")
    return sheet


def _leaders(curves: TuningCurves, width: float) -> str:
    """`most often first with 1 trial: adam (41 %), 2: ...`, as many budgets as fit."""
    shown = budgets(len(curves.curves[0].expected))
    few, last = [shown[0], shown[-1]], shown[-1:]
    room, words = fitting_words(width, 11), "first most often, by trials: "
    for numbers, limit in ((shown, 14), (shown, 8), (few, 14), (few, 8), (last, 8)):
        said = [(n, curves.leader(n)) for n in numbers]
        parts = [f"{n}: {clean(each.value, limit)} ({percent(round(each.wins[n - 1], 2))})" for n, each in said]
        line = words + ", ".join(parts)
        if len(line) > room and numbers is few:
            line = "first with " + ", ".join(parts)
        if len(line) <= room:
            return line
    return clean(line, room)


def _panel(axes: Panel, curve: Tuning, curves: TuningCurves, limits: tuple[float, float], *, first: bool) -> None:
    trials = list(range(1, len(curve.expected) + 1))
    axes.limits((0.92, trials[-1] * 1.04), limits, log_x=True)
    heights = even_ticks(*limits, 4)
    axes.ticks_y(heights, tick_labels(heights) if first else [""] * len(heights))
    shown = budgets(trials[-1])
    axes.ticks_x(shown, [str(n) for n in shown])
    axes.band(trials, curve.low, curve.high, palette.ACCENT_SOFT, 0.35)
    axes.lines(
        [zip(trials, other.median, strict=True) for other in curves.curves if other is not curve], palette.SOFT, 1
    )
    axes.line(trials, curve.median, palette.ACCENT, 2.2)


def _limits(found: tuple[TuningCurves, ...], sign: int) -> tuple[float, float]:
    """What two trials and more reach: a single one at a random learning rate is often far off."""
    later = [value for curves in found for curve in curves.curves for value in curve.median[1:]]
    return series.focus(later, sign, keep=[sign * min(sign * value for value in later)] if later else [])
