"""What a study has in common with the baseline it is checked against, and what has changed since.

Data, code and packages may change: finding out what that does is what a check is for, so it is said and compared all
the same. What makes scores incomparable is another question, not a worse answer: another metric or task, another model
or training, other shares or another choice of test rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sweeper.commands.compare import FINGERPRINT
from sweeper.commands.continuing import differences
from sweeper.commands.prepare import Prepared
from sweeper.errors import Problem
from sweeper.gate import Baseline
from sweeper.stats.gate import LEAST_BASELINE

_DATA = (FINGERPRINT, "data")
_SPLIT = ("data.validation", "data.test")
_TRAINS = ("model", "training", "trainer", "search.seed", "metric.name", "metric.goal", *_SPLIT)
"""Settings that decide what the frozen pick scores; the others decided which pick was frozen."""


def incomparable(baseline: Baseline, study: Prepared) -> list[Problem]:
    """Why scores of the two cannot be compared, all of it at once; empty where they can."""
    objective, info = study.objective, study.data.info
    cure = "sweeper run, then sweeper baseline set: a baseline of the study as it is now"
    facts = [
        ("metric", baseline.metric, objective.metric),
        ("goal", _goal(baseline.maximize), _goal(objective.maximize)),
        ("task", baseline.task, info.task.value),
        ("classes", baseline.classes, info.classes),
    ]
    facts += [
        (key, old, new)
        for key, old, new in differences(dict(baseline.settings), study.fixed)
        if any(_within(key, part) for part in _TRAINS)
    ]
    where = f"baseline of {baseline.study}"
    problems = [Problem(f"{where}  {key}", _short(old), _short(new), cure) for key, old, new in facts if old != new]
    if len(baseline.scores) < LEAST_BASELINE:
        problems.append(Problem(where, f"{LEAST_BASELINE} seeds at least", f"{len(baseline.scores)}", cure))
    return problems


def changed(
    old: Mapping[str, Any], packages: Mapping[str, str], new: Mapping[str, Any], now: Mapping[str, str]
) -> tuple[str, ...]:
    """What differs of two states, in words: `data`, `code`, `settings (...)`, `numpy 2.1 -> 2.2`.

    Args:
        old: as `Prepared.fixed`, or the part of it that `place` keeps; empty where nothing is known.
        packages: those that belong to `old`.
        new: the present state.
        now: the present packages.
    """
    found = list(differences(dict(old), new)) if old else []
    keys = [key for key, _, _ in found]
    data = any(_within(key, part) and key not in _SPLIT for key in keys for part in _DATA)
    words = ["data"] if data else []
    words += ["code"] if any(_within(key, "code") for key in keys) else []
    others = [key for key in keys if not any(_within(key, part) for part in (*_DATA, "code"))]
    words += [f"settings ({', '.join(others[:3])}{', ...' if len(others) > 3 else ''})"] if others else []
    return (*words, *_upgraded(packages, now))


def place(fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the settings by which two nights are told apart."""
    return {name: json.loads(json.dumps(fixed[name])) for name in (FINGERPRINT, "code")}


def _upgraded(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    if not old:
        return
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"


def _within(key: str, part: str) -> bool:
    return key == part or key.startswith(f"{part}.")


def _goal(maximize: bool) -> str:
    return "maximize" if maximize else "minimize"


def _short(value: Any) -> str:
    return "nothing" if value is None else str(value)[:60]
