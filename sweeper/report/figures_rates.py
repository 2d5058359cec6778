"""Score against learning rate, one small panel a combination, a block of panels an optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import (
    Grid,
    Plan,
    decade_ticks,
    even_ticks,
    fitting_words,
    panel_title,
    rate_label,
    screened,
    tick_labels,
)
from sweeper.report.material import Material
from sweeper.report.series import Rates
from sweeper.report.units import clean, number
from sweeper.trial import Combination

MOST_PANELS = 60
FEW_PANELS = 24
"""With more combinations than the first number, the most promising are drawn: nobody reads four hundred panels."""

_MARK_GAP = 9
"""Least pixels between two crosses or two triangles."""

Groups = list[tuple[str, list[Combination]]]

_BLOCK_GAP = 40
"""Pixels between the blocks of two optimizers: tick labels, a breath, and the next heading."""


def plan(material: Material) -> Plan | None:
    """The figure, or None where no trial had a learning rate and a score."""
    found = _promising(series.rates(material), material)
    if not any(len(points.scores) for points in found.values()):
        return None
    left_out = sum(points.left_out for points in found.values())
    shown = sum(len(points.scores) for points in found.values())
    edge, beyond = ("bottom", "below") if material.objective.maximize else ("top", "above")
    caption = f"Every trial of exploration; grey: the others of the block; crosses at the {edge} diverged, triangles "
    caption += f"scored {beyond} the axis."
    if material.verdict.finalists:
        caption += " Upright line: the rate that was confirmed."
    hidden = len(material.combinations()) - len(found)
    if hidden:
        caption += f" The most promising {len(found)} of {len(found) + hidden} combinations are drawn."
    if left_out:
        caption += f" Of {shown + left_out:,} trials the best {shown:,} along the axis are drawn."
    return Plan("learning_rate", screened(material), _title(material, found), caption, partial(_draw, material, found))


def _promising(found: dict[Combination, Rates], material: Material) -> dict[Combination, Rates]:
    """All combinations, or the most promising of too many and the finalists, in the order of the study file."""
    if len(found) <= MOST_PANELS:
        return found
    sign = material.objective.sign
    tops = {each: max(sign * points.scores, default=-math.inf) for each, points in found.items()}
    kept = set(sorted(tops, key=lambda each: -tops[each])[:FEW_PANELS])
    kept |= {finalist.combination for finalist in material.verdict.finalists if finalist.combination in found}
    return {each: points for each, points in found.items() if each in kept}


def _title(material: Material, found: dict[Combination, Rates]) -> str:
    diverged = [combination for combination, points in found.items() if len(points.diverged)]
    if not diverged:
        return "Where each combination likes its learning rate; none diverged"
    if len(diverged) == 1:
        return f"Where each combination likes its learning rate; only {clean(diverged[0], 40)} diverged anywhere"
    return f"Where each combination likes its learning rate, and where {len(diverged)} of {len(found)} diverge"


def groups(material: Material, combinations: Sequence[Combination]) -> Groups:
    """Combinations by optimizer, if that is compared among others; else all in one block without a name."""
    thinned = len(combinations) < len(material.combinations())  # too few of each optimizer for blocks of their own
    if thinned or "optimizer" not in material.space.compare or len(material.space.compare) == 1:
        return [("", list(combinations))]
    names = dict.fromkeys(combination["optimizer"] for combination in combinations)
    return [(str(name), [c for c in combinations if c["optimizer"] == name]) for name in names]


def _draw(material: Material, found: dict[Combination, Rates], width: int) -> Canvas:
    blocks, narrow = groups(material, list(found)), width < 500
    count = max(len(members) for _, members in blocks)
    least = 82 if narrow else 128
    grid = Grid.fitting(count, width, smallest=least, largest=360, height=92 if narrow else 112)
    heading = 30 if blocks[0][0] else 0
    heights = [heading + grid.bottom(len(members)) - 8 for _, members in blocks]
    sheet = Canvas(width, sum(heights) + _BLOCK_GAP * len(blocks) + 20)
    objective = material.objective
    note = f"validation {objective.metric}"
    sheet.text((0, 10), clean(note, 50), color=palette.MUTED, size=11)
    sheet.text((width - 2, sheet.height - 10), "learning rate (log scale)", color=palette.MUTED, size=11, align="right")
    drawer = _Panels(sheet, material, found)
    top = 20.0
    for (name, members), height in zip(blocks, heights, strict=True):
        if name:
            sheet.strong((0, top + 18), clean(name, fitting_words(width, 15)), size=13)
        drawer.block(members, grid, top + heading - 8)
        top += height + _BLOCK_GAP
    return sheet


class _Panels:
    """Draws blocks of panels that share one score axis."""

    def __init__(self, sheet: Canvas, material: Material, found: dict[Combination, Rates]) -> None:
        self._sheet, self._material, self._found = sheet, material, found
        scores = np.concatenate([points.scores for points in found.values()])
        sign = material.objective.sign
        tops = [sign * max(sign * points.scores) for points in found.values() if len(points.scores)]
        self._sign, self._limits = sign, series.focus(scores, sign, keep=_better_half(tops, sign))
        self._confirmed = {f.combination: f.params.get("learning_rate") for f in material.verdict.finalists}
        # A line through the points means something only where nothing but the learning rate varies.
        self._grouped = bool(groups(material, list(found))[0][0])
        self._joined = all(set(material.space.tuned(c)) <= {"learning_rate"} for c in found)

    def block(self, members: list[Combination], grid: Grid, top: float) -> None:
        """The panels of one optimizer."""
        ends = series.rate_range(self._material, members, self._found)
        for index, combination in enumerate(members):
            x, y = grid.place(index)
            axes = self._sheet.panel(x, y + top, grid.width, grid.height)
            self._frame(axes, ends, grid, first=index % grid.columns == 0)
            for other in members:
                if other != combination:
                    self._line(axes, self._found[other], palette.SOFT, 1.0 if len(members) < 6 else 0.6)
            self._line(axes, self._found[combination], palette.ACCENT, 1.6)
            self._marks(axes, self._found[combination], (ends[1] / ends[0]) ** (_MARK_GAP / grid.width))
            self._title(combination, axes, (x, y + top - 13), grid.width)

    def _frame(self, axes: Panel, ends: series.Array, grid: Grid, *, first: bool) -> None:
        low, high = self._limits
        band = 0.16 * (high - low)
        widen = (ends[1] / ends[0]) ** 0.04 if ends[1] > ends[0] else 2.0
        heights = (low - band, high) if self._sign > 0 else (low, high + band)
        axes.limits((ends[0] / widen, ends[1] * widen), heights, log_x=True)
        ticks = even_ticks(low, high, 4)
        axes.ticks_y(ticks, tick_labels(ticks) if first else [""] * len(ticks))
        decades = decade_ticks(ends[0], ends[1], 5 if grid.width > 190 else 3 if grid.width > 110 else 2)
        axes.ticks_x(decades, [rate_label(rate) for rate in decades], tight=grid.width < 190)

    def _line(self, axes: Panel, points: Rates, color: str, width: float) -> None:
        inside = self._inside(points)
        if self._joined:
            rates, means = _averaged(points.rates, points.scores)
            axes.line(rates, means, color, width)
        if color == palette.ACCENT or not self._joined:
            size = 4.5 if color == palette.ACCENT else 2.5
            axes.dots(points.rates[inside], points.scores[inside], size, color)

    def _marks(self, axes: Panel, points: Rates, apart: float) -> None:
        """Crosses and triangles on the bad edge; `apart` is the least ratio of the rates of two of a kind."""
        low, high = self._limits
        floor = low - 0.08 * (high - low) if self._sign > 0 else high + 0.08 * (high - low)
        outside = _spread(points.rates[~self._inside(points)], apart)
        crosses = _spread(points.diverged, apart)
        axes.marks("v" if self._sign > 0 else "^", outside, floor, 4.5, palette.ACCENT)
        axes.marks("x", crosses, floor, 5.5, palette.INK)

    def _inside(self, points: Rates) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        low, high = self._limits
        return (points.scores >= low) & (points.scores <= high)

    def _title(self, combination: Combination, axes: Panel, at: tuple[float, float], width: float) -> None:
        rest = [str(value) for name, value in combination.items() if name != "optimizer"]
        name = " + ".join(rest) if rest and self._grouped else str(combination)
        rate = self._confirmed.get(combination)
        said = ""
        if isinstance(rate, (int, float)) and math.isfinite(rate) and rate > 0:
            axes.upright(rate, palette.ACCENT, 1.2)
            said = number(float(rate))
        panel_title(self._sheet, at, width, name, said)


def _better_half(tops: list[float], sign: int) -> list[float]:
    """The best scores of the better half of the combinations: the axis always holds them."""
    return sorted(tops, key=lambda score: -sign * score)[: (len(tops) + 1) // 2]


def _spread(rates: series.Array, apart: float) -> list[float]:
    """Rising rates without those that would be drawn on top of the one before."""
    kept: list[float] = []
    for rate in rates:
        if not kept or rate >= kept[-1] * apart:
            kept.append(float(rate))
    return kept


def _averaged(rates: series.Array, scores: series.Array) -> tuple[series.Array, series.Array]:
    """One point a rate: trials at the same rate are averaged."""
    unique, inverse = np.unique(rates, return_inverse=True)
    totals = np.bincount(inverse, weights=scores, minlength=len(unique))
    return unique, totals / np.maximum(np.bincount(inverse, minlength=len(unique)), 1)
