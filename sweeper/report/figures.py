"""The figures of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sweeper.report.figures_plan import CONFIRMED, CONFIRMED_COURSES, EXPLORED, KEPT, NIGHTS, RACED, Plan
from sweeper.report.material import Material

WIDE, NARROW = 800, 342
"""Widths in pixels of a figure on a desk and on a phone; both are drawn, and the page shows the one that fits."""

NAMES = (
    "confirmation",
    "combinations",
    "effects",
    "learning_rate",
    "robustness",
    "divergence",
    "tuning",
    "importance",
    "training",
    "speed",
    "predictions",
    "nights",
)
"""Every figure there can be, as its file is called, evidence first; a study may lack some."""


PARTS = (
    ("evidence", (CONFIRMED,)),
    ("exploration", (EXPLORED, RACED)),
    ("training", (CONFIRMED_COURSES, KEPT)),
    ("nights", (NIGHTS,)),
)
"""The parts of the page and the stages whose figures they hold."""


@dataclass(frozen=True)
class Picture:
    """A figure in all its forms.

    Attributes:
        stage: what it rests on.
        title: says what to see.
        caption: how to read it.
        wide, narrow: inline SVG for the page.
        png: the wide form with its title, at twice the size.
    """

    name: str
    stage: str
    title: str
    caption: str
    wide: str
    narrow: str
    png: bytes


def pictures(material: Material) -> tuple[Picture, ...]:
    """Draw every figure for which there is something to show."""
    from sweeper.report import (
        figures_combinations,
        figures_confirmation,
        figures_curves,
        figures_divergence,
        figures_effects,
        figures_importance,
        figures_nights,
        figures_predictions,
        figures_rates,
        figures_robustness,
        figures_speed,
        figures_tuning,
    )

    plans: tuple[Callable[[Material], Plan | None], ...] = (
        figures_confirmation.plan,
        figures_combinations.plan,
        figures_effects.plan,
        figures_rates.plan,
        figures_robustness.plan,
        figures_divergence.plan,
        figures_tuning.plan,
        figures_importance.plan,
        figures_curves.plan,
        figures_speed.plan,
        figures_predictions.plan,
        figures_nights.plan,
    )
    return tuple(_picture(plan) for make in plans if (plan := make(material)) is not None)


def _picture(plan: Plan) -> Picture:
    wide = plan.draw(WIDE)
    narrow = plan.draw(NARROW).svg(f"{plan.name}-narrow", plan.title)
    svg = wide.svg(plan.name, plan.title)
    return Picture(plan.name, plan.stage, plan.title, plan.caption, svg, narrow, wide.png(plan.title))
