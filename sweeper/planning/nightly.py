"""What a scheduled check trains: the frozen pick on seeds of that night, and on one seed of the baseline.

Repetitions count through: `CANARY` stands beside the screen, the seeds of the confirmation begin a block of their own,
so that each part is trained in cohorts of equal size.
"""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.planning.cohorts import UNNUMBERED, planned
from sweeper.planning.design import confirmation_seeds
from sweeper.planning.stages import Candidate
from sweeper.protocols import History
from sweeper.seeds import derive
from sweeper.trial import Cohort, Seeds, Stage, TrialSpec

BLOCK = 5
"""Trials trained together, as in the looks of a confirmation."""
CANARY = BLOCK - 1
"""Repetition of the training that has the seeds of the baseline's first one."""


class Drafts:
    """Some trainings in one round; a `protocols.Planner`."""

    def __init__(self, drafts: Sequence[TrialSpec]) -> None:
        self._drafts = drafts

    def next_round(self, history: History) -> Sequence[Cohort]:
        """What the history lacks of them."""
        return planned(self._drafts, history, BLOCK)


def night_seeds(seed: int, night: str, repetition: int) -> Seeds:
    """Fresh split, weights and order of a repetition: the same whenever this night is checked, others every night."""
    parts = (derive(seed, "gate", night, part, repetition) for part in ("split", "init", "order"))
    return Seeds(*parts)


def screening(pick: Candidate, seeds: int, *, seed: int, night: str, epochs: int) -> list[TrialSpec]:
    """The first seeds of a night, fewer than a block, and the canary."""
    drafts = [_draft(pick, night_seeds(seed, night, each), epochs, each) for each in range(seeds)]
    return [*drafts, _draft(pick, confirmation_seeds(seed, 0), epochs, CANARY)]


def confirming(pick: Candidate, seeds: int, *, seed: int, night: str, epochs: int) -> list[TrialSpec]:
    """The seeds that confirm an alarm: none of those that raised it."""
    return [_draft(pick, night_seeds(seed, night, each), epochs, each) for each in range(BLOCK, BLOCK + seeds)]


def _draft(pick: Candidate, seeds: Seeds, epochs: int, repetition: int) -> TrialSpec:
    return TrialSpec(UNNUMBERED, Stage.CONFIRM, pick.combination, pick.params, seeds, epochs, repetition)
