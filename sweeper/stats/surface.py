"""Score as a smooth function of the tuned parameters: one Gaussian process for each combination, one prior for all.

A combination has too few points to tell how rough its curve is, all combinations together have enough: length scale,
height and noise are shared, estimated by the restricted likelihood pooled over the combinations (each has a mean of its
own, which is integrated out). The kernel is Matern 5/2 with a length scale for each axis; with one for all axes the
chosen setting is 10 to 20 % further from the best one in simulated studies of two to four tuned parameters. Formulas:
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, equations 2.41, 2.42 (explicit mean), 4.17.

Scores far below a combination's best say only "not here". They are raised to a floor, because a curve that falls by 80
points within a decade would otherwise pass for noise everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LENGTHS = np.geomspace(0.06, 2.0, 14)
"""Length scales tried, in units of an axis (four decades of learning rate)."""
_LENGTH_PRIOR = (np.log(0.25), 0.5)
"""Log-normal: score peaks over the learning rate are 0.4 to 1.4 decades wide within a point (docs/statistics.md)."""
_RATIOS = np.geomspace(1e-4, 10.0, 24)
"""Ratios of noise variance to signal variance tried."""
_RATIO_PRIOR = (np.log(0.05), 1.0)
_FLOOR_SDS = 10.0
"""Floor below the best, in noise sds: 6 to 15 find the same winners in simulation, 3 and 30 lose one in ten."""
_MOST_POINTS = 64
"""More points of a combination than this are averaged over neighbourhoods first: the cost grows with their cube."""


@dataclass(frozen=True)
class Samples:
    """The trials of one combination.

    Attributes:
        at: (n, d) where they were, one unit being four decades of a log range or the whole of another one.
        scores: (n,) higher is better; -inf for a run that diverged. At least one is finite.
    """

    at: Floats
    scores: Floats


@dataclass(frozen=True)
class Surface:
    """The fitted curves; `predict` asks for the one of a combination by its place in the samples.

    Attributes:
        lengths: (d,) distances over which scores are alike.
        signal_sd: how far a curve strays from its mean.
        noise_sd: of a single training.
        floor: how far below its combination's best a score counts.
    """

    lengths: tuple[float, ...]
    signal_sd: float
    noise_sd: float
    floor: float
    _designs: tuple[_Design, ...] = field(repr=False)
    _scores: tuple[Floats, ...] = field(repr=False)

    def predict(self, index: int, at: Floats) -> tuple[Floats, Floats]:
        """Expected score and its sd (of the curve, not of a training) at (m, d) positions: two arrays (m,)."""
        if self.signal_sd == 0.0:
            return np.full(len(at), self._scores[index].mean()), np.zeros(len(at))
        mean, gain, residual, _ = self._posterior(index, at)
        cross = _kernel(at, self._designs[index].centers, self.lengths)
        variance = 1.0 - np.einsum("ij,ij->i", cross, gain) + residual
        return mean, self.signal_sd * np.sqrt(np.clip(variance, 0.0, None))

    def shortfall(self, index: int, at: Floats, chosen: int, rng: np.random.Generator, draws: int = 200) -> float:
        """By how much the best of (m, d) positions is expected to be above a chosen one of them.

        The mean over curves drawn from the posterior (Rasmussen and Williams 2006, equation 2.42): each has its top
        somewhere else.
        """
        if self.signal_sd == 0.0:
            return 0.0
        mean, gain, _, trend = self._posterior(index, at)
        cross = _kernel(at, self._designs[index].centers, self.lengths)
        covariance = _kernel(at, at, self.lengths) - cross @ gain.T + trend
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        curves = mean[:, None] + self.signal_sd * (root @ rng.standard_normal((len(at), draws)))
        return float((curves.max(axis=0) - curves[chosen]).mean())

    def _posterior(self, index: int, at: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Mean (m,), gain (m, n), and what not knowing the curve's mean adds to variances (m,), covariances (m, m)."""
        design, scores = self._designs[index], self._scores[index]
        ratio = (self.noise_sd / self.signal_sd) ** 2
        gram = _kernel(design.centers, design.centers, self.lengths) + np.diag(ratio / design.counts)
        inverse = np.linalg.inv(gram + 1e-10 * np.eye(len(gram)))
        weight = inverse.sum(axis=0)
        level = float(weight @ scores / weight.sum())
        cross = _kernel(at, design.centers, self.lengths)
        missing = 1.0 - cross @ weight
        trend = np.outer(missing, missing) / weight.sum()
        return level + cross @ (inverse @ (scores - level)), cross @ inverse, np.diagonal(trend), trend


