"""The few distributions that the verdict needs: normal, Student, the largest of correlated t, binomial."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sweeper.verdict import Interval

Floats = NDArray[np.float64]

_NODES = 256
"""Draws are merged into this many equally likely nodes; the quantile then moves by less than 0.001."""
_GRID = 9
"""Points between the lower and the upper bound of a critical value; between them log tail is close to linear."""


def normal_quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    return float(special.ndtri(probability))


def normal_tail(value: Floats) -> Floats:
    """Probability that a standard normal variable is larger, of each value."""
    return np.asarray(special.ndtr(-value))


def mean_interval(scores: Floats, alpha: float, luck: float = 0.0, least: float = 0.0) -> Interval:
    """Student's t interval of the mean at confidence 1 - alpha; a point where nothing varies.

    `luck` is a variance of the mean that all scores share, so that they do not show it; `least` a variance of a score
    that is counted even where these vary less, unless nothing varies at all.
    """
    mean = float(scores.mean())
    if len(scores) < 2:
        return Interval(mean, mean)
    variance = float(scores.var(ddof=1))
    error = math.sqrt((max(variance, least) if variance > 0 else 0.0) / len(scores) + luck)
    half = float(special.stdtrit(len(scores) - 1, 1 - alpha / 2)) * error
    return Interval(mean - half, mean + half)


def share_interval(count: int, total: int, alpha: float) -> Interval:
    """Confidence interval of a share (Clopper and Pearson 1934, Biometrika 26, 404-413), at confidence 1 - alpha."""
    low = 0.0 if count == 0 else float(special.betaincinv(count, total - count + 1, alpha / 2))
    high = 1.0 if count == total else float(special.betaincinv(count + 1, total - count, 1 - alpha / 2))
    return Interval(low, high)


def max_t_quantile(correlation: Floats, df: int, alpha: float, rng: np.random.Generator, draws: int = 4000) -> float:
    """The 1 - alpha quantile of the largest of several correlated t statistics, each with its own estimated variance.

    The numerators are normal with this (p, p) correlation, which may be singular; the variances are the diagonal of a
    Wishart matrix with the same correlation and df degrees of freedom (Bartlett's decomposition). A common denominator
    (the multivariate t distribution of Dunnett's test) would be 1 to 2 % smaller at 9 degrees of freedom and far too
    small at 2 to 4, where six candidates would keep the best in the set in 91 % of cases instead of 94 %.

    A normal vector is a direction times a chi distributed radius; the radius is integrated exactly, the direction and
    the variances are drawn, the direction in mirrored pairs.
    """
    root = _root(correlation)
    p, rank = root.shape
    if rank == 1:  # all of them are the same statistic, or its negative
        two_sided = bool(root.min() < 0 < root.max())
        return float(special.stdtrit(df, 1 - alpha / (2 if two_sided else 1)))
    direction = rng.standard_normal((draws // 2, rank))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    ratio = direction @ root.T / np.sqrt(_variances(root, df, len(direction), rng))
    reach = np.sort(np.maximum(np.concatenate([ratio.max(axis=1), (-ratio).max(axis=1)]), 0.0))
    starts = np.unique(np.linspace(0, len(reach), _NODES, endpoint=False).astype(int))
    shares = np.diff(starts, append=len(reach)) / len(reach)
    nodes = np.maximum(np.add.reduceat(reach, starts) / len(reach) / shares, 1e-9)
    values = np.linspace(special.stdtrit(df, 1 - alpha), special.stdtrit(df, 1 - alpha / p), _GRID)
    tails = special.gammaincc(rank / 2, (values[:, None] / nodes) ** 2 / 2) @ shares
    return float(np.interp(-np.log(alpha), -np.log(tails), values))


def _variances(root: Floats, df: int, count: int, rng: np.random.Generator) -> Floats:
    """(count, p) diagonals of Wishart matrices with scale root root' / df."""
    rank = root.shape[1]
    if df < rank:
        rows = rng.standard_normal((count, df, rank)) @ root.T
        return np.asarray((rows**2).sum(axis=1) / df)
    factor = np.tril(rng.standard_normal((count, rank, rank)), k=-1)
    diagonal = np.arange(rank)
    factor[:, diagonal, diagonal] = np.sqrt(rng.chisquare(df - diagonal, (count, rank)))
    return np.asarray(((root @ factor) ** 2).sum(axis=2) / df)


def _root(correlation: Floats) -> Floats:
    """(p, rank) matrix L with L L' = correlation; fewer seeds than rivals leave the matrix singular."""
    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-9 * values.max()
    root = vectors[:, kept] * np.sqrt(values[kept])
    return np.asarray(root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-300), dtype=np.float64)
