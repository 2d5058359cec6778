"""How much each combination forgives a wrong learning rate: the widest window first."""

from __future__ import annotations

import statistics
from functools import partial

from sweeper.reads import RateWindow
from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import Plan, decade_ticks, fitting_words, label_room, rate_label, screened
from sweeper.report.material import Material
from sweeper.report.units import clean, count

MOST_ROWS = 24
"""With more combinations the widest and the narrowest windows are shown."""
_NARROWEST = 6
_ROW = 24.0


def plan(material: Material) -> Plan | None:
    """The figure, or None where no learning rate was sought."""
    found = material.reads.sensitivity
    if found is None or len(found.windows) < 2:
        return None
    units = material.screening_units()
    within, widest = "1 point" if units.share else "1 %", found.windows[0]
    title = f"{clean(widest.combination, 60)} forgives a wrong learning rate most: {_width(widest)} within {within}"
    caption = (
        f"Bar: learning rates that are expected to lose at most {within} against the combination's own best (dot); "
        f"“≥”: as far as was tried. Drawn blindly from the range, a learning rate costs {_blind(material)} on average."
    )
    if any(window.diverged for window in found.windows):
        caption += " Cross: the lowest rate that diverged."
    hidden = len(found.windows) - len(_shown(found.windows))
    if hidden:
        caption += f" {count(hidden, 'combination')} in between not drawn."
    return Plan("robustness", screened(material), title, caption, partial(_draw, material))


def _blind(material: Material) -> str:
    """What tuning is worth: the median over the combinations, without false digits."""
    found, units = material.reads.sensitivity, material.screening_units()
    cost = statistics.median(window.random_cost for window in found.windows) if found else 0.0
    return f"{cost * 100:.0f} points" if units.share and cost >= 0.05 else units.gap(cost)


def _shown(windows: tuple[RateWindow, ...]) -> tuple[RateWindow, ...]:
    if len(windows) <= MOST_ROWS:
        return windows
    return (*windows[: MOST_ROWS - _NARROWEST], *windows[-_NARROWEST:])


def _width(window: RateWindow) -> str:
    at_least = "≥\u00a0" if window.open else ""
    return f"{at_least}{window.decades:.1f} decades"


def _draw(material: Material, width: int) -> Canvas:
    found = material.reads.sensitivity
    assert found is not None  # `plan` answers otherwise
    windows, narrow = _shown(found.windows), width < 500
    left, right = label_room((window.combination for window in windows), width), 50.0 if narrow else 110.0
    height = _ROW * len(windows)
    sheet = Canvas(width, height + 56)
    area = sheet.panel(left, 6, width - left - right, height)
    rates = [rate for w in windows for rate in (w.low, w.high, w.diverged_from or w.high)]
    low, high = min(rates) / 1.5, max(rates) * 1.5
    area.limits((low, high), (len(windows) - 0.5, -0.5), log_x=True)
    ticks = decade_ticks(low, high, max(int((width - left - right) / 60), 2))
    area.ticks_x(ticks, [rate_label(tick) for tick in ticks], grid=True, tight=True)
    finalists = {finalist.combination for finalist in material.verdict.finalists}
    for index, window in enumerate(windows):
        y = 6 + _ROW * (index + 0.5)
        chosen = window.combination in finalists
        color = palette.ACCENT if chosen else palette.FAINT
        ink = palette.INK if chosen else palette.MUTED
        sheet.text((left - 12, y), clean(window.combination, fitting_words(left - 14)), color=ink, align="right")
        area.line((window.low, window.high), (index, index), color, 5)
        area.dots([window.best], [index], 6, palette.PAPER, edge=palette.INK)
        if window.diverged_from is not None:
            area.marks("x", [window.diverged_from], index, 6, palette.INK)
        said = _width(window).removesuffix(" decades") if narrow else _width(window)
        sheet.text((width - right + 12, y), said, color=ink, size=11)
        if len(found.windows) > len(windows) and index == len(windows) - _NARROWEST:
            sheet.line([(0, y - _ROW / 2), (width, y - _ROW / 2)], palette.SOFT, 1, (3, 3))
    note = "learning rate (log scale)" + ("" if narrow else "; finalists in colour")
    sheet.text((left, height + 44), note, color=palette.MUTED, size=11)
    return sheet
