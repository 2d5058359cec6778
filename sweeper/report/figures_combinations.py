"""How well every combination did in exploration: a heatmap of two compared parameters, else a ranked dot plot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Point
from sweeper.report.figures_plan import Plan, even_ticks, fitting_words, tick_labels
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
    what = "estimated at its best setting" if _estimated(material) else "of its best trial"
    title = f"{clean(best, 60)} looked best in exploration, {units.score(scored[best])}"
    caption = (
        f"Validation {units.metric} of each combination, {what}; {units.direction}. Single runs that choose the "
        "finalists, not evidence for a winner."
    )
    missing = len(material.verdict.explored) - len(scored)
    if missing:
        caption += f" {count(missing, 'combination')} without any score."
    table = len(material.space.compare) == 2 and min(_shape(material)) > 1
    return Plan("combinations", title, caption, partial(_heatmap if table else _ranking, material, scored))


def _estimated(material: Material) -> bool:
    return any(e.estimate is not None and math.isfinite(e.estimate) for e in material.verdict.explored)


def _value(explored: Explored) -> float | None:
    value = explored.best if explored.estimate is None else explored.estimate
    return value if value is not None and math.isfinite(value) and explored.best is not None else None


def _shape(material: Material) -> tuple[int, int]:
    rows, columns = _axes(material)
    return len(rows), len(columns)


def _axes(material: Material) -> tuple[list[object], list[object]]:
    """Values down and across: the second compared parameter goes across."""
    first, second = material.space.compare
    combinations = material.combinations()
    return list(dict.fromkeys(c[first] for c in combinations)), list(dict.fromkeys(c[second] for c in combinations))


def _heatmap(material: Material, scored: Mapping[Combination, float], width: int) -> Canvas:
    (first, second), (rows, columns) = material.space.compare, _axes(material)
    narrow = width < 500
    longest = max(len(clean(value, 22)) for value in rows)
    left = min(max(longest * 7.4, len(clean(first, 22)) * 6.8) + 16, 90.0 if narrow else 170.0)
    headings = [clean(value, 18) for value in columns]
    widest = max(map(len, headings)) * 7.6
    tilted = widest > min((width - left) / len(columns), 150.0) - 4
    across = widest * 0.71 + 4 if tilted else 2.0  # 45 degrees
    cell = max(min((width - left - across) / len(columns), 150.0), 20.0)
    tall = 60.0 if cell > 70 else 40.0
    top = 42.0 + across if tilted else 52.0
    sheet = Canvas(left + cell * len(columns) + across, top + tall * len(rows) + 6)
    sheet.text((left, 10), clean(second, 30), color=palette.MUTED, size=11)
    sheet.text((0, top - 14), clean(first, fitting_words(left, 11)), color=palette.MUTED, size=11)
    for index, heading in enumerate(headings):
        x = left + cell * (index + 0.5)
        if tilted:
            sheet.slanted((x - 4, top - 10), heading)
        else:
            sheet.text((x, top - 14), heading, align="center")
    for index, value in enumerate(rows):
        label = clean(value, fitting_words(left - 12))
        sheet.text((left - 10, top + tall * (index + 0.5)), label, align="right")
    _Cells(material, scored, cell, tall).draw(sheet, (left, top), rows, columns)
    return sheet


class _Cells:
    """The boxes of the heatmap with their numbers and marks."""

    def __init__(self, material: Material, scored: Mapping[Combination, float], width: float, height: float) -> None:
        self._scored = scored
        self._width, self._height = width, height
        self._units, self._sign = material.screening_units(), material.objective.sign
        self._names = material.space.compare
        low, high = series.focus(scored.values(), self._sign)
        self._worst, self._span = (low, high - low) if self._sign > 0 else (high, high - low)
        verdict = material.verdict
        self._finalists = {finalist.combination for finalist in verdict.finalists}
        self._pick = None if verdict.pick is None else verdict.pick.combination
        self._won = verdict.winner is not None

    def draw(self, sheet: Canvas, corner: Point, rows: list[object], columns: list[object]) -> None:
        boxes, colors, words, picked = [], [], [], None
        for r, row in enumerate(rows):
            for c, column in enumerate(columns):
                combination = Combination(dict(zip(self._names, (row, column), strict=True)))  # type: ignore[arg-type]
                x, y = corner[0] + c * self._width, corner[1] + r * self._height
                box = (x + 1, y + 1, self._width - 2, self._height - 2)
                step = self._step(combination)
                boxes.append(box)
                colors.append(palette.HAIR if step is None else palette.RAMP[step])
                ink = palette.MUTED if step is None else palette.ON_RAMP[step]
                words.append((combination, (x + self._width / 2, y + self._height / 2), ink))
                picked = box if combination == self._pick else picked
        sheet.boxes(boxes, colors)
        for combination, at, ink in words:
            self._words(sheet, combination, at, ink)
        if picked:
            x, y, width, height = picked
            sheet.frame((x + 1, y + 1, width - 2, height - 2), palette.INK, 2)

    def _step(self, combination: Combination) -> int | None:
        value = self._scored.get(combination)
        if value is None:
            return None
        return palette.step(abs(value - self._worst) / self._span if self._sign * (value - self._worst) > 0 else 0.0)

    def _words(self, sheet: Canvas, combination: Combination, at: Point, ink: str) -> None:
        score = self._units.score(self._scored.get(combination))
        size = min(15.0, (self._width - 6) / (0.62 * len(score)))
        mark = self._mark(combination)
        if size < 6:
            return
        shift = self._height * 0.13 if mark else 0
        sheet.text((at[0], at[1] - shift), score, color=ink, size=size, align="center")
        if mark:
            below = (at[0], at[1] + self._height * 0.24)
            sheet.text(below, mark, color=ink, size=min(10.5, size), align="center")

    def _mark(self, combination: Combination) -> str:
        if combination == self._pick:
            mark = "winner" if self._won else "pick"
        else:
            mark = "finalist" if combination in self._finalists else ""
        return mark if self._width > 0.6 * 10.5 * len(mark) else "•"[: len(mark)]


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
