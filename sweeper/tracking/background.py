"""Tracking that costs the study no time: a thread of its own imports MLflow, opens the store and writes.

Order: the parent run, then trials as they came, then the model, then the end. A failure never reaches the study:
what failed is set aside and tried again; what is missing at the end is told by `problem` and sent by the next run of
the same command, because the ledger has it. Records that wait cost a reference each: the history holds them too.
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

from sweeper.errors import Problem, SweeperError
from sweeper.protocols import Tracker
from sweeper.trial import TrialRecord

NOWHERE: Mapping[str, str | None] = {"uri": None, "experiment": None, "run_id": None}
STRIKES = 2
"""Failures in a row after which the store is taken to be away, and not a single trial to be at fault."""

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
    is_last_attempt: bool = False

    @property
    def is_trial(self) -> bool:
        return self.method == "trial"


class BackgroundTracker:
    """Hands everything to a writer on another thread; satisfies `protocols.Tracker`.

    Args:
        factory: imports and creates the writer; called on the thread, again if the first attempt fails.
        where: what messages call the place, such as the tracking address without a password.
        retry_after_s: seconds to leave a store alone that is away.
    """

    def __init__(self, factory: Callable[[], Writer], *, where: str = "tracking", retry_after_s: float = 30.0) -> None:
        self._factory = factory
        self._where = where
        self._retry_after_s = retry_after_s
        self._study: Mapping[str, Any] = {}
        self._ids: Mapping[str, str | None] | None = None
        self._calls: deque[_Call] = deque()
        self._aside: list[_Call] = []
        self._failure: Exception | None = None
        self._unfinished: list[_Call] = []
        self._strikes = 0
        self._deadline: float | None = None
        self._finishing = self._closed = False
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
            if within_s is not None:
                self._deadline = time.monotonic() + within_s
            waiting = [call for call in (*self._calls, *self._aside) if call.method != "start"]
            trials = [call for call in waiting if call.is_trial]
            others = [call for call in waiting if not call.is_trial]
            end = _Call("finish", (status, list(artifacts), dict(tags)))
            self._calls = deque([*trials, *others, end])
            self._aside = []
            self._finishing = True
            self._strikes = 0
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
    def problem(self) -> Problem | None:
        """What could not be written, and the cure; None while all is well."""
        with self._changed:
            missing = [*self._unfinished, *self._aside]
            failure = self._failure
        if not missing:
            return None
        if isinstance(failure, SweeperError) and failure.problems:
            return failure.problems[0]
        because = f": {type(failure).__name__}: {_first_line(failure)}" if failure else ": there was no time left"
        return Problem(
            self._where,
            "a record of every trial",
            f"{_what(missing)} could not be written{because}",
            "the same command again: nothing is trained twice, and what is missing is sent from the ledger",
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
                self._failed(call, error)
            else:
                self._strikes = 0
            if call.method == "finish":
                break
        with self._changed:
            self._unfinished += self._calls
            self._calls.clear()
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
        """The next call to try; None when all is over."""
        with self._changed:
            if self._strikes >= STRIKES and not self._finishing:
                self._changed.wait_for(lambda: self._finishing or self._closed, self._retry_after_s)
                self._calls.extendleft(reversed(self._aside))
                self._aside = []
                self._strikes = 0
            self._changed.wait_for(lambda: self._calls or self._closed)
            if self._finishing and self._is_hopeless():
                self._unfinished += [call for call in self._calls if call.is_trial]
                self._calls = deque(call for call in self._calls if not call.is_trial)
            return None if self._closed else self._calls.popleft()

    def _is_hopeless(self) -> bool:
        late = self._deadline is not None and time.monotonic() > self._deadline
        return late or self._strikes >= STRIKES

    def _failed(self, call: _Call, error: Exception) -> None:
        with self._changed:
            self._failure = error
            self._strikes += 1
            if not self._finishing:
                self._aside.append(call)
            elif call.is_trial and not call.is_last_attempt:  # after the others, so that it keeps none of them back
                trials = sum(waiting.is_trial for waiting in self._calls)
                self._calls.insert(trials, replace(call, is_last_attempt=True))
            elif call.method != "start":  # whatever comes next opens the store
                self._unfinished.append(call)
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


def _first_line(error: Exception | None) -> str:
    return (str(error).splitlines() or [""])[0][:300]


def _conforms(tracker: BackgroundTracker) -> Tracker:
    """For the type checker."""
    return tracker
