"""The verdict: what can honestly be said about a study, from its records alone.

Only fresh seeds on the sealed test rows are evidence; exploration chooses whom to confirm, and names a pick where there
is no confirmation. Records of the keep stage are passed over.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper.seeds import generator
from sweeper.space import Space
from sweeper.stats.confirmation import Standing
from sweeper.stats.distributions import mean_interval
from sweeper.stats.evidence import SHARES, Evidence, confirm, has_diverged
from sweeper.stats.notes import mishaps, notes
from sweeper.stats.rules import JudgeRules
from sweeper.stats.screening import Finalists, Screened, finalists, screen
from sweeper.stats.selection import chosen as best_of
from sweeper.stats.selection import gain_of_choice
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Explored, Finalist, Interval, Objective, Outcome, Pick, Verdict

__all__ = ["JudgeRules", "Studied", "judge", "study"]

_PLATEAU_STEP = 0.25
"""Plateaus are compared in quarters of a decade: 8 to 12 noisy points do not tell them apart more finely."""


@dataclass(frozen=True)
class Studied:
    """Everything that is known about a study half way or at its end; the planner and the judge both start here.

    Attributes:
        screened: every combination, best first.
        finalists: who is to be confirmed.
        evidence: the confirmation so far.
    """

    screened: tuple[Screened, ...]
    finalists: Finalists
    evidence: Evidence


def study(records: Iterable[TrialRecord], *, space: Space, objective: Objective, rules: JudgeRules) -> Studied:
    """Screen, choose the finalists and replay the confirmation."""
    records = list(records)
    known = rules.no_information.get(objective.metric)
    screened = screen(records, space=space, objective=objective, no_information=known, seed=rules.seed)
    chosen = finalists(screened, rules.finalists, objective)
    return Studied(screened, chosen, confirm(records, chosen.chosen, objective=objective, rules=rules))


def judge(
    name: str,
    records: Iterable[TrialRecord],
    *,
    space: Space,
    objective: Objective,
    rules: JudgeRules,
    complete: bool = True,
) -> Verdict:
    """The verdict by the protocol of docs/statistics.md.

    * WINNER: one combination is left in the set and its mean is ahead of every other finalist's by at least epsilon.
    * TIE: nobody in the set can be further than epsilon below the best, or the only one left leads by less.
    * NOT_SEPARATED: several may be best, and more than epsilon may lie between them.
    * NO_VERDICT: there is no confirmation with a complete look; the pick is the leader of exploration.

    `complete` says whether the whole plan was trained: no budget or failure limit ended it early.
    """
    records = [record for record in records if record.spec.stage is not Stage.KEEP]
    found = study(records, space=space, objective=objective, rules=rules)
    state = found.evidence.confirmation
    confirmed = rules.confirm and bool(state.standings)
    standings = state.standings if confirmed else ()
    outcome = _outcome(found, standings)
    chosen = _pick(found, standings)
    leader = standings[0] if standings else None
    told = tuple(_finalist(each, found.evidence, objective, rules) for each in standings)
    return Verdict(
        study=name,
        outcome=outcome,
        winner=leader.combination if leader and outcome is Outcome.WINNER else None,
        pick=_with_params(chosen, found, told, _gain(found, standings, rules)),
        regret=next((each.regret for each in standings if each.combination == chosen), None),
        may_be_best=tuple(each.combination for each in standings if each.in_set),
        finalists=told,
        explored=tuple(_explored(each) for each in found.screened),
        metric=objective.metric,
        goal="maximize" if objective.maximize else "minimize",
        alpha=rules.alpha,
        epsilon=state.epsilon if standings else _epsilon(found, objective),
        strategy=rules.strategy,
        lead=state.lead if standings else None,
        seeds_needed=state.seeds_needed if outcome is Outcome.NOT_SEPARATED else None,
        complete=complete,
        decided_by=found.evidence.objective.metric,
        notes=_notes(found, chosen, rules=rules, outcome=outcome, complete=complete),
        trials=_counts(records),
    )


def _notes(
    found: Studied, chosen: Combination | None, *, rules: JudgeRules, outcome: Outcome, complete: bool
) -> tuple[str, ...]:
    told = notes(found.screened, found.finalists, found.evidence, rules=rules, outcome=outcome, complete=complete)
    if outcome is not Outcome.NOT_SEPARATED or chosen is None:
        return told
    return told + mishaps(found.evidence, chosen)


def _outcome(found: Studied, standings: Sequence[Standing]) -> Outcome:
    state = found.evidence.confirmation
    if not standings:
        return Outcome.NO_VERDICT
    members = [each for each in standings if each.in_set]
    if len(members) == 1:
        return Outcome.TIE if state.lead is not None and state.lead < state.epsilon else Outcome.WINNER
    return Outcome.TIE if all(each.regret <= state.epsilon for each in members) else Outcome.NOT_SEPARATED


def _pick(found: Studied, standings: Sequence[Standing]) -> Combination | None:
    """The combination to use tomorrow.

    Of those that may be best, stable ones first. In a tie: the widest learning rate plateau, because it forgives most;
    then the fewest tuned parameters; then the higher mean. Not the training time, although that would be a fine reason:
    it differs from machine to machine and run to run, and the same study has to give the same pick. Where the set is
    not proven to be a tie: the highest mean, in which a single mishap does not count for more than it says.
    """
    if not standings:
        best = found.screened[0] if found.screened else None
        return None if best is None or best.estimate is None else best.combination
    eligible = _eligible(found, standings)
    if _is_tie(found, standings):
        screened = {each.combination: each for each in found.screened}
        return max(eligible, key=lambda each: _ease(screened[each.combination])).combination
    return eligible[best_of(_table(eligible, found))].combination


def _eligible(found: Studied, standings: Sequence[Standing]) -> list[Standing]:
    """Who may be picked; all were judged by the same seeds."""
    members = [each for each in standings if each.in_set]
    return [each for each in members if not _diverged(found.evidence, each)] or members


def _is_tie(found: Studied, standings: Sequence[Standing]) -> bool:
    return all(each.regret <= found.evidence.confirmation.epsilon for each in standings if each.in_set)


def _table(standings: Sequence[Standing], found: Studied) -> NDArray[np.float64]:
    """(seeds, finalists) scores, higher is better."""
    return np.asarray(found.evidence.objective.sign * np.array([each.scores for each in standings]).T)


def _gain(found: Studied, standings: Sequence[Standing], rules: JudgeRules) -> float:
    """What being chosen by its scores adds to the mean of the pick; nothing where other reasons decided."""
    other_metric = found.evidence.objective.metric != found.evidence.metric
    if not standings or _is_tie(found, standings) or other_metric:
        return 0.0
    table = _table(_eligible(found, standings), found)
    return found.evidence.objective.sign * gain_of_choice(table, generator(rules.seed, "choice"))


def _epsilon(found: Studied, objective: Objective) -> float:
    """In the metric's unit, where only exploration has a leader to be relative to."""
    best = found.screened[0].estimate if found.screened else None
    return objective.epsilon * (abs(best or 0.0) if objective.relative else 1.0)


