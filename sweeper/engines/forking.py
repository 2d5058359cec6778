"""Where worker processes come from: on Linux a server that has imported the framework once and run nothing."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

PRELOAD_LOG = "SWEEPER_WORKER_LOG"


def warm_up(preload: str, log: str | None) -> None:
    """Begin to import the framework in the fork server, while the caller does other things.

    Args:
        preload: module that imports it and does nothing else.
        log: file that takes what the server prints while it imports; None: nowhere.
    """
    if not _forks():
        return
    from multiprocessing import forkserver

    multiprocessing.set_forkserver_preload([preload])
    os.environ[PRELOAD_LOG] = log or os.devnull  # the server has no other way to be told; workers are told their own
    try:
        with without_main():
            forkserver.ensure_running()
    finally:
        del os.environ[PRELOAD_LOG]


def context() -> Any:
    """Fork server on Linux; elsewhere every worker imports for itself."""
    return multiprocessing.get_context("forkserver" if _forks() else "spawn")


def _forks() -> bool:
    return sys.platform == "linux"


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Hide the caller's script: a child would import it again, needs nothing of it, and might start a study itself."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
