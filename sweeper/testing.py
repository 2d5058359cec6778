"""Fakes that satisfy the protocols, for tests of sweeper and of whatever is built on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sweeper.data import DataInfo, Dataset
from sweeper.protocols import Report, Tracker, Trainer
from sweeper.trial import Cohort, EpochEnded, Flags, Signal, Stage, TrialEnded, TrialRecord, TrialSpec


@dataclass
class ScriptedTrainer:
    """A trainer that learns nothing: each trial scores what `score` says, NaN meaning that it diverges.

    Attributes:
        trained: every spec, in the order of training.
        correct: (rows,) booleans of a confirmation trial: which test rows it classified correctly; None: not told.
    """

    score: Callable[[TrialSpec], float]
    metric: str = "accuracy"
    trained: list[TrialSpec] = field(default_factory=list)
    correct: Callable[[TrialSpec], ArrayLike] | None = None

    def __call__(self, cohort: Cohort, data: Dataset, report: Report) -> list[TrialEnded]:
        """Report every epoch with the final score, and return the ends."""
        return [self._train(spec, report) for spec in cohort.trials]

    def _train(self, spec: TrialSpec, report: Report) -> TrialEnded:
        self.trained.append(spec)
        value = float(self.score(spec))
        if np.isnan(value):
            return TrialEnded.diverged(spec, epoch=0)
        metrics = {f"val_{self.metric}": value}
        if spec.stage in (Stage.CONFIRM, Stage.KEEP):
            metrics[f"test_{self.metric}"] = value
        for epoch in range(spec.epochs):
            if report(EpochEnded(spec.number, epoch, {f"val_{self.metric}": value})) is Signal.STOP:
                return TrialEnded.pruned(spec, metrics, epochs=epoch + 1)
        asked = self.correct if spec.stage is Stage.CONFIRM else None
        correct = None if asked is None else Flags.of(asked(spec))
        return TrialEnded.completed(spec, metrics, correct=correct)


@dataclass
class MemoryTracker:
    """A tracker that keeps what it is told."""

    study: Mapping[str, Any] = field(default_factory=dict)
    records: list[TrialRecord] = field(default_factory=list)
    status: str = ""

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Keep the study."""
        self.study = study
        return {"uri": "memory:", "experiment": str(study.get("name", "")), "run_id": "0"}

    def trial(self, record: TrialRecord) -> None:
        """Keep the record."""
        self.records.append(record)

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """Keep the status."""
        self.status = status


class SilentObserver:
    """An observer that shows nothing."""

    def round_planned(self, cohorts: Sequence[Cohort]) -> None:
        """Nothing."""

    def epoch(self, spec: TrialSpec, event: EpochEnded) -> None:
        """Nothing."""

    def trial(self, record: TrialRecord) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""


def small_dataset(rows: int = 40, *, classes: int | None = 2, features: int = 4, seed: int = 0) -> Dataset:
    """Random rows; labels depend on the first feature. `classes=None`: regression."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype(np.float32)
    y = x[:, 0] if classes is None else np.argsort(np.argsort(x[:, 0])) * classes // rows
    return Dataset(x, np.asarray(y), DataInfo.of((features,), classes=classes), name="small")


def _conforms(trainer: ScriptedTrainer, tracker: MemoryTracker) -> tuple[Trainer, Tracker]:
    return trainer, tracker