def fit_surface(samples: Sequence[Samples], *, scale: float) -> Surface:
    """Fit the shared prior to all combinations.

    The floor is the geometric mean of ten times the estimated noise sd and `scale`. Alone, the estimate feeds on itself
    (a lower floor looks like more noise) and strays by a factor of four between studies of the same kind.

    Args:
        samples: one entry for each combination with a finite score.
        scale: a distance in score that is clearly bad, for instance twenty times the smallest that matters; 0 if
            nothing is known.
    """
    designs = _designs([entry.at for entry in samples])
    scores = tuple(_averaged(entry.scores, design) for entry, design in zip(samples, designs, strict=True))
    floor = _first_floor(scores)
    if floor == 0.0:
        return Surface((), 0.0, 0.0, 0.0, designs, scores)
    for _ in range(12):
        fitted = _fit(scores, designs, floor)
        if floor >= _FLOOR_SDS / 2 * fitted.noise_sd:
            break
        floor *= 1.4
    floor = max(floor, _FLOOR_SDS * fitted.noise_sd)
    if scale > 0.0:
        floor = float(np.clip(np.sqrt(floor * scale), floor / 3, floor * 3))
    return _fit(scores, designs, floor, sweeps=2)


class _Design:
    """Where a combination was tried, averaged over neighbourhoods where there are too many points.

    Attributes:
        centers: (m, d), m <= 64.
        counts: (m,) trials in each neighbourhood, `members` (n,) names the one of each trial.
    """

    def __init__(self, at: Floats) -> None:
        self.members = _neighbourhoods(at)
        self.counts = np.bincount(self.members).astype(np.float64)
        sums = [np.bincount(self.members, weights=axis) for axis in at.T]
        self.centers = np.stack(sums, axis=1) / self.counts[:, None] if sums else np.zeros((len(self.counts), 0))
        self._spectra: dict[tuple[float, ...], tuple[Floats, Floats]] = {}

    def spectrum(self, lengths: tuple[float, ...]) -> tuple[Floats, Floats]:
        """Eigenvalues (m - 1,) of the whitened kernel without its mean, and the (m - 1, m) map of scores to them."""
        if lengths not in self._spectra:
            root = np.sqrt(self.counts)
            basis, _ = np.linalg.qr(np.column_stack([root, np.eye(len(root))[:, 1:]]))
            contrasts = basis[:, 1:] * root[:, None]
            kernel = _kernel(self.centers, self.centers, lengths)
            values, vectors = np.linalg.eigh(contrasts.T @ kernel @ contrasts)
            self._spectra[lengths] = np.clip(values, 0.0, None), vectors.T @ contrasts.T
        return self._spectra[lengths]


def _designs(places: Sequence[Floats]) -> tuple[_Design, ...]:
    """One design each; combinations tried at the same places share it, and with it the decompositions."""
    known: dict[tuple[tuple[int, ...], bytes], _Design] = {}
    keys = [(at.shape, at.tobytes()) for at in places]
    for key, at in zip(keys, places, strict=True):
        if key not in known:
            known[key] = _Design(at)
    return tuple(known[key] for key in keys)


