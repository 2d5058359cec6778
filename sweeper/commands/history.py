"""`sweeper history`: the nights of a study's gate, from its folder and from the tracking server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper import vocabulary
from sweeper.commands import nights
from sweeper.config import StudyConfig
from sweeper.data import Task
from sweeper.errors import SweeperError
from sweeper.folder import StudyFolder
from sweeper.gate import Night
from sweeper.report.gate_text import history as table
from sweeper.resolve import objective
from sweeper.study_file import StudyFile
from sweeper.tracking.reachable import check_reachable


@dataclass(frozen=True)
class Known:
    """What is known of earlier nights.

    Attributes:
        metric: of the study; `maximize` whether more of it is better.
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
    metric, maximize = _sought(config, found)
    return Known(config.name, metric, maximize, found, tuple(warnings))


def _sought(config: StudyConfig, found: Sequence[Night]) -> tuple[str, bool]:
    """The study's metric, and whether more of it is better, without loading its data.

    Where the study file leaves it to the task, and the task to the data, the last night that has a score tells.
    """
    told = next((night.metric for night in reversed(found) if night.metric and night.score is not None), None)
    metric = config.metric if config.metric.name else config.metric.model_copy(update={"name": told})
    task = vocabulary.DATA_TASKS.get(config.data.name, Task.BINARY)
    sought = objective(config.model_copy(update={"metric": metric}), task)
    return sought.metric, sought.maximize


def words(known: Known) -> str:
    """The table for people."""
    return table(known.study, known.metric, known.maximize, known.nights)
