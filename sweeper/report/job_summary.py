"""The end of a command as Markdown for the page that a CI shows beside a job: the answer first, then why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweeper.gate import GateCheck, GateOutcome, GateResult, of_metric
from sweeper.report import tables, text
from sweeper.report.ending import CONTINUES, SIGNALLED, Colour, Ending, Refusal
from sweeper.report.gate_text import remarks
from sweeper.report.markup import code, escape, fenced, prose, table
from sweeper.report.sparkline import sparkline
from sweeper.report.units import NOTHING, Units, clean, count, duration
from sweeper.verdict import Interval, Verdict

MOST_NIGHTS = 30
"""A month; MLflow has them all."""


def job_summary(ending: Ending) -> str:
    """GitHub-flavoured Markdown; every name in it is escaped. GitLab and others show it too."""
    answer, colour = ending.answer, ending.colour
    blocks = [f"## {colour.icon} {colour.word}: {escape(clean(answer.study, 90))}"]
    blocks.append(_bold(_without(f"{colour.word}: ", ending.said)))
    if ending.stopped:
        blocks.append(f"**Stopped by** {escape(clean(ending.stopped))}")
    if ending.cure and colour is not Colour.PASSED:
        blocks.append(f"**Next:** {prose(clean(ending.cure))}")
    blocks += _of_gate(answer) if isinstance(answer, GateResult) else _of_verdict(answer)
    blocks.append(_where(ending))
    return "\n\n".join(block for block in blocks if block) + "\n"


def refusal_summary(refusal: Refusal) -> str:
    """The same for a command without an answer: its problems as they were told, and no more."""
    colour = refusal.colour
    heading = clean(", ".join(problem.where.split("  ")[0] for problem in refusal.problems[:1]), 90)
    blocks = [f"## {colour.icon} {colour.word}: {escape(heading)}"]
    blocks.append(fenced("\n\n".join(str(problem) for problem in refusal.problems), "text"))
    if refusal.exit_code in SIGNALLED:
        blocks.append(f"**Next:** {CONTINUES}")
    return "\n\n".join(blocks) + "\n"


def _of_verdict(verdict: Verdict) -> Iterator[str]:
    if verdict.finalists:
        yield table(tables.finalist_table(verdict))
    yield escape(text.paragraph(verdict))
    if verdict.notes:
        yield "**Before you rely on it**\n\n" + _listed(verdict.notes)


def _of_gate(result: GateResult) -> Iterator[str]:
    units = _units(result)
    if result.changed:
        yield "**What has changed:** " + ", ".join(code(clean(change, 90)) for change in result.changed)
    yield _history(result, units)
    yield _figures(result, units)
    if result.checks:
        yield _rules(result.checks)
    if len(result.nights) > 1:
        yield _folded("Every night", _nights(result, units))


def _units(result: GateResult) -> Units:
    alike = of_metric(result.nights, result.metric)
    intervals = [night.interval for night in alike] + [result.interval]
    widths = [(interval.high - interval.low) / 2 for interval in intervals if interval is not None]
    scores = [night.score for night in alike if night.score is not None]
    return Units.fitting(result.metric, result.maximize, widths or [result.margin], scores)


def _figures(result: GateResult, units: Units) -> str:
    """What was measured, beside what was promised."""
    if result.score is None:
        return ""
    rows = [["", result.metric, "interval"]]
    rows.append(["now", units.score(result.score), _interval(result.interval, units)])
    if result.baseline is not None:
        scores = result.baseline.scores
        mean = units.score(sum(scores) / len(scores)) if scores else NOTHING
        name = f"baseline of {clean(result.baseline.created, 20)}: {clean(result.baseline.combination, 40)}"
        rows.append([name, mean, f"{count(len(scores), 'seed')}"])
    if result.drop is not None:
        word = "worse by" if result.drop >= 0 else "better by"
        rows.append(
            [f"{word} (allowed: {units.gap(result.margin)})", units.gap(abs(result.drop)), _gaps(result, units)]
        )
    return table(rows)


def _gaps(result: GateResult, units: Units) -> str:
    """The interval of the drop, in words that leave no doubt about its sign."""
    if result.drop_interval is None or result.drop is None:
        return NOTHING
    sign = 1 if result.drop >= 0 else -1
    ends = sorted((sign * result.drop_interval.low, sign * result.drop_interval.high))
    low, high = (units.gap(end) for end in ends)
    return f"{low.removesuffix(' points')} to {high}"


def _interval(interval: Interval | None, units: Units) -> str:
    return NOTHING if interval is None else units.interval(interval.low, interval.high)


def _history(result: GateResult, units: Units) -> str:
    nights = of_metric(result.nights, result.metric)[-MOST_NIGHTS:]
    scores = [night.score for night in nights]
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        return ""
    line = sparkline(scores, least_span=4 * result.margin)
    span = units.interval(min(known), max(known))
    return f"`{line}` {escape(result.metric)} of {count(len(nights), 'night')}, {span} ({units.direction})"


def _rules(checks: Sequence[GateCheck]) -> str:
    rows = ["| | rule | what was found |", "|:-:|---|---|"]
    rows += [
        f"| {_ICONS[check.outcome]} | {escape(clean(check.name, 40))} | {escape(clean(check.said))} |"
        for check in checks
    ]
    return "\n".join(rows)


_ICONS = {
    GateOutcome.PASSED: Colour.PASSED.icon,
    GateOutcome.FAILED: Colour.FAILED.icon,
    GateOutcome.UNDECIDED: Colour.UNDECIDED.icon,
}


def _nights(result: GateResult, units: Units) -> str:
    rows = ["| night | | score | interval | seeds | what had changed |", "|---|:-:|--:|--:|--:|---|"]
    for night in reversed(result.nights[-MOST_NIGHTS:]):
        changed = "; ".join(clean(remark, 120) for remark in remarks(night, result.metric))
        cells = [clean(night.shown, 16), _ICONS[night.outcome], units.score(night.score)]
        cells += [_interval(night.interval, units), str(night.seeds), changed]
        rows.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    return "\n".join(rows)


def _where(ending: Ending) -> str:
    """Where more is, on one line."""
    parts = []
    if ending.link:
        parts.append(f"[Run in MLflow]({_address(ending.link)})")
    elif ending.run_id:
        parts.append(f"MLflow run {code(ending.run_id)}")
    if ending.report and ending.shelf:
        parts.append(f"[Report]({_address(ending.shelf)}) {code(clean(ending.report))}")
    elif ending.report:
        parts.append(f"report {code(clean(ending.report))}")
    trained = ending.answer.trained if isinstance(ending.answer, GateResult) else _trained(ending.answer)
    if trained:
        parts.append(f"{count(trained, 'training')} in {duration(ending.answer.duration_s)}")
    return " · ".join(parts)


def _trained(verdict: Verdict) -> int:
    return sum(sum(counts.values()) for counts in verdict.trials.values())


def _address(link: str) -> str:
    """An address that ends where its parenthesis does."""
    return "".join(c if c.isprintable() and c not in " ()<>\\" else f"%{ord(c):02X}" for c in link)


def _without(heading: str, said: str) -> str:
    """A sentence without the word that the heading above it has."""
    rest = said.removeprefix(heading)
    return said if rest == said else rest[:1].upper() + rest[1:]


def _bold(words: str) -> str:
    return f"**{escape(clean(words))}**"


def _listed(notes: Sequence[str]) -> str:
    return "\n".join(f"* {prose(clean(note))}" for note in notes)


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{inside}\n\n</details>"
