"""Tracking that costs the study no time: a thread of its own imports MLflow, opens the store and writes.

Order: the parent run, then trials as they came, then the model, then the end. A failure never reaches the study. A
store that is away is asked a short question now and then, and gets everything in its order once it answers; what is
missing at the end is told by `problem` and sent by `sweeper sync`, because the ledger has it. So there is no spool
beside the ledger: records that wait cost a reference each, for the history holds them too.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sweeper.errors import Problem, SweeperError, TrackingAway
from sweeper.protocols import Tracker
from sweeper.trial import TrialRecord

NOWHERE: Mapping[str, str | None] = {"uri": None, "experiment": None, "run_id": None}
ATTEMPTS = 2
"""Failures of one call, while the store answers, after which others go before it."""

STRIKES = 3
"""Failures in a row after which the store is taken to be away, whatever it answers: more than one call is concerned."""

SWITCH_S = 0.0005
"""So long the coordinator's thread waits for this one at most, each time it has heard something of a worker.

Python's 5 ms are made for threads that are alike. A cohort of eight tells of some 240 epochs: workers were given their
next cohort a third later than with this, for no more CPU time.
"""


class Writer(Tracker, Protocol):
    """A tracker that also keeps models."""

    def log_model(self, keep: Path, requirements: Sequence[str]) -> Any:
        """Keep the model in a folder."""


@dataclass(frozen=True)
class _Call:
    method: str
    arguments: tuple[Any, ...] = ()
    attempts: int = 0

    @property
    def is_trial(self) -> bool:
        return self.method == "trial"


@dataclass(frozen=True)
class Patience:
    """How a store that is away is treated, in seconds.

    Attributes:
        again_s: between two questions whether it is back.
        end_s: how long the end of a study waits for it, once everything else is done.
    """

    again_s: float = 5.0
    end_s: float = 20.0


class BackgroundTracker:
    """Hands everything to a writer on another thread; satisfies `protocols.Tracker`.

    Args:
        factory: imports and creates the writer; called on the thread, again if the first attempt fails.
        where: what messages call the place, such as the tracking address without a password.
        answers: a short question whether the store can be reached; raises what is wrong with it.
        cure: the command that delivers what is missing.
    """

    def __init__(
        self,
        factory: Callable[[], Writer],
        *,
        where: str = "tracking",
        answers: Callable[[], None] = lambda: None,
        cure: str = "the same command again",
        patience: Patience | None = None,
    ) -> None:
        self._factory = factory
        self._where = where
        self._answers = answers
        self._cure = cure
        self._patience = patience or Patience()
        self._study: Mapping[str, Any] = {}
        self._ids: Mapping[str, str | None] | None = None
        self._calls: deque[_Call] = deque()
        self._aside: list[_Call] = []
        self._failure: Exception | None = None
        self._strikes = 0
        self._away_since: float | None = None
        self._failing_since: float | None = None
        self._empty_promises = 0
        self._deadline: float | None = None
        self._finishing_since: float | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Begin to import and open; returns at once, so nothing is known yet: see `ids`."""
        self._study = dict(study)
        self._put(_Call("start"))
        self._thread.start()
        return NOWHERE

    def trial(self, record: TrialRecord) -> None:
        """Have a finished trial written; returns at once."""
        self._put(_Call("trial", (record,)))

    def log_model(self, keep: Path, requirements: Sequence[str]) -> None:
        """Have the pick kept as a model; returns at once. The folder must stay until `finish` returns."""
        self._put(_Call("log_model", (keep, tuple(requirements))))

    def finish(
        self,
        status: str,
        artifacts: Iterable[str],
        tags: Mapping[str, str],
        *,
        within_s: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Wait until everything is written and the parent run is closed. Never raises: see `problem`.

        Args:
            status: FINISHED, KILLED or FAILED.
            artifacts: as `MlflowTracker.finish` takes them.
            tags: as `MlflowTracker.finish` takes them.
            within_s: seconds after which trials that still wait are left to the next run; None: as long as it takes.
            progress: told twice a second how many trials still wait.
        """
        with self._changed:
            self._finishing_since = time.monotonic()
            if within_s is not None:
                self._deadline = self._finishing_since + within_s
            waiting = [call for call in (*self._calls, *self._aside) if call.method != "start"]
            trials = [call for call in waiting if call.is_trial]
            others = [call for call in waiting if not call.is_trial]
            end = _Call("finish", (status, list(artifacts), dict(tags)))
            self._calls = deque([*trials, *others, end])
            self._aside = []
            self._changed.notify_all()
        while self._thread.is_alive() and not self._done.wait(0.5):
            if progress is not None:
                progress(self.pending)

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop after the write at hand, whatever still waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def ids(self, timeout_s: float = 60.0) -> Mapping[str, str | None]:
        """`uri`, `experiment` and `run_id` of the parent run; all None where it could not be opened (so far)."""
        with self._changed:
            self._changed.wait_for(lambda: self._ids is not None or self._failure or self._done.is_set(), timeout_s)
            return self._ids or NOWHERE

    @property
    def pending(self) -> int:
        """Trials that wait to be written."""
        with self._changed:
            return sum(call.is_trial for call in (*self._calls, *self._aside))

    @property
    def is_settled(self) -> bool:
        """Whether the parent run is there, or is known not to be."""
        with self._changed:
            return self._ids is not None or self._failure is not None or self._done.is_set()

    @property
    def problem(self) -> Problem | None:
        """What could not be written, and the cure; None while all is well."""
        with self._changed:
            missing = [*self._aside, *(self._calls if self._done.is_set() else ())]
            failure = self._failure
        if not missing:
            return None
        cure = f"{self._cure}   sends what is missing; nothing is trained again"
        if isinstance(failure, SweeperError) and not isinstance(failure, TrackingAway):
            known = failure.problems[0]
            return replace(known, cure=f"{known.cure}\nthen {cure}")
        because = "there was no time left" if failure is None else _reason(failure)
        return Problem(
            self._where, "a record of every trial", f"{_what(missing)} could not be written: {because}", cure
        )

    def _put(self, call: _Call) -> None:
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()

    def _run(self) -> None:
        with _giving_way():
            self._work()

    def _work(self) -> None:
        writer: Writer | None = None
        while (call := self._next()) is not None:
            try:
                if writer is None:
                    writer = self._opened()
                if call.method != "start":
                    getattr(writer, call.method)(*call.arguments)
            except Exception as error:  # noqa: BLE001  the border of the thread: a study outlives its tracking
                self._failed(call, error, is_away=writer is None or not self._is_back())
            else:
                self._strikes, self._failing_since, self._empty_promises = 0, None, 0
            if call.method == "finish" and not self._calls:
                break
        with self._changed:
            self._done.set()
            self._changed.notify_all()

    def _opened(self) -> Writer:
        writer = self._factory()
        ids = writer.start(self._study)
        with self._changed:
            self._ids = ids
            self._changed.notify_all()
        return writer

    def _next(self) -> _Call | None:
        """The next call to try; None when all is over. Waits while there is none, and while the store is away."""
        while True:
            with self._changed:
                away = self._away_since is not None
                if away:
                    self._changed.wait_for(lambda: self._closed or self._is_hopeless(), self._patience.again_s)
                else:
                    self._changed.wait_for(lambda: self._calls or self._closed)
                self._drop_what_is_late()
                if self._closed or self._is_hopeless():
                    return None
                if not away:
                    return self._calls.popleft()
            if self._is_back():
                self._resume()

    def _is_back(self) -> bool:
        try:
            self._answers()
        except Exception as error:  # noqa: BLE001  whatever is wrong with the store, it is not the study's fault
            self._failure = error
            return False
        return True

    def _resume(self) -> None:
        """The store answers: everything again, in its order."""
        with self._changed:
            self._away_since, self._strikes = None, 0
            self._empty_promises += 1  # until something is written
            trials = sorted(
                (call for call in self._aside if call.is_trial), key=lambda call: call.arguments[0].spec.number
            )
            self._calls.extendleft(reversed(trials))
            self._aside = [call for call in self._aside if not call.is_trial]

    def _drop_what_is_late(self) -> None:
        """After an interrupt trials that take too long are left to the next run; the end is still written."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._aside += [call for call in self._calls if call.is_trial]
            self._calls = deque(call for call in self._calls if not call.is_trial)

    def _is_hopeless(self) -> bool:
        """Whether the study has ended and its store takes nothing, be it away or only saying that it is there."""
        since = self._failing_since if self._empty_promises else self._away_since
        if self._finishing_since is None or since is None:
            return False
        now = time.monotonic()
        late = self._deadline is not None and now > self._deadline
        return late or now - max(self._finishing_since, since) >= self._patience.end_s

    def _failed(self, call: _Call, error: Exception, *, is_away: bool) -> None:
        with self._changed:
            self._failure = error
            self._strikes += 1
            self._failing_since = self._failing_since or time.monotonic()
            if is_away or self._strikes >= STRIKES:
                self._away_since = self._away_since or time.monotonic()
                self._calls.appendleft(call)
            elif call.attempts + 1 < ATTEMPTS:
                self._calls.appendleft(replace(call, attempts=call.attempts + 1))
            else:
                self._aside.append(call)
            self._changed.notify_all()


@contextlib.contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads of the process have their turn soon."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


_WORDS = {"log_model": "the kept model", "finish": "the end of the study", "start": "the study"}


def _what(missing: Sequence[_Call]) -> str:
    trials = sum(call.is_trial for call in missing)
    if trials:
        return f"{trials} trial{'' if trials == 1 else 's'}"
    return _WORDS[missing[0].method]


def _reason(failure: Exception) -> str:
    if isinstance(failure, TrackingAway):
        return failure.problems[0].received
    return f"{type(failure).__name__}: {(str(failure).splitlines() or [''])[0][:300]}"


def _conforms(tracker: BackgroundTracker) -> Tracker:
    """For the type checker."""
    return tracker
