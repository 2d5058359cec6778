"""Begins to import the framework, in the fork server, before this process imports anything heavy itself.

Optuna and scipy take a second of CPU, in which the other process is already at its longest task. So this module is
light, and whoever runs a study calls it before `commands.run` is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sweeper.engines import forking
from sweeper.folder import StudyFolder
from sweeper.study_file import StudyFile

PRELOAD = "sweeper.preload"


def wants_framework(file: StudyFile, engine: object) -> bool:
    """Whether workers of this machine will train Keras models."""
    return (engine or file.config.engine.kind) == "processes" and file.config.trainer is None


def warm_up(
    file: StudyFile,
    engine: object,
    storage: Path | None,
    *,
    fresh: bool = False,
    begin: Callable[[str, str | None], None] = forking.warm_up,
) -> None:
    """Begin to import what the workers of a study will need; nothing happens where it seems done or is being run.

    Args:
        file: the study.
        engine: what the run was told besides the file; None leaves it to the file.
        storage: as in `commands.run.Options`.
        fresh: whether the study begins anew.
        begin: has a module imported, with a file that takes what it prints.

    Raises:
        UsageError, StorageError: there is no place for the study's folder.
    """
    if not wants_framework(file, engine):
        return
    if storage is None:
        begin(PRELOAD, None)
        return
    folder = StudyFolder(storage.absolute(), file.config.name)
    if (fresh or not seems_done(folder)) and not folder.is_locked():
        folder.create()
        begin(PRELOAD, str(folder.worker_log))


def seems_done(folder: StudyFolder) -> bool:
    """Whether a verdict has been reported; more may have been asked for since."""
    return folder.report.is_file() and folder.verdict.is_file()
