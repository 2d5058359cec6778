"""How the error probability is spent over the looks at a confirmation.

Looks at the same growing data agree with each other most of the time, so they may share alpha on better terms than
Bonferroni's: at each look, what has been spent so far is a fixed function of the share of seeds seen (Lan and DeMets
1983, Biometrika 70, 659-663), and the level of a look follows from that by integrating over the paths that crossed no
earlier boundary (Armitage, McPherson and Rowe 1969, J. R. Statist. Soc. A 132, 235-244; Jennison and Turnbull 2000,
*Group Sequential Methods*, chapters 7 and 19). The spending function is a power of the share (Kim and DeMets 1987,
Biometrika 74, 149-154).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from sweeper.stats.distributions import normal_tail

POWER = 1.0
"""What has been spent at a share t of the seeds is alpha * t**POWER. See docs/statistics.md for what others gave."""
_CELLS = 1200
_FAR = 8.0
"""Standard deviations below zero at which a path is as good as gone."""


@lru_cache(maxsize=256)
def levels(looks: tuple[int, ...], alpha: float, rivals: int) -> tuple[float, ...]:
    """The level of the comparison with the best at each look, so that all looks together err with probability alpha.

    With one rival the levels are exact for normal differences. With several, each rival gets the boundary that spends
    alpha / rivals, and a look the sum of their levels: the largest of several statistics agrees less with itself from
    look to look than a single one, the less the further out, and this is the furthest.

    Args:
        looks: seeds at each look, rising.
        alpha: for all looks together.
        rivals: compared with each candidate at the first look, at least 1.
    """
    shares = np.array(looks) / looks[-1]
    spent = alpha / rivals * np.diff(shares**POWER, prepend=0.0)
    return tuple(min(rivals * level, alpha) for level in _nominal(shares.tolist(), spent.tolist()))


def _nominal(shares: Sequence[float], spend: Sequence[float]) -> list[float]:
    """One-sided levels of a Brownian motion watched at these shares of its time that crosses with these probabilities.

    The density of the paths that have not crossed is kept on a grid from look to look.
    """
    found: list[float] = []
    places, density, before = np.zeros(1), np.ones(1), 0.0
    for share, wanted in zip(shares, spend, strict=True):
        step = math.sqrt(share - before)
        low, high = 0.0, _FAR
        for _ in range(50):
            middle = (low + high) / 2
            crossing = float(density @ normal_tail((middle * math.sqrt(share) - places) / step))
            low, high = (middle, high) if crossing > wanted else (low, middle)
        found.append(float(normal_tail(np.array([high]))[0]))
        edges = np.linspace(-_FAR * math.sqrt(share), high * math.sqrt(share), _CELLS + 1)
        reached = normal_tail((edges[None, :] - places[:, None]) / step)
        density = density @ (reached[:, :-1] - reached[:, 1:])
        places, before = (edges[:-1] + edges[1:]) / 2, share
    return found
