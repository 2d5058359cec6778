"""Which way the trials of a study are trained, from the moment a worker has chosen it.

The choice is noted in the ledger when it is made and kept when the study is resumed, so that all trials of a study are
trained alike. What a try of several ways told is remembered beside the studies, for the next study of the same model on
this machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from sweeper.commands.continuing import FUSE, WAY
from sweeper.setup import TrainerSetup
from sweeper.trial import TrainerReady

REMEMBERED = "ways.json"


class Notes(Protocol):
    """The part of a ledger in which something about the whole study is kept."""

    @property
    def notes(self) -> Mapping[str, Any]:
        """What `note` wrote."""

    def note(self, key: str, value: Any) -> None:
        """Keep a JSON value."""


class Ways:
    """Remembers how a study trains.

    Args:
        fuse: what the study file says.
        root: folder in which tries are remembered; None: nowhere.
    """

    def __init__(self, ledger: Notes, fuse: str, root: Path | None) -> None:
        self._ledger, self._fuse = ledger, fuse
        self._path = None if root is None else root / REMEMBERED

    @property
    def is_open(self) -> bool:
        """Whether the first worker has to find out."""
        return self._fuse == "auto" and not self._chosen

    def known(self, setup: TrainerSetup) -> TrainerSetup:
        """What is known by now, for the next worker."""
        if self.is_open:
            return replace(setup, remembered=self._remembered())
        return replace(setup, fuse=self._chosen if self._fuse == "auto" else self._fuse)

    def ready(self, event: TrainerReady) -> None:
        """A worker has said how it trains."""
        if self._ledger.notes.get(WAY) and not self.is_open:
            return
        self._ledger.note(WAY, event.way)
        self._ledger.note(FUSE, event.fuse)
        if event.key is not None:
            self._remember(event.key, event.fuse, event.way.partition(": ")[2])

    @property
    def _chosen(self) -> str:
        return str(self._ledger.notes.get(FUSE) or "")

    def _remembered(self) -> Mapping[str, tuple[str, str]]:
        """Nothing where the file is missing or is not what was written: it only saves a second or two."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
            return {str(key): (str(way), str(why)) for key, (way, why) in document.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _remember(self, key: str, fuse: str, why: str) -> None:
        if self._path is None:
            return
        document = {**self._remembered(), key: (fuse, why)}
        draft = self._path.with_name(f".{REMEMBERED}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            os.replace(draft, self._path)
        except OSError:
            draft.unlink(missing_ok=True)
