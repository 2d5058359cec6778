"""Which worker gets which cohort: rather one whose worker has compiled something like it before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.trial import Cohort


@dataclass
class Affinity:
    """What a worker has trained, and what it had better train next.

    Whatever it gets, the numbers are the same; but to compile a combination takes as long as to train several trials
    of a small model, and half as long where activation or optimizer were compiled with another.

    Attributes:
        everyone: the combinations that any worker has trained, shared by all of them.
    """

    everyone: set[str]
    _combinations: set[str] = field(default_factory=set)
    _parts: set[tuple[str, Any]] = field(default_factory=set)

    def trains(self, cohort: Cohort) -> None:
        """Take note of it."""
        self._combinations.add(_combination(cohort))
        self._parts.update(_parts(cohort))
        self.everyone.add(_combination(cohort))

    def best(self, cohorts: Sequence[Cohort]) -> int:
        """The place of the cohort that costs this worker least; of equals the first."""
        return max(range(len(cohorts)), key=lambda place: (self._knows(cohorts[place]), -place))

    def _knows(self, cohort: Cohort) -> tuple[int, int]:
        """How well: a combination of its own before one that is new to all, before one that another worker knows."""
        combination = _combination(cohort)
        if combination in self._combinations:
            return 2, 0
        return int(combination not in self.everyone), len(self._parts & _parts(cohort))


def _combination(cohort: Cohort) -> str:
    return repr(cohort.trials[0].combination)


def _parts(cohort: Cohort) -> set[tuple[str, Any]]:
    return set(cohort.trials[0].combination.items())
