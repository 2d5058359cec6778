"""From scores to the answer of a check, in words: what `stats.gate` finds, bound to one baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sweeper.errors import Problem
from sweeper.gate import Baseline, GateCheck, GateOutcome
from sweeper.report.units import Units, count
from sweeper.stats import gate as stats
from sweeper.stats.distributions import mean_interval
from sweeper.verdict import Interval

PASSED, FAILED, UNDECIDED = GateOutcome.PASSED, GateOutcome.FAILED, GateOutcome.UNDECIDED
_ALMOST = 1e-6
"""Relative: a baseline keeps nine digits, and a place in a stack may change the last ones of float32."""


@dataclass(frozen=True)
class Decision:
    """What a night came to; fields as in `GateResult`, `reason` as in `Night`."""

    outcome: GateOutcome
    said: str
    checks: tuple[GateCheck, ...]
    scores: tuple[float, ...] = ()
    interval: Interval | None = None
    drop: float | None = None
    drop_interval: Interval | None = None
    cure: str = ""
    reason: str = ""

    @property
    def score(self) -> float | None:
        """Mean of the seeds that decided."""
        return sum(self.scores) / len(self.scores) if self.scores else None


@dataclass
class Rules:
    """The rules of one night.

    Attributes:
        luck: variance of a difference of means that other test rows bring.
        checks: those applied so far.
    """

    baseline: Baseline
    margin: float
    threshold: float | None
    luck: float = 0.0
    checks: list[GateCheck] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sign = 1 if self.baseline.maximize else -1
        self._old = self._oriented(self.baseline.scores)
        spread = float(stats.level(self._old).error)
        self.units = Units.fitting(self.baseline.metric, self.baseline.maximize, [spread], self.baseline.scores)

    def canary(self, score: float | None) -> None:
        """One seed of the baseline again: a note on the numerics, never a failure."""
        first = self.baseline.scores[0]
        if score is None:
            return
        same = abs(score - first) <= _ALMOST * max(abs(first), abs(score))
        said = "The numerics are those of the baseline: its first seed scores the same again."
        if not same:
            there, here = self.units.score(first), self.units.score(score)
            said = f"The numerics have changed: the first seed of the baseline scores {here} now, {there} before."
        self.checks.append(GateCheck("canary", PASSED, said, {"score": score, "baseline": first}))

    def alarms(self, scores: Sequence[float]) -> bool:
        """Whether the screen asks for more seeds."""
        found = stats.screen(self._old, self._oriented(scores), self.luck)
        low = self._bound(scores)
        dropped = bool(found.significant(stats.SCREEN_ALPHA))
        below = self.threshold is not None and low < self._sign * self.threshold
        limit = self.units.gap(float(found.limit(stats.SCREEN_ALPHA)))
        said = f"{count(len(scores), 'fresh seed')}: {self._moved(float(found.drop))}, "
        tail = f"beyond {limit}, which is an alarm: more seeds decide."
        if not dropped:
            tail = f"no alarm below {limit}" + (
                ", but the threshold is not certain: more seeds decide." if below else "."
            )
        figures = {"drop": float(found.drop), "limit": float(found.limit(stats.SCREEN_ALPHA)), "seeds": len(scores)}
        self.checks.append(GateCheck("screen", PASSED, said + tail, figures))
        return dropped or below

    def quiet(self, scores: Sequence[float]) -> Decision:
        """The answer where the screen raised no alarm."""
        found = stats.screen(self._old, self._oriented(scores), self.luck)
        self._threshold(scores)
        said = f"Passed: {self._where(scores)}, {self._moved(float(found.drop))}; no sign that it got worse."
        return self._decision(PASSED, said, scores, found)

    def confirmed(self, scores: Sequence[float], old: Sequence[float] = ()) -> Decision:
        """The answer of the fresh seeds after an alarm; `old` are those of the old side on the same seeds, if any."""
        new = self._oriented(scores)
        paired = len(old) == len(scores) > 1
        found = stats.paired(self._oriented(old), new) if paired else stats.unpaired(self._old, new, self.luck)
        alpha = stats.PAIRED_ALPHA if paired else stats.UNPAIRED_ALPHA
        sure = bool(found.significant(alpha))
        worse = sure and float(found.drop) >= self.margin
        rule = "old and new on the same seeds" if paired else "against the stored scores of the baseline"
        moved = self._moved(float(found.drop), "the old side" if paired else "the baseline")
        why = "confirmed" if worse else "not confirmed"
        if sure and not worse:
            why = f"less than the margin of {self.units.gap(self.margin)}"
        said = f"{count(len(scores), 'fresh seed')}, {rule}: {moved}, {why} at {alpha:g}."
        figures = {"drop": float(found.drop), "limit": float(found.limit(alpha)), "margin": self.margin}
        figures |= {"alpha": alpha, "seeds": len(scores), "paired": float(paired)}
        self.checks.append(GateCheck("drop", FAILED if worse else PASSED, said, figures))
        enough = self._threshold(scores)
        if worse:
            interval = found.interval()
            span = f"95 % interval {self.units.gap(interval.low)} to {self.units.gap(interval.high)}"
            said = f"Failed: {self._where(scores)}, {moved} ({span})."
        elif not enough:
            said = (
                f"Failed: {self._where(scores)}, and the threshold {self.units.score(self.threshold)} is not certain."
            )
        else:
            said = (
                f"Passed: an alarm was {why} by fresh seeds; {self._where(scores)}, {self._moved(float(found.drop))}."
            )
        cure = "" if enough and not worse else (
            "find the cause; where the new level is meant: sweeper run --fresh, then sweeper baseline set"
        )  # fmt: skip
        return self._decision(FAILED if worse or not enough else PASSED, said, scores, found, cure)

    def too_few(self, name: str, scores: Sequence[float], wanted: int, reason: str) -> Decision:
        """The answer where too little trained to its end."""
        short = f"only {len(scores)} of {wanted} trainings came to an end"
        said = f"Cannot be decided: {short}" + (f" ({reason})." if reason else ".")
        self.checks.append(GateCheck(name, UNDECIDED, said, {"seeds": len(scores), "wanted": wanted}))
        cure = "mend the cause and check again; the same night gives the same seeds"
        found = stats.level(self._oriented(scores), self._old) if scores else None
        interval = None if found is None or found.error == float("inf") else self._back(found.interval())
        return Decision(UNDECIDED, said, tuple(self.checks), tuple(scores), interval, cure=cure, reason=short)

    def _threshold(self, scores: Sequence[float]) -> bool:
        """Whether the bound of the score reaches the threshold; true where there is none."""
        if self.threshold is None:
            return True
        bound = self._sign * self._bound(scores)
        enough = self._sign * bound >= self._sign * self.threshold
        which = "least" if self.baseline.maximize else "most"
        said = f"With 95 % confidence the score is at {which} {self.units.score(bound)}; the threshold is "
        said += f"{self.units.score(self.threshold)}."
        self.checks.append(
            GateCheck("threshold", PASSED if enough else FAILED, said, {"bound": bound, "threshold": self.threshold})
        )
        return enough

    def _decision(
        self, outcome: GateOutcome, said: str, scores: Sequence[float], found: stats.Contrast, cure: str = ""
    ) -> Decision:
        interval = self._back(stats.level(self._oriented(scores), self._old).interval())
        checks, drop = tuple(self.checks), float(found.drop)
        return Decision(outcome, said, checks, tuple(scores), interval, drop, found.interval(), cure)

    def _bound(self, scores: Sequence[float]) -> float:
        """The oriented mean less its one-sided 95 % error."""
        found = stats.level(self._oriented(scores), self._old)
        return -float(found.drop) - float(found.limit(0.05))

    def _oriented(self, scores: Sequence[float]) -> list[float]:
        return [self._sign * score for score in scores]

    def _back(self, interval: Interval) -> Interval:
        """From the interval of `stats.level`, a negated and oriented mean, to the scores as they are."""
        ends = sorted((-self._sign * interval.low, -self._sign * interval.high))
        return Interval(*ends)

    def _where(self, scores: Sequence[float]) -> str:
        return f"{self.baseline.metric} {self.units.score(sum(scores) / len(scores))}"

    def _moved(self, drop: float, than: str = "the baseline") -> str:
        if drop == 0:
            return f"the same as {than}"
        return f"{self.units.gap(abs(drop))} {'worse' if drop > 0 else 'better'} than {than}"


def band(baseline: Baseline, metric: str) -> tuple[float | None, Interval | None]:
    """Mean of the baseline with its 95 % interval; nothing where its scores are of another metric."""
    if baseline.metric != metric:
        return None, None
    scores = np.array(baseline.scores)
    return float(scores.mean()), mean_interval(scores, 0.05)


def undecided(problems: Sequence[Problem]) -> Decision:
    """No training can help: the answer in one sentence, and the first cure."""
    first = problems[0]
    said = f"Cannot be decided: {first.where}: expected {first.expected}, found {first.received or 'none'}"
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    what = first.where.rpartition("  ")[2]
    reason = f"not comparable: {what}: {first.expected} before, {first.received or 'none'} now{more}"
    return Decision(UNDECIDED, f"{said}{more}.", (), cure=first.cure, reason=reason)
