"""Ctrl-C and SIGTERM: the first asks the study to end in order, the second ends the process now."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from sweeper.errors import Interrupted, Problem

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Whether somebody wants the study to end; `check` raises where that does no harm."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def check(self) -> None:
        """Raise if a signal has come.

        Raises:
            Interrupted: with exit code 130 after Ctrl-C, 143 after SIGTERM.
        """
        if self._signal is not None:
            name = signal.Signals(self._signal).name
            error = Interrupted(Problem(name, "the study to end", "", "the same command goes on where it stopped"))
            error.exit_code = 128 + self._signal
            raise error

    @contextlib.contextmanager
    def listening(self) -> Iterator[Interruption]:
        """Catch signals until the block ends; elsewhere than on the main thread Python cannot, and nothing happens."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is not None:
            os._exit(128 + number)
        self._signal = number
