"""Which of several may be the best: multiple comparisons with the best (MCB) on paired scores.

Everything follows from one event of probability 1 - alpha: no finalist beats the truly best one by more than its
critical value. On that event the best is in the set and every regret bound holds.

Sources: Hsu (1984), Annals of Statistics 12(3), 1136-1144, and Hsu (1996), *Multiple Comparisons: Theory and
Methods*, section 4.1.4, equations 4.10 to 4.16 (constrained MCB from one-sided comparisons with a control, each
candidate taking its turn as the control). Hsu treats independent groups with one variance; here the differences are
paired by seed and each has a variance of its own, so the correlation of the comparisons is estimated and every
comparison is divided by its own standard error. With many seeds the critical values meet his table E.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sweeper.stats.distributions import max_t_quantile

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-12
"""Differences below this share of the largest score are rounding, not evidence."""


@dataclass(frozen=True)
class BestSet:
    """Who may be the best; F candidates, in the order of the columns of the scores.

    Attributes:
        means: (F,) mean scores.
        in_set: (F,) whether the candidate may be the best; at least one always is.
        regret: (F,) upper bound of how far the candidate is below the best; infinite when there is one seed only.
        critical: (F,) critical value of the candidate as the control; 0 where nothing varies.
        standard_error: (F, F) of the differences of two means.
        seeds: number of rows of the scores.
        allowance: (F,) by how much the candidate may be better than its scores.
        behind: (F,) whether it is in the set only because of that.
    """

    means: Floats
    in_set: Flags
    regret: Floats
    critical: Floats
    standard_error: Floats
    seeds: int
    allowance: Floats
    behind: Flags


def best_set(
    scores: ArrayLike,
    alpha: float,
    *,
    rng: np.random.Generator,
    example_variance: ArrayLike | None = None,
    allowance: ArrayLike | None = None,
    draws: int = 4000,
) -> BestSet:
    """The confidence set of the best, and for each candidate a bound of its distance to the best.

    With probability 1 - alpha the best is in the set and all bounds hold, jointly. Candidate i stays if no other is
    ahead of it by more than `critical[i]` standard errors. The bound of i is the largest `mean(y_j - y_i) +
    critical[j] * se_ji` over the *others in the set* (Hsu 1996, eq. 4.16: only they can be the best), or 0.
    A difference that never varies decides by itself: equal means tie, unequal means win.

    Args:
        scores: (seeds, candidates), higher is better; a row shares its seeds. Finite.
        alpha: error probability, below 0.5.
        rng: draws the directions from which the critical values are integrated.
        example_variance: (candidates, candidates) variance that the finite test set adds to each difference.
        allowance: (candidates,) by how much each may be better than it could be shown here; it stays in the set until
            it is behind by that much more. The bounds are about the scores as they are.
        draws: number of directions, half of them mirrored.

    Raises:
        ValueError: scores are not a table of finite numbers.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] == 0 or not np.isfinite(table).all():
        raise ValueError("scores are a (seeds, candidates) table of finite numbers")
    seeds, candidates = table.shape
    means = table.mean(axis=0) if seeds else np.zeros(candidates)
    lead, variance = _differences(table, example_variance)
    error = np.sqrt(variance)
    granted = np.zeros(candidates) if allowance is None else np.asarray(allowance, dtype=np.float64)
    if seeds < 2:
        alone = candidates == 1
        nothing = np.full(candidates, 0.0 if alone else np.inf)
        everybody = np.ones(candidates, dtype=bool)
        return BestSet(means, everybody, nothing, np.zeros(candidates), error, seeds, granted, ~everybody)
    critical = np.array([_critical_value(variance, i, seeds - 1, alpha, rng, draws) for i in range(candidates)])
    as_shown = np.all(lead <= critical[None, :] * error, axis=0)
    in_set = np.all(lead - granted[None, :] <= critical[None, :] * error, axis=0)
    bounds = np.where(in_set[:, None], lead + critical[:, None] * error, 0.0)
    np.fill_diagonal(bounds, 0.0)
    regret = np.maximum(bounds.max(axis=0), 0.0)
    return BestSet(means, in_set, regret, critical, error, seeds, granted, in_set & ~as_shown)


def _differences(table: Floats, example_variance: ArrayLike | None) -> tuple[Floats, Floats]:
    """(F, F) lead of row over column and the variance of it; both 0 where rounding is all there is."""
    seeds = len(table)
    difference = table[:, :, None] - table[:, None, :]
    lead = difference.mean(axis=0) if seeds else np.zeros(difference.shape[1:])
    variance = difference.var(axis=0, ddof=1) if seeds > 1 else np.zeros_like(lead)
    rounding = _ROUNDING * float(np.abs(table).max(initial=0.0))
    lead = np.where(np.abs(lead) <= rounding, 0.0, lead)
    variance = np.where(variance <= rounding**2, 0.0, variance) / max(seeds, 1)
    if example_variance is not None:
        variance = variance + np.asarray(example_variance, dtype=np.float64)
    np.fill_diagonal(variance, 0.0)
    return lead, variance


def _critical_value(
    variance: Floats, control: int, df: int, alpha: float, rng: np.random.Generator, draws: int
) -> float:
    rivals = np.flatnonzero(variance[:, control] > 0)
    if not len(rivals):
        return 0.0
    own = variance[rivals, control]
    # Var(a - b) = Var(a) + Var(b) - 2 Cov(a, b), for a and b the leads of two rivals over the control
    covariance = (own[:, None] + own[None, :] - variance[np.ix_(rivals, rivals)]) / 2
    return max_t_quantile(covariance / np.sqrt(np.outer(own, own)), df, alpha, rng, draws)
