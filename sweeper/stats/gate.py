"""Whether the frozen pick got worse: the rules of a scheduled check, pure functions of scores.

Scores go in with the better ones higher (times -1 for a loss), a drop is what the new ones are worse by. Arrays may
have further axes in front, one check each; seeds are the last axis.

A test at 5 % every night raises eighteen false alarms a year. So a cheap screen only asks for more, and what fails is a
drop that fresh seeds confirm. All nights share the error of one baseline, which is why the rule without a second
training of the old side is so much stricter than the one with it: a baseline that was lucky by chance, or is the best
of several for that reason, stays lucky all year (`tests/statistics/gate_nights.py` measures both).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sweeper.verdict import Interval

Floats = NDArray[np.float64]

SCREEN_SEEDS, SCREEN_ALPHA = 3, 0.05
PAIRED_SEEDS, PAIRED_ALPHA = 10, 0.007
UNPAIRED_SEEDS, UNPAIRED_ALPHA = 20, 0.0007
"""Fresh seeds and one-sided error rate of the screen, and of the two ways to confirm an alarm."""

LEAST_BASELINE = 5
"""Seeds below which a baseline says too little about its own spread."""
LEAST_SCREENED, LEAST_CONFIRMED = 2, 5
"""Seeds that have to train to the end, of those above."""

_EQUAL = 1e-8
"""Relative difference that is rounding: a baseline keeps nine digits."""


@dataclass(frozen=True)
class Contrast:
    """Old mean minus new mean, with what is needed to judge it.

    Attributes:
        drop, error, freedom: of one shape: the difference, its standard error, and the degrees of freedom of that.
    """

    drop: Floats
    error: Floats
    freedom: Floats

    def limit(self, alpha: float) -> Floats:
        """The drop above which the one-sided test at this error rate rejects."""
        return np.asarray(special.stdtrit(self.freedom, 1 - alpha) * self.error)

    def significant(self, alpha: float) -> NDArray[np.bool_]:
        """Whether the drop is above nothing, one-sided; where nothing varies, every drop is."""
        return np.asarray(self.drop > self.limit(alpha))

    def interval(self, alpha: float = 0.05) -> Interval:
        """Two-sided interval of a single drop."""
        half = float(self.limit(alpha / 2))
        return Interval(float(self.drop) - half, float(self.drop) + half)


def screen(baseline: ArrayLike, fresh: ArrayLike, luck: float = 0.0) -> Contrast:
    """Few fresh seeds against the baseline: the spread is that of the baseline, its own error is counted.

    Args:
        baseline: (..., m) scores of the confirmation.
        fresh: (..., n) scores of the night; n may be 1.
        luck: variance of the difference that all seeds share, see `rows_luck`.
    """
    old, new = np.asarray(baseline, float), np.asarray(fresh, float)
    m, n = old.shape[-1], new.shape[-1]
    error = np.sqrt(old.var(axis=-1, ddof=1) * (1 / m + 1 / n) + luck)
    drop = _drop(old.mean(axis=-1), new.mean(axis=-1))
    return Contrast(drop, np.broadcast_to(error, drop.shape), np.full(drop.shape, float(m - 1)))


def unpaired(baseline: ArrayLike, fresh: ArrayLike, luck: float = 0.0) -> Contrast:
    """Many fresh seeds against the stored scores, variances unequal (Welch 1947, Biometrika 34, 28-35)."""
    old, new = np.asarray(baseline, float), np.asarray(fresh, float)
    m, n = old.shape[-1], new.shape[-1]
    one, other = old.var(axis=-1, ddof=1) / m, new.var(axis=-1, ddof=1) / n
    total, parts = one + other, one**2 / (m - 1) + other**2 / (n - 1)
    freedom = np.where(parts > 0, total**2 / np.where(parts > 0, parts, 1.0), float(min(m, n) - 1))
    return Contrast(_drop(old.mean(axis=-1), new.mean(axis=-1)), np.sqrt(total + luck), freedom)


def paired(old: ArrayLike, new: ArrayLike) -> Contrast:
    """Old and new trained on the same fresh seeds, (..., n) each: Student's t of the differences."""
    gaps = np.asarray(old, float) - np.asarray(new, float)
    n = gaps.shape[-1]
    drop = gaps.mean(axis=-1)
    return Contrast(drop, gaps.std(axis=-1, ddof=1) / np.sqrt(n), np.full(drop.shape, float(n - 1)))


def level(fresh: ArrayLike, baseline: ArrayLike = ()) -> Contrast:
    """The mean of the night as a `Contrast` against nothing, negated: `-drop` is the mean.

    Three seeds say little about their spread, so that of the baseline is pooled with it where there is one.
    """
    new, old = np.asarray(fresh, float), np.asarray(baseline, float)
    squares, freedom = ((new - new.mean()) ** 2).sum(), len(new) - 1
    if len(old) > 1:
        squares, freedom = squares + ((old - old.mean()) ** 2).sum(), freedom + len(old) - 1
    error = np.sqrt(squares / freedom / len(new)) if freedom else np.inf
    return Contrast(-new.mean(), np.asarray(error), np.asarray(float(max(freedom, 1))))


def rows_luck(share: float, rows: int, other_rows: int) -> float:
    """Variance of the difference of two accuracies that were counted on different test rows; 0 where a size is unknown.

    Seeds do not show it: all of one side share their rows. Binomial, so it is for shares of rows only.
    """
    if min(rows, other_rows) < 1:
        return 0.0
    return share * (1 - share) * (1 / rows + 1 / other_rows) if 0 <= share <= 1 else 0.0


def _drop(old: Floats, new: Floats) -> Floats:
    drop = np.asarray(old - new)
    return np.where(np.abs(drop) <= _EQUAL * np.maximum(np.abs(old), np.abs(new)), 0.0, drop)
