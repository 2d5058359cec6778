"""The difference of two means, seed by seed where both were trained with the same seeds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from sweeper.stats.distributions import mean_interval
from sweeper.stats.gate import unpaired
from sweeper.verdict import Interval


@dataclass(frozen=True)
class Difference:
    """How far the second is above the first, in the unit of the scores.

    Attributes:
        interval: at confidence 1 - alpha.
        paired: whether the same seeds were compared one by one.
        seeds: pairs, or the smaller of the two samples.
    """

    mean: float
    interval: Interval
    paired: bool
    seeds: int


def difference(first: Mapping[Hashable, float], second: Mapping[Hashable, float], alpha: float) -> Difference | None:
    """Second minus first, from one score a seed; None where there is not enough to tell.

    With at least two seeds in common a paired t interval over those; pairing removes what a split does to both.
    Otherwise the unpaired interval for unequal variances (Welch 1947, Biometrika 34, 28-35).
    """
    common = [seed for seed in first if seed in second]
    if len(common) >= 2:
        gaps = np.array([second[seed] - first[seed] for seed in common])
        return Difference(float(gaps.mean()), mean_interval(gaps, alpha), True, len(common))
    a, b = np.array(list(first.values())), np.array(list(second.values()))
    if min(len(a), len(b)) < 2:
        return None
    mean = float(b.mean() - a.mean())
    half = float(unpaired(a, b).limit(alpha / 2))
    return Difference(mean, Interval(mean - half, mean + half), False, min(len(a), len(b)))