def _ease(each: Screened) -> tuple[int, int]:
    return round(each.plateau_decades / _PLATEAU_STEP), -each.tuned


def _with_params(chosen: Combination | None, found: Studied, told: Sequence[Finalist], gain: float) -> Pick | None:
    """The pick as it is confirmed; `gain` is what its mean owes to the choice, in the metric's unit."""
    params = next((each.params for each in found.screened if each.combination == chosen), None)
    if chosen is None or params is None:
        return None
    score = next((each.score for each in told if each.combination == chosen), None)
    return Pick(chosen, params, None if score is None else score - gain)


def _finalist(standing: Standing, evidence: Evidence, objective: Objective, rules: JudgeRules) -> Finalist:
    """Scores are those of the study's metric, whichever metric decided."""
    runs = _judged_runs(evidence, standing)
    known = np.array(evidence.scores[standing.combination][: standing.look], dtype=np.float64)
    scores = known[np.isfinite(known)]
    interval = mean_interval(
        scores, rules.alpha / len(evidence.scores), standing.luck, _usual(standing, evidence, objective)
    )
    if objective.metric in SHARES:
        interval = Interval(max(interval.low, 0.0), min(interval.high, 1.0))
    return Finalist(
        combination=standing.combination,
        params=runs[0].spec.params,
        score=float(scores.mean()),
        interval=interval,
        scores=tuple(scores.tolist()),
        regret=standing.regret,
        in_set=standing.in_set,
        diverged=_diverged(evidence, standing),
        duration_s=statistics.median(run.ended.duration_s for run in runs),
    )


def _usual(standing: Standing, evidence: Evidence, objective: Objective) -> float:
    """The finalists' usual variance of a score, unless they were judged by another metric than the study's."""
    return standing.usual if evidence.objective.metric == objective.metric else 0.0


def _judged_runs(evidence: Evidence, standing: Standing) -> list[TrialRecord]:
    return [run for run in evidence.runs[standing.combination] if run.spec.repetition < standing.look]


def _diverged(evidence: Evidence, standing: Standing) -> int:
    return sum(has_diverged(run, evidence.objective.test) for run in _judged_runs(evidence, standing))


def _explored(each: Screened) -> Explored:
    return Explored(
        combination=each.combination,
        trials=each.trials,
        best=each.best,
        diverged=each.diverged,
        failed=each.failed,
        best_params=each.best_params,
        estimate=each.estimate,
        estimate_sd=each.sd,
    )


def _counts(records: Iterable[TrialRecord]) -> Mapping[str, Mapping[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for record in records:
        by_status = counts.setdefault(record.spec.stage.value, {})
        status = record.ended.status.value
        by_status[status] = by_status.get(status, 0) + 1
    return counts
