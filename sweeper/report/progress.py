"""How far a study has come: numbers without a picture.

Every event costs the same, whatever came before it: 10,000 trials in one study are an ordinary sweep. A running trial
counts with the share of its epochs that is done, so a cohort that ends all at once does not make the rate jump.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sweeper.report.pace import Pace
from sweeper.report.rows import Best, Cell, CellState, Row
from sweeper.trial import Cohort, Combination, EpochEnded, Stage, Status, TrialRecord, TrialSpec
from sweeper.verdict import Objective

_ORDER = (Stage.EXPLORE, Stage.SEARCH, Stage.WIDEN, Stage.RACE, Stage.CONFIRM, Stage.KEEP)


class Progress:
    """What has been planned, is running and has ended.

    Args:
        combinations: in the order in which they are to be shown.
        expected: how many trials a stage will have, (at least, at most), as far as that is known before it is planned.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        combinations: Iterable[Combination],
        objective: Objective,
        *,
        expected: Mapping[Stage, tuple[int, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.objective = objective
        self.rows: dict[Combination, Row] = {c: Row(c) for c in combinations}
        self.stage: Stage | None = None
        self.best: Best | None = None
        self.worst: float | None = None
        """The worst exploration score of a trial that trained to its end."""
        self.statuses: Counter[Status] = Counter()
        self.last_failure: TrialRecord | None = None
        self.restored = 0
        self.varying: set[str] = set()
        """Names of the parameters that differ between trials of one combination."""
        self._expected = dict(expected)
        self._known: Counter[Stage] = Counter()
        self._done: Counter[Stage] = Counter()
        self._ended: set[int] = set()
        self._running: dict[int, float] = {}
        self._work = 0.0
        self._pace = Pace()
        self._clock = clock
        self._began = clock()

    def restore(self, records: Iterable[TrialRecord]) -> None:
        """Trials that ended before this run: they are done, and say nothing about the rate."""
        for record in records:
            if self._settle(record):
                self.restored += 1

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """These trials come next."""
        for spec in (spec for cohort in cohorts for spec in cohort.trials):
            self.stage = spec.stage
            self._cell(spec)

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """A trial has finished an epoch."""
        cell = self._cell(spec)
        if cell.state.ended:
            return
        share = min((event.epoch + 1) / max(spec.epochs, 1), 1.0)
        self._row(spec).cells(spec.stage)[spec.number] = replace(cell, state=CellState.RUNNING, share=share)
        self._work += share - self._running.get(spec.number, 0.0)
        self._running[spec.number] = share
        self._pace.mark(self._clock(), self._work)

    def trial(self, record: TrialRecord) -> None:
        """A trial has ended."""
        if not self._settle(record):
            return
        self.stage = record.spec.stage
        now = self._clock()
        if not self._work:  # no epoch was reported: what the trial itself took is all that is known
            self._pace.mark(now - record.ended.duration_s, 0.0)
        self._work += 1.0 - self._running.pop(record.spec.number, 0.0)
        self._pace.mark(now, self._work)

    def stopped(self) -> None:
        """Nothing runs any more: what had begun waits for the next run."""
        for row in self.rows.values():
            for cells in (row.explored, row.confirmed, row.kept):
                begun = [number for number in self._running if number in cells]
                cells.update((number, replace(cells[number], state=CellState.PENDING, share=0.0)) for number in begun)
        self._running.clear()

    @property
    def elapsed_s(self) -> float:
        """Seconds since this run began."""
        return self._clock() - self._began

    @property
    def rate(self) -> float | None:
        """Trials per second, as soon as there is something to go by."""
        return self._pace.per_second(self._clock())

    @property
    def done(self) -> int:
        """Trials that are over, of every stage and run."""
        return len(self._ended)

    @property
    def running(self) -> int:
        """Trials that have begun and are not over."""
        return len(self._running)

    @property
    def finalists(self) -> list[Row]:
        """The combinations in confirmation, in the order of the study (never by score)."""
        return [row for row in self.rows.values() if row.confirmed]

    def done_in(self, stage: Stage) -> int:
        """How many trials of a stage are over."""
        return self._done[stage]

    def total(self, stage: Stage) -> tuple[int, int]:
        """How many trials a stage has, at least and at most."""
        low, high = self._expected.get(stage, (0, 0))
        known = self._known[stage]
        return max(low, known), max(high, known)

    @property
    def time_left_s(self) -> tuple[float, float] | None:
        """Seconds until the study ends, at least and at most; None while there is no rate."""
        rate = self.rate
        if not rate:
            return None
        begun = sum(self._running.values())
        low, high = self._remaining()
        return max(low - begun, 0.0) / rate, max(high - begun, 0.0) / rate

    def _remaining(self) -> tuple[int, int]:
        stages = _ORDER if self.stage is None else _ORDER[_ORDER.index(self.stage) :]
        totals = [(self._done[stage], *self.total(stage)) for stage in stages]
        return sum(max(low - done, 0) for done, low, _ in totals), sum(max(high - done, 0) for done, _, high in totals)

    def _row(self, spec: TrialSpec) -> Row:
        return self.rows.setdefault(spec.combination, Row(spec.combination))

    def _cell(self, spec: TrialSpec) -> Cell:
        """The cell of a trial, which is planned from now on."""
        row = self._row(spec)
        cells = row.cells(spec.stage)
        if spec.number not in cells:
            self.varying |= row.varying(spec.params)
            rate = spec.params.get("learning_rate")
            cells[spec.number] = Cell(spec.repetition, rate if isinstance(rate, (int, float)) else None)
            self._known[spec.stage] += 1
        return cells[spec.number]

    def _settle(self, record: TrialRecord) -> bool:
        """Enter an ended trial; False if it had been entered before."""
        spec, ended = record.spec, record.ended
        cell = self._cell(spec)
        if spec.number in self._ended:
            return False
        self._ended.add(spec.number)
        self._done[spec.stage] += 1
        self.statuses[ended.status] += 1
        if ended.status.is_failure:
            self.last_failure = record
        state, score = _outcome(record, self.objective)
        row = self._row(spec)
        row.settle(spec, replace(cell, state=state, share=1.0, score=score))
        if score is not None and spec.stage not in (Stage.CONFIRM, Stage.KEEP):
            self._compare(row, Best(spec.combination, spec.params, score))
        return True

    def _compare(self, row: Row, candidate: Best) -> None:
        sign = self.objective.sign
        if row.best is None or sign * candidate.score > sign * row.best.score:
            row.best = candidate
        if self.best is None or sign * candidate.score > sign * self.best.score:
            self.best = candidate
        if self.worst is None or sign * candidate.score < sign * self.worst:
            self.worst = candidate.score


def _outcome(record: TrialRecord, objective: Objective) -> tuple[CellState, float | None]:
    status = record.ended.status
    if status is Status.COMPLETED:
        score = record.value(objective.validation)
        finite = score is not None and math.isfinite(score)
        return CellState.SCORED, score if finite else None
    if status is Status.DIVERGED:
        return CellState.DIVERGED, None
    return (CellState.FAILED if status.is_failure else CellState.PRUNED), None
