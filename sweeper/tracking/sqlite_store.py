"""MLflow's SQLite file as a place that is fast to write to, whoever else looks at it meanwhile.

A trial takes MLflow six commits. With SQLite's default journal each of them waits for the disk two or three times, 5
to 15 ms a commit; with a write-ahead log none does, and the MLflow UI can read while a study writes.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from sweeper.tracking.addresses import sqlite_file

_FILES: set[str] = set()
"""Those that keep a log. SQLAlchemy says of every connection of the process that it has been made."""


def write_ahead(uri: str) -> None:
    """Have connections made to a SQLite store from now on keep a write-ahead log, as those to the ledger do.

    A killed process loses nothing, a power cut the last commits, which the ledger has. MLflow has no setting for it. A
    file that cannot have such a log, or that somebody keeps locked, stays as it is; so does any other store.
    """
    file = sqlite_file(uri)
    if file is None:
        return
    _FILES.add(os.path.realpath(file))
    if not event.contains(Engine, "connect", _connected):
        event.listen(Engine, "connect", _connected)


def gather(uri: str) -> None:
    """Write the log into the file, so that a copy of the file alone is complete."""
    file = sqlite_file(uri)
    if file is None or not file.is_file():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _connected(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    opened = connection.execute("PRAGMA database_list").fetchone()[2]
    if opened and os.path.realpath(opened) in _FILES:
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
