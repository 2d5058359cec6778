"""How fast the finalists reach a score: every seed of the confirmation, a miss counting as infinity.

The target is the median final validation score of the finalist that is last in validation, so that every finalist has
a chance. Whole profiles are kept rather than means, which a single miss would make infinite (AlgoPerf, Dahl et al.
2023, arXiv 2306.07179). Seconds take every epoch of a training for equally long; they are those of this machine, and of
trainings that may have run side by side.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from sweeper.reads import Pace, Speed
from sweeper.trial import Combination, Stage, Status, TrialRecord
from sweeper.verdict import Finalist, Objective


def speed(records: Sequence[TrialRecord], finalists: Sequence[Finalist], objective: Objective) -> Speed | None:
    """Epochs and seconds to the target; None where there are no curves of a confirmation."""
    runs = {each.combination: _runs(records, each) for each in finalists}
    finals = {each: _median_final(mine, objective) for each, mine in runs.items()}
    known = [objective.sign * value for value in finals.values() if value is not None]
    if not known or not any(_course(run, objective) for mine in runs.values() for run in mine):
        return None
    target = objective.sign * min(known)
    paces = [_pace(each, mine, target, objective) for each, mine in runs.items() if mine]
    longest = max(run.spec.epochs for mine in runs.values() for run in mine)
    return Speed(target, longest, tuple(sorted(paces, key=_order)))


def _runs(records: Sequence[TrialRecord], finalist: Finalist) -> list[TrialRecord]:
    """The confirmation runs of a finalist at the learning rate that it was judged with."""
    rate = finalist.params.get("learning_rate")
    return [
        record
        for record in records
        if record.spec.stage is Stage.CONFIRM
        and record.spec.combination == finalist.combination
        and record.spec.params.get("learning_rate") == rate
        and record.ended.status in (Status.COMPLETED, Status.DIVERGED)
    ]


def _median_final(runs: Sequence[TrialRecord], objective: Objective) -> float | None:
    """A run that diverged has no final score and counts as the worst there is; between two values the worse one."""
    finals = [objective.sign * (run.value(objective.validation) or 0.0) for run in runs if _ended_well(run, objective)]
    finals += [-math.inf] * (len(runs) - len(finals))
    median = statistics.median_low(finals) if finals else -math.inf
    return objective.sign * median if math.isfinite(median) else None


def _ended_well(run: TrialRecord, objective: Objective) -> bool:
    value = run.value(objective.validation)
    return value is not None and math.isfinite(value)


def _course(run: TrialRecord, objective: Objective) -> Sequence[float]:
    return run.curve.get(objective.validation) or ()


def _pace(combination: Combination, runs: Sequence[TrialRecord], target: float, objective: Objective) -> Pace:
    epochs, seconds = [], []
    for run in runs:
        reached = _first(_course(run, objective), target, objective.sign)
        epochs.append(reached)
        each = run.ended.duration_s / max(run.ended.epochs, 1)
        seconds.append(reached * each if each > 0 else math.inf)
    timed = any(math.isfinite(value) for value in seconds)
    return Pace(combination, tuple(sorted(epochs)), tuple(sorted(seconds)) if timed else ())


def _first(course: Sequence[float], target: float, sign: int) -> float:
    """The first epoch, from 1, that is at least as good as the target."""
    return next((float(epoch) for epoch, value in enumerate(course, 1) if sign * value >= sign * target), math.inf)


def _order(pace: Pace) -> tuple[float, float, int]:
    middle = (len(pace.epochs) - 1) // 2
    return pace.epochs[middle], sum(value for value in pace.epochs if math.isfinite(value)), -pace.reached
