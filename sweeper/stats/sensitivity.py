"""How much each combination forgives a wrong learning rate, and where it diverges: exploration and race.

The window is where the fitted curve (`surface`) stays within a point of its top, or 1 % of the best score where scores
are no shares. What a learning rate at random costs follows Wortsman et al. 2023 (arXiv 2309.14322): the mean distance
from the optimum over the sweep, no trial counting as worse than one that learned nothing. It is the mean over the
trials of exploration themselves, which lie evenly in the range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sweeper.reads import RateWindow, Sensitivity
from sweeper.space import Range, Space
from sweeper.stats.curve import LEARNING_RATE, Curve, Screened
from sweeper.stats.evidence import SHARES, has_diverged
from sweeper.stats.positions import Axes
from sweeper.stats.surface import Surface, fit_surface
from sweeper.trial import Combination, Stage, Status, TrialRecord
from sweeper.verdict import Objective

Floats = NDArray[np.float64]

SCREENED = (Stage.EXPLORE, Stage.RACE, Stage.SEARCH)
_GRID = 201
"""Points on the axis of the learning rate: steps of 0.02 decade."""
_WITHIN = 0.01
"""A point of a share, or 1 % of the best score."""
_CLEARLY_BAD = 20.0
"""As in `screening`: the distance, in smallest differences that matter, that says "not here"."""


def sensitivity(
    records: Sequence[TrialRecord],
    screened: Sequence[Screened],
    *,
    space: Space,
    objective: Objective,
    no_information: float | None,
) -> Sensitivity | None:
    """The window of every combination that has a logarithmic range of learning rates, the widest first."""
    grouped = by_combination(records, space)
    able = [each for each in screened if each.position is not None and _rates(space, each.combination) is not None]
    names = space.tuned_names()
    curves = [Curve(Axes(space, e.combination, names), grouped[e.combination], space, objective) for e in able]
    if not curves:
        return None
    best = max(curve.best_score for curve in curves)
    tolerance = _WITHIN * (1.0 if is_share(objective.metric) else abs(best))
    epsilon = objective.epsilon * (abs(best) if objective.relative else 1.0)
    surface = fit_surface([curve.samples(no_information) for curve in curves], scale=_CLEARLY_BAD * epsilon)
    found = []
    for index, each in enumerate(able):
        own, axes = grouped[each.combination], Axes(space, each.combination, names)
        line = _Line(axes, each, own, surface, index)
        found.append(line.window(tolerance, objective, no_information))
    return Sensitivity(tolerance, tuple(sorted(found, key=lambda window: -window.decades)))


def by_combination(records: Sequence[TrialRecord], space: Space) -> dict[Combination, list[TrialRecord]]:
    """The trials of exploration and race."""
    grouped: dict[Combination, list[TrialRecord]] = {each: [] for each in space.combinations()}
    for record in records:
        if record.spec.stage in SCREENED and record.spec.combination in grouped:
            grouped[record.spec.combination].append(record)
    return grouped


def is_share(metric: str) -> bool:
    """Whether scores lie between 0 and 1, so that differences are told in points."""
    return metric in SHARES or metric.endswith("accuracy")


def _rates(space: Space, combination: Combination) -> Range | None:
    domain = space.tuned(combination).get(LEARNING_RATE)
    return domain if isinstance(domain, Range) and domain.log and domain.low > 0 else None


class _Line:
    """The curve of a combination along its learning rate, everything else as at its best."""

    def __init__(
        self, axes: Axes, each: Screened, records: Sequence[TrialRecord], surface: Surface, index: int
    ) -> None:
        self._each, self._records = each, records
        domain = axes.domains[LEARNING_RATE]
        assert isinstance(domain, Range)
        axis = axes.names.index(LEARNING_RATE)
        tried = [axes.position(record.spec.params)[axis] for record in records]
        grid = np.linspace(min(tried), max(tried), _GRID)  # beyond the trials a curve is a guess
        line = np.tile(np.array(each.position), (_GRID, 1))
        line[:, axis] = grid
        self._rates = np.array([domain.at(position) for position in grid.tolist()])
        self._mean = surface.predict(index, axes.distances(line))[0]

    def window(self, tolerance: float, objective: Objective, no_information: float | None) -> RateWindow:
        """The stretch around the top that stays within the tolerance, no wider than the trials."""
        # rounded: the last bits differ between machines, and the same ledger has to give the same report
        top = int(np.argmax(np.round(self._mean, 9)))
        good = self._mean >= self._mean[top] - tolerance
        left = top - int(np.argmin(good[top::-1])) + 1 if not good[: top + 1].all() else 0
        right = top + int(np.argmin(good[top:])) - 1 if not good[top:].all() else _GRID - 1
        diverged = [r for r in self._records if has_diverged(r, objective.validation)]
        rates = [float(r.spec.params[LEARNING_RATE]) for r in diverged]
        return RateWindow(
            combination=self._each.combination,
            best=float(self._rates[top]),
            low=float(self._rates[left]),
            high=float(self._rates[right]),
            decades=math.log10(self._rates[right] / self._rates[left]),
            open=left == 0 or right == _GRID - 1,
            random_cost=self._cost(objective, no_information),
            trials=len(self._records),
            diverged=len(diverged),
            diverged_from=min(rates, default=None),
        )

    def _cost(self, objective: Objective, no_information: float | None) -> float:
        """Mean distance of the evenly spread trials from the top of the curve."""
        even = [record for record in self._records if record.spec.stage is not Stage.RACE]
        scores = [oriented(record, objective, no_information) for record in even]
        known = [score for score in scores if score is not None]
        floor = min((score for score in known if math.isfinite(score)), default=0.0)
        top = max([float(self._mean.max()), *known])
        return float(np.mean([top - max(score, floor) for score in known])) if known else 0.0


def oriented(record: TrialRecord, objective: Objective, no_information: float | None) -> float | None:
    """The validation score, higher is better, never below that of a predictor that looks at no input.

    A run that diverged counts as that; where it is not known, as minus infinity. None for a trial without a score.
    """
    worst = -math.inf if no_information is None else objective.sign * no_information
    value = record.value(objective.validation)
    if has_diverged(record, objective.validation):
        return worst
    if value is None or record.ended.status not in (Status.COMPLETED, Status.PRUNED):
        return None
    return max(objective.sign * value, worst)
