"""Numbers as people read them: scores, gaps between scores, times, learning rates. Plain text, no markup."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sweeper.verdict import Verdict
from sweeper.vocabulary import METRICS

SHARES = frozenset("accuracy auc f1 precision recall balanced_accuracy".split())
"""Metrics between 0 and 1 whose differences are told in points: 1 point = 0.01."""

NOTHING = "-"


@dataclass(frozen=True)
class Units:
    """How scores of one metric are written.

    Attributes:
        share: whether gaps are told in points (hundredths).
        decimals: of a score.
        of_another_metric: whether gaps have to name their metric, because the scores around them have another one.
    """

    metric: str
    maximize: bool
    share: bool
    decimals: int
    of_another_metric: bool = False

    @classmethod
    def of(cls, verdict: Verdict) -> Units:
        """The units of a verdict: as many decimals as its narrowest interval resolves."""
        widths = [(finalist.interval.high - finalist.interval.low) / 2 for finalist in verdict.finalists]
        seen = [finalist.score for finalist in verdict.finalists] + [e.best for e in verdict.explored if e.best]
        return cls.fitting(verdict.metric, verdict.goal == "maximize", widths, seen)

    @classmethod
    def deciding(cls, verdict: Verdict) -> Units:
        """The units of leads, bounds and epsilon: those of the tie-break metric where that decided."""
        metric = verdict.decided_by or verdict.metric
        if metric == verdict.metric:
            return cls.of(verdict)
        known = METRICS.get(metric)
        units = cls.fitting(metric, known.maximize if known else False, [verdict.epsilon], [])
        return replace(units, of_another_metric=True)

    @classmethod
    def fitting(cls, metric: str, maximize: bool, widths: Iterable[float], scores: Iterable[float]) -> Units:
        """Decimals for two digits of a half width (one for shares, but three decimals), or three digits of a score."""
        share = is_share(metric)
        resolved = [width for width in widths if math.isfinite(width) and width > 0]
        sizes = [abs(score) for score in scores if math.isfinite(score) and score]
        finest = min(resolved) if resolved else (max(sizes) / 10 if sizes else 0.01)
        digits = -math.floor(math.log10(finest))
        return cls(metric, maximize, share, min(max(digits, 3), 5) if share else min(max(digits + 1, 0), 5))

    def score(self, value: float | None) -> str:
        """A score in the metric's own unit."""
        if value is None or not math.isfinite(value):
            return NOTHING
        if abs(value) >= 1e6 or (value and abs(value) < 10 ** -(self.decimals + 1)):
            return f"{value:.3g}"
        return f"{value:.{self.decimals}f}"

    def interval(self, low: float, high: float) -> str:
        """Both ends of an interval."""
        return f"{self.score(low)} to {self.score(high)}"

    def gap(self, value: float, *, bound: bool = False) -> str:
        """A difference of two scores, `0.4 points`; a bound is rounded up, so that it still holds as written."""
        if not math.isfinite(value):
            return "an unknown amount"
        said = f"{_digits(value * 100, 1, bound)} points" if self.share else _digits(value, self.decimals, bound)
        return f"{said} in {self.metric}" if self.of_another_metric else said

    @property
    def worse(self) -> str:
        """Where a worse score lies: `below` the best, or `above` it where less is better."""
        return "below" if self.maximize else "above"

    @property
    def direction(self) -> str:
        """Which way is better."""
        return "higher is better" if self.maximize else "lower is better"


def is_share(metric: str) -> bool:
    """Whether a metric is a share between 0 and 1."""
    return metric in SHARES or metric.endswith("accuracy")


def _digits(value: float, decimals: int, up: bool) -> str:
    """A number with `decimals`, or one digit more where it would read as zero."""
    if value and abs(value) < 0.95 * 10**-decimals and decimals < 6:
        return _digits(value, decimals + 1, up)
    scale = 10**decimals
    # 1e-9 forgives binary fractions: 0.6 * 100 must not become 60.1
    shown = math.ceil(value * scale - 1e-9) / scale if up else value
    return f"{shown:.{decimals}f}" if shown else "0"


def percent(share: float) -> str:
    """A share as per cent: `95 %`, `99.5 %`."""
    return f"{round(share * 100, 6):g} %"


def number(value: object) -> str:
    """A parameter's value, short: floats with three digits, 1e-4 style below a thousandth."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.3g}" if abs(value) < 1e3 else f"{value:g}"


def duration(seconds: float) -> str:
    """A time span: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(n: int, noun: str) -> str:
    """`1 trial`, `12 trials`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def clean(text: object, limit: int | None = None) -> str:
    """Text on one line without control characters (XML knows none), cut in the middle where it exceeds `limit`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    if limit is None or len(line) <= limit:
        return line
    head = (limit - 1) * 2 // 3
    return line[:head].rstrip() + "…" + line[len(line) - (limit - 1 - head) :].lstrip()
