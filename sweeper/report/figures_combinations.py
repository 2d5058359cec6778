"""How well every combination did in exploration: a heatmap of two compared parameters, else a ranked dot plot.

In the heatmap stands also what only a pair does: combinations that stray from what their row and column promise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from sweeper.report import palette, series
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import Plan, even_ticks, fitting_words, screened, tick_labels
from sweeper.report.figures_table import Table, is_table
from sweeper.report.marks import Box
from sweeper.report.material import Material
from sweeper.report.units import NOTHING, clean, count
from sweeper.trial import Combination
from sweeper.verdict import Explored


def plan(material: Material) -> Plan | None:
    """The figure, or None where no trial has a score."""
    scored = {e.combination: value for e in material.verdict.explored if (value := _value(e)) is not None}
    if not scored:
        return None
    units, sign = material.screening_units(), material.objective.sign
    best = max(scored, key=lambda combination: sign * scored[combination])
    what = "expected at its best setting, ± standard deviation" if _estimated(material) else "of its best trial"
    title = f"{clean(best, 60)} looked best in exploration, {units.score(scored[best])}"
    caption = f"Validation {units.metric} of each combination, {what}; {units.direction}."
    missing = len(material.verdict.explored) - len(scored)
    if missing:
        caption += f" {count(missing, 'combination')} without any score."
    table = is_table(material)
    if table:
        caption += _interplay(material)
    return Plan(
        "combinations", screened(material), title, caption, partial(_heatmap if table else _ranking, material, scored)
    )


def _estimated(material: Material) -> bool:
    return any(e.estimate is not None and math.isfinite(e.estimate) for e in material.verdict.explored)


def _value(explored: Explored) -> float | None:
    value = explored.best if explored.estimate is None else explored.estimate
    return value if value is not None and math.isfinite(value) and explored.best is not None else None


def _interplay(material: Material) -> str:
    """What the table says about choosing one parameter without the other."""
    found = material.reads.interplay
    if found is None or found.chance is None:
        return ""
    if found.marked:
        return (
            " Triangles: better (up) or worse (down) than row and column together promise, by more than noise: choose "
            "the pair, not its parts."
        )
    first, second = (clean(name, 20) for name in material.space.compare)
    return (
        f" No pair stands out from its row and column by more than noise: nothing asks for choosing {first} and "
        f"{second} together."
    )


def _heatmap(material: Material, scored: Mapping[Combination, float], width: int) -> Canvas:
    sds = _sds(material)
    table = Table.fitting(material, width, 3 if sds else 2)
    sheet = table.sheet()
    look = _Cells(material, scored, sds, table)
    cells = list(table.cells())
    sheet.boxes([box for _, box in cells], [look.color(combination) for combination, _ in cells])
    for combination, box in cells:
        look.words(sheet, combination, box)
        look.triangle(sheet, combination, box)
        if combination == look.pick:
            x, y, wide, tall = box
            sheet.frame((x + 1, y + 1, wide - 2, tall - 2), palette.INK, 2)
    return sheet


def _sds(material: Material) -> dict[Combination, float]:
    known = [(e.combination, e.estimate_sd) for e in material.verdict.explored if e.estimate is not None]
    return {combination: sd for combination, sd in known if sd is not None and math.isfinite(sd)}


class _Cells:
    """Colours, numbers and marks of the heatmap."""

    def __init__(
        self, material: Material, scored: Mapping[Combination, float], sds: Mapping[Combination, float], table: Table
    ) -> None:
        self._scored, self._sds, self._table = scored, sds, table
        self._units, self._sign = material.screening_units(), material.objective.sign
        low, high = series.focus(scored.values(), self._sign)
        self._worst, self._span = (low, high - low) if self._sign > 0 else (high, high - low)
        verdict, interplay = material.verdict, material.reads.interplay
        self._finalists = {finalist.combination for finalist in verdict.finalists}
        self.pick = None if verdict.pick is None else verdict.pick.combination
        self._won = verdict.winner is not None
        self._rests = {} if interplay is None else {each: interplay.rests[each] for each in interplay.marked}

    def color(self, combination: Combination) -> str:
        """Of the box: grey without a score."""
        step = self._step(combination)
        return palette.HAIR if step is None else palette.RAMP[step]

    def words(self, sheet: Canvas, combination: Combination, box: Box) -> None:
        """The score, its doubt where there is room, and whether the combination went on."""
        step = self._step(combination)
        ink = palette.MUTED if step is None else palette.ON_RAMP[step]
        score = self._units.score(self._scored.get(combination))
        size, mark = self._table.size(score, 15.0), self._mark(combination)
        lines = [(score, size)]
        if combination in self._sds and box[3] > 55:
            lines.append((f"± {self._units.score(self._sds[combination])}", 10.5))
        if mark and box[3] > 36:
            lines.append((mark, min(10.5, size)))
        if not size:
            lines = [("•", 12)] if mark else []
        x, middle = box[0] + box[2] / 2, box[1] + box[3] / 2
        top = middle - 8.0 * (len(lines) - 1)
        for index, (said, points) in enumerate(lines):
            sheet.text((x, top + 16 * index + (2 if index else 0)), said, color=ink, size=points, align="center")

    def triangle(self, sheet: Canvas, combination: Combination, box: Box) -> None:
        """Up where the pair is better than its parts, down where it is worse."""
        rest, step = self._rests.get(combination), self._step(combination)
        if rest is not None and step is not None:
            half = 4.0 if box[2] > 40 else 2.5
            corner = (box[0] + box[2] - half - 4, box[1] + half + 4)
            sheet.dots([corner], "^" if rest > 0 else "v", 2 * half, palette.ON_RAMP[step])

    def _step(self, combination: Combination) -> int | None:
        value = self._scored.get(combination)
        if value is None:
            return None
        return palette.step(abs(value - self._worst) / self._span if self._sign * (value - self._worst) > 0 else 0.0)

    def _mark(self, combination: Combination) -> str:
        if combination == self.pick:
            mark = "winner" if self._won else "pick"
        else:
            mark = "finalist" if combination in self._finalists else ""
        return mark if self._table.wide > 0.6 * 10.5 * len(mark) else "•"[: len(mark)]


def _ranking(material: Material, scored: Mapping[Combination, float], width: int) -> Canvas:
    units, sign = material.screening_units(), material.objective.sign
    order = sorted(material.verdict.explored, key=lambda e: -sign * scored.get(e.combination, -sign * math.inf))
    narrow = width < 500
    left, right, row = (110.0, 56.0, 24.0) if narrow else (250.0, 120.0, 24.0)
    top, height = 12.0, row * len(order)
    sheet = Canvas(width, top + height + 48)
    low, high = series.focus(scored.values(), sign)
    area = sheet.panel(left, top, width - left - right, height).limits((low, high), (len(order) - 0.5, -0.5))
    ticks = even_ticks(low, high, 3 if narrow else 5)
    area.ticks_x(ticks, tick_labels(ticks), grid=True)
    finalists = {finalist.combination for finalist in material.verdict.finalists}
    for index, explored in enumerate(order):
        value, y = scored.get(explored.combination), top + row * (index + 0.5)
        chosen = explored.combination in finalists
        ink = palette.INK if chosen else palette.MUTED
        sheet.text((left - 12, y), clean(explored.combination, fitting_words(left - 16)), color=ink, align="right")
        said = NOTHING if value is None else units.score(value)
        said += " finalist" if chosen and not narrow else ""
        sheet.text((width - right + 10, y), said, color=ink)
        if value is not None:
            shown = min(max(value, low), high)
            face = palette.ACCENT if chosen else palette.PAPER
            edge = palette.ACCENT if chosen else palette.MUTED
            if shown == value:
                area.dots([shown], [index], 7, face, edge=edge)
            else:
                area.marks("<" if value < low else ">", [shown], index, 7, edge)
    note = f"validation {units.metric} ({units.direction})"
    sheet.text((left, top + height + 36), clean(note, fitting_words(width - left)), color=palette.MUTED, size=11)
    return sheet
