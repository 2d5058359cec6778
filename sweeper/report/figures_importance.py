"""Which parameter decides whether a trial is among the best, beside what chance alone would give."""

from __future__ import annotations

from functools import partial

from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import EXPLORED, Plan, fitting_words, label_room
from sweeper.report.material import Material
from sweeper.report.units import clean, percent

_ROW = 30.0


def plan(material: Material) -> Plan | None:
    """The figure, or None where combinations were not explored with equal effort."""
    found = material.reads.importance
    if found is None:
        return None
    decide = [weight for weight in found.weights if weight.share > weight.chance]
    names = " and ".join(clean(weight.name, 30) for weight in decide)
    if not decide:
        title = "No parameter decides by more than chance who is among the best"
    elif len(decide) == 1:
        title = f"What decides whether a training is among the best: {names} ({_share(decide[0].share)})"
    else:
        title = f"What decides whether a training is among the best: {names}"
    caption = (
        f"PED-ANOVA on the equal exploration alone: the best {found.top} of {found.trials} trials against all. Stroke: "
        "what chance reaches in one of twenty studies; grey bars end before it."
    )
    return Plan("importance", EXPLORED, title, caption, partial(_draw, material))


def _share(share: float) -> str:
    return percent(round(share, 2))


def _draw(material: Material, width: int) -> Canvas:
    found = material.reads.importance
    assert found is not None  # `plan` answers otherwise
    left, right = label_room((weight.name for weight in found.weights), width), 96.0 if width < 500 else 180.0
    sheet = Canvas(width, _ROW * len(found.weights) + 8)
    area = sheet.panel(left, 0, width - left - right, _ROW * len(found.weights)).limits((0, 1), (0, 1))
    boxes, colors = [], []
    for index, weight in enumerate(found.weights):
        decides = weight.share > weight.chance
        y = _ROW * index
        boxes.append((left, y + 6, max(area.x(weight.share) - left, 1.5), _ROW - 12))
        colors.append(palette.ACCENT if decides else palette.FAINT)
        ink = palette.INK if decides else palette.MUTED
        sheet.text((left - 12, y + _ROW / 2), clean(weight.name, fitting_words(left - 14)), color=ink, align="right")
        said = _share(weight.share) + ("" if decides else ", chance" if width < 500 else ", within chance")
        at = max(area.x(weight.share), area.x(min(weight.chance, 1.0))) + 10
        sheet.text((at, y + _ROW / 2), said, color=ink, size=11)
    sheet.boxes(boxes, colors)
    for index, weight in enumerate(found.weights):
        x = area.x(min(weight.chance, 1.0))
        sheet.line([(x, _ROW * index + 3), (x, _ROW * index + _ROW - 3)], palette.INK, 1.5)
    return sheet
