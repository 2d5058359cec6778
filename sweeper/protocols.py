"""The seams. `study.drive` sees nothing else; every adapter satisfies one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, Union

from sweeper.data import Dataset
from sweeper.trial import Cohort, EpochEnded, Event, Signal, TrialEnded, TrialRecord, TrialSpec

Report = Callable[[Union[EpochEnded, TrialEnded]], Signal]


class Trainer(Protocol):
    """Trains a cohort on a data set.

    Reports every epoch, honours `Signal.STOP` for the trial it answers, and returns one `TrialEnded` a trial. A
    `TrialEnded` may also be reported as soon as it is known: then it survives the death of the worker.
    """

    def __call__(self, cohort: Cohort, data: Dataset, report: Report, /) -> list[TrialEnded]:
        """Train every trial of the cohort."""


Choose = Callable[[Sequence[Cohort]], int]
"""Cohorts that may be trained next, at least one -> place of the one that had better be."""


class NextCohort(Protocol):
    """Hands out the cohorts of a study."""

    def __call__(self, choose: Choose = lambda _: 0, /) -> Cohort | None:
        """The next cohort, or None if there is none now."""


class Engine(Protocol):
    """Runs cohorts somewhere. Both callables run on the caller's thread."""

    def run(self, next_cohort: NextCohort, on_event: Callable[[Event], Signal]) -> None:
        """Pull a cohort whenever a slot is free and push every event, until nothing runs and nothing comes.

        `next_cohort` may answer None while cohorts run and be asked again after the next event. An exception from
        either callable ends everything that runs and is raised again.
        """


class Planner(Protocol):
    """Says what to train next: a pure function of the trials that have ended."""

    def next_round(self, history: History) -> Sequence[Cohort]:
        """The next cohorts, asked for when every trial handed out before has ended; empty when all is done.

        The same history gives the same cohorts with the same trial numbers, in whatever order the trials ended.
        """


class History(Protocol):
    """Finished trials by number."""

    @property
    def waiting(self) -> Mapping[int, TrialSpec]:
        """Trials that were handed out and have not ended, perhaps in a run that was killed."""

    def __len__(self) -> int: ...

    def __contains__(self, number: int) -> bool: ...

    def records(self) -> Iterable[TrialRecord]:
        """Every finished trial in the order of its number, but for failed ones that are to be tried again."""


class Ledger(Protocol):
    """The durable list of finished trials: all that a resume needs."""

    @property
    def history(self) -> History:
        """Every finished trial."""

    def started(self, cohort: Cohort) -> None:
        """These trials are being trained."""

    def ended(self, record: TrialRecord) -> None:
        """Store a finished trial; durable when this returns."""

    def close(self) -> None:
        """Let go of files."""


class Tracker(Protocol):
    """Writes down for people what happened. It may lag behind; it is rebuilt from the ledger."""

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Open or find the parent run; returns `uri`, `experiment` and `run_id`."""

    def trial(self, record: TrialRecord) -> None:
        """Write a finished trial, unless it is there already."""

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """Close the parent run: FINISHED, KILLED or FAILED."""


class Observer(Protocol):
    """Shows progress; knows nothing and decides nothing."""

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """A round begins."""

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """An epoch ended."""

    def trial(self, record: TrialRecord) -> None:
        """A trial ended."""

    def tick(self) -> None:
        """A moment passed."""
