"""A ledger that forgets everything with the process: for checks, which are trained again rather than resumed."""

from __future__ import annotations

from typing import Any

from sweeper.planning.history import MemoryHistory
from sweeper.trial import Cohort, TrialRecord


class MemoryLedger:
    """A `protocols.Ledger`.

    Attributes:
        history: every finished trial.
        notes: what `note` wrote.
    """

    def __init__(self) -> None:
        self.history = MemoryHistory()
        self.notes: dict[str, Any] = {}

    def note(self, key: str, value: Any) -> None:
        """Keep a value about the whole check."""
        self.notes[key] = value

    def started(self, cohort: Cohort) -> None:
        """These trials are being trained."""
        self.history.waiting.update({spec.number: spec for spec in cohort.trials})

    def ended(self, record: TrialRecord) -> None:
        """Keep a finished trial."""
        self.history.record(record)

    def close(self) -> None:
        """Nothing to let go of."""
