"""Which rows are held out: stratified by class, or whole groups where rows belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def holdout(strata: Array, groups: Array | None, share: float, rng: np.random.Generator) -> Array:
    """(n,) mask of the rows held out: `share` of every stratum, or whole groups that come near to it.

    Without groups every stratum of two rows or more is on both sides.

    Args:
        strata: (n,) integers from 0, the classes.
        groups: (n,) ids of what must not be divided, or None.
        share: of the rows, between 0 and 1.
        rng: decides which rows.
    """
    return stratified(strata, share, rng) if groups is None else grouped(strata, groups, share, rng)


def stratified(strata: Array, share: float, rng: np.random.Generator) -> Array:
    """(n,) mask of the rows held out: `share` of every stratum, and never all of it."""
    held = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        held[members[: min(max(1, round(share * len(members))), len(members) - 1)]] = True
    return held


def grouped(strata: Array, groups: Array, share: float, rng: np.random.Generator) -> Array:
    """(n,) mask of the rows of whole groups: groups in random order, each kept that brings every stratum nearer.

    Distances are relative to the size of a stratum, so that rare classes count as much as frequent ones. At least
    one group is held out and at least one is not.
    """
    names, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), int(strata.max()) + 1))
    np.add.at(counts, (group_of, strata), 1.0)
    counts /= np.maximum(counts.sum(axis=0), 1.0)
    order = rng.permutation(len(names))
    held = np.zeros(len(names), dtype=bool)
    missing = np.where(counts.any(axis=0), share, 0.0)
    for group in order[:-1]:
        if np.sum((missing - counts[group]) ** 2) < np.sum(missing**2):
            held[group] = True
            missing = missing - counts[group]
    if not held.any():
        held[order[np.argmin(np.sum((missing - counts[order]) ** 2, axis=1))]] = True
    return np.asarray(held[group_of])
