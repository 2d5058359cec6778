"""`sweeper validate`: every problem of a study file at once, in well under a second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper import resolve, study_file
from sweeper.commands.presence import missing
from sweeper.config import GateConfig
from sweeper.errors import StudyError
from sweeper.study_file import StudyFile


def validate(path: Path, overrides: Mapping[str, Any]) -> str:
    """What the study would do, in a few lines.

    Raises:
        StudyError: with every problem of the file, or with all that it names and that is not there.
    """
    file = study_file.load(path, overrides)
    if absent := list(missing(file)):
        raise StudyError(*absent)
    return describe(file)


def describe(file: StudyFile) -> str:
    """The study in words, from the file alone."""
    config = file.config
    space = resolve.space(config)
    combinations = space.combinations()
    lines = [
        f"{file.source.name}: fine",
        f"  study         {config.name}",
        f"  data          {_with_options(config.data.name, config.data.options)}",
        f"  model         {config.trainer or _with_options(config.model.name, config.model.options)}",
        f"  compares      {len(combinations)} combinations of {' x '.join(config.compare)}",
        f"  tunes         {', '.join(space.tuned_names()) or 'nothing'}",
        f"  explores      {_explores(file, len(combinations), space)}",
    ]
    looks = resolve.looks(config)
    if looks:
        lines.append(f"  confirms      finalists with up to {looks[-1]} fresh seeds, judged after {_listed(looks)}")
    else:
        lines.append("  confirms      nothing: no verdict can be given (confirm.seeds: 0)")
    if config.gate is not None:
        lines.append(f"  gate          {_gate(config.gate)}")
    return "\n".join(lines)


def _gate(gate: GateConfig) -> str:
    baseline = gate.baseline or "sweeper check --baseline"
    margin = "a drop beyond epsilon" if gate.margin is None else f"a drop of {gate.margin:g}"
    threshold = "" if gate.threshold is None else f", or a score not certain to reach {gate.threshold:g}"
    return f"compares with {baseline}; fails on {margin}{threshold}"


def _explores(file: StudyFile, combinations: int, space: Any) -> str:
    search = file.config.search
    if search.strategy != "balanced":
        return f"{resolve.search_trials(file.config, space)} trials drawn by {search.strategy}"
    points = resolve.points(file.config, space)
    return f"{points} settings each, {points * combinations} trials"


def _with_options(name: str, options: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key}: {json.dumps(value)}" for key, value in options.items())
    return f"{name} ({inside})" if inside else name


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
