import contextlib
import shutil
import sqlite3

import pytest
from sqlalchemy import create_engine

from sweeper.tracking.sqlite_store import gather, write_ahead


@pytest.fixture
def connected():
    """Connects to a file as MLflow does."""
    with contextlib.ExitStack() as stack:

        def connect(file, timeout_s=5.0):
            engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": timeout_s})
            stack.callback(engine.dispose)
            return stack.enter_context(engine.connect())

        yield connect


def pragmas(connection):
    return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]


def test_a_store_keeps_a_write_ahead_log_and_other_files_stay_as_they_are(tmp_path, connected):
    write_ahead(f"sqlite:///{tmp_path}/mlflow.db")
    normal, full = 1, 2
    assert pragmas(connected(tmp_path / "mlflow.db")) == ["wal", normal]
    assert pragmas(connected(tmp_path / "other.db")) == ["delete", full]


def test_a_copy_of_the_file_alone_is_complete(tmp_path, connected):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    write_ahead(uri)
    connection = connected(tmp_path / "mlflow.db")
    connection.exec_driver_sql("CREATE TABLE runs AS SELECT 7 AS number")
    connection.commit()
    gather(uri)
    shutil.copy(tmp_path / "mlflow.db", tmp_path / "copy.db")
    assert connected(tmp_path / "copy.db").exec_driver_sql("SELECT number FROM runs").scalar() == 7


def test_a_file_that_somebody_keeps_locked_stays_as_it_is(tmp_path, connected):
    write_ahead(f"sqlite:///{tmp_path}/mlflow.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as other:
        other.execute("CREATE TABLE runs (number)")
        other.execute("BEGIN EXCLUSIVE")
        connection = connected(tmp_path / "mlflow.db", timeout_s=0.0)
        other.rollback()
    assert pragmas(connection)[0] == "delete"


@pytest.mark.parametrize("uri", ["http://localhost:5000", "sqlite:///:memory:", "databricks"])
def test_any_other_store_is_left_alone(uri):
    write_ahead(uri)
    gather(uri)
