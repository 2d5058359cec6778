"""The statistics as the planner and the report ask for them, bound to one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.commands.prepare import Prepared
from sweeper.planning.stages import Candidate
from sweeper.space import Space
from sweeper.stats.judging import JudgeRules, Studied, judge
from sweeper.stats.judging import study as studied
from sweeper.stats.racing import race
from sweeper.stats.screening import Screened, confirmations, screen
from sweeper.stats.widening import Ends, beyond, ends, widened
from sweeper.trial import Combination, Stage, TrialRecord
from sweeper.verdict import Verdict

Settings = Sequence[tuple[Combination, Sequence[Mapping[str, Any]]]]


def confirmation_trials(study: Prepared) -> int:
    """How many trials the confirmation may take, whoever is in it."""
    combinations = len(study.space.combinations())
    return confirmations(combinations, study.config.confirm.finalists, max(study.looks, default=0))


class Judge:
    """Every question that a study asks of the statistics; each answer is a pure function of the records."""

    def __init__(self, study: Prepared) -> None:
        config = study.config
        self._study = study
        self._rules = JudgeRules(
            alpha=config.confirm.alpha,
            looks=study.looks,
            finalists=config.confirm.finalists,
            strategy=config.search.strategy,
            seed=config.search.seed,
            no_information=study.data.no_information(),
            confirm=bool(study.looks),
            trials=confirmation_trials(study),
        )

    def beyond(self, records: Sequence[TrialRecord]) -> Settings:
        """The combinations whose range is widened, with the settings that are tried in the added decades."""
        screened, wider = self._explored(records)
        return beyond(screened, self._study.space, wider)

    def racers(self, records: Sequence[TrialRecord]) -> Settings:
        """The better part of the explored combinations, with the settings that are tried once more."""
        space, study = self._space(records), self._study
        found = race(records, space=space, objective=study.objective, rules=self._rules, points=study.points)
        return [(racer.combination, racer.settings) for racer in found]

    def candidates(self, records: Sequence[TrialRecord]) -> list[Candidate]:
        """The finalists with the parameters they are confirmed with, best first."""
        chosen = self._studied(records).finalists.chosen
        return [Candidate(each.combination, each.params) for each in chosen if each.params is not None]

    def next_look(self, records: Sequence[TrialRecord]) -> tuple[Sequence[Combination], int] | None:
        """Who is confirmed further, and with how many seeds in all; None when the verdict stands."""
        state = self._studied(records).evidence.confirmation
        return None if state.next_look is None else (state.alive, state.next_look)

    def pick(self, records: Sequence[TrialRecord]) -> Candidate | None:
        """The combination to keep; None while there is nothing to keep."""
        pick = self.verdict(records).pick
        return None if pick is None else Candidate(pick.combination, pick.params)

    def verdict(self, records: Sequence[TrialRecord], *, complete: bool = True) -> Verdict:
        """What can honestly be said from these records."""
        study = self._study
        return judge(
            study.config.name,
            records,
            space=self._space(records),
            objective=study.objective,
            rules=self._rules,
            complete=complete,
        )

    def _studied(self, records: Sequence[TrialRecord]) -> Studied:
        return studied(records, space=self._space(records), objective=self._study.objective, rules=self._rules)

    def _space(self, records: Sequence[TrialRecord]) -> Space:
        """What is searched, with the decades that were added to it."""
        return widened(self._study.space, self._explored(records)[1])

    def _explored(self, records: Sequence[TrialRecord]) -> tuple[Sequence[Screened], Ends]:
        """The exploration as it was before anything came on top of it, and the ends that are widened because of it."""
        study, rules = self._study, self._rules
        if rules.strategy != "balanced" or not rules.confirm:
            return (), {}
        first = [record for record in records if record.spec.stage is Stage.EXPLORE]
        known = rules.no_information.get(study.objective.metric)
        screened = screen(first, space=study.space, objective=study.objective, no_information=known, seed=rules.seed)
        return screened, ends(screened, records, study.space)
