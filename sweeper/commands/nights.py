"""The nights of a study's gate: a file in its folder to which lines are added, and what the tracking server has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sweeper.errors import Problem, StorageError
from sweeper.gate import GateOutcome, Night
from sweeper.verdict import Interval

FILE = "gate.jsonl"
_KNOWN = frozenset(each.name for each in fields(Night))


@dataclass(frozen=True)
class Entry:
    """A night with the state of what was checked, so that the next one can tell what has changed.

    Attributes:
        place: as `comparable.place`.
        packages: name -> version.
    """

    night: Night
    place: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        night = {**asdict(self.night), "outcome": self.night.outcome.value, "changed": list(self.night.changed)}
        return {"night": night, "place": dict(self.place), "packages": dict(self.packages)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Entry:
        """The inverse of `to_dict`, for the lines of other versions too: they may say less, or more.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is something else.
        """
        known = {"metric": str(document.get("metric", "")), **document["night"]}
        known = {name: value for name, value in known.items() if name in _KNOWN}
        known["outcome"] = GateOutcome(known["outcome"])
        known["changed"] = tuple(known["changed"])
        for name in ("interval", "band"):
            known[name] = None if known.get(name) is None else Interval(**known[name])
        return cls(Night(**known), dict(document["place"]), dict(document["packages"]))


def read(folder: Path) -> list[Entry]:
    """Every night in the file, in its order; a line that a crash has torn, or that is none of ours, is passed over."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return _understood(lines)


def append(folder: Path, entry: Entry) -> None:
    """Add a night: one write, after a line break where the last line was torn, and on the disk when this returns.

    Raises:
        StorageError: the file cannot be written.
    """
    path = folder / FILE
    line = json.dumps(entry.to_dict(), ensure_ascii=False) + "\n"
    try:
        torn = path.is_file() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, (("\n" if torn else "") + line).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        cure = "free some space or choose another folder with --storage"
        raise StorageError(Problem(str(path), "a file that can be added to", error.strerror or "", cure)) from error


def tracked(uri: str, experiment: str) -> list[Entry]:
    """The nights on the tracking server; imports MLflow."""
    from sweeper.tracking.quiet import prepare as quiet

    quiet()
    from sweeper.tracking.mlflow_gate import nights

    found = []
    for document in nights(uri, experiment):
        for entry in _understood([json.dumps(document)]):
            found.append(replace(entry, night=replace(entry.night, run_id=document["run_id"])))
    return found


def merged(*parts: Iterable[Entry]) -> list[Entry]:
    """All of them, each moment once (the earlier part wins), oldest first."""
    found: dict[str, Entry] = {}
    for entry in (entry for part in parts for entry in part):
        found.setdefault(entry.night.when, entry)
    return [found[when] for when in sorted(found)]


def _understood(lines: Iterable[str]) -> list[Entry]:
    entries = []
    for line in lines:
        try:
            entries.append(Entry.from_dict(json.loads(line)))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return entries
