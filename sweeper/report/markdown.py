"""report.md: the report for where only text is shown, such as a CI summary; figures are linked files."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.report import facts, tables, text
from sweeper.report.figures import PARTS, Picture
from sweeper.report.markup import escape, fenced, prose, table
from sweeper.report.material import Material
from sweeper.report.snippet import keras_code


def render(material: Material, pictures: Sequence[Picture]) -> str:
    """The report as GitHub-flavoured Markdown; every name in it is escaped."""
    verdict = material.verdict
    blocks = [f"# {escape(text.headline(verdict))}", escape(text.paragraph(verdict))]
    code = keras_code(material)
    if code:
        blocks += ["## Use this", fenced(code, "python")]
    steps = text.next_steps(verdict)[1 if code else 0 :]  # the code says the first one already
    blocks += ["\n".join(f"* {prose(step)}" for step in steps)] if steps else []
    evidence, exploration, training, nights = ([p for p in pictures if p.stage in stages] for _, stages in PARTS)
    blocks += _figures(evidence)
    if verdict.finalists:
        blocks += ["## Finalists", table(tables.finalist_table(verdict))]
    threats = facts.threats(material)
    if threats:
        blocks += ["## Before you rely on it", _listed(threats)]
    blocks += _figures(exploration)
    if verdict.explored:
        blocks += ["## Explored", table(tables.explored_table(verdict.explored, material.screening_units()))]
        hidden = len(verdict.explored) - tables.MOST_ROWS
        blocks += [f"{hidden} more in verdict.json."] if hidden > 0 else []
    blocks += _figures(training)
    blocks += _figures(nights)
    blocks += ["## What was not tested", _listed(facts.untested(material))]
    blocks += ["## What was run", *_run(material)]
    return "\n\n".join(blocks) + "\n"


def _figures(pictures: Sequence[Picture]) -> list[str]:
    """Each with what it rests on, so that no single run passes for evidence."""
    blocks = []
    for picture in pictures:
        blocks += [f"## {escape(picture.title)}", f"*{escape(picture.stage)}*"]
        blocks += [f"![{escape(picture.title)}](figures/{picture.name}.png)", escape(picture.caption)]
    return blocks


def _listed(notes: Sequence[str]) -> str:
    return "\n".join(f"* {prose(note)}" for note in notes)


def _run(material: Material) -> list[str]:
    description = material.provenance.get("description")
    blocks = [escape(" ".join(str(description).split()))] if description else []
    trials = facts.trial_table(material)
    if len(trials) > 1:
        blocks.append(table(trials))
    blocks.append("\n".join(f"* **{escape(label)}**: {escape(value)}" for label, value in facts.provenance(material)))
    study = facts.study_text(material)
    if study:
        blocks.append(fenced(study, "yaml"))
    return [block for block in blocks if block]