def _fit(scores: Sequence[Floats], designs: Sequence[_Design], floor: float, *, sweeps: int = 0) -> Surface:
    """The best of the shared length scales tried, then of those with one axis changed, as often as `sweeps` says."""
    scores = tuple(np.maximum(entry, entry.max() - floor) for entry in scores)
    axes = designs[0].centers.shape[1]
    if all(len(entry) == 1 for entry in scores):  # one place each: nothing tells signal from noise
        return Surface((1.0,) * axes, floor, floor, floor, tuple(designs), scores)
    best = min(_at_lengths(scores, designs, (float(length),) * axes, floor) for length in _LENGTHS)
    for axis in [*range(axes)] * (sweeps if axes > 1 else 0):
        others = ((*best[1][:axis], float(length), *best[1][axis + 1 :]) for length in _LENGTHS)
        best = min(best, *(_at_lengths(scores, designs, lengths, floor) for lengths in others))
    _, lengths, signal, noise = best
    return Surface(lengths, signal, noise, floor, tuple(designs), scores)


def _at_lengths(
    scores: Sequence[Floats], designs: Sequence[_Design], lengths: tuple[float, ...], floor: float
) -> tuple[float, tuple[float, ...], float, float]:
    """Negative log posterior of length scales with the best signal and noise sd for them; the signal is profiled."""
    spectra = [design.spectrum(lengths) for design in designs]
    values = np.concatenate([each for each, _ in spectra])
    squares = np.concatenate([(to @ entry) ** 2 for (_, to), entry in zip(spectra, scores, strict=True)])
    spread = values[:, None] + _RATIOS
    signal = np.maximum((squares[:, None] / spread).mean(axis=0), (1e-9 * floor) ** 2)
    cost = (len(values) * np.log(signal) + np.log(spread).sum(axis=0)) / 2 + _penalty(np.log(_RATIOS), _RATIO_PRIOR)
    i = int(np.argmin(cost))
    prior = float(_penalty(np.log(lengths), _LENGTH_PRIOR).sum())
    return float(cost[i]) + prior, lengths, float(np.sqrt(signal[i])), float(np.sqrt(signal[i] * _RATIOS[i]))


def _penalty(value: Floats, prior: tuple[float, float]) -> Floats:
    return ((value - prior[0]) / prior[1]) ** 2 / 2


def _averaged(scores: Floats, design: _Design) -> Floats:
    """(m,) mean score of each neighbourhood; where it is more than one trial, divergence is worse than the worst."""
    if len(design.counts) == len(scores):
        return scores
    finite = scores[np.isfinite(scores)]
    known = np.where(np.isfinite(scores), scores, finite.min() - np.ptp(finite))
    return np.asarray(np.bincount(design.members, weights=known) / design.counts)


def _first_floor(scores: Sequence[Floats]) -> float:
    """A first guess: twice the usual distance of the best to the upper quartile of its combination; 0: all alike."""
    gaps = []
    for entry in scores:
        ranked = np.sort(entry[np.isfinite(entry)])[::-1]
        gap = ranked[0] - ranked[min(max(1, len(ranked) // 4), len(ranked) - 1)] or np.ptp(ranked)
        if gap > 0:
            gaps.append(float(gap))
    if gaps:
        return 2 * float(np.median(gaps))
    return 1.0 if any(np.isinf(entry).any() for entry in scores) else 0.0


def _kernel(a: Floats, b: Floats, lengths: tuple[float, ...]) -> Floats:
    """Matern 5/2, (n, d) and (m, d) to (n, m)."""
    r = np.sqrt(5.0 * (((a[:, None, :] - b[None, :, :]) / np.array(lengths)) ** 2).sum(axis=-1))
    return np.asarray((1.0 + r + r**2 / 3.0) * np.exp(-r))


def _neighbourhoods(at: Floats) -> NDArray[np.intp]:
    """(n,) neighbourhood of each point: halved at the median of the longest side until there are at most 64 leaves."""
    members = np.arange(len(at))
    if len(at) <= _MOST_POINTS:
        return members
    leaves = [np.arange(len(at))]
    while 2 * len(leaves) <= _MOST_POINTS:
        leaves = [half for leaf in leaves for half in _halves(at, leaf)]
    for number, leaf in enumerate(leaves):
        members[leaf] = number
    return members


def _halves(at: Floats, leaf: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    axis = int(np.argmax(np.ptp(at[leaf], axis=0))) if at.shape[1] else 0
    order = leaf[np.argsort(at[leaf, axis], kind="stable")] if at.shape[1] else leaf
    return [order[: len(order) // 2], order[len(order) // 2 :]]
