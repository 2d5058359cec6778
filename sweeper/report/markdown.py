"""report.md: the report for where only text is shown, such as a CI summary; figures are linked files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sweeper.report import facts, tables, text
from sweeper.report.figures import PARTS, Picture
from sweeper.report.material import Material
from sweeper.report.snippet import keras_code

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!$])")


def render(material: Material, pictures: Sequence[Picture]) -> str:
    """The report as GitHub-flavoured Markdown; every name in it is escaped."""
    verdict = material.verdict
    blocks = [f"# {escape(text.headline(verdict))}", escape(text.paragraph(verdict))]
    code = keras_code(material)
    if code:
        blocks += ["## Use this", _fenced(code, "python")]
    steps = text.next_steps(verdict)[1 if code else 0 :]  # the code says the first one already
    blocks += ["\n".join(f"* {prose(step)}" for step in steps)] if steps else []
    evidence, exploration, training, nights = ([p for p in pictures if p.stage in stages] for _, stages in PARTS)
    blocks += _figures(evidence)
    if verdict.finalists:
        blocks += ["## Finalists", _table(tables.finalist_table(verdict))]
    threats = facts.threats(material)
    if threats:
        blocks += ["## Before you rely on it", _listed(threats)]
    blocks += _figures(exploration)
    if verdict.explored:
        blocks += ["## Explored", _table(tables.explored_table(verdict.explored, material.screening_units()))]
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


def escape(words: str) -> str:
    """Words as they are, whatever Markdown or HTML would make of them."""
    safe = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", safe)


def prose(words: str) -> str:
    """A sentence whose `code` stays code."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return escape(words)
    return "".join(f"`{part}`" if i % 2 else escape(part) for i, part in enumerate(parts))


def _run(material: Material) -> list[str]:
    description = material.provenance.get("description")
    blocks = [escape(" ".join(str(description).split()))] if description else []
    trials = facts.trial_table(material)
    if len(trials) > 1:
        blocks.append(_table(trials))
    blocks.append("\n".join(f"* **{escape(label)}**: {escape(value)}" for label, value in facts.provenance(material)))
    study = facts.study_text(material)
    if study:
        blocks.append(_fenced(study, "yaml"))
    return [block for block in blocks if block]


def _table(rows: Sequence[Sequence[str]]) -> str:
    heading, *body = rows
    lines = [heading, ["---", *["--:"] * (len(heading) - 1)]]
    cells = [[escape(cell) for cell in heading], lines[1], *([escape(cell) for cell in row] for row in body)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def _fenced(code: str, language: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
