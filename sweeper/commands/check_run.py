"""A check in MLflow: a run of its own, written on a thread beside the training."""

from __future__ import annotations

import json
import platform
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Union

from sweeper import environment
from sweeper.commands.nights import Entry
from sweeper.commands.prepare import Prepared
from sweeper.commands.tracking import FIRST_TRIAL_S, INTERRUPTED_PATIENCE_S, Waking
from sweeper.folder import StudyFolder
from sweeper.gate import Baseline, GateResult
from sweeper.protocols import Tracker
from sweeper.tracking.addresses import public_uri
from sweeper.tracking.background import BackgroundTracker, Writer
from sweeper.tracking.nowhere import NoTracker

Ids = Union[Mapping[str, Union[str, None]], None]


def packages() -> dict[str, str]:
    """The packages of this environment, the interpreter among them."""
    return {"python": platform.python_version(), **environment.packages()}


class CheckRun:
    """The run of one check; without an address nothing is tracked.

    Attributes:
        tracker: hears of every training.
    """

    def __init__(
        self, study: Prepared, baseline: Baseline | None, uri: str | None, folder: StudyFolder, night: str
    ) -> None:
        self.tracker: Tracker = NoTracker()
        self._background: BackgroundTracker | None = None
        self._wanted = threading.Event()
        self._night = night
        if uri is None:
            return
        experiment = study.config.tracking.experiment or study.config.name

        def factory() -> Writer:
            self._wanted.wait(FIRST_TRIAL_S)
            from sweeper.tracking.quiet import prepare as quiet

            quiet(folder.tracking_log)
            from sweeper.tracking.mlflow_gate import open_gate

            return open_gate(uri, experiment, artifact_root=folder.root / "artifacts")

        self._background = BackgroundTracker(factory, where=public_uri(uri))
        self._background.start(_about(study, baseline))
        self.tracker = Waking(self._background, self._wanted)

    def ids(self) -> Ids:
        """`uri`, `experiment` and `run_id`, once the store has answered; None without tracking."""
        self._wanted.set()
        return None if self._background is None else self._background.ids()

    def finish(self, result: GateResult, entry: Entry, artifacts: Sequence[Path]) -> str:
        """Close the run with its answer; a warning for people, or nothing."""
        tags = {
            "sweeper.outcome": result.outcome.value,
            "sweeper.gate": result.said,
            "sweeper.night": json.dumps(entry.to_dict()),
            "sweeper.night_of": self._night,
            "sweeper.changed": ", ".join(result.changed),
            "mlflow.note.content": result.said,
        }
        return self._close("FINISHED", [str(path) for path in artifacts if path.is_file()], tags, None)

    def abandon(self, status: str) -> str:
        """Close the run without an answer: KILLED or FAILED."""
        return self._close(status, [], {"sweeper.night_of": self._night}, INTERRUPTED_PATIENCE_S)

    def _close(self, status: str, artifacts: list[str], tags: Mapping[str, str], within_s: float | None) -> str:
        self._wanted.set()
        if self._background is None:
            return ""
        self._background.finish(status, artifacts, tags, within_s=within_s)
        problem = self._background.problem
        self._background.close()
        if problem is None:
            return ""
        return f"the check could not be tracked: {problem.where}: {problem.received}"


def _about(study: Prepared, baseline: Baseline | None) -> dict[str, object]:
    objective = study.objective
    return {
        "name": study.config.name,
        "check": uuid.uuid4().hex,
        "study_hash": study.hash,
        "data_hash": study.fixed["data fingerprint"],
        "objective": {"metric": objective.metric, "goal": "maximize" if objective.maximize else "minimize"},
        "params": {} if baseline is None else dict(baseline.params),
        "environment": environment.describe(study.file.folder).to_dict(),
    }
