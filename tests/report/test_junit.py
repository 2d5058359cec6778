from dataclasses import replace
from xml.etree import ElementTree

import pytest
from endings import CURE, all_endings, ending, gate, verdict

from sweeper.errors import Problem
from sweeper.gate import GateCheck, GateOutcome
from sweeper.report.ending import Refusal
from sweeper.report.junit import junit, refusal_junit

ENDINGS = all_endings()
SUITE = {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"}
CHILDREN = ["properties", "testcase", "system-out", "system-err"]


def suite(end):
    (found,) = ElementTree.fromstring(junit(end).encode())
    return found


def red(found):
    return [cell for case in found.iter("testcase") for cell in case]


@pytest.mark.parametrize("name", ENDINGS)
def test_the_form_is_that_of_ants_schema(name):
    found = suite(ENDINGS[name])
    assert set(found.attrib) == SUITE
    places = [CHILDREN.index(child.tag) for child in found]
    assert places == sorted(places)
    assert set(places) == set(range(len(CHILDREN)))
    for case in found.iter("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert len(case) <= 1
    for cell in red(found):
        assert cell.tag in ("failure", "error")
        assert set(cell.attrib) == {"type", "message"}
        assert cell.text
    assert int(found.get("tests")) == len(found.findall("testcase")) > 0
    for kind in ("failure", "error"):
        assert int(found.get(f"{kind}s")) == sum(cell.tag == kind for cell in red(found))


@pytest.mark.parametrize("name", ENDINGS)
def test_red_exactly_where_the_exit_code_is_not_0(name):
    assert bool(red(suite(ENDINGS[name]))) == bool(ENDINGS[name].exit_code)


def test_each_rule_is_a_case():
    found = suite(ending(gate(GateOutcome.FAILED)))
    assert {case.get("name"): [cell.tag for cell in case] for case in found.iter("testcase")} == {
        "canary": [],
        "screen": [],
        "drop": ["failure"],
    }
    (failure,) = red(found)
    assert failure.text.splitlines() == ["The drop was measured.", "drop: 0.0112", CURE]


def test_what_cannot_be_decided_is_an_error_since_skipped_looks_green():
    assert [cell.tag for cell in red(suite(ending(gate(GateOutcome.UNDECIDED))))] == ["error"]


def test_a_study_that_was_cut_short_says_by_what():
    (cell,) = red(suite(ENDINGS["run cut short"]))
    assert cell.get("message") == "SIGTERM"
    assert "continues" in cell.text


def test_nothing_that_a_name_holds_breaks_the_document():
    nasty = "<a b='c'>&]]>\x1b[31m\x00\ud800\n\"é🙂"
    check = GateCheck(nasty, GateOutcome.FAILED, nasty)
    result = replace(gate(), study=nasty, said=nasty, checks=(check,), cure=nasty)
    found = suite(ending(result, problems=(Problem(nasty, nasty),), host="\x00"))
    told = "<a b='c'>&]]>[31m\n\"é🙂"
    assert red(found)[0].text == f"{told}\n{told}"
    assert found.find("testcase").get("name") == told.replace("\n", " ")
    assert found.get("hostname") == "unknown"


def test_numbers_that_are_none_leave_their_property_empty():
    found = suite(ending(verdict(pick=None, finalists=()), 4))
    told = {row.get("name"): row.get("value") for row in found.iter("property")}
    assert told["score"] == told["combination"] == told["params"] == told["drop"] == ""
    assert told["exit-code"] == "4"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_refusal_is_an_error_for_each_problem(count):
    problems = tuple(Problem(f"study.yaml:{line}", "a number", "'x'") for line in range(count))
    (found,) = ElementTree.fromstring(refusal_junit(Refusal(2, problems, "2026-11-24T02:19:00", "runner")))
    assert set(found.attrib) == SUITE
    assert [cell.tag for cell in red(found)] == ["error"] * max(count, 1)
