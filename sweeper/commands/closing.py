"""What tracking is told at the end of a run; noted in the ledger, so that it can be told again from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sweeper import environment
from sweeper.commands.continuing import CLOSING
from sweeper.report.text import headline
from sweeper.tracking.background import BackgroundTracker
from sweeper.tracking.parent import ENDED
from sweeper.verdict import Verdict

KILLED = "No verdict: the last run was ended before it could give one; the same command continues it."
"""What is told of a run that was killed."""


@dataclass(frozen=True)
class Closing:
    """The end of a run.

    Attributes:
        status: FINISHED or KILLED.
        tags: of the parent run, the verdict among them.
        files: of the report.
        keep: folder of the kept model, if there is one.
        requirements: what loading that model needs, in the versions that made it.
    """

    status: str
    tags: Mapping[str, str]
    files: tuple[str, ...] = ()
    keep: str | None = None
    requirements: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, verdict: Verdict, way: object, written: Sequence[Path], keep: Path | None, *, complete: bool
    ) -> Closing:
        """The end of a run with this verdict and these files of its report."""
        tags = {
            "sweeper.verdict": headline(verdict),
            "sweeper.outcome": verdict.outcome.value,
            "sweeper.trainer": str(way),
            ENDED: datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        files = tuple(str(path) for path in written)
        if keep is None or not (keep / "model.keras").is_file():
            return cls("FINISHED" if complete else "KILLED", tags, files)
        return cls("FINISHED" if complete else "KILLED", tags, files, str(keep), tuple(_requirements()))

    @classmethod
    def noted(cls, notes: Mapping[str, Any]) -> Closing:
        """As the ledger has it; of a run that was killed nothing is known but that."""
        known = notes.get(CLOSING)
        return cls("KILLED", {"sweeper.verdict": KILLED}) if known is None else cls(**known)

    def send(
        self, tracker: BackgroundTracker, *, within_s: float | None = None, progress: Callable[[int], None]
    ) -> None:
        """Tell a tracker, and wait for it."""
        if self.keep is not None and Path(self.keep, "model.keras").is_file():
            tracker.log_model(Path(self.keep), self.requirements)
        tracker.finish(self.status, self.files, self.tags, within_s=within_s, progress=progress)


def _requirements() -> list[str]:
    """What loading the kept model needs, in the versions that made it."""
    packages = environment.describe(Path.cwd()).packages
    tensorflow = next((name for name in ("tensorflow-cpu", "tensorflow") if name in packages), "tensorflow")
    names = ("keras", tensorflow, "numpy", "pandas")
    return [f"{name}=={packages[name]}" if name in packages else name for name in names]
