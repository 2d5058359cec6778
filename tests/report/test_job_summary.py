import math
import re
from dataclasses import replace

import pytest
import synthetic
from endings import all_endings, ending, gate, verdict

from sweeper.errors import Problem
from sweeper.gate import GateCheck, GateOutcome, Night
from sweeper.report.job_summary import job_summary
from sweeper.report.junit import junit
from sweeper.report.sparkline import sparkline
from sweeper.trial import Combination
from sweeper.verdict import Interval, Pick

ENDINGS = all_endings()
ICONS = {0: "✅", 3: "❌", 4: "⚠️", 5: "⏸️", 143: "⏸️"}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_outcome_stands_first_and_then_the_sentence(name):
    end = ENDINGS[name]
    first, _, second, *_ = job_summary(end).split("\n")
    assert first.startswith(f"## {ICONS[end.exit_code]} {end.colour.word}: ")
    assert second.startswith("**")
    assert end.said[:20] in second


@pytest.mark.parametrize("name", ENDINGS)
def test_every_row_of_a_table_has_the_cells_of_its_heading(name):
    for block in re.findall(r"(?:^\|.*\n?)+", job_summary(ENDINGS[name]), re.M):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1


def test_a_gate_that_failed_says_by_how_much_since_what_and_what_to_do():
    told = job_summary(ending(gate(), link="https://mlflow.test/#/experiments/3/runs/8f2ac0"))
    assert "| worse by (allowed: 0.3 points) | 1.1 points | 0.8 to 1.4 points |" in told
    assert "**What has changed:** `numpy 2.1 -> 2.2`" in told
    assert "**Next:** Look at what changed, or freeze it: `sweeper baseline set study.yaml`." in told
    assert "| ❌ | drop | The drop was measured. |" in told
    assert "[Run in MLflow](https://mlflow.test/#/experiments/3/runs/8f2ac0)" in told


def test_the_word_of_the_heading_is_not_said_twice():
    assert "\n**It fell.**\n" in job_summary(ending(gate(said="Failed: it fell.")))
    assert "\n**Passed: it fell.**\n" in job_summary(ending(gate(said="Passed: it fell.")))


def test_a_drop_below_zero_is_told_as_better():
    told = job_summary(ending(gate(GateOutcome.PASSED, drop=-0.0004)))
    assert "| better by (allowed: 0.3 points) | 0.04 points | -0.1 to 0.2 points |" in told


def test_nights_are_a_line_and_a_folded_table_the_newest_first():
    told = job_summary(ending(gate()))
    assert re.search(r"`[▁-█]{3}·▁` accuracy of 5 nights, 0\.9610? to 0\.9703?", told)
    days = re.findall(r"^\| 2026-11-(\d\d) 02:17 \|", told, re.M)
    assert days == ["05", "04", "03", "02", "01"]


def test_only_nights_of_the_metric_are_a_line_and_every_row_says_why():
    made = gate()
    first = replace(made.nights[0], metric="loss", score=50.0, night="2026-10-09")
    fourth = replace(made.nights[3], reason="too little trained")
    told = job_summary(ending(replace(made, nights=(first, *made.nights[1:3], fourth, *made.nights[4:]))))
    assert re.search(r"`[▁-█]{2}·▁` accuracy of 4 nights", told)
    assert "too little trained; data |" in told
    assert re.search(r"^\| 2026-10-09 \|.*\| score is loss \|$", told, re.M)


def test_a_verdict_has_its_finalists_and_how_sure_it_is():
    told = job_summary(ending(verdict(), 0, report="mlruns/studies/digits/report.html"))
    assert told.count("\n| ") == 6  # heading, line, four finalists
    assert "With 95 % confidence" in told
    assert "report `mlruns/studies/digits/report.html`" in told


@pytest.mark.parametrize("kind", synthetic.every_kind())
def test_whatever_a_study_ends_in_can_be_told(kind):
    end = ending(synthetic.every_kind()[kind].verdict, 0)
    assert job_summary(end).startswith("## ✅ Done: ")
    assert junit(end).endswith("</testsuites>\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, 1e-12, 1e30])
def test_whatever_a_night_measured_can_be_told(value):
    interval = Interval(-abs(value), abs(value))
    odd = Night("", GateOutcome.UNDECIDED, value, interval, 1)
    checks = (GateCheck("drop", GateOutcome.FAILED, "", {"drop": value}),)
    result = gate(score=value, interval=interval, drop=value, drop_interval=interval, nights=(odd, odd), checks=checks)
    for end in (ending(result), ending(replace(result, baseline=replace(result.baseline, scores=())))):
        assert "## ❌ Failed: digits" in job_summary(end)
        assert "<failure " in junit(end)


def test_names_are_shown_as_they_are():
    nasty = "<img src=x onerror=alert(1)> | `[a](javascript:b)` **c** </details>\n# d"
    combination = Combination({"activation": nasty, "optimizer": "adam"})
    gate_told = job_summary(
        ending(
            replace(
                gate(checks=(GateCheck(nasty, GateOutcome.FAILED, nasty),)),
                study=nasty,
                said=nasty,
                cure=nasty,
                changed=(nasty,),
                baseline=replace(gate().baseline, combination=combination, created=nasty),
            ),
            link="https://mlflow.test/a b)(<x>",
            report=nasty,
            problems=(Problem(nasty, nasty, nasty),),
        )
    )
    made = verdict(study=nasty, notes=(nasty,))
    finalists = tuple(replace(f, combination=combination) for f in made.finalists[:1])
    run_told = job_summary(ending(replace(made, finalists=finalists, pick=Pick(combination, {}), winner=None), 0))
    for told in (gate_told, run_told):
        outside_code = re.sub(r"(`+)[^\n]*?\1", "", told)
        assert not re.search(r"<(?!/?details>|/?summary>)", outside_code)
        assert not re.search(r"(?<!\\)\[(?!Run in MLflow)", outside_code)
        assert "\n# d" not in told
    assert "(https://mlflow.test/a%20b%29%28%3Cx%3E)" in gate_told


def test_bars_cover_at_least_the_span_so_that_noise_is_no_cliff():
    assert sparkline([1.0, 2.0, 3.0]) == "▁▅█"
    assert sparkline([0.9700, 0.9701], least_span=0.012) == "▄▅"
    assert sparkline([None, math.nan, 1.0]) == "··▅"
    assert sparkline([]) == ""
