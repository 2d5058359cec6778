"""The figures of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sweeper.report.figures_plan import Plan
from sweeper.report.material import Material

WIDE, NARROW = 800, 342
"""Widths in pixels of a figure on a desk and on a phone; both are drawn, and the page shows the one that fits."""

NAMES = ("combinations", "learning_rate", "training", "confirmation", "predictions")
"""Every figure there can be, as its file is called; a study may lack some."""


@dataclass(frozen=True)
class Picture:
    """A figure in all its forms.

    Attributes:
        title: says what to see.
        caption: how to read it.
        wide, narrow: inline SVG for the page.
        png: the wide form with its title, at twice the size.
    """

    name: str
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
        figures_predictions,
        figures_rates,
    )

    plans: tuple[Callable[[Material], Plan | None], ...] = (
        figures_combinations.plan,
        figures_rates.plan,
        figures_curves.plan,
        figures_confirmation.plan,
        figures_predictions.plan,
    )
    return tuple(_picture(plan) for make in plans if (plan := make(material)) is not None)


def _picture(plan: Plan) -> Picture:
    wide = plan.draw(WIDE)
    narrow = plan.draw(NARROW).svg(f"{plan.name}-narrow", plan.title)
    return Picture(plan.name, plan.title, plan.caption, wide.svg(plan.name, plan.title), narrow, wide.png(plan.title))
