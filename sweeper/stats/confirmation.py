"""The confirmation as a pure function of its scores: who is still in, at which look, and whether it is decided.

The planner asks after every round what to train next, the judge asks once at the end; both get the same answer, because
a look sees only the seeds up to it. The looks share alpha (`looks`), so with probability 1 - alpha the best finalist is
in the set at every look and every regret bound holds at every look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sweeper.seeds import generator
from sweeper.stats.best_set import BestSet, best_set
from sweeper.stats.distributions import mean_interval, normal_quantile
from sweeper.stats.examples import difference_variance, row_variance
from sweeper.stats.looks import levels
from sweeper.stats.rules import JudgeRules
from sweeper.stats.unresolved import Unresolved
from sweeper.trial import Combination
from sweeper.verdict import Interval, Objective

Floats = NDArray[np.float64]
Scores = Mapping[Combination, Sequence[float]]

_POWER = 0.8
"""Chance to separate the finalists that `seeds_needed` aims at, as the detectable leads in docs/statistics.md do."""
_MOST_SEEDS = 10_000
"""A number of seeds above this is not worth telling."""


@dataclass(frozen=True)
class Standing:
    """A finalist when it was last judged.

    Attributes:
        look: seeds a finalist at that look; `seeds` of them could be paired (fewer if trainings failed).
        scores: one value a paired seed, in the metric's unit.
        mean, interval: of the scores; Student's t, Bonferroni over all finalists.
        regret: bound of how far it is below the best.
        in_set: whether it may be the best. Whoever is not was dropped at `look`.
        luck: variance of the mean that comes from the choice of the test rows; the interval allows for it.
        usual: mean variance of a score over the finalists judged at that look. The interval is never that of a smaller
            one: whoever leads has often seen no mishap yet, and is not safer from them than the others.
        behind: whether it is in the set only because a better setting may make up for what it is behind.
    """

    combination: Combination
    look: int
    scores: tuple[float, ...]
    mean: float
    interval: Interval
    regret: float
    in_set: bool
    luck: float = 0.0
    usual: float = 0.0
    behind: bool = False

    @property
    def seeds(self) -> int:
        """How many seeds it was judged by."""
        return len(self.scores)


@dataclass(frozen=True)
class Confirmation:
    """Where a confirmation stands.

    Attributes:
        standings: every finalist that was judged, those in the set first, then by mean; empty before the first look.
        alive: who is trained further if anybody is: the set at the last look, everybody before the first.
        look: seeds a finalist at the last complete look; 0 before the first.
        decided: one is left, or nobody in the set can be further than epsilon below the best.
        next_look: seeds that every finalist alive is to have next; None when decided or spent.
        epsilon: smallest difference that matters, in the metric's unit.
        lead: mean lead of the first in `standings` over the closest other finalist; None with a single finalist.
        seeds_needed: seeds a finalist that would probably decide; None if decided or beyond any budget.
        failing: finalists of which more than half of the trainings failed: they cannot be judged.
    """

    standings: tuple[Standing, ...]
    alive: tuple[Combination, ...]
    look: int
    decided: bool
    next_look: int | None
    epsilon: float
    lead: float | None = None
    seeds_needed: int | None = None
    failing: tuple[Combination, ...] = ()

    @property
    def members(self) -> tuple[Standing, ...]:
        """Who may be the best."""
        return tuple(standing for standing in self.standings if standing.in_set)


def replay(
    scores: Scores,
    *,
    objective: Objective,
    rules: JudgeRules,
    unresolved: Unresolved | None = None,
) -> Confirmation:
    """Go through the looks again, as far as the scores reach.

    Args:
        scores: finalist -> its test scores by repetition, as far as they are known without a gap; NaN where the
            training failed. A repetition that failed for anyone alive is left out for all (the seeds are paired).
        objective: what is optimised; `scores` are of its test metric.
        rules: of the study. Looks below 2 seeds cannot be judged and are passed over; each look draws its critical
            values from a generator of its own.
        unresolved: what seeds cannot tell.
    """
    judgeable = tuple(look for look in rules.looks if look >= 2)
    rule = _Rule(scores, objective, rules.alpha, judgeable, rules.seed, unresolved or Unresolved())
    state = Confirmation((), tuple(scores), 0, False, None, objective.epsilon)
    for number, look in enumerate(judgeable):
        if any(len(scores[each]) < look for each in state.alive):
            return replace(state, next_look=look)
        state = rule.judged(state, look)
        if state.decided or not state.alive:
            return replace(state, next_look=None)
        state = replace(state, next_look=next(iter(judgeable[number + 1 :]), None))
        if state.next_look is None or _is_spent(state, scores, state.next_look, rules.trials):
            return replace(state, next_look=None)
    return state


def _is_spent(state: Confirmation, scores: Scores, look: int, trials: int | None) -> bool:
    """Whether the next look would take more trials than there may be."""
    gone = sum(standing.look for standing in state.standings if standing.combination not in state.alive)
    failing = sum(min(len(scores[each]), state.look) for each in state.failing)
    return trials is not None and gone + failing + look * len(state.alive) > trials


@dataclass(frozen=True)
class _Rule:
    """One look after another."""

    scores: Scores
    objective: Objective
    alpha: float
    looks: tuple[int, ...]
    seed: int
    unresolved: Unresolved

    def judged(self, before: Confirmation, look: int) -> Confirmation:
        """The state after one more look."""
        table = np.array([self.scores[each][:look] for each in before.alive], dtype=np.float64).reshape(-1, look)
        able = np.isnan(table).mean(axis=1) <= 0.5
        rivals = tuple(each for each, judged in zip(before.alive, able, strict=True) if judged)
        failing = (*before.failing, *(each for each in before.alive if each not in rivals))
        complete = ~np.isnan(table[able]).any(axis=0)
        paired = table[able][:, complete].T
        if not rivals or len(paired) < 2:
            left = tuple(standing for standing in before.standings if standing.combination not in failing)
            return replace(before, standings=left, alive=rivals, failing=failing)
        tables = self.unresolved.tables(rivals, np.flatnonzero(complete).tolist())
        result = best_set(
            self.objective.sign * paired,
            self._level(look),
            rng=generator(self.seed, "look", look),
            example_variance=difference_variance(tables) if tables else None,
            allowance=[self.unresolved.tuning.get(each, 0.0) for each in rivals],
        )
        luck = [row_variance(each.astype(np.float64)) for each in tables] or [0.0] * len(rivals)
        usual = float(paired.var(axis=0, ddof=1).mean())
        now = [
            Standing(
                combination=each,
                look=look,
                scores=tuple(paired[:, i].tolist()),
                mean=float(paired[:, i].mean()),
                interval=mean_interval(paired[:, i], self.alpha / len(self.scores), luck[i], usual),
                regret=float(result.regret[i]),
                in_set=bool(result.in_set[i]),
                luck=luck[i],
                usual=usual,
                behind=bool(result.behind[i]),
            )
            for i, each in enumerate(rivals)
        ]
        gone = [standing for standing in before.standings if standing.combination not in before.alive]
        standings = tuple(sorted([*now, *gone], key=self._order))
        return self._summed(standings, result, look, failing)

    def _level(self, look: int) -> float:
        return levels(self.looks, self.alpha, max(len(self.scores) - 1, 1))[self.looks.index(look)]

    def _order(self, standing: Standing) -> tuple[bool, int, float]:
        return not standing.in_set, -standing.look, -self.objective.sign * standing.mean

    def _summed(
        self, standings: tuple[Standing, ...], result: BestSet, look: int, failing: tuple[Combination, ...]
    ) -> Confirmation:
        members = [standing for standing in standings if standing.in_set]
        epsilon = self.objective.epsilon * (abs(standings[0].mean) if self.objective.relative else 1.0)
        decided = len(members) == 1 or all(standing.regret <= epsilon for standing in members)
        leads = [self._lead(standings[0], other) for other in standings[1:]]
        return Confirmation(
            standings=standings,
            alive=tuple(standing.combination for standing in members),
            look=look,
            decided=decided,
            next_look=None,
            epsilon=epsilon,
            lead=min(leads) if leads else None,
            seeds_needed=None if decided else _seeds_needed(result, epsilon),
            failing=failing,
        )

    def _lead(self, leader: Standing, other: Standing) -> float:
        """Mean lead over the seeds that both were judged by."""
        both = np.array([self.scores[each.combination][: other.look] for each in (leader, other)], dtype=np.float64)
        return float(np.nanmean(self.objective.sign * (both[0] - both[1])))


def _seeds_needed(result: BestSet, epsilon: float) -> int | None:
    """Seeds a finalist at which the leader would stand alone, or all would be proven within epsilon, if all stays so.

    A lead d with sd s of a paired difference passes its critical value c with the wanted power at (s (c + z) / d)**2
    seeds; with m members all of m - 1 comparisons have to pass. With two members the factor
    c + z is 2.6, with four 3.5 (at one look and alpha 0.05), as simulated (docs/statistics.md).
    """
    members = np.flatnonzero(result.in_set)
    leader = members[int(np.argmax(result.means[members]))]
    others = members[members != leader]
    z = normal_quantile(_POWER ** (1 / len(others)))
    spread = result.standard_error * math.sqrt(result.seeds) * (result.critical[None, :] + z)
    lead = result.means[:, None] - result.means[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = lead[leader, others] - result.allowance[others]
        alone = np.max((spread[leader, others] / np.maximum(ahead, 0.0)) ** 2)
        pairs = np.ix_(members, members)
        wide = (spread[pairs].T / np.maximum(epsilon - lead[pairs], 0.0)) ** 2
    near = wide[~np.eye(len(members), dtype=bool)].max()
    wanted = float(np.fmin(alone, near))
    return max(math.ceil(wanted), result.seeds + 1) if wanted < _MOST_SEEDS else None
