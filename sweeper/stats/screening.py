"""What exploration says about each combination: how good it can be, with which parameters, and who is confirmed.

These are screening values, one seed a point and no error guarantee: they choose the finalists and nothing else. Points
need not be even: where an adaptive sampler left a combination with few, the curve says so by its sd.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.space import Space
from sweeper.stats.curve import Curve, Screened
from sweeper.stats.positions import Axes
from sweeper.stats.rules import FinalistCount
from sweeper.stats.surface import fit_surface
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Objective

__all__ = ["Finalists", "Screened", "finalists", "screen"]

_SCREENED = (Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.SEARCH)
_CLEARLY_BAD = 20.0
"""Distance below the best, in smallest differences that matter, that says "not here": 6 points of accuracy."""
_PLATEAU = 3.0
"""Height of the plateau, in smallest differences that matter: about a point of accuracy."""


_REMEMBERED: deque[tuple[tuple[Any, ...], tuple[Screened, ...]]] = deque(maxlen=4)
"""The last answers: the planner asks after every round of the race and the confirmation what exploration said."""


@dataclass(frozen=True)
class Finalists:
    """Who is confirmed, best first, and who might have been.

    Attributes:
        cut_off: not confirmed although they could still be best.
    """

    chosen: tuple[Screened, ...]
    cut_off: tuple[Screened, ...]


def screen(
    records: Sequence[TrialRecord], *, space: Space, objective: Objective, no_information: float | None, seed: int
) -> tuple[Screened, ...]:
    """Every combination of the space, best first; those without a completed trial last.

    Trials of the confirmation, and what is kept, are passed over. A run that diverged counts as a score of
    `no_information`, but never as close to the best (see `surface`).
    """
    kept = [record for record in records if record.spec.stage in _SCREENED]
    question = (kept, space, objective, no_information, seed)
    for known, answer in _REMEMBERED:
        if known == question:
            return answer
    answer = _screen(kept, space=space, objective=objective, no_information=no_information, seed=seed)
    _REMEMBERED.append((question, answer))
    return answer


def _screen(
    records: Sequence[TrialRecord], *, space: Space, objective: Objective, no_information: float | None, seed: int
) -> tuple[Screened, ...]:
    by_combination: dict[Combination, list[TrialRecord]] = {each: [] for each in space.combinations()}
    for record in records:
        if record.spec.combination in by_combination:
            by_combination[record.spec.combination].append(record)
    names = space.tuned_names()
    curves = [Curve(Axes(space, each, names), mine, space, objective) for each, mine in by_combination.items()]
    fitted = [curve for curve in curves if curve.scored]
    results = {curve.combination: curve.without_estimate() for curve in curves}
    if fitted:
        epsilon = objective.epsilon * (abs(max(c.best_score for c in fitted)) if objective.relative else 1.0)
        surface = fit_surface([curve.samples(no_information) for curve in fitted], scale=_CLEARLY_BAD * epsilon)
        for index, curve in enumerate(fitted):
            results[curve.combination] = curve.screened(surface, index, _PLATEAU * epsilon, seed)
    return tuple(sorted(results.values(), key=lambda each: _rank(each, objective)))


def finalists(screened: Sequence[Screened], count: FinalistCount, objective: Objective) -> Finalists:
    """The leaders by estimate: half of all, 3 to 6, without those more than 3 sds behind, at least 2.

    Half of twelve holds the best one in 99 % of simulated studies (a lead of one noise sd), a third in 96.5 %, and the
    first look drops most of those that a wider field adds.

    A number instead of `auto` is taken as it is. Combinations without a completed trial are never chosen.
    """
    able = [each for each in screened if each.estimate is not None]
    if not able:
        return Finalists((), ())
    size = most_finalists(len(screened)) if count == "auto" else max(int(count), 2)
    chosen, rest = able[:size], able[size:]
    if count == "auto":
        near = [each for each in chosen if _behind(each, able[0], objective) <= 3 * _joint_sd(each, able[0])]
        chosen = near if len(near) >= 2 else chosen[:2]
    cut_off = [each for each in rest if _behind(each, able[0], objective) <= 2 * (each.sd or 0.0)]
    return Finalists(tuple(chosen), tuple(cut_off))


def most_finalists(combinations: int) -> int:
    """How many of so many combinations are confirmed at most: half, 3 to 6."""
    return min(max(math.ceil(combinations / 2), 3), 6, combinations)


def confirmations(combinations: int, count: FinalistCount, seeds: int) -> int:
    """How many trials the confirmation may take: those of a third of the combinations, 3 to 6, with all their seeds.

    A wider field may begin; the looks see to it that not all of it ends.
    """
    fields = min(max(math.ceil(combinations / 3), 3), 6, combinations) if count == "auto" else int(count)
    return fields * seeds


def _rank(each: Screened, objective: Objective) -> tuple[bool, float]:
    return each.estimate is None, -objective.sign * (each.estimate or 0.0)


def _behind(each: Screened, leader: Screened, objective: Objective) -> float:
    return objective.sign * ((leader.estimate or 0.0) - (each.estimate or 0.0))


def _joint_sd(each: Screened, leader: Screened) -> float:
    return math.hypot(each.sd or 0.0, leader.sd or 0.0)
