"""How this process uses MLflow: no telemetry, no output of its own, no minutes of retries. Before MLflow is imported.

What a user has set in the environment is respected, except where it would write to standard output.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path

from sweeper.tracking.background import Writer

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    # 7 retries of growing length are the default: four minutes a call on a dead server, and each that was only slow
    # leaves a run of its own behind. The background tracker tries again by itself, and looks first what is there.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # A bar for a file of a few kilobytes, in the middle of our lines.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # The winner's requirements are given; a uv project that happens to be in the working folder is not its own.
    "MLFLOW_UV_AUTO_DETECT": "false",
}
# Of MLflow itself what it says at INFO is of use; SQLAlchemy says every statement at that level, megabytes a study.
_LOGGERS = ("mlflow", "alembic", "sqlalchemy", "urllib3")


def prepare(log_file: Path | None = None) -> None:
    """Set MLflow's environment and lead its log messages to `log_file`, or nowhere.

    Loggers are left alone where MLflow has been imported already: then they are the business of whoever did it.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    if "mlflow" in sys.modules:
        return
    handler = _handler(log_file)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO if log_file and name == "mlflow" else logging.WARNING)
        logger.propagate = False
    warnings.filterwarnings("ignore", module=r"(mlflow|alembic|sqlalchemy)(\.|$)")


def open_tracker(uri: str, experiment: str, *, artifact_root: Path | None, log_file: Path | None = None) -> Writer:
    """An MLflow tracker in a prepared process; imports MLflow, so call it on the thread that tracks.

    Args:
        uri: tracking address.
        experiment: name of the experiment.
        artifact_root: see `MlflowTracker`.
        log_file: see `prepare`.
    """
    prepare(log_file)
    from sweeper.tracking.mlflow_tracker import MlflowTracker

    return MlflowTracker(uri, experiment, artifact_root=artifact_root)


def _handler(log_file: Path | None) -> logging.Handler:
    if log_file is None:
        return logging.NullHandler()
    handler = logging.FileHandler(log_file, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
