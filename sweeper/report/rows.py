"""The rows of the live table: combinations, and a cell for each of their trials."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.trial import Combination, Stage, TrialSpec


class CellState(enum.Enum):
    """What is known of one trial."""

    PENDING = "pending"
    RUNNING = "running"
    SCORED = "scored"
    DIVERGED = "diverged"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether the trial is over."""
        return self not in (CellState.PENDING, CellState.RUNNING)


@dataclass(frozen=True)
class Cell:
    """One trial of a combination.

    Attributes:
        repetition: the how-manieth of its combination and stage.
        learning_rate: of the trial, if it has one.
        share: of the epochs that are done, 0 to 1.
        score: validation score, if it trained to the end.
    """

    repetition: int
    learning_rate: float | None
    state: CellState = CellState.PENDING
    share: float = 0.0
    score: float | None = None


@dataclass(frozen=True)
class Best:
    """The best exploration trial so far: one run, and flattering, because it is the best of many."""

    combination: Combination
    params: Mapping[str, Any]
    score: float


@dataclass
class Row:
    """A combination and its trials.

    Attributes:
        explored: trial number -> cell, of every stage before confirmation.
        confirmed: trial number -> cell, of the confirm stage.
        kept: trial number -> cell, of the training that is kept as a model.
        ended: how many of the explored trials are over.
        diverged: how many of them diverged.
    """

    combination: Combination
    explored: dict[int, Cell] = field(default_factory=dict)
    confirmed: dict[int, Cell] = field(default_factory=dict)
    kept: dict[int, Cell] = field(default_factory=dict)
    best: Best | None = None
    ended: int = 0
    diverged: int = 0
    seeds_ended: int = 0
    seeds_diverged: int = 0
    _first: Mapping[str, Any] | None = None
    _seed_sum: float = 0.0
    _seed_count: int = 0

    @property
    def points(self) -> list[Cell]:
        """Exploration in the order it was planned."""
        return list(self.explored.values())

    @property
    def seeds(self) -> list[Cell]:
        """Confirmation in order of repetition."""
        return sorted(self.confirmed.values(), key=lambda cell: cell.repetition)

    @property
    def explored_to_the_end(self) -> bool:
        """Whether every planned exploration trial is over."""
        return 0 < len(self.explored) == self.ended

    @property
    def seed_mean(self) -> float | None:
        """Mean *validation* score over the seeds that trained to the end; test scores are not looked at here."""
        return self._seed_sum / self._seed_count if self._seed_count else None

    def varying(self, params: Mapping[str, Any]) -> set[str]:
        """Which of these parameters differ from those of the first trial of the combination."""
        if self._first is None:
            self._first = params
        first = self._first
        return {name for name, value in params.items() if name in first and first[name] != value}

    def cells(self, stage: Stage) -> dict[int, Cell]:
        """The cells that trials of a stage belong to."""
        if stage is Stage.KEEP:
            return self.kept
        return self.confirmed if stage is Stage.CONFIRM else self.explored

    def settle(self, spec: TrialSpec, cell: Cell) -> None:
        """Set the cell of a trial that is over, and keep the counts in step."""
        self.cells(spec.stage)[spec.number] = cell
        diverged = cell.state is CellState.DIVERGED
        if spec.stage is Stage.CONFIRM:
            self.seeds_ended += 1
            self.seeds_diverged += diverged
            self._seed_sum += cell.score or 0.0
            self._seed_count += cell.score is not None
        elif spec.stage is not Stage.KEEP:
            self.ended += 1
            self.diverged += diverged
