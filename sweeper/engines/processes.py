"""Long-lived worker processes on this machine, each training one cohort at a time.

On Linux they are forked from a server that has imported the framework once and run nothing: a worker is ready in about
a second instead of ten. When a worker dies or hangs, what it had not reported of its cohort is tried once more, then
trial by trial, so that only the trial that ends its worker is recorded as CRASHED or TIMED_OUT. Workers end with the
coordinator, however it ends.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from sweeper.engines.affinity import Affinity, Known
from sweeper.engines.forking import context, without_main
from sweeper.engines.serving import CohortDone, WorkerFailed
from sweeper.errors import SweeperError
from sweeper.protocols import NextCohort
from sweeper.trial import Cohort, EpochEnded, Event, Heartbeat, Signal, Status, TrainerReady, TrialEnded

HEARTBEAT_S = 0.2
STARTUP_S = 300.0
"""Patience with a worker that is still importing: a cold disk and a GPU's first contact take minutes at worst."""
ATTEMPTS = 2
"""How often a cohort is tried; its trials have one attempt more, each alone."""

WorkerMain = Callable[[Connection, bool], None]


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    affinity: Affinity
    cohort: Cohort | None = None
    attempt: int = 0
    briefed: bool = False
    ended: set[int] = field(default_factory=set)
    ready: bool = False
    heard: bool = False
    last_event: float = 0.0
    last_end: float = 0.0

    def take(self, cohort: Cohort, attempt: int) -> None:
        """From now on it trains this cohort."""
        self.cohort, self.attempt = cohort, attempt
        self.affinity.trains(cohort)
        self.ended, self.heard = set(), False
        self.last_event = self.last_end = time.monotonic()

    def ends(self) -> tuple[Connection, int]:
        """What to wait for: a message, and death (a pipe alone is kept open by children that a trainer has made)."""
        return self.pipe, self.process.sentinel

    def overdue(self, now: float, per_trial_s: float) -> bool:
        """Whether it has been silent for longer than its trials may take."""
        if self.cohort is None:
            return False
        if not self.ready:
            return self.briefed and now - self.last_event > STARTUP_S
        left = max(1, len(self.cohort.trials) - len(self.ended))
        silence = now - self.last_event > per_trial_s * (1 if self.heard else left)
        return silence or now - self.last_end > per_trial_s * left


