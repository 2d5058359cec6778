"""Checks that a tracking server has missed: a file each in the study's folder, sent later in their order and once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.report.write import json_text, whole
from sweeper.tracking.background import Writer
from sweeper.trial import TrialEnded, TrialRecord, TrialSpec

FOLDER = "gate-unsent"


@dataclass(frozen=True)
class Missed:
    """A check that has ended and is not on the server, or only in part.

    Attributes:
        about: what its run begins as; `check` in it is unique, so a run that is there already is completed.
        status: its run ends with.
        tags: of its run.
        document: gate.json.
    """

    about: Mapping[str, Any]
    status: str
    tags: Mapping[str, str]
    document: Mapping[str, Any]
    records: tuple[TrialRecord, ...] = ()

    def keep(self, folder: Path, when: str) -> None:
        """Write it down; `when` in ISO 8601 names the file and gives its turn.

        Raises:
            OSError: the folder cannot be written.
        """
        place = folder / FOLDER
        place.mkdir(exist_ok=True)
        document = {
            "about": dict(self.about),
            "status": self.status,
            "tags": dict(self.tags),
            "document": dict(self.document),
            "records": [_plain(record) for record in self.records],
        }
        whole(place / f"{when.replace(':', '')}.json", json.dumps(document, ensure_ascii=False).encode())

    @classmethod
    def read(cls, path: Path) -> Missed:
        """The inverse of `keep`.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        known = json.loads(path.read_text(encoding="utf-8"))
        records = tuple(_record(each) for each in known["records"])
        return cls(known["about"], known["status"], known["tags"], known["document"], records)

    def send(self, writer: Writer) -> None:
        """Write all of it to a tracking store, whatever part of it stands there."""
        writer.start(self.about)
        for record in self.records:
            writer.trial(record)
        with tempfile.TemporaryDirectory(prefix="sweeper-") as folder:
            path = Path(folder, "gate.json")
            path.write_text(json_text(dict(self.document)), encoding="utf-8")
            writer.finish(self.status, [str(path)], self.tags)


def waiting(folder: Path) -> Sequence[Path]:
    """What waits to be sent, oldest first."""
    return sorted((folder / FOLDER).glob("*.json"))


def send_all(folder: Path, writer: Callable[[], Writer]) -> int:
    """Send what waits and forget it; how many checks that were.

    Args:
        folder: of the study, whose lock is held.
        writer: makes a new one for every check.

    Raises:
        Exception: whatever the store answers; what is sent by then is not sent again.
    """
    sent = 0
    for path in waiting(folder):
        try:
            missed = Missed.read(path)
        except (KeyError, TypeError, ValueError):  # not ours, or torn: it would stand in the way of all others
            path.rename(path.with_suffix(".unreadable"))
            continue
        missed.send(writer())
        path.unlink()
        sent += 1
    return sent


def _plain(record: TrialRecord) -> dict[str, Any]:
    curve = {name: list(values) for name, values in record.curve.items()}
    ended = {"ended": record.ended.to_dict(), "curve": curve, "ended_at": record.ended_at}
    return {"spec": record.spec.to_dict(), **ended}


def _record(known: Mapping[str, Any]) -> TrialRecord:
    curve = {name: tuple(values) for name, values in known["curve"].items()}
    spec, ended = TrialSpec.from_dict(known["spec"]), TrialEnded.from_dict(known["ended"])
    return TrialRecord(spec, ended, curve, known["ended_at"])
