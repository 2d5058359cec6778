"""What n trials are worth with one value of a compared parameter, everything else drawn at random.

Computed from the equal exploration alone, and only up to as many trials as each combination was given: n trials are
drawn with replacement from those that have the value, whatever the rest of them is (Dodge et al. 2019, Show Your Work,
arXiv 1909.03004, equation 6; of its estimators the one that leads to the fewest wrong conclusions, Dodge et al. 2021,
arXiv 2110.00613). Approximate: the points of exploration are more even than independent draws. The band says where half
of all tries end; it is no confidence interval, which for so few trials would be open at the top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sweeper.reads import Tuning, TuningCurves
from sweeper.stats.sensitivity import oriented
from sweeper.trial import Scalar, Stage, TrialRecord
from sweeper.verdict import Objective

Floats = NDArray[np.float64]

_QUARTERS = (0.25, 0.5, 0.75)


def tuning_curves(
    records: Sequence[TrialRecord], compare: Sequence[str], objective: Objective, no_information: float | None
) -> tuple[TuningCurves, ...]:
    """One set of curves for each compared parameter with at least two values."""
    explored = [record for record in records if record.spec.stage is Stage.EXPLORE]
    scored = [(record, oriented(record, objective, no_information)) for record in explored]
    known = [(record, score) for record, score in scored if score is not None]
    floor = min((score for _, score in known if math.isfinite(score)), default=None)
    if floor is None:
        return ()
    budget = _points(explored)
    found = []
    for name in compare:
        pools: dict[Scalar, list[float]] = {}
        for record, score in known:
            pools.setdefault(record.spec.combination[name], []).append(max(score, floor))
        if len(pools) > 1 and budget > 1:
            found.append(_curves(name, pools, budget, objective.sign))
    return tuple(found)


def _points(explored: Sequence[TrialRecord]) -> int:
    """Trials of each combination, the fewest of any."""
    counts: dict[object, int] = {}
    for record in explored:
        counts[record.spec.combination] = counts.get(record.spec.combination, 0) + 1
    return min(counts.values(), default=0)


def _curves(name: str, pools: dict[Scalar, list[float]], budget: int, sign: int) -> TuningCurves:
    """Every pool is turned into the distribution of its best of n on the scores of all pools together."""
    grid = np.unique(np.concatenate([np.array(pool) for pool in pools.values()]))
    shares = {value: np.searchsorted(np.sort(pool), grid, side="right") / len(pool) for value, pool in pools.items()}
    trials = np.arange(1, budget + 1)
    curves = []
    for value, share in shares.items():
        best = share[None, :] ** trials[:, None]  # (n, scores) P(best of n <= score)
        rivals = [other for each, other in shares.items() if each != value]
        beaten = np.prod([_middle(other[None, :] ** trials[:, None]) for other in rivals], axis=0)
        ends = [sign * grid[np.argmax(best >= quarter - 1e-12, axis=1)] for quarter in _QUARTERS]
        mass = np.diff(best, axis=1, prepend=0.0)
        curves.append(
            Tuning(
                value=value,
                expected=_floats(sign * (mass @ grid)),
                low=_floats(np.minimum(ends[0], ends[2])),
                median=_floats(ends[1]),
                high=_floats(np.maximum(ends[0], ends[2])),
                wins=_floats((mass * beaten).sum(axis=1)),
                pool=len(pools[value]),
            )
        )
    return TuningCurves(name, tuple(sorted(curves, key=lambda curve: -sign * curve.expected[-1])))


def _middle(share: Floats) -> Floats:
    """P(below) + P(equal) / 2, so that ties are shared."""
    return np.asarray((share + np.concatenate([np.zeros((len(share), 1)), share[:, :-1]], axis=1)) / 2)


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
