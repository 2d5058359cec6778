"""The race: a closer look at the better two thirds of the combinations, around the best learning rate of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweeper.space import Range, Space
from sweeper.stats.curve import LEARNING_RATE
from sweeper.stats.rules import JudgeRules
from sweeper.stats.screening import screen
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Objective

STEPS = (-0.6, 0.0, 0.6)
"""Where, in spacings of the exploration's points."""
_FEWEST = 3


def racing(combinations: int) -> int:
    """How many of so many combinations race: two thirds, at least three.

    Of twelve simulated combinations eight with three settings find the best one as often as six with four settings, as
    many trials; among the first six it is then in 99 instead of 98 % (a lead of one noise sd, 300 studies).
    """
    return min(combinations, max(_FEWEST, math.ceil(2 * combinations / 3)))


@dataclass(frozen=True)
class Racer:
    """A combination of the better two thirds, and the settings it is tried with once more."""

    combination: Combination
    settings: tuple[Mapping[str, Any], ...]


def race(
    records: Iterable[TrialRecord], *, space: Space, objective: Objective, rules: JudgeRules, points: int
) -> tuple[Racer, ...]:
    """Three more learning rates for each of those that `racing` admits, best first.

    Only trials of the exploration are looked at, so that the answer is the same while the race is on. Other tuned
    parameters keep their best values; a combination without a range of learning rates does not race.

    Args:
        records: of a finished exploration.
        space: what is searched.
        objective: what is optimised.
        rules: of the study.
        points: exploration points per combination.
    """
    explored = [record for record in records if record.spec.stage in (Stage.EXPLORE, Stage.WIDEN)]
    known = rules.no_information.get(objective.metric)
    screened = screen(explored, space=space, objective=objective, no_information=known, seed=rules.seed)
    names = space.tuned_names()
    spacing = points ** (-1 / max(len(names), 1))
    racers = []
    for each in screened[: racing(len(screened))]:
        if each.position is None or not isinstance(space.tuned(each.combination).get(LEARNING_RATE), Range):
            continue
        around = np.tile(each.position, (len(STEPS), 1))
        axis = names.index(LEARNING_RATE)
        around[:, axis] = np.clip(around[:, axis] + spacing * np.array(STEPS), 0.0, 1.0)
        settings = tuple(space.at(each.combination, position) for position in around.tolist())
        racers.append(Racer(each.combination, settings))
    return tuple(racers)
