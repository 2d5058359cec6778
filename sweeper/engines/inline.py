"""Cohorts one after the other in this process: for debugging, for tests, and for trainers that are already fast."""

from __future__ import annotations

from collections.abc import Callable

from sweeper.data import Dataset
from sweeper.engines.serving import serve
from sweeper.protocols import NextCohort, Trainer
from sweeper.trial import EpochEnded, Event, Signal, TrainerReady, TrialEnded


class InlineEngine:
    """A `protocols.Engine`.

    Args:
        prepare: makes trainer and data, once, before the first cohort.
        readiness: says how a trainer trains.
    """

    def __init__(
        self,
        prepare: Callable[[], tuple[Trainer, Dataset]],
        readiness: Callable[[Trainer], TrainerReady] = lambda _: TrainerReady("inline"),
    ) -> None:
        self._prepare = prepare
        self._readiness = readiness

    def run(self, next_cohort: NextCohort, on_event: Callable[[Event], Signal]) -> None:
        """Train until nothing comes; an exception of the coordinator passes through the trainer."""

        def send(event: EpochEnded | TrialEnded) -> Signal:
            try:
                return on_event(event)
            except BaseException as error:
                raise _Raised(error) from error

        prepared: tuple[Trainer, Dataset] | None = None
        try:
            while (cohort := next_cohort()) is not None:
                if prepared is None:
                    prepared = self._prepare()
                    on_event(self._readiness(prepared[0]))
                serve(cohort, *prepared, send)
        except _Raised as raised:
            raise raised.cause from None


class _Raised(BaseException):
    """Carries an exception of the coordinator through a trainer that catches exceptions."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
