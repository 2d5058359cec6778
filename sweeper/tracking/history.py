"""The earlier points of curves, in one statement into the table of an MLflow SQLite file.

MLflow makes an object of every point and compares each with the last one known: 0.2 ms a point, half of all that
tracking costs. Of a point that others follow it keeps just the row in `metrics`, and that is written here. The last
point of every metric, which lists and searches show, goes through MLflow with everything else; so does everything where
the store is not a local file, or the table is not the one that this was written for.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sweeper.tracking.addresses import sqlite_file
from sweeper.tracking.projection import Point

COLUMNS = {"key", "value", "timestamp", "step", "is_nan", "run_uuid"}
_INSERT = "INSERT OR IGNORE INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)"
_PATIENCE_S = 20.0
"""For somebody else who has the file locked; as long as MLflow's own connections wait."""


class History:
    """Writes into one file, or leaves everything to MLflow.

    Args:
        uri: tracking address of a store that has its tables.
    """

    def __init__(self, uri: str) -> None:
        self._file = _suitable(sqlite_file(uri))

    def add(self, run_id: str, points: Sequence[Point]) -> Sequence[Point]:
        """Write the points that others follow, each once however often it is sent; the rest, which is left to MLflow.

        Raises:
            sqlite3.Error: the file cannot be written.
        """
        if self._file is None:
            return points
        last = {point.key: place for place, point in _in_order(points)}
        earlier = [point for place, point in enumerate(points) if last[point.key] != place]
        rows = [(point.key, point.value, point.timestamp_ms, point.step, run_id) for point in earlier]
        with contextlib.closing(sqlite3.connect(self._file, timeout=_PATIENCE_S)) as connection, connection:
            connection.execute("PRAGMA synchronous=NORMAL")  # as MLflow's connections have it; see `sqlite_store`
            connection.executemany(_INSERT, rows)
        return [points[place] for place in sorted(last.values())]


def _in_order(points: Sequence[Point]) -> list[tuple[int, Point]]:
    """With their places, the last one of a metric last, as MLflow tells which is: by step, time and value."""
    return sorted(enumerate(points), key=lambda pair: (pair[1].step, pair[1].timestamp_ms, pair[1].value))


def _suitable(file: Path | None) -> Path | None:
    if file is None or not file.is_file():
        return None
    with contextlib.closing(sqlite3.connect(file, timeout=_PATIENCE_S)) as connection:
        found = {row[1] for row in connection.execute("PRAGMA table_info(metrics)")}
    return file if found == COLUMNS else None
