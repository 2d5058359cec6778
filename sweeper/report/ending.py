"""How a command ended, as a CI is told; what every kind of CI report says is worded here once."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum
from typing import Union

from sweeper.errors import Problem
from sweeper.gate import GateOutcome, GateResult
from sweeper.report import text
from sweeper.report.units import clean
from sweeper.verdict import Verdict

Answer = Union[Verdict, GateResult]


class Colour(Enum):
    """What people make of an exit code: a word and an icon."""

    PASSED = ("Passed", "✅")
    DONE = ("Done", "✅")
    FAILED = ("Failed", "❌")
    REFUSED = ("Refused", "❌")
    UNDECIDED = ("Undecided", "⚠️")
    UNFINISHED = ("Not finished", "⏸️")

    def __init__(self, word: str, icon: str) -> None:
        self.word, self.icon = word, icon


SIGNALLED = (129, 130, 143)
"""Somebody, or a time budget, ended the command in order; the next one continues."""

CONTINUES = "The same command continues where it stopped; the next scheduled run does that by itself."


def level(exit_code: int) -> str:
    """How loud an annotation is: `notice`, `warning` or `error`."""
    return "notice" if exit_code == 0 else "warning" if exit_code in SIGNALLED else "error"


@dataclass(frozen=True)
class Ending:
    """The end of `sweeper run` or `sweeper check`.

    Attributes:
        exit_code: what the process will end with; every report agrees with it.
        study: the study file as it was typed, for the place of an annotation.
        when: end, ISO 8601 in UTC to the second, without an offset, as JUnit wants it.
        host: name of the machine.
        report: path of report.html, or empty.
        problems: what ended it before its plan was trained, if anything did.
        link: address of the MLflow run, or empty where a browser could not open one.
        shelf: address of the page where the CI keeps the report, or empty.
    """

    answer: Answer
    exit_code: int
    study: str
    when: str
    host: str
    report: str = ""
    problems: tuple[Problem, ...] = ()
    link: str = ""
    shelf: str = ""

    @property
    def colour(self) -> Colour:
        """By exit code alone, so that no summary is greener than its job."""
        done = Colour.PASSED if isinstance(self.answer, GateResult) else Colour.DONE
        named = {
            0: done,
            GateOutcome.FAILED.exit_code: Colour.FAILED,
            GateOutcome.UNDECIDED.exit_code: Colour.UNDECIDED,
        }
        return named.get(self.exit_code, Colour.UNFINISHED)

    @property
    def command(self) -> str:
        """`check` or `run`."""
        return "check" if isinstance(self.answer, GateResult) else "run"

    @property
    def said(self) -> str:
        """The answer in a sentence or two."""
        return self.answer.said if isinstance(self.answer, GateResult) else text.headline(self.answer)

    @property
    def stopped(self) -> str:
        """What ended it early: `SIGTERM`, or `budget.time: 2 h are over`; empty where nothing did."""
        return "; ".join(": ".join(filter(None, (problem.where, problem.received))) for problem in self.problems)

    @property
    def cure(self) -> str:
        """What to do next, where there is something to do."""
        if self.colour is Colour.UNFINISHED:
            cures = [problem.cure for problem in self.problems if problem.cure]
            return CONTINUES if self.exit_code in SIGNALLED or not cures else " ".join(cures)
        if isinstance(self.answer, GateResult):
            return self.answer.cure
        return text.next_steps(self.answer)[0] if self.exit_code else ""

    @property
    def run_id(self) -> str:
        """Of the tracked run, or empty."""
        return str((self.answer.tracking or {}).get("run_id") or "")


@dataclass(frozen=True)
class Refusal:
    """The end of a command that has no answer: it was refused, or stopped before there was anything to judge.

    Attributes:
        problems: as they were told to the user.
        when, host: as in `Ending`.
    """

    exit_code: int
    problems: tuple[Problem, ...]
    when: str
    host: str

    @property
    def colour(self) -> Colour:
        """Interrupted and incomplete commands go on later; the others have to be mended."""
        return Colour.UNFINISHED if self.exit_code in (5, *SIGNALLED) else Colour.REFUSED


def values(ending: Ending) -> dict[str, str]:
    """What later steps of a pipeline may want to know: name -> text on one line, empty where there is no such thing."""
    answer = ending.answer
    common = {
        "outcome": str(answer.outcome),
        "exit-code": str(ending.exit_code),
        "said": clean(ending.said),
        "metric": answer.metric,
        "run-id": ending.run_id,
        "run-url": ending.link,
        "report": ending.report,
    }
    return {**common, **(_of_gate(answer) if isinstance(answer, GateResult) else _of_verdict(answer))}


def _of_gate(result: GateResult) -> dict[str, str]:
    baseline = result.baseline
    return {
        "score": _number(result.score),
        "drop": _number(result.drop),
        "winner": "",
        "combination": "" if baseline is None else clean(baseline.combination),
        "params": "" if baseline is None else _json(baseline.params),
    }


def _of_verdict(verdict: Verdict) -> dict[str, str]:
    pick = verdict.pick
    scores = {finalist.combination: finalist.score for finalist in verdict.finalists}
    return {
        "score": "" if pick is None else _number(scores.get(pick.combination)),
        "drop": "",
        "winner": "" if verdict.winner is None else clean(verdict.winner),
        "combination": "" if pick is None else clean(pick.combination),
        "params": "" if pick is None else _json(pick.params),
    }


def _number(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _json(params: object) -> str:
    return json.dumps(dict(params), ensure_ascii=False, default=str)  # type: ignore[call-overload]
