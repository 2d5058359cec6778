"""How fast the finalists reach a score: the share of their seeds that has, epoch by epoch."""

from __future__ import annotations

import math
from functools import partial

from sweeper.reads import Pace
from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import CONFIRMED_COURSES, Grid, Plan, even_ticks, panel_title
from sweeper.report.material import Material
from sweeper.report.units import clean, duration


def plan(material: Material) -> Plan | None:
    """The figure, or None where there are no curves of a confirmation."""
    found = material.reads.speed
    if found is None or not found.paces:
        return None
    units, fastest = material.screening_units(), found.paces[0]
    target = units.score(found.target)
    median = _median(fastest.epochs)
    name = clean(fastest.combination, 60)
    title = f"Validation {units.metric} {target}: no finalist gets there with half of its seeds"
    if math.isfinite(median):
        title = f"{name} is first at validation {units.metric} {target}: half of its seeds in {median:.0f} epochs"
    caption = (
        f"Share of seeds that have reached {target}, the median of the finalist that is last in validation; seeds that "
        "never do count as infinitely slow. Dashed: the other finalists. Seconds of this machine."
    )
    return Plan("speed", CONFIRMED_COURSES, title, caption, partial(_draw, material))


def _median(values: tuple[float, ...]) -> float:
    """By when half of the seeds are there."""
    return values[(len(values) - 1) // 2] if values else math.inf


def _draw(material: Material, width: int) -> Canvas:
    found = material.reads.speed
    assert found is not None  # `plan` answers otherwise
    narrow, paces = width < 500, found.paces
    grid = Grid.fitting(len(paces), width, smallest=120 if narrow else 200, largest=420, height=84 if narrow else 104)
    sheet = Canvas(width, grid.bottom(len(paces)) + 44)
    sheet.text((0, 10), "share of seeds at the target", color=palette.MUTED, size=11)
    sheet.text((width - 2, sheet.height - 9), "epoch", color=palette.MUTED, size=11, align="right")
    for index, pace in enumerate(paces):
        x, y = grid.place(index)
        axes = sheet.panel(x, y, grid.width, grid.height).limits((0, found.longest), (0, 1.03))
        axes.ticks_y([0, 0.5, 1], ["0 %", "50 %", "100 %"] if index % grid.columns == 0 else ["", "", ""])
        epochs = [tick for tick in even_ticks(0, found.longest, 4) if tick == round(tick)]
        axes.ticks_x(epochs, [f"{tick:.0f}" for tick in epochs], tight=True)
        for other in paces:
            if other is not pace:
                axes.line(*_steps(other, found.longest), palette.FAINT, 1, (3, 2.5))
        axes.line(*_steps(pace, found.longest), palette.ACCENT, 2.2)
        panel_title(sheet, (x, y - 14), grid.width, str(pace.combination), _said(pace))
    return sheet


def _steps(pace: Pace, longest: int) -> tuple[list[float], list[float]]:
    """The profile as a staircase from the first to the last epoch."""
    reached, xs, ys = 0, [0.0], [0.0]
    for epoch in pace.epochs:
        if math.isfinite(epoch):
            reached += 1
            xs += [epoch, epoch]
            ys += [ys[-1], reached / len(pace.epochs)]
    return [*xs, float(longest)], [*ys, ys[-1]]


def _said(pace: Pace) -> str:
    epochs, seconds = _median(pace.epochs), _median(pace.seconds)
    if not math.isfinite(epochs):
        return f"{pace.reached} of {len(pace.epochs)}"
    return f"{epochs:.0f} epochs" + (f", {duration(seconds)}" if math.isfinite(seconds) else "")
