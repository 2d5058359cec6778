"""The loop: pull cohorts from the planner, push events to the ledger, until nothing is left to train.

Only this loop, on the coordinator's thread, writes to the ledger; the tracker and the observer hear of a trial after
the ledger has it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from sweeper.errors import Incomplete, Problem
from sweeper.protocols import Choose, Engine, Ledger, Observer, Planner, Tracker
from sweeper.trial import (
    Cohort,
    Combination,
    Curve,
    EpochEnded,
    Event,
    Heartbeat,
    Signal,
    Stage,
    Status,
    TrainerReady,
    TrialEnded,
    TrialRecord,
    TrialSpec,
)
from sweeper.verdict import Objective

ALIKE = 3
"""So many trials of more than one combination that fail first, and none that does not, are a fault of the study and not
of its settings."""

AHEAD = 8
"""Cohorts that an engine may choose from."""

JudgeEpoch = Callable[[TrialSpec, EpochEnded], Signal]


@dataclass(frozen=True)
class Limits:
    """When to give up.

    Attributes:
        time_s: wall clock of this run.
        failures: share of the trials planned so far (of ten at least) that may fail, whatever their order; with 1.0
            failures never end the study.
        interrupted: raises when somebody wants the study to end.
    """

    time_s: float | None = None
    failures: float = 0.2
    interrupted: Callable[[], None] = lambda: None


@dataclass
class Drive:
    """One run of a study.

    Attributes:
        judge_epoch: answers an epoch.
        on_ready: told how a worker trains.
        may_begin: asked once, before the first cohort is handed out; returns when it may be.
    """

    planner: Planner
    ledger: Ledger
    tracker: Tracker
    observer: Observer
    objective: Objective
    limits: Limits = field(default_factory=Limits)
    no_information: Mapping[str, float] = field(default_factory=dict)
    judge_epoch: JudgeEpoch = lambda _spec, _event: Signal.CONTINUE
    on_ready: Callable[[TrainerReady], None] = lambda _event: None
    may_begin: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._queue: deque[Cohort] = deque()
        self._running: dict[int, TrialSpec] = {}
        self._curves: dict[int, dict[int, dict[str, float]]] = {}
        self._failed = self._ended = 0
        self._failing: set[Combination] = set()
        self._began = time.monotonic()
        self._planned = 0
        self._out_of_time = self._has_begun = False

    def run(self, engine: Engine) -> None:
        """Train everything that the planner wants.

        Raises:
            Incomplete: the time is up, or too many trials failed.
            Interrupted: a signal came.
            RuntimeError: the engine returned before everything had ended.
        """
        engine.run(self.next_cohort, self.on_event)
        if (self._running or self._queue) and not self._out_of_time:
            lost = [*self._running, *(spec.number for cohort in self._queue for spec in cohort.trials)]
            raise RuntimeError(f"the engine returned, but these trials have not ended: {lost}")
        if self._out_of_time:
            expected = f"the study to end within {self.limits.time_s:g} s"
            cure = "the same command goes on where it stopped"
            raise Incomplete(Problem("budget.time", expected, "more to train", cure))

    def next_cohort(self, choose: Choose = lambda _: 0, /) -> Cohort | None:
        """The next cohort to train, or None while a round is not over and when all is done.

        Args:
            choose: among the first of those that wait. Rows come in the order of the plan all the same, so those
                before it get theirs too.
        """
        self.limits.interrupted()
        if not self._has_begun:
            self.may_begin()
            self._has_begun = True
        if not self._queue and not self._running:
            planned = self.planner.next_round(self.ledger.history)
            self._queue.extend(planned)
            self._planned += sum(len(cohort.trials) for cohort in planned)
            if planned:
                self.observer.round_planned(planned)
        if not self._queue or self._time_is_up():
            return None
        place = choose(list(islice(self._queue, AHEAD)))
        for earlier in list(islice(self._queue, place + 1)):
            self.ledger.started(earlier)
        cohort = self._queue[place]
        del self._queue[place]
        self._running.update({spec.number: spec for spec in cohort.trials})
        return cohort

    def on_event(self, event: Event) -> Signal:
        """Take note of an event, and only then of an interruption: what has ended is stored."""
        signal = Signal.CONTINUE
        if isinstance(event, EpochEnded):
            signal = self._epoch(event)
        elif isinstance(event, TrialEnded):
            self._trial(event)
        elif isinstance(event, TrainerReady):
            self.on_ready(event)
        elif isinstance(event, Heartbeat):
            self._prepare()
        self.limits.interrupted()
        if not isinstance(event, EpochEnded):
            self.observer.tick()
        return signal

    def _prepare(self) -> None:
        """Store the cohort that is next in line while others train, so that no worker waits for the disk."""
        if self._queue and self._running:
            self.ledger.started(self._queue[0])

    def _epoch(self, event: EpochEnded) -> Signal:
        spec = self._running[event.number]
        epochs = self._curves.setdefault(event.number, {})
        if epochs and event.epoch < max(epochs):
            epochs.clear()  # a second attempt begins again
        metrics = {name: float(value) for name, value in event.metrics.items()}
        epochs.setdefault(event.epoch, {}).update(metrics)
        self.observer.epoch(spec, event)
        return self.judge_epoch(spec, event)

    def _trial(self, event: TrialEnded) -> None:
        spec = self._running.pop(event.number)
        curve = _curve(self._curves.pop(event.number, {}))
        record = TrialRecord(spec, self._settled(spec, event), curve, time.time())
        self.ledger.ended(record)
        self.tracker.trial(record)
        self.observer.trial(record)
        self._count(record)

    def _settled(self, spec: TrialSpec, ended: TrialEnded) -> TrialEnded:
        """The end with a score that can be compared: a run that diverged gets what no information would give.

        Test scores that a trainer gives away before confirmation are dropped, whole or row by row: nobody may choose by
        them.
        """
        tested = spec.stage in (Stage.CONFIRM, Stage.KEEP)
        known = {name: float(value) for name, value in ended.metrics.items() if tested or not name.startswith("test_")}
        correct = ended.correct if spec.stage is Stage.CONFIRM and ended.status is Status.COMPLETED else None
        ended = replace(ended, metrics=known, correct=correct)
        wanted = [self.objective.validation]
        if spec.stage is Stage.CONFIRM:
            wanted = [self.objective.test]
        if ended.status is Status.COMPLETED:
            missing = [name for name in wanted if name not in ended.metrics]
            if missing:
                return TrialEnded.failed(spec, f"the trainer returned no {missing[0]}", duration_s=ended.duration_s)
            if all(math.isfinite(ended.metrics[name]) for name in wanted):
                return ended
            ended = replace(ended, status=Status.DIVERGED, reason="the score is not a finite number")
        if ended.status is not Status.DIVERGED:
            return ended
        parts = ("val", "test") if tested else ("val",)
        worst = {f"{part}_{name}": value for part in parts for name, value in self.no_information.items()}
        return replace(ended, metrics=worst)

    def _count(self, record: TrialRecord) -> None:
        self._ended += 1
        if not record.ended.status.is_failure:
            return
        self._failed += 1
        self._failing.add(record.spec.combination)
        all_alike = self._failed == self._ended >= ALIKE and len(self._failing) > 1 and self.limits.failures < 1.0
        if all_alike or self._failed > self.limits.failures * max(self._planned, 10):
            where = f"trial {record.spec.number} ({record.spec.combination})"
            expected = f"at most {self.limits.failures:.0%} of the trials to fail (budget.failures)"
            received = f"{self._failed} of {self._ended} failed; the last: {record.ended.reason}"
            cure = "mend the cause; then the same command with --retry-failed, or --fresh if your code has changed"
            raise Incomplete(Problem(where, expected, received, cure))

    def _time_is_up(self) -> bool:
        limit = self.limits.time_s
        self._out_of_time = limit is not None and time.monotonic() - self._began >= limit
        return self._out_of_time


def _curve(epochs: Mapping[int, Mapping[str, float]]) -> Curve:
    """One series for each metric, in the order of the epochs."""
    curve: dict[str, list[float]] = {}
    for _, metrics in sorted(epochs.items()):
        for name, value in metrics.items():
            curve.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in curve.items()}
