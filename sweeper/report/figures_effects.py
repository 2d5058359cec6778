"""What each compared parameter does on its own: does the activation matter at all here?"""

from __future__ import annotations

from functools import partial

from sweeper.reads import Factor
from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import Plan, even_ticks, fitting_words, label_room, screened
from sweeper.report.material import Material
from sweeper.report.units import Units, clean

_SURE = 0.05
_SILENT = "makes no difference that shows"
_SDS = 1.96
_ROW, _HEAD, _GAP = 24.0, 34.0, 18.0


def plan(material: Material) -> Plan | None:
    """The figure, or None where fewer than two values of anything have an estimate."""
    factors = material.reads.factors
    if not factors:
        return None
    units = material.screening_units()
    caption = (
        f"Average over the other parameters, against the average of all ({'points' if units.share else units.metric}; "
        "right is better). Bars: 95 % intervals; grey: may be noise."
    )
    if material.verdict.finalists:
        caption += " Single runs tell less than the confirmation above."
    return Plan("effects", screened(material), _title(material), caption, partial(_draw, material))


def _title(material: Material) -> str:
    """Every parameter with what can be said about it."""
    told = [(clean(factor.name, 30), verdict_of(factor, material)) for factor in material.reads.factors]
    if len(told) == 2 and {said for _, said in told} == {_SILENT}:
        return f"In exploration neither {told[0][0]} nor {told[1][0]} makes a difference that shows"
    return "In exploration " + "; ".join(f"{name} {said}" for name, said in told)


def verdict_of(factor: Factor, material: Material) -> str:
    """One of: it matters, it does not, or it does not show."""
    units, epsilon = material.screening_units(), _epsilon(material)
    if factor.chance is None:
        return f"differs by {units.gap(factor.spread)} at most"
    if factor.at_most <= epsilon:
        return f"does not matter (less than {units.gap(epsilon)})"
    if factor.chance < _SURE:
        return f"matters ({units.gap(factor.spread)} from best to worst)"
    return _SILENT


def _epsilon(material: Material) -> float:
    """Smallest difference that matters, in the unit of the study's metric."""
    objective = material.objective
    best = [abs(e.best) for e in material.verdict.explored if e.best is not None]
    return objective.epsilon * (max(best, default=0.0) if objective.relative else 1.0)


def _draw(material: Material, width: int) -> Canvas:
    factors, units, narrow = material.reads.factors, material.screening_units(), width < 500
    heights = [_HEAD + _ROW * len(factor.levels) for factor in factors]
    sheet = Canvas(width, sum(heights) + _GAP * (len(factors) - 1) + 30)
    left = label_room((level.value for factor in factors for level in factor.levels), width)
    right = 46.0 if narrow else 120.0
    ends = [level.effect + side * _SDS * level.sd for f in factors for level in f.levels for side in (-1, 1)]
    reach = 1.05 * max(max(map(abs, ends)), 1e-9)
    top = 0.0
    for factor, height in zip(factors, heights, strict=True):
        _head(sheet, factor, material, (width, top))
        area = sheet.panel(left, top + _HEAD, width - left - right, height - _HEAD)
        area.limits((-reach, reach), (len(factor.levels) - 0.5, -0.5))
        ticks = even_ticks(-reach, reach, 4 if narrow else 6)
        last = factor is factors[-1]
        area.ticks_x(ticks, [_label(tick, units) if last else "" for tick in ticks], grid=True)
        area.upright(0.0, palette.FAINT, 1.2)
        sure = factor.chance is not None and factor.chance < _SURE
        color = palette.ACCENT if sure else palette.MUTED
        for index, level in enumerate(factor.levels):
            y = top + _HEAD + _ROW * (index + 0.5)
            sheet.text((left - 12, y), clean(level.value, fitting_words(left - 14)), align="right")
            reach_of = (level.effect - _SDS * level.sd, level.effect + _SDS * level.sd)
            area.line(reach_of, (index, index), color, 1.6)
            area.dots([level.effect], [index], 8, color)
            said = _signed(level.effect, units, short=narrow)
            sheet.text((width - right + 10, y), said, color=palette.MUTED, size=11)
        top += height + _GAP
    return sheet


def _head(sheet: Canvas, factor: Factor, material: Material, at: tuple[float, float]) -> None:
    width, top = at
    name = clean(factor.name, 18 if width < 500 else 30)
    sheet.strong((0, top + 12), name, size=13)
    if factor.chance is None:
        return
    units = material.screening_units()
    said = f"no two differ by more than {units.gap(factor.at_most, bound=True)} (95 %)"
    if width < 500:
        said = f"differ by at most {units.gap(factor.at_most, bound=True)}"
    sheet.text((width, top + 12), said, color=palette.MUTED, size=11, align="right")


def _signed(value: float, units: Units, *, short: bool) -> str:
    if not units.share:
        return f"{value:+.{units.decimals}f}"
    return f"{100 * value:+.1f}" + ("" if short else " points")


def _label(value: float, units: Units) -> str:
    shown = value * 100 if units.share else value
    return f"{shown:+g}" if abs(shown) > 1e-9 else "0"
