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
from sweeper.stats.curve import LEARNING_RATE, Curve
from sweeper.stats.evidence import SHARES, has_diverged
from sweeper.stats.positions import Axes
from sweeper.stats.surface import Surface, fit_surface
from sweeper.trial import Combination, Stage, Status, TrialRecord
from sweeper.verdict import Objective

Floats = NDArray[np.float64]

SCREENED = (Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.SEARCH)
_GRID = 201
"""Points on the axis of the learning rate: steps of 0.02 decade."""
_WITHIN = 0.01
"""A point of a share, or 1 % of the best score."""
_CLEARLY_BAD = 20.0
"""As in `screening`: the distance, in smallest differences that matter, that says "not here"."""


def sensitivity(
    records: Sequence[TrialRecord], *, space: Space, objective: Objective, no_information: float | None
) -> Sensitivity | None:
    """The window of every combination that has a logarithmic range of learning rates, the widest first."""
    names = space.tuned_names()
    grouped = [(each, own) for each, own in by_combination(records, space).items() if _rates(space, each) is not None]
    curves = [Curve(Axes(space, each, names), own, space, objective) for each, own in grouped]
    fitted = [(curve, own) for curve, (_, own) in zip(curves, grouped, strict=True) if curve.scored]
    if not fitted:
        return None
    best = max(curve.best_score for curve, _ in fitted)
    tolerance = _WITHIN * (1.0 if is_share(objective.metric) else abs(best))
    epsilon = objective.epsilon * (abs(best) if objective.relative else 1.0)
    surface = fit_surface([curve.samples(no_information) for curve, _ in fitted], scale=_CLEARLY_BAD * epsilon)
    found = []
    for index, (curve, own) in enumerate(fitted):
        line = _Line(Axes(space, curve.combination, names), own, objective, surface, index)
        found.append(line.window(curve.combination, tolerance, no_information))
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
    """The curve of a combination along its learning rate, everything else as in its best trial."""

    def __init__(
        self, axes: Axes, records: Sequence[TrialRecord], objective: Objective, surface: Surface, index: int
    ) -> None:
        self._records, self._objective = records, objective
        domain = axes.domains[LEARNING_RATE]
        assert isinstance(domain, Range)
        axis = axes.names.index(LEARNING_RATE)
        places = np.array([axes.position(record.spec.params) for record in records])
        scores = [oriented(record, objective, None) for record in records]
        best = int(np.argmax([-math.inf if score is None else score for score in scores]))
        grid = np.linspace(places[:, axis].min(), places[:, axis].max(), _GRID)  # beyond the trials a curve is a guess
        line = np.tile(places[best], (_GRID, 1))
        line[:, axis] = grid
        self._rates = domain.low * (domain.high / domain.low) ** grid
        self._mean = surface.predict(index, axes.distances(line))[0]

    def window(self, combination: Combination, tolerance: float, no_information: float | None) -> RateWindow:
        """The stretch around the top that stays within the tolerance, no wider than the trials."""
        # rounded: the last bits differ between machines, and the same ledger has to give the same report
        top = int(np.argmax(np.round(self._mean, 9)))
        good = self._mean >= self._mean[top] - tolerance
        left = top - int(np.argmin(good[top::-1])) + 1 if not good[: top + 1].all() else 0
        right = top + int(np.argmin(good[top:])) - 1 if not good[top:].all() else _GRID - 1
        diverged = [record for record in self._records if has_diverged(record, self._objective.validation)]
        return RateWindow(
            combination=combination,
            best=float(self._rates[top]),
            low=float(self._rates[left]),
            high=float(self._rates[right]),
            decades=math.log10(self._rates[right] / self._rates[left]),
            open=left == 0 or right == _GRID - 1,
            random_cost=self._cost(no_information),
            trials=len(self._records),
            diverged=len(diverged),
            diverged_from=min((float(each.spec.params[LEARNING_RATE]) for each in diverged), default=None),
        )

    def _cost(self, no_information: float | None) -> float:
        """Mean distance of the evenly spread trials from the top of the curve."""
        even = [record for record in self._records if record.spec.stage not in (Stage.WIDEN, Stage.RACE)]
        scores = [oriented(record, self._objective, no_information) for record in even]
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
