"""What figures show, picked out of the records as plain arrays: pure, deterministic, thinned where it is too much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.report.material import Material
from sweeper.space import Range
from sweeper.trial import Combination, Stage, Status, TrialRecord

Array = NDArray[np.float64]

MAX_POINTS = 1500
"""Of a figure; more say no more to the eye and make the page slow."""

MAX_EPOCHS = 120
"""Points of a training curve: one every other pixel of its panel."""


@dataclass(frozen=True)
class Rates:
    """Screening scores of a combination against the learning rate.

    Attributes:
        rates, scores: (n,) of the trials with a score, by rising rate.
        diverged: (m,) rates of the trials that diverged.
        left_out: how many points were thinned away.
    """

    rates: Array
    scores: Array
    diverged: Array
    left_out: int = 0


def rates(material: Material) -> dict[Combination, Rates]:
    """Screening trials by combination, for those that had a learning rate."""
    grouped: dict[Combination, list[TrialRecord]] = {combination: [] for combination in material.combinations()}
    for record in material.screening():
        if _rate(record) is not None and record.spec.combination in grouped:
            grouped[record.spec.combination].append(record)
    room = max(MAX_POINTS // max(len(grouped), 1), 12)
    metric, sign = material.objective.validation, material.objective.sign
    return {combination: _rates(records, metric, sign, room) for combination, records in grouped.items()}


def _rates(records: Sequence[TrialRecord], metric: str, sign: int, room: int) -> Rates:
    points, diverged = [], []
    for record in records:
        rate, value = _rate(record), record.value(metric)
        if rate is None:
            continue
        if record.ended.status is Status.DIVERGED:
            diverged.append(rate)
        elif value is not None and math.isfinite(value):
            points.append((rate, value))
    points.sort()
    kept = _thinned(points, room, sign)
    crosses = sorted(set(diverged))
    crosses = crosses[:: math.ceil(len(crosses) / room)] if crosses else []
    xy = np.array(kept, float).reshape(-1, 2)
    return Rates(xy[:, 0], xy[:, 1], np.array(crosses, float), len(points) - len(kept))


def _rate(record: TrialRecord) -> float | None:
    rate = record.spec.params.get("learning_rate")
    usable = isinstance(rate, (int, float)) and math.isfinite(rate) and rate > 0
    return float(rate) if usable else None  # type: ignore[arg-type]


def _thinned(points: list[tuple[float, float]], room: int, sign: int) -> list[tuple[float, float]]:
    """At most `room` points: the best of each of `room` runs of neighbours, so that the best of all stays."""
    if len(points) <= room:
        return points
    runs = np.array_split(np.arange(len(points)), room)
    return [max((points[i] for i in run), key=lambda point: sign * point[1]) for run in runs if len(run)]


def rate_range(material: Material, combinations: Iterable[Combination], found: Mapping[Combination, Rates]) -> Array:
    """Lowest and highest learning rate of these combinations, searched or seen: (2,)."""
    seen: list[float] = []
    for combination in combinations:
        domain = material.space.tuned(combination).get("learning_rate")
        if isinstance(domain, Range):
            seen += [domain.low, domain.high]
        points = found[combination]
        seen += [*points.rates, *points.diverged]
    positive = [value for value in seen if value > 0]
    return np.array([min(positive), max(positive)]) if positive else np.array([1e-4, 1e-1])


def curves(material: Material, combination: Combination, stages: frozenset[Stage]) -> Array:
    """(seeds, epochs) validation scores of a combination, NaN after a training ended early."""
    metric = material.objective.validation
    rows = [
        record.curve[metric]
        for record in material.records
        if record.spec.stage in stages and record.spec.combination == combination and record.curve.get(metric)
    ]
    return padded(rows)


def best_curve(material: Material, combination: Combination) -> Array:
    """(1, epochs) of the best screening trial of a combination, or (0, 0)."""
    metric, sign = material.objective.validation, material.objective.sign
    scored = [
        (sign * value, -record.spec.number, record.curve[metric])
        for record in material.screening()
        if record.spec.combination == combination
        and record.curve.get(metric)
        and (value := record.value(metric)) is not None
        and math.isfinite(value)
    ]
    return padded([max(scored)[2]] if scored else [])


def padded(rows: Sequence[Sequence[float]]) -> Array:
    """Curves of unequal length as one array, NaN where there is no finite value."""
    length = max((len(row) for row in rows), default=0)
    table = np.full((len(rows), length), np.nan)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    table[~np.isfinite(table)] = np.nan
    return table


def epochs_shown(length: int) -> NDArray[np.intp]:
    """Indices of the epochs to draw: all, or evenly spread with both ends."""
    return np.unique(np.linspace(0, length - 1, min(length, MAX_EPOCHS)).round().astype(int))


def mean_curve(table: Array) -> Array:
    """Mean over seeds, NaN where fewer than half of them still train: (epochs,)."""
    present = np.isfinite(table)
    counts = present.sum(axis=0)
    totals = np.where(present, table, 0.0).sum(axis=0)
    enough = counts * 2 >= max(len(table), 1)
    return np.where(enough & (counts > 0), totals / np.maximum(counts, 1), np.nan)


def focus(values: Iterable[float], sign: int, *, keep: Iterable[float] = ()) -> tuple[float, float]:
    """Ends of an axis that shows the good half of the values well and all of `keep`; what is far worse lies outside.

    A single divergence of a loss would otherwise flatten everything that matters.
    """
    scores = np.array([value for value in values if math.isfinite(value)], float)
    kept = np.array([value for value in keep if math.isfinite(value)], float)
    everything = np.concatenate([scores, kept])
    if not len(everything):
        return 0.0, 1.0
    best = float(np.max(sign * everything))
    reach = best - float(np.median(sign * everything))
    worst = max(best - 2.5 * reach, float(np.min(sign * everything)))
    if len(kept):
        worst = min(worst, float(np.min(sign * kept)))
    room = 0.06 * (best - worst) or 0.05 * abs(best) or 0.05
    low, high = sorted((sign * (worst - room), sign * (best + room)))
    return low, high


def swarm(positions: Sequence[float], size: float, reach: float) -> list[float]:
    """Sideways offsets in pixels that keep dots of a size apart, at most `reach`; crowds are squeezed.

    Dots are placed from left to right, each as near to the middle line as its neighbours allow.
    """
    placed: list[tuple[float, float]] = []
    offsets = [0.0] * len(positions)
    for index in sorted(range(len(positions)), key=lambda i: positions[i]):
        near = [offset for x, offset in placed if abs(x - positions[index]) < size]
        step = next(step for step in range(2 * len(near) + 2) if all(abs(_side(step) * size - o) > 1e-6 for o in near))
        offsets[index] = _side(step) * size
        placed.append((positions[index], offsets[index]))
    widest = max((abs(offset) for offset in offsets), default=0.0)
    squeeze = min(1.0, reach / widest) if widest else 1.0
    return [offset * squeeze for offset in offsets]


def _side(step: int) -> int:
    """0, 1, -1, 2, -2, ... for steps 0, 1, 2, 3, 4."""
    return (step + 1) // 2 * (1 if step % 2 else -1)
