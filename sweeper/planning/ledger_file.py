"""The file of a ledger: how it is opened and written to, and what its errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy import URL, event

from sweeper.errors import Problem, StorageError


def sqlite_storage(path: Path) -> RDBStorage:
    """Optuna's storage in this file, which is made where there is none.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    if path.exists() and path.stat().st_size:
        with sqlite3.connect(path) as connection:
            answer = connection.execute("PRAGMA quick_check").fetchone()[0]
        connection.close()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
    url = URL.create("sqlite", database=str(path)).render_as_string()
    storage = RDBStorage(url)
    event.listen(storage.engine, "connect", _fast_and_safe)
    storage.engine.dispose()  # connections made from now on hear of it
    return storage


def let_go(storage: BaseStorage | None) -> None:
    """Close the connections of a storage."""
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()


@contextlib.contextmanager
def one_transaction(storage: BaseStorage) -> Iterator[None]:
    """Commit what Optuna writes inside together, or nothing of it where something fails.

    Optuna commits in every call. A session that is bound to a connection with a transaction of its own leaves the
    commit to that (SQLAlchemy, "Joining a Session into an External Transaction"). The lock is taken first, so that a
    file that cannot be written says so here, and not to the retries inside of Optuna.
    """
    if not isinstance(storage, RDBStorage):
        yield
        return
    sessions = storage.scoped_session
    with storage.engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        sessions.remove()
        sessions.configure(bind=connection)
        try:
            yield
        finally:
            sessions.remove()
            sessions.configure(bind=storage.engine)


def storage_error(path: Path | None, error: Exception) -> StorageError:
    """What went wrong with the ledger at `path`, and the cure."""
    text = str(getattr(error, "orig", None) or error).splitlines()[0]
    lower = text.lower()
    if "full" in lower or "no space" in lower:
        cure = "free some space and run the same command again: everything that had finished is stored"
    elif "readonly" in lower or "read-only" in lower or "permission" in lower or "unable to open" in lower:
        cure = "make the folder writable, or choose another with --storage"
    elif "no longer compatible" in lower:
        cure = "upgrade Optuna, or run with --fresh"
    else:
        cure = "run with --fresh to start over (the damaged file is kept beside the new one)"
    return StorageError(Problem(str(path), "a ledger that can be read and written", text, cure))


def _fast_and_safe(connection: sqlite3.Connection, _record: Any) -> None:
    """A write-ahead log: a commit waits for no disk; a killed process loses nothing, a power cut the last commits."""
    connection.execute("PRAGMA busy_timeout=30000")  # milliseconds for whoever else has the file open
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
