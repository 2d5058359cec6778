"""Two studies side by side in words: the sentence, how sure it is, and the tables; the page prints the same ones."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from sweeper.report.comparison import Comparison, Contender, Shared, Side
from sweeper.report.units import NOTHING, Units, clean, count, percent

MOST_SHARED = 30
"""Combinations that both studies have; all of them are in the JSON document."""


def headline(found: Comparison) -> str:
    """Which pick is better, by how much; or that it cannot be told."""
    first, second = found.first.champion, found.second.champion
    if found.gap is None or first is None or second is None:
        missing = [side.label for side in (found.first, found.second) if side.champion is None]
        return f"Cannot be told: the pick of {clean(' and '.join(missing), 80)} was not confirmed on fresh seeds."
    units = found.units()
    size = units.gap(abs(found.gap.mean))
    if found.conclusion == "same":
        return f"The same: the picks differ by less than {units.gap(found.epsilon)}, which does not matter."
    if found.conclusion == "not separated":
        who = found.second if found.sign * found.gap.mean > 0 else found.first
        return f"Not separated: {_called(who)} is ahead by {size}, which may be noise."
    who, other = (found.second, found.first) if found.conclusion == "second" else (found.first, found.second)
    return f"{_called(who)} is better: by {size} than {_called(other)}."


def paragraph(found: Comparison) -> str:
    """How sure that is, and what it rests on."""
    if found.gap is None:
        return "Exploration scores are single runs that flatter the best of them: they settle nothing between studies."
    units, sure = found.units(), percent(1 - found.alpha)
    how = (
        f"paired: {count(found.gap.seeds, 'seed')} that both studies used, compared one by one"
        if found.gap.paired
        else f"unpaired, because the studies have no seeds in common (Welch, {found.gap.seeds} seeds or more each)"
    )
    said = (
        f"With {sure} confidence {clean(found.second.label, 40)} minus {clean(found.first.label, 40)} lies between "
        f"{_signed(found.gap.interval.low, units)} and {_signed(found.gap.interval.high, units)} ({how})."
    )
    if found.gap.interval.low <= 0 <= found.gap.interval.high and found.conclusion == "not separated":
        said += " More seeds in both studies would tell."
    pairs = len(found.first.finalists) * len(found.second.finalists)
    if pairs == 1:
        return said
    return f"{said} The interval allows for the picks having been chosen by these scores: it is one of {pairs} pairs."


def pick_table(found: Comparison) -> list[list[str]]:
    """The two picks and their difference."""
    units = found.units()
    rows = [["", "pick", found.metric, f"{percent(1 - found.alpha)} interval", "seeds", "verdict"]]
    for side in (found.first, found.second):
        each = side.champion
        name = NOTHING if side.pick is None else clean(side.pick, 40)
        verdict = side.outcome.lower().replace("_", " ") + ("" if side.complete else ", not finished")
        rows.append([clean(side.label, 40), name, *_scores(each, units), verdict])
    return rows


def finalist_table(found: Comparison) -> list[list[str]]:
    """All finalists of both, best first."""
    units = found.units()
    rows = [["combination", "study", found.metric, f"{percent(1 - found.alpha)} interval", "seeds", "may be best"]]
    everyone = [(side, each) for side in (found.first, found.second) for each in side.finalists]
    for side, each in sorted(everyone, key=lambda pair: -found.sign * pair[1].score):
        inside = "yes" if each.in_set else "no"
        rows.append([clean(each.combination, 40), clean(side.label, 30), *_scores(each, units), inside])
    return rows


def shared_table(found: Comparison) -> list[list[str]]:
    """Combinations that both have: confirmed where they were, else what exploration expected."""
    units = found.units()
    first, second = clean(found.first.label, 24), clean(found.second.label, 24)
    rows = [["combination", first, second, "difference", f"{percent(1 - found.alpha)} interval"]]
    for each in found.shared[:MOST_SHARED]:
        sides = [_known(side, each, units) for side in (found.first, found.second)]
        gap = [NOTHING, NOTHING]
        if each.gap is not None:
            interval = each.gap.interval
            low = _signed(interval.low, units).removesuffix(" points")
            gap = [_signed(each.gap.mean, units), f"{low} to {_signed(interval.high, units)}"]
        rows.append([clean(each.combination, 40), *sides, *gap])
    return rows


def differs_table(found: Comparison) -> list[list[str]]:
    """What the study files say differently."""
    heading = ["setting", clean(found.first.label, 30), clean(found.second.label, 30)]
    return [heading, *([clean(key, 40), short(one), short(other)] for key, one, other in found.differs)]


def words(found: Comparison) -> str:
    """All of it for a terminal."""
    blocks = [_wrapped(headline(found)), _wrapped(paragraph(found)), _aligned(pick_table(found))]
    if found.first.finalists or found.second.finalists:
        blocks.append("Finalists\n" + _aligned(finalist_table(found)))
    if found.shared:
        blocks.append("Combinations of both (~: expected from exploration)\n" + _aligned(shared_table(found)))
    blocks.append("The study files differ in\n" + _aligned(differs_table(found)) if found.differs else _ALIKE)
    if found.notes:
        blocks.append("\n".join(["Mind:", *(_wrapped(f"  * {clean(note)}") for note in found.notes)]))
    return "\n\n".join(blocks)


_ALIKE = "The study files do not differ in anything that decides numbers."


def short(value: Any) -> str:
    """A setting on one line."""
    return NOTHING if value is None else clean(value if isinstance(value, str) else json.dumps(value), 60)


def _called(side: Side) -> str:
    return clean(side.label, 40) + ("" if side.pick is None else f" ({clean(side.pick, 50)})")


def _scores(each: Contender | None, units: Units) -> list[str]:
    if each is None:
        return [NOTHING, NOTHING, NOTHING]
    return [units.score(each.score), units.interval(each.interval.low, each.interval.high), str(each.seeds)]


def _known(side: Side, each: Shared, units: Units) -> str:
    contender = side.contender(each.combination)
    if contender is not None:
        return units.score(contender.score)
    estimate, _ = side.expected.get(each.combination, (None, None))
    return NOTHING if estimate is None else f"~ {units.score(estimate)}"


def _signed(value: float, units: Units) -> str:
    size = units.gap(abs(value))
    return size if size == "0" else f"{'+' if value >= 0 else '-'}{size}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(f"  {line}" for line in lines)


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 100, subsequent_indent="    " if line.startswith("  ") else "", break_long_words=False)
