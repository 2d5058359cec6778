"""Where training diverges: a table of two compared parameters, drawn only where something did."""

from __future__ import annotations

from functools import partial

from sweeper.reads import RateWindow
from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import Plan, screened
from sweeper.report.figures_table import Table, is_table
from sweeper.report.material import Material
from sweeper.report.units import clean, count, number
from sweeper.trial import Combination

_SHADES = ((0.5, palette.MUTED, palette.PAPER), (0.25, palette.SOFT, palette.INK), (0.0, palette.HAIR, palette.INK))
"""From this share of diverged trials on: box and words."""


def plan(material: Material) -> Plan | None:
    """The figure, or None where nothing diverged or no two parameters are compared."""
    windows = {} if material.reads.sensitivity is None else _windows(material)
    diverged = [window for window in windows.values() if window.diverged]
    if not diverged or not is_table(material):
        return None
    worst = max(diverged, key=lambda window: window.diverged / window.trials)
    trials, all_trials = sum(w.diverged for w in diverged), sum(w.trials for w in windows.values())
    title = (
        f"{trials} of {count(all_trials, 'training')} diverged, most often "
        f"{clean(worst.combination, 50)} ({worst.diverged} of {worst.trials})"
    )
    caption = (
        "Diverged of all trainings of a combination; the darker, the larger the share. Below: the lowest learning rate "
        "that diverged. Empty: none did."
    )
    return Plan("divergence", screened(material), title, caption, partial(_draw, material, windows))


def _windows(material: Material) -> dict[Combination, RateWindow]:
    found = material.reads.sensitivity
    return {} if found is None else {window.combination: window for window in found.windows}


def _draw(material: Material, windows: dict[Combination, RateWindow], width: int) -> Canvas:
    table = Table.fitting(material, width, 2)
    sheet = table.sheet()
    shown = [(box, windows[each]) for each, box in table.cells() if each in windows]
    looks = [next((look for look in _SHADES if w.diverged > look[0] * w.trials), None) for _, w in shown]
    sheet.boxes([box for box, _ in shown], [palette.RAMP[0] if look is None else look[1] for look in looks])
    for (box, window), look in zip(shown, looks, strict=True):
        if look is None:
            continue
        said, middle = f"{window.diverged}/{window.trials}", (box[0] + box[2] / 2, box[1] + box[3] / 2)
        size = table.size(said, 13.0)
        from_rate = f"from {number(window.diverged_from or 0.0)}"
        small = table.size(from_rate, 10.5) if box[3] > 36 else 0.0
        if size:
            sheet.text((middle[0], middle[1] - (8 if small else 0)), said, color=look[2], size=size, align="center")
        if small:
            sheet.text((middle[0], middle[1] + 10), from_rate, color=look[2], size=small, align="center")
    return sheet
