"""Which parameter decides whether a trial is among the best: PED-ANOVA on the equal exploration alone.

Watanabe, Bansal and Hutter 2023 (arXiv 2304.10255): for each parameter the Pearson divergence between the density of
the best trials and that of all. Race and confirmation would bias it, because they were placed where scores are good.
The numbers are those of Optuna's `PedAnovaImportanceEvaluator` (a test compares them); it is written out here because
importing that brings scikit-learn, half the time of a report, and because a share means little without the one that
chance gives: that is found by shuffling the scores.

Parameters with ranges that differ from combination to combination enter by their position in the range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.reads import Importance, Weight
from sweeper.seeds import generator
from sweeper.space import Choice, Space
from sweeper.stats.positions import Axes
from sweeper.stats.sensitivity import oriented
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOP = 0.1
_FEWEST_TOP = 5
"""Optuna's advice: at least five trials above the quantile."""
_STEPS = 50
"""Cells of a numerical axis, and weight 1 of the uniform prior: as in Optuna."""
_SHUFFLES = 99
_SMALLEST_SD = 0.5 / 1.64
"""Of a kernel, in cells: 90 % of it fit into one."""


@dataclass(frozen=True)
class Column:
    """A parameter of n trials.

    Attributes:
        cells: (n,) index of the value, or of the cell that it lies in.
        size: number of cells.
        numeric: whether neighbouring cells are alike.
    """

    name: str
    cells: Ints
    size: int
    numeric: bool


def importance(
    records: Sequence[TrialRecord], space: Space, objective: Objective, no_information: float | None, seed: int
) -> Importance | None:
    """Shares of all parameters that vary; None where too few trials have a score."""
    scored = [(r, oriented(r, objective, no_information)) for r in records if r.spec.stage is Stage.EXPLORE]
    known = [(record, score) for record, score in scored if score is not None]
    if len(known) < 4 * _FEWEST_TOP:
        return None
    columns = _columns([record for record, _ in known], space)
    if len(columns) < 2:
        return None
    scores = np.array([score for _, score in known])
    top = best_trials(scores)
    values = np.array([divergence(column, top) for column in columns])
    rng = generator(seed, "importance")
    shuffled = [rng.permutation(top) for _ in range(_SHUFFLES)]
    chance = np.array([[divergence(column, each) for column in columns] for each in shuffled])
    total = float(values.sum())
    if not total > 0 or top.all():
        return None
    limits = np.quantile(chance, 0.95, axis=0)
    weights = [
        Weight(c.name, float(v / total), float(x / total)) for c, v, x in zip(columns, values, limits, strict=True)
    ]
    return Importance(tuple(sorted(weights, key=lambda weight: -weight.share)), int(top.sum()), len(scores))


def best_trials(scores: Floats) -> NDArray[np.bool_]:
    """(n,) whether each trial is among the best tenth, at least five; ties with the last of them included."""
    rank = max(math.ceil(_TOP * len(scores)), min(_FEWEST_TOP, len(scores)))
    return np.asarray(scores >= np.sort(scores)[::-1][rank - 1])


def divergence(column: Column, top: NDArray[np.bool_]) -> float:
    """Pearson divergence of the densities of the best and of all trials over the cells of a parameter."""
    best = _density(column, np.bincount(column.cells[top], minlength=column.size)) + 1e-12
    every = _density(column, np.bincount(column.cells, minlength=column.size)) + 1e-12
    return float(every @ (best / every - 1) ** 2)


def _columns(records: Sequence[TrialRecord], space: Space) -> list[Column]:
    """Compared parameters by value, tuned ones by position."""
    columns = []
    for name in space.compare:
        values = list(dict.fromkeys(record.spec.combination[name] for record in records))
        cells = np.array([values.index(record.spec.combination[name]) for record in records], dtype=np.int64)
        columns.append(Column(name, cells, len(values), numeric=False))
    names = space.tuned_names()
    axes: dict[Combination, Axes] = {each: Axes(space, each, names) for each in space.combinations()}
    places = np.array([axes[record.spec.combination].position(record.spec.params) for record in records])
    for index, name in enumerate(names):
        domains = [each.domains.get(name) for each in axes.values()]
        choices = {len(domain.values) for domain in domains if isinstance(domain, Choice)}
        size = max(choices) if choices else _STEPS
        columns.append(Column(name, _cells(places[:, index], size, bool(choices)), size, not choices))
    return [column for column in columns if len(np.unique(column.cells)) > 1]


def _cells(positions: Floats, size: int, choice: bool) -> Ints:
    """Cells of equal width for choices, cells around equally spaced points for numbers."""
    cells = np.floor(positions * size) if choice else np.ceil(positions * (size - 1) - 0.5)
    return np.clip(cells, 0, size - 1).astype(np.int64)


def _density(column: Column, counts: Ints) -> Floats:
    """(size,) density over the cells: one kernel a distinct value, weighted by its trials, and a prior of weight 1."""
    seen = np.flatnonzero(counts)
    weights = np.append(counts[seen], 1.0) / (counts.sum() + 1.0)
    kernels = _kernels(seen, counts[seen], column.size) if column.numeric else _masses(seen, column.size)
    return np.asarray(weights @ kernels)


def _masses(seen: Ints, size: int) -> Floats:
    """(k + 1, size) one row a value that occurs, smoothed by a prior of weight 1; the last row is the prior alone."""
    rows = len(seen) + 1
    kernels = np.full((rows, size), 1.0 / rows)
    kernels[np.arange(len(seen)), seen] += 1.0
    return np.asarray(kernels / kernels.sum(axis=1, keepdims=True))


def _kernels(seen: Ints, counts: Ints, size: int) -> Floats:
    """(k + 1, size) normal kernels by Scott's rule, cut off at the ends, and a wide one in the middle for the prior."""
    total, running = float(counts.sum()), np.cumsum(counts)
    mean = float(seen @ counts) / total
    sd = math.sqrt(float((seen - mean) ** 2 @ counts) / max(1.0, total - 1))
    first = int(np.searchsorted(running, total // 4, side="left"))
    third = min(len(seen) - 1, int(np.searchsorted(running, total * 3 // 4, side="right")))
    spread = 1.059 * min(float(seen[third] - seen[first]) / 1.34, sd) * total**-0.2
    centers = np.append(seen, (size - 1) / 2.0)
    sds = np.append(np.full(len(seen), max(spread, _SMALLEST_SD)), float(size))
    edges = np.arange(size + 1) - 0.5
    below = _normal((edges[None, :] - centers[:, None]) / sds[:, None])
    mass = np.diff(below, axis=1)
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def _normal(values: Floats) -> Floats:
    """The standard normal distribution function."""
    return np.asarray(np.vectorize(math.erfc, otypes=[float])(-values / math.sqrt(2.0)) / 2)
