"""Progress in words and short numbers, shared by the live table and the plain lines."""

from __future__ import annotations

import math

from sweeper.report.progress import Progress
from sweeper.report.units import clean, count, duration, is_share, number
from sweeper.trial import Stage, TrialRecord
from sweeper.verdict import Objective

DOING = {
    Stage.EXPLORE: "exploring",
    Stage.SEARCH: "searching",
    Stage.WIDEN: "trying learning rates beyond the ranges",
    Stage.RACE: "refining the better two thirds",
    Stage.CONFIRM: "confirming",
    Stage.KEEP: "training the pick once more, to keep it",
}


def score_text(score: float | None, objective: Objective) -> str:
    """A score with three decimals if it is a share, else with three digits."""
    if score is None:
        return ""
    if is_share(objective.metric):
        return f"{score:.3f}"
    if score and not 0.001 <= abs(score) < 1e6:
        return f"{score:.2e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{score:#.3g}".rstrip(".") if abs(score) < 1000 else f"{score:.0f}"


def compact(value: float) -> str:
    """A number in four characters: `.974`, `1.23`, `12.3`, `1.2k`, `3e-4`, `-.12`."""
    size = abs(value)
    if size and (size < 0.001 or size >= 1e6):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    if size >= 1000:
        return f"{value / 1000:.1f}k" if 0 < value < 9950 else f"{value / 1000:.0f}k"
    decimals = (size < 0.9995) + (size < 9.995) + (size < 99.95) - (value < 0)
    text = f"{value:.{max(decimals, 0)}f}"
    return text.replace("0.", ".", 1) if size < 0.9995 else text


def best_text(progress: Progress) -> str:
    """`0.974 relu + adam, learning_rate 0.0032`: the best exploration trial, with those parameters that vary."""
    best = progress.best
    if best is None:
        return ""
    tuned = [f"{name} {number(value)}" for name, value in best.params.items() if name in progress.varying]
    return clean(f"{score_text(best.score, progress.objective)} {', '.join([str(best.combination), *tuned])}")


def counted(progress: Progress, stage: Stage) -> str:
    """`34 of 96`, `23 of 40 to 160`."""
    low, high = progress.total(stage)
    total = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{progress.done_in(stage):,} of {total}"


def rate_text(progress: Progress) -> str:
    """`3.2 trials/s`, or `12 s a trial` where that reads better; empty while there is nothing to go by."""
    rate = progress.rate
    if not rate:
        return ""
    if rate < 0.2:
        return f"{duration(1 / rate)} a trial"
    return f"{rate:.0f} trials/s" if rate >= 10 else f"{rate:.1f} trials/s"


def time_left_text(progress: Progress) -> str:
    """`20 s left`, `20 to 45 s left`, `50 s to 3 min left`; empty while there is nothing to go by."""
    left = progress.time_left_s
    if left is None:
        return ""
    (low, unit_low), (high, unit_high) = (_coarse(seconds) for seconds in left)
    if (low, unit_low) == (high, unit_high):
        return f"{high} {unit_high} left"
    first = low if unit_low == unit_high else f"{low} {unit_low}"
    return f"{first} to {high} {unit_high} left"


def failure_text(record: TrialRecord) -> str:
    """Which trial failed, and why."""
    reason = clean(record.ended.reason or record.ended.status, 200)
    return f"trial {record.spec.number} ({clean(record.spec.combination)}) {_verb(record)}: {reason}"


def mishaps(progress: Progress) -> list[str]:
    """`3 diverged`, `1 failed`: what went wrong so far."""
    failed = sum(n for status, n in progress.statuses.items() if status.is_failure)
    named = [(n, f"{status.lower()}") for status, n in progress.statuses.items() if status.value in _TOLD]
    return [f"{n:,} {word}" for n, word in [*named, (failed, "failed")] if n]


def trials(n: int) -> str:
    """`1 trial`, `96 trials`."""
    return count(n, "trial")


_TOLD = ("DIVERGED", "PRUNED")


def _verb(record: TrialRecord) -> str:
    return {"CRASHED": "crashed", "TIMED_OUT": "ran out of time"}.get(record.ended.status.value, "failed")


def _coarse(seconds: float) -> tuple[str, str]:
    """A time as coarse as an estimate deserves, so that it does not flicker."""
    if seconds < 10:
        return f"{max(math.ceil(seconds), 1)}", "s"
    if seconds < 120:
        return f"{round(seconds / 5) * 5}", "s"
    if seconds < 5400:
        return f"{round(seconds / 60)}", "min"
    return (f"{seconds / 3600:.1f}", "h") if seconds < 172800 else (f"{seconds / 86400:.1f}", "days")
