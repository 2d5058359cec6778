"""The trials of one combination in exploration, and where on its fitted curve it is confirmed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeper.seeds import generator
from sweeper.space import Range, Space
from sweeper.stats.positions import Axes
from sweeper.stats.surface import Samples, Surface
from sweeper.trial import Combination, Stage, Status, TrialRecord
from sweeper.verdict import Objective

Floats = NDArray[np.float64]

LEARNING_RATE = "learning_rate"
_SAFETY_DECADES = 0.3
"""Distance kept below a learning rate that diverged: close to the edge of stability scores are bimodal (opda)."""
_ON_TOP = (Stage.WIDEN, Stage.RACE)
"""Stages that some combinations have trials of and others not."""
_BORDER = 1 / 8
_END = 1 / 16
"""Share of a range next to its end where a pick lies on the border although a trial was further out."""
_GRID = 201
"""Points of a single tuned axis: steps of 0.02 decade of learning rate."""
_CANDIDATES = 512
"""Settings drawn where several parameters are tuned; half as many follow around the best of them."""


@dataclass(frozen=True)
class Screened:
    """A combination after exploration.

    Attributes:
        position: where in the unit cube it is expected to be best, one coordinate for each of `Space.tuned_names`.
        params: every parameter there: what it is confirmed with; None if no trial completed.
        estimate: expected validation score there, in the metric's unit; `sd` of it, without the noise of a training.
        trials, diverged: of the equal exploration; what came on top of it is not counted.
        best: best score of a single trial, `best_params` its parameters.
        failed: trials that say nothing (an error, a crash, a time limit).
        border: parameters on a log scale whose best value lies in the outer eighth of their range, where the curve
            still rises: no trial is further out, or it is next to the end. Not where divergence sets the limit.
        unsafe: whether the learning rate lies above one that diverged, because nothing completed below that.
        plateau_decades: width in learning rate over which the curve stays within three epsilon of its top.
        tuned: number of parameters that are tuned inside it.
        shortfall: by how much a better setting within reach may beat this one, as expected from the curve.
    """

    combination: Combination
    trials: int
    diverged: int
    failed: int
    position: tuple[float, ...] | None = None
    params: Mapping[str, Any] | None = None
    estimate: float | None = None
    sd: float | None = None
    best: float | None = None
    best_params: Mapping[str, Any] | None = None
    border: tuple[str, ...] = ()
    unsafe: bool = False
    plateau_decades: float = 0.0
    tuned: int = 0
    shortfall: float = 0.0

    @property
    def on_border(self) -> bool:
        """Whether a wider range may hold something better."""
        return bool(self.border)


class Curve:
    """The trials of one combination."""

    def __init__(self, axes: Axes, records: Sequence[TrialRecord], space: Space, objective: Objective) -> None:
        self.combination = axes.combination
        self._records = records
        self._space = space
        self._sign = objective.sign
        self._metric = objective.validation
        self._axes = axes
        self.scored = [record for record in records if self._score(record) is not None]
        self.diverged = [record for record in records if self._has_diverged(record)]

    @property
    def best_score(self) -> float:
        """Best score of a single trial, higher is better."""
        return max(self._score(record) or 0.0 for record in self._complete())

    def samples(self, no_information: float | None) -> Samples:
        """Positions and oriented scores of the trials that say something."""
        worst = -np.inf if no_information is None else self._sign * no_information
        worst = worst if worst < self.best_score else -np.inf
        known = [(record, self._score(record)) for record in self._records]
        kept = [(r.spec.params, worst if score is None else score) for r, score in known if self._says(r, score)]
        places = np.array([self._axes.position(params) for params, _ in kept])
        # rounded, so that combinations tried at the same points are seen to be (`surface` shares their work)
        return Samples(np.round(self._axes.distances(places), 9), np.array([score for _, score in kept]))

    def without_estimate(self) -> Screened:
        """The counts alone: of the equal exploration, without what came on top of it."""
        explored = [record for record in self._records if record.spec.stage not in _ON_TOP]
        failed = sum(record.ended.status.is_failure for record in explored)
        return Screened(self.combination, len(explored), sum(map(self._has_diverged, explored)), failed)

    def screened(self, surface: Surface, index: int, plateau: float, seed: int) -> Screened:
        """The top of the curve, at a safe distance from divergence."""
        limit = self._limit()
        rng = generator(seed, "screening", str(self.combination))
        candidates = self._candidates(surface, index, rng)
        candidates = candidates[self._within_reach(candidates)]
        if limit is not None:
            candidates = candidates[self._rates(candidates) <= limit]
        mean, sd = surface.predict(index, self._axes.distances(candidates))
        # rounded: the last bits differ between machines, and the same ledger has to give the same settings
        top = int(np.argmax(np.round((mean - mean.max()) / (surface.signal_sd or 1.0), 6)))
        best = max(self._complete(), key=lambda record: self._score(record) or 0.0)
        counts = self.without_estimate()
        return Screened(
            self.combination,
            counts.trials,
            counts.diverged,
            counts.failed,
            position=tuple(candidates[top].tolist()),
            params=self._space.at(self.combination, candidates[top].tolist()),
            estimate=self._sign * float(mean[top]),
            sd=float(sd[top]),
            best=best.value(self._metric),
            best_params=best.spec.params,
            border=self._border(candidates[top], limit),
            unsafe=limit is None and self._above_divergence(candidates[top]),
            plateau_decades=self._plateau(surface, index, candidates[top], plateau),
            tuned=len(self._axes.domains),
            shortfall=self._shortfall(surface, index, candidates, top, rng),
        )

    def _shortfall(self, surface: Surface, index: int, candidates: Floats, top: int, rng: np.random.Generator) -> float:
        """What a better setting may gain; where many are known, the nearest in rank to the chosen one are enough."""
        mean, _ = surface.predict(index, self._axes.distances(candidates))
        order = np.argsort(-np.round(mean / (surface.signal_sd or 1.0), 6), kind="stable")[:_GRID]
        some = np.concatenate([[top], order[order != top]])
        return surface.shortfall(index, self._axes.distances(candidates[some]), 0, rng)

    def _score(self, record: TrialRecord) -> float | None:
        """Higher is better; None where a trial has no score. A pruned trial is worth what it had reached."""
        value = record.value(self._metric)
        if record.ended.status not in (Status.COMPLETED, Status.PRUNED) or value is None or not math.isfinite(value):
            return None
        return self._sign * value

    def _has_diverged(self, record: TrialRecord) -> bool:
        value = record.value(self._metric)
        infinite = record.ended.status is Status.COMPLETED and value is not None and not math.isfinite(value)
        return infinite or record.ended.status is Status.DIVERGED

    def _says(self, record: TrialRecord, score: float | None) -> bool:
        return score is not None or self._has_diverged(record)

    def _complete(self) -> list[TrialRecord]:
        return [r for r in self.scored if r.ended.status is Status.COMPLETED] or self.scored

    def _rate_axis(self) -> int:
        return self._axes.names.index(LEARNING_RATE)

    def _rate(self, position: Floats) -> float:
        """The learning rate at a position, where it is tuned."""
        domain = self._axes.domains[LEARNING_RATE]
        return float(domain.at(float(position[self._rate_axis()])))

    def _rates(self, positions: Floats) -> Floats:
        """(m,) learning rates at (m, d) positions."""
        domain = self._axes.domains[LEARNING_RATE]
        along = positions[:, self._rate_axis()]
        if isinstance(domain, Range) and domain.log and not domain.integer:
            rates = np.exp(np.log(domain.low) + along * np.log(domain.high / domain.low))
            return np.asarray(np.clip(rates, domain.low, domain.high))
        return np.array([float(domain.at(position)) for position in along.tolist()])

    def _diverged_rate(self) -> float:
        """The lowest learning rate that diverged."""
        rates = [record.spec.params.get(LEARNING_RATE) for record in self.diverged]
        return min((float(rate) for rate in rates if isinstance(rate, (int, float))), default=math.inf)

    def _above_divergence(self, position: Floats) -> bool:
        return LEARNING_RATE in self._axes.domains and self._diverged_rate() <= self._rate(position)

    def _limit(self) -> float | None:
        """Highest learning rate to confirm with; None: nothing diverged, or nothing completed further below."""
        limit = self._diverged_rate() * 10**-_SAFETY_DECADES
        if LEARNING_RATE not in self._axes.domains or math.isinf(limit):
            return None
        tried = (self._rate(self._axes.position(record.spec.params)) for record in self._complete())
        return limit if any(rate <= limit for rate in tried) else None

    def _candidates(self, surface: Surface, index: int, rng: np.random.Generator) -> Floats:
        """(m, d) positions that exist, the middle of the cube first: where all are alike it is chosen."""
        free = [i for i, name in enumerate(self._axes.names) if name in self._axes.domains]
        tried = np.array([self._axes.position(record.spec.params) for record in self._complete()])
        if len(free) <= 1:
            drawn = np.full((_GRID, len(self._axes.names)), 0.5)
            drawn[:, free] = np.linspace(0.0, 1.0, _GRID)[:, None]
        else:
            drawn = rng.random((_CANDIDATES, len(self._axes.names)))
            known = np.concatenate([tried, self._axes.snapped(drawn)])
            top = known[int(np.argmax(surface.predict(index, self._axes.distances(known))[0]))]
            nearby = np.clip(top + rng.normal(0.0, 0.05, (_CANDIDATES // 2, len(top))), 0.0, 1.0)
            drawn = np.concatenate([drawn, nearby])
        known = np.concatenate([self._axes.snapped(drawn), tried])
        return known[np.argsort(np.abs(known - 0.5).max(axis=1, initial=0.0), kind="stable")]

    def _reach(self) -> tuple[Floats, Floats]:
        """(d,) lowest and highest coordinate of the trials that say something, diverged ones included."""
        said = [record for record in self._records if self._says(record, self._score(record))]
        places = np.array([self._axes.position(record.spec.params) for record in said])
        return places.min(axis=0), places.max(axis=0)

    def _within_reach(self, candidates: Floats) -> NDArray[np.bool_]:
        """(m,) whether each of (m, d) positions is at most half a spacing outside of the trials of every range.

        Further out a curve is a guess, and a lucky last point would make it a high one.
        """
        ranges = [i for i, name in enumerate(self._axes.names) if isinstance(self._axes.domains.get(name), Range)]
        even = sum(record.spec.stage not in _ON_TOP for record in self._records)
        low, high = self._reach()
        margin = 0.5 / max(even, 1)
        inside = (candidates >= low - margin) & (candidates <= high + margin)
        return np.asarray(inside[:, ranges].all(axis=1))

    def _border(self, position: Floats, limit: float | None) -> tuple[str, ...]:
        found = []
        for name, coordinate, low, high in zip(self._axes.names, position, *self._reach(), strict=True):
            domain = self._axes.domains.get(name)
            if not isinstance(domain, Range) or not domain.log:
                continue
            unstable = name == LEARNING_RATE and bool(self.diverged)
            capped = name == LEARNING_RATE and limit is not None and domain.at(coordinate + 2 / _GRID) > limit
            low, high = low + 1 / _GRID, high - 1 / _GRID
            lower = coordinate < _BORDER and not capped and (coordinate < low or coordinate < _END)
            upper = coordinate > 1 - _BORDER and not unstable and (coordinate > high or coordinate > 1 - _END)
            if lower or upper:
                found.append(name)
        return tuple(found)

    def _plateau(self, surface: Surface, index: int, top: Floats, height: float) -> float:
        domain = self._axes.domains.get(LEARNING_RATE)
        if not isinstance(domain, Range) or domain.low <= 0:
            return 0.0
        line = np.repeat(top[None, :], _GRID, axis=0)
        line[:, self._rate_axis()] = np.linspace(0.0, 1.0, _GRID)
        mean, _ = surface.predict(index, self._axes.distances(line))
        decades = np.gradient(np.log10(self._rates(line)))
        return float(decades[mean >= mean.max() - height].sum())
