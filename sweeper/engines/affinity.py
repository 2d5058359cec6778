"""Which worker gets which cohort: rather one whose worker has compiled something like it before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from sweeper.trial import Cohort

Known = Union[str, tuple[str, Any]]
"""A combination, or a name and value in it."""

OPTIMIZER = "optimizer"
"""The name that does not change what the model computes."""


@dataclass
class Affinity:
    """What a worker has trained, and what it had better train next.

    Whatever it gets, the numbers are the same; but to compile a combination takes as long as to train several trials
    of a small model, and half as long where activation or optimizer were compiled with another.

    Attributes:
        everyone: the combinations that any worker has trained, and their parts; shared by all workers.
    """

    everyone: set[Known]
    _own: set[Known] = field(default_factory=set)

    def trains(self, cohort: Cohort) -> None:
        """Take note of it."""
        known = {_combination(cohort), *_parts(cohort)}
        self._own |= known
        self.everyone |= known

    def best(self, cohorts: Sequence[Cohort]) -> int:
        """The place of the cohort that costs this worker least; of equals the first."""
        return max(range(len(cohorts)), key=lambda place: (self._knows(cohorts[place]), -place))

    def _knows(self, cohort: Cohort) -> tuple[int, ...]:
        """How well: a combination of its own before one that is new to all, before one that another worker knows.

        Of those that are new to all, one that shares more with its own, and then less with those of others: two workers
        that begin with one activation would both compile every one. The model counts first: compiling what it does
        takes three times as long as what the optimizer does.
        """
        combination, parts = _combination(cohort), _parts(cohort)
        if combination in self._own:
            return (2,)
        of_model = {part for part in parts if part[0] != OPTIMIZER}
        foreign = self.everyone - self._own
        ranks = [(len(each & self._own), -len(each & foreign)) for each in (of_model, parts - of_model)]
        return (int(combination not in self.everyone), *ranks[0], *ranks[1])


def _combination(cohort: Cohort) -> Known:
    return repr(cohort.trials[0].combination)


def _parts(cohort: Cohort) -> set[Known]:
    return set(cohort.trials[0].combination.items())