class ProcessEngine:
    """A `protocols.Engine`.

    Args:
        main: what a worker process runs, with its end of a pipe (the payload comes first) and `answers`.
        payload: told to every worker once; asked for when the worker is to begin.
        follow: whether the others wait until the first worker has said how it trains: `payload` may then say it.
        workers: processes at most.
        per_trial_s: seconds a trial may take before its worker counts as hanging.
        answers: whether workers wait for the answer to every epoch (a pruner needs that; it costs a round trip).
    """

    def __init__(
        self,
        main: WorkerMain,
        payload: Callable[[], Any],
        *,
        workers: int,
        per_trial_s: float = 600.0,
        answers: bool = False,
        follow: bool = False,
    ) -> None:
        self._main = main
        self._payload = payload
        self._follow, self._eager = follow, False
        self._workers = workers
        self._per_trial_s = per_trial_s
        self._answers = answers
        self._alive: list[_Worker] = []
        self._again: deque[tuple[Cohort, int]] = deque()
        self._trained: set[Known] = set()

    def eager(self) -> ProcessEngine:
        """The same engine; its first worker gets ready before the first cohort is there, which is sure to come."""
        self._eager = True
        return self

    def run(self, next_cohort: NextCohort, on_event: Callable[[Event], Signal]) -> None:
        """Keep every worker busy until nothing runs and nothing comes."""
        atexit.register(self.stop)  # an interpreter waits for its processes, and may be told to end in another thread
        try:
            if self._eager:
                self._brief(self._start())
            while self._hand_out(next_cohort):
                busy = [worker for worker in self._alive if worker.cohort is not None]
                told = connection.wait([end for worker in busy for end in worker.ends()], timeout=HEARTBEAT_S)
                for worker in busy:
                    if any(end in told for end in worker.ends()):
                        self._listen(worker, next_cohort, on_event, gone=worker.process.sentinel in told)
                self._end_overdue(on_event)
                on_event(Heartbeat())
        finally:
            self.stop()
            atexit.unregister(self.stop)

    def stop(self) -> None:
        """End every worker now; what they were training is lost."""
        for worker in self._alive:
            worker.process.kill()
            worker.pipe.close()
        for worker in self._alive:
            worker.process.join()
        self._alive.clear()

    def _hand_out(self, next_cohort: NextCohort) -> bool:
        """Give work to free slots; whether anything is being trained."""
        while True:
            idle = next((worker for worker in self._alive if worker.cohort is None), None)
            if idle is None and len(self._alive) >= self._workers:
                return True
            work = self._next(next_cohort, idle.affinity if idle else Affinity(self._trained))
            if work is None:
                return any(worker.cohort is not None for worker in self._alive)
            self._assign(idle or self._start(), *work)

    def _next(self, next_cohort: NextCohort, affinity: Affinity) -> tuple[Cohort, int] | None:
        """A cohort for a worker that has trained such ones, and the how-manieth attempt at it."""
        if self._again:
            return self._again.popleft()
        cohort = next_cohort(affinity.best)
        return None if cohort is None else (cohort, 1)

    def _start(self) -> _Worker:
        ours, theirs = context().Pipe()
        process = context().Process(target=self._main, args=(theirs, self._answers))
        with without_main():
            process.start()
        theirs.close()
        worker = _Worker(process, ours, Affinity(self._trained))
        self._alive.append(worker)
        return worker

    def _assign(self, worker: _Worker, cohort: Cohort, attempt: int) -> None:
        worker.take(cohort, attempt)
        if worker.briefed:
            self._send(worker, cohort)
        else:
            self._brief_who_may_begin()

    def _brief_who_may_begin(self) -> None:
        """Tell workers what they have to know; before one of them is ready, only one if the others are to follow it."""
        for worker in self._alive:
            waits = self._follow and any(other.briefed for other in self._alive)
            if worker.briefed or worker.cohort is None or waits:
                continue
            self._brief(worker)
            self._send(worker, worker.cohort)

    def _brief(self, worker: _Worker) -> None:
        worker.briefed = True
        worker.last_event = worker.last_end = time.monotonic()
        self._send(worker, self._payload())

    def _send(self, worker: _Worker, message: Any) -> None:
        with contextlib.suppress(OSError):  # its death is noticed when it is listened to
            worker.pipe.send(message)

    def _listen(
        self,
        worker: _Worker,
        next_cohort: NextCohort,
        on_event: Callable[[Event], Signal],
        *,
        gone: bool,
    ) -> None:
        """Take what it has said; `gone`: it had died before, and has nothing more to say than that.

        The ends of a cohort come together, and each takes some milliseconds to be stored: the worker has its next
        cohort before, if there is one.
        """
        inbox: deque[Any] = deque()
        following: tuple[Cohort, int] | None = None
        while worker.cohort is not None:
            gone = _drain(worker.pipe, inbox) or gone
            if following is None and inbox and inbox[-1] == CohortDone():
                following = self._next(next_cohort, worker.affinity)
                if following is not None:
                    self._send(worker, following[0])
            if inbox:
                message = inbox.popleft()
                self._take(worker, message, on_event)
                if following is not None and isinstance(message, CohortDone):
                    worker.take(*following)
                    following = None
            elif gone:
                worker.process.join(timeout=5)
                self._lost(worker, Status.CRASHED, _cause_of_death(worker.process.exitcode), on_event)
                return
            else:
                return

    def _take(self, worker: _Worker, message: Any, on_event: Callable[[Event], Signal]) -> None:
        worker.last_event = time.monotonic()
        if isinstance(message, CohortDone):
            worker.cohort = None
            if message.retires:
                self._dismiss(worker)
        elif isinstance(message, WorkerFailed):
            raise SweeperError.from_dict(message.document)
        elif isinstance(message, TrainerReady):
            worker.ready = True
            self._follow = False
            worker.last_end = worker.last_event
            on_event(message)
            self._brief_who_may_begin()
        elif isinstance(message, EpochEnded):
            worker.heard = True
            signal = on_event(message)
            if self._answers:
                with contextlib.suppress(OSError):
                    worker.pipe.send(signal)
        elif isinstance(message, TrialEnded) and message.number not in worker.ended:
            worker.heard = True
            worker.ended.add(message.number)
            worker.last_end = worker.last_event
            on_event(message)

    def _end_overdue(self, on_event: Callable[[Event], Signal]) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self._alive if worker.overdue(now, self._per_trial_s)]:
            worker.process.kill()
            worker.process.join()
            reason = f"no sign of life within {self._per_trial_s:g} s (budget.per_trial)"
            self._lost(worker, Status.TIMED_OUT, reason, on_event)

    def _dismiss(self, worker: _Worker) -> None:
        self._alive.remove(worker)
        worker.pipe.close()
        worker.process.kill()  # it has nothing more to say, and leaving in order takes a framework its time
        worker.process.join()

    def _lost(self, worker: _Worker, status: Status, reason: str, on_event: Callable[[Event], Signal]) -> None:
        """The worker is gone: its cohort is tried once more, then trial by trial; a trial lost alone is recorded.

        One that was killed may have run out of memory: its cohort is tried in two halves.
        """
        self._dismiss(worker)
        assert worker.cohort is not None
        rest = worker.cohort.without(frozenset(worker.ended))
        parts = 2 if worker.process.exitcode == -signal.SIGKILL and status is Status.CRASHED else 1
        if worker.attempt < ATTEMPTS:
            self._again.extend((part, worker.attempt + 1) for part in rest.parts(parts))
        elif worker.ready and len(rest.trials) > 1:
            self._again.extend((part, worker.attempt + 1) for part in rest.parts(len(rest.trials)))
        else:
            for spec in rest.trials:
                on_event(TrialEnded.failed(spec, f"{reason}, {worker.attempt} times", status=status))
        self._brief_who_may_begin()


def _drain(pipe: Connection, inbox: deque[Any]) -> bool:
    """Everything that lies in a pipe; whether it has ended."""
    try:
        while pipe.poll():
            inbox.append(pipe.recv())
    except (EOFError, OSError):
        return True
    return False


def _cause_of_death(exitcode: int | None) -> str:
    if exitcode == -9:
        return "the worker was killed (signal 9: out of memory, or somebody's kill)"
    if exitcode is not None and exitcode < 0:
        return f"the worker died of signal {-exitcode}"
    return f"the worker ended with exit code {exitcode}"
