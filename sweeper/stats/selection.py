"""Which of those that may be best to use tomorrow, and how much of its score it owes to having been chosen.

Whoever has the best mean of a few seeds had good luck as well: with a different draw it would score less. What a choice
adds on average is estimated by drawing the seeds again (Efron and Tibshirani 1993, *An Introduction to the Bootstrap*,
sections 10.2 and 10.6: the bias of a statistic, here of the best one's mean). Both are measured in docs/statistics.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_FAR = 3.0
"""Usual deviations from its median at which a score counts as no further away."""
_NORMAL = 1.4826
"""Sd of a normal distribution over its median absolute deviation."""
_DRAWS = 4000


def resistant_means(scores: ArrayLike) -> Floats:
    """(F,) means of (seeds, F) scores in which a mishap counts as three usual deviations from the median, not more.

    One training in thirty that loses twelve points moves a mean of twenty by more than most leads, and says little of
    how often that happens. The usual deviation is shared by all candidates; where most scores are alike, so that it
    is zero, these are the plain means.
    """
    table = np.asarray(scores, dtype=np.float64)
    return np.asarray(_tamed(table).mean(axis=0))


def chosen(scores: ArrayLike) -> int:
    """The column of (seeds, F) scores, higher is better, with the highest resistant mean; of equals the first."""
    return int(np.argmax(resistant_means(scores)))


def gain_of_choice(scores: ArrayLike, rng: np.random.Generator) -> float:
    """By how much the mean of the one that `chosen` names is expected to be too high; never negative.

    Args:
        scores: (seeds, F) of those that were chosen from, higher is better; a row shares its seeds.
        rng: draws seeds with replacement, for all candidates alike.
    """
    table = np.asarray(scores, dtype=np.float64)
    seeds, candidates = table.shape
    if seeds < 2 or candidates < 2:
        return 0.0
    shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=_DRAWS) / seeds
    widened = np.sqrt(seeds / (seeds - 1))  # a sample varies less around its own mean than around the truth
    error, moved = ((shares - 1 / seeds) @ each * widened for each in (table, _tamed(table)))
    best = np.argmax(resistant_means(table) + moved, axis=1)
    return max(float(error[np.arange(_DRAWS), best].mean()), 0.0)


def _tamed(table: Floats) -> Floats:
    middle = np.median(table, axis=0)
    away = table - middle
    reach = _FAR * _NORMAL * float(np.median(np.abs(away)))
    return middle + np.clip(away, -reach, reach) if reach > 0.0 else table
