"""MLflow as a run uses it: where it is, what it is told first, and what is left to say at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper import environment
from sweeper.commands.continuing import NOTE, TRACKING, WAY
from sweeper.commands.prepare import Prepared
from sweeper.config import StudyConfig
from sweeper.errors import Incomplete, Interrupted
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import OptunaLedger, stored
from sweeper.protocols import Tracker
from sweeper.report.text import headline
from sweeper.study_file import StudyFile
from sweeper.tracking.addresses import public_uri
from sweeper.tracking.background import BackgroundTracker, Writer
from sweeper.tracking.nowhere import NoTracker
from sweeper.tracking.quiet import open_tracker
from sweeper.trial import TrialRecord
from sweeper.verdict import Verdict

FIRST_TRIAL_S = 10.0
"""Until the first trial has ended, or for so long, MLflow is not imported: that and its store take seconds of CPU, at
the time when workers need it most."""

INTERRUPTED_PATIENCE_S = 20.0
"""After Ctrl-C tracking may take this long; what is missing then is sent by the next run."""


def default_uri(config: StudyConfig, root: Path) -> str:
    """Where the command line tracks: the study file, else MLFLOW_TRACKING_URI, else `mlflow.db` under `root`."""
    return config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute()}/mlflow.db"


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

    @property
    def is_on(self) -> bool:
        """Whether anything is tracked."""
        return self.background is not None

    def ids(self) -> Mapping[str, str | None] | None:
        """`uri`, `experiment` and `run_id`, once the store has answered; None without tracking."""
        self.wanted.set()
        return None if self.background is None else self.background.ids()

    def finish(
        self,
        verdict: Verdict,
        written: Sequence[Path],
        stopped: Incomplete | Interrupted | None,
        *,
        keep: Path | None,
        waiting: Callable[[int], None],
    ) -> tuple[str, ...]:
        """Send the report and the kept model, close the parent run; warnings for people.

        `waiting` is told how many trials are still to be written, twice a second, and may raise to end the wait.
        """
        self.wanted.set()
        if self.background is None:
            return ()
        if keep is not None and (keep / "model.keras").is_file():
            self.background.log_model(keep, _requirements())
        self.background.finish(
            "FINISHED" if stopped is None else "KILLED",
            [str(path) for path in written],
            {
                "sweeper.verdict": headline(verdict),
                "sweeper.outcome": verdict.outcome.value,
                "sweeper.trainer": str(self.ledger.notes.get(WAY)),
            },
            within_s=INTERRUPTED_PATIENCE_S if isinstance(stopped, Interrupted) else None,
            progress=(lambda _: None) if isinstance(stopped, Interrupted) else waiting,
        )
        problem = self.background.problem
        self.background.close()
        return () if problem is None else (str(problem),)

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
    uri: str | None, study: Prepared, ledger: OptunaLedger, identity: Mapping[str, Any], folder: StudyFolder
) -> Tracking:
    """Begin to track in the background, with everything that the ledger already has."""
    if uri is None:
        return Tracking(NoTracker(), ledger)
    experiment = study.config.tracking.experiment or study.config.name
    wanted = threading.Event()

    def factory() -> Writer:
        wanted.wait(FIRST_TRIAL_S)
        return open_tracker(uri, experiment, artifact_root=folder.root / "artifacts", log_file=folder.tracking_log)

    background = BackgroundTracker(factory, where=public_uri(uri))
    background.start(_about(study, identity))
    for record in ledger.history.records():
        background.trial(record)
    return Tracking(Waking(background, wanted), ledger, background, wanted)


def _about(study: Prepared, identity: Mapping[str, Any]) -> dict[str, Any]:
    config, data = study.config, study.data
    return {
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
        "plan": {**study.fixed["plan"], "points": study.points, "looks": list(study.looks)},
        "configuration": config.model_dump(mode="json", exclude_none=True),
    }


def _requirements() -> list[str]:
    """What loading the kept model needs, in the versions that made it."""
    packages = environment.describe(Path.cwd()).packages
    tensorflow = next((name for name in ("tensorflow-cpu", "tensorflow") if name in packages), "tensorflow")
    names = ("keras", tensorflow, "numpy", "pandas")
    return [f"{name}=={packages[name]}" if name in packages else name for name in names]
