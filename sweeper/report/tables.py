"""The tables of a report as rows of plain text, headings first; the terminal, Markdown and HTML print the same ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sweeper.report.material import ranked
from sweeper.report.units import NOTHING, Units, clean, duration, number, percent
from sweeper.verdict import Explored, Finalist, Verdict

MOST_ROWS = 40
"""Of the combinations explored; all of them are in verdict.json."""


def finalist_table(verdict: Verdict) -> list[list[str]]:
    """The finalists, best first, as rows of text under a row of headings."""
    units, gaps = Units.of(verdict), Units.deciding(verdict)
    heading = ["combination", verdict.metric, f"{percent(1 - verdict.alpha)} interval", "seeds", "may be best"]
    heading += [f"at most {gaps.worse} best", "per training"]
    return [heading] + [_row(finalist, units, gaps) for finalist in ranked(verdict)]


def _row(finalist: Finalist, units: Units, gaps: Units) -> list[str]:
    unstable = f" (unstable: {finalist.diverged} diverged)" if finalist.unstable else ""
    return [
        clean(finalist.combination, 40) + unstable,
        units.score(finalist.score),
        units.interval(finalist.interval.low, finalist.interval.high),
        str(finalist.seeds),
        "yes" if finalist.in_set else "no",
        gaps.gap(finalist.regret, bound=True),
        duration(finalist.duration_s) if finalist.duration_s else NOTHING,
    ]


def explored_table(explored: Sequence[Explored], units: Units) -> list[list[str]]:
    """What exploration found, the best `MOST_ROWS` first, as rows of text under a row of headings."""
    names = [name for name in ("learning_rate",) if any(e.best_params and name in e.best_params for e in explored)]
    rows = [["combination", "trainings", f"best val {units.metric}", *(f"at {n}" for n in names), "expected"]]
    rows[0] += ["diverged", "failed"]
    sign = 1 if units.maximize else -1
    best_first = sorted(explored, key=lambda e: -sign * (-sign * math.inf if e.estimate is None else e.estimate))
    for e in best_first[:MOST_ROWS]:
        expected = NOTHING if e.estimate is None else units.score(e.estimate)
        if e.estimate is not None and e.estimate_sd is not None:
            expected += f" ± {units.score(e.estimate_sd)}"
        at = [number((e.best_params or {}).get(name, NOTHING)) for name in names]
        rows.append([clean(e.combination, 60), str(e.trials), units.score(e.best), *at, expected])
        rows[-1] += [str(e.diverged), str(e.failed)]
    return rows
