"""Whether the stored trials belong to the study file at hand."""

from __future__ import annotations

import json
import platform
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from sweeper import environment
from sweeper.commands.prepare import Prepared
from sweeper.config import StudyConfig
from sweeper.errors import Problem, StudyChanged
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.resolve import usual_looks
from sweeper.verdict import Verdict

EXTENDABLE = ("looks", "trials", "points")
"""What `--extend` may raise, as `Prepared.fixed` has it: more of the same plan, on top of what has been trained."""

NOTE, COMPLETE, SPENT_S, TRACKING, TRACKED_AT, WAY = "study", "complete", "spent_s", "tracking", "tracked_at", "way"
RUN_BEGAN, FUSE, COMMAND = "run_began", "fuse", "command"
ABOUT, CLOSING, TRACKED_TO = "about", "closing", "tracked_to"
"""Notes in the ledger: what the study is, whether its plan is done, the seconds spent on it, the ids of its parent run,
the address those are at, how trials are trained (for people, and in the word of `engine.fuse`), when the last run began
and as what it was typed,
what tracking is told of the study at its beginning (the plan and its hash among it) and at its end, and the address
that the last run was to track to. With the last three and the trials MLflow can be written from the ledger alone."""


def continue_or_begin(study: Prepared, ledger: OptunaLedger, *, extend: bool) -> Mapping[str, Any]:
    """What the ledger knows about its study; written on the first run, compared on every other.

    Raises:
        StudyChanged: the study file or the data differ from those that the stored trials were trained with.
    """
    known = ledger.notes.get(NOTE)
    if known is None:
        known = _document(study, uid=uuid.uuid4().hex)
        ledger.note(NOTE, known)
        return dict(known)
    changes = list(differences(known["fixed"], study.fixed))
    if not changes:
        return dict(known)
    if all(record.ended.status.is_failure for record in ledger.history.records()):
        ledger.clear()  # nothing was trained that a change could be at odds with
        return continue_or_begin(study, ledger, extend=extend)
    if not (extend and _only_more(changes)):
        raise StudyChanged(_changed(study, changes))
    extended = [*known.get("extended", ()), [[key, old, new] for key, old, new in changes]]
    known = {**_document(study, uid=known["uid"]), "began": known["began"], "extended": extended}
    ledger.note(NOTE, known)
    ledger.note(COMPLETE, False)
    return dict(known)


def begin_run(ledger: OptunaLedger, command: str) -> None:
    """Start the clock of a run; a run before that was killed counts up to the last trial it stored."""
    began = ledger.notes.get(RUN_BEGAN)
    if began is not None:
        last = max((record.ended_at for record in ledger.history.records()), default=began)
        ledger.note(SPENT_S, float(ledger.notes.get(SPENT_S, 0.0)) + max(0.0, last - began))
    ledger.note(RUN_BEGAN, time.time())
    ledger.note(COMMAND, command)
    ledger.note(CLOSING, None)


def compare(study: Prepared, notes: Mapping[str, Any]) -> None:
    """See that stored trials belong to this study, without writing anything.

    Raises:
        StudyChanged: they do not.
    """
    fixed = notes.get(NOTE, {}).get("fixed", {})
    changes = list(differences(fixed, study.fixed))
    if changes:
        flags = _flags(fixed, changes)
        cure = f"undo the change, or give the flags of the run: {flags}" if flags else "undo the change"
        raise StudyChanged(replace(_changed(study, changes), cure=cure))


def told(verdict: Verdict, notes: Mapping[str, Any]) -> Verdict:
    """The verdict with what the ledger knows besides the trials: time, tracking, and whether the plan was extended."""
    extended = [
        f"Extended on top of what had been seen ({key}: {_short(old)} -> {_short(new)}): the error probability is that "
        "of the extended plan alone."
        for changes in notes.get(NOTE, {}).get("extended", ())
        for key, old, new in changes
    ]
    return replace(
        verdict,
        duration_s=float(notes.get(SPENT_S, 0.0)),
        tracking=notes.get(TRACKING),
        notes=(*verdict.notes, *extended),
    )


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted key, old and new value of every leaf that differs."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
        yield path, old, new


def _document(study: Prepared, *, uid: str) -> dict[str, Any]:
    return {
        "uid": uid,
        "fixed": json.loads(json.dumps(study.fixed)),
        "hash": study.hash,
        "text": study.text,
        "packages": {"python": platform.python_version(), **environment.packages()},
        "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _only_more(changes: list[tuple[str, Any, Any]]) -> bool:
    """Whether nothing but more of the same plan was asked for: looks already taken stay as they were."""
    return all(
        key in EXTENDABLE and (new[: len(old)] == old if isinstance(old, list) else new >= old)
        for key, old, new in changes
    )


def _changed(study: Prepared, changes: list[tuple[str, Any, Any]]) -> Problem:
    lines = [f"{key}: {_short(old)} -> {_short(new)}" for key, old, new in changes]
    cure = "--fresh begins a new study and keeps the old folder; or undo the change"
    if _only_more(changes):
        cure = "--extend trains what is missing on top of what is there; " + cure
    return Problem(study.file.source.name, "the study file that the stored trials belong to", "\n".join(lines), cure)


def _flags(fixed: Mapping[str, Any], changes: list[tuple[str, Any, Any]]) -> str:
    """What would bring back the values that the stored trials were trained with; a parameter as a whole."""
    places = {"points": "search.points", "trials": "search.trials", "fuse": "engine.fuse"}
    meant = {places.get(key, key): old for key, old, _ in changes if not key.startswith("parameters.")}
    for name in {key.split(".")[1]: None for key, _, _ in changes if key.startswith("parameters.")}:
        meant[f"parameters.{name}"] = _without_gaps(fixed["parameters"].get(name))
    if "looks" in meant:
        looks = meant["looks"] or [0]
        meant["confirm.seeds"] = looks[-1]
        meant["confirm.looks"] = None if tuple(looks) in (usual_looks(looks[-1]), (0,)) else looks
    known = [(key, old) for key, old in meant.items() if key.partition(".")[0] in StudyConfig.model_fields]
    return " ".join(f"-S {shlex.quote(f'{key}={json.dumps(old)}')}" for key, old in known if old is not None)


def _without_gaps(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_gaps(part) for part in value]
    return {key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
