"""What a single compared parameter does, and what only a pair of them does: an additive model of the estimates.

Every combination enters with its estimated score at its best setting and the sd of that (`screening.Screened`). The
model is cell = mean + effects of its values + rest, fitted by least squares, so that in a full table an effect is the
plain mean of its row minus the mean of all. Estimates are taken for independent with the sds that they come with; what
all combinations share (the one validation split) cancels in every difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.reads import Factor, Interplay, Level
from sweeper.stats.distributions import normal_quantile
from sweeper.trial import Combination, Scalar

Floats = NDArray[np.float64]

OPTIMISM = 1.5
"""How much larger the errors of the estimates are than their sds say, for the tests made here.

A curve through 8 to 12 points misses narrow peaks and now and then follows a mishap. In simulated studies in which all
combinations are equally good (`tests/statistics/worlds.py`, 150 worlds, noise of small networks and a quarter of it)
the plain sds find an effect or an interplay in 12 to 27 % at a nominal 5 %, sds larger by half in 3 to 5 %.
"""

_ALPHA = 0.05
_MARK_SDS = 2.0
"""A rest is marked from here on, if it is also rare over all cells together."""


@dataclass(frozen=True)
class Estimates:
    """What is known of the combinations.

    Attributes:
        combinations: n of them, those with an estimate.
        scores: (n,) higher is better.
        sds: (n,) of the scores, without the noise of a single training, `OPTIMISM` included.
    """

    combinations: tuple[Combination, ...]
    scores: Floats
    sds: Floats


def factors(known: Estimates, compare: Sequence[str]) -> tuple[Factor, ...]:
    """The effect of every compared parameter that has at least two values with an estimate."""
    model = _Model(known, compare)
    return tuple(model.factor(name) for name in compare if len(model.values[name]) > 1)


def interplay(known: Estimates, compare: Sequence[str]) -> Interplay | None:
    """The rests of the additive model; None unless two parameters are compared and leave something over."""
    if len(compare) != 2:
        return None
    model = _Model(known, compare)
    leftover = len(known.scores) - model.rank
    if leftover < 1 or min(map(len, model.values.values())) < 2:
        return None
    remove = np.eye(len(known.scores)) - model.hat
    rest = remove @ known.scores
    covariance = (remove * known.sds**2) @ remove.T
    rare = normal_quantile(1 - _ALPHA / (2 * len(rest)))
    limit = np.maximum(_MARK_SDS * known.sds, rare * np.sqrt(np.clip(np.diag(covariance), 0.0, None)))
    noisy = bool((known.sds > 0).any())
    outside = (np.abs(rest) > limit) & noisy
    marked = tuple(each for each, beyond in zip(known.combinations, outside, strict=True) if beyond)
    rests = dict(zip(known.combinations, rest.tolist(), strict=True))
    return Interplay(rests, marked, _chance(rest, covariance, leftover) if noisy else None)


class _Model:
    """mean + one effect a value, the effects of a parameter summing to zero over its values."""

    def __init__(self, known: Estimates, compare: Sequence[str]) -> None:
        self._known = known
        self.values: Mapping[str, list[Scalar]] = {
            name: list(dict.fromkeys(each[name] for each in known.combinations)) for name in compare
        }
        blocks = {name: _contrasts(known.combinations, name, values) for name, values in self.values.items()}
        design = np.column_stack([np.ones(len(known.scores)), *(block for block, _ in blocks.values())])
        inverse = np.linalg.pinv(design)
        self.rank = int(np.linalg.matrix_rank(design))
        self.hat = design @ inverse
        self._maps: dict[str, Floats] = {}
        start = 1
        for name, (block, back) in blocks.items():
            self._maps[name] = back @ inverse[start : start + block.shape[1]]
            start += block.shape[1]

    def factor(self, name: str) -> Factor:
        """The effects of one parameter, best first."""
        to, values = self._maps[name], self.values[name]
        effects = to @ self._known.scores
        covariance = (to * self._known.sds**2) @ to.T
        sds = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
        counts = [sum(each[name] == value for each in self._known.combinations) for value in values]
        order = np.argsort(-effects, kind="stable")
        levels = tuple(Level(values[i], float(effects[i]), float(sds[i]), counts[i]) for i in order)
        gap = _largest_gap(effects, covariance)
        chance = _chance(effects, covariance, len(values) - 1) if (sds > 0).any() else None
        return Factor(name, levels, levels[0].effect - levels[-1].effect, gap, chance)


def _contrasts(combinations: Sequence[Combination], name: str, values: Sequence[Scalar]) -> tuple[Floats, Floats]:
    """(n, v - 1) columns of the design, and the (v, v - 1) map from their coefficients to the effects."""
    back = np.vstack([np.eye(len(values) - 1), -np.ones((1, len(values) - 1))])
    rows = [values.index(each[name]) for each in combinations]
    return back[rows], back


def _largest_gap(effects: Floats, covariance: Floats) -> float:
    """Upper 95 % bound of the difference of any two effects; Bonferroni over the pairs."""
    i, j = np.triu_indices(len(effects), 1)
    variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
    reach = normal_quantile(1 - _ALPHA / (2 * len(i))) * np.sqrt(np.clip(variance, 0.0, None))
    return float(np.max(np.abs(effects[i] - effects[j]) + reach))


def _chance(values: Floats, covariance: Floats, freedom: int) -> float:
    """Wald test that all of the values are zero; the covariance is singular, because they sum to zero."""
    statistic = float(values @ np.linalg.pinv(covariance, rcond=1e-9, hermitian=True) @ values)
    return chi_squared_tail(statistic, freedom)


def chi_squared_tail(value: float, freedom: int) -> float:
    """P(chi squared > value), closed form for whole degrees of freedom (Abramowitz and Stegun 26.4.4 and 26.4.5)."""
    if value <= 0:
        return 1.0
    half, odd = value / 2, freedom % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    powers = [k + odd / 2 for k in range(freedom // 2)]
    return min(1.0, total + sum(math.exp(k * math.log(half) - half - math.lgamma(k + 1)) for k in powers))
