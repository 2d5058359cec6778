"""One process at a time: two that create the same MLflow database at once would break each other's migrations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold the lock beside `file` while the block runs; waits for whoever holds it. Without effect on Windows."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(file.name + ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released with the file, even by a process that is killed
        yield
