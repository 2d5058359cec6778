"""Confirmation scores: every seed a dot, with mean and interval, best first; who may be best is in the accent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import CONFIRMED, Plan, even_ticks, fitting_words, tick_labels
from sweeper.report.material import Material
from sweeper.report.units import Units, clean, percent
from sweeper.verdict import Finalist, Outcome, Verdict

DOT = 5.0
"""Diameter in pixels."""


def plan(material: Material) -> Plan | None:
    """The figure, or None where nothing was confirmed."""
    finalists = [finalist for finalist in material.finalists() if math.isfinite(finalist.score)]
    if not finalists:
        return None
    verdict = material.verdict
    units = Units.of(verdict)
    caption = (
        f"Every dot is a seed, the stroke their mean, the bar its {percent(1 - verdict.alpha)} interval "
        f"({units.direction}). Filled: may be best; hollow: not."
    )
    if any(_reaches_beyond_its_dots(finalist) for finalist in finalists):
        caption += " A bar that is wider than its dots counts the luck of the test rows, which all seeds share."
    if len(finalists) > 1:
        caption += " Finalists are compared seed by seed, so bars may overlap and one still be better."
    return Plan("confirmation", CONFIRMED, _title(verdict), caption, partial(_draw, finalists, units))


def _reaches_beyond_its_dots(finalist: Finalist) -> bool:
    """Of many seeds alone, an interval of the mean would be narrower than the seeds."""
    low, high = min(finalist.scores), max(finalist.scores)
    return finalist.seeds >= 10 and finalist.interval.low < low and finalist.interval.high > high


def _title(verdict: Verdict) -> str:
    n, of = len(verdict.may_be_best), len(verdict.finalists)
    if of == 1:
        return f"{clean(verdict.finalists[0].combination, 60)} on fresh seeds and sealed test rows"
    if verdict.outcome is Outcome.WINNER and verdict.winner is not None:
        return f"On fresh seeds, {clean(verdict.winner, 60)} stays ahead"
    if verdict.outcome is Outcome.TIE:
        return "On fresh seeds, what is left between the best does not matter"
    return f"On fresh seeds, {n} of {of} finalists may be best" if n else "The finalists on fresh seeds"


@dataclass(frozen=True)
class _Layout:
    """Where things stand in pixels; on a phone the words of a row stand above its dots."""

    narrow: bool
    width: float
    row: float

    @property
    def left(self) -> float:
        return 8 if self.narrow else 180

    @property
    def right(self) -> float:
        return 8 if self.narrow else 150

    @property
    def shift(self) -> float:
        """How far under the middle of the row its dots lie."""
        return 10 if self.narrow else 0


def _draw(finalists: Sequence[Finalist], units: Units, width: int) -> Canvas:
    layout = _Layout(width < 500, width, 72 if width < 500 else 56)
    top, height = 8.0, layout.row * len(finalists)
    sheet = Canvas(width, top + height + 46)
    low, high = _limits(finalists, 1 if units.maximize else -1)
    area = sheet.panel(layout.left, top, width - layout.left - layout.right, height).limits((low, high), (height, 0))
    ticks = even_ticks(low, high, 4 if layout.narrow else 6)
    area.ticks_x(ticks, tick_labels(ticks), grid=True)
    scale = (width - layout.left - layout.right) / (high - low)
    for index, finalist in enumerate(finalists):
        middle = layout.row * (index + 0.5) + layout.shift
        _dots(area, finalist, middle, scale, (low, high))
        _mean(area, finalist, middle)
        _words(sheet, finalist, units, layout, top + layout.row * index)
    note = clean(f"test {units.metric}, one dot a seed", fitting_words(width - layout.left, 11))
    sheet.text((layout.left, top + height + 36), note, color=palette.MUTED, size=11)
    return sheet


def _limits(finalists: Sequence[Finalist], sign: int) -> tuple[float, float]:
    """All intervals are inside, and all seeds but those far from everything (diverged ones)."""
    ends = [end for finalist in finalists for end in (finalist.interval.low, finalist.interval.high)]
    scores = sorted(score for finalist in finalists for score in finalist.scores if math.isfinite(score))
    low, high = series.focus(scores, sign, keep=[*ends, *(finalist.score for finalist in finalists)])
    reach = 3 * (high - low)
    near = [score for score in scores if low - reach < score < high + reach]
    return series.focus([], sign, keep=[*near, low, high])


def _dots(area: Panel, finalist: Finalist, middle: float, scale: float, limits: tuple[float, float]) -> None:
    low, high = limits
    inside = [score for score in finalist.scores if low <= score <= high]
    offsets = series.swarm([score * scale for score in inside], DOT + 0.5, 17)
    face = palette.ACCENT_SOFT if finalist.in_set else palette.PAPER
    edge = palette.ACCENT if finalist.in_set else palette.FAINT
    rows = [middle + offset for offset in offsets]
    area.dots(inside, rows, DOT, face, edge=edge)
    below, above = sum(s < low for s in finalist.scores), sum(s > high for s in finalist.scores)
    if below:
        area.marks("<", [low], middle, 6, edge)
        area.sheet.text((area.x(low) + 10, area.y(middle)), f"{below} far off", color=palette.MUTED, size=10.5)
    if above:
        area.marks(">", [high], middle, 6, edge)
        at = (area.x(high) - 10, area.y(middle))
        area.sheet.text(at, f"{above} far off", color=palette.MUTED, size=10.5, align="right")


def _mean(area: Panel, finalist: Finalist, middle: float) -> None:
    color = palette.INK if finalist.in_set else palette.MUTED
    area.line([finalist.interval.low, finalist.interval.high], [middle, middle], color, 2.2)
    area.line([finalist.score] * 2, [middle - 13, middle + 13], color, 2.2)


def _words(sheet: Canvas, finalist: Finalist, units: Units, layout: _Layout, top: float) -> None:
    name_y = top + 13 if layout.narrow else top + layout.row / 2
    score = units.score(finalist.score)
    interval = units.interval(finalist.interval.low, finalist.interval.high)
    color = palette.INK if finalist.in_set else palette.MUTED
    room = fitting_words(layout.width * 0.52 if layout.narrow else layout.left - 20)
    write = sheet.strong if finalist.in_set else sheet.text
    name = clean(finalist.combination, int(room * 0.9) if finalist.in_set else room)  # bold is wider
    if layout.narrow:
        write((layout.left, name_y), name, color=color)
        sheet.text((layout.width - 8, name_y), f"{score}  ({interval})", color=color, size=11, align="right")
        return
    extra = f"{finalist.diverged} diverged" if finalist.unstable else ""
    shift = 8 if extra else 0
    write((layout.left - 16, name_y - shift), name, color=color, align="right")
    sheet.text((layout.left - 16, name_y + 9), extra, color=palette.MUTED, size=10.5, align="right")
    x = layout.width - layout.right + 18
    write((x, name_y - 8), score, color=color)
    sheet.text((x, name_y + 9), interval, color=palette.MUTED, size=11)
