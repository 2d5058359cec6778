"""A study as the parent run should show it: pure functions of what the study says of itself and of its verdict."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sweeper.config import FREE_KEYS
from sweeper.tracking.projection import flat

ENDED = "sweeper.ended"
"""Tag with the time at which a run of a study ended, in ISO 8601."""


def hashes(study: Mapping[str, Any]) -> dict[str, str]:
    """Shortened to what the UI shows in full; 64 bits still tell any two studies apart."""
    names = ("study_hash", "data_hash", "plan_hash")
    return {f"sweeper.{name}": str(study[name])[:16] for name in names if name in study}


def plan_text(plan: Mapping[str, Any]) -> str:
    """The plan as the text whose SHA-256 is its hash: `sha256sum plan.json` tells whether it is still the same."""
    return json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def plan_hash(plan: Mapping[str, Any]) -> str:
    """SHA-256 of `plan_text`, in hexadecimal digits."""
    return hashlib.sha256(plan_text(plan).encode()).hexdigest()


def source(environment: Mapping[str, Any]) -> dict[str, str]:
    """Tag with the commit of the study's folder, which MLflow shows beside the run."""
    commit = environment.get("commit")
    return {"mlflow.source.git.commit": str(commit)} if commit else {}


def identifying(study: Mapping[str, Any]) -> dict[str, str]:
    """What the study is, as params: its configuration without what may differ from run to run, its data, its goal."""
    configuration = study.get("configuration", {})
    fixed = {name: value for name, value in configuration.items() if name not in FREE_KEYS}
    parts = {name: study[name] for name in ("data", "objective", "strategy", "plan") if name in study}
    hashed = {"plan.sha256": study["plan_hash"]} if "plan_hash" in study else {}
    return {name: without_passwords(value) for name, value in {**flat(fixed), **flat(parts), **hashed}.items()}


def without_passwords(text: str) -> str:
    """`user:password@` taken out of every address in a text."""
    return re.sub(r"(?<=://)[^/\s@'\"]+@", "", text)


def ended_ms(tags: Mapping[str, str]) -> int:
    """Milliseconds since 1970 at which the run of the study ended, which may be told long after; else now."""
    told = tags.get(ENDED)
    return round(1000 * (time.time() if told is None else datetime.fromisoformat(told).timestamp()))


def verdict_among(paths: Sequence[Path]) -> dict[str, Any]:
    """The verdict document among the artifacts, if it is there."""
    for path in paths:
        if path.name == "verdict.json" and path.is_file():
            document = json.loads(path.read_text(encoding="utf-8"))
            return document if isinstance(document, dict) else {}
    return {}


def scores(verdict: Mapping[str, Any]) -> dict[str, float]:
    """What can be compared from study to study: the score of the pick, its regret, the lead, the time."""
    pick = (verdict.get("pick") or {}).get("combination")
    # a name of its own for the time, which would dwarf that of the trials in one chart
    values = {
        "regret": verdict.get("regret"),
        "lead": verdict.get("lead"),
        "study_duration_s": verdict.get("duration_s"),
    }
    for finalist in verdict.get("finalists", ()):
        if finalist["combination"] == pick:
            values[f"test_{verdict['metric']}"] = finalist["score"]
    return {name: float(value) for name, value in values.items() if isinstance(value, (int, float))}


def placed(paths: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """Each existing path with the artifact folder it belongs to."""
    existing = [path.resolve() for path in paths if path.exists()]
    files = [path for path in existing if path.is_file()]
    shared = Path(os.path.commonpath([path.parent for path in files])) if files else Path()
    for path in existing:
        place = path.parent.relative_to(shared).as_posix() if path.is_file() else "."
        yield path, None if place == "." else place
