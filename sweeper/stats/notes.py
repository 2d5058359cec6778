"""What threatens a verdict, in sentences: everything a reader must know before relying on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sweeper.stats.confirmation import Standing
from sweeper.stats.distributions import share_interval
from sweeper.stats.evidence import Evidence, has_diverged
from sweeper.stats.rules import JudgeRules
from sweeper.stats.screening import Finalists, Screened
from sweeper.trial import Combination, TrialRecord
from sweeper.verdict import Outcome

_FEWEST_TRIALS = 6
"""Below this many exploration trials the best combination is lost too often (docs/statistics.md)."""


def notes(
    screened: Sequence[Screened],
    finalists: Finalists,
    evidence: Evidence,
    *,
    rules: JudgeRules,
    outcome: Outcome,
    complete: bool,
) -> tuple[str, ...]:
    """Every threat to the verdict, the gravest first."""
    found = list(_missing(screened, evidence, rules, outcome))
    if not complete:
        found.append("The plan was not finished: a budget, a failure limit or an interruption ended the study early.")
    found.extend(_exploration(screened, rules))
    found.extend(_confirmation(evidence, rules))
    shown = [each.combination for each in (finalists.chosen if rules.confirm else screened[:1])]
    found.extend(_settings([each for each in screened if each.combination in shown]))
    if rules.confirm and finalists.cut_off:
        names = _listed([each.combination for each in finalists.cut_off])
        found.append(f"Not confirmed, could still be best: {names}.")
    return tuple(found)


def _missing(screened: Sequence[Screened], evidence: Evidence, rules: JudgeRules, outcome: Outcome) -> Iterator[str]:
    """Why there is no verdict."""
    if outcome is not Outcome.NO_VERDICT:
        return
    if all(each.estimate is None for each in screened):
        diverged, trials = sum(each.diverged for each in screened), sum(each.trials for each in screened)
        yield f"No trial of the exploration completed: {diverged} of {trials} diverged."
    elif not rules.confirm:
        yield "Nothing was confirmed on fresh seeds: the pick is the leader of exploration, whose score is too good."
    elif evidence.confirmation.failing and not evidence.confirmation.alive:
        yield "More than half of the confirmation trials failed for every finalist."
    else:
        seeds = [len(scores) for scores in evidence.scores.values()]
        wanted = next((look for look in rules.looks if look >= 2), None)
        yield (
            f"The confirmation did not reach its first look: {min(seeds, default=0)} of {wanted} seeds. "
            "The pick is the leader of exploration."
        )


def _exploration(screened: Sequence[Screened], rules: JudgeRules) -> Iterator[str]:
    counts = [each.trials for each in screened]
    if rules.strategy != "balanced":
        if len(set(counts)) > 1:
            yield (
                f"Explored by {rules.strategy}, not balanced: combinations had {min(counts)} to {max(counts)} trials, "
                "and one with few may be better than it looks."
            )
    elif 0 < max(counts, default=0) < _FEWEST_TRIALS:
        yield f"Explored with {max(counts)} points a combination; fewer than {_FEWEST_TRIALS} often miss the best one."
    begun = [each for each in screened if each.trials > 0]
    silent = [each.combination for each in begun if each.estimate is None]
    if silent and len(silent) < len(begun):
        yield f"Never completed in exploration: {_listed(silent)}."
    failed = sum(each.failed for each in screened)
    if failed:
        yield f"{failed} of {sum(counts)} trials of the exploration failed and say nothing."


def _confirmation(evidence: Evidence, rules: JudgeRules) -> Iterator[str]:
    state = evidence.confirmation
    if not state.standings:
        return
    if evidence.ceiling:
        yield _ceiling(evidence)
    for standing in state.standings:
        yield from _runs(standing, evidence, rules)
    if state.failing:
        yield f"Could not be confirmed, could still be best: {_listed(state.failing)} (most trainings failed)."
    leaders = [standing for standing in state.standings if standing.in_set]
    late = [standing.combination for standing in leaders if standing.behind]
    if late:
        yield (
            f"Clearly behind at the learning rate that was confirmed, may catch up at a better one: {_listed(late)}. "
            "More points of exploration would tell; more seeds will not."
        )
    if len(state.standings) == 1:
        yield f"Only {leaders[0].combination} was confirmed: there was nothing to compare it with."
    elif all(np.ptp(standing.scores) == 0.0 for standing in leaders):
        yield "The scores do not vary from seed to seed, so the seeds are no evidence of chance."
    if len(leaders) == 1 and state.lead is not None and state.lead < state.epsilon:
        yield (
            f"{leaders[0].combination} is ahead of every other finalist, but by less than the smallest difference "
            "that matters; that is a tie."
        )


def mishaps(evidence: Evidence, pick: Combination) -> tuple[str, ...]:
    """Why the pick of those that are not separated is not the one with the best mean, if it is not."""
    steady = [each for each in evidence.confirmation.members if not _diverged(each, evidence)]
    if not steady or steady[0].combination == pick:
        return ()
    first = steady[0].combination
    return (
        f"{pick} is picked instead of {first}, whose mean is better: a few trainings that went far better or worse "
        "than usual make that difference, and they say little about how often that happens.",
    )


def _runs(standing: Standing, evidence: Evidence, rules: JudgeRules) -> Iterator[str]:
    """What went wrong in the confirmation of one finalist."""
    runs = _judged(standing, evidence)
    diverged = _diverged(standing, evidence)
    if diverged:
        share = share_interval(diverged, len(runs), rules.alpha)
        yield (
            f"Unstable: {standing.combination} diverged in {diverged} of {len(runs)} confirmation runs "
            f"({1 - rules.alpha:.0%} interval {share.low:.0%} to {share.high:.0%})."
        )
    if standing.seeds < standing.look:
        yield f"{standing.combination} was judged by {standing.seeds} of {standing.look} seeds: trainings failed."


def _judged(standing: Standing, evidence: Evidence) -> list[TrialRecord]:
    return [run for run in evidence.runs[standing.combination] if run.spec.repetition < standing.look]


def _diverged(standing: Standing, evidence: Evidence) -> int:
    return sum(has_diverged(run, evidence.objective.test) for run in _judged(standing, evidence))


def _ceiling(evidence: Evidence) -> str:
    metric, deciding = evidence.metric, evidence.objective.metric
    why = (
        f"{metric} is at its ceiling"
        if evidence.full
        else f"Most seeds give exactly equal {metric} (too few test rows to tell them apart)"
    )
    if not evidence.switched:
        return f"{why}, and there is no second metric to decide: expect a tie."
    means = ", ".join(f"{each.combination} {each.mean:.4g}" for each in evidence.confirmation.standings)
    return f"{why}; {deciding} decides, as declared beforehand (mean test {deciding}: {means})."


def _settings(shown: Sequence[Screened]) -> Iterator[str]:
    for each in shown:
        if each.border:
            names = " and ".join(each.border)
            yield f"{each.combination} is best at the border of its range of {names}; a wider range may hold better."
        if each.unsafe:
            yield f"{each.combination} is used at a learning rate above one that diverged."


def _listed(combinations: Sequence[Combination]) -> str:
    names = [str(each) for each in combinations]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
