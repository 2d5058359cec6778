"""`sweeper history`: the nights of a study's gate, from its folder and from the tracking server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.commands import nights
from sweeper.errors import SweeperError
from sweeper.folder import StudyFolder
from sweeper.gate import Night
from sweeper.report.gate_text import history as table
from sweeper.study_file import StudyFile
from sweeper.tracking.reachable import check_reachable


@dataclass(frozen=True)
class Known:
    """What is known of earlier nights.

    Attributes:
        metric: of their scores; `maximize` whether more is better.
        warnings: why nights may be missing.
    """

    study: str
    metric: str
    maximize: bool
    nights: tuple[Night, ...]
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        entries = [nights.Entry(night).to_dict()["night"] for night in self.nights]
        return {"study": self.study, "metric": self.metric, "nights": entries}


def history(file: StudyFile, root: Path, tracking: str | None) -> Known:
    """Every night that is known here or on the tracking server, oldest first."""
    config = file.config
    local = nights.read(StudyFolder(root.absolute(), config.name).path)
    remote, warnings = [], []
    if tracking is not None:
        try:
            check_reachable(tracking)
            remote = nights.tracked(tracking, config.tracking.experiment or config.name)
        except SweeperError as error:
            problem = error.problems[0]
            warnings.append(f"only the nights of this folder: {problem.where}: {problem.received}")
        except Exception as error:  # noqa: BLE001 - MLflow's; what is here can still be shown
            warnings.append(f"only the nights of this folder: {(str(error).splitlines() or [''])[0][:200]}")
    found = tuple(entry.night for entry in nights.merged(local, remote))
    metric = next((entry.metric for entry in reversed(nights.merged(local, remote)) if entry.metric), "score")
    return Known(config.name, metric, config.metric.goal != "minimize", found, tuple(warnings))


def words(known: Known) -> str:
    """The table for people."""
    return table(known.study, known.metric, known.maximize, known.nights)
