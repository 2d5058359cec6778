"""Training curves of the finalists: every seed thin, the mean bold. Without finalists, the best trial of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import CONFIRMED_COURSES, Grid, Plan, even_ticks, panel_title, screened, tick_labels
from sweeper.report.material import Material
from sweeper.report.units import clean
from sweeper.trial import Combination, Stage

MAX_PANELS = 6
"""As many as there are finalists at most; without finalists, as many of the best explored."""


@dataclass(frozen=True)
class _Course:
    """Curves of one combination: `table` is (seeds, epochs), `mean` and `epochs` (1 to n) are (epochs,)."""

    combination: Combination
    table: series.Array
    mean: series.Array
    epochs: series.Array

    @classmethod
    def of(cls, combination: Combination, table: series.Array) -> _Course:
        shown = series.epochs_shown(table.shape[1])
        return cls(combination, table[:, shown], series.mean_curve(table)[shown], (shown + 1).astype(np.float64))


def plan(material: Material) -> Plan | None:
    """The figure, or None where no trial has a curve."""
    confirmed = _confirmed(material)
    panels = confirmed or _explored(material)
    if not panels:
        return None
    metric = material.objective.metric
    if confirmed:
        title = "How the finalists learn: every seed, and their mean"
        caption = f"Validation {metric} by epoch; thin: one seed each, bold: their mean, dashed: the other finalists."
    else:
        title = "How the best trial of each leading combination learns"
        caption = f"Validation {metric} by epoch, one run each; dashed: the other combinations."
    stage = CONFIRMED_COURSES if confirmed else screened(material)
    return Plan("training", stage, title, caption, partial(_draw, material, panels))


def _confirmed(material: Material) -> list[_Course]:
    stages = frozenset([Stage.CONFIRM])
    tables = [(f.combination, series.curves(material, f.combination, stages)) for f in material.finalists()]
    return [_Course.of(combination, table) for combination, table in tables if table.size][:MAX_PANELS]


def _explored(material: Material) -> list[_Course]:
    sign = material.objective.sign
    scored = [e for e in material.verdict.explored if e.best is not None and math.isfinite(e.best)]
    best = sorted(scored, key=lambda e: -sign * (e.best or 0.0))[:MAX_PANELS]
    tables = [(e.combination, series.best_curve(material, e.combination)) for e in best]
    return [_Course.of(combination, table) for combination, table in tables if table.size]


def _draw(material: Material, panels: list[_Course], width: int) -> Canvas:
    narrow = width < 500
    least = 120 if narrow else 200
    grid = Grid.fitting(len(panels), width, smallest=least, largest=420, height=104 if narrow else 150)
    sheet = Canvas(width, grid.bottom(len(panels)) + 44)
    units, objective = material.screening_units(), material.objective
    sheet.text((0, 10), clean(f"validation {objective.metric}", 50), color=palette.MUTED, size=11)
    sheet.text((width - 2, sheet.height - 9), "epoch", color=palette.MUTED, size=11, align="right")
    limits = _limits(panels, objective.sign)
    longest = max(float(panel.epochs[-1]) for panel in panels)
    for index, panel in enumerate(panels):
        x, y = grid.place(index)
        axes = sheet.panel(x, y, grid.width, grid.height).limits((1 - 0.02 * longest, longest), limits)
        _ticks(axes, limits, longest, first=index % grid.columns == 0)
        for other in panels:
            if other is not panel:
                axes.line(other.epochs, other.mean, palette.FAINT, 1, (3, 2.5))
        _seeds(axes, panel)
        axes.line(panel.epochs, panel.mean, palette.ACCENT, 2.4)
        panel_title(sheet, (x, y - 14), grid.width, str(panel.combination), units.score(_last(panel.mean)))
    return sheet


def _limits(panels: list[_Course], sign: int) -> tuple[float, float]:
    """An axis for what happens after the first tenth of the training, where curves differ by what is asked about."""
    later = [panel.table[:, panel.table.shape[1] // 10 :] for panel in panels]
    means = [value for panel in panels for value in panel.mean[len(panel.mean) // 3 :]]
    return series.focus(np.concatenate([table.ravel() for table in later]), sign, keep=means)


def _seeds(axes: Panel, panel: _Course) -> None:
    if len(panel.table) < 2:
        return
    lines = [
        zip(panel.epochs[there], row[there], strict=True) for row in panel.table if (there := np.isfinite(row)).any()
    ]
    axes.lines(lines, palette.ACCENT_SOFT, 0.6)


def _ticks(axes: Panel, limits: tuple[float, float], longest: float, *, first: bool) -> None:
    heights = even_ticks(*limits, 4)
    axes.ticks_y(heights, tick_labels(heights) if first else [""] * len(heights))
    epochs = [1.0, *(tick for tick in even_ticks(1, longest, 3) if tick > 1 and tick == round(tick))]
    if longest > 1 and longest - epochs[-1] > 0.15 * longest:
        epochs.append(longest)
    far = [epochs[0], *(tick for tick in epochs[1:] if tick - 1 > 0.12 * longest)]
    axes.ticks_x(far, [f"{tick:.0f}" for tick in far])


def _last(mean: series.Array) -> float:
    present = mean[np.isfinite(mean)]
    return float(present[-1]) if len(present) else math.nan
