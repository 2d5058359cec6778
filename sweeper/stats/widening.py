"""Ranges of learning rates that turned out too narrow, and the decade that is added to them.

Where a combination that may still be among the best is best at the end of its range, the range gets one more decade at
that end: for its optimizer in all combinations, so that no activation is tried in a wider range than another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sweeper.space import Branch, Parameter, Range, Space
from sweeper.stats.curve import LEARNING_RATE, Screened
from sweeper.stats.racing import racing
from sweeper.trial import Combination, Scalar, Stage, TrialRecord

STEPS = (0.25, 0.75)
"""Where in the added decade, in decades beyond the end: spaced like eight points in four decades."""
_FACTOR = 10.0
_OPTIMIZER = "optimizer"

Ends = Mapping[Scalar, frozenset[int]]
"""Optimizer -> the ends of its range that get a decade: -1 the lower, 1 the upper one. None: there is only one."""


def ends(screened: Sequence[Screened], records: Iterable[TrialRecord], space: Space) -> Ends:
    """The ends to widen: those that a combination good enough to race lies at, and those that were widened before.

    Args:
        screened: the exploration, best first.
        records: of the study; what was once trained in an added decade keeps it, even if the exploration is extended.
        space: as the study has it.
    """
    found: dict[Scalar, set[int]] = {}
    for each in screened[: racing(len(screened))]:
        if LEARNING_RATE in each.border and each.position is not None:
            coordinate = each.position[space.tuned_names().index(LEARNING_RATE)]
            found.setdefault(_optimizer(each.combination), set()).add(1 if coordinate > 0.5 else -1)
    for record in records:
        domain = space.tuned(record.spec.combination).get(LEARNING_RATE)
        if record.spec.stage is Stage.WIDEN and isinstance(domain, Range):
            above = float(record.spec.params[LEARNING_RATE]) > domain.high
            found.setdefault(_optimizer(record.spec.combination), set()).add(1 if above else -1)
    return {optimizer: frozenset(sides) for optimizer, sides in found.items()}


def widened(space: Space, wider: Ends) -> Space:
    """The space with a decade at those ends."""
    if not wider:
        return space
    changed = [_widened(each, wider) if each.name == LEARNING_RATE else each for each in space.parameters]
    return replace(space, parameters=tuple(changed))


def beyond(
    screened: Sequence[Screened], space: Space, wider: Ends
) -> Sequence[tuple[Combination, Sequence[Mapping[str, Any]]]]:
    """Every combination of a widened optimizer with its settings in the added decades; the rest is as it was best."""
    found = []
    names = space.tuned_names()
    for each in sorted(screened, key=lambda one: str(one.combination)):
        domain = space.tuned(each.combination).get(LEARNING_RATE)
        sides = wider.get(_optimizer(each.combination), frozenset())
        if not sides or not isinstance(domain, Range) or not domain.log:
            continue
        usual = space.at(each.combination, each.position or [0.5] * len(names))
        rates = [_beyond(domain, side, step) for side in sorted(sides) for step in STEPS]
        found.append((each.combination, tuple({**usual, LEARNING_RATE: rate} for rate in rates)))
    return found


def _beyond(domain: Range, side: int, step: float) -> float:
    end = domain.low if side < 0 else domain.high
    return float(10 ** (math.log10(end) + side * step))


def _optimizer(combination: Mapping[str, Scalar]) -> Scalar:
    return combination.get(_OPTIMIZER)


def _widened(rates: Parameter, wider: Ends) -> Parameter:
    """Before each branch one for every optimizer whose range it gave and which gets more."""
    branches: list[Branch] = []
    for branch in rates.branches:
        domain = branch.domain
        for optimizer, sides in wider.items():
            fits = optimizer is None or optimizer in branch.when.get(_OPTIMIZER, (optimizer,))
            if fits and isinstance(domain, Range) and domain.log:
                low = domain.low / (_FACTOR if -1 in sides else 1.0)
                high = domain.high * (_FACTOR if 1 in sides else 1.0)
                when = branch.when if optimizer is None else {**branch.when, _OPTIMIZER: (optimizer,)}
                branches.append(Branch(replace(domain, low=low, high=high), when))
        branches.append(branch)
    return replace(rates, branches=tuple(branches))
