"""Two studies side by side as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from sweeper.report import comparison_text, html, palette, series
from sweeper.report.canvas import Canvas
from sweeper.report.comparison import Comparison, Contender
from sweeper.report.figures import NARROW, WIDE
from sweeper.report.figures_plan import even_ticks, fitting_words, label_room, tick_labels
from sweeper.report.units import clean, percent

_ROW = 30.0
Rows = Sequence[tuple[bool, str, Contender]]
"""Whether it is of the first study, what it is called, and what is known of it."""


def render(found: Comparison) -> str:
    """The page."""
    claim, _, rest = comparison_text.headline(found).partition(": ")
    rows = _rows(found)
    first, second = clean(found.first.label, 40), clean(found.second.label, 40)
    caption = (
        f"Mean and {percent(1 - found.alpha)} interval of every finalist, valid for all of its own study at once. "
        f"Filled: {first}, hollow: {second}; bold: the picks. Bars may overlap and one still be better."
    )
    page = html.template("comparison.html.j2").render(
        first=first,
        second=second,
        claim=claim,
        rest=rest,
        paragraph=comparison_text.paragraph(found),
        picks=comparison_text.pick_table(found),
        wide=Markup(draw(found, rows, WIDE).svg("finalists", "Finalists of both studies")) if rows else "",
        narrow=Markup(draw(found, rows, NARROW).svg("finalists-narrow", "Finalists of both studies")) if rows else "",
        caption=caption,
        shared=comparison_text.shared_table(found) if found.shared else [],
        differs=comparison_text.differs_table(found),
        notes=found.notes,
        css=html.css(),
    )
    return page.strip() + "\n"


def _rows(found: Comparison) -> Rows:
    everyone = [(True, each) for each in found.first.finalists] + [(False, each) for each in found.second.finalists]
    best_first = sorted(everyone, key=lambda entry: -found.sign * entry[1].score)
    return [(first, clean(each.combination), each) for first, each in best_first]


def draw(found: Comparison, rows: Rows, width: int) -> Canvas:
    """Means and intervals of all finalists on one axis, best first."""
    narrow, units = width < 500, found.units()
    left, right = 1.15 * label_room((name for _, name, _ in rows), width), 54.0 if narrow else 150.0  # bold is wider
    height = _ROW * len(rows)
    sheet = Canvas(width, height + 52)
    ends = [end for _, _, each in rows for end in (each.interval.low, each.interval.high)]
    low, high = series.focus([], found.sign, keep=ends)
    area = sheet.panel(left, 4, width - left - right, height).limits((low, high), (len(rows) - 0.5, -0.5))
    ticks = even_ticks(low, high, 3 if narrow else 6)
    area.ticks_x(ticks, tick_labels(ticks), grid=True)
    for index, (first, name, each) in enumerate(rows):
        y, ink = 4 + _ROW * (index + 0.5), palette.INK if each.is_pick else palette.MUTED
        write = sheet.strong if each.is_pick else sheet.text
        write((left - 12, y), clean(name, fitting_words(left - 14, 13)), color=ink, align="right")
        area.line((each.interval.low, each.interval.high), (index, index), palette.ACCENT, 1.8)
        area.dots([each.score], [index], 9, palette.ACCENT if first else palette.PAPER, edge=palette.ACCENT)
        said = units.score(each.score)
        if not narrow:
            said += f"  {clean((found.first if first else found.second).label, 12)}"
        sheet.text((width - right + 10, y), said, color=ink, size=11)
    sheet.text((left, height + 42), f"test {clean(found.metric, 24)}", color=palette.MUTED, size=11)
    return sheet
