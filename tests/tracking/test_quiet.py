"""What reaches the log file of MLflow, in a process of its own: loggers belong to the whole process."""

import subprocess
import sys

CODE = """
import logging, sys
from pathlib import Path
from sweeper.tracking.quiet import prepare
prepare(Path(sys.argv[1]))
for name in ("mlflow.store.db", "sqlalchemy.engine.Engine", "alembic.runtime.migration", "urllib3"):
    logging.getLogger(name).info("%s in passing", name)
    logging.getLogger(name).warning("%s in earnest", name)
"""


def test_the_log_holds_warnings_of_all_and_the_rest_of_mlflow_only(tmp_path):
    path = tmp_path / "mlflow.log"
    done = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=True)
    lines = path.read_text().splitlines()
    assert [line.split(": ")[1].split()[0] for line in lines if "in passing" in line] == ["mlflow.store.db"]
    assert sum("in earnest" in line for line in lines) == 4
    assert done.stderr == ""
