"""Training curves of the finalists: every seed thin, the mean bold. Without finalists, the best trial of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from sweeper.report import canvas, palette, series
from sweeper.report.canvas import Axes, Canvas
from sweeper.report.figures_plan import Grid, Plan, even_ticks, panel_title, tick_labels
from sweeper.report.material import Material
from sweeper.report.units import clean
from sweeper.trial import Combination, Stage

MAX_PANELS = 6
"""As many as there are finalists at most; without finalists, as many of the best explored."""


@dataclass(frozen=True)
class _Panel:
    """Curves of one combination: `table` is (seeds, epochs), `mean` and `epochs` (1 to n) are (epochs,)."""

    combination: Combination
    table: series.Array
    mean: series.Array
    epochs: series.Array

    @classmethod
    def of(cls, combination: Combination, table: series.Array) -> _Panel:
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
    return Plan("training", title, caption, partial(_draw, material, panels))


def _confirmed(material: Material) -> list[_Panel]:
    stages = frozenset([Stage.CONFIRM])
    tables = [(f.combination, series.curves(material, f.combination, stages)) for f in material.finalists()]
    return [_Panel.of(combination, table) for combination, table in tables if table.size][:MAX_PANELS]


def _explored(material: Material) -> list[_Panel]:
    sign = material.objective.sign
    scored = [e for e in material.verdict.explored if e.best is not None and math.isfinite(e.best)]
    best = sorted(scored, key=lambda e: -sign * (e.best or 0.0))[:MAX_PANELS]
    tables = [(e.combination, series.best_curve(material, e.combination)) for e in best]
    return [_Panel.of(combination, table) for combination, table in tables if table.size]


def _draw(material: Material, panels: list[_Panel], width: int) -> Canvas:
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
        axes = sheet.panel(x, y, grid.width, grid.height)
        axes.set_ylim(*limits)
        axes.set_xlim(1 - 0.02 * longest, longest)
        _ticks(axes, limits, longest, first=index % grid.columns == 0)
        for other in panels:
            if other is not panel:
                axes.plot(other.epochs, other.mean, color=palette.FAINT, linewidth=1, linestyle=(0, (3, 2.5)))
        _seeds(axes, panel)
        axes.plot(panel.epochs, panel.mean, color=palette.ACCENT, linewidth=2.4, solid_capstyle="round")
        panel_title(sheet, (x, y - 14), grid.width, str(panel.combination), units.score(_last(panel.mean)))
    return sheet


def _limits(panels: list[_Panel], sign: int) -> tuple[float, float]:
    """An axis for what happens after the first tenth of the training, where curves differ by what is asked about."""
    later = [panel.table[:, panel.table.shape[1] // 10 :] for panel in panels]
    means = [value for panel in panels for value in panel.mean[len(panel.mean) // 3 :]]
    return series.focus(np.concatenate([table.ravel() for table in later]), sign, keep=means)


def _seeds(axes: Axes, panel: _Panel) -> None:
    if len(panel.table) < 2:
        return
    lines = []
    for row in panel.table:
        present = np.isfinite(row)
        lines.append(np.column_stack([panel.epochs[present], row[present]]))
    canvas.segments(axes, [line.tolist() for line in lines if len(line)], palette.ACCENT_SOFT, 0.6)


def _ticks(axes: Axes, limits: tuple[float, float], longest: float, *, first: bool) -> None:
    heights = even_ticks(*limits, 4)
    canvas.label_ticks(axes, "y", heights, tick_labels(heights) if first else [""] * len(heights))
    epochs = [1.0, *(tick for tick in even_ticks(1, longest, 3) if tick > 1 and tick == round(tick))]
    if longest > 1 and longest - epochs[-1] > 0.15 * longest:
        epochs.append(longest)
    far = [epochs[0], *(tick for tick in epochs[1:] if tick - 1 > 0.12 * longest)]
    canvas.label_ticks(axes, "x", far, [f"{tick:.0f}" for tick in far])


def _last(mean: series.Array) -> float:
    present = mean[np.isfinite(mean)]
    return float(present[-1]) if len(present) else math.nan
