"""From trial records to the confirmation: which scores count, and which metric decides.

Everything here looks at a repetition as soon as all of its runs have ended and never again, so that the planner in the
middle of a study and the judge at its end see the same numbers.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sweeper.stats.confirmation import Confirmation, Scores, replay
from sweeper.stats.curve import Screened
from sweeper.stats.rules import JudgeRules
from sweeper.stats.unresolved import Unresolved
from sweeper.trial import Combination, Stage, Status, TrialRecord
from sweeper.verdict import Objective
from sweeper.vocabulary import METRICS

SHARES = frozenset({"accuracy", "top_5_accuracy", "auc", "f1", "precision", "recall"})
"""Metrics between 0 and 1 that a good model can exhaust."""
_CEILING = 0.995
_EARNED = 0.5
"""Share of the shortfall that a curve expects which is really there: in simulated studies finalists lose 0.10 to 0.11
points to their best learning rate, and the curves expect 0.20, because the prior that they share suits the roughest."""
_DEFAULT_EPSILON = 0.01
"""Share of the leader's score, for a tie-break that the vocabulary does not know."""


@dataclass(frozen=True)
class Evidence:
    """A confirmation and what it was decided by.

    Attributes:
        objective: whose test metric decided: the study's, or its tie-break at a ceiling.
        metric: the study's own.
        ceiling: whether the study's own metric cannot tell the finalists apart.
        full: whether that is because two of them are above 99.5 %, not because most differences are exactly 0.
        switched: whether the tie-break decided because of that.
        scores: finalist -> one value a repetition of the *study's* metric; NaN where a training failed.
        runs: finalist -> the trials that the scores are of (`confirmation_runs`).
    """

    confirmation: Confirmation
    objective: Objective
    metric: str
    ceiling: bool
    full: bool
    switched: bool
    scores: Scores
    runs: Mapping[Combination, Sequence[TrialRecord]]


def confirm(
    records: Iterable[TrialRecord], chosen: Sequence[Screened], *, objective: Objective, rules: JudgeRules
) -> Evidence:
    """Replay the confirmation of the chosen finalists from the records of the confirm stage."""
    runs = confirmation_runs(records, chosen)
    scores = paired_scores(runs, objective, rules)
    looks = [look for look in rules.looks if look >= 2]
    ceiling = bool(looks) and at_ceiling(scores, objective.metric, looks[0])
    full = ceiling and is_full(scores, objective.metric, looks[0])
    deciding, used = objective, scores
    if ceiling and objective.tie_break is not None:
        second = tie_break(objective)
        others = paired_scores(runs, second, rules)
        first = slice(looks[0])
        alike = all(np.array_equal(np.isnan(scores[each][first]), np.isnan(others[each][first])) for each in scores)
        # runs that diverged have a score in any metric, so it takes one that was measured
        measured = any(run.value(second.test) is not None for mine in runs.values() for run in mine)
        if alike and measured:
            deciding, used = second, others
    state = replay(
        used,
        objective=deciding,
        rules=rules,
        unresolved=_unresolved(chosen, runs, deciding, tuned_by=objective),
    )
    return Evidence(state, deciding, objective.metric, ceiling, full, deciding is not objective, scores, runs)


def _unresolved(
    chosen: Sequence[Screened],
    runs: Mapping[Combination, Sequence[TrialRecord]],
    deciding: Objective,
    *,
    tuned_by: Objective,
) -> Unresolved:
    """Tuning is told by the metric of the exploration, rows by accuracy; neither says anything of another metric."""
    tuning = {each.combination: _EARNED * each.shortfall for each in chosen} if deciding is tuned_by else {}
    correct = {}
    if deciding.metric == "accuracy":
        for each, mine in runs.items():
            told = {run.spec.repetition: run.ended.correct for run in mine}
            correct[each] = [told.get(repetition) for repetition in range(max(told, default=-1) + 1)]
    return Unresolved(tuning, correct)


