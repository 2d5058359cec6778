"""The end of a command as JUnit XML, which nearly every CI shows as a table of tests.

The file is red exactly where the exit code is not 0. What failed is a `failure`; what could not be decided or did not
come to its end is an `error`, because a `skipped` case looks green. It satisfies the schema of Ant (which wants every
attribute, and knows no output of a single case) as well as that of Jenkins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from sweeper.gate import GateOutcome, GateResult
from sweeper.report.ending import Colour, Ending, Refusal, values
from sweeper.report.units import number
from sweeper.verdict import Outcome, Verdict

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything but the characters of XML 1.0, section 2.2."""


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        red: `failure`, `error`, or empty for a case that passed.
        said: one sentence.
        details: more lines, shown where the case is red.
    """

    name: str
    said: str
    red: str = ""
    details: str = ""


@dataclass(frozen=True)
class Suite:
    """All rows, and what stands above them."""

    name: str
    ended: Ending | Refusal
    cases: tuple[Case, ...]
    properties: Mapping[str, str]
    duration_s: float = 0.0


def junit(ending: Ending) -> str:
    """The XML document, with a case for each rule of a gate, or one for the verdict."""
    answer = ending.answer
    name = f"sweeper {ending.command} {answer.study}"
    return _document(Suite(name, ending, tuple(_cases(ending)), values(ending), answer.duration_s))


def refusal_junit(refusal: Refusal) -> str:
    """The XML document of a command without an answer: an error for each problem."""
    cases = tuple(Case(problem.where, str(problem), "error") for problem in refusal.problems)
    nothing = Case(refusal.colour.word, f"exit code {refusal.exit_code}", "error")
    return _document(Suite("sweeper", refusal, cases or (nothing,), {"exit-code": str(refusal.exit_code)}))


def _document(about: Suite) -> str:
    suite = ElementTree.Element("testsuite", _heading(about))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in about.properties.items():
        ElementTree.SubElement(properties, "property", name=name, value=_xml(value))
    for case in about.cases:
        row = ElementTree.SubElement(
            suite, "testcase", name=_token(case.name), classname=suite.get("name", ""), time="0"
        )
        if case.red:
            cell = ElementTree.SubElement(row, case.red, type=about.ended.colour.name, message=_xml(case.said))
            cell.text = _xml("\n".join(filter(None, (case.said, case.details))))
    said = "\n".join(f"{case.name}: {case.said}" for case in about.cases)
    ElementTree.SubElement(suite, "system-out").text = _xml(said)
    ElementTree.SubElement(suite, "system-err")
    document = ElementTree.Element("testsuites")
    document.append(suite)
    ElementTree.indent(document)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n"


def _heading(suite: Suite) -> dict[str, str]:
    red = [case.red for case in suite.cases]
    return {
        "id": "0",
        "package": "sweeper",
        "name": _token(suite.name),
        "timestamp": suite.ended.when,
        "hostname": _token(suite.ended.host) or "unknown",
        "tests": str(len(red)),
        "failures": str(red.count("failure")),
        "errors": str(red.count("error")),
        "skipped": "0",
        "time": f"{max(suite.duration_s, 0.0):.3f}",
    }


def _cases(ending: Ending) -> Iterator[Case]:
    """The rows; red ones exactly where the exit code is not 0."""
    answer = ending.answer
    found = list(_of_gate(answer, ending) if isinstance(answer, GateResult) else _of_verdict(answer, ending))
    if ending.colour is Colour.UNFINISHED:
        found.insert(0, Case("trained to the end", ending.stopped or ending.said, "error", ending.cure))
    if ending.exit_code and not any(case.red for case in found):
        found.append(Case("outcome", ending.said, _red(ending.colour is Colour.FAILED), ending.cure))
    yield from found


def _of_verdict(verdict: Verdict, ending: Ending) -> Iterator[Case]:
    none = verdict.outcome is Outcome.NO_VERDICT and ending.exit_code != 0
    yield Case("verdict", ending.said, "error" if none else "", "\n".join(verdict.notes))


def _of_gate(result: GateResult, ending: Ending) -> Iterator[Case]:
    for check in result.checks:
        figures = "\n".join(f"{name}: {number(value)}" for name, value in check.figures.items())
        quiet = ending.exit_code == 0 or check.outcome is GateOutcome.PASSED
        red = "" if quiet else _red(check.outcome is GateOutcome.FAILED)
        yield Case(check.name, check.said, red, "\n".join(filter(None, (figures, ending.cure))))


def _red(failed: bool) -> str:
    return "failure" if failed else "error"


def _xml(words: str) -> str:
    """Words without what XML cannot hold, even escaped, such as the colours of a terminal."""
    return _NO_XML.sub("", words)


def _token(words: str) -> str:
    """Words on one line, as names are."""
    return " ".join(_xml(words).split())
