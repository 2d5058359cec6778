"""A check and its history for the terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from sweeper.gate import GateOutcome, GateResult, Night, of_metric
from sweeper.report.units import NOTHING, Units, clean, count, duration

_BARS = "▁▂▃▄▅▆▇█"
MOST_NIGHTS = 30
"""In a table or a sparkline: a month."""


def words(result: GateResult) -> str:
    """The answer of a check: what was found, by which rules, what has changed, and what to do."""
    lines = textwrap.wrap(clean(result.said), 100)
    for each in result.checks:
        mark = {GateOutcome.PASSED: " ", GateOutcome.FAILED: "!", GateOutcome.UNDECIDED: "?"}[each.outcome]
        lines += _hanging(f"{mark} {each.name:<10}", clean(each.said))
    if result.changed:
        lines += _hanging(f"  {'changed':<10}", f"since the baseline: {clean(', '.join(result.changed))}")
    shown = of_metric(result.nights, result.metric)[-MOST_NIGHTS:]
    if len(shown) > 1:
        lines.append(f"  {'nights':<10} {sparkline(shown)}  the last {count(len(shown), 'night')}")
    lines.append(f"  {'trained':<10} {count(result.trained, 'trial')} in {duration(result.duration_s)}")
    if result.cure:
        lines += _hanging(f"  {'try':<10}", clean(result.cure))
    return "\n".join(lines)


def history(study: str, metric: str, maximize: bool, nights: Sequence[Night]) -> str:
    """The nights as a table, newest last."""
    if not nights:
        return f"{clean(study)}: no night yet; sweeper check writes the first"
    alike = of_metric(nights, metric)
    units = units_of(metric, maximize, alike)
    lines = [f"{clean(study)}: {clean(metric)} of the frozen pick, {count(len(nights), 'night')}"]
    if len(alike) > 1:
        lines.append(f"  {sparkline(alike[-MOST_NIGHTS:])}")
    lines.append(f"  {'night':<16}  {'outcome':<9}  {'score':>7}  {'95 % interval':<18}  {'baseline':>8}  changed")
    for night in nights[-MOST_NIGHTS:]:
        span = "" if night.interval is None else units.interval(night.interval.low, night.interval.high)
        cells = (
            f"{clean(night.shown, 16):<16}",
            f"{night.outcome.value.lower():<9}",
            f"{units.score(night.score):>7}",
            f"{span:<18}",
            f"{units.score(night.baseline):>8}",
            clean("; ".join(remarks(night, metric)), 120),
        )
        lines.append("  " + "  ".join(cells).rstrip())
    if len(nights) > MOST_NIGHTS:
        lines.append(f"  {len(nights) - MOST_NIGHTS} older ones: --json")
    return "\n".join(lines)


def remarks(night: Night, metric: str) -> list[str]:
    """What a row says of a night besides its figures: of which other metric they are, why it is undecided, changes."""
    other = [f"score is {night.metric}"] if night.metric not in ("", metric) and night.score is not None else []
    return [*other, *filter(None, (night.reason, ", ".join(night.changed)))]


def sparkline(nights: Sequence[Night]) -> str:
    """A bar a night from the worst to the best score; a night without one is a dash."""
    known = [night.score for night in nights if night.score is not None and math.isfinite(night.score)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    bars = []
    for night in nights:
        if night.score is None or not math.isfinite(night.score):
            bars.append(NOTHING)
            continue
        position = (night.score - low) / (high - low) if high > low else 0.5
        bars.append(_BARS[min(int(position * len(_BARS)), len(_BARS) - 1)])
    return "".join(bars)


def units_of(metric: str, maximize: bool, nights: Sequence[Night]) -> Units:
    """How the scores of some nights are written."""
    widths = [(night.interval.high - night.interval.low) / 2 for night in nights if night.interval is not None]
    return Units.fitting(metric, maximize, widths, [night.score for night in nights if night.score is not None])


def _hanging(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=f"{label} ", subsequent_indent=" " * 13)
