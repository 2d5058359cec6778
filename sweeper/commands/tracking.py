"""MLflow as a run uses it: where it is, what it is told first, and what is left to say at the end."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper import environment
from sweeper.commands.closing import Closing
from sweeper.commands.continuing import ABOUT, NOTE, TRACKED_TO, TRACKING
from sweeper.commands.prepare import Prepared
from sweeper.config import StudyConfig
from sweeper.errors import Incomplete, Interrupted, Problem, TrackingAway
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import OptunaLedger, stored
from sweeper.protocols import Tracker
from sweeper.study_file import StudyFile
from sweeper.tracking.addresses import public_uri
from sweeper.tracking.background import BackgroundTracker, Writer
from sweeper.tracking.nowhere import NoTracker
from sweeper.tracking.parent import plan_hash
from sweeper.tracking.quiet import open_tracker
from sweeper.tracking.reachable import check_reachable
from sweeper.trial import TrialRecord

FIRST_TRIAL_S = 10.0
"""In a study that goes on MLflow is not imported until the first trial has ended, or for so long: that and its store
take seconds of CPU, at the time when workers need it most."""

PLAN_S = 60.0
"""So long a new study waits for its plan to stand in MLflow before the first trial, unless the store is away."""

INTERRUPTED_PATIENCE_S = 20.0
"""After Ctrl-C tracking may take this long; what is missing then is sent by the next run."""


def default_uri(config: StudyConfig, root: Path) -> str:
    """Where the command line tracks: the study file, else MLFLOW_TRACKING_URI, else `mlflow.db` under `root`."""
    return config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute()}/mlflow.db"


def away(uri: str, *, can_wait: bool) -> str:
    """What to say of a tracking server that does not answer now; empty while all is well.

    A night is not lost to it: what it misses is sent when it is back, or later from the ledger.

    Args:
        uri: tracking address.
        can_wait: whether there will be a ledger to send from.

    Raises:
        TrackingError: time will not mend what is wrong, or there will be no later.
    """
    try:
        check_reachable(uri)
    except TrackingAway as error:
        if not can_wait:
            raise
        problem = error.problems[0]
        return f"{problem.where}: {problem.received}; training goes on, what it misses is sent when it is back"
    return ""


def browsing(file: StudyFile, root: Path) -> tuple[str, str | None]:
    """Where the runs of a study were written, and the uid of its parent run; where they would be, before it has run."""
    folder = StudyFolder(root.absolute(), file.config.name)
    if not folder.ledger.is_file():
        return default_uri(file.config, root), None
    notes = stored(folder.ledger, file.config.name).notes
    known = notes.get(TRACKING) or {}
    return known.get("uri") or default_uri(file.config, root), notes.get(NOTE, {}).get("uid")


@dataclass(frozen=True)
class Tracking:
    """The tracker of a run, and what can be asked of it besides the protocol."""

    tracker: Tracker
    ledger: OptunaLedger
    background: BackgroundTracker | None = None
    wanted: threading.Event = field(default_factory=threading.Event)
    is_new: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything is tracked."""
        return self.background is not None

    def ids(self) -> Mapping[str, str | None] | None:
        """`uri`, `experiment` and `run_id`, once the store has answered; None without tracking."""
        self.wanted.set()
        return None if self.background is None else self.background.ids()

    def plan_written(self, check: Callable[[], None]) -> None:
        """Wait until the plan of a new study and its hash stand in MLflow, so that no trial can come before them.

        A store that is away, or takes too long, is not waited for: the ledger has both since before.

        Args:
            check: asked often; may raise to end the wait.
        """
        until = time.monotonic() + PLAN_S
        while self.background is not None and self.is_new and not self.background.is_settled:
            check()
            if time.monotonic() > until:
                return
            self.background.ids(timeout_s=0.1)

    def finish(
        self, closing: Closing, stopped: Incomplete | Interrupted | None, *, waiting: Callable[[int], None]
    ) -> Problem | None:
        """Send the report and the kept model, close the parent run; what could not be written.

        `waiting` is told how many trials are still to be written, twice a second, and may raise to end the wait.
        """
        self.wanted.set()
        if self.background is None:
            return None
        closing.send(
            self.background,
            within_s=INTERRUPTED_PATIENCE_S if isinstance(stopped, Interrupted) else None,
            progress=(lambda _: None) if isinstance(stopped, Interrupted) else waiting,
        )
        problem = self.background.problem
        self.background.close()
        return problem

    def abandon(self) -> None:
        """The coordinator has failed: close the parent run as what it is, as far as that is quick."""
        self.wanted.set()
        if self.background is not None:
            self.background.finish("FAILED", (), {}, within_s=1.0)
            self.background.close(timeout_s=1.0)


