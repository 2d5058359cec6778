"""A table on the terminal that fills in while a study runs. Writes nowhere but to the stream it was given.

No thread: the picture is drawn when an event or a tick comes, at most eight times a second, and never so often that
drawing takes more than a fiftieth of the time.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TextIO

from rich.console import Console, Group
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from sweeper.protocols import Observer
from sweeper.report.progress import Progress
from sweeper.report.progress_cells import ASCII, UNICODE
from sweeper.report.progress_table import Frame, Line, picture
from sweeper.trial import Cohort, EpochEnded, TrialRecord, TrialSpec

INTERVAL_S = 0.125
COST_SHARE = 50
"""Drawing may take one part in fifty of the time."""

HOLD, SHOW = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronized output: terminals that know it show a picture when it is whole, others ignore it."""

# the terminal's own sixteen colours: legible on light and dark themes alike
STYLES = {
    "plain": "none",
    "title": "bold",
    "dim": "dim",
    "faint": "dim",
    "bar": "cyan",
    "best": "bold",
    "lead": "bold",
    "level0": "bright_black",
    "level1": "bright_black",
    "level2": "blue",
    "level3": "blue",
    "level4": "cyan",
    "level5": "cyan",
    "level6": "green",
    "level7": "bold green",
    "seed": "cyan",
    "running": "yellow",
    "pending": "dim",
    "diverged": "red",
    "pruned": "dim",
    "failed": "red",
}


class LiveObserver:
    """Shows the live table between `__enter__` and `__exit__`, and leaves its last state on the screen.

    Args:
        progress: is fed with every event.
        console: a terminal; standard error in real life, because standard output is for results.
        title: name of the study.
        now: seconds, for measuring what drawing costs.
    """

    def __init__(
        self, progress: Progress, console: Console, *, title: str = "", now: Callable[[], float] = time.monotonic
    ) -> None:
        self.progress = progress
        self._console = console
        self._title = title
        self._address: str | None = None
        self._now = now
        self._next = 0.0
        self._final = False
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._drawn: list[int] = []
        """Length of each line on the screen."""
        self._live = Live(
            get_renderable=self._picture,
            console=console,
            auto_refresh=False,
            redirect_stdout=sys.stdout.isatty(),  # a print would tear the table; a pipe must get its bytes
            vertical_overflow="crop",
        )

    def __enter__(self) -> LiveObserver:
        self._live.start()
        # a process that is killed cannot bring the cursor back
        self._console.show_cursor(True)
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._final = True
        self.progress.stopped()
        self._draw()
        self._live.stop()

    def announce(self, address: str) -> None:
        """Where the runs can be browsed."""
        self._address = address

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """A round begins."""
        self.progress.round_planned(cohorts)
        self.tick()

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """An epoch ended."""
        self.progress.epoch(spec, event)
        self.tick()

    def trial(self, record: TrialRecord) -> None:
        """A trial ended."""
        self.progress.trial(record)
        self.tick()

    def tick(self) -> None:
        """A moment passed: draw, if the last picture is old enough."""
        if self._now() >= self._next:
            self._draw()

    def _draw(self) -> None:
        began = self._now()
        self._console.file.write(HOLD)
        self._erase_wrapped()
        self._live.refresh()
        self._console.file.write(SHOW)
        self._console.file.flush()
        ended = self._now()
        self._next = ended + max(INTERVAL_S, COST_SHARE * (ended - began))

    def _erase_wrapped(self) -> None:
        """Take away the lines that came about when a terminal got narrower and wrapped the last picture.

        rich erases as many lines as it drew. Terminals that cut lines instead lose as many lines above the table.
        """
        width = self._console.width
        extra = sum(max(math.ceil(length / width), 1) for length in self._drawn) - len(self._drawn)
        if extra:
            up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
            self._console.control(Control(*up * extra))

    def _picture(self) -> Group:
        width, height = self._console.size
        frame = Frame(self._title, self._address, width, max(height - 1, 1), self._final, self._glyphs)
        # the cursor waits on an empty line, where a shell or a message may begin if this process is killed
        lines = [*(_styled(line, width) for line in picture(self.progress, frame)), Text()]
        self._drawn = [line.cell_len for line in lines]
        return Group(*lines)


def live_observer(progress: Progress, stream: TextIO, *, title: str) -> LiveObserver:
    """The live table on a terminal; `NO_COLOR` in the environment takes the colours away, not the table."""
    return LiveObserver(progress, Console(file=stream, force_terminal=True), title=title)


def _styled(line: Line, width: int) -> Text:
    text = Text(no_wrap=True)
    for part, style in line:
        text.append(part, STYLES[style])
    text.rstrip()
    text.truncate(width, overflow="ellipsis")
    return text


_conforms: type[Observer] = LiveObserver
