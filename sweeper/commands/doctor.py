"""`sweeper doctor`: one line for everything that a run depends on, each fault with its cure; told as it is found."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sweeper import study_file
from sweeper.commands import doctor_machine, doctor_storage
from sweeper.commands.finding import Check, Finding, Level, failure, fine
from sweeper.commands.presence import missing
from sweeper.errors import SweeperError
from sweeper.study_file import StudyFile

FAILED = 2
"""Exit code where something is a failure: the one that `sweeper run` would end with, before it had trained anything."""


def checks(study: Path | None, root: Path, uri: str | None = None) -> list[tuple[str, Check]]:
    """What is looked at, in order, with a word for each; quick ones first."""
    file = None if study is None else _loaded(study)
    config = None if file is None else file.config
    machine, storage = doctor_machine, doctor_storage
    address = uri or _address(file, root)
    listed: list[tuple[str, Check]] = [
        ("python", machine.python),
        ("packages", machine.packages),
        ("wheels", machine.wheels),
        ("extras", machine.extras),
        ("cores", machine.cores),
        ("memory", machine.memory),
        ("shared memory", machine.shared_memory),
        ("clock", machine.clock),
        ("terminal", machine.terminal),
        ("storage", functools.partial(storage.storage, root)),
        ("file system", functools.partial(storage.file_system, root)),
        ("ledger", functools.partial(storage.ledgers, root, None if config is None else config.name)),
        ("workers", storage.left_over),
        ("mlflow", functools.partial(storage.mlflow, address)),
        ("tensorflow", machine.tensorflow),
    ]
    return listed if study is None else [("study", functools.partial(_study, study)), *listed]


def doctor(listed: Sequence[tuple[str, Check]], say: Callable[[Finding], None], looking: Callable[[str], None]) -> int:
    """Look at everything; the exit code.

    Args:
        listed: as `checks` gives them.
        say: is told each finding at once.
        looking: is told what is looked at next.
    """
    worst = 0
    for topic, check in listed:
        looking(topic)
        for finding in _guarded(topic, check):
            say(finding)
            worst = FAILED if finding.level is Level.FAILURE else worst
    return worst


def words(finding: Finding) -> str:
    """A line, and the cure below it."""
    mark = {Level.FINE: " ", Level.WARNING: "!", Level.FAILURE: "x"}[finding.level]
    line = f"{mark} {finding.topic:<17} {finding.text}"
    return f"{line}\n{'':<20}try  {finding.cure}" if finding.cure else line


def _guarded(topic: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - a doctor that falls ill has found something too
        yield failure(topic, f"{type(error).__name__}: {error}", "this could not be looked at; see the message")


def _loaded(study: Path) -> StudyFile | None:
    try:
        return study_file.load(study)
    except SweeperError:
        return None


def _study(study: Path) -> Iterator[Finding]:
    try:
        file = study_file.load(study)
    except SweeperError as error:
        problem = error.problems[0]
        more = f" ({len(error.problems)} problems)" if len(error.problems) > 1 else ""
        cure = f"sweeper validate {study}" if study.exists() else problem.cure
        yield failure("study", f"{problem.where}: {problem.received}{more}", cure)
        return
    yield fine("study", f"{study}: {file.config.name}")
    for problem in missing(file):
        topic = "data" if "  data" in problem.where else "model"
        yield failure(topic, f"{problem.where}: {problem.received}", problem.cure)


def _address(file: StudyFile | None, root: Path) -> str:
    """Where the runs would be tracked; `commands.tracking.default_uri`, without importing what writes there."""
    own = None if file is None else file.config.tracking.uri
    return own or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute()}/mlflow.db"
