"""Made-up ends of commands, for the tests of what a CI is told."""

from dataclasses import replace

from synthetic import World, material

from sweeper.errors import Problem
from sweeper.gate import Baseline, GateCheck, GateOutcome, GateResult, Night
from sweeper.report.ending import Ending
from sweeper.trial import Combination
from sweeper.verdict import Interval, Outcome

SCORES = (0.971, 0.973, 0.972)
PICK = Combination({"activation": "relu", "optimizer": "adam"})
BASELINE = Baseline(
    "digits", PICK, {"learning_rate": 0.003}, "accuracy", True, 0.003, SCORES, "h", "d", {}, "0.1.0", "2026-11-01"
)
STOPPED = (Problem("SIGTERM", "the study to end", "", "the same command goes on"),)
CURE = "Look at what changed, or freeze it: `sweeper baseline set study.yaml`."


def night(day, outcome, score, changed=()):
    interval = None if score is None else Interval(score - 0.001, score + 0.001)
    return Night(f"2026-11-{day:02d}T02:17:40+00:00", outcome, score, interval, 5, changed)


def gate(outcome=GateOutcome.FAILED, **changes):
    """A night after four others, one of which trained nothing."""
    bad = outcome is GateOutcome.FAILED
    score = 0.961 if bad else 0.9722
    past = [night(day, GateOutcome.PASSED, 0.97 + day / 1e4) for day in (1, 2, 3)]
    past.append(night(4, GateOutcome.UNDECIDED, None, ("data",)))
    checks = (
        GateCheck("canary", GateOutcome.PASSED, "The first seed scores what it did."),
        GateCheck("screen", GateOutcome.PASSED, "Five seeds were looked at."),
        GateCheck("drop", outcome, "The drop was measured.", {"drop": 0.0112}),
    )
    result = GateResult(
        "digits",
        outcome,
        "accuracy fell by 1.1 points." if bad else "accuracy is what it was.",
        "accuracy",
        True,
        0.003,
        BASELINE,
        score,
        Interval(score - 0.001, score + 0.001),
        0.972 - score,
        Interval(0.008, 0.014) if bad else Interval(-0.002, 0.001),
        checks,
        (*past, night(5, outcome, score)),
        ("numpy 2.1 -> 2.2",) if bad else (),
        trained=25,
        duration_s=74.0,
        tracking={"uri": "https://mlflow.test", "experiment": "digits", "run_id": "8f2ac0"},
        cure="" if outcome is GateOutcome.PASSED else CURE,
    )
    return replace(result, **changes)


def ending(answer, exit_code=None, **changes):
    code = answer.exit_code if exit_code is None else exit_code
    return replace(Ending(answer, code, "studies/digits.yaml", "2026-11-24T02:19:00", "runner"), **changes)


def verdict(outcome=Outcome.WINNER, **changes):
    return replace(material(World(outcome=outcome)).verdict, **changes)


def all_endings():
    """Every colour that each command can end with."""
    found = {f"check {outcome.value}": ending(gate(outcome)) for outcome in GateOutcome}
    found["check without a baseline"] = ending(
        gate(
            GateOutcome.UNDECIDED,
            baseline=None,
            score=None,
            interval=None,
            drop=None,
            drop_interval=None,
            checks=(),
            nights=(),
        )
    )
    found["check cut short"] = ending(gate(GateOutcome.UNDECIDED), 143, problems=STOPPED)
    for outcome in Outcome:
        found[f"run {outcome.value}"] = ending(verdict(outcome), 4 if outcome is Outcome.NO_VERDICT else 0)
    found["run unconfirmed"] = ending(verdict(Outcome.NO_VERDICT), 0)
    found["run cut short"] = ending(verdict(Outcome.NOT_SEPARATED, complete=False), 143, problems=STOPPED)
    found["run out of time"] = ending(
        verdict(Outcome.NO_VERDICT, complete=False), 5, problems=(Problem("budget.time", "more time", "2 h"),)
    )
    return found
