"""Tracking for those who want none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sweeper.trial import TrialRecord


class NoTracker:
    """A `protocols.Tracker` that writes nothing."""

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Open nothing."""
        return {}

    def trial(self, record: TrialRecord) -> None:
        """Write nothing."""

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """Close nothing."""
