"""Which trials get a run of their own, so that studies of thousands of trials stay browsable.

The parent run has every trial in `trials.csv` and in the report in any case, and the ledger has all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sweeper.trial import Combination, Stage, TrialRecord

FINALS = (Stage.RACE, Stage.CONFIRM, Stage.KEEP)
"""Stages that only finalists reach."""


class Selection(Protocol):
    """Says of each trial that ends which trials are to be written now, and at the end which are left."""

    def take(self, record: TrialRecord) -> Sequence[TrialRecord]:
        """What to write when this trial has ended."""

    def rest(self) -> Sequence[TrialRecord]:
        """What to write when the study has ended."""


class All:
    """Every trial, as it ends."""

    def take(self, record: TrialRecord) -> Sequence[TrialRecord]:
        """The trial."""
        return (record,)

    def rest(self) -> Sequence[TrialRecord]:
        """Nothing is left."""
        return ()


class Finalists:
    """What race and confirmation trained, and the kept model."""

    def take(self, record: TrialRecord) -> Sequence[TrialRecord]:
        """The trial, if it is one of a finalist."""
        return (record,) if record.spec.stage in FINALS else ()

    def rest(self) -> Sequence[TrialRecord]:
        """Nothing is left."""
        return ()


class BestPerCombination:
    """One run a combination: its best trial among those that looked for its best setting. Known at the end only.

    Args:
        metric: name of what trials are compared by, such as `val_accuracy`.
        maximize: whether more of it is better.
    """

    def __init__(self, metric: str, *, maximize: bool) -> None:
        self._metric = metric
        self._sign = 1.0 if maximize else -1.0
        self._best: dict[Combination, tuple[float, TrialRecord]] = {}

    def take(self, record: TrialRecord) -> Sequence[TrialRecord]:
        """Nothing before the end. Of equal trials the earlier one is the best, in whatever order they ended."""
        value = record.value(self._metric)
        if value is not None and record.spec.stage not in FINALS:
            known = self._best.get(record.spec.combination)
            rank = self._sign * value, -record.spec.number
            if known is None or rank > (known[0], -known[1].spec.number):
                self._best[record.spec.combination] = self._sign * value, record
        return ()

    def rest(self) -> Sequence[TrialRecord]:
        """The best trial of each combination, by number."""
        return sorted((record for _, record in self._best.values()), key=lambda record: record.spec.number)


def selection(children: str, objective: Mapping[str, str]) -> Selection:
    """By the word of `tracking.children`.

    Args:
        children: `all`, `finalists` or `best-per-combination`.
        objective: `metric` and `goal` (`maximize` or `minimize`) of the study.
    """
    if children == "finalists":
        return Finalists()
    if children == "best-per-combination":
        metric = f"val_{objective.get('metric', 'loss')}"
        return BestPerCombination(metric, maximize=objective.get("goal") == "maximize")
    return All()
