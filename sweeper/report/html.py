"""report.html: one file that needs nothing else. No script, no network, everything escaped but our own drawings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from sweeper.report import facts, palette, tables, text
from sweeper.report.figures import PARTS, Picture
from sweeper.report.figures_plan import CONFIRMED
from sweeper.report.material import Material
from sweeper.report.snippet import keras_code
from sweeper.report.units import clean
from sweeper.verdict import Outcome, Verdict

_TEMPLATES = Path(__file__).parent / "templates"


def render(material: Material, pictures: Sequence[Picture]) -> str:
    """The page."""
    verdict = material.verdict
    claim, _, rest = text.headline(verdict).partition(": ")
    code = keras_code(material)
    page = template("report.html.j2").render(
        study=clean(verdict.study, 80),
        outcome=verdict.outcome.value.replace("_", " ").lower(),
        claim=claim,
        rest=rest,
        paragraph=text.paragraph(verdict),
        description=clean(material.provenance.get("description") or ""),
        key_figures=facts.key_figures(material),
        code=code,
        use=_use(verdict, code),
        steps=text.next_steps(verdict)[1 if code else 0 :],  # the code says the first one already
        proof=CONFIRMED,
        parts=[(part, [_drawn(picture) for picture in pictures if picture.stage in stages]) for part, stages in PARTS],
        finalists=tables.finalist_table(verdict) if verdict.finalists else [],
        out_of_set=[not finalist.in_set for finalist in material.finalists()],
        explored=tables.explored_table(verdict.explored, material.screening_units()) if verdict.explored else [],
        unlisted=max(len(verdict.explored) - tables.MOST_ROWS, 0),
        threats=facts.threats(material),
        untested=facts.untested(material),
        trials=facts.trial_table(material),
        provenance=facts.provenance(material),
        study_text=facts.study_text(material),
        css=css(),
    )
    return page.strip() + "\n"


def template(name: str) -> Template:
    """A page to be filled in; everything put into it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(tight=tight, prose=prose)
    return environment.get_template(name)


def css() -> Markup:
    """The look of every page, with the colours of both themes."""
    return Markup(palette.css() + (_TEMPLATES / "report.css").read_text(encoding="utf-8"))


def _drawn(picture: Picture) -> tuple[Picture, Markup, Markup]:
    return picture, Markup(picture.wide), Markup(picture.narrow)


def _use(verdict: Verdict, code: str | None) -> str:
    if code is None:
        return "What to do now"
    return "Use this tomorrow" if verdict.outcome is not Outcome.NO_VERDICT else "The best guess so far"


def prose(words: str) -> Markup:
    """A sentence with its `code` set as code."""
    parts = tight(words).split("`")
    if len(parts) % 2 == 0:
        return escape(tight(words))
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def tight(words: str) -> str:
    """Words whose numbers and units stay on one line."""
    words = words.replace("1 point = 0.01", "1\u00a0point\u00a0=\u00a00.01")
    for unit in (" %", " points", " s", " min", " h"):
        words = words.replace(f"{unit} ", f"\u00a0{unit[1:]} ") if unit != " %" else words.replace(unit, "\u00a0%")
    return words
