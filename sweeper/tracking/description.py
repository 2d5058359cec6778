"""What a visitor of the parent run reads first: the question while it trains, the verdict when it has ended.

Markdown, kept below the 8,000 characters that MLflow takes; every word from a study is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FINALISTS_SHOWN, NOTES_SHOWN = 12, 6
"""A row or a note has about 300 characters at most, so there is room for the rest."""

_GAP = "\u00a0\u00a0"
"""MLflow shows tables without any space between their columns."""


def opening(study: Mapping[str, Any], trials: str) -> str:
    """The description while trials are being trained; `trials` is the address of their table."""
    data, objective = study.get("data", {}), study.get("objective", {})
    lines = [f"**{_escape(study['name'])}** is being trained."]
    if study.get("description"):
        lines.append(f"> {_escape(study['description'])}")
    if data and objective:
        lines.append(
            f"Data: {_escape(data.get('name', '?'))}, {data.get('rows', '?')} rows, {data.get('task', '?')}. "
            f"Goal: {_escape(objective.get('goal', ''))} {_escape(objective.get('metric', ''))}."
        )
    return "\n\n".join([*lines, f"Every trial is a run below this one: [all trials, best first]({trials})."])


def title(verdict: Mapping[str, Any]) -> str:
    """The parent run's name when the study has ended, so that a list of studies reads as a list of answers."""
    pick = verdict.get("pick")
    if not pick:
        return "no verdict"
    combination = " + ".join(str(value) for value in pick["combination"].values())
    several = len(verdict.get("set", ()))
    answers = {
        "WINNER": f"{combination} wins",
        "TIE": f"{combination} in a tie of {several}",
        "NOT_SEPARATED": f"{combination}, not separated from {several - 1}",
    }
    return answers.get(str(verdict.get("outcome")), f"{combination}, no verdict")


def closing(sentence: str, verdict: Mapping[str, Any], question: str, links: Sequence[str]) -> str:
    """The description of a study that has ended.

    Args:
        sentence: the verdict in one sentence.
        verdict: the verdict document; may be empty.
        question: the study's own description; may be empty.
        links: lines about where to look further, in Markdown.
    """
    lines = [f"### {_escape(sentence)}"] if sentence else []
    if question:
        lines.append(f"> {_escape(question)}")
    lines += _pick(verdict)
    lines += _table(verdict)
    lines += [f"- {_escape(note[:300])}" for note in verdict.get("notes", ())[:NOTES_SHOWN]]
    return "\n\n".join([*lines, *links])[:7900]


def _pick(verdict: Mapping[str, Any]) -> list[str]:
    pick = verdict.get("pick")
    if not pick:
        return []
    settings = ", ".join(
        f"{name} {_number(value)}" for name, value in pick["params"].items() if name not in pick["combination"]
    )
    regret = verdict.get("regret")
    bound = (
        "" if regret is None else f" With {_level(verdict)} confidence it is at most {regret:.3g} worse than the best."
    )
    return [f"Use **{_name(pick['combination'])}**" + (f" with {_escape(settings)}." if settings else ".") + bound]


def _table(verdict: Mapping[str, Any]) -> list[str]:
    finalists: Sequence[Mapping[str, Any]] = verdict.get("finalists", ())
    if not finalists:
        return []
    best_first = sorted(finalists, key=lambda f: f["score"], reverse=verdict.get("goal") == "maximize")
    metric = f"test {_escape(verdict.get('metric', 'score'))}"
    cells = [("combination", metric, f"{_level(verdict)} interval", "seeds", "may be best"), ("---",) * 5]
    for finalist in best_first[:FINALISTS_SHOWN]:
        low, high = finalist["interval"]
        cells.append(
            (
                _name(finalist["combination"]),
                _number(finalist["score"]),
                f"{_number(low)} to {_number(high)}",
                str(finalist["seeds"]),
                "yes" if finalist["in_set"] else "no",
            )
        )
    return ["\n".join(_row(line) for line in cells)]


def _row(cells: Sequence[str]) -> str:
    return "|" + "|".join(cell if cell == "---" else f"{cell}{_GAP}" for cell in cells) + "|"


def _level(verdict: Mapping[str, Any]) -> str:
    return f"{100 * (1 - verdict.get('alpha', 0.05)):g} %"


def _name(combination: Mapping[str, Any]) -> str:
    return _escape(" + ".join(str(value) for value in combination.values()))


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _escape(text: object) -> str:
    """One line in which nothing is markup."""
    line = " ".join(str(text).split())
    for character in "\\`*_[]<>|#":
        line = line.replace(character, "\\" + character)
    return line
