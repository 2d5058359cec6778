"""Progress as lines that stand alone: for logs, CI and pipes. The number of lines does not grow with the trials."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Literal, Protocol, TextIO

from sweeper.protocols import Observer
from sweeper.report.progress import Progress
from sweeper.report.progress_words import (
    DOING,
    best_text,
    counted,
    failure_text,
    mishaps,
    rate_text,
    score_text,
    time_left_text,
    trials,
)
from sweeper.report.rows import Row
from sweeper.report.units import clean, count, duration
from sweeper.trial import Cohort, EpochEnded, Stage, Status, TrialEnded, TrialRecord, TrialSpec

Kind = Literal["auto", "live", "plain", "quiet"]

EVERY_S = 30.0
"""Often enough to see that a CI job lives, seldom enough for a log of an hour to be read."""
MOST_COMBINATIONS = 24
"""Up to so many combinations get a line each when they are explored: one screen."""
MOST_FAILURES = 5
"""Further failures are counted only: they tend to have one cause."""


class Display(Observer, Protocol):
    """An observer that is open while a study runs."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def announce(self, address: str) -> None:
        """Where the runs can be browsed."""


class QuietObserver:
    """Says nothing."""

    def __enter__(self) -> QuietObserver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def announce(self, address: str) -> None:
        """Where the runs can be browsed."""

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """A round begins."""

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """An epoch ended."""

    def trial(self, record: TrialRecord) -> None:
        """A trial ended."""

    def tick(self) -> None:
        """A moment passed."""


class PlainObserver:
    """Writes a line when a stage begins, when a combination is explored, when something fails, and now and then.

    Args:
        progress: is fed with every event.
        every_s: seconds between two lines that only say how far things are.
    """

    def __init__(self, progress: Progress, stream: TextIO, *, title: str = "", every_s: float = EVERY_S) -> None:
        self.progress = progress
        self._stream = stream
        self._title = clean(title)
        self._every_s = every_s
        self._said_at = 0.0
        self._stage: Stage | None = None
        self._failures = 0

    def __enter__(self) -> PlainObserver:
        restored = self.progress.restored
        before = f", {trials(restored)} from before" if restored else ""
        self._say(f"{self._title or 'study'}: {count(len(self.progress.rows), 'combination')}{before}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        progress = self.progress
        facts = [f"{trials(progress.done)} in {duration(progress.elapsed_s)}", rate_text(progress), *mishaps(progress)]
        self._say(("stopped: " if kind else "trained: ") + ", ".join(fact for fact in facts if fact))

    def announce(self, address: str) -> None:
        """Where the runs can be browsed."""
        self._say(f"runs: {clean(address)}")

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """A round begins."""
        self.progress.round_planned(cohorts)
        stage = self.progress.stage
        if not cohorts or stage is None or (stage is self._stage and stage is not Stage.CONFIRM):
            return
        self._stage = stage
        if stage is Stage.KEEP:
            self._say(DOING[stage])
            return
        if stage is Stage.SEARCH:  # which combinations come is decided trial by trial
            names = dict.fromkeys(map(clean, self.progress.rows))
            self._say(f"{DOING[stage]} {count(len(names), 'combination')}, {counted(self.progress, stage)} trials done")
            return
        names = dict.fromkeys(clean(spec.combination) for cohort in cohorts for spec in cohort.trials)
        who = count(len(names), "finalist" if stage is Stage.CONFIRM else "combination")
        listed = ": " + ", ".join(names) if stage is Stage.CONFIRM else ""
        self._say(f"{DOING[stage]} {who}, {counted(self.progress, stage)} trials done{listed}")

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """An epoch ended."""
        self.progress.epoch(spec, event)
        self.tick()

    def trial(self, record: TrialRecord) -> None:
        """A trial ended."""
        self.progress.trial(record)
        stage, ended = record.spec.stage, record.ended
        if ended.status.is_failure:
            self._failed(record)
        elif stage in (Stage.CONFIRM, Stage.KEEP):
            if ended.status is Status.DIVERGED:
                self._say(f"warning: {_trial_name(record)} {_why(ended)}")
        elif stage is not Stage.SEARCH and len(self.progress.rows) <= MOST_COMBINATIONS:
            row = self.progress.rows[record.spec.combination]
            if row.explored_to_the_end:
                self._say(self._explored(row))
        self.tick()

    def tick(self) -> None:
        """A moment passed."""
        progress = self.progress
        stage = progress.stage
        if stage is None or progress.elapsed_s - self._said_at < self._every_s:
            return
        facts = [rate_text(progress), time_left_text(progress), *mishaps(progress)]
        best = f"; best so far {best_text(progress)}" if progress.best else ""
        told = ", ".join(fact for fact in (f"{DOING[stage]} {counted(progress, stage)}", *facts) if fact)
        self._say(told + best)

    def _explored(self, row: Row) -> str:
        name, best = clean(row.combination), score_text(row.best.score if row.best else None, self.progress.objective)
        diverged = f", {row.diverged} diverged" if row.diverged else ""
        if not best:
            return f"warning: {name}: none of {trials(row.ended)} trained to the end{diverged}"
        return f"{name}: best {best} of {trials(row.ended)}{diverged}"

    def _failed(self, record: TrialRecord) -> None:
        self._failures += 1
        if self._failures <= MOST_FAILURES:
            more = " (further ones are only counted)" if self._failures == MOST_FAILURES else ""
            self._say(f"warning: {failure_text(record)}{more}")

    def _say(self, text: str) -> None:
        self._said_at = self.progress.elapsed_s
        minutes, seconds = divmod(int(self._said_at), 60)
        self._stream.write(f"[{minutes // 60}:{minutes % 60:02d}:{seconds:02d}] {text}\n")
        self._stream.flush()


def observer(
    kind: Kind, progress: Progress, stream: TextIO, *, title: str = "", environ: Mapping[str, str] | None = None
) -> Display:
    """The display of that kind; `live` and `auto` are a live table on a real terminal only, plain lines elsewhere.

    `auto` also keeps to plain lines where the variable CI is set: such terminals are logs. `environ` stands in for
    the environment of this process.
    """
    if kind == "quiet":
        return QuietObserver()
    if kind == "plain" or not _is_terminal(kind, stream, os.environ if environ is None else environ):
        return PlainObserver(progress, stream, title=title)
    from sweeper.report.live import live_observer

    return live_observer(progress, stream, title=title)


def _is_terminal(kind: Kind, stream: TextIO, environ: Mapping[str, str]) -> bool:
    if environ.get("TERM", "").lower() in ("dumb", "unknown") or (kind == "auto" and environ.get("CI")):
        return False
    return stream.isatty()


def _trial_name(record: TrialRecord) -> str:
    return f"trial {record.spec.number} ({clean(record.spec.combination)})"


def _why(ended: TrialEnded) -> str:
    return clean(ended.reason or ended.status.lower(), 200)


_conforms: tuple[type[Display], ...] = (QuietObserver, PlainObserver)
