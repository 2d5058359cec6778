"""Everything that a study shows besides its verdict, from its records and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sweeper.reads import Reads
from sweeper.space import Space
from sweeper.stats.effects import OPTIMISM, Estimates, factors, interplay
from sweeper.stats.importance import importance
from sweeper.stats.sensitivity import sensitivity
from sweeper.stats.speed import speed
from sweeper.stats.tuning import tuning_curves
from sweeper.trial import TrialRecord
from sweeper.verdict import Objective, Verdict


def secondary(
    records: Sequence[TrialRecord],
    verdict: Verdict,
    *,
    space: Space,
    objective: Objective,
    no_information: float | None,
    seed: int,
) -> Reads:
    """Everything that can be read besides the verdict.

    Tuning curves and importance need equal effort for every combination: they are left out where an adaptive sampler
    chose the trials.
    """
    known = _estimates(verdict, objective)
    able = len(known.combinations) > 1
    return Reads(
        factors=factors(known, space.compare) if able else (),
        interplay=interplay(known, space.compare) if able else None,
        sensitivity=sensitivity(records, space=space, objective=objective, no_information=no_information),
        speed=speed(records, verdict.finalists, objective),
        tuning=tuning_curves(records, space.compare, objective, no_information),
        importance=importance(records, space, objective, no_information, seed),
    )


def _estimates(verdict: Verdict, objective: Objective) -> Estimates:
    """The screening estimates of the verdict, so that the page shows one number for one thing."""
    found = [
        each
        for each in verdict.explored
        if each.estimate is not None and each.estimate_sd is not None and math.isfinite(each.estimate)
    ]
    scores = np.array([objective.sign * (each.estimate or 0.0) for each in found])
    sds = OPTIMISM * np.array([each.estimate_sd or 0.0 for each in found])
    return Estimates(tuple(each.combination for each in found), scores, sds)
