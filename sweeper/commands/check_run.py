"""A check in MLflow: a run of its own, written on a thread beside the training."""

from __future__ import annotations

import contextlib
import json
import platform
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Union

from sweeper import environment
from sweeper.commands import unsent
from sweeper.commands.nights import Entry
from sweeper.commands.prepare import Prepared
from sweeper.commands.tracking import FIRST_TRIAL_S, INTERRUPTED_PATIENCE_S, Waking
from sweeper.errors import Problem
from sweeper.folder import StudyFolder
from sweeper.gate import Baseline, GateResult
from sweeper.protocols import Tracker
from sweeper.tracking.addresses import public_uri
from sweeper.tracking.background import BackgroundTracker, Writer
from sweeper.tracking.nowhere import NoTracker
from sweeper.tracking.reachable import check_reachable
from sweeper.trial import TrialRecord

Ids = Union[Mapping[str, Union[str, None]], None]


def packages() -> dict[str, str]:
    """The packages of this environment, the interpreter among them."""
    return {"python": platform.python_version(), **environment.packages()}


class CheckRun:
    """The run of one check; without an address nothing is tracked.

    Where the server is away, the check goes on: its answer is in the study's folder in any case, and what the server
    has missed is kept beside it until it is back (`unsent`).

    Attributes:
        tracker: hears of every training.
    """

    def __init__(
        self, study: Prepared, baseline: Baseline | None, uri: str | None, folder: StudyFolder, night: str
    ) -> None:
        self.tracker: Tracker = NoTracker()
        self._folder = folder
        self._about = _about(study, baseline)
        self._background: BackgroundTracker | None = None
        self._wanted = threading.Event()
        self._night = night
        if uri is None:
            return
        experiment = study.config.tracking.experiment or study.config.name

        def factory() -> Writer:
            self._wanted.wait(FIRST_TRIAL_S)
            check_reachable(uri)  # a question of seconds; MLflow's own takes as long as it likes
            with contextlib.suppress(Exception):  # it waits on, `sync` tells why; this night is not held up by others
                unsent.send_all(folder.path, writer)
            return writer()

        def writer() -> Writer:
            return gate_writer(uri, experiment, folder)

        self._background = BackgroundTracker(factory, where=public_uri(uri), answers=lambda: check_reachable(uri))
        self._background.start(self._about)
        self.tracker = Waking(self._background, self._wanted)

    def ids(self) -> Ids:
        """`uri`, `experiment` and `run_id`, once the store has answered; None without tracking."""
        self._wanted.set()
        return None if self._background is None else self._background.ids()

    def finish(
        self, result: GateResult, entry: Entry, artifacts: Sequence[Path], records: Sequence[TrialRecord]
    ) -> str:
        """Close the run with its answer; a warning for people, or nothing. `records` are kept if it cannot be sent."""
        tags = {
            "sweeper.outcome": result.outcome.value,
            "sweeper.gate": result.said,
            "sweeper.night": json.dumps(entry.to_dict()),
            "sweeper.night_of": self._night,
            "sweeper.changed": ", ".join(result.changed),
            "mlflow.note.content": result.said,
        }
        problem = self._close("FINISHED", [str(path) for path in artifacts if path.is_file()], tags, None)
        if problem is None:
            return ""
        missed = unsent.Missed(self._about, "FINISHED", tags, result.to_dict(), tuple(records))
        try:
            missed.keep(self._folder.path, entry.night.when)
        except OSError as error:
            return f"the check is not tracked: {problem.where}: {problem.received}; nor kept for later: {error}"
        later = "the next check that reaches the server sends it, or sweeper sync"
        return f"the check is not tracked yet: {problem.where}: {problem.received}; {later}"

    def abandon(self, status: str) -> str:
        """Close the run without an answer: KILLED or FAILED."""
        problem = self._close(status, [], {"sweeper.night_of": self._night}, INTERRUPTED_PATIENCE_S)
        return "" if problem is None else f"the check could not be tracked: {problem.where}: {problem.received}"

    def _close(
        self, status: str, artifacts: list[str], tags: Mapping[str, str], within_s: float | None
    ) -> Problem | None:
        self._wanted.set()
        if self._background is None:
            return None
        self._background.finish(status, artifacts, tags, within_s=within_s)
        problem = self._background.problem
        self._background.close()
        return problem


def gate_writer(uri: str, experiment: str, folder: StudyFolder) -> Writer:
    """What writes one check to MLflow; imports it."""
    from sweeper.tracking.quiet import prepare as quiet

    quiet(folder.tracking_log)
    from sweeper.tracking.mlflow_gate import open_gate

    return open_gate(uri, experiment, artifact_root=folder.root / "artifacts")


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