def confirmation_runs(
    records: Iterable[TrialRecord], chosen: Sequence[Screened]
) -> dict[Combination, list[TrialRecord]]:
    """Each chosen finalist's runs with the parameters that it is confirmed with, one a repetition, in order.

    An exploration that is extended may choose other finalists, or another learning rate for one: what was confirmed
    before says nothing about those, and a finalist that nobody trains any more would be waited for without end.
    """
    wanted = {each.combination: _written(each.params) for each in chosen}
    runs: dict[Combination, dict[int, TrialRecord]] = {each: {} for each in wanted}
    for record in records:
        spec = record.spec
        if spec.stage is Stage.CONFIRM and wanted.get(spec.combination) == _written(spec.params):
            runs[spec.combination][spec.repetition] = record
    return {each: [mine[repetition] for repetition in sorted(mine)] for each, mine in runs.items()}


def paired_scores(
    runs: Mapping[Combination, Sequence[TrialRecord]], objective: Objective, rules: JudgeRules
) -> dict[Combination, list[float]]:
    """One test score a repetition, from the first on without a gap; NaN where the training failed.

    A run that diverged counts as the no-information score; where none is known, as the worst of its repetition.
    """
    by_repetition = {each: {record.spec.repetition: record for record in mine} for each, mine in runs.items()}
    table: dict[Combination, list[float]] = {}
    for each, mine in by_repetition.items():
        ended = itertools.takewhile(mine.__contains__, itertools.count())
        table[each] = [_score(mine[repetition], objective, rules) for repetition in ended]
    for repetition in range(max(map(len, table.values()), default=0)):
        row = [scores for scores in table.values() if repetition < len(scores)]
        known = [objective.sign * scores[repetition] for scores in row if math.isfinite(scores[repetition])]
        for scores in row:
            if math.isinf(scores[repetition]):
                scores[repetition] = objective.sign * min(known, default=math.nan)
    return table


def has_diverged(record: TrialRecord, metric: str) -> bool:
    """Whether the training or its score was not a finite number."""
    value = record.value(metric)
    infinite = record.ended.status is Status.COMPLETED and value is not None and not math.isfinite(value)
    return infinite or record.ended.status is Status.DIVERGED


def at_ceiling(scores: Scores, metric: str, look: int) -> bool:
    """Whether, at the first look, half of the paired differences are exactly 0 or two finalists are above 99.5 %.

    The rule is applied once, at the first look: a metric is not changed after the scores of a later look were seen.
    """
    table = [np.asarray(each[:look], dtype=np.float64) for each in scores.values()]
    if len(table) < 2 or any(len(each) < look for each in table):
        return False
    differences = np.concatenate([a - b for a, b in itertools.combinations(table, 2)])
    differences = differences[np.isfinite(differences)]
    alike = len(differences) > 0 and float(np.mean(differences == 0.0)) >= 0.5
    return alike or is_full(scores, metric, look)


def is_full(scores: Scores, metric: str, look: int) -> bool:
    """Whether two finalists are above 99.5 % at a look."""
    table = [np.asarray(each[:look], dtype=np.float64) for each in scores.values()]
    full = [each for each in table if np.nansum(each) > _CEILING * np.isfinite(each).sum() > 0]
    return metric in SHARES and len(full) >= 2


def tie_break(objective: Objective) -> Objective:
    """The second objective of a study, declared before anything was trained."""
    name = objective.tie_break or ""
    known = METRICS.get(name)
    epsilon, relative = (known.epsilon, known.relative) if known else (_DEFAULT_EPSILON, True)
    return replace(
        objective,
        metric=name,
        maximize=objective.tie_break_maximize,
        epsilon=epsilon,
        relative=relative,
        tie_break=None,
    )


def _written(params: Mapping[str, Any] | None) -> str:
    """Parameters as the ledger keeps them: read back, a tuple is a list."""
    return json.dumps(params, sort_keys=True, default=str)


def _score(record: TrialRecord, objective: Objective, rules: JudgeRules) -> float:
    """The test score; inf for a run that diverged where no score is known for that, NaN where there is none."""
    value = record.value(objective.test)
    if has_diverged(record, objective.test):
        known = rules.no_information.get(objective.metric)
        return math.inf if known is None else known
    return value if record.ended.status is Status.COMPLETED and value is not None else math.nan
