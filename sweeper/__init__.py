"""Which activation/optimizer combination wins on your Keras model and your data, by how much, and how sure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from sweeper.config import StudyConfig
    from sweeper.protocols import Engine
    from sweeper.verdict import Verdict

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def run(
    study: str | Path | Mapping[str, Any],
    *,
    engine: Union[str, Engine, None] = None,
    workers: int | None = None,
    tracking: str | None = None,
    storage: str | Path = "mlruns",
    progress: bool = False,
) -> Verdict:
    """Run a study, or continue it, and return its verdict.

    Args:
        study: path of a study file, or a mapping of the same shape.
        engine: `processes`, `inline`, or an object that satisfies `sweeper.protocols.Engine`; default: the study's.
        workers: worker processes.
        tracking: address of an MLflow tracking store; None tracks nowhere.
        storage: folder that holds `studies/<name>`; `memory` keeps no file.
        progress: show the live table on stderr.

    Raises:
        SweeperError: the study cannot be run; or `Incomplete` or `Interrupted`, where it ended before its plan was
            done (what had finished is stored, and the same call continues).
    """
    from sweeper import study_file
    from sweeper.commands.warming import warm_up

    file = study_file.load(study)
    place = None if storage == "memory" else Path(storage)
    warm_up(file, engine, place)

    from sweeper.commands.run import Options
    from sweeper.commands.run import run as command

    options = Options(engine, workers, tracking, place, display="auto" if progress else "quiet", command="sweeper.run")
    result = command(file, options)
    if result.stopped is not None:
        raise result.stopped
    return result.verdict


def load(study: str | Path | Mapping[str, Any]) -> StudyConfig:
    """Read and check a study.

    Raises:
        StudyError: with every problem of the study.
    """
    from sweeper import study_file

    return study_file.load(study).config