@dataclass(frozen=True)
class Waking:
    """A `protocols.Tracker` that hands everything on, and says when there is a trial to write.

    Attributes:
        wanted: set with the first trial.
    """

    tracker: Tracker
    wanted: threading.Event

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """See `protocols.Tracker`."""
        return self.tracker.start(study)

    def trial(self, record: TrialRecord) -> None:
        """See `protocols.Tracker`."""
        self.wanted.set()
        self.tracker.trial(record)

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """See `protocols.Tracker`."""
        self.wanted.set()
        self.tracker.finish(status, artifacts, tags)


def open_tracking(
    uri: str | None, study: Prepared, ledger: OptunaLedger, folder: StudyFolder, *, deliver: str
) -> Tracking:
    """Note the plan in the ledger, and begin to track in the background, with all that the ledger already has.

    Args:
        uri: tracking address; None tracks nowhere.
        study: what is run.
        ledger: of the study; has been begun.
        folder: of the study.
        deliver: the command that sends what could not be written.
    """
    about = _about(study, ledger.notes[NOTE])
    ledger.note(ABOUT, about)
    ledger.describe(study.config.description)
    ledger.note(TRACKED_TO, None if uri is None else public_uri(uri))
    if uri is None:
        return Tracking(NoTracker(), ledger)
    records = tuple(ledger.history.records())
    wanted = threading.Event()
    if not records:
        wanted.set()

    def ready() -> None:
        wanted.wait(FIRST_TRIAL_S)

    background = background_tracker(uri, experiment(study.config), folder, ready=ready, deliver=deliver)
    background.start(about)
    for record in records:
        background.trial(record)
    return Tracking(Waking(background, wanted), ledger, background, wanted, is_new=not records)


def experiment(config: StudyConfig) -> str:
    """The name of a study's experiment."""
    return config.tracking.experiment or config.name


def background_tracker(
    uri: str, experiment: str, folder: StudyFolder, *, ready: Callable[[], None], deliver: str
) -> BackgroundTracker:
    """A tracker that has not been started; `ready` returns when MLflow may be imported."""

    def factory() -> Writer:
        ready()
        check_reachable(uri)  # a question of seconds; MLflow's own takes as long as it likes
        return open_tracker(uri, experiment, artifact_root=folder.root / "artifacts", log_file=folder.tracking_log)

    return BackgroundTracker(factory, where=public_uri(uri), answers=lambda: check_reachable(uri), cure=deliver)


def _about(study: Prepared, identity: Mapping[str, Any]) -> dict[str, Any]:
    config, data = study.config, study.data
    plan = {**study.fixed["plan"], "points": study.points, "trials": config.search.trials, "looks": list(study.looks)}
    configuration = config.model_dump(mode="json", exclude_none=True)
    configuration["tracking"].pop("uri", None)  # where it is tracked may change, and may hold a password
    about = {
        "name": config.name,
        "description": config.description,
        "study_uid": identity["uid"],
        "study_hash": study.hash,
        "data_hash": study.fixed["data fingerprint"],
        "data": {
            "name": config.data.name,
            "rows": len(data),
            "features": list(data.info.input_shape),
            "task": data.info.task.value,
        },
        "study_text": study.text,
        "environment": environment.describe(study.file.folder).to_dict(),
        "objective": {"metric": study.objective.metric, "goal": "maximize" if study.objective.maximize else "minimize"},
        "strategy": config.search.strategy,
        "settings": study.settings,
        "plan": {name: value for name, value in plan.items() if value is not None},
        "configuration": configuration,
    }
    about = json.loads(json.dumps(about, default=str))  # as the ledger gives it back
    return {**about, "plan_hash": plan_hash(about["plan"])}
