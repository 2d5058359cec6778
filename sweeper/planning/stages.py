"""The stages of a study as planners, and the study as one stage after the other.

Each stage is a pure function of the history: asked again after a kill it plans what is missing, with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from sweeper.planning.cohorts import UNNUMBERED, planned
from sweeper.planning.design import BalancedDesign, confirmation_seeds, race_seeds, widening_seeds
from sweeper.protocols import History, Planner
from sweeper.trial import Cohort, Combination, Stage, Status, TrialRecord, TrialSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A combination with the parameters that it is confirmed with."""

    combination: Combination
    params: Mapping[str, Any]


class InOrder:
    """One stage after the other: the first that has something to train is the current one."""

    def __init__(self, *stages: Planner) -> None:
        self._stages = stages

    def next_round(self, history: History) -> Sequence[Cohort]:
        """The next round of the first stage that is not done."""
        for stage in self._stages:
            cohorts = stage.next_round(history)
            if cohorts:
                return cohorts
        return ()


class Explore:
    """Every trial of the balanced design, in one round."""

    def __init__(self, design: BalancedDesign, cohort_size: int) -> None:
        self._drafts = [design.draft(index) for index in range(len(design))]
        self._cohort_size = cohort_size

    def next_round(self, history: History) -> Sequence[Cohort]:
        """What the history lacks of the design."""
        return planned(self._drafts, history, self._cohort_size)


class _Conclusion(Generic[T]):
    """What is concluded from the records of some stages, again only when those have changed.

    The conclusions cost a fit of every combination, and a stage that is over is asked about in every later round.
    """

    def __init__(self, conclude: Callable[[Sequence[TrialRecord]], T], *stages: Stage) -> None:
        self._conclude = conclude
        self._stages = stages
        self._known: tuple[list[TrialRecord], T] | None = None

    def __call__(self, records: Sequence[TrialRecord]) -> T:
        mine = [record for record in records if record.spec.stage in self._stages]
        if self._known is None or self._known[0] != mine:  # compares by identity first
            self._known = mine, self._conclude(mine)
        return self._known[1]


class Refine:
    """Some combinations at some more settings: of one stage, in one round.

    Args:
        stage: WIDEN or RACE.
        settings: of a history in which the stages before are done: combinations, each with its settings; told
            the records of those alone.
    """

    def __init__(
        self,
        stage: Stage,
        settings: Callable[[Sequence[TrialRecord]], Sequence[tuple[Combination, Sequence[Mapping[str, Any]]]]],
        *,
        seed: int,
        epochs: int,
        cohort_size: int,
    ) -> None:
        self._stage = stage
        before = (Stage.EXPLORE, Stage.WIDEN) if stage is Stage.RACE else (Stage.EXPLORE,)
        self._settings = _Conclusion(settings, *before)
        self._seeds = partial(race_seeds if stage is Stage.RACE else widening_seeds, seed)
        self._epochs = epochs
        self._cohort_size = cohort_size

    def next_round(self, history: History) -> Sequence[Cohort]:
        """What the history lacks of the stage."""
        drafts = [
            TrialSpec(UNNUMBERED, self._stage, combination, params, self._seeds(lap), self._epochs, lap)
            for combination, settings in self._settings(list(history.records()))
            for lap, params in enumerate(settings)
        ]
        return planned(drafts, history, self._cohort_size)


class Confirm:
    """The finalists on fresh paired seeds, look by look.

    Args:
        finalists: the finalists of a finished exploration; told what was trained before confirmation.
        next_look: how many seeds each finalist still alive is to have, or None when the verdict stands.
    """

    def __init__(
        self,
        finalists: Callable[[Sequence[TrialRecord]], Sequence[Candidate]],
        next_look: Callable[[Sequence[TrialRecord]], tuple[Sequence[Combination], int] | None],
        *,
        seed: int,
        epochs: int,
        cohort_size: int,
    ) -> None:
        self._finalists = _Conclusion(finalists, Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.SEARCH)
        self._next_look = next_look
        self._seed = seed
        self._epochs = epochs
        self._cohort_size = cohort_size

    def next_round(self, history: History) -> Sequence[Cohort]:
        """The seeds up to the next look, for every finalist that may still be best."""
        records = list(history.records())
        look = self._next_look(records)
        if look is None:
            return ()
        alive, seeds = look
        candidates = [c for c in self._finalists(records) if c.combination in alive]
        drafts = [self._draft(candidate, repetition) for candidate in candidates for repetition in range(seeds)]
        return planned(drafts, history, self._cohort_size)

    def _draft(self, candidate: Candidate, repetition: int) -> TrialSpec:
        return TrialSpec(
            number=UNNUMBERED,
            stage=Stage.CONFIRM,
            combination=candidate.combination,
            params=candidate.params,
            seeds=confirmation_seeds(self._seed, repetition),
            epochs=self._epochs,
            repetition=repetition,
        )


class Keep:
    """The pick once more, on the seeds of its first repetition, to be kept as a model.

    Args:
        pick: the pick of a finished study, None if there is none.
        folder: where the trainer leaves the model.
    """

    def __init__(
        self, pick: Callable[[Sequence[TrialRecord]], Candidate | None], folder: str, *, seed: int, epochs: int
    ) -> None:
        self._pick = pick
        self._folder = folder
        self._seed = seed
        self._epochs = epochs

    def next_round(self, history: History) -> Sequence[Cohort]:
        """A single trial, or nothing where the model in the folder is that of the pick."""
        records = list(history.records())
        pick = self._pick(records) if records else None
        if pick is None or is_kept(records, pick.params):
            return ()
        seeds = confirmation_seeds(self._seed, 0)
        before = sum(record.spec.stage is Stage.KEEP for record in records)
        draft = TrialSpec(UNNUMBERED, Stage.KEEP, pick.combination, pick.params, seeds, self._epochs, before)
        return [replace(cohort, keep=self._folder) for cohort in planned([draft], history, 1)]


def is_kept(records: Sequence[TrialRecord], params: Mapping[str, Any], *, completed: bool = False) -> bool:
    """Whether the model that was kept last is one with these parameters, and (if asked) trained to its end."""
    kept = [record for record in records if record.spec.stage is Stage.KEEP]
    if not kept or dict(kept[-1].spec.params) != dict(params):
        return False
    return kept[-1].ended.status is Status.COMPLETED or not completed
