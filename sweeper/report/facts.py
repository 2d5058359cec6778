"""What a page says besides the verdict: key figures, what was run, on what, and what none of it can show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sweeper.report.figures_plan import rate_label
from sweeper.report.material import Material
from sweeper.report.units import Units, clean, count, duration, percent
from sweeper.space import Range
from sweeper.verdict import Finalist

Pairs = list[tuple[str, str]]


def key_figures(material: Material) -> Pairs:
    """`(value, what it is)`, at most four."""
    verdict, units = material.verdict, Units.of(material.verdict)
    gaps = Units.deciding(verdict)
    pick = _pick(material)
    figures: Pairs = []
    if pick is not None:
        interval = units.interval(pick.interval.low, pick.interval.high)
        mean, expected = units.score(pick.score), units.score(_expected(material, pick))
        to_expect = "" if mean == expected else " to expect"
        what = f"test {verdict.metric}{to_expect}, {percent(1 - verdict.alpha)} interval {interval}"
        figures.append((expected, what))
        if verdict.lead is not None and len(verdict.may_be_best) == 1:
            figures.append(_gap(gaps, gaps.gap(verdict.lead), "ahead of the next best"))
        elif verdict.regret is not None:
            figures.append(_gap(gaps, gaps.gap(verdict.regret, bound=True), f"{gaps.worse} the best, at most"))
        figures.append((str(pick.seeds), f"fresh seeds, {count(len(verdict.finalists), 'finalist')}"))
    trained = sum(sum(statuses.values()) for statuses in verdict.trials.values()) or len(material.records)
    took = f"{'training' if trained == 1 else 'trainings'} in {duration(verdict.duration_s)}"
    return [*figures, (f"{trained:,}", took)]


def threats(material: Material) -> list[str]:
    """What a reader must know before building on the answer: border, ceiling, instability, budget."""
    return [clean(note) for note in material.verdict.notes]


def untested(material: Material) -> list[str]:
    """What no study tells, and where this one did not look."""
    epochs = material.training().get("epochs")
    budget = f"trainings of {epochs} epochs" if epochs else "this training budget"
    scope = f"It holds for this data set, this model and {budget}, and says nothing about others."
    return [scope, *_confirmed_only(material), *_ranges(material)]


def _confirmed_only(material: Material) -> list[str]:
    """How many combinations the confidence does not cover."""
    verdict = material.verdict
    left = len(verdict.explored) - len(verdict.finalists)
    if left <= 0 or not verdict.finalists:
        return []
    who = "1 combination was" if left == 1 else f"{left} combinations were"
    return [f"{who} explored but not confirmed: single runs on one split decided that, and they can be wrong."]


def _ranges(material: Material) -> list[str]:
    """One sentence on where learning rates were sought."""
    by_range: dict[tuple[float, float], list[str]] = {}
    for combination in material.combinations():
        domain = material.space.tuned(combination).get("learning_rate")
        if isinstance(domain, Range):
            names = by_range.setdefault((domain.low, domain.high), [])
            name = clean(combination.get("optimizer", "all"))
            if name not in names:
                names.append(name)
    if not by_range:
        return []
    parts = [f"{rate_label(low)} to {rate_label(high)} ({', '.join(n)})" for (low, high), n in by_range.items()]
    return [f"Learning rates were sought from {'; '.join(parts)}. A better one outside was not seen."]


def trial_table(material: Material) -> list[list[str]]:
    """Trials by stage and status under a row of headings; just the headings where nothing was trained."""
    counts = material.verdict.trials
    statuses = list(dict.fromkeys(status for by_status in counts.values() for status in by_status))
    rows = [["stage", *(status.lower().replace("_", " ") for status in statuses)]]
    return rows + [
        [stage, *(f"{by_status.get(status, 0):,}" for status in statuses)] for stage, by_status in counts.items()
    ]


def provenance(material: Material) -> Pairs:
    """What was run, on what, with which versions; the study's text is left to the caller."""
    told = {key: value for key, value in material.provenance.items() if key not in ("study", "description")}
    tracking = {key: value for key, value in (material.verdict.tracking or {}).items() if value}
    if tracking:
        told["tracking"] = tracking
    pairs = [(_label(key), _told(key, value)) for key, value in told.items()]
    return [(label, text) for label, text in pairs if text]


def study_text(material: Material) -> str:
    """The study file as it was run, without control characters."""
    text = str(material.provenance.get("study") or "")
    return "".join(c for c in text if c.isprintable() or c in "\n\t").strip("\n")


def _pick(material: Material) -> Finalist | None:
    pick = material.verdict.pick
    if pick is None:
        return None
    return next((f for f in material.verdict.finalists if f.combination == pick.combination), None)


def _gap(gaps: Units, value: str, what: str) -> tuple[str, str]:
    """A large number stands better without words: the metric, where it has to be named, goes with the rest."""
    suffix = f" in {gaps.metric}"
    return (value.removesuffix(suffix), f"{gaps.metric} {what}") if value.endswith(suffix) else (value, what)


def _expected(material: Material, pick: Finalist) -> float:
    """What the pick will score again; its mean may owe something to having been chosen."""
    told = material.verdict.pick
    return pick.score if told is None or told.expected is None else told.expected


def _label(key: str) -> str:
    return {"duration_s": "duration", "git": "git commit"}.get(key, key.replace("_", " "))


def _told(key: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if key == "duration_s" and isinstance(value, (int, float)):
        return duration(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{clean(name)} {_plain(part)}" for name, part in value.items() if part not in (None, "", {}))
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{clean(name)} {_plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return clean(json.dumps(value, default=str))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return clean(value)
